import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request } from "../lib/api";
import type { components } from "../lib/schema";

export type Role = components["schemas"]["Role"];
export type Permission = components["schemas"]["Permission"];

const rolesKey = ["roles"] as const;

/** useRoles lists the built-in roles from most to least, then the tenant's own. */
export function useRoles() {
  return useQuery({
    queryKey: rolesKey,
    queryFn: async ({ signal }) => (await request<{ items: Role[] }>("/api/v1/roles", { signal })).items,
  });
}

/** usePermissionList lists every permission there is. It changes with releases alone. */
export function usePermissionList() {
  return useQuery({
    queryKey: ["permissions"],
    queryFn: async ({ signal }) =>
      (await request<{ items: Permission[] }>("/api/v1/permissions", { signal })).items,
    staleTime: Infinity,
  });
}

export interface RoleValues {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
}

/** useSaveRole creates a custom role, or replaces what one allows. */
export function useSaveRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ isNew, ...role }: RoleValues & { isNew: boolean }) =>
      isNew
        ? request<Role>("/api/v1/roles", { method: "POST", json: role })
        : request<Role>(`/api/v1/roles/${encodeURIComponent(role.name)}`, { method: "PUT", json: role }),
    onSettled: () => client.invalidateQueries({ queryKey: rolesKey }),
  });
}

export function useDeleteRole() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      request<void>(`/api/v1/roles/${encodeURIComponent(name)}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: rolesKey }),
  });
}
