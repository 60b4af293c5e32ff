import { formatCompact } from "./format";
import { formatBytes, formatSeconds } from "./units";

/** What an answer has cost, as the server says it in the headers of each. */
export interface QueryCost {
  /** By which the query can be looked up and cancelled while it runs. */
  readonly queryId: string | undefined;
  readonly rows: number;
  readonly bytes: number;
  readonly cpuMs: number;
  readonly queuedMs: number;
  /** What the server's memory has answered in the store's place; it counts for no limit. */
  readonly cacheBytes: number;
}

/** readCost reads the headers Seamark-Query-Id and Seamark-Query-Cost ("rows=120;bytes=943;..."). */
export function readCost(headers: Headers): QueryCost {
  const parts = new Map(
    (headers.get("Seamark-Query-Cost") ?? "").split(";").map((part) => {
      const [name = "", value] = part.split("=");
      return [name, Number(value) || 0];
    }),
  );
  return {
    queryId: headers.get("Seamark-Query-Id") ?? undefined,
    rows: parts.get("rows") ?? 0,
    bytes: parts.get("bytes") ?? 0,
    cpuMs: parts.get("cpu_ms") ?? 0,
    queuedMs: parts.get("queued_ms") ?? 0,
    cacheBytes: parts.get("cache_bytes") ?? 0,
  };
}

/** costWords says what an answer has cost, the weightiest first. */
export function costWords(cost: QueryCost): string[] {
  const words = [`${formatBytes(cost.bytes)} read`, `${formatCompact(cost.rows)} rows`];
  if (cost.cacheBytes > 0) words.push(`${formatBytes(cost.cacheBytes)} from the cache`);
  if (cost.cpuMs > 0) words.push(`${formatSeconds(cost.cpuMs / 1000)} of CPU`);
  if (cost.queuedMs > 0) words.push(`waited ${formatSeconds(cost.queuedMs / 1000)}`);
  return words;
}
