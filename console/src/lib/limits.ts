import type { Quota, QuotaUse } from "../data/quotas";
import type { Unit } from "./units";

/** One limit of a quota, in the order in which people read about them. */
export interface Limit {
  readonly name: keyof Quota;
  readonly label: string;
  readonly unit: Unit;
  readonly group: "Sending" | "Shape of data" | "Queries" | "Background jobs";
  /** What is used of it, where that is measured. */
  readonly use?: keyof QuotaUse;
}

export const limits: readonly Limit[] = [
  {
    name: "bytes_per_second",
    label: "Bytes a second",
    unit: "bytes",
    group: "Sending",
    use: "bytes_per_second",
  },
  { name: "bytes_burst", label: "Bytes at once", unit: "bytes", group: "Sending" },
  { name: "rows_per_second", label: "Rows a second", unit: "", group: "Sending", use: "rows_per_second" },
  { name: "rows_burst", label: "Rows at once", unit: "", group: "Sending" },
  { name: "daily_bytes", label: "Bytes a day", unit: "bytes", group: "Sending", use: "bytes_today" },
  { name: "active_series", label: "Active series", unit: "", group: "Sending", use: "active_series" },
  { name: "active_streams", label: "Active streams", unit: "", group: "Sending", use: "active_streams" },
  { name: "retention_days", label: "Longest retention in days", unit: "", group: "Shape of data" },
  { name: "max_labels", label: "Labels", unit: "", group: "Shape of data" },
  { name: "max_label_name_bytes", label: "Label name", unit: "bytes", group: "Shape of data" },
  { name: "max_label_value_bytes", label: "Label value", unit: "bytes", group: "Shape of data" },
  { name: "max_line_bytes", label: "Log line", unit: "bytes", group: "Shape of data" },
  { name: "max_attrs", label: "Attributes of a line", unit: "", group: "Shape of data" },
  { name: "max_age_seconds", label: "Age of a timestamp", unit: "seconds", group: "Shape of data" },
  { name: "max_future_seconds", label: "Timestamp ahead", unit: "seconds", group: "Shape of data" },
  {
    name: "log_filter_rows",
    label: "Least lines of an insert with search filters",
    unit: "",
    group: "Shape of data",
  },
  { name: "query_concurrency", label: "Queries at once", unit: "", group: "Queries" },
  { name: "query_weight", label: "Weight beside other tenants", unit: "", group: "Queries" },
  { name: "query_bytes_per_minute", label: "Bytes read a minute", unit: "bytes", group: "Queries" },
  { name: "query_bytes_per_day", label: "Bytes read a day", unit: "bytes", group: "Queries" },
  { name: "query_max_bytes", label: "Bytes of one query", unit: "bytes", group: "Queries" },
  { name: "query_max_rows", label: "Rows of one query", unit: "", group: "Queries" },
  { name: "query_max_seconds", label: "Time of one query", unit: "seconds", group: "Queries" },
  { name: "query_max_memory_bytes", label: "Memory of one query", unit: "bytes", group: "Queries" },
  { name: "query_max_series", label: "Series of one selector", unit: "", group: "Queries" },
  { name: "query_max_result_bytes", label: "Bytes of one answer", unit: "bytes", group: "Queries" },
  { name: "query_job_bytes", label: "Bytes of one job", unit: "bytes", group: "Background jobs" },
  { name: "query_job_seconds", label: "Time of one job", unit: "seconds", group: "Background jobs" },
  { name: "query_job_queued", label: "Jobs that wait or run", unit: "", group: "Background jobs" },
  { name: "query_job_kept", label: "Jobs kept", unit: "", group: "Background jobs" },
  { name: "query_job_keep_seconds", label: "Results kept", unit: "seconds", group: "Background jobs" },
  { name: "query_job_result_bytes", label: "Bytes of one result", unit: "bytes", group: "Background jobs" },
];

export const limitGroups = ["Sending", "Shape of data", "Queries", "Background jobs"] as const;

/** limitNamed finds a limit by its field. */
export function limitNamed(name: string): Limit | undefined {
  return limits.find((one) => one.name === name);
}

/** withoutZeros is what is sent for a quota: 0 and nothing both mean "not set". */
export function withoutZeros(quota: Quota): Quota {
  return Object.fromEntries(Object.entries(quota).filter(([, value]) => value)) as Quota;
}
