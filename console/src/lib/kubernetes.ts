import type { Labels } from "./matrix";

/** What a column of a list is made from: PromQL whose series have the list's labels. */
export interface Measure {
  readonly query: string;
}

export interface Vector {
  readonly metric: Labels;
  readonly value: readonly [number, string];
}

/** An object of Kubernetes: its labels, and what was measured of it. */
export interface KubeRow {
  readonly key: string;
  readonly labels: Labels;
  readonly values: Readonly<Record<string, number>>;
}

/** joinRows puts answers together by the labels that name an object; other labels of an answer are kept too. */
export function joinRows(
  keys: readonly string[],
  names: readonly string[],
  answers: readonly (readonly Vector[])[],
): KubeRow[] {
  const rows = new Map<string, { labels: Record<string, string>; values: Record<string, number> }>();
  names.forEach((name, place) => {
    for (const { metric, value } of answers[place] ?? []) {
      const key = keys.map((label) => metric[label] ?? "").join("/");
      const row = rows.get(key) ?? { labels: {}, values: {} };
      rows.set(key, {
        labels: { ...row.labels, ...metric },
        values: { ...row.values, [name]: Number(value[1]) },
      });
    }
  });
  // Without the first measure it is nothing that is there now: the remains of an object that was deleted.
  return [...rows].flatMap(([key, row]) => (names[0] && names[0] in row.values ? [{ key, ...row }] : []));
}

/** What to ask for and to allow, from what was used. */
export interface Advice {
  readonly request: number;
  readonly limit?: number;
  readonly verdict: "fits" | "too much" | "too little" | "unset";
}

/**
 * adviseCPU and adviseMemory compare a request with what was used: for CPU, which can be shared, nine tenths of the time; for
 * memory, which cannot, the highest. A request between the advice and its double fits.
 */
export function adviseCPU(usedMost: number, request: number | undefined): Advice {
  return verdict(roundUp(Math.max(0.01, usedMost * 1.15), 0.01), request);
}

export function adviseMemory(usedMost: number, request: number | undefined): Advice {
  const mib = 1024 * 1024;
  const wanted = roundUp(Math.max(16 * mib, usedMost * 1.2), 8 * mib);
  return { ...verdict(wanted, request), limit: roundUp(wanted * 1.5, 8 * mib) };
}

function verdict(wanted: number, request: number | undefined): Advice {
  if (!request) return { request: wanted, verdict: "unset" };
  if (request < wanted * 0.9) return { request: wanted, verdict: "too little" };
  return { request: wanted, verdict: request > wanted * 2 ? "too much" : "fits" };
}

function roundUp(value: number, step: number): number {
  return Number((Math.ceil(value / step - 1e-9) * step).toFixed(6));
}

/** podsOf is a regular expression for the names of a workload's pods. */
export function podsOf(kind: string, name: string): string {
  const plain = name.replace(/[.]/g, "[.]");
  switch (kind) {
    case "StatefulSet":
      return `${plain}-[0-9]+`;
    case "DaemonSet":
      return `${plain}-[a-z0-9]{5}`;
    default:
      return `${plain}-[a-z0-9]+-[a-z0-9]{5}`;
  }
}
