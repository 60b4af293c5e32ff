import { Search } from "lucide-react";
import { useState } from "react";
import { useMetricMetadata, useMetricNames } from "../data/metrics";
import { formatCount } from "../lib/format";
import { familyOf, starterQuery } from "../lib/metricquery";
import { useTime } from "../lib/time";
import styles from "./MetricBrowser.module.css";
import { Progress } from "./Progress";
import { Empty, Fault } from "./States";

// More than anybody reads; the search finds the rest.
const mostShown = 200;

/** MetricBrowser lists the metrics of the range, for those who do not know their names yet. */
export function MetricBrowser({ onPick }: { onPick: (query: string) => void }) {
  const { interval } = useTime();
  const [search, setSearch] = useState("");
  const names = useMetricNames(interval, true);
  const metadata = useMetricMetadata(true);
  if (names.isError) return <Fault error={names.error} onRetry={() => names.refetch()} />;
  if (names.isPending) return <Progress active />;
  if (names.data.length === 0) {
    return (
      <Empty title="No metrics here">
        <p>
          No sample arrived in this time range. Point Prometheus' remote write or an OpenTelemetry collector
          at Seamark.
        </p>
      </Empty>
    );
  }
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names.data.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  return (
    <section className={`card ${styles.browser}`}>
      <label className={styles.search}>
        <Search size={15} />
        <span className="hidden-visually">Find a metric</span>
        <input
          className="input"
          value={search}
          placeholder={`Find among ${formatCount(names.data.length)} metrics`}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <div className={styles.list}>
        {found.slice(0, mostShown).map((name) => {
          const about = familyOf(name, metadata.data ?? {});
          return (
            <button
              key={name}
              type="button"
              className={styles.metric}
              onClick={() => onPick(starterQuery(name, about?.type))}
            >
              <code>{name}</code>
              {about && <span className={styles.type}>{about.type}</span>}
              <span className={styles.help}>{about?.help}</span>
            </button>
          );
        })}
        {found.length === 0 && <p className={styles.none}>No metric has this in its name.</p>}
        {found.length > mostShown && (
          <p className={styles.none}>{formatCount(found.length - mostShown)} more; type to narrow.</p>
        )}
      </div>
    </section>
  );
}
