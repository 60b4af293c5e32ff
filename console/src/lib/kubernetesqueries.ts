import { type Measure, podsOf } from "./kubernetes";

/** What the lists of the Kubernetes pages show. The first measure of each tells which objects there are. */
export interface KubeList {
  readonly id: "nodes" | "namespaces" | "workloads" | "pods";
  readonly label: string;
  readonly keys: readonly string[];
  readonly measures: Readonly<Record<string, Measure>>;
}

const cpu = 'rate(container_cpu_usage_seconds_total{container!=""}[5m])';
const memory = 'container_memory_working_set_bytes{container!=""}';
const by = (labels: string, query: string): Measure => ({ query: `sum by (${labels}) (${query})` });
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
const workloads = (place: 2 | 3): Measure => ({
  query: kinds
    .map(
      (kind) =>
        `label_replace(label_replace(sum by (cluster, namespace, ${kind[1]}) (${kind[place]}), "name", "$1", "${kind[1]}", "(.+)"), "kind", "${kind[0]}", "", "")`,
    )
    .join(" or "),
});

export const kubeLists: readonly KubeList[] = [
  {
    id: "nodes",
    label: "Nodes",
    keys: ["cluster", "node"],
    measures: {
      info: { query: "max by (cluster, node, kubelet_version) (kube_node_info)" },
      ready: {
        query: 'max by (cluster, node) (kube_node_status_condition{condition="Ready",status="true"})',
      },
      cpu: by("cluster, node", cpu),
      cpuRoom: by("cluster, node", 'kube_node_status_allocatable{resource="cpu"}'),
      memory: by("cluster, node", memory),
      memoryRoom: by("cluster, node", 'kube_node_status_allocatable{resource="memory"}'),
      pods: { query: 'count by (cluster, node) (kube_pod_info{node!=""})' },
    },
  },
  {
    id: "namespaces",
    label: "Namespaces",
    keys: ["cluster", "namespace"],
    measures: {
      pods: { query: "count by (cluster, namespace) (kube_pod_info)" },
      cpu: by("cluster, namespace", cpu),
      cpuRoom: by("cluster, namespace", 'kube_pod_container_resource_requests{resource="cpu"}'),
      memory: by("cluster, namespace", memory),
      memoryRoom: by("cluster, namespace", 'kube_pod_container_resource_requests{resource="memory"}'),
      restarts: by("cluster, namespace", "increase(kube_pod_container_status_restarts_total[1h])"),
    },
  },
  {
    id: "workloads",
    label: "Workloads",
    keys: ["cluster", "namespace", "kind", "name"],
    measures: { wanted: workloads(2), ready: workloads(3) },
  },
  {
    id: "pods",
    label: "Pods",
    keys: ["cluster", "namespace", "pod"],
    measures: {
      info: { query: "max by (cluster, namespace, pod, node) (kube_pod_info)" },
      ready: { query: 'max by (cluster, namespace, pod) (kube_pod_status_ready{condition="true"})' },
      waiting: {
        query: "max by (cluster, namespace, pod, reason) (kube_pod_container_status_waiting_reason == 1)",
      },
      cpu: by("cluster, namespace, pod", cpu),
      cpuRoom: by("cluster, namespace, pod", 'kube_pod_container_resource_requests{resource="cpu"}'),
      memory: by("cluster, namespace, pod", memory),
      memoryRoom: by("cluster, namespace, pod", 'kube_pod_container_resource_limits{resource="memory"}'),
      restarts: by("cluster, namespace, pod", "kube_pod_container_status_restarts_total"),
    },
  },
];

/** An object with a page of its own. */
export interface KubeObject {
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** matchersOf are the label matchers of everything that runs in an object. */
export function matchersOf({ cluster, namespace, kind, name }: KubeObject): string {
  const c = `cluster=${JSON.stringify(cluster)}`;
  if (kind === "Node") return `${c},node=${JSON.stringify(name)}`;
  const pods = kind === "Pod" ? `pod=${JSON.stringify(name)}` : `pod=~${JSON.stringify(podsOf(kind, name))}`;
  return `${c},namespace=${JSON.stringify(namespace)},${pods}`;
}
