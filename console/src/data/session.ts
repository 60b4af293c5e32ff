import { type QueryClient, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiError, refreshSession, request } from "../lib/api";
import type { components } from "../lib/schema";

export type Session = components["schemas"]["Session"];
export type Credentials = components["schemas"]["Credentials"];
export type Provider = components["schemas"]["Provider"];
export type SessionInfo = components["schemas"]["SessionInfo"];
export type Identity = components["schemas"]["Identity"];

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
    mutationFn: (credentials: Credentials) =>
      request<Session>(path, { method: "POST", json: { ...credentials, cookie: true } }),
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

/** useSwitchTenant goes on in another of the person's tenants. */
export function useSwitchTenant() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (tenant: string) => request<Session>(`${path}/tenant`, { method: "POST", json: { tenant } }),
    onSuccess: (session) => changeSession(client, session),
  });
}

/** useKeepAlive refreshes the session of a page that somebody looks at, before its token ends. */
export function useKeepAlive(session: Session): void {
  const every = session.refresh_seconds * 1000;
  useEffect(() => {
    let last = Date.now();
    const refresh = () => {
      if (document.visibilityState !== "visible" || Date.now() - last < every) return;
      last = Date.now();
      // A failure shows at the next request, which says what is wrong.
      refreshSession().catch(() => undefined);
    };
    const timer = window.setInterval(refresh, Math.min(every, 30_000));
    document.addEventListener("visibilitychange", refresh);
    return () => {
      window.clearInterval(timer);
      document.removeEventListener("visibilitychange", refresh);
    };
  }, [every]);
}

/** useProviders lists the ways to sign in beside a password. */
export function useProviders() {
  return useQuery({
    queryKey: ["providers"],
    queryFn: async ({ signal }) =>
      (await request<{ items: Provider[] }>(`${path}/providers`, { signal })).items,
    staleTime: Infinity,
  });
}

/** startPath is where a browser goes to sign in at a provider and come back to a page. */
export function startPath(provider: string, returnTo: string, tenant: string): string {
  const params = new URLSearchParams({ return: returnTo });
  if (tenant) params.set("tenant", tenant);
  return `${path}/oidc/${encodeURIComponent(provider)}/start?${params}`;
}

export function useResetPassword() {
  return useMutation({
    mutationFn: (setting: { token: string; password: string }) =>
      request<{ login: string }>(`${path}/password/reset`, { method: "POST", json: setting }),
  });
}

const sessionsKey = ["sessions"] as const;
const identitiesKey = ["identities"] as const;

/** useSessions lists where the person is signed in. */
export function useSessions() {
  return useQuery({
    queryKey: sessionsKey,
    queryFn: async ({ signal }) =>
      (await request<{ items: SessionInfo[] }>("/api/v1/sessions", { signal })).items,
  });
}

export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`/api/v1/sessions/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsKey }),
  });
}

/** useEndSessions signs the person out everywhere, here too. */
export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => request<void>("/api/v1/sessions", { method: "DELETE" }),
    onSuccess: () => changeSession(client, null),
  });
}

export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: { old_password: string; new_password: string }) =>
      request<Session>(`${path}/password`, { method: "PUT", json: change }),
    onSuccess: (session) => {
      client.setQueryData(sessionKey, session);
      client.invalidateQueries({ queryKey: sessionsKey });
    },
  });
}

/** useIdentities lists the identities at providers that sign in the person. */
export function useIdentities() {
  return useQuery({
    queryKey: identitiesKey,
    queryFn: async ({ signal }) =>
      (await request<{ items: Identity[] }>(`${path}/identities`, { signal })).items,
  });
}

/** useLink leads to a provider, whose identity signs in the person from then on. */
export function useLink() {
  return useMutation({
    mutationFn: (provider: string) =>
      request<{ url: string }>(`${path}/oidc/${encodeURIComponent(provider)}/link`, {
        method: "POST",
        json: { return: "/account" },
      }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
}

export function useUnlink() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<void>(`${path}/identities/${id}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: identitiesKey }),
  });
}
