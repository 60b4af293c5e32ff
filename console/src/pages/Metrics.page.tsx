import { Ban, CornerDownLeft, Library, ListFilter, Network, Plus } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { Link, useLocation, useNavigate } from "react-router";
import { Button } from "../components/Button";
import { MetricBrowser } from "../components/MetricBrowser";
import { ExplainPanel } from "../components/metrics/ExplainPanel";
import { JobStrip } from "../components/metrics/JobStrip";
import { type LetteredAnswer, MetricResult } from "../components/metrics/MetricResult";
import { MetricToolbar } from "../components/metrics/MetricToolbar";
import { type QueryAction, QueryRow } from "../components/metrics/QueryRow";
import { SavedLibrary } from "../components/metrics/SavedLibrary";
import { SaveQueryDialog } from "../components/metrics/SaveQueryDialog";
import { useMetricJob } from "../components/metrics/usemetricjob";
import { Progress } from "../components/Progress";
import { Fault } from "../components/States";
import { useToast } from "../components/Toasts";
import { usePromqlHints } from "../data/hints";
import {
  formatQuery,
  type MetricAsk,
  useCancelMetricAnswers,
  useExemplars,
  useMetricAnswers,
} from "../data/metricsquery";
import { useReason } from "../data/permissions";
import { useSession } from "../data/session";
import { ApiError } from "../lib/api";
import { formatDuration, niceStep } from "../lib/duration";
import { gridOf } from "../lib/matrix";
import { bucketQuery, bucketSelector, filled, unitOf } from "../lib/metricquery";
import { letterOf, type MetricsState, maxQueries, metricsCodec, type Resolution } from "../lib/metricstate";
import { useKeptQueries } from "../lib/queryhistory";
import { useTime } from "../lib/time";
import { sharedParams } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import { useWidth } from "../lib/usewidth";
import styles from "./Metrics.module.css";

const noExemplars = { shown: [], found: 0, error: null };

// Pixels to a point: finer steps cost the server and cannot be seen.
const pixelsPerPoint: Readonly<Record<Resolution, number>> = { fine: 3, medium: 8, coarse: 20 };

/** MetricsPage asks PromQL and draws the answers. */
export function MetricsPage() {
  const [state, setState] = useUrlState(metricsCodec);
  const [ref, width] = useWidth<HTMLDivElement>();
  return (
    <div className={styles.metrics} ref={ref}>
      {width > 0 && <Workspace state={state} setState={setState} width={width} />}
    </div>
  );
}

interface WorkspaceProps {
  state: MetricsState;
  setState: (state: MetricsState, options?: { replace?: boolean }) => void;
  width: number;
}

function Workspace({ state, setState, width }: WorkspaceProps) {
  const { queries } = state;
  const { interval, refresh } = useTime();
  const tenant = useSession().data?.tenant?.id ?? "";
  const history = useKeptQueries(`promql-history.${tenant}`);
  const [drafts, setDrafts] = useState(() => queries.map(({ expr }) => expr));
  const [browsing, setBrowsing] = useState(false);
  const [explaining, setExplaining] = useState<number>();
  const [library, setLibrary] = useState(false);
  const [saving, setSaving] = useState<string>();

  useEffect(() => setDrafts(queries.map(({ expr }) => expr)), [queries]);

  const span = (interval.toMs - interval.fromMs) / 1000;
  const autoStep = niceStep(span, Math.max(50, width / pixelsPerPoint[state.resolution]));
  const stepSeconds = state.stepSeconds || autoStep;
  const asks = useMemo<MetricAsk[]>(() => {
    const grid = gridOf(interval.fromMs, interval.toMs, stepSeconds);
    return queries.map(({ expr, hidden }) => ({
      expr: hidden ? "" : filled(expr.trim(), stepSeconds),
      grid,
      instant: state.instant,
    }));
  }, [queries, interval, stepSeconds, state.instant]);
  const results = useMetricAnswers(asks);
  const cancel = useCancelMetricAnswers();
  const job = useMetricJob();
  const busy = results.some(({ isFetching }) => isFetching);
  const asked = asks.some(({ expr }) => expr !== "");
  const firstAsked = asks.find(({ expr }) => expr !== "")?.expr ?? "";
  const graphed = state.view === "graph" && !state.instant;
  const exemplars = useExemplars(
    asks.map(({ expr }) => expr),
    interval,
    graphed && state.exemplars,
  );
  // One axis has one unit; queries of several kinds are plain numbers.
  const named = new Set(asks.flatMap(({ expr }) => (expr ? [unitOf(expr)] : [])));
  const unit = state.unit ?? (named.size === 1 ? unitOf(firstAsked) : "");

  const put = (next: readonly { expr: string; hidden: boolean }[], replace = false) =>
    setState({ ...state, queries: next }, { replace });
  const typed = () => queries.map((one, place) => ({ ...one, expr: (drafts[place] ?? "").trim() }));
  const run = () => {
    const next = typed();
    for (const { expr } of next) history.add(expr);
    setBrowsing(false);
    const same = next.every(({ expr }, place) => expr === queries[place]?.expr);
    put(next, same);
    refresh();
    // Points stand on a grid of steps, so within a step the same is asked; what failed is asked again all the same.
    if (same) for (const { error, refetch } of results) if (error) void refetch();
  };
  const setDraft = (place: number, text: string) =>
    setDrafts((before) => before.map((one, i) => (i === place ? text : one)));
  /** Puts a query into the first row that is empty, else in place of the last. */
  const take = (expr: string) => {
    const next = typed();
    const free = next.findIndex((one) => one.expr === "");
    const at = free >= 0 ? free : next.length - 1;
    next[at] = { expr, hidden: false };
    history.add(expr);
    setBrowsing(false);
    put(next);
    refresh();
  };

  const answers: LetteredAnswer[] = results.flatMap(({ data }, place) =>
    data && asks[place]?.expr ? [{ letter: letterOf(place), answer: data }] : [],
  );
  const failed = results.flatMap(({ error, refetch }, place) =>
    error && asks[place]?.expr ? [{ place, error, refetch, ask: asks[place] }] : [],
  );
  const selector = bucketSelector(firstAsked);
  const act = useActions({
    typed,
    drafts,
    put,
    setDraft,
    onSave: setSaving,
    onBackground: (place) => {
      const ask = asks[place];
      if (ask)
        job.start(
          { ...ask, expr: filled((drafts[place] ?? "").trim(), stepSeconds) },
          `Query ${letterOf(place)}`,
        );
    },
  });

  return (
    <>
      <QueryRows
        state={state}
        drafts={drafts}
        faults={results.map(({ error }) => error)}
        onDraft={setDraft}
        onRun={run}
        onHide={(place) =>
          put(typed().map((one, i) => (i === place ? { ...one, hidden: !one.hidden } : one)))
        }
        onAction={act}
      />
      <div className={styles.actions}>
        {busy ? (
          <Button variant="primary" onClick={cancel}>
            <Ban size={14} /> Cancel
          </Button>
        ) : (
          <Button variant="primary" onClick={run}>
            <CornerDownLeft size={14} /> Run
          </Button>
        )}
        <Button
          reason={queries.length >= maxQueries ? `At most ${maxQueries} queries at a time` : undefined}
          onClick={() => put([...typed(), { expr: "", hidden: false }], true)}
        >
          <Plus size={14} /> Query
        </Button>
        <Button aria-pressed={browsing} onClick={() => setBrowsing(!browsing)}>
          <ListFilter size={14} /> Metrics
        </Button>
        <Button
          aria-pressed={explaining !== undefined}
          reason={asked ? undefined : "Run a query first"}
          onClick={() => setExplaining(explaining === undefined ? 0 : undefined)}
        >
          <Network size={14} /> Explain
        </Button>
        <Button onClick={() => setLibrary(true)}>
          <Library size={14} /> Queries
        </Button>
        <CardinalityLink />
      </div>
      <Progress active={busy} />
      {job.running && (
        <JobStrip id={job.running.id} name={job.running.name} onShow={job.show} onClose={job.forget} />
      )}
      {explaining !== undefined &&
        asks.map(({ expr, grid, instant }, place) =>
          expr === "" ? null : (
            <ExplainPanel
              key={letterOf(place)}
              expr={expr}
              letter={letterOf(place)}
              points={instant ? 1 : Math.round((grid.endSeconds - grid.startSeconds) / stepSeconds) + 1}
              onClose={() => setExplaining(undefined)}
            />
          ),
        )}
      {(browsing || !asked) && <MetricBrowser onPick={take} />}
      {failed.map(({ place, error, refetch, ask }) => (
        <div key={letterOf(place)}>
          <Fault error={error} query={ask?.expr} onRetry={() => void refetch()} />
          {ask && mayRunInBackground(error) && (
            <p className={styles.away}>
              <Button onClick={() => job.start(ask, `Query ${letterOf(place)}`)}>
                Run it in the background
              </Button>
            </p>
          )}
        </div>
      ))}
      {asked && (answers.length > 0 || failed.length === 0) && (
        <>
          <MetricToolbar
            state={state}
            unit={unit}
            autoStep={formatDuration(autoStep)}
            exemplars={exemplars.found}
            onChange={(change) => setState({ ...state, ...change, queries: typed() })}
          />
          {answers.length > 0 ? (
            <div className={styles.result} data-stale={results.some((one) => one.isPlaceholderData)}>
              <MetricResult
                answers={answers}
                state={state}
                unit={unit}
                exemplars={graphed && state.exemplars ? exemplars : noExemplars}
                onBuckets={selector ? () => take(bucketQuery(selector)) : undefined}
              />
            </div>
          ) : (
            <p className={styles.away} role="status">
              {busy ? "The server is at work…" : "Nothing was asked to its end. Run the query again."}
            </p>
          )}
        </>
      )}
      <SavedLibrary
        language="promql"
        open={library}
        onClose={() => setLibrary(false)}
        history={history.list}
        onPick={take}
      />
      <SaveQueryDialog language="promql" query={saving} onClose={() => setSaving(undefined)} />
    </>
  );
}

/** mayRunInBackground says whether a job may have what the query was refused: time, or more to read. */
function mayRunInBackground(error: unknown): boolean {
  return error instanceof ApiError && [422, 429, 503].includes(error.status);
}

function CardinalityLink() {
  const { search } = useLocation();
  const to = {
    pathname: "/cardinality",
    search: sharedParams(new URLSearchParams(search)).toString(),
  };
  return (
    <Link className={`button quiet ${styles.link}`} to={to}>
      Cardinality
    </Link>
  );
}

interface QueryRowsProps {
  state: MetricsState;
  drafts: readonly string[];
  faults: readonly (Error | null)[];
  onDraft: (place: number, text: string) => void;
  onRun: () => void;
  onHide: (place: number) => void;
  onAction: (place: number, action: QueryAction) => void;
}

function QueryRows({ state, drafts, faults, onDraft, onRun, onHide, onAction }: QueryRowsProps) {
  const hints = usePromqlHints();
  const alertReason = useReason("rules:write", "making alerts");
  return (
    <section className={styles.queries} aria-label="Queries">
      {state.queries.map(({ hidden }, place) => (
        <QueryRow
          key={letterOf(place)}
          letter={letterOf(place)}
          value={drafts[place] ?? ""}
          hidden={hidden}
          hints={hints}
          error={faults[place] ?? null}
          reasons={{ alert: alertReason }}
          onChange={(text) => onDraft(place, text)}
          onRun={onRun}
          onHide={() => onHide(place)}
          onAction={(action) => onAction(place, action)}
        />
      ))}
    </section>
  );
}

interface ActionOptions {
  typed: () => { expr: string; hidden: boolean }[];
  drafts: readonly string[];
  put: (queries: readonly { expr: string; hidden: boolean }[], replace?: boolean) => void;
  setDraft: (place: number, text: string) => void;
  onSave: (query: string) => void;
  onBackground: (place: number) => void;
}

/** useActions performs what the menus of queries offer. */
function useActions(options: ActionOptions): (place: number, action: QueryAction) => void {
  const { typed, drafts, put, setDraft, onSave, onBackground } = options;
  const toast = useToast();
  const navigate = useNavigate();
  return (place, action) => {
    const expr = (drafts[place] ?? "").trim();
    switch (action) {
      case "format":
        formatQuery(expr).then(
          (text) => setDraft(place, text),
          (error: Error) => toast({ text: error.message, tone: "bad" }),
        );
        break;
      case "duplicate":
        put(
          typed()
            .flatMap((one, i) => (i === place ? [one, one] : [one]))
            .slice(0, maxQueries),
        );
        break;
      case "remove": {
        const rest = typed().filter((_, i) => i !== place);
        put(rest.length > 0 ? rest : [{ expr: "", hidden: false }]);
        break;
      }
      case "save":
        onSave(expr);
        break;
      case "alert":
        navigate(`/alerts/rules/new?${new URLSearchParams({ expr })}`);
        break;
      case "background":
        onBackground(place);
        break;
    }
  };
}
