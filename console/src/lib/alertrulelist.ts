import type { RawRule, RawRuleGroup } from "../data/alerts";
import type { Language, StoredGroup } from "../data/rules";
import { textCodec } from "./urlstate";

export const rulesCodec = textCodec(["q", "state", "sort"]);

/** A rule as the list shows it. */
export interface RuleRow {
  readonly key: string;
  readonly namespace: string;
  readonly group: string;
  /** Its place in the group, from 0. */
  readonly place: number;
  readonly language: Language;
  readonly pack: string | undefined;
  readonly name: string;
  readonly kind: "alerting" | "recording";
  readonly expr: string;
  readonly severity: string;
  readonly firing: number;
  readonly pending: number;
  /** undefined while the rule has not run yet. */
  readonly state: RawRule | undefined;
}

/** ruleRows brings together the groups as stored and as they run; a group that was just saved does not run yet. */
export function ruleRows(
  stored: readonly StoredGroup[],
  running: readonly RawRuleGroup[],
): readonly RuleRow[] {
  const states = new Map(running.map((group) => [`${group.file}\n${group.name}`, group]));
  return stored.flatMap(({ namespace, name, language, pack, group }) => {
    const rules = states.get(`${namespace}\n${name}`)?.rules;
    return group.rules.map((rule, place): RuleRow => {
      const own = rule.alert ?? rule.record ?? "";
      const state = rules?.[place]?.name === own ? rules[place] : undefined;
      const alerts = state?.alerts ?? [];
      return {
        key: `${namespace}/${name}/${place}`,
        namespace,
        group: name,
        place,
        language,
        pack,
        name: own,
        kind: rule.record ? "recording" : "alerting",
        expr: rule.expr,
        severity: rule.labels?.severity ?? "",
        firing: alerts.filter((one) => one.state === "firing").length,
        pending: alerts.filter((one) => one.state === "pending").length,
        state,
      };
    });
  });
}

/** ruleStatus says in one word how a rule does. */
export function ruleStatus(row: RuleRow): "failing" | "firing" | "pending" | "ok" | "waiting" {
  if (row.state?.health === "err") return "failing";
  if (row.firing > 0) return "firing";
  if (row.pending > 0) return "pending";
  return row.state?.health === "ok" ? "ok" : "waiting";
}

export function ruleMatches(row: RuleRow, q: string, state: string): boolean {
  if (state !== "" && ruleStatus(row) !== state && row.kind !== state) return false;
  const hay = `${row.namespace} ${row.group} ${row.name} ${row.expr} ${row.severity}`.toLowerCase();
  return q
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => hay.includes(word));
}

/** isNever tells Go's zero time, which stands for never. */
export function isNever(time: string | undefined): boolean {
  return time === undefined || time.startsWith("0001-");
}
