import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { request, respond } from "../lib/api";
import { alertsKey } from "./alerts";

/** Alertmanager's own form of a silence, which openapi.yaml leaves to it. */
export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

export interface SilenceSpec {
  /** Of the silence to change; a new one is made without it. */
  readonly id?: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
}

export interface Silence extends SilenceSpec {
  readonly id: string;
  readonly updatedAt: string;
  readonly status: { readonly state: "active" | "pending" | "expired" };
}

const base = "/alertmanager/api/v2";
const silencesKey = ["silences"] as const;

export function useSilences() {
  return useQuery({
    queryKey: silencesKey,
    queryFn: ({ signal }) => request<readonly Silence[]>(`${base}/silences`, { signal }),
    refetchInterval: 15_000,
  });
}

/** useSaveSilence makes or changes a silence, and returns its id: a change of what it matches makes a new one. */
export function useSaveSilence() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (spec: SilenceSpec) =>
      request<{ silenceID: string }>(`${base}/silences`, { method: "POST", json: spec }),
    onSuccess: () => refresh(client),
  });
}

/** useExpireSilence ends a silence now. */
export function useExpireSilence() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (id: string) => {
      await respond(`${base}/silence/${encodeURIComponent(id)}`, { method: "DELETE" });
    },
    onSuccess: () => refresh(client),
  });
}

function refresh(client: ReturnType<typeof useQueryClient>) {
  return Promise.all([
    client.invalidateQueries({ queryKey: silencesKey }),
    client.invalidateQueries({ queryKey: alertsKey }),
  ]);
}
