import type { GroupDraft, Language, Rule, RuleFault, RuleGroup } from "../data/rules";
import { formatDuration, parseDuration } from "./duration";
import type { Codec } from "./urlstate";

/** One label or annotation in a form; a list keeps its order and half-written rows. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** A rule as the form has it. */
export interface RuleForm {
  readonly kind: "alert" | "record";
  readonly name: string;
  readonly namespace: string;
  readonly group: string;
  readonly language: Language;
  readonly expr: string;
  readonly forSeconds: number | undefined;
  readonly keepSeconds: number | undefined;
  readonly severity: string;
  readonly labels: readonly Pair[];
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
  readonly annotations: readonly Pair[];
}

export const emptyRule: RuleForm = {
  kind: "alert",
  name: "",
  namespace: "console",
  group: "",
  language: "promql",
  expr: "",
  forSeconds: 300,
  keepSeconds: undefined,
  severity: "warning",
  labels: [],
  summary: "",
  description: "",
  runbook: "",
  annotations: [],
};

/** What another page hands to a new rule. */
export interface RulePrefill {
  readonly expr: string;
  readonly language: Language;
}

export const prefillCodec: Codec<RulePrefill> = {
  read: (params) => ({
    expr: params.get("expr") ?? "",
    language: params.get("language") === "logql" ? "logql" : "promql",
  }),
  write(params, { expr, language }) {
    if (expr) params.set("expr", expr);
    else params.delete("expr");
    if (language === "logql") params.set("language", language);
    else params.delete("language");
  },
};

const pairsOf = (map: Readonly<Record<string, string>> | undefined, without: readonly string[]): Pair[] =>
  Object.entries(map ?? {})
    .filter(([name]) => !without.includes(name))
    .map(([name, value]) => ({ name, value }));

const ownAnnotations = ["summary", "description", "runbook_url"];

/** formOf puts a stored rule into the form. */
export function formOf(rule: Rule, namespace: string, group: string, language: Language): RuleForm {
  const { annotations = {}, labels = {} } = rule;
  return {
    kind: rule.record ? "record" : "alert",
    name: rule.alert ?? rule.record ?? "",
    namespace,
    group,
    language,
    expr: rule.expr,
    forSeconds: parseDuration(rule.for ?? ""),
    keepSeconds: parseDuration(rule.keep_firing_for ?? ""),
    severity: labels.severity ?? "",
    labels: pairsOf(labels, ["severity"]),
    summary: annotations.summary ?? "",
    description: annotations.description ?? "",
    runbook: annotations.runbook_url ?? "",
    annotations: pairsOf(annotations, ownAnnotations),
  };
}

function mapOf(pairs: readonly (readonly [string, string])[]): Record<string, string> | undefined {
  const kept = pairs.map(([name, value]) => [name.trim(), value] as const).filter(([n, v]) => n && v);
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** ruleOf is the form as a rule; what is empty is left out. */
export function ruleOf(form: RuleForm): Rule {
  const pairs = (list: readonly Pair[]) => list.map(({ name, value }) => [name, value] as const);
  const isAlert = form.kind === "alert";
  const severity = isAlert ? [["severity", form.severity] as const] : [];
  const labels = mapOf([...severity, ...pairs(form.labels)]);
  const annotations = mapOf([
    ["summary", form.summary],
    ["description", form.description],
    ["runbook_url", form.runbook],
    ...pairs(form.annotations),
  ]);
  return {
    [form.kind]: form.name.trim(),
    expr: form.expr,
    ...(isAlert && form.forSeconds ? { for: formatDuration(form.forSeconds) } : {}),
    ...(isAlert && form.keepSeconds ? { keep_firing_for: formatDuration(form.keepSeconds) } : {}),
    ...(labels ? { labels } : {}),
    ...(isAlert && annotations ? { annotations } : {}),
  };
}

/** testDraft is a group of the one rule, for checks and backtests; a rule without a name is tested under one. */
export function testDraft(form: RuleForm, interval = "1m"): GroupDraft | undefined {
  if (form.expr.trim() === "") return undefined;
  const fallback = form.kind === "alert" ? "NewAlert" : "new:record";
  const rule = ruleOf({ ...form, name: form.name.trim() || fallback });
  return { namespace: "test", language: form.language, group: { name: "test", interval, rules: [rule] } };
}

/** withRule returns the group with a rule at a place, or at its end. */
export function withRule(group: RuleGroup, rule: Rule, place: number | undefined): RuleGroup {
  const rules = [...group.rules];
  if (place === undefined) rules.push(rule);
  else rules[place] = rule;
  return { ...group, rules };
}

export function withoutRule(group: RuleGroup, place: number): RuleGroup {
  return { ...group, rules: group.rules.filter((_, i) => i !== place) };
}

/** exprDiagnostics are the faults that lie within the rule's expression, as the editor marks them. */
export function exprDiagnostics(faults: readonly RuleFault[]) {
  return faults
    .filter(({ pointer }) => pointer.endsWith("/expr"))
    .map(({ message, expr_line: line, expr_column: column }) => ({
      message: plainFault(message),
      ...(line ? { line } : {}),
      ...(column ? { column } : {}),
    }));
}

/** yamlDiagnostics are the faults of a group by their place in its YAML. */
export function yamlDiagnostics(faults: readonly RuleFault[]) {
  return faults.map(({ message, line, column, name }) => ({
    message: name ? `${name}: ${plainFault(message)}` : plainFault(message),
    ...(line ? { line } : {}),
    ...(column ? { column } : {}),
  }));
}

/** plainFault leaves out the place in words, which the editor shows. */
function plainFault(message: string): string {
  return message.replace(/ \(line \d+, column \d+ of the expression\)$/, "");
}

/** faultOf finds the first fault of a field of the rule: for, labels, annotations. */
export function faultOf(faults: readonly RuleFault[], field: string): string | undefined {
  return faults.find(({ pointer }) => new RegExp(`^/rules/\\d+/${field}(/|$)`).test(pointer))?.message;
}

/** The ranges that backtests are offered for, with the interval that keeps them quick. */
export const backtestRanges = [
  { value: "1h", label: "Last hour", seconds: 3600, interval: 30 },
  { value: "6h", label: "Last 6 hours", seconds: 21_600, interval: 60 },
  { value: "1d", label: "Last day", seconds: 86_400, interval: 60 },
  { value: "7d", label: "Last week", seconds: 604_800, interval: 300 },
] as const;

export type BacktestRange = (typeof backtestRanges)[number]["value"];
