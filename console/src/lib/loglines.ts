import { type Level, parseLevel } from "./level";
import type { Labels } from "./matrix";

/** One stream of Loki's answer: lines as [nanoseconds, line, fields when told apart from labels]. */
export interface RawStream {
  readonly stream: Labels;
  readonly values: readonly (readonly [string, string, RawFields?])[];
}

interface RawFields {
  readonly structuredMetadata?: Labels;
  readonly parsed?: Labels;
}

export interface LogLine {
  readonly ns: string;
  readonly ms: number;
  readonly level: Level;
  readonly line: string;
  readonly labels: Labels;
  /** Structured metadata, which was sent with the line. */
  readonly metadata: Labels;
  /** Fields that the query's parsers found in the line. */
  readonly parsed: Labels;
}

export type Direction = "backward" | "forward";

export interface PageShape {
  /** The lines that were asked for; a page with fewer is the last. */
  readonly limit: number;
  readonly direction: Direction;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Where the next page begins: its end (exclusive) of newest first, its start of oldest first; undefined when there is none. */
  readonly nextNs: string | undefined;
}

const none: Labels = {};

/** toPage flattens streams into lines, in the order of the direction. */
export function toPage(streams: readonly RawStream[], { limit, direction }: PageShape): LogPage {
  const order = direction === "backward" ? -1 : 1;
  const lines = streams.flatMap(toLines).sort((a, b) => order * compareNs(a.ns, b.ns));
  return { lines, nextNs: lines.length < limit ? undefined : nextNs(lines, direction) };
}

/** toLines reads one stream; its lines share the labels. */
export function toLines({ stream, values }: RawStream): LogLine[] {
  return values.map(([ns, line, raw]) => {
    const metadata = raw?.structuredMetadata ?? none;
    const parsed = raw?.parsed ?? none;
    const level = parseLevel(
      metadata.detected_level ?? stream.detected_level ?? parsed.level ?? metadata.level ?? stream.level,
    );
    return { ns, ms: Number(ns.slice(0, -6)), level, line, labels: stream, metadata, parsed };
  });
}

/**
 * nextNs includes the last nanosecond once more: the limit may have cut between lines of the same time. joinPages drops what
 * comes twice. A page all of one time moves on, since asking again would bring the same lines for ever.
 */
function nextNs(lines: readonly LogLine[], direction: Direction): string | undefined {
  const last = lines.at(-1)?.ns;
  if (last === undefined) return undefined;
  const stuck = lines[0]?.ns === last;
  if (direction === "backward") return stuck ? last : String(BigInt(last) + 1n);
  return stuck ? String(BigInt(last) + 1n) : last;
}

/** joinPages puts pages, in their order, into one list. Equal lines at a seam count once per page that has them. */
export function joinPages(pages: readonly LogPage[]): LogLine[] {
  const all: LogLine[] = [];
  for (const { lines } of pages) {
    const seam = all.at(-1)?.ns;
    const seen = new Map<string, number>();
    for (let i = all.length - 1; i >= 0 && all[i]?.ns === seam; i--)
      bump(seen, identity(all[i] as LogLine), 1);
    for (const line of lines) {
      const left = line.ns === seam ? (seen.get(identity(line)) ?? 0) : 0;
      if (left > 0) bump(seen, identity(line), -1);
      else all.push(line);
    }
  }
  return all;
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function identity(line: LogLine): string {
  return JSON.stringify([line.line, line.labels, line.metadata, line.parsed]);
}

/** carried finds lines of an earlier answer in a later one, which has them as other objects. */
export function carried(earlier: Iterable<LogLine>, later: readonly LogLine[]): LogLine[] {
  const wanted = new Map<string, LogLine[]>();
  for (const line of earlier) wanted.set(line.ns, [...(wanted.get(line.ns) ?? []), line]);
  if (wanted.size === 0) return [];
  return later.filter((line) => {
    const sought = wanted.get(line.ns);
    const at = sought?.findIndex((one) => isSame(one, line)) ?? -1;
    if (at >= 0) sought?.splice(at, 1);
    return at >= 0;
  });
}

/** isSame leaves parsed fields out, which another query may find or not. */
function isSame(a: LogLine, b: LogLine): boolean {
  return a.line === b.line && JSON.stringify(a.labels) === JSON.stringify(b.labels);
}

/** compareNs compares times in nanoseconds, which are too long for numbers. */
export function compareNs(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

const originLabels = ["pod", "app", "service_name", "container", "job", "filename"];

/** originOf names where a line came from, in the few words that tell most. */
export function originOf(labels: Labels): string {
  const who = originLabels.map((name) => labels[name]).find(Boolean) ?? "";
  return labels.namespace && who
    ? `${labels.namespace}/${who}`
    : who || labels.namespace || labels.cluster || "";
}

/** fieldOf finds what a line has under a name, wherever it stands. */
export function fieldOf(line: LogLine, name: string): string | undefined {
  return line.parsed[name] ?? line.metadata[name] ?? line.labels[name];
}

/** selectorOf writes a selector that takes the line's stream and no other. */
export function selectorOf(labels: Labels): string {
  const matchers = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${matchers.join(", ")}}`;
}

/** podPath is the page of the line's pod; undefined for lines that name none. */
export function podPath({ cluster, namespace, pod }: Labels): string | undefined {
  if (!cluster || !namespace || !pod) return undefined;
  return `/kubernetes/pods/${[cluster, namespace, pod].map(encodeURIComponent).join("/")}`;
}

/** traceOf finds the id of the trace that a line belongs to. */
export function traceOf(line: LogLine): string | undefined {
  for (const name of ["trace_id", "traceID", "traceId"]) {
    const found = fieldOf(line, name);
    if (found && /^[0-9a-fA-F]{16,32}$/.test(found)) return found;
  }
  return undefined;
}
