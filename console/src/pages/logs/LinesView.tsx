import { type RefObject, useCallback, useEffect } from "react";
import { Button } from "../../components/Button";
import type { LineActions } from "../../components/logs/actions";
import { Histogram } from "../../components/logs/Histogram";
import { LevelFilter } from "../../components/logs/LevelFilter";
import { LogList, type LogListHandle } from "../../components/logs/LogList";
import type { RowLook } from "../../components/logs/LogRow";
import { type ExportFormat, ViewBar } from "../../components/logs/ViewBar";
import { Progress } from "../../components/Progress";
import { Skeleton } from "../../components/Skeleton";
import { Empty } from "../../components/States";
import { exportLogs } from "../../data/logexport";
import { mostLines, useLogCounts, useLogLines } from "../../data/logs";
import { formatCompact, formatCount } from "../../lib/format";
import type { LogsState } from "../../lib/logsstate";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { formatBytes, formatSeconds } from "../../lib/units";
import styles from "../Logs.module.css";
import { LiveView } from "./LiveView";
import { NoLines } from "./NoLines";
import { PatternsPanel } from "./PatternsPanel";
import { Refused } from "./Refused";

interface LinesViewProps {
  state: LogsState;
  base: string;
  /** The base narrowed to the chosen levels. */
  query: string;
  look: RowLook;
  width: number;
  actions: LineActions;
  list: RefObject<LogListHandle | null>;
  fieldsShown: boolean;
  onFields: () => void;
  onChange: (change: Partial<LogsState>) => void;
  onPattern: (op: "|>" | "!>", template: string) => void;
  onState: (error: Error | null, busy: boolean) => void;
}

// A bar narrower than this many pixels is a line.
const barPx = 11;

// So often the histogram follows while lines come in.
const liveMs = 10_000;

/** LinesView is the histogram above the lines, their patterns, or the lines as they arrive. */
export function LinesView(props: LinesViewProps) {
  const { state, base, query, look, width, actions, list, onChange, onPattern, onState } = props;
  const { interval, zone, setRange, refresh } = useTime();
  const asked = { query, interval, direction: state.oldestFirst ? "forward" : "backward" } as const;
  const wanted = state.view === "lines" && !state.live;
  const lines = useLogLines(asked, wanted);
  const counts = useLogCounts(base, interval, Math.min(120, Math.floor(width / barPx)), true);
  const { fetchNextPage, data } = lines;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  // A page that failed leaves those before it: its fault stands at the end of the list.
  const error = data && !lines.isPlaceholderData ? null : lines.error;
  useEffect(() => onState(error, lines.isFetching), [error, lines.isFetching, onState]);
  useEffect(() => {
    if (!state.live) return;
    const timer = setInterval(refresh, liveMs);
    return () => clearInterval(timer);
  }, [state.live, refresh]);
  const filtered = state.query !== "" || state.levels.length > 0;
  const cancelled = wanted && lines.isPending && lines.fetchStatus === "idle";
  const full = data?.more && data.lines.length >= mostLines ? data.lines.length : undefined;
  const onExport = (format: ExportFormat) =>
    exportLogs({ query, interval, oldestFirst: state.oldestFirst, format });

  return (
    <div className={styles.main}>
      <Progress active={lines.isFetching || counts.isFetching} />
      {!error && (
        <section className={`card ${styles.counts}`} data-stale={counts.isPlaceholderData}>
          <div className={styles.bar}>
            <strong className="numbers">{counts.data ? formatCount(counts.data.total) : "–"} lines</strong>
            <LevelFilter
              counts={counts.data}
              chosen={state.levels}
              onChange={(levels) => onChange({ levels })}
            />
          </div>
          {counts.isError ? (
            <p className={`soft ${styles.blank}`}>The counts did not load: {counts.error.message}</p>
          ) : counts.data ? (
            <Histogram counts={counts.data} zone={zone} onZoom={(from, to) => setRange(fixed(from, to))} />
          ) : (
            <div className={styles.blank} />
          )}
        </section>
      )}
      <section
        className={`card ${styles.lines}`}
        data-stale={lines.isPlaceholderData}
        aria-busy={wanted && lines.isPending && !cancelled}
      >
        <ViewBar
          state={state}
          onChange={onChange}
          fieldsShown={props.fieldsShown}
          onFields={props.onFields}
          onExport={onExport}
          onCancel={lines.isFetching ? lines.cancel : undefined}
        >
          {wanted && data && !error && (
            <span
              title={`${formatBytes(data.bytes)} and ${formatCount(data.rows)} rows read, the last page in ${formatSeconds(data.seconds)}`}
            >
              {formatCount(data.lines.length)} loaded
              <span className={styles.cost}>
                {lines.hasNextPage && `, ${state.oldestFirst ? "newer" : "older"} on scroll`} ·{" "}
                {formatBytes(data.bytes)} · {formatCompact(data.rows)} rows · {formatSeconds(data.seconds)}
              </span>
            </span>
          )}
        </ViewBar>
        {state.view === "patterns" ? (
          <PatternsPanel query={base} interval={interval} onPattern={onPattern} />
        ) : state.live ? (
          <LiveView
            query={query}
            look={look}
            wrapped={state.wrapped}
            oldestFirst={state.oldestFirst}
            actions={actions}
            handle={list}
            onEnd={() => onChange({ live: false })}
          />
        ) : error ? (
          <Refused error={error} asked={asked} onRetry={() => lines.refetch()} />
        ) : cancelled ? (
          <Empty title="Cancelled">
            <p>The query was ended before it was answered.</p>
            <Button onClick={() => lines.refetch()}>Run again</Button>
          </Empty>
        ) : !data ? (
          <Skeleton rows={14} />
        ) : data.lines.length === 0 ? (
          <NoLines filtered={filtered} />
        ) : (
          <LogList
            lines={data.lines}
            look={look}
            wrapped={state.wrapped}
            oldestFirst={state.oldestFirst}
            linked={state.line}
            hasMore={lines.hasNextPage}
            loadingMore={lines.isFetchingNextPage}
            onMore={onMore}
            full={full}
            fault={lines.error}
            actions={actions}
            handle={list}
          />
        )}
      </section>
    </div>
  );
}
