import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Cluster = components["schemas"]["Cluster"];
export type SignalName = keyof components["schemas"]["Arrivals"];

export const clustersKey = ["clusters"] as const;

const usualMs = 10_000;

/** useClusters lists the tenant's clusters and keeps their arrivals fresh; a page that waits for one asks more often. */
export function useClusters(everyMs = usualMs) {
  return useQuery({
    queryKey: clustersKey,
    queryFn: ({ signal }) => listAll<Cluster>("/api/v1/clusters", { signal }),
    refetchInterval: everyMs,
  });
}

export function useCreateCluster() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => request<Cluster>("/api/v1/clusters", { method: "POST", json: { name } }),
    onSuccess: () => client.invalidateQueries({ queryKey: clustersKey }),
  });
}

export function useDeleteCluster() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`/api/v1/clusters/${id}`, { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: clustersKey }),
  });
}
