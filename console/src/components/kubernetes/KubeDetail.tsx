import { Link, useLocation, useParams } from "react-router";
import { useEvents } from "../../data/events";
import { useKubeRows, useKubeSeries } from "../../data/kubernetes";
import { stepFor } from "../../data/metrics";
import { formatValue } from "../../lib/format";
import { type Advice, adviseCPU, adviseMemory } from "../../lib/kubernetes";
import { type KubeObject, matchersOf } from "../../lib/kubernetesqueries";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { formatBytes, type Unit } from "../../lib/units";
import { sharedParams } from "../../lib/urlstate";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { Chart } from "../Chart";
import { LinesBody } from "../dashboards/PanelBody";
import { PageHead } from "../PageHead";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./KubeDetail.module.css";

const tabs: Readonly<Record<string, string>> = { Node: "nodes", Pod: "pods" };

/** KubeDetail is the page of one node, workload or pod. */
export function KubeDetail({ kind }: { kind?: string }) {
  const params = useParams();
  const { search } = useLocation();
  const { interval } = useTime();
  const object: KubeObject = {
    cluster: params.cluster ?? "",
    namespace: params.namespace ?? "",
    kind: kind ?? params.kind ?? "",
    name: params.name ?? "",
  };
  const m = matchersOf(object);
  const tab = tabs[object.kind] ?? "workloads";
  const kept = sharedParams(new URLSearchParams(search));
  const to = (pathname: string, more: Record<string, string>) => {
    const next = new URLSearchParams(kept);
    for (const [name, value] of Object.entries(more)) if (value) next.set(name, value);
    return { pathname, search: next.toString() };
  };
  const isNode = object.kind === "Node";
  const selector = `{${m}}`;
  const about = {
    cluster: object.cluster,
    namespace: object.namespace,
    type: "Warning",
    object: isNode || object.kind === "Pod" ? object.name : "",
  };
  return (
    <div className="page">
      <PageHead
        title={object.name}
        back={{ to: `/kubernetes?tab=${tab}`, label: "Kubernetes" }}
        subtitle={[object.kind, object.namespace, object.cluster].filter(Boolean).join(" · ")}
        actions={
          <>
            <Link className="button" to={to("/logs", { q: selector })}>
              Logs
            </Link>
            <Link className="button" to={to("/events", { ...about, type: "" })}>
              Events
            </Link>
            <Link className="button" to={to("/alerts", {})}>
              Alerts
            </Link>
          </>
        }
      />
      <div className={styles.charts}>
        <Usage
          title="CPU against requests and limits"
          query={usage(
            `sum(rate(container_cpu_usage_seconds_total{${m},container!=""}[5m]))`,
            m,
            "cpu",
            isNode,
          )}
          unit=""
        />
        <Usage
          title="Memory against requests and limits"
          query={usage(`sum(container_memory_working_set_bytes{${m},container!=""})`, m, "memory", isNode)}
          unit="bytes"
        />
      </div>
      {!isNode && <Sizing matchers={m} />}
      <Card title="Warning events" actions={<Link to={to("/events", about)}>All events</Link>}>
        <Warnings about={about} prefix={object.name} />
      </Card>
      <Card title="Recent lines" actions={<Link to={to("/logs", { q: selector })}>Open in Logs</Link>}>
        <div className={styles.lines}>
          <LinesBody query={selector} interval={interval} enabled />
        </div>
      </Card>
    </div>
  );
}

/** usage puts what is used, asked for and allowed into one answer, told apart by the label "what". */
function usage(used: string, matchers: string, resource: string, isNode: boolean): string {
  const named = (query: string, what: string) => `label_replace(${query}, "what", "${what}", "", "")`;
  const state = `{${matchers},resource="${resource}"}`;
  const limit = isNode
    ? `sum(kube_node_status_allocatable${state})`
    : `sum(kube_pod_container_resource_limits${state})`;
  return [
    named(used, "used"),
    named(`sum(kube_pod_container_resource_requests${state})`, "requested"),
    named(limit, isNode ? "allocatable" : "limit"),
  ].join(" or ");
}

function Usage({ title, query, unit }: { title: string; query: string; unit: Unit }) {
  const { interval, zone, setRange } = useTime();
  const series = useKubeSeries(query, interval, stepFor(interval, 520));
  return (
    <Card title={title}>
      {series.error && !series.data ? (
        <Fault error={series.error} onRetry={() => series.refetch()} />
      ) : !series.data ? (
        <Skeleton height={220} />
      ) : series.data.series.length === 0 ? (
        <p className="faint">No data in this range</p>
      ) : (
        <Chart
          matrix={series.data}
          zone={zone}
          height={180}
          unit={unit}
          framed={false}
          syncKey="kubernetes"
          onZoom={(from, to) => setRange(fixed(from, to))}
        />
      )}
    </Card>
  );
}

/** Sizing says what containers should ask for, from what they used in the range. */
function Sizing({ matchers: m }: { matchers: string }) {
  const { interval } = useTime();
  const minutes = Math.max(10, Math.round((interval.toMs - interval.fromMs) / 60_000));
  const of = (metric: string, resource: string) =>
    `max by (container) (${metric}{${m},resource="${resource}"})`;
  const rows = useKubeRows(
    ["container"],
    {
      memory: {
        query: `max by (container) (max_over_time(container_memory_working_set_bytes{${m},container!=""}[${minutes}m]))`,
      },
      cpu: {
        query: `max by (container) (quantile_over_time(0.9, rate(container_cpu_usage_seconds_total{${m},container!=""}[5m])[${minutes}m:1m]))`,
      },
      cpuAsked: { query: of("kube_pod_container_resource_requests", "cpu") },
      memoryAsked: { query: of("kube_pod_container_resource_requests", "memory") },
    },
    interval,
  );
  if (!rows.data || rows.data.length === 0) return null;
  return (
    <Card title="Right-sizing" note={`from the last ${minutes} min; choose a longer range for surer advice`}>
      <ul className={styles.advice}>
        {rows.data.map(({ key, values }) => (
          <li key={key}>
            <b>{key}</b>
            <Line
              what="CPU"
              advice={adviseCPU(values.cpu ?? 0, values.cpuAsked)}
              asked={values.cpuAsked}
              format={(n) => `${formatValue(n)} cores`}
            />
            <Line
              what="Memory"
              advice={adviseMemory(values.memory ?? 0, values.memoryAsked)}
              asked={values.memoryAsked}
              format={formatBytes}
            />
          </li>
        ))}
      </ul>
    </Card>
  );
}

const toneOf = { fits: "good", "too much": "warn", "too little": "bad", unset: "warn" } as const;

interface LineProps {
  what: string;
  advice: Advice;
  asked: number | undefined;
  format: (value: number) => string;
}

function Line({ what, advice, asked, format }: LineProps) {
  return (
    <span>
      {what} <Badge tone={toneOf[advice.verdict]}>{advice.verdict}</Badge>{" "}
      <span className="soft">
        asks for {asked === undefined ? "nothing" : format(asked)}; advice: {format(advice.request)}
        {advice.limit !== undefined && `, limit ${format(advice.limit)}`}
      </span>
    </span>
  );
}

/** onlyOf leaves out what is not known of the object. */
function onlyOf(about: WarningsProps["about"]): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(about).flatMap(([name, value]) => (value ? [[name, [value]]] : [])),
  );
}

interface WarningsProps {
  about: { cluster: string; namespace: string; type: string; object: string };
  prefix: string;
}

function Warnings({ about, prefix }: WarningsProps) {
  const { interval } = useTime();
  const events = useEvents({ q: "", only: onlyOf(about), not: {} }, interval);
  if (events.error && !events.data) return <Fault error={events.error} onRetry={() => events.refetch()} />;
  if (!events.data) return <Skeleton rows={3} />;
  const found = events.data.filter(({ object }) => object.startsWith(prefix)).slice(0, 20);
  if (found.length === 0) return <p className="faint">None in this range</p>;
  return (
    <ul className={styles.advice}>
      {found.map((event) => (
        <li key={`${event.object} ${event.reason} ${event.last}`}>
          <b>{event.reason}</b>
          <span className="soft">
            {event.object}: {event.message}
          </span>
        </li>
      ))}
    </ul>
  );
}
