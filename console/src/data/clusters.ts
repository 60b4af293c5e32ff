import { useQuery } from "@tanstack/react-query";
import { listAll } from "../lib/api";
import type { components } from "../lib/schema";

export type Cluster = components["schemas"]["Cluster"];
export type SignalName = keyof components["schemas"]["Arrivals"];

export const clustersKey = ["clusters"] as const;

/** useClusters lists the tenant's clusters and keeps their arrivals fresh. */
export function useClusters() {
  return useQuery({
    queryKey: clustersKey,
    queryFn: ({ signal }) => listAll<Cluster>("/api/v1/clusters", { signal }),
    refetchInterval: 10_000,
  });
}
