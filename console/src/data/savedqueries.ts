import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type SavedQuery = components["schemas"]["SavedQuery"];
export type SavedQuerySpec = components["schemas"]["SavedQuerySpec"];

/** savedQueryPath is the page that runs a saved query. Those of events and audit records are its filters, as in a URL. */
export function savedQueryPath({
  language,
  query,
  range_seconds: range,
}: Pick<SavedQuery, "language" | "query" | "range_seconds">): string {
  const filters = language === "events" || language === "audit";
  const params = new URLSearchParams(filters ? query : { q: query });
  if (range) params.set("last", `${range}s`);
  return `${pages[language]}?${params}`;
}

const pages: Readonly<Record<SavedQuery["language"], string>> = {
  promql: "/metrics",
  logql: "/logs",
  events: "/events",
  audit: "/audit",
  sql: "/sql",
};

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
