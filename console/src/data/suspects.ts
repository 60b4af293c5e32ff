import { useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { Labels } from "../lib/matrix";
import type { components } from "../lib/schema";

export type Suspect = components["schemas"]["Suspect"];
export type SuspectList = components["schemas"]["SuspectList"];

/** useSuspects ranks what changed around the start of an alert. */
export function useSuspects(labels: Labels, startMs: number, enabled: boolean) {
  const start = new Date(startMs).toISOString();
  return useQuery({
    queryKey: ["suspects", labels, start],
    enabled,
    // What was around the start of an alert hardly changes, and the question is a large one.
    staleTime: 120_000,
    queryFn: ({ signal }) =>
      request<SuspectList>("/api/v1/alerting/suspects", {
        method: "POST",
        json: { labels, start },
        purpose: { class: "adhoc", part: "alerts/suspects" },
        signal,
      }),
  });
}
