import { FileInput, LayoutDashboard, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { Badge } from "../components/Badge";
import { Button } from "../components/Button";
import { ImportDialog } from "../components/dashboards/ImportDialog";
import { TextInput } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { useUndoable } from "../components/Toasts";
import { builtIns } from "../dashboards";
import { type DashboardSummary, useDashboards, useDeleteDashboard } from "../data/dashboards";
import { useCan } from "../data/permissions";
import { sharedParams, textCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Dashboards.module.css";

/** What the list shows: words to search for, and a tag. */
const listCodec = textCodec(["q", "tag"]);

interface Row {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly panels: number;
}

const ours: readonly Row[] = builtIns.map(({ id, spec }) => ({
  id,
  title: spec.title,
  description: spec.description ?? "",
  tags: spec.tags ?? [],
  panels: spec.panels.filter(({ type }) => type !== "row").length,
}));

export function DashboardsPage() {
  const [state, setState] = useUrlState(listCodec);
  const mayRead = useCan("dashboards:read");
  const mayWrite = useCan("dashboards:write");
  const own = useDashboards(mayRead);
  const navigate = useNavigate();
  const [importing, setImporting] = useState(false);
  const { mutateAsync } = useDeleteDashboard();
  const { hidden, remove } = useUndoable<DashboardSummary>({
    idOf: ({ id }) => id,
    text: ({ title }) => `Deleted ${title}`,
    perform: ({ id }) => mutateAsync(id),
  });
  const fits = (row: Row) =>
    (!state.tag || row.tags.includes(state.tag)) &&
    `${row.title} ${row.description} ${row.tags.join(" ")}`.toLowerCase().includes(state.q.toLowerCase());
  const mine = (own.data ?? []).filter(({ id }) => !hidden.has(id));
  const tags = [...new Set([...ours, ...mine].flatMap((row) => row.tags))].sort();
  const foundOwn = mine.filter(fits);
  const foundOurs = ours.filter(fits);

  return (
    <div className="page">
      <PageHead
        title="Dashboards"
        subtitle="What comes with Seamark, and your tenant's own."
        actions={
          mayWrite && (
            <>
              <Button onClick={() => setImporting(true)}>
                <FileInput size={14} /> Import
              </Button>
              <Button variant="primary" onClick={() => navigate("/dashboards/new")}>
                <Plus size={14} /> New dashboard
              </Button>
            </>
          )
        }
      />
      <div className={styles.filter}>
        <TextInput
          aria-label="Search dashboards"
          placeholder="Search"
          value={state.q}
          onChange={(q) => setState({ ...state, q }, { replace: true })}
        />
        <div className={styles.tags}>
          {tags.map((tag) => (
            <Button
              key={tag}
              small
              variant="quiet"
              aria-pressed={state.tag === tag}
              onClick={() => setState({ ...state, tag: state.tag === tag ? "" : tag })}
            >
              {tag}
            </Button>
          ))}
        </div>
      </div>
      <h2 className={styles.head}>Your tenant's</h2>
      {own.error && !own.data ? (
        <Fault error={own.error} onRetry={() => own.refetch()} />
      ) : mayRead && own.isPending ? (
        <Skeleton rows={2} />
      ) : mine.length === 0 ? (
        <Empty title="No dashboards of your own yet">
          {mayWrite
            ? "Open one below and copy it, make a new one, or import one from Grafana."
            : "Editors of the tenant make them; those below are for everybody."}
        </Empty>
      ) : (
        <Cards
          rows={foundOwn}
          onDelete={
            mayWrite
              ? (id) => {
                  const row = mine.find((one) => one.id === id);
                  if (row) remove(row);
                }
              : undefined
          }
        />
      )}
      <h2 className={styles.head}>Built in</h2>
      <Cards rows={foundOurs} />
      {importing && (
        <ImportDialog onClose={() => setImporting(false)} onMade={(id) => navigate(`/dashboards/${id}`)} />
      )}
    </div>
  );
}

function Cards({ rows, onDelete }: { rows: readonly Row[]; onDelete?: ((id: string) => void) | undefined }) {
  const { search } = useLocation();
  if (rows.length === 0) return <p className="faint">Nothing fits the search.</p>;
  const kept = sharedParams(new URLSearchParams(search)).toString();
  return (
    <ul className={styles.cards}>
      {rows.map(({ id, title, description, tags, panels }) => (
        <li key={id} className={`card ${styles.card}`}>
          <LayoutDashboard size={16} aria-hidden="true" />
          <div>
            <Link to={{ pathname: `/dashboards/${id}`, search: kept }}>{title}</Link>
            <p className="soft">{description || (panels === 1 ? "One panel" : `${panels} panels`)}</p>
            <p className={styles.labels}>
              {tags.map((tag) => (
                <Badge key={tag}>{tag}</Badge>
              ))}
            </p>
          </div>
          {onDelete && (
            <Button variant="quiet" small icon aria-label={`Delete ${title}`} onClick={() => onDelete(id)}>
              <Trash2 size={14} />
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
