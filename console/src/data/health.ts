import { useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type Health = components["schemas"]["Health"];
export type HealthLevel = components["schemas"]["HealthLevel"];
export type HealthFinding = components["schemas"]["HealthFinding"];
export type NodeHealth = components["schemas"]["NodeHealth"];
export type ShardHealth = components["schemas"]["ShardHealth"];
export type ClickHouseHealth = components["schemas"]["ClickHouseHealth"];

/** useHealth asks how the installation does, again and again while somebody looks; for operators. */
export function useHealth() {
  return useQuery({
    queryKey: ["operator-health"],
    queryFn: ({ signal }) => request<Health>("/api/v1/operator/health", { signal }),
    refetchInterval: 10_000,
  });
}

// The runbooks are part of the console, a file each: a server that is in trouble need not be asked for them.
const runbooks = import.meta.glob<string>("../../../docs/runbooks/Seamark*.md", {
  query: "?raw",
  import: "default",
});

/** useOwnRunbook loads the runbook about a problem of Seamark itself. */
export function useOwnRunbook(name: string | undefined) {
  return useQuery({
    queryKey: ["own-runbook", name],
    enabled: name !== undefined,
    queryFn: async () => {
      const load = runbooks[`../../../docs/runbooks/${name}.md`];
      if (!load) throw new Error(`There is no runbook ${name}.`);
      return (await load()).replace(/^# .*\n+/, ""); // the dialog has the title
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
}
