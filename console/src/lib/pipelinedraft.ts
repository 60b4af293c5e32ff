import type { PipelineRecord, PipelineStep } from "../data/pipelines";
import { ApiError, type Fault } from "./api";

/** What pipelines look like while somebody edits them, apart from the drawing so that it can be tested. */

export const stepKinds = [
  { value: "transform", label: "Transform" },
  { value: "drop", label: "Drop" },
  { value: "sample", label: "Sample" },
  { value: "redact", label: "Redact" },
  { value: "route", label: "Route" },
  { value: "metric", label: "Make a metric" },
] as const;

export const redactPatterns = ["email", "credit_card", "ipv4", "jwt", "token", "secret"] as const;

/** newStep is a step of a kind that does something harmless until it is filled in. */
export function newStep(kind: PipelineStep["kind"], name: string): PipelineStep {
  switch (kind) {
    case "transform":
      return { name, kind, statements: ['set(attributes["seen"], "yes")'] };
    case "drop":
      return { name, kind, match: ["severity_number < SEVERITY_NUMBER_INFO"] };
    case "sample":
      return { name, kind, ratio: 0.5 };
    case "redact":
      return { name, kind, patterns: ["email"] };
    case "route":
      return { name, kind, stream: { team: "unknown" } };
    case "metric":
      return { name, kind, metric: { name: "log_lines_total", type: "counter" } };
  }
}

/** withKind keeps a step's name and conditions and takes the rest of another kind. */
export function withKind(step: PipelineStep, kind: PipelineStep["kind"]): PipelineStep {
  const next = newStep(kind, step.name);
  return step.match ? { ...next, match: step.match } : next;
}

/** moved returns the list with one item at another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined || to < 0 || to >= list.length) return [...list];
  return list.toSpliced(from, 1).toSpliced(to, 0, item);
}

/** faultsBelow are the faults of a part of the document that was sent, with pointers into that part. */
export function faultsBelow(error: unknown, root: string): readonly Fault[] {
  const faults = error instanceof ApiError ? error.faults : [];
  return faults.flatMap(({ pointer, detail }) =>
    pointer === root || pointer.startsWith(`${root}/`)
      ? [{ pointer: pointer.slice(root.length), detail }]
      : [],
  );
}

/** samplesOf makes a record of each line that was typed; a JSON object with a body is a record as it stands. */
export function samplesOf(text: string, labels: Readonly<Record<string, string>>): PipelineRecord[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((body) => recordOf(body) ?? { labels: { ...labels }, body });
}

function recordOf(line: string): PipelineRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Partial<PipelineRecord>;
    if (typeof value.body !== "string") return undefined;
    return { ...value, labels: value.labels ?? {}, body: value.body };
  } catch {
    return undefined;
  }
}

/** pairsOf and textOf turn "name=value" lines into an object and back. */
export function pairsOf(text: string): Record<string, string> {
  const pairs = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const at = line.indexOf("=");
      return at < 0
        ? ([line, ""] as const)
        : ([line.slice(0, at).trim(), line.slice(at + 1).trim()] as const);
    });
  return Object.fromEntries(pairs);
}

export function textOf(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}
