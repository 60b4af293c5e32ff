import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { listAll, request, respond } from "../lib/api";
import type { components } from "../lib/schema";
import { alertsKey, fetchRuleStates, ruleStatesKey } from "./alerts";

type Schemas = components["schemas"];
export type Rule = Schemas["AlertingRule"];
export type RuleGroup = Schemas["AlertingRules"];
export type StoredGroup = Schemas["AlertingGroup"];
export type RuleFault = Schemas["AlertingFault"];
export type TestReport = Schemas["AlertingTestReport"];
export type TestResult = Schemas["AlertingTestResult"];
export type Language = "promql" | "logql";

/** A group as it is written: an object, or its YAML as text. */
export interface GroupDraft {
  readonly namespace: string;
  readonly language: Language;
  readonly group: RuleGroup | string;
}

/** A group with the version that changes are held against. */
export interface VersionedGroup extends StoredGroup {
  readonly etag: string | undefined;
}

const groupsKey = ["rule-groups"] as const;
const base = "/api/v1/alerting";

const pathOf = (namespace: string, group: string) =>
  `${base}/groups/${encodeURIComponent(namespace)}/${encodeURIComponent(group)}`;

/** useRuleStates lists running rules with health and last evaluation. */
export function useRuleStates() {
  return useQuery({
    queryKey: ruleStatesKey,
    queryFn: ({ signal }) => fetchRuleStates(signal),
    refetchInterval: 15_000,
  });
}

/** useRuleGroups lists the groups as they are stored, those of packs among them. */
export function useRuleGroups() {
  return useQuery({
    queryKey: groupsKey,
    queryFn: ({ signal }) => listAll<StoredGroup>(`${base}/groups`, { signal }),
  });
}

/** useRuleGroup returns one group with its version; without names it asks nothing. */
export function useRuleGroup(namespace: string, group: string) {
  return useQuery({
    queryKey: [...groupsKey, namespace, group],
    enabled: namespace !== "" && group !== "",
    queryFn: ({ signal }) => findRuleGroup(namespace, group, signal),
  });
}

export async function findRuleGroup(
  namespace: string,
  group: string,
  signal?: AbortSignal,
): Promise<VersionedGroup> {
  const response = await respond(pathOf(namespace, group), signal ? { signal } : {});
  const etag = response.headers.get("ETag") ?? undefined;
  return { ...((await response.json()) as StoredGroup), etag };
}

/** useGroupYaml returns a group as the YAML that tools get. */
export function useGroupYaml(stored: StoredGroup | undefined) {
  return useQuery({
    queryKey: [...groupsKey, "yaml", stored?.namespace, stored?.name, stored?.language],
    enabled: stored !== undefined,
    queryFn: async ({ signal }) => {
      const ruler = stored?.language === "logql" ? "/loki/api/v1/rules" : "/prometheus/config/v1/rules";
      const names = [stored?.namespace ?? "", stored?.name ?? ""].map(encodeURIComponent).join("/");
      return (await respond(`${ruler}/${names}`, { headers: { Accept: "*/*" }, signal })).text();
    },
  });
}

interface SaveGroup extends GroupDraft {
  readonly name: string;
  /** Refuses to replace another version than this one; "new" refuses to replace any. */
  readonly version?: string | undefined;
}

export function useSaveGroup() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ namespace, name, language, group, version }: SaveGroup) => {
      const headers: Record<string, string> =
        version === "new" ? { "If-None-Match": "*" } : version ? { "If-Match": version } : {};
      return request<StoredGroup>(pathOf(namespace, name), {
        method: "PUT",
        json: { namespace, language, group },
        headers,
      });
    },
    onSuccess: () => refresh(client),
  });
}

export function useDeleteGroup() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ namespace, name }: { namespace: string; name: string }) =>
      request<void>(pathOf(namespace, name), { method: "DELETE" }),
    // The group's own page is still there for a moment, and must not ask for what is gone.
    onSuccess: () => refresh(client, { exact: true }),
  });
}

function refresh(client: ReturnType<typeof useQueryClient>, { exact = false } = {}) {
  return Promise.all(
    [groupsKey, ruleStatesKey, alertsKey].map((queryKey) => client.invalidateQueries({ queryKey, exact })),
  );
}

/** useCheckGroup tells all faults of a draft; undefined asks nothing. */
export function useCheckGroup(draft: GroupDraft | undefined) {
  return useQuery({
    queryKey: ["rule-check", draft],
    enabled: draft !== undefined,
    queryFn: async ({ signal }) =>
      (await request<Schemas["AlertingCheck"]>(`${base}/check`, { method: "POST", json: draft, signal }))
        .faults,
    retry: false,
  });
}

/** useDryRun tells which alerts a draft would have active now; undefined asks nothing. */
export function useDryRun(draft: GroupDraft | undefined) {
  return useQuery({
    queryKey: ["rule-dry-run", draft],
    enabled: draft !== undefined,
    queryFn: ({ signal }) =>
      request<TestReport>(`${base}/dry-run`, {
        method: "POST",
        json: draft,
        purpose: { class: "adhoc", part: "rules/dry-run" },
        signal,
      }),
    retry: false,
  });
}

/** What a backtest is asked for. */
export interface Backtest {
  readonly draft: GroupDraft;
  readonly fromMs: number;
  readonly toMs: number;
  /** How often the rules are evaluated in it. */
  readonly intervalSeconds: number;
}

/** useBacktest tells when a draft would have fired in a range; undefined asks nothing. */
export function useBacktest(test: Backtest | undefined) {
  return useQuery({
    queryKey: ["rule-backtest", test],
    enabled: test !== undefined,
    staleTime: Infinity,
    retry: false,
    queryFn: ({ signal }) =>
      request<TestReport>(`${base}/backtest`, {
        method: "POST",
        json: {
          ...test?.draft,
          start: new Date(test?.fromMs ?? 0).toISOString(),
          end: new Date(test?.toMs ?? 0).toISOString(),
          interval: `${test?.intervalSeconds ?? 60}s`,
        },
        purpose: { class: "adhoc", part: "rules/backtest" },
        signal,
      }),
  });
}
