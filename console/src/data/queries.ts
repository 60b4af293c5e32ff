import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type RunningQuery = components["schemas"]["RunningQuery"];
export type RunningQueryList = components["schemas"]["RunningQueryList"];
export type QueryJob = components["schemas"]["QueryJob"];
export type QuarantinedQuery = components["schemas"]["QuarantinedQuery"];

/** Whose queries: the tenant's own, or those of all tenants, which operators see without literals and people. */
export type QueryScope = "own" | "all";

const paths = { own: "/api/v1/queries", all: "/api/v1/operator/queries" } as const;
const quarantines = { own: "/api/v1/query-quarantine", all: "/api/v1/operator/query-quarantine" } as const;
const runningKey = ["running-queries"] as const;
const jobsKey = ["query-jobs"] as const;
const quarantineKey = ["query-quarantine"] as const;

/** useRunningQueries lists what waits and runs on all nodes, or what has ended. */
export function useRunningQueries(state: "active" | "done", scope: QueryScope = "own") {
  const query = { state, limit: 200 };
  return useQuery({
    queryKey: [...runningKey, scope, state],
    queryFn: ({ signal }) => request<RunningQueryList>(paths[scope], { query, signal }),
    refetchInterval: state === "active" ? 2000 : 10_000,
  });
}

/** useCancelQuery cancels a query wherever it runs. */
export function useCancelQuery(scope: QueryScope = "own") {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${paths[scope]}/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: runningKey }),
  });
}

/** useQueryJobs lists queries in the background, kept fresh while one is under way. */
export function useQueryJobs() {
  return useQuery({
    queryKey: jobsKey,
    queryFn: ({ signal }) => listAll<QueryJob>("/api/v1/query-jobs", { signal }),
    refetchInterval: ({ state }) => (state.data?.some(isUnderWay) ? 1500 : 15_000),
  });
}

export function isUnderWay({ state }: QueryJob): boolean {
  return state === "queued" || state === "running";
}

/** useDeleteQueryJob cancels a job that waits or runs, and deletes one that has ended with its result. */
export function useDeleteQueryJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`/api/v1/query-jobs/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: jobsKey }),
  });
}

/** jobResult is where a browser downloads what a job was answered. */
export function jobResult(id: string): string {
  return `/api/v1/query-jobs/${id}/result`;
}

/** useQuarantine lists queries that are refused because engines failed while they ran. */
export function useQuarantine(scope: QueryScope = "own") {
  return useQuery({
    queryKey: [...quarantineKey, scope],
    queryFn: ({ signal }) => listAll<QuarantinedQuery>(quarantines[scope], { signal }),
  });
}

export function useLiftQuarantine() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, tenant }: Pick<QuarantinedQuery, "id" | "tenant">) =>
      request<void>(
        tenant ? `/api/v1/tenants/${tenant}/query-quarantine/${id}` : `${quarantines.own}/${id}`,
        { method: "DELETE" },
      ),
    onSettled: () => client.invalidateQueries({ queryKey: quarantineKey }),
  });
}
