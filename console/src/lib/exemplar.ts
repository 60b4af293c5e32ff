import { type Labels, seriesName } from "./matrix";
import type { Unit } from "./units";

/** A single request that was measured, with labels of its own beside those of its series. */
export interface Exemplar {
  readonly seconds: number;
  readonly value: number;
  readonly series: Labels;
  readonly labels: Labels;
}

const traceNames = ["trace_id", "traceID", "traceId"];

/** traceOf is the trace that an exemplar names, whatever its sender calls it; "" where it names none. */
export function traceOf({ labels }: Exemplar): string {
  return traceNames.map((name) => labels[name]).find(Boolean) ?? "";
}

/** otherLabels are what the sender wrote beside the trace, such as a span or a user. */
export function otherLabels({ labels }: Exemplar): [string, string][] {
  return Object.entries(labels).filter(([name]) => !traceNames.includes(name));
}

export function keyOf(one: Exemplar): string {
  return `${one.seconds} ${one.value} ${traceOf(one)} ${seriesName(one.series)}`;
}

/** unitOfOne is the unit of a single measured value where the graph may show so many a second. */
export function unitOfOne(unit: Unit): Unit {
  if (unit === "bytes/s") return "bytes";
  return unit === "/s" ? "" : unit;
}

/** distinct leaves out what several queries have found, and puts the latest first. */
export function distinct(found: readonly Exemplar[]): Exemplar[] {
  const byKey = new Map(found.map((one) => [keyOf(one), one]));
  return [...byKey.values()].sort((a, b) => b.seconds - a.seconds);
}

/**
 * thinned keeps at most so many, spread over the whole time, and the largest of each stretch: those are the ones that one looks for.
 * The order stays.
 */
export function thinned(all: readonly Exemplar[], most: number): readonly Exemplar[] {
  if (all.length <= most) return all;
  const times = all.map(({ seconds }) => seconds);
  const from = Math.min(...times);
  const span = Math.max(...times) - from || 1;
  const stretches: Exemplar[][] = Array.from({ length: most }, () => []);
  for (const one of all) {
    const at = Math.min(most - 1, Math.floor(((one.seconds - from) / span) * most));
    stretches[at]?.push(one);
  }
  for (const stretch of stretches) stretch.sort((a, b) => b.value - a.value);
  const kept = new Set<Exemplar>();
  for (let rank = 0; kept.size < most; rank++) {
    for (const stretch of stretches) {
      const one = stretch[rank];
      if (one && kept.size < most) kept.add(one);
    }
  }
  return all.filter((one) => kept.has(one));
}
