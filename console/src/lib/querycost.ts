/** What a query has cost, as the header Seamark-Query-Cost tells it. */
export interface QueryCost {
  readonly rows: number;
  readonly bytes: number;
  readonly cpuMs: number;
  readonly queuedMs: number;
}

export const noCost: QueryCost = { rows: 0, bytes: 0, cpuMs: 0, queuedMs: 0 };

/** readCost reads "rows=120;bytes=943;cpu_ms=4;queued_ms=0;..."; what is not told is nothing. */
export function readCost(header: string | null): QueryCost {
  const parts = new Map(
    (header ?? "").split(";").map((part) => {
      const [name = "", value] = part.split("=");
      return [name.trim(), Number(value) || 0];
    }),
  );
  return {
    rows: parts.get("rows") ?? 0,
    bytes: parts.get("bytes") ?? 0,
    cpuMs: parts.get("cpu_ms") ?? 0,
    queuedMs: parts.get("queued_ms") ?? 0,
  };
}

/** addCost adds what several queries have cost. */
export function addCost(a: QueryCost, b: QueryCost): QueryCost {
  return {
    rows: a.rows + b.rows,
    bytes: a.bytes + b.bytes,
    cpuMs: a.cpuMs + b.cpuMs,
    queuedMs: a.queuedMs + b.queuedMs,
  };
}
