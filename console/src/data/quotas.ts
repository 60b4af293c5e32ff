import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";
import { findTagged, ifMatch } from "../lib/tagged";

export type Quota = components["schemas"]["Quota"];
export type QuotaUse = components["schemas"]["QuotaUse"];
export type TenantQuotas = components["schemas"]["TenantQuotas"];
export type ClusterQuotas = components["schemas"]["ClusterQuotas"];
export type OperatorQuotas = components["schemas"]["OperatorQuotas"];

const quotasKey = ["quotas"] as const;

/** useQuotas shows the tenant's limits and what it uses of them, kept fresh. */
export function useQuotas() {
  return useQuery({
    queryKey: quotasKey,
    queryFn: ({ signal }) => request<TenantQuotas>("/api/v1/quotas", { signal }),
    refetchInterval: 10_000,
  });
}

/** useClusterQuotas reads what was set for a cluster, with its version; for its form. */
export function useClusterQuotas(id: string | undefined) {
  return useQuery({
    queryKey: [...quotasKey, "cluster", id],
    queryFn: ({ signal }) => findTagged<ClusterQuotas>(`/api/v1/clusters/${id}/quotas`, { signal }),
    enabled: id !== undefined,
    gcTime: 0,
  });
}

interface QuotaChange {
  readonly id: string;
  readonly quota: Quota;
  readonly etag: string;
}

export function useSetClusterQuota() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, quota, etag }: QuotaChange) =>
      request<Quota>(`/api/v1/clusters/${id}/quotas`, {
        method: "PUT",
        json: quota,
        headers: ifMatch(etag),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: quotasKey }),
  });
}

/** useTenantQuotas shows a tenant's limits, with the version of what was set; for operators. */
export function useTenantQuotas(id: string) {
  return useQuery({
    queryKey: [...quotasKey, "tenant", id],
    queryFn: ({ signal }) => findTagged<OperatorQuotas>(`/api/v1/tenants/${id}/quotas`, { signal }),
  });
}

export function useSetTenantQuota() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, quota, etag }: QuotaChange) =>
      request<Quota>(`/api/v1/tenants/${id}/quotas`, {
        method: "PUT",
        json: quota,
        headers: ifMatch(etag),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: quotasKey }),
  });
}
