/** starterQuery makes a first query of a metric's name: a rate for what only grows, the plain value for the rest. */
export function starterQuery(name: string, type: string | undefined): string {
  const counts = type === "counter" || /_(total|count|sum|bucket)$/.test(name);
  if (/_bucket$/.test(name)) return `histogram_quantile(0.95, sum by (le) (rate(${name}[5m])))`;
  return counts ? `sum(rate(${name}[5m]))` : name;
}

/** familyOf finds the family whose metadata describes a metric: a histogram's parts share their family's. */
export function familyOf<T>(name: string, metadata: Readonly<Record<string, readonly T[]>>): T | undefined {
  return (metadata[name] ?? metadata[name.replace(/_(bucket|count|sum|total)$/, "")])?.[0];
}
