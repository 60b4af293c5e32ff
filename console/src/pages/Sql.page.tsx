import { Ban, CloudCog, CornerDownLeft, Library, ListTree, Save } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "../components/Button";
import { Card } from "../components/Card";
import { CodeBlock } from "../components/CodeBlock";
import { Dialog } from "../components/Dialog";
import { CodeEditor, type EditorDiagnostic, type EditorHandle } from "../components/editor/CodeEditor";
import { JobStrip } from "../components/metrics/JobStrip";
import { SavedLibrary } from "../components/metrics/SavedLibrary";
import { SaveQueryDialog } from "../components/metrics/SaveQueryDialog";
import { Progress } from "../components/Progress";
import { Fault } from "../components/States";
import { SchemaSidebar } from "../components/sql/SchemaSidebar";
import { SqlAnswer } from "../components/sql/SqlAnswer";
import { SqlExamples } from "../components/sql/SqlExamples";
import { SqlParameters } from "../components/sql/SqlParameters";
import { useSqlRun } from "../components/sql/useSqlRun";
import { useToast } from "../components/Toasts";
import { resultPathOf, useStartQueryJob } from "../data/queryjobs";
import { useSession } from "../data/session";
import { type SqlAsk, type SqlPlan, sqlRequest, useSqlPlan, useSqlSchema } from "../data/sql";
import { ApiError } from "../lib/api";
import { formatCompact } from "../lib/format";
import { useKeptQueries } from "../lib/queryhistory";
import { isRangeParameter, parametersOf, valuesOf } from "../lib/sqlparams";
import { sqlCodec } from "../lib/sqlstate";
import { useTime } from "../lib/time";
import { formatBytes } from "../lib/units";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Sql.module.css";

// A statement is estimated when its author pauses; each word would be too often.
const pauseMs = 700;

/** SqlPage asks SQL over the views of the tenant's data. */
export function SqlPage() {
  const [state, setState] = useUrlState(sqlCodec);
  const { interval } = useTime();
  const tenant = useSession().data?.tenant?.id ?? "";
  const history = useKeptQueries(`sql-history.${tenant}`);
  const [draft, setDraft] = useState(state.query);
  const [typed, setTyped] = useState(state.values);
  const [dialog, setDialog] = useState<"library" | "save" | "plan">();
  const [job, setJob] = useState<{ id: string; ask: SqlAsk }>();
  const editor = useRef<EditorHandle>(null);
  const { run, begin, cancel } = useSqlRun();
  const startJob = useStartQueryJob();
  const toast = useToast();
  const schema = useSqlSchema();

  useEffect(() => setDraft(state.query), [state.query]);
  const parameters = useMemo(() => parametersOf(draft), [draft]);
  const ask = useMemo<SqlAsk>(
    () => ({ query: draft.trim(), parameters: valuesOf(parameters, typed, interval) }),
    [draft, parameters, typed, interval],
  );
  const missing = parameters.find((one) => !isRangeParameter(one) && (typed[one.name] ?? "") === "");
  const paused = usePaused(ask);
  const plan = useSqlPlan(paused, missing === undefined);
  const fault = run.state === "failed" && run.ask?.query === ask.query ? run.error : plan.error;
  const diagnostics = useMemo(() => diagnosticsOf(fault), [fault]);
  const hints = useMemo(
    () => ({
      sql: Object.fromEntries(
        (schema.data?.views ?? []).map(({ name, columns }) => [name, columns.map((one) => one.name)]),
      ),
    }),
    [schema.data],
  );

  const runIt = () => {
    if (ask.query === "") return;
    history.add(ask.query);
    setState({ ...state, query: ask.query, values: typed }, { replace: ask.query === state.query });
    begin(ask);
  };
  const toBackground = () =>
    startJob.mutate(sqlRequest(ask), {
      onSuccess: ({ id }) => setJob({ id, ask }),
      onError: (error) => toast({ text: error.message, tone: "bad", ms: 0 }),
    });
  const take = (query: string) => {
    setDraft(query);
    editor.current?.focus();
  };
  const isRunning = run.state === "running";
  const nothing = ask.query === "" ? "There is no statement yet" : undefined;
  return (
    <div className={styles.sql}>
      <details className={styles.side} open={window.innerWidth > 900}>
        <summary>Views</summary>
        <SchemaSidebar onInsert={(text) => editor.current?.insert(text)} />
      </details>
      <div className={styles.main}>
        {/* In a box of its own, since the column would take its height away. */}
        <div>
          <CodeEditor
            language="sql"
            label="SQL statement"
            lines={9}
            value={draft}
            hints={hints}
            diagnostics={diagnostics}
            handle={editor}
            placeholder="SELECT namespace, count() AS lines FROM logs GROUP BY namespace"
            onChange={setDraft}
            onRun={runIt}
          />
        </div>
        <SqlParameters
          parameters={parameters}
          values={typed}
          onChange={(name, value) => setTyped((before) => ({ ...before, [name]: value }))}
        />
        <div className={styles.actions}>
          {isRunning ? (
            <Button variant="primary" onClick={cancel}>
              <Ban size={14} /> Cancel
            </Button>
          ) : (
            <Button variant="primary" reason={nothing} title="Ctrl-Enter" onClick={runIt}>
              <CornerDownLeft size={14} /> Run
            </Button>
          )}
          <Button reason={nothing} onClick={() => setDialog("plan")}>
            <ListTree size={14} /> Explain
          </Button>
          <Button reason={nothing} onClick={() => setDialog("save")}>
            <Save size={14} /> Save
          </Button>
          <Button onClick={() => setDialog("library")}>
            <Library size={14} /> Queries
          </Button>
          <Button variant="quiet" reason={nothing} busy={startJob.isPending} onClick={toBackground}>
            <CloudCog size={14} /> In the background
          </Button>
          <Estimate
            plan={ask.query && !plan.isError ? plan.data : undefined}
            hint={missing && `The parameter ${missing.name} has no value yet`}
          />
        </div>
        <Progress active={isRunning} />
        {job && (
          <JobStrip
            id={job.id}
            name="The statement"
            onShow={() => {
              begin(job.ask, resultPathOf(job.id));
              setJob(undefined);
            }}
            onClose={() => setJob(undefined)}
          />
        )}
        {run.state === "failed" && run.error && (
          <div>
            <Fault error={run.error} query={run.ask?.query} onRetry={runIt} />
            {mayRunInBackground(run.error) && (
              <p className={styles.away}>
                <Button onClick={toBackground}>Run it in the background</Button>
              </p>
            )}
          </div>
        )}
        {run.state === "idle" && draft.trim() === "" && <SqlExamples onPick={take} />}
        {run.state === "idle" && draft.trim() !== "" && (
          <p className="faint">Ctrl-Enter runs the statement. Nothing was asked yet.</p>
        )}
        <SqlAnswer
          run={run}
          view={state.view}
          onView={(view) => setState({ ...state, view }, { replace: true })}
        />
      </div>
      <SavedLibrary
        language="sql"
        open={dialog === "library"}
        onClose={() => setDialog(undefined)}
        history={history.list}
        onPick={take}
      />
      <SaveQueryDialog
        language="sql"
        query={dialog === "save" ? ask.query : undefined}
        onClose={() => setDialog(undefined)}
      />
      <PlanDialog open={dialog === "plan"} onClose={() => setDialog(undefined)} ask={ask} />
    </div>
  );
}

/** usePaused is the statement as it was when its author last paused. */
function usePaused(ask: SqlAsk): SqlAsk {
  const [paused, setPaused] = useState(ask);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(ask), pauseMs);
    return () => clearTimeout(timer);
  }, [ask]);
  return useDeferredValue(paused);
}

/** diagnosticsOf finds the place in what the server says: "Line 1, column 8: ...". */
function diagnosticsOf(error: Error | null | undefined): EditorDiagnostic[] {
  const found = /Line (\d+), column (\d+): ([\s\S]*)/i.exec(error?.message ?? "");
  if (!found) return [];
  return [{ line: Number(found[1]), column: Number(found[2]), message: found[3] ?? "" }];
}

/** mayRunInBackground says whether a job may have what the statement was refused: time, or more to read. */
function mayRunInBackground(error: Error): boolean {
  return error instanceof ApiError && [422, 429, 503].includes(error.status);
}

function Estimate({ plan, hint }: { plan: SqlPlan | undefined; hint: string | undefined }) {
  const text = hint ?? (plan && `Reads at most ${formatCompact(plan.rows)} rows, ${formatBytes(plan.bytes)}`);
  return (
    <span className={styles.estimate} role="status">
      {text}
    </span>
  );
}

function PlanDialog({ open, onClose, ask }: { open: boolean; onClose: () => void; ask: SqlAsk }) {
  const plan = useSqlPlan(ask, open);
  return (
    <Dialog open={open} onClose={onClose} title="What the statement reads" width="wide">
      {plan.isError ? (
        <Fault error={plan.error} query={ask.query} onRetry={() => plan.refetch()} />
      ) : !plan.data ? (
        <Progress active />
      ) : (
        <Card title={`At most ${formatCompact(plan.data.rows)} rows, ${formatBytes(plan.data.bytes)}`}>
          <ul className={styles.tables}>
            {plan.data.tables.map(({ table, rows, bytes, parts }) => (
              <li key={table}>
                <code>{table}</code> {formatCompact(rows)} rows in {formatCompact(parts)} parts,{" "}
                {formatBytes(bytes)} in all columns
              </li>
            ))}
          </ul>
          <CodeBlock text={plan.data.plan} label="Plan" />
        </Card>
      )}
    </Dialog>
  );
}
