import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Chart } from "../components/Chart";
import { Drawer } from "../components/Dialog";
import type { LogListHandle } from "../components/logs/LogList";
import { Progress } from "../components/Progress";
import { Fault } from "../components/States";
import { useToast } from "../components/Toasts";
import type { ContextScope } from "../data/logcontext";
import { useLogMetric } from "../data/logs";
import { stepFor } from "../data/metrics";
import { needlesOf } from "../lib/highlight";
import type { LogLine } from "../lib/loglines";
import { addLineFilter, formOf, toLogQL, withLevels } from "../lib/logql";
import { type LogsState, logsCodec } from "../lib/logsstate";
import { useShortcuts } from "../lib/shortcuts";
import { useTime } from "../lib/time";
import { fixed } from "../lib/timerange";
import { useStored } from "../lib/usestored";
import { useUrlState } from "../lib/useurlstate";
import { useWidth } from "../lib/usewidth";
import styles from "./Logs.module.css";
import { ContextDrawer } from "./logs/ContextDrawer";
import { FieldsPanel } from "./logs/FieldsPanel";
import { LinesView } from "./logs/LinesView";
import { LogsQuery } from "./logs/LogsQuery";
import { NoLines } from "./logs/NoLines";
import { useLineActions } from "./logs/uselineactions";

const shownOrNot = ["shown", "hidden"] as const;

// Narrower than this, the fields come in a drawer instead of beside the lines.
const besidePx = 860;

// On phones the tools of a query stand below it.
const narrowPx = 600;

export function LogsPage() {
  const [state, setState] = useUrlState(logsCodec);
  const { interval, zone, refresh } = useTime();
  const [ref, width] = useWidth<HTMLDivElement>();
  const [fault, setFault] = useState<{ query: string; error: Error }>();
  const [busy, setBusy] = useState(false);

  const change = useCallback(
    (part: Partial<LogsState>) => {
      const after = { ...state, line: "", ...part };
      setState(after, { replace: after.query === state.query });
    },
    [state, setState],
  );
  const run = (query: string) => {
    setFault(undefined);
    change({ query });
    refresh();
  };
  const base = toLogQL(state.query);
  const onState = useCallback((error: Error | null, busyNow: boolean) => {
    setFault(error ? { query: "", error } : undefined);
    setBusy(busyNow);
  }, []);

  return (
    <div className="workspace" ref={ref}>
      <LogsQuery
        narrow={width < narrowPx}
        state={state}
        onChange={change}
        onRun={run}
        busy={busy}
        error={fault?.error ?? null}
      />
      {width > 0 &&
        (formOf(state.query) === "metric" ? (
          <Numbers query={base} width={width} onState={onState} />
        ) : (
          <Explorer
            state={state}
            base={base}
            width={width}
            dated={interval.toMs - interval.fromMs > 86_400_000}
            zone={zone}
            onChange={change}
            onState={onState}
          />
        ))}
    </div>
  );
}

interface ExplorerProps {
  state: LogsState;
  base: string;
  width: number;
  dated: boolean;
  zone: "local" | "utc";
  onChange: (change: Partial<LogsState>) => void;
  onState: (error: Error | null, busy: boolean) => void;
}

/** Explorer shows the lines of a query with their fields, histogram and patterns. */
function Explorer({ state, base, width, dated, zone, onChange, onState }: ExplorerProps) {
  const { interval } = useTime();
  const toast = useToast();
  const [kept, setKept] = useStored("seamark-log-fields", shownOrNot, "shown");
  const [drawer, setDrawer] = useState(false);
  const [context, setContext] = useState<LogLine>();
  const [scope, setScope] = useState<ContextScope>("stream");
  const list = useRef<LogListHandle>(null);
  const filter = useRef<HTMLInputElement>(null);
  const wantsFilter = useRef(false);
  const actions = useLineActions({ state, base, onChange, onContext: setContext });
  const beside = width >= besidePx;
  const query = withLevels(base, state.levels);
  const columns = state.columns.join(",");
  const look = useMemo(
    () => ({
      zone,
      dated,
      needles: needlesOf(state.query),
      columns: columns ? columns.split(",") : [],
    }),
    [zone, dated, state.query, columns],
  );

  const showFields = () => (beside ? setKept(kept === "shown" ? "hidden" : "shown") : setDrawer(!drawer));
  const shown = beside ? kept === "shown" : drawer;
  useEffect(() => {
    if (shown && wantsFilter.current) filter.current?.focus();
    wantsFilter.current = false;
  }, [shown]);
  useShortcuts({
    f: () => {
      wantsFilter.current = true;
      if (shown) filter.current?.focus();
      else showFields();
    },
    l: () => onChange({ live: !state.live, view: "lines" }),
    j: () => list.current?.move(1),
    k: () => list.current?.move(-1),
    // The shell's own, which must not end as the l above.
    "g l": () => undefined,
  });
  const onPattern = (op: "|>" | "!>", template: string) => {
    onChange({ query: addLineFilter(base, op, template), view: op === "|>" ? "lines" : "patterns" });
    toast({ text: op === "|>" ? "Only lines of the pattern" : "Lines of the pattern are left out" });
  };
  const fields = (
    <FieldsPanel query={base} interval={interval} columns={look.columns} actions={actions} filter={filter} />
  );
  return (
    <>
      <div className={styles.split}>
        {beside && shown && <aside className={`card ${styles.fields}`}>{fields}</aside>}
        <LinesView
          state={state}
          base={base}
          query={query}
          look={look}
          width={width}
          actions={actions}
          list={list}
          fieldsShown={shown}
          onFields={showFields}
          onChange={onChange}
          onPattern={onPattern}
          onState={onState}
        />
      </div>
      <Drawer open={!beside && drawer} onClose={() => setDrawer(false)} title="Fields">
        {fields}
      </Drawer>
      {context && (
        <ContextDrawer
          line={context}
          scope={scope}
          zone={zone}
          onScope={setScope}
          onClose={() => setContext(undefined)}
        />
      )}
    </>
  );
}

interface NumbersProps extends Pick<ExplorerProps, "width" | "onState"> {
  query: string;
}

/** Numbers draws a query that computes numbers. */
function Numbers({ query, width, onState }: NumbersProps) {
  const { interval, zone, setRange } = useTime();
  const result = useLogMetric(query, interval, stepFor(interval, width), true);
  const { error, isFetching } = result;
  useEffect(() => onState(error, isFetching), [error, isFetching, onState]);
  if (error) return <Fault error={error} query={query} onRetry={() => result.refetch()} />;
  return (
    <>
      <Progress active={isFetching} />
      {result.data?.series.length === 0 && <NoLines filtered />}
      {result.data && result.data.series.length > 0 && (
        <Chart matrix={result.data} zone={zone} onZoom={(from, to) => setRange(fixed(from, to))} />
      )}
    </>
  );
}
