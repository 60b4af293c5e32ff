import { WrapText } from "lucide-react";
import { lazy, Suspense, useCallback } from "react";
import { Histogram } from "../components/Histogram";
import { LevelFilter } from "../components/LevelFilter";
import { LogList } from "../components/LogList";
import type { OnFilter } from "../components/LogRow";
import { Progress } from "../components/Progress";
import { QueryBar } from "../components/QueryBar";
import { Empty, Fault } from "../components/States";
import { useLogCounts, useLogLines, useLogMetric } from "../data/logs";
import { stepFor } from "../data/metrics";
import { formatCount } from "../lib/format";
import { addLabelFilter, addMatcher, formOf, toLogQL, withLevels } from "../lib/logql";
import { useTime } from "../lib/time";
import { fixed } from "../lib/timerange";
import { logsCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import { useWidth } from "../lib/usewidth";
import styles from "./Logs.module.css";

// Only queries that compute numbers need the plot, and most do not.
const Graph = lazy(async () => ({ default: (await import("../components/Graph")).Graph }));

// A bar narrower than this many pixels is a line.
const barPx = 11;

export function LogsPage() {
  const [state, setState] = useUrlState(logsCodec);
  const time = useTime();
  const [ref, width] = useWidth<HTMLDivElement>();
  const { refresh } = time;

  const run = (query: string) => {
    setState({ ...state, query }, { replace: query === state.query });
    refresh();
  };

  const metric = formOf(state.query) === "metric";
  return (
    <div className="workspace" ref={ref}>
      <QueryBar
        language="LogQL"
        value={state.query}
        placeholder={'Words, or {namespace="shop"}'}
        busy={false}
        onRun={run}
      />
      {width > 0 && (metric ? <Numbers query={state.query} width={width} /> : <Lines width={width} />)}
    </div>
  );
}

function Lines({ width }: { width: number }) {
  const [state, setState] = useUrlState(logsCodec);
  const { interval, zone, setRange } = useTime();
  const base = toLogQL(state.query);
  const query = withLevels(base, state.levels);
  const lines = useLogLines(query, interval, true);
  const counts = useLogCounts(base, interval, Math.min(120, Math.floor(width / barPx)), true);
  const { fetchNextPage } = lines;
  const onMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);

  const onFilter: OnFilter = (kind, name, op, value) => {
    const next = kind === "label" ? addMatcher(base, name, op, value) : addLabelFilter(base, name, op, value);
    setState({ ...state, query: next });
  };
  const busy = lines.isFetching || counts.isFetching;
  const { error } = lines;

  return (
    <>
      <Progress active={busy} />
      {!error && (
        <section className={`card ${styles.counts}`} data-stale={counts.isPlaceholderData}>
          <div className={styles.bar}>
            <strong className="numbers">{counts.data ? formatCount(counts.data.total) : "–"} lines</strong>
            <LevelFilter
              counts={counts.data}
              chosen={state.levels}
              onChange={(levels) => setState({ ...state, levels })}
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
        aria-busy={lines.isPending}
      >
        {error ? (
          <Fault error={error} query={query} onRetry={() => lines.refetch()} />
        ) : lines.isPending ? (
          <Skeleton />
        ) : lines.data.length === 0 ? (
          <NoLines filtered={state.query !== "" || state.levels.length > 0} />
        ) : (
          <>
            <div className={styles.toolbar}>
              <span className="soft numbers">
                {formatCount(lines.data.length)} loaded{lines.hasNextPage ? ", older on scroll" : ""}
              </span>
              <span className={`faint ${styles.keys}`}>↑ ↓ move · Enter opens · c copies · / query</span>
              <button
                type="button"
                className="button quiet small"
                aria-pressed={state.wrapped}
                onClick={() => setState({ ...state, wrapped: !state.wrapped }, { replace: true })}
              >
                <WrapText size={14} /> Wrap
              </button>
            </div>
            <LogList
              lines={lines.data}
              query={state.query}
              zone={zone}
              wrapped={state.wrapped}
              hasMore={lines.hasNextPage}
              loadingMore={lines.isFetchingNextPage}
              onMore={onMore}
              onFilter={onFilter}
            />
          </>
        )}
      </section>
    </>
  );
}

function Numbers({ query, width }: { query: string; width: number }) {
  const { interval, zone, setRange } = useTime();
  const stepSeconds = stepFor(interval, width);
  const result = useLogMetric(query, interval, stepSeconds, true);
  if (result.isError) return <Fault error={result.error} query={query} onRetry={() => result.refetch()} />;
  return (
    <>
      <Progress active={result.isFetching} />
      {result.data?.series.length === 0 && <NoLines filtered />}
      {result.data && result.data.series.length > 0 && (
        <Suspense fallback={<Progress active />}>
          <Graph matrix={result.data} zone={zone} onZoom={(from, to) => setRange(fixed(from, to))} />
        </Suspense>
      )}
    </>
  );
}

function NoLines({ filtered }: { filtered: boolean }) {
  const { setRange } = useTime();
  const [, setState] = useUrlState(logsCodec);
  return (
    <Empty title="No lines here">
      <p>
        {filtered
          ? "Nothing in this time range matches the query."
          : "No log line arrived in this time range."}
      </p>
      <div className={styles.ways}>
        <button type="button" className="button" onClick={() => setRange({ kind: "last", seconds: 86_400 })}>
          Look at the last 24 h
        </button>
        {filtered && (
          <button
            type="button"
            className="button"
            onClick={() => setState({ query: "", levels: [], wrapped: false })}
          >
            Show all lines
          </button>
        )}
      </div>
    </Empty>
  );
}

function Skeleton() {
  return (
    <div className={styles.skeleton} aria-hidden="true">
      {Array.from({ length: 12 }, (_, i) => `${40 + ((i * 37) % 55)}%`).map((width, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows never change.
        <i key={i} style={{ width }} />
      ))}
    </div>
  );
}
