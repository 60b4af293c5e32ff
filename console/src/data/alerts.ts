import { useQuery } from "@tanstack/react-query";
import { keyOf, shortKey } from "../lib/alertlabels";
import { request } from "../lib/api";
import { type Labels, parseSample } from "../lib/matrix";

export type AlertState = "firing" | "pending" | "silenced" | "inhibited";

/** An alert as its rule and the Alertmanager know it. */
export interface Alert {
  readonly id: string;
  /** The Alertmanager's name for it, which links in notifications have; undefined until it fires. */
  readonly fingerprint: string | undefined;
  readonly name: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: AlertState;
  /** When the condition began to hold. */
  readonly sinceMs: number;
  /** The newest value; undefined of detectors. */
  readonly value: number | undefined;
  /** The rule that raised it; undefined of detectors. */
  readonly rule: { readonly namespace: string; readonly group: string; readonly query: string } | undefined;
  readonly silencedBy: readonly string[];
  readonly receivers: readonly string[];
}

/** Prometheus' and Alertmanager's own forms, which openapi.yaml leaves to them. */
interface RawAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: "pending" | "firing";
  readonly activeAt: string;
  readonly value: string;
}

export interface RawRuleGroup {
  readonly name: string;
  readonly file: string;
  readonly interval: number;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly rules: readonly RawRule[];
}

export interface RawRule {
  readonly name: string;
  readonly query: string;
  readonly type: "alerting" | "recording";
  readonly health: "ok" | "err" | "unknown";
  readonly lastError?: string;
  readonly lastEvaluation: string;
  readonly evaluationTime: number;
  readonly state?: "firing" | "pending" | "inactive" | "unknown";
  readonly duration?: number;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly alerts?: readonly RawAlert[];
}

export interface SentAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: string;
  readonly fingerprint: string;
  readonly receivers: readonly { readonly name: string }[];
  readonly status: {
    readonly state: "active" | "suppressed" | "unprocessed";
    readonly silencedBy: readonly string[];
    readonly inhibitedBy: readonly string[];
  };
}

export const alertsKey = ["alerts"] as const;
export const ruleStatesKey = ["rule-states"] as const;

/** fetchRuleStates lists running rules with their health and alerts. */
export async function fetchRuleStates(signal?: AbortSignal): Promise<readonly RawRuleGroup[]> {
  const answer = await request<{ data: { groups: readonly RawRuleGroup[] | null } }>(
    "/prometheus/api/v1/rules",
    signal ? { signal } : {},
  );
  return answer.data.groups ?? [];
}

/** useAlerts lists pending and firing alerts of rules and detectors, kept fresh. */
export function useAlerts() {
  return useQuery({
    queryKey: alertsKey,
    queryFn: async ({ signal }) => {
      const [groups, sent] = await Promise.all([
        fetchRuleStates(signal),
        request<readonly SentAlert[]>("/alertmanager/api/v2/alerts", { signal }),
      ]);
      return joinAlerts(groups, sent);
    },
    refetchInterval: 10_000,
  });
}

/** joinAlerts brings together what the rules raise and what the Alertmanager does with it. */
export function joinAlerts(groups: readonly RawRuleGroup[], sent: readonly SentAlert[]): readonly Alert[] {
  const waiting = new Map(sent.map((one) => [keyOf(one.labels), one]));
  const alerts: Alert[] = [];
  for (const group of groups) {
    for (const rule of group.rules) {
      for (const raw of rule.alerts ?? []) {
        const key = keyOf(raw.labels);
        const rest = sentPart(waiting.get(key));
        waiting.delete(key);
        alerts.push({
          id: shortKey(raw.labels),
          name: raw.labels.alertname ?? rule.name,
          labels: raw.labels,
          annotations: raw.annotations,
          sinceMs: Date.parse(raw.activeAt),
          value: parseSample(raw.value),
          rule: { namespace: group.file, group: group.name, query: rule.query },
          ...rest,
          state: rest.state === "firing" ? raw.state : rest.state,
        });
      }
    }
  }
  // Detectors send to the Alertmanager alone.
  for (const one of waiting.values()) {
    alerts.push({
      id: shortKey(one.labels),
      name: one.labels.alertname ?? "",
      labels: one.labels,
      annotations: one.annotations,
      sinceMs: Date.parse(one.startsAt),
      value: undefined,
      rule: undefined,
      ...sentPart(one),
    });
  }
  return alerts;
}

/** alertOf finds the alert that a link names, by its id here or by the Alertmanager's. */
export function alertOf(alerts: readonly Alert[], named: string): Alert | undefined {
  return named ? alerts.find(({ id, fingerprint }) => id === named || fingerprint === named) : undefined;
}

function sentPart(
  one: SentAlert | undefined,
): Pick<Alert, "fingerprint" | "state" | "silencedBy" | "receivers"> {
  const silencedBy = one?.status.silencedBy ?? [];
  const inhibited = (one?.status.inhibitedBy.length ?? 0) > 0;
  return {
    fingerprint: one?.fingerprint,
    state: silencedBy.length > 0 ? "silenced" : inhibited ? "inhibited" : "firing",
    silencedBy,
    receivers: (one?.receivers ?? []).map(({ name }) => name),
  };
}
