import { useKubeRows } from "../../data/kubernetes";
import { formatValue } from "../../lib/format";
import type { KubeRow } from "../../lib/kubernetes";
import { type KubeList, type KubeObject, kubeLists, listOf, ownsPod } from "../../lib/kubernetesqueries";
import { useTime } from "../../lib/time";
import { formatBytes, formatCores } from "../../lib/units";
import { Card, Stat, Stats } from "../Card";
import { Skeleton } from "../Skeleton";
import { Fault } from "../States";
import { KubeStatus, KubeTable } from "./KubeTable";

/** KubeFacts says how an object is at the end of the range. */
export function KubeFacts({ object }: { object: KubeObject }) {
  const { interval } = useTime();
  const { list, key } = listOf(object);
  const { cluster, namespace } = object;
  const rows = useKubeRows(list.keys, list.measures({ cluster, namespace }), interval);
  if (rows.error && !rows.data) return <Fault error={rows.error} onRetry={() => rows.refetch()} />;
  if (!rows.data) return <Skeleton rows={2} />;
  const row = rows.data.find((one) => one.key === key);
  if (!row) {
    return (
      <p className="soft" role="status">
        kube-state-metrics does not list it at the end of this range: it is gone, or its cluster's agent is
        away. What is known of it follows.
      </p>
    );
  }
  return <Figures list={list} row={row} />;
}

function Figures({ list, row }: { list: KubeList; row: KubeRow }) {
  const { values, labels } = row;
  const used = (key: "cpu" | "memory", format: (value: number) => string) => {
    const room = values[`${key}Room`];
    const text = values[key] === undefined ? "–" : format(values[key]);
    return (
      <Stat
        label={key === "cpu" ? "CPU" : "Memory"}
        value={text}
        unit={room === undefined ? "" : `of ${format(room)}`}
      />
    );
  };
  const counted = (label: string, key: string, isBad = false) =>
    values[key] === undefined ? null : (
      <Stat
        label={label}
        value={formatValue(Math.round(values[key]))}
        tone={isBad && Math.round(values[key]) > 0 ? "warn" : "plain"}
      />
    );
  const isWorkload = list.id === "workloads";
  return (
    <Stats>
      {list.id !== "namespaces" && <Stat label="Status" value={<KubeStatus row={row} />} />}
      {isWorkload && counted("Pods ready", "ready")}
      {isWorkload && counted("Pods wanted", "wanted")}
      {list.id === "clusters" && counted("Nodes", "wanted")}
      {!isWorkload && used("cpu", formatCores)}
      {!isWorkload && used("memory", formatBytes)}
      {counted("Pods", "pods")}
      {counted("Not running", "stuck", true)}
      {counted(list.id === "namespaces" ? "Restarts in the last hour" : "Restarts", "restarts", true)}
      {list.id === "pods" && <Stat label="Node" value={<small>{labels.node || "none yet"}</small>} />}
      {list.id === "nodes" && <Stat label="Kubelet" value={<small>{labels.kubelet_version ?? "–"}</small>} />}
    </Stats>
  );
}

/** What the pages of larger objects list. */
const parts: Readonly<Record<string, readonly KubeList["id"][]>> = {
  Cluster: ["nodes", "namespaces"],
  Namespace: ["workloads", "pods"],
  Node: ["pods"],
  Pod: [],
};

/** KubeParts lists what an object consists of: a cluster's nodes and namespaces, a node's or a workload's pods. */
export function KubeParts({ object }: { object: KubeObject }) {
  const wanted = parts[object.kind] ?? ["pods"];
  return kubeLists
    .filter(({ id }) => wanted.includes(id))
    .map((list) => <Part key={list.id} list={list} object={object} />);
}

function Part({ list, object }: { list: KubeList; object: KubeObject }) {
  const { interval } = useTime();
  const { cluster, namespace } = object;
  const rows = useKubeRows(list.keys, list.measures({ cluster, namespace }), interval);
  const found = (rows.data ?? []).filter(({ labels }) => list.id !== "pods" || ownsPod(object, labels));
  return (
    <Card flush title={list.label} note={rows.data && formatValue(found.length)}>
      {rows.error && !rows.data ? (
        <Fault error={rows.error} onRetry={() => rows.refetch()} />
      ) : !rows.data ? (
        <Skeleton rows={4} />
      ) : (
        <KubeTable
          list={list}
          rows={found}
          without={object.namespace ? ["cluster", "namespace"] : ["cluster"]}
          empty={`No ${list.label.toLowerCase()} at the end of this range`}
        />
      )}
    </Card>
  );
}
