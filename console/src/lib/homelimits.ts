import type { TenantQuotas } from "../data/quotas";
import { formatCompact } from "./format";
import { formatBytes } from "./units";

export interface Limit {
  readonly label: string;
  readonly used: number;
  readonly limit: number;
  readonly format: (value: number) => string;
}

/** limitsOf lists the limits that hold, the one with the least room first. */
export function limitsOf({ limits, use }: Pick<TenantQuotas, "limits" | "use">): readonly Limit[] {
  const all: [label: string, used: number, limit: number | undefined, format: Limit["format"]][] = [
    ["Rows a second", use.asked_rows_per_second, limits.rows_per_second, formatCompact],
    ["Bytes a second", use.asked_bytes_per_second, limits.bytes_per_second, formatBytes],
    ["Bytes today", use.bytes_today, limits.daily_bytes, formatBytes],
    ["Active series", use.active_series, limits.active_series, formatCompact],
    ["Active streams", use.active_streams, limits.active_streams, formatCompact],
  ];
  return all
    .flatMap(([label, used, limit, format]) => (limit ? [{ label, used, limit, format }] : []))
    .sort((a, b) => b.used / b.limit - a.used / a.limit)
    .slice(0, 4);
}
