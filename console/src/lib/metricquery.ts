import type { Unit } from "./units";

/** starterQuery makes a first query of a metric's selector: a rate for what only grows, the plain value for the rest. */
export function starterQuery(name: string, type: string | undefined, selector = name): string {
  const counts = type === "counter" || /_(total|count|sum|bucket)$/.test(name);
  if (/_bucket$/.test(name)) return `histogram_quantile(0.95, sum by (le) (rate(${selector}[5m])))`;
  return counts ? `sum(rate(${selector}[5m]))` : selector;
}

/** familyOf finds the family whose metadata describes a metric: a histogram's parts share their family's. */
export function familyOf<T>(name: string, metadata: Readonly<Record<string, readonly T[]>>): T | undefined {
  return (metadata[name] ?? metadata[name.replace(/_(bucket|count|sum|total)$/, "")])?.[0];
}

export interface Matcher {
  readonly label: string;
  readonly values: readonly string[];
}

/** selectorOf writes a selector of a metric; several values of a label become a pattern. */
export function selectorOf(name: string, matchers: readonly Matcher[]): string {
  const written = matchers
    .filter(({ values }) => values.length > 0)
    .map(({ label, values }) =>
      values.length === 1
        ? `${label}=${JSON.stringify(values[0])}`
        : `${label}=~${JSON.stringify(values.map(escapePattern).join("|"))}`,
    );
  return written.length > 0 ? `${name}{${written.join(", ")}}` : name;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

const rated = /\b(i?rate|deriv)\s*\(/;

/** unitOf guesses what a query's numbers count, by the conventional endings of its metrics' names. */
export function unitOf(expr: string): Unit {
  if (/\b(count|count_values|changes|resets)\s*(by|without|\()/.test(expr)) return "";
  if (expr.includes("histogram_quantile") && /_seconds(_bucket)?\b/.test(expr)) return "seconds";
  // A quotient of two alike has no unit of theirs.
  if (/[^\s]\s*\/\s*[^\s]/.test(expr.replace(/"(?:[^"\\]|\\.)*"/g, '""'))) return unitOfQuotient(expr);
  if (/_bytes(_total)?\b/.test(expr)) return rated.test(expr) ? "bytes/s" : "bytes";
  if (/_(ratio|utilization)\b/.test(expr)) return "ratio";
  if (/_percent\b/.test(expr)) return "percent";
  if (/_(timestamp|time)_seconds\b/.test(expr)) return "";
  if (/_seconds(_total|_sum)?\b/.test(expr) && !/_seconds_(count|bucket)\b/.test(expr))
    return rated.test(expr) ? "" : "seconds";
  if (rated.test(expr) && /_(total|count|bucket)\b/.test(expr)) return "/s";
  return "";
}

function unitOfQuotient(expr: string): Unit {
  if (/\*\s*100\b|\b100\s*\*/.test(expr)) return "percent";
  // The sum by the count of a histogram is its mean.
  if (/_seconds_sum\b/.test(expr) && /_seconds_count\b/.test(expr)) return "seconds";
  return "";
}

/** bucketQuery makes a heatmap's query of a histogram's buckets: how many fell into each, step by step. */
export function bucketQuery(selector: string): string {
  return `sum by (le) (increase(${selector}[$__interval]))`;
}

/** filled puts the step in the place of $__interval, as dashboards write it. */
export function filled(expr: string, stepSeconds: number): string {
  return expr.replaceAll("$__interval", `${Math.max(60, Math.round(stepSeconds))}s`);
}

/** bucketSelector finds what a query that shows no buckets reads them of; undefined when it reads none. */
export function bucketSelector(expr: string): string | undefined {
  return /[a-zA-Z_:][\w:]*_bucket(?:\{[^}]*\})?/.exec(expr)?.[0];
}
