import type { Restriction } from "../data/members";

/** describeRestriction says which part of the tenant somebody may read. */
export function describeRestriction(restriction: Restriction | null | undefined): string {
  const parts = [
    part("cluster", restriction?.clusters ?? []),
    part("namespace", restriction?.namespaces ?? []),
  ].filter(Boolean);
  return parts.length > 0 ? parts.join("; ") : "everything";
}

function part(noun: string, names: readonly string[]): string {
  if (names.length === 0) return "";
  return `${names.length === 1 ? noun : `${noun}s`} ${names.join(", ")}`;
}

/** restrictionOf makes what the server takes; undefined narrows nothing. */
export function restrictionOf(
  clusters: readonly string[],
  namespaces: readonly string[],
): Restriction | undefined {
  if (clusters.length === 0 && namespaces.length === 0) return undefined;
  return { clusters: [...clusters], namespaces: [...namespaces] };
}

/** splitNames reads names that are separated by commas or spaces; each once. */
export function splitNames(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}
