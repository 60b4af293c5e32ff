/** What an alert's labels say: which workload it is about, and where in the console more of it is to be found. */

import type { Labels } from "./matrix";

/** keyOf tells alerts apart by their labels, whoever lists them. */
export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** shortKey is keyOf in few characters, for URLs (FNV-1a, 64 bits in two halves). */
export function shortKey(labels: Labels): string {
  const text = keyOf(labels);
  let low = 0x811c9dc5;
  let high = 0x9dc5811c;
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ text.charCodeAt(text.length - 1 - i), 0x01000193);
  }
  return [low, high].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** The labels that name a workload, the most exact first; the names of its pods begin with the value. */
const workloadLabels = ["deployment", "statefulset", "daemonset", "job_name", "workload"] as const;

const quoted = (text: string) => JSON.stringify(text);

/** escapeRegex takes a text literally in RE2 and in JavaScript. */
export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** workloadOf names what the alert is about in one word, for headings; undefined when its labels name nothing. */
export function workloadOf(labels: Labels): string | undefined {
  const names = ["pod", ...workloadLabels, "node", "instance", "service"];
  return names.map((name) => labels[name]).find(Boolean);
}

/** streamSelectorOf selects the log streams of what the alert is about; undefined when that would be every stream. */
export function streamSelectorOf(labels: Labels): string | undefined {
  const matchers = ["cluster", "namespace", "pod", "container"]
    .filter((name) => labels[name])
    .map((name) => `${name}=${quoted(labels[name] ?? "")}`);
  const workload = workloadLabels.find((name) => labels[name]);
  if (workload && !labels.pod) matchers.push(`pod=~${quoted(`${escapeRegex(labels[workload] ?? "")}-.*`)}`);
  if (labels.node && !labels.namespace) matchers.push(`node=${quoted(labels.node)}`);
  // A cluster alone has all lines there are, which are no evidence.
  return matchers.some((one) => !one.startsWith("cluster=")) ? `{${matchers.join(", ")}}` : undefined;
}

/** troubleQueryOf is LogQL for the lines of the alert's workload that speak of trouble. */
export function troubleQueryOf(labels: Labels): string | undefined {
  const selector = streamSelectorOf(labels);
  return selector && `${selector} | detected_level=~"warn|error|fatal|critical"`;
}

/** eventFiltersOf filters Kubernetes events as the labels allow; undefined when nothing tells the alert's from others. */
export function eventFiltersOf(labels: Labels) {
  const { cluster = "", namespace = "", node = "" } = labels;
  const object = labels.pod ?? (namespace ? "" : node);
  if (!namespace && !object) return undefined;
  return { cluster, namespace, kind: "", object, reason: "", type: "Warning", q: "" };
}

/** podPathOf is the page of the alert's pod. */
export function podPathOf({ cluster, namespace, pod }: Labels): string | undefined {
  if (!cluster || !namespace || !pod) return undefined;
  return `/kubernetes/pods/${[cluster, namespace, pod].map(encodeURIComponent).join("/")}`;
}

/** withoutThreshold takes the comparison with a number off an expression, so that a graph shows the value at all times. */
export function withoutThreshold(expr: string): { expr: string; op: string; threshold: number } | undefined {
  const found =
    /^([\s\S]*\S)\s*(>=|<=|==|!=|>|<)\s*(?:bool\s+)?([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*$/i.exec(expr);
  if (!found) return undefined;
  const [, left = "", op = "", number = ""] = found;
  if (!isWhole(left)) return undefined;
  return { expr: left, op, threshold: Number(number) };
}

/** isWhole says whether brackets and quotes close, and no set operator joins parts outside of them. */
function isWhole(expr: string): boolean {
  const bare = expr.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`/g, '""');
  if (/["'`]/.test(bare.replace(/""/g, ""))) return false;
  let depth = 0;
  let outside = "";
  for (const char of bare) {
    if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
    else if (depth === 0) outside += char;
    if (depth < 0) return false;
  }
  return depth === 0 && !/\b(and|or|unless)\b|[<>]|[=!]=/i.test(outside);
}
