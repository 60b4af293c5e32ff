import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type SavedQuery = components["schemas"]["SavedQuery"];
export type SavedQuerySpec = components["schemas"]["SavedQuerySpec"];

const path = "/api/v1/saved-queries";
const savedQueriesKey = ["saved-queries"] as const;

/** useSavedQueries lists the saved queries that the person may see: the tenant's, and private ones of their own. */
export function useSavedQueries() {
  return useQuery({
    queryKey: savedQueriesKey,
    queryFn: ({ signal }) => listAll<SavedQuery>(path, { signal }),
  });
}

/** useSaveQuery saves a query, or replaces the one with the id. */
export function useSaveQuery() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, spec }: { id?: string | undefined; spec: SavedQuerySpec }) =>
      id
        ? request<SavedQuery>(`${path}/${id}`, { method: "PUT", json: spec })
        : request<SavedQuery>(path, { method: "POST", json: spec }),
    onSettled: () => client.invalidateQueries({ queryKey: savedQueriesKey }),
  });
}

export function useDeleteSavedQuery() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${path}/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: savedQueriesKey }),
  });
}
