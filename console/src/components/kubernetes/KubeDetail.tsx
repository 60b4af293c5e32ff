import { Fragment, type ReactNode } from "react";
import { Link, useLocation, useParams } from "react-router";
import { useEvents } from "../../data/events";
import { useKubeRows, useKubeSeries } from "../../data/kubernetes";
import { stepFor } from "../../data/metrics";
import { type Advice, adviseCPU, adviseMemory } from "../../lib/kubernetes";
import { type KubeObject, listOf, matchersOf } from "../../lib/kubernetesqueries";
import { useTime } from "../../lib/time";
import { fixed } from "../../lib/timerange";
import { formatBytes, formatCores, type Unit } from "../../lib/units";
import { sharedParams } from "../../lib/urlstate";
import { Ago } from "../Ago";
import { Badge } from "../Badge";
import { Card } from "../Card";
import { Chart } from "../Chart";
import { LinesBody } from "../dashboards/PanelBody";
import { PageHead } from "../PageHead";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import styles from "./KubeDetail.module.css";
import { KubeFacts, KubeParts } from "./KubeFacts";

/** Where an object stands among the built-in dashboards. */
const dashboards: Readonly<Record<string, string>> = {
  Cluster: "cluster",
  Node: "nodes",
  Namespace: "namespaces",
  Pod: "pods",
};

/** KubeDetail is the page of one cluster, node, namespace, workload or pod. */
export function KubeDetail({ kind }: { kind?: string }) {
  const params = useParams();
  const { interval } = useTime();
  const to = useLinks();
  const cluster = params.cluster ?? "";
  const namespace = params.namespace ?? "";
  const of = kind ?? params.kind ?? "";
  const object: KubeObject = { cluster, namespace, kind: of, name: params.name ?? (namespace || cluster) };
  const m = matchersOf(object);
  const selector = `{${m}}`;
  const isLarge = of === "Cluster" || of === "Namespace";
  const about = {
    cluster,
    namespace,
    type: "Warning",
    object: of === "Node" || of === "Pod" ? object.name : "",
  };
  const hasRoom = of === "Node" || of === "Cluster";
  return (
    <div className="page">
      <PageHead
        title={object.name}
        back={{ to: `/kubernetes?tab=${listOf(object).list.id}`, label: "Kubernetes" }}
        subtitle={subtitleOf(object)}
        actions={
          <>
            <Link className="button" to={to("/logs", { q: selector })}>
              Logs
            </Link>
            <Link className="button" to={to("/events", { ...about, type: "" })}>
              Events
            </Link>
            <Link className="button" to={to("/alerts", { q: alertsOf(object) })}>
              Alerts
            </Link>
            <Link
              className="button"
              to={to(`/dashboards/${dashboards[of] ?? "workloads"}`, {
                "var-cluster": cluster,
                "var-namespace": namespace,
                "var-node": of === "Node" ? object.name : "",
                "var-pod": of === "Pod" ? object.name : "",
              })}
            >
              Dashboard
            </Link>
          </>
        }
      />
      <div className={styles.parts}>
        <KubeFacts object={object} />
        <div className={styles.charts}>
          <Usage
            title={`CPU against requests and ${hasRoom ? "room" : "limits"}`}
            query={usage(
              `sum(rate(container_cpu_usage_seconds_total{${m},container!=""}[5m]))`,
              m,
              "cpu",
              hasRoom,
            )}
            unit=""
          />
          <Usage
            title={`Memory against requests and ${hasRoom ? "room" : "limits"}`}
            query={usage(`sum(container_memory_working_set_bytes{${m},container!=""})`, m, "memory", hasRoom)}
            unit="bytes"
          />
        </div>
        <KubeParts object={object} />
        {of !== "Node" && !isLarge && <Sizing matchers={m} />}
        <Card title="Warning events" actions={<Link to={to("/events", about)}>All events</Link>}>
          <Warnings about={about} prefix={isLarge ? "" : object.name} />
        </Card>
        <Card title="Recent lines" actions={<Link to={to("/logs", { q: selector })}>Open in Logs</Link>}>
          <div className={styles.lines}>
            <LinesBody query={selector} interval={interval} enabled />
          </div>
        </Card>
      </div>
    </div>
  );
}

/** useLinks makes links to other pages, which keep the range of time. */
function useLinks() {
  const { search } = useLocation();
  return (pathname: string, more: Readonly<Record<string, string>>) => {
    const next = sharedParams(new URLSearchParams(search));
    for (const [name, value] of Object.entries(more)) if (value) next.set(name, value);
    return { pathname, search: next.toString() };
  };
}

/** subtitleOf says what an object is, and leads to what it is in. */
function subtitleOf({ cluster, namespace, kind }: KubeObject): ReactNode {
  if (kind === "Cluster") return kind;
  const above = [
    ...(namespace && kind !== "Namespace"
      ? [
          {
            label: namespace,
            to: `/kubernetes/namespaces/${encodeURIComponent(cluster)}/${encodeURIComponent(namespace)}`,
          },
        ]
      : []),
    { label: cluster, to: `/kubernetes/${encodeURIComponent(cluster)}` },
  ];
  return (
    <>
      {kind}
      {above.map(({ label, to }) => (
        <Fragment key={to}>
          {" in "}
          <Link to={to}>{label}</Link>
        </Fragment>
      ))}
    </>
  );
}

/** alertsOf finds the alerts of an object in the list of them. */
function alertsOf({ cluster, namespace, kind, name }: KubeObject): string {
  switch (kind) {
    case "Cluster":
      return `cluster=${cluster}`;
    case "Namespace":
      return `namespace=${namespace}`;
    default:
      return name;
  }
}

/** usage puts what is used, asked for and allowed into one answer, told apart by the label "what". */
function usage(used: string, matchers: string, resource: string, hasRoom: boolean): string {
  const named = (query: string, what: string) => `label_replace(${query}, "what", "${what}", "", "")`;
  const state = `{${matchers},resource="${resource}"}`;
  const limit = hasRoom
    ? `sum(kube_node_status_allocatable${state})`
    : `sum(kube_pod_container_resource_limits${state})`;
  return [
    named(used, "used"),
    named(`sum(kube_pod_container_resource_requests${state})`, "requested"),
    named(limit, hasRoom ? "allocatable" : "limit"),
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
              format={formatCores}
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

/** The page of events lists more. */
const mostWarnings = 8;

interface WarningsProps {
  about: { cluster: string; namespace: string; type: string; object: string };
  prefix: string;
}

function Warnings({ about, prefix }: WarningsProps) {
  const { interval } = useTime();
  const events = useEvents({ q: "", only: onlyOf(about), not: {} }, interval);
  if (events.error && !events.data) return <Fault error={events.error} onRetry={() => events.refetch()} />;
  if (!events.data) return <Skeleton rows={3} />;
  const found = events.data.filter(({ object }) => object.startsWith(prefix)).slice(0, mostWarnings);
  if (found.length === 0) return <p className="faint">None in this range</p>;
  return (
    <ul className={styles.advice}>
      {found.map((event) => (
        <li key={`${event.object} ${event.reason} ${event.last}`}>
          <span>
            <b>{event.reason}</b>{" "}
            <span className="faint">
              <Ago at={event.last} />
            </span>
          </span>
          <span className="soft">
            {event.object}: {event.message}
          </span>
        </li>
      ))}
    </ul>
  );
}
