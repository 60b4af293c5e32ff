import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";
import type { CreatedInvitation, InvitationCreation } from "./members";

export type Tenant = components["schemas"]["Tenant"];
export type TenantSpec = components["schemas"]["TenantSpec"];
export type SignedCertificate = components["schemas"]["SignedCertificate"];

const path = "/api/v1/tenants";
const tenantsKey = ["tenants"] as const;

/** useTenants lists all tenants; the server grants it to operators alone. */
export function useTenants() {
  return useQuery({
    queryKey: tenantsKey,
    queryFn: ({ signal }) => listAll<Tenant>(path, { signal }),
  });
}

export function useCreateTenant() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (json: TenantSpec) => request<Tenant>(path, { method: "POST", json }),
    onSettled: () => client.invalidateQueries({ queryKey: tenantsKey }),
  });
}

/** What can be done to a tenant as a whole; each is undone by its counterpart. */
export type TenantAct = "suspend" | "resume" | "restore";

export function useChangeTenant() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, act }: { id: string; act: TenantAct }) =>
      request<Tenant>(`${path}/${id}/${act}`, { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: tenantsKey }),
  });
}

/** useDeleteTenant begins to delete a tenant; restore undoes it within the grace. */
export function useDeleteTenant() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, grace }: { id: string; grace: string }) =>
      request<Tenant>(`${path}/${id}`, { method: "DELETE", query: { grace } }),
    onSettled: () => client.invalidateQueries({ queryKey: tenantsKey }),
  });
}

/** useCertificate asks for the signed certificate of a purged tenant. */
export function useCertificate() {
  return useMutation({
    mutationFn: (id: string) => request<SignedCertificate>(`${path}/${id}/certificate`),
  });
}

/** useInviteInto invites somebody into a tenant, which so gets its first owner. */
export function useInviteInto() {
  return useMutation({
    mutationFn: ({ id, ...json }: InvitationCreation & { id: string }) =>
      request<CreatedInvitation>(`${path}/${id}/invitations`, { method: "POST", json }),
  });
}

/** useSetTenantPlan gives a tenant a plan, or none with "". */
export function useSetTenantPlan() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, plan }: { id: string; plan: string }) =>
      request<{ plan: string }>(`${path}/${id}/plan`, { method: "PUT", json: { plan } }),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: tenantsKey }),
        client.invalidateQueries({ queryKey: ["quotas"] }),
        client.invalidateQueries({ queryKey: ["plans"] }),
      ]),
  });
}
