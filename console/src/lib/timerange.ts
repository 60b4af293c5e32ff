import { formatDuration, parseDuration } from "./duration";

/** A range as a person chose it: the last so many seconds, or two fixed points. */
export type TimeRange =
  | { readonly kind: "last"; readonly seconds: number }
  | { readonly kind: "fixed"; readonly fromMs: number; readonly toMs: number };

/** A range with both ends known, half open: from is inside, to is not. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** rangeQuery is an interval as routes of our own take it. */
export const rangeQuery = ({ fromMs, toMs }: Interval) => ({
  start: new Date(fromMs).toISOString(),
  end: new Date(toMs).toISOString(),
});

export const presets: readonly number[] = [300, 900, 3600, 21_600, 86_400];

export const defaultRange: TimeRange = { kind: "last", seconds: 3600 };

export function resolve(range: TimeRange, nowMs: number): Interval {
  if (range.kind === "fixed") return { fromMs: range.fromMs, toMs: range.toMs };
  return { fromMs: nowMs - range.seconds * 1000, toMs: nowMs };
}

/** fixed makes a range of two points in either order, at least a second long. */
export function fixed(aMs: number, bMs: number): TimeRange {
  const fromMs = Math.floor(Math.min(aMs, bMs));
  return { kind: "fixed", fromMs, toMs: Math.max(Math.ceil(Math.max(aMs, bMs)), fromMs + 1000) };
}

/** readRange takes a range from `last`, or from `from` and `to`; a broken link shows the default range. */
export function readRange(params: URLSearchParams): TimeRange {
  const from = readTime(params.get("from"));
  const to = readTime(params.get("to"));
  if (from !== undefined && to !== undefined && from < to) return { kind: "fixed", fromMs: from, toMs: to };
  const seconds = parseDuration(params.get("last") ?? "");
  return seconds === undefined ? defaultRange : { kind: "last", seconds };
}

export function writeRange(params: URLSearchParams, range: TimeRange): void {
  for (const name of ["last", "from", "to"]) params.delete(name);
  if (range.kind === "fixed") {
    params.set("from", new Date(range.fromMs).toISOString());
    params.set("to", new Date(range.toMs).toISOString());
  } else if (range.seconds !== (defaultRange.kind === "last" && defaultRange.seconds)) {
    params.set("last", formatDuration(range.seconds));
  }
}

/** readTime takes RFC 3339 or Unix milliseconds, so that links can be made by hand. */
function readTime(text: string | null): number | undefined {
  if (!text) return undefined;
  const ms = /^\d{10,16}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(ms) ? ms : undefined;
}
