import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request, respond } from "../lib/api";
import type { components } from "../lib/schema";
import { alertsKey, ruleStatesKey } from "./alerts";

export type Pack = components["schemas"]["AlertingPack"];
export type PackParameter = components["schemas"]["AlertingPackParameter"];

const packsKey = ["rule-packs"] as const;
const pathOf = (name: string) => `/api/v1/alerting/packs/${encodeURIComponent(name)}`;

export function usePacks() {
  return useQuery({
    queryKey: packsKey,
    queryFn: ({ signal }) => listAll<Pack>("/api/v1/alerting/packs", { signal }),
  });
}

/** useSavePack switches a pack on, or changes its parameters; useDisablePack switches it off. */
export function useSavePack() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, parameters }: { name: string; parameters: Record<string, string> }) =>
      request<Pack>(pathOf(name), { method: "PUT", json: { parameters } }),
    onSuccess: () => refresh(client),
  });
}

export function useDisablePack() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => request<void>(pathOf(name), { method: "DELETE" }),
    onSuccess: () => refresh(client),
  });
}

function refresh(client: ReturnType<typeof useQueryClient>) {
  return Promise.all(
    [packsKey, ["rule-groups"], ruleStatesKey, alertsKey].map((queryKey) =>
      client.invalidateQueries({ queryKey }),
    ),
  );
}

/** useRunbook returns what to do about an alert of a pack, as Markdown. */
export function useRunbook(path: string | undefined) {
  return useQuery({
    queryKey: ["runbook", path],
    enabled: path !== undefined,
    staleTime: Infinity,
    queryFn: async ({ signal }) =>
      (await respond(path ?? "", { headers: { Accept: "text/markdown, */*" }, signal })).text(),
  });
}
