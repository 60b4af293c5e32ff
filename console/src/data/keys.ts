import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Key = components["schemas"]["Key"];
export type KeyCreation = components["schemas"]["KeyCreation"];
export type CreatedKey = components["schemas"]["CreatedKey"];

const path = "/api/v1/keys";
const keysKey = ["keys"] as const;

/** useKeys lists API keys: all of the tenant with keys:read, else one's own. */
export function useKeys() {
  return useQuery({
    queryKey: keysKey,
    queryFn: ({ signal }) => listAll<Key>(path, { signal }),
  });
}

export function useCreateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (json: KeyCreation) => request<CreatedKey>(path, { method: "POST", json }),
    onSettled: () => client.invalidateQueries({ queryKey: keysKey }),
  });
}

/** useRotateKey gives a key a new secret; the one before is good for the overlap, too. */
export function useRotateKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlapSeconds }: { id: string; overlapSeconds: number }) =>
      request<CreatedKey>(`${path}/${id}/rotate`, {
        method: "POST",
        json: { overlap_seconds: overlapSeconds },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: keysKey }),
  });
}

export function useRevokeKey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${path}/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: keysKey }),
  });
}
