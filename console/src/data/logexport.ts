import { request } from "../lib/api";
import type { Interval } from "../lib/timerange";

interface LogExport {
  readonly query: string;
  readonly interval: Interval;
  readonly oldestFirst: boolean;
  readonly format: "ndjson" | "csv" | "parquet";
}

/** exportLogs has the browser download all lines of a query; the file is streamed, however long. */
export async function exportLogs({ query, interval, oldestFirst, format }: LogExport): Promise<void> {
  // The browser's own download knows no refreshing: a session that is over would be saved as a file.
  await request("/api/v1/session");
  const params = new URLSearchParams({
    query,
    start: `${Math.floor(interval.fromMs)}000000`,
    end: `${Math.floor(interval.toMs)}000000`,
    direction: oldestFirst ? "forward" : "backward",
    format,
  });
  const link = document.createElement("a");
  link.href = `/api/v1/logs/export?${params}`;
  link.download = "";
  link.click();
}
