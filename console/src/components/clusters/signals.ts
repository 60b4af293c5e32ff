import { Activity, CalendarClock, type LucideIcon, ScrollText } from "lucide-react";
import type { SignalName } from "../../data/clusters";
import { quote } from "../../lib/logql";
import { sharedParams } from "../../lib/urlstate";

export interface SignalView {
  readonly name: SignalName;
  readonly label: string;
  readonly icon: LucideIcon;
  /** Where a cluster's data of this signal is looked at: the page, and the parameter that chooses the cluster. */
  readonly at: (cluster: string) => { pathname: string; param: string; value: string };
}

export const signals: readonly SignalView[] = [
  {
    name: "logs",
    label: "Logs",
    icon: ScrollText,
    at: (cluster) => ({ pathname: "/logs", param: "q", value: `{cluster=${quote(cluster)}}` }),
  },
  {
    name: "metrics",
    label: "Metrics",
    icon: Activity,
    at: (cluster) => ({
      pathname: "/metrics",
      param: "q",
      value: `count by (__name__) ({cluster=${quote(cluster)}})`,
    }),
  },
  {
    name: "events",
    label: "Events",
    icon: CalendarClock,
    at: (cluster) => ({ pathname: "/events", param: "cluster", value: cluster }),
  },
];

/** signalLink leads to a cluster's data of a signal; the range of time goes along. */
export function signalLink(signal: SignalView, cluster: string, search: string) {
  const { pathname, param, value } = signal.at(cluster);
  const params = sharedParams(new URLSearchParams(search));
  params.set(param, value);
  return { pathname, search: params.toString() };
}
