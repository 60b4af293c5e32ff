import { type Measure, podsOf } from "./kubernetes";
import type { Labels } from "./matrix";

/** The part of a tenant that a list is of: all of it, a cluster, or a namespace. */
export interface Within {
  readonly cluster?: string;
  readonly namespace?: string;
}

export type Measures = Readonly<Record<string, Measure>>;

/** What the lists of the Kubernetes pages show. The first measure of each tells which objects there are. */
export interface KubeList {
  readonly id: "clusters" | "nodes" | "namespaces" | "workloads" | "pods";
  readonly label: string;
  readonly keys: readonly string[];
  measures(within: Within): Measures;
}

/** Of writes a selector of a metric's series in the part of the tenant. */
type Of = (metric: string, matchers?: string) => string;

function selecting({ cluster, namespace }: Within): Of {
  const fixed = [
    cluster && `cluster=${JSON.stringify(cluster)}`,
    namespace && `namespace=${JSON.stringify(namespace)}`,
  ];
  return (metric, matchers) => {
    const all = [...fixed, matchers].filter(Boolean).join(",");
    return all ? `${metric}{${all}}` : metric;
  };
}

/** used is what containers use, against the room that a metric of kube-state-metrics tells. */
function used(of: Of, labels: string, cpuRoom: string, memoryRoom = cpuRoom): Measures {
  const by = (query: string): Measure => ({ query: `sum by (${labels}) (${query})` });
  return {
    cpu: by(`rate(${of("container_cpu_usage_seconds_total", 'container!=""')}[5m])`),
    cpuRoom: by(of(cpuRoom, 'resource="cpu"')),
    memory: by(of("container_memory_working_set_bytes", 'container!=""')),
    memoryRoom: by(of(memoryRoom, 'resource="memory"')),
  };
}

const isReady = 'condition="Ready",status="true"';
const allocatable = "kube_node_status_allocatable";
const requests = "kube_pod_container_resource_requests";

const kinds = [
  ["Deployment", "deployment", "kube_deployment_spec_replicas", "kube_deployment_status_replicas_available"],
  ["StatefulSet", "statefulset", "kube_statefulset_replicas", "kube_statefulset_status_replicas_ready"],
  [
    "DaemonSet",
    "daemonset",
    "kube_daemonset_status_desired_number_scheduled",
    "kube_daemonset_status_number_ready",
  ],
] as const;

const replicas = (of: Of, place: 2 | 3): Measure => ({
  query: kinds
    .map(
      (kind) =>
        `label_replace(label_replace(sum by (cluster, namespace, ${kind[1]}) (${of(kind[place])}), "name", "$1", "${kind[1]}", "(.+)"), "kind", "${kind[0]}", "", "")`,
    )
    .join(" or "),
});

export const kubeLists: readonly KubeList[] = [
  {
    id: "clusters",
    label: "Clusters",
    keys: ["cluster"],
    measures(within) {
      const of = selecting(within);
      return {
        wanted: { query: `count by (cluster) (max by (cluster, node) (${of("kube_node_info")}))` },
        ready: {
          query: `sum by (cluster) (max by (cluster, node) (${of("kube_node_status_condition", isReady)}))`,
        },
        ...used(of, "cluster", allocatable),
        pods: { query: `count by (cluster) (${of("kube_pod_info")})` },
        stuck: {
          query: `sum by (cluster) (${of("kube_pod_status_phase", 'phase=~"Pending|Failed|Unknown"')})`,
        },
      };
    },
  },
  {
    id: "nodes",
    label: "Nodes",
    keys: ["cluster", "node"],
    measures(within) {
      const of = selecting(within);
      return {
        info: { query: `max by (cluster, node, kubelet_version) (${of("kube_node_info")})` },
        ready: { query: `max by (cluster, node) (${of("kube_node_status_condition", isReady)})` },
        ...used(of, "cluster, node", allocatable),
        pods: { query: `count by (cluster, node) (${of("kube_pod_info", 'node!=""')})` },
      };
    },
  },
  {
    id: "namespaces",
    label: "Namespaces",
    keys: ["cluster", "namespace"],
    measures(within) {
      const of = selecting(within);
      return {
        pods: { query: `count by (cluster, namespace) (${of("kube_pod_info")})` },
        ...used(of, "cluster, namespace", requests),
        restarts: {
          query: `sum by (cluster, namespace) (increase(${of("kube_pod_container_status_restarts_total")}[1h]))`,
        },
      };
    },
  },
  {
    id: "workloads",
    label: "Workloads",
    keys: ["cluster", "namespace", "kind", "name"],
    measures(within) {
      const of = selecting(within);
      return { wanted: replicas(of, 2), ready: replicas(of, 3) };
    },
  },
  {
    id: "pods",
    label: "Pods",
    keys: ["cluster", "namespace", "pod"],
    measures(within) {
      const of = selecting(within);
      const by = "cluster, namespace, pod";
      return {
        info: { query: `max by (${by}, node) (${of("kube_pod_info")})` },
        ready: { query: `max by (${by}) (${of("kube_pod_status_ready", 'condition="true"')})` },
        waiting: {
          query: `max by (${by}, reason) (${of("kube_pod_container_status_waiting_reason")} == 1)`,
        },
        ...used(of, by, requests, "kube_pod_container_resource_limits"),
        restarts: { query: `sum by (${by}) (${of("kube_pod_container_status_restarts_total")})` },
      };
    },
  },
];

/** An object with a page of its own. What does not apply to its kind is "". */
export interface KubeObject {
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** listOf finds the list that an object stands in, and its key there. */
export function listOf({ cluster, namespace, kind, name }: KubeObject): { list: KubeList; key: string } {
  const of = (id: KubeList["id"], ...parts: string[]) => {
    const list = kubeLists.find((one) => one.id === id);
    if (!list) throw new Error(`there is no list ${id}`);
    return { list, key: parts.join("/") };
  };
  switch (kind) {
    case "Cluster":
      return of("clusters", cluster);
    case "Node":
      return of("nodes", cluster, name);
    case "Namespace":
      return of("namespaces", cluster, namespace);
    case "Pod":
      return of("pods", cluster, namespace, name);
    default:
      return of("workloads", cluster, namespace, kind, name);
  }
}

/** pathOfRow is the page of a row of a list. */
export function pathOfRow(list: Pick<KubeList, "id" | "keys">, labels: Labels): string {
  const parts = list.keys.map((label) => encodeURIComponent(labels[label] ?? "")).join("/");
  return list.id === "clusters" ? `/kubernetes/${parts}` : `/kubernetes/${list.id}/${parts}`;
}

/** matchersOf are the label matchers of everything that runs in an object. */
export function matchersOf({ cluster, namespace, kind, name }: KubeObject): string {
  const c = `cluster=${JSON.stringify(cluster)}`;
  if (kind === "Cluster") return c;
  if (kind === "Node") return `${c},node=${JSON.stringify(name)}`;
  const n = `${c},namespace=${JSON.stringify(namespace)}`;
  if (kind === "Namespace") return n;
  return `${n},${kind === "Pod" ? `pod=${JSON.stringify(name)}` : `pod=~${JSON.stringify(podsOf(kind, name))}`}`;
}

/** ownsPod says whether a row of the list of pods runs in an object. */
export function ownsPod({ kind, name }: KubeObject, labels: Labels): boolean {
  if (kind === "Node") return labels.node === name;
  if (kind === "Cluster" || kind === "Namespace") return true;
  return kind !== "Pod" && new RegExp(`^${podsOf(kind, name)}$`).test(labels.pod ?? "");
}
