import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Token = components["schemas"]["Token"];
export type TokenCreation = components["schemas"]["TokenCreation"];
export type CreatedToken = components["schemas"]["CreatedToken"];

const path = "/api/v1/tokens";
const tokensKey = ["tokens"] as const;

/** useTokens lists the tokens of clusters, and those that query and administer. */
export function useTokens() {
  return useQuery({
    queryKey: tokensKey,
    queryFn: ({ signal }) => listAll<Token>(path, { signal }),
  });
}

export function useCreateToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (json: TokenCreation) => request<CreatedToken>(path, { method: "POST", json }),
    onSettled: () => client.invalidateQueries({ queryKey: tokensKey }),
  });
}

/** useRotateToken gives a token a new secret; the one before is good for the overlap, too. */
export function useRotateToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlapSeconds }: { id: string; overlapSeconds: number }) =>
      request<CreatedToken>(`${path}/${id}/rotate`, {
        method: "POST",
        json: { overlap_seconds: overlapSeconds },
      }),
    onSettled: () => client.invalidateQueries({ queryKey: tokensKey }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${path}/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: tokensKey }),
  });
}
