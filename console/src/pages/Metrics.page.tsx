import { Graph } from "../components/Graph";
import { MetricBrowser } from "../components/MetricBrowser";
import { Progress } from "../components/Progress";
import { QueryBar } from "../components/QueryBar";
import { Empty, Fault } from "../components/States";
import { stepFor, useMetricRange } from "../data/metrics";
import { formatDuration } from "../lib/duration";
import { useTime } from "../lib/time";
import { fixed } from "../lib/timerange";
import { metricsCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import { useWidth } from "../lib/usewidth";
import styles from "./Metrics.module.css";

export function MetricsPage() {
  const [{ q }, setState] = useUrlState(metricsCodec);
  const { refresh } = useTime();
  const [ref, width] = useWidth<HTMLDivElement>();
  const run = (query: string) => {
    setState({ q: query }, { replace: query === q });
    refresh();
  };
  return (
    <div className={styles.metrics} ref={ref}>
      <QueryBar language="PromQL" value={q} placeholder="sum by (namespace) (up)" busy={false} onRun={run} />
      {q === "" ? <MetricBrowser onPick={run} /> : width > 0 && <Result query={q} width={width} />}
    </div>
  );
}

function Result({ query, width }: { query: string; width: number }) {
  const { interval, zone, setRange } = useTime();
  const stepSeconds = stepFor(interval, width);
  const result = useMetricRange(query, interval, stepSeconds);
  if (result.isError) return <Fault error={result.error} query={query} onRetry={() => result.refetch()} />;
  if (result.isPending) return <Progress active />;
  const { matrix, notes } = result.data;
  return (
    <div className={styles.result} data-stale={result.isPlaceholderData}>
      <Progress active={result.isFetching} />
      {notes.map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      {matrix.series.length === 0 ? (
        <Empty title="No series here">
          <p>The query runs, but nothing matches it in this time range.</p>
        </Empty>
      ) : (
        <>
          <Graph matrix={matrix} zone={zone} onZoom={(from, to) => setRange(fixed(from, to))} />
          <p className="faint">One point per {formatDuration(stepSeconds)}. Drag over the graph to zoom.</p>
        </>
      )}
    </div>
  );
}
