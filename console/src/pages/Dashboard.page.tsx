import { Braces, Copy, Pencil, Plus, Save, Variable, X } from "lucide-react";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Grid } from "../components/dashboards/Grid";
import { JsonDialog } from "../components/dashboards/JsonDialog";
import { Panel } from "../components/dashboards/Panel";
import { PanelEditor } from "../components/dashboards/PanelEditor";
import { VariableBar } from "../components/dashboards/VariableBar";
import { VariablesDialog } from "../components/dashboards/VariablesDialog";
import { TextInput } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault, Forbidden } from "../components/States";
import { useToast } from "../components/Toasts";
import { builtIns } from "../dashboards";
import { useCreateDashboard, useDashboard, useUpdateDashboard, useVariables } from "../data/dashboards";
import { stepFor } from "../data/metrics";
import { useCan } from "../data/permissions";
import {
  bottomOf,
  type DashboardPanel,
  type DashboardSpec,
  emptyDashboard,
  nextId,
} from "../lib/dashboardmodel";
import { choicesCodec } from "../lib/dashboardvariables";
import { useTime } from "../lib/time";
import { useUrlState } from "../lib/useurlstate";
import { refusedVariables } from "../lib/variabledraft";
import styles from "./Dashboard.module.css";

const back = { to: "/dashboards", label: "Dashboards" };

/** DashboardPage shows one dashboard: one that comes with the console, one of the tenant's, or a new one. */
export function DashboardPage() {
  const { id = "" } = useParams();
  const builtIn = builtIns.find((one) => one.id === id);
  const isNew = id === "new";
  const kept = useDashboard(id, !builtIn && !isNew);
  const mayWrite = useCan("dashboards:write");
  if (builtIn) return <Shown key={id} id={id} spec={builtIn.spec} etag="" isBuiltIn />;
  if (isNew && mayWrite) return <Shown key={id} id={id} spec={emptyDashboard("New dashboard")} etag="" />;
  if (kept.data) return <Shown key={id} id={id} spec={kept.data.value.spec} etag={kept.data.etag} />;
  return (
    <div className="page">
      <PageHead title="Dashboard" back={back} />
      {isNew ? (
        <Forbidden>
          Your role does not include making dashboards. Ask an owner or admin of the tenant.
        </Forbidden>
      ) : kept.error ? (
        <Fault error={kept.error} onRetry={() => kept.refetch()} />
      ) : (
        <Skeleton rows={8} />
      )}
    </div>
  );
}

interface ShownProps {
  id: string;
  spec: DashboardSpec;
  etag: string;
  isBuiltIn?: boolean;
}

type Open =
  | { readonly what: "json" | "variables" }
  | { readonly what: "panel" | "large"; readonly id: number };

function Shown({ id, spec: saved, etag, isBuiltIn = false }: ShownProps) {
  const { interval } = useTime();
  const navigate = useNavigate();
  const toast = useToast();
  const mayWrite = useCan("dashboards:write");
  const [draft, setDraft] = useState<DashboardSpec | undefined>(id === "new" ? saved : undefined);
  const [open, setOpen] = useState<Open>();
  const [choices, setChoices] = useUrlState(choicesCodec);
  const create = useCreateDashboard();
  const update = useUpdateDashboard(id);
  const spec = draft ?? saved;
  const variables = spec.variables ?? [];
  const times = {
    stepSeconds: stepFor(interval, 600),
    rangeSeconds: (interval.toMs - interval.fromMs) / 1000,
  };
  const known = useVariables(variables, choices, interval, times);
  const large = open?.what === "large" ? spec.panels.find((panel) => panel.id === open.id) : undefined;
  const edited = open?.what === "panel" ? editedPanel(spec, open.id) : undefined;

  const make = async (value: DashboardSpec) => {
    const made = await create.mutateAsync(value).catch(() => undefined);
    if (made) navigate(`/dashboards/${made.id}${window.location.search}`);
  };
  const save = async () => {
    if (!draft) return;
    if (id === "new") return make(draft);
    const done = await update.mutateAsync({ value: draft, etag }).catch(() => undefined);
    if (done) {
      setDraft(undefined);
      toast({ text: "Saved", tone: "good" });
    }
  };
  const fault = create.error ?? update.error;
  const close = () => setOpen(undefined);

  return (
    <div className={styles.page}>
      <PageHead
        title={spec.title}
        back={back}
        subtitle={spec.description}
        actions={
          draft ? (
            <>
              <Button onClick={() => setOpen({ what: "panel", id: nextId(draft.panels) })}>
                <Plus size={14} /> Panel
              </Button>
              <Button onClick={() => setOpen({ what: "variables" })}>
                <Variable size={14} /> Variables
              </Button>
              <Button onClick={() => setOpen({ what: "json" })}>
                <Braces size={14} /> JSON
              </Button>
              <Button onClick={() => (id === "new" ? navigate("/dashboards") : setDraft(undefined))}>
                <X size={14} /> Cancel
              </Button>
              <Button variant="primary" busy={create.isPending || update.isPending} onClick={save}>
                <Save size={14} /> Save
              </Button>
            </>
          ) : (
            <>
              <Button onClick={() => setOpen({ what: "json" })}>
                <Braces size={14} /> JSON
              </Button>
              {mayWrite && (
                <Button
                  busy={create.isPending}
                  onClick={() => make({ ...spec, title: `${spec.title} (copy)` })}
                >
                  <Copy size={14} /> Copy
                </Button>
              )}
              {mayWrite && !isBuiltIn && (
                <Button variant="primary" onClick={() => setDraft(saved)}>
                  <Pencil size={14} /> Edit
                </Button>
              )}
            </>
          )
        }
      />
      {fault && <Fault error={fault} />}
      {draft && (
        <div className={styles.titles}>
          <TextInput
            aria-label="Title"
            value={draft.title}
            maxLength={120}
            onChange={(title) => setDraft({ ...draft, title })}
          />
          <TextInput
            aria-label="Tags"
            placeholder="Tags, with commas"
            value={(draft.tags ?? []).join(",")}
            onChange={(text) =>
              setDraft({ ...draft, tags: text ? text.split(",").map((tag) => tag.trimStart()) : [] })
            }
          />
        </div>
      )}
      <VariableBar variables={variables} known={known} choices={choices} onChoices={setChoices} />
      {spec.panels.length === 0 ? (
        <Empty title="No panels yet">{draft && "Add a panel, or paste a dashboard's JSON."}</Empty>
      ) : (
        <Grid
          panels={spec.panels}
          values={known.values}
          ready={!known.loading}
          onLarge={(panel) => setOpen({ what: "large", id: panel })}
          onPanels={draft && ((panels) => setDraft({ ...draft, panels }))}
          onEdit={draft && ((panel) => setOpen({ what: "panel", id: panel }))}
        />
      )}
      {large && (
        <Dialog open onClose={close} title={large.title || "Panel"} width="wide">
          <Panel panel={large} values={known.values} ready height={460} />
        </Dialog>
      )}
      {draft && edited && (
        <PanelEditor
          panel={edited}
          values={known.values}
          onClose={close}
          onSave={(panel) => {
            const others = draft.panels.filter((one) => one.id !== panel.id);
            setDraft({ ...draft, panels: [...others, panel] });
            close();
          }}
        />
      )}
      {open?.what === "json" && (
        <JsonDialog
          value={spec}
          onClose={close}
          onSave={
            draft &&
            ((value) => {
              setDraft(value);
              close();
            })
          }
        />
      )}
      {draft && open?.what === "variables" && (
        <VariablesDialog
          spec={draft}
          refused={refusedVariables(fault, variables.length)}
          onClose={close}
          onSave={(value) => {
            setDraft({ ...draft, variables: value });
            close();
          }}
        />
      )}
    </div>
  );
}

function editedPanel(spec: DashboardSpec, id: number): DashboardPanel {
  const known = spec.panels.find((panel) => panel.id === id);
  if (known) return known;
  const place = { x: 0, y: bottomOf(spec.panels), w: 12, h: 8 };
  return { id, type: "timeseries", title: "", ...place, queries: [{ language: "promql", query: "" }] };
}
