import { useQuery } from "@tanstack/react-query";
import { listAll } from "../lib/api";
import type { components } from "../lib/schema";

export type Tenant = components["schemas"]["Tenant"];

/** useTenants lists all tenants; the server grants it to operators alone. */
export function useTenants() {
  return useQuery({
    queryKey: ["tenants"],
    queryFn: ({ signal }) => listAll<Tenant>("/api/v1/tenants", { signal }),
  });
}
