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
  /** Structured metadata and parsed fields. */
  readonly fields: Labels;
}

export interface LogPage {
  readonly lines: readonly LogLine[];
  /** Where the next, older page ends (exclusive); undefined when there is none. */
  readonly nextEndNs: string | undefined;
}

/** toPage flattens streams into lines, newest first. */
export function toPage(streams: readonly RawStream[], limit: number): LogPage {
  const lines = streams.flatMap(toLines).sort((a, b) => compareNs(b.ns, a.ns));
  return { lines, nextEndNs: lines.length < limit ? undefined : nextEnd(lines) };
}

function toLines({ stream, values }: RawStream): LogLine[] {
  return values.map(([ns, line, raw]) => {
    const fields = { ...raw?.structuredMetadata, ...raw?.parsed };
    const level = parseLevel(fields.detected_level ?? stream.detected_level ?? fields.level ?? stream.level);
    return { ns, ms: Number(ns.slice(0, -6)), level, line, labels: stream, fields };
  });
}

/**
 * nextEnd includes the oldest nanosecond once more: the limit may have cut between lines of the same time. joinPages
 * drops what comes twice. A page all of one time moves on, since asking again would bring the same lines for ever.
 */
function nextEnd(lines: readonly LogLine[]): string | undefined {
  const oldest = lines.at(-1)?.ns;
  if (oldest === undefined) return undefined;
  return lines[0]?.ns === oldest ? oldest : String(BigInt(oldest) + 1n);
}

/** joinPages puts pages, newest first, into one list. Equal lines at a seam count once per page that has them. */
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
  return JSON.stringify([line.line, line.labels, line.fields]);
}

function compareNs(a: string, b: string): number {
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
