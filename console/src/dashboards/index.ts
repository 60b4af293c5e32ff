import { apiserver } from "./apiserver";
import { clusterOverview } from "./cluster";
import { controllers } from "./controllers";
import { coredns } from "./coredns";
import { etcd } from "./etcd";
import { ingress } from "./ingress";
import { kubelet } from "./kubelet";
import type { BuiltIn } from "./make";
import { namespaces } from "./namespaces";
import { nodes } from "./nodes";
import { pods } from "./pods";
import { scheduler } from "./scheduler";
import { services } from "./services";
import { workloads } from "./workloads";

/** The dashboards that come with the console, in the order in which they are listed. */
export const builtIns: readonly BuiltIn[] = [
  clusterOverview,
  nodes,
  namespaces,
  workloads,
  pods,
  services,
  apiserver,
  etcd,
  scheduler,
  controllers,
  coredns,
  kubelet,
  ingress,
];
