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

const hour = 3600;
const day = 24 * hour;

export const presets: readonly number[] = [
  ...[300, 900, 1800],
  ...[hour, 3 * hour, 6 * hour, 12 * hour],
  ...[day, 2 * day, 7 * day, 30 * day],
];

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

/** moved is the range half of its length earlier (-1) or later (1); nothing lies after now. */
export function moved({ fromMs, toMs }: Interval, direction: -1 | 1, nowMs: number): TimeRange {
  const by = Math.min((direction * (toMs - fromMs)) / 2, Math.max(0, nowMs - toMs));
  return fixed(fromMs + by, toMs + by);
}

/** widened is twice the range, around its middle; one that ends now goes on ending now. */
export function widened(range: TimeRange, nowMs: number): TimeRange {
  if (range.kind === "last") return { kind: "last", seconds: range.seconds * 2 };
  const length = range.toMs - range.fromMs;
  const toMs = Math.max(range.toMs, Math.min(range.toMs + length / 2, nowMs));
  return fixed(toMs - 2 * length, toMs);
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
