import { useQuery } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type Cluster = components["schemas"]["Cluster"];
export type SignalName = keyof components["schemas"]["Arrivals"];

export const clustersKey = ["clusters"] as const;

/** useClusters lists the tenant's clusters and keeps their arrivals fresh. */
export function useClusters() {
  return useQuery({
    queryKey: clustersKey,
    queryFn: async ({ signal }) =>
      (await request<components["schemas"]["ClusterList"]>("/api/v1/clusters", { signal })).items,
    refetchInterval: 10_000,
  });
}
