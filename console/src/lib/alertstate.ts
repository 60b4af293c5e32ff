import type { Alert, AlertState } from "../data/alerts";
import type { Codec } from "./urlstate";

/** How the list of alerts is grouped; "" is one list. */
export const groupings = ["alertname", "cluster", "namespace", "severity", ""] as const;
export type Grouping = (typeof groupings)[number];

export const alertStates = ["firing", "pending", "silenced", "inhibited"] as const;

export interface AlertsState {
  /** Words, or name=value of labels. */
  readonly q: string;
  readonly group: Grouping;
  /** The states to show; none means all. */
  readonly states: readonly AlertState[];
  /** The alert whose details are shown. */
  readonly open: string;
}

export const alertsCodec: Codec<AlertsState> = {
  read(params) {
    const group = params.get("group");
    const states = (params.get("state") ?? "").split(",");
    return {
      q: params.get("q") ?? "",
      group: group === "none" ? "" : (groupings.find((one) => one !== "" && one === group) ?? "alertname"),
      states: alertStates.filter((state) => states.includes(state)),
      open: params.get("alert") ?? "",
    };
  },
  write(params, { q, group, states, open }) {
    const put = (name: string, value: string) => (value ? params.set(name, value) : params.delete(name));
    put("q", q);
    put("group", group === "" ? "none" : group === "alertname" ? "" : group);
    put("state", states.join(","));
    put("alert", open);
  },
};

/** matchesFilter holds an alert against typed words: each is a label as name=value, or part of any text of the alert. */
export function matchesFilter(alert: Alert, q: string): boolean {
  const words = q.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const labels = Object.entries(alert.labels).map(([name, value]) => `${name}=${value}`.toLowerCase());
  const hay = [...labels, ...Object.values(alert.annotations)].join("\n").toLowerCase();
  return words.every((word) => labels.includes(word.replaceAll('"', "")) || hay.includes(word));
}

const severities = ["critical", "page", "error", "high", "warning", "warn", "info"];

/** severityRank orders severities, the worst first; unknown ones stand between warnings and the rest. */
export function severityRank(severity: string | undefined): number {
  const place = severities.indexOf((severity ?? "").toLowerCase());
  return place < 0 ? severities.indexOf("info") - 0.5 : place;
}

const stateRank: Record<AlertState, number> = { firing: 0, pending: 1, silenced: 2, inhibited: 3 };

export interface AlertGroup {
  readonly key: string;
  readonly alerts: readonly Alert[];
}

/** groupAlerts puts alerts into groups, the worst group and alert first, and of equals the newest. */
export function groupAlerts(alerts: readonly Alert[], by: Grouping): readonly AlertGroup[] {
  const order = (a: Alert, b: Alert) =>
    stateRank[a.state] - stateRank[b.state] ||
    severityRank(a.labels.severity) - severityRank(b.labels.severity) ||
    b.sinceMs - a.sinceMs;
  const groups = new Map<string, Alert[]>();
  for (const alert of [...alerts].sort(order)) {
    const key = by === "" ? "" : (alert.labels[by] ?? "");
    const group = groups.get(key);
    if (group) group.push(alert);
    else groups.set(key, [alert]);
  }
  return [...groups].map(([key, list]) => ({ key, alerts: list }));
}
