import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type TenantExport = components["schemas"]["TenantExport"];

const path = "/api/v1/tenant/exports";
const exportsKey = ["tenant-exports"] as const;

/** useTenantExports lists the exports of the whole tenant, kept fresh while one runs. */
export function useTenantExports(enabled = true) {
  return useQuery({
    queryKey: exportsKey,
    queryFn: async ({ signal }) => (await request<{ items: TenantExport[] }>(path, { signal })).items,
    refetchInterval: ({ state }) => (state.data?.some((one) => one.state === "running") ? 2000 : false),
    enabled,
  });
}

export function useCreateTenantExport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<TenantExport>(path, { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: exportsKey }),
  });
}

export function useDeleteTenantExport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${path}/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: exportsKey }),
  });
}

/** exportArchive is where a browser downloads a finished export. */
export function exportArchive(id: string): string {
  return `${path}/${id}/archive`;
}
