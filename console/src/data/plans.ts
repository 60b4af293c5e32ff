import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";
import type { Quota } from "./quotas";

export type Plan = components["schemas"]["Plan"];

const path = "/api/v1/plans";
const plansKey = ["plans"] as const;
const pathOf = (name: string) => `${path}/${encodeURIComponent(name)}`;

/** usePlans lists the plans by name, with how many tenants have each; for operators. */
export function usePlans() {
  return useQuery({
    queryKey: plansKey,
    queryFn: ({ signal }) => listAll<Plan>(path, { signal }),
  });
}

export interface PlanValues {
  readonly name: string;
  readonly title: string;
  readonly quota: Quota;
}

/** useSavePlan makes a plan or replaces it; its tenants follow within a second. */
export function useSavePlan() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, title, quota, isNew }: PlanValues & { isNew: boolean }) =>
      request<Plan>(pathOf(name), {
        method: "PUT",
        json: { title, quota },
        headers: isNew ? { "If-None-Match": "*" } : {},
      }),
    onSettled: () => client.invalidateQueries({ queryKey: plansKey }),
  });
}

export function useDeletePlan() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => request<void>(pathOf(name), { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: plansKey }),
  });
}
