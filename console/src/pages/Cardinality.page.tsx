import { Lightbulb } from "lucide-react";
import { Link, useLocation } from "react-router";
import { Badge } from "../components/Badge";
import { Card, Stat, Stats } from "../components/Card";
import { type Column, DataTable } from "../components/DataTable";
import { Figure } from "../components/Figure";
import { Select } from "../components/Inputs";
import { PageHead } from "../components/PageHead";
import { Skeleton } from "../components/Skeleton";
import { Empty, Fault } from "../components/States";
import { Tabs } from "../components/Tabs";
import {
  type CardinalityAsk,
  type CardinalityItem,
  type CardinalityOrder,
  useCardinality,
  useTsdbStatus,
} from "../data/cardinality";
import { adviceOn } from "../lib/cardinalityadvice";
import { formatCompact, formatCount } from "../lib/format";
import { sharedParams, textCodec } from "../lib/urlstate";
import { useUrlState } from "../lib/useurlstate";
import styles from "./Cardinality.module.css";

const codec = textCodec(["period", "order"]);

const tabs = [
  { id: "metrics", label: "Metrics" },
  { id: "labels", label: "Labels" },
  { id: "values", label: "Values" },
  { id: "clusters", label: "Clusters" },
] as const;

const asked: Readonly<Record<string, Pick<CardinalityAsk, "by" | "label">>> = {
  metrics: { by: "metric" },
  labels: { by: "label" },
  values: { by: "pair" },
  clusters: { by: "value", label: "cluster" },
};

const orders: readonly { value: CardinalityOrder; label: string }[] = [
  { value: "series", label: "Most series" },
  { value: "growth", label: "Most growth" },
  { value: "churn", label: "Most churn" },
];

const periods = [
  { value: "1d", label: "Today" },
  { value: "7d", label: "7 days" },
  { value: "15d", label: "15 days" },
];

/** CardinalityPage shows where the tenant's series come from, and what to do where there are too many. */
export function CardinalityPage() {
  const [state, setState] = useUrlState(codec);
  const period = periods.find(({ value }) => value === state.period)?.value ?? "1d";
  const order = orders.find(({ value }) => value === state.order)?.value ?? "series";
  return (
    <div className="page">
      <PageHead
        title="Cardinality"
        back={{ to: "/metrics", label: "Metrics" }}
        subtitle="Where the series of your metrics come from, compared with as many days before."
        actions={
          <>
            <Select
              aria-label="Period"
              value={period}
              options={periods}
              onChange={(next) => setState({ ...state, period: next === "1d" ? "" : next })}
            />
            <Select
              aria-label="Order"
              value={order}
              options={orders}
              onChange={(next) => setState({ ...state, order: next === "series" ? "" : next })}
            />
          </>
        }
      />
      <div className={styles.parts}>
        <Overview period={period} />
        <Tabs label="Series by" tabs={tabs} param="by">
          {(id) => <Top id={id} ask={{ match: "", order, period, limit: 100, by: "metric", ...asked[id] }} />}
        </Tabs>
      </div>
    </div>
  );
}

function Overview({ period }: { period: string }) {
  const all = useCardinality({ match: "", by: "label", order: "values", period, limit: 10 });
  const status = useTsdbStatus();
  if (all.isError) return null; // The table below says the same fault, with a way to try again.
  const total = all.data?.total;
  const advice = all.data ? adviceOn(all.data) : [];
  const memory = status.data?.memoryInBytesByLabelName.reduce((sum, { value }) => sum + value, 0);
  return (
    <>
      <Stats>
        <Stat
          label="Series"
          value={total && <Figure value={total.series} />}
          delta={total && growthText(total.growth, total.growth_ratio)}
        />
        <Stat label="New" value={total && <Figure value={total.new} />} />
        <Stat label="Gone" value={total && <Figure value={total.gone} />} />
        <Stat
          label="Pairs of labels and values"
          value={status.data && <Figure value={status.data.headStats.numLabelPairs} />}
        />
        <Stat
          label="Text of the ten largest labels"
          value={memory === undefined ? undefined : <Figure value={memory} unit="bytes" />}
        />
      </Stats>
      {advice.length > 0 && (
        <Card title="What helps">
          <ul className={styles.advice}>
            {advice.map((text) => (
              <li key={text}>
                <Lightbulb size={14} aria-hidden="true" /> {text}
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  );
}

function growthText(growth: number, ratio: number | null): string {
  if (growth === 0 || ratio === null) return "";
  return `${growth > 0 ? "+" : "−"}${formatCompact(Math.abs(Math.round(ratio * 100)))} %`;
}

function Top({ id, ask }: { id: string; ask: CardinalityAsk }) {
  const { search } = useLocation();
  const counts = useCardinality(ask);
  if (counts.isError) return <Fault error={counts.error} onRetry={() => counts.refetch()} />;
  if (counts.isPending) return <Skeleton rows={8} />;
  if (counts.data.items.length === 0) {
    return (
      <Empty title="No series in this period">
        <p>Nothing was counted. Choose a longer period, or send metrics first.</p>
        <Link className="button" to="/clusters">
          To the clusters
        </Link>
      </Empty>
    );
  }
  const linkOf = (item: CardinalityItem) => {
    const params = sharedParams(new URLSearchParams(search));
    params.set("q", queryOf(id, item));
    params.set("view", "table");
    params.set("at", "end");
    return `/metrics?${params}`;
  };
  const top = counts.data.items[0]?.series ?? 1;
  const columns: Column<CardinalityItem>[] = [
    {
      key: "name",
      head:
        { metrics: "Metric", labels: "Label", values: "Label and value", clusters: "Cluster" }[id] ?? "Name",
      cell: (item) => (
        <Link to={linkOf(item)}>
          <code>{nameOf(id, item)}</code>
        </Link>
      ),
      sort: (item) => nameOf(id, item),
      grow: true,
    },
    ...(id === "labels"
      ? [
          {
            key: "values",
            head: "Values",
            cell: ({ values = 0 }: CardinalityItem) => formatCount(values),
            sort: ({ values = 0 }: CardinalityItem) => values,
            downFirst: true,
            numeric: true,
          },
        ]
      : []),
    {
      key: "series",
      head: "Series",
      cell: ({ series }) => (
        <span className={styles.bar}>
          <i style={{ width: `${Math.min(100, (series / Math.max(1, top)) * 100)}%` }} />
          {formatCount(series)}
        </span>
      ),
      sort: ({ series }) => series,
      downFirst: true,
      numeric: true,
    },
    {
      key: "growth",
      head: "Growth",
      cell: ({ growth, growth_ratio: ratio }) =>
        ratio === null ? (
          <Badge tone="accent">new</Badge>
        ) : (
          `${growth > 0 ? "+" : growth < 0 ? "−" : ""}${formatCount(Math.abs(growth))}`
        ),
      sort: ({ growth }) => growth,
      downFirst: true,
      numeric: true,
    },
    {
      key: "churn",
      head: "Came and went",
      cell: ({ churn }) => formatCount(churn),
      sort: ({ churn }) => churn,
      downFirst: true,
      numeric: true,
      wideOnly: true,
    },
  ];
  return (
    <section className="card">
      <DataTable
        label="Series"
        rows={counts.data.items}
        columns={columns}
        rowKey={({ name, value = "" }) => JSON.stringify([name, value])}
        maxHeight="70vh"
      />
      {counts.data.entries > counts.data.items.length && (
        <p className={styles.more}>
          The first {counts.data.items.length} of {formatCount(counts.data.entries)}.
        </p>
      )}
    </section>
  );
}

function nameOf(id: string, { name, value }: CardinalityItem): string {
  if (id === "clusters") return value || "no cluster";
  return value === undefined ? name : `${name}="${value}"`;
}

/** queryOf counts the series of an entry by what tells them apart. */
function queryOf(id: string, { name, value = "" }: CardinalityItem): string {
  if (id === "metrics") return name;
  if (id === "labels") return `topk(50, count by (${name}) ({${name}!=""}))`;
  return `topk(50, count by (__name__) ({${name}=${JSON.stringify(value)}}))`;
}
