export type Freshness = "fresh" | "stale" | "never";

// Agents push at least once a minute; two misses are worth a look.
const freshMs = 120_000;

/** freshnessOf judges when a signal last arrived. */
export function freshnessOf(at: string | null, nowMs: number): Freshness {
  if (at === null) return "never";
  return nowMs - Date.parse(at) < freshMs ? "fresh" : "stale";
}
