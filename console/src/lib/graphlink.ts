/**
 * pageOfGraphLink returns the page that shows what a link of an alert leads to. Prometheus' tools expect such links at /graph with the
 * expression in g0.expr; expressions over logs select streams before anything else.
 */
export function pageOfGraphLink(search: string): string {
  const expression = new URLSearchParams(search).get("g0.expr") ?? "";
  const page = overLogs(expression) ? "/logs" : "/metrics";
  return expression === "" ? page : `${page}?${new URLSearchParams({ q: expression })}`;
}

/** overLogs tells LogQL by what PromQL has not: a pipeline after a selector, or a selector without a metric under a range. */
export function overLogs(expression: string): boolean {
  return /\}\s*(\|[=~>]?|!=|!~|!>)\s*["`a-z]/.test(expression) || /(^|[\s(,])\{[^}]*\}\s*\[/.test(expression);
}
