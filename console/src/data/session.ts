import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Session = components["schemas"]["Session"];
export type Credentials = components["schemas"]["Credentials"];

const path = "/api/v1/session";

export const sessionKey = ["session"] as const;

/** useSession returns who is signed in; null is nobody. */
export function useSession() {
  return useQuery({
    queryKey: sessionKey,
    queryFn: ({ signal }) => findSession(signal),
    staleTime: 60_000,
    gcTime: Infinity,
    refetchOnWindowFocus: true,
  });
}

async function findSession(signal: AbortSignal): Promise<Session | null> {
  try {
    return await request<Session>(path, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.kind === "unauthenticated") return null;
    throw error;
  }
}

/** changeSession replaces who is signed in and forgets all else: what one person saw is not for the next. */
export function changeSession(client: QueryClient, session: Session | null): void {
  client.setQueryData(sessionKey, session);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (credentials: Credentials) => request<Session>(path, { method: "POST", json: credentials }),
    onSuccess: (session) => changeSession(client, session),
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<void>(path, { method: "DELETE" }),
    // Even a failed sign-out leaves nothing of the tenant in this page's memory.
    onSettled: () => changeSession(client, null),
  });
}
