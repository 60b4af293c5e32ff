import { type LucideIcon, SquareTerminal, Waypoints } from "lucide-react";
import type { SignalName } from "../../data/clusters";
import { collectorCommand } from "./collector";
import { curlEvents, curlLogs, curlMetrics } from "./curl";
import * as snippets from "./snippets";
import type { Target } from "./target";

/** A text to copy, with what is done with it. */
interface Step {
  readonly about: string;
  readonly text: (target: Target) => string;
}

export interface Agent {
  /** Stands in the URL. */
  readonly id: string;
  readonly label: string;
  /** When to choose it. */
  readonly note: string;
  readonly signals: readonly SignalName[];
  readonly icon?: LucideIcon;
  readonly steps: readonly Step[];
}

/** The agents that a cluster can send with; what each text does is in docs/protocols.md. */
export const agents: readonly Agent[] = [
  {
    id: "otel",
    label: "OpenTelemetry Collector",
    note: "Everything of a cluster, with one command",
    signals: ["logs", "metrics", "events"],
    icon: Waypoints,
    steps: [
      {
        about:
          "Run this where kubectl reaches the cluster. It makes the namespace seamark with an agent on each node and one for the cluster.",
        text: collectorCommand,
      },
    ],
  },
  {
    id: "curl",
    label: "curl",
    note: "Try it from a terminal, right now",
    signals: ["logs", "metrics", "events"],
    icon: SquareTerminal,
    steps: [
      { about: "A log line:", text: curlLogs },
      { about: "A sample of a metric:", text: curlMetrics },
      { about: "A Kubernetes event:", text: curlEvents },
    ],
  },
  {
    id: "prometheus",
    label: "Prometheus",
    note: "Remote write of servers that you have",
    signals: ["metrics"],
    steps: [{ about: "Add to prometheus.yml and reload Prometheus:", text: snippets.prometheus }],
  },
  {
    id: "fluent-bit",
    label: "Fluent Bit",
    note: "Container logs and events",
    signals: ["logs", "events"],
    steps: [{ about: "fluent-bit.yaml of a Fluent Bit that runs on each node:", text: snippets.fluentBit }],
  },
  {
    id: "alloy",
    label: "Grafana Alloy",
    note: "Logs of pods, metrics of nodes",
    signals: ["logs", "metrics"],
    steps: [{ about: "config.alloy:", text: snippets.alloy }],
  },
  {
    id: "promtail",
    label: "Promtail, or any Loki client",
    note: "Change the address of what pushes to Loki",
    signals: ["logs"],
    steps: [
      { about: "In Promtail's file, in place of the clients that are there:", text: snippets.promtail },
    ],
  },
  {
    id: "vector",
    label: "Vector",
    note: "Logs of its Kubernetes source",
    signals: ["logs"],
    steps: [{ about: "vector.yaml of a Vector that runs on each node:", text: snippets.vector }],
  },
  {
    id: "filebeat",
    label: "Filebeat",
    note: "Elasticsearch's bulk protocol",
    signals: ["logs"],
    steps: [{ about: "filebeat.yml of a Filebeat that runs on each node:", text: snippets.filebeat }],
  },
  {
    id: "kubectl",
    label: "kubectl",
    note: "Events without an agent, for a first look",
    signals: ["events"],
    icon: SquareTerminal,
    steps: [
      { about: "Run this as long as events shall come; it needs jq and curl:", text: snippets.kubectlEvents },
    ],
  },
  {
    id: "audit",
    label: "Kubernetes audit webhook",
    note: "Who did what: requests to the API server",
    signals: ["logs"],
    steps: [
      { about: "/etc/kubernetes/seamark-audit.yaml on the control plane:", text: snippets.auditKubeconfig },
      { about: "/etc/kubernetes/audit-policy.yaml, unless there is one:", text: () => snippets.auditPolicy },
      { about: "Arguments of kube-apiserver:", text: () => snippets.auditArguments },
    ],
  },
];

/** agentOf finds an agent by what stands in the URL; the first one where it names none that there is. */
export function agentOf(id: string): Agent {
  const found = agents.find((agent) => agent.id === id) ?? agents[0];
  if (!found) throw new Error("There are no agents.");
  return found;
}
