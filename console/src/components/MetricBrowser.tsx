import { ArrowLeft, CornerDownLeft, Search } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { useCardinality } from "../data/cardinality";
import { useMetricMetadata, useMetricNames } from "../data/metrics";
import { formatCount } from "../lib/format";
import { familyOf, type Matcher, selectorOf, starterQuery } from "../lib/metricquery";
import { useTime } from "../lib/time";
import { Button } from "./Button";
import styles from "./MetricBrowser.module.css";
import { Progress } from "./Progress";
import { Skeleton } from "./Skeleton";
import { Empty, Fault } from "./States";

// More than anybody reads; the search finds the rest.
const mostShown = 200;

/** MetricBrowser finds metrics by name and help, and narrows one by its labels. */
export function MetricBrowser({ onPick }: { onPick: (query: string) => void }) {
  const { interval } = useTime();
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState<string>();
  const wanted = useDeferredValue(search);
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
  const aboutOf = (name: string) => familyOf(name, metadata.data ?? {});
  if (chosen) {
    return (
      <Narrow
        name={chosen}
        type={aboutOf(chosen)?.type}
        help={aboutOf(chosen)?.help}
        onBack={() => setChosen(undefined)}
        onPick={onPick}
      />
    );
  }
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const found = names.data.filter((name) => {
    const hay = `${name} ${aboutOf(name)?.help ?? ""}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  });
  return (
    <section className={`card ${styles.browser}`} aria-label="Metrics">
      <label className={styles.search}>
        <Search size={15} />
        <span className="hidden-visually">Find a metric</span>
        <input
          className="input"
          value={search}
          placeholder={`Find among ${formatCount(names.data.length)} metrics, by name or meaning`}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <div className={styles.list}>
        {found.slice(0, mostShown).map((name) => {
          const about = aboutOf(name);
          return (
            <div key={name} className={styles.line}>
              <button
                type="button"
                className={styles.metric}
                onClick={() => onPick(starterQuery(name, about?.type))}
              >
                <code>{name}</code>
                <span className={styles.type}>{about?.type}</span>
                <span className={styles.help}>{about?.help}</span>
              </button>
              <Button variant="quiet" small aria-label={`Labels of ${name}`} onClick={() => setChosen(name)}>
                Labels
              </Button>
            </div>
          );
        })}
        {found.length === 0 && <p className={styles.none}>No metric has this in its name or meaning.</p>}
        {found.length > mostShown && (
          <p className={styles.none}>{formatCount(found.length - mostShown)} more; type to narrow.</p>
        )}
      </div>
    </section>
  );
}

interface NarrowProps {
  name: string;
  type: string | undefined;
  help: string | undefined;
  onBack: () => void;
  onPick: (query: string) => void;
}

/** Narrow chooses values of a metric's labels, each with how many series have it. */
function Narrow({ name, type, help, onBack, onPick }: NarrowProps) {
  const [label, setLabel] = useState<string>();
  const [matchers, setMatchers] = useState<readonly Matcher[]>([]);
  const selector = selectorOf(name, matchers);
  const ask = { match: name, order: "series", period: "1d" } as const;
  const labels = useCardinality({ ...ask, by: "label", limit: 100 });
  const all = useCardinality({ ...ask, match: selector, by: "metric", limit: 1 });
  const shown = (labels.data?.items ?? []).filter((one) => one.name !== "__name__");
  const current = label ?? shown[0]?.name;
  const toggle = (value: string) => {
    if (!current) return;
    const before = matchers.find((one) => one.label === current)?.values ?? [];
    const values = before.includes(value) ? before.filter((one) => one !== value) : [...before, value];
    setMatchers([...matchers.filter((one) => one.label !== current), { label: current, values }]);
  };
  return (
    <section className={`card ${styles.browser}`} aria-label={`Labels of ${name}`}>
      <header className={styles.head}>
        <Button variant="quiet" small icon aria-label="Back to all metrics" onClick={onBack}>
          <ArrowLeft size={15} />
        </Button>
        <code>{selector}</code>
        <span className="faint">
          {all.data && `${formatCount(all.data.total.series)} series`} {help && `· ${help}`}
        </span>
        <Button small variant="primary" onClick={() => onPick(starterQuery(name, type, selector))}>
          <CornerDownLeft size={13} /> Use it
        </Button>
      </header>
      {labels.isError && <Fault error={labels.error} onRetry={() => labels.refetch()} />}
      {labels.isPending && <Skeleton rows={4} />}
      {labels.isSuccess && (
        <div className={styles.columns}>
          <div className={styles.choices}>
            {shown.map((one) => (
              <button
                key={one.name}
                type="button"
                className="menu-item"
                aria-pressed={one.name === current}
                onClick={() => setLabel(one.name)}
              >
                <code>{one.name}</code>
                <small>{formatCount(one.values ?? 0)}</small>
              </button>
            ))}
          </div>
          {current && (
            <Values
              name={name}
              label={current}
              chosen={matchers.find((one) => one.label === current)?.values ?? []}
              onToggle={toggle}
            />
          )}
        </div>
      )}
    </section>
  );
}

interface ValuesProps {
  name: string;
  label: string;
  chosen: readonly string[];
  onToggle: (value: string) => void;
}

function Values({ name, label, chosen, onToggle }: ValuesProps) {
  const ask = { match: name, by: "value", label, order: "series", period: "1d", limit: mostShown } as const;
  const values = useCardinality(ask);
  if (values.isError) return <Fault error={values.error} onRetry={() => values.refetch()} />;
  if (values.isPending) return <Skeleton rows={4} />;
  const { items, entries } = values.data;
  return (
    <fieldset className={styles.choices} aria-label={`Values of ${label}`}>
      {items.map(({ value = "", series }) => (
        <label key={value} className="menu-item">
          <input type="checkbox" checked={chosen.includes(value)} onChange={() => onToggle(value)} />
          <code>{value || '""'}</code>
          <small>{formatCount(series)}</small>
        </label>
      ))}
      {entries > items.length && (
        <p className={styles.none}>{formatCount(entries - items.length)} more; write them in the query.</p>
      )}
    </fieldset>
  );
}
