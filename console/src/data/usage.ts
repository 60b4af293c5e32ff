import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";
import { findTagged, ifMatch } from "../lib/tagged";

export type Usage = components["schemas"]["Usage"];
export type UsageItem = components["schemas"]["UsageItem"];
export type UsageSummary = components["schemas"]["UsageSummary"];
export type UsageReconciliation = components["schemas"]["UsageReconciliation"];
export type QueryUsage = components["schemas"]["QueryUsageList"]["items"][number];
export type QueryUsageBy = components["schemas"]["QueryUsageList"]["group_by"];
export type Budget = components["schemas"]["Budget"];
export type BudgetStatus = components["schemas"]["BudgetStatus"];

const path = "/api/v1/usage";

const usageKey = ["usage"] as const;

/** What of the meter is asked for; times in milliseconds. */
export interface UsageAsk {
  readonly fromMs: number;
  readonly toMs: number;
  /** Columns, such as day,signal. */
  readonly groupBy: string;
}

const iso = (ms: number) => new Date(ms).toISOString();

const paramsOf = ({ fromMs, toMs, groupBy }: UsageAsk) => ({
  start: iso(fromMs),
  end: iso(toMs),
  group_by: groupBy,
});

/** useUsage lists what the meter counted, in groups. */
export function useUsage(ask: UsageAsk) {
  const query = paramsOf(ask);
  return useQuery({
    queryKey: [...usageKey, "list", query],
    queryFn: ({ signal }) => request<Usage>(path, { query, signal }),
    placeholderData: (before) => before,
  });
}

/** usageFile is where a browser downloads the same as a file. */
export function usageFile(ask: UsageAsk, format: "csv" | "json"): string {
  return `${path}?${new URLSearchParams({ ...paramsOf(ask), format })}`;
}

/** useTenantsUsage is useUsage over all tenants, or one of them; for operators. */
export function useTenantsUsage(ask: UsageAsk, tenant = "") {
  const query = { ...paramsOf(ask), tenant };
  return useQuery({
    queryKey: [...usageKey, "operator", query],
    queryFn: ({ signal }) => request<Usage>("/api/v1/operator/usage", { query, signal }),
    placeholderData: (before) => before,
  });
}

/** tenantsUsageFile is where an operator downloads the usage of tenants. */
export function tenantsUsageFile(ask: UsageAsk, format: "csv" | "json", tenant = ""): string {
  const params = new URLSearchParams({ ...paramsOf(ask), format });
  if (tenant) params.set("tenant", tenant);
  return `/api/v1/operator/usage?${params}`;
}

/** useQueryUsage lists what queries took, those that read most first. */
export function useQueryUsage(by: QueryUsageBy, fromMs: number, toMs: number) {
  const query = { group_by: by, start: iso(fromMs), end: iso(toMs), limit: 200 };
  return useQuery({
    queryKey: [...usageKey, "queries", query],
    queryFn: async ({ signal }) =>
      (await request<{ items: QueryUsage[] }>(`${path}/queries`, { query, signal })).items,
    placeholderData: (before) => before,
  });
}

/** useUsageSummary shows the month so far and as it is expected to end. */
export function useUsageSummary() {
  return useQuery({
    queryKey: [...usageKey, "summary"],
    queryFn: ({ signal }) => request<UsageSummary>(`${path}/summary`, { signal }),
  });
}

/** useTenantUsageSummary is a tenant's month; for operators. */
export function useTenantUsageSummary(tenant: string) {
  return useQuery({
    queryKey: [...usageKey, "summary", tenant],
    queryFn: ({ signal }) =>
      request<UsageSummary>("/api/v1/operator/usage/summary", { query: { tenant }, signal }),
  });
}

/** useReconciliation compares the meter with what is stored, over the last week. */
export function useReconciliation() {
  return useQuery({
    queryKey: [...usageKey, "reconciliation"],
    queryFn: ({ signal }) => request<UsageReconciliation>(`${path}/reconciliation`, { signal }),
  });
}

/** useTenantsReconciliation compares them for all tenants; for operators. */
export function useTenantsReconciliation() {
  return useQuery({
    queryKey: [...usageKey, "reconciliation", "operator"],
    queryFn: ({ signal }) =>
      request<UsageReconciliation>("/api/v1/operator/usage/reconciliation", { signal }),
  });
}

/** useBudgets reads the budgets with their version. */
export function useBudgets() {
  return useQuery({
    queryKey: [...usageKey, "budgets"],
    queryFn: ({ signal }) => findTagged<{ budgets: Budget[] }>(`${path}/budgets`, { signal }),
  });
}

export function useUpdateBudgets() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ budgets, etag }: { budgets: readonly Budget[]; etag: string }) =>
      request<{ budgets: Budget[] }>(`${path}/budgets`, {
        method: "PUT",
        json: { budgets },
        headers: ifMatch(etag),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: usageKey }),
  });
}
