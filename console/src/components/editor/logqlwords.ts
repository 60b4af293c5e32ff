import type { Completion } from "@codemirror/autocomplete";

/** The words of LogQL with a line on each, for completion and highlighting. docs/query-apis.md says which there are. */

const call = (label: string, info: string): Completion => ({
  label,
  info,
  type: "function",
  apply: `${label}(`,
});
const stage = (label: string, info: string, apply = label): Completion => ({
  label,
  info,
  type: "keyword",
  apply,
});

/** Functions of a range of lines, such as count_over_time({app="shop"} [5m]). */
export const rangeFunctions: readonly Completion[] = [
  call("rate", "Lines per second."),
  call("count_over_time", "Lines in the range."),
  call("bytes_rate", "Bytes per second."),
  call("bytes_over_time", "Bytes in the range."),
  call("absent_over_time", "1 when the range has no line."),
  call("sum_over_time", "Sum of the unwrapped values."),
  call("avg_over_time", "Average of the unwrapped values."),
  call("max_over_time", "Largest of the unwrapped values."),
  call("min_over_time", "Smallest of the unwrapped values."),
  call("first_over_time", "First of the unwrapped values."),
  call("last_over_time", "Last of the unwrapped values."),
  call("stddev_over_time", "Standard deviation of the unwrapped values."),
  call("stdvar_over_time", "Variance of the unwrapped values."),
  call("quantile_over_time", "A quantile of the unwrapped values: quantile_over_time(0.95, …)."),
  call("rate_counter", "Per-second rate of an unwrapped counter."),
];

export const aggregations: readonly Completion[] = [
  call("sum", "Sum over series."),
  call("avg", "Average over series."),
  call("min", "Smallest of the series."),
  call("max", "Largest of the series."),
  call("count", "Number of series."),
  call("topk", "The k largest series: topk(5, …)."),
  call("bottomk", "The k smallest series."),
  call("stddev", "Standard deviation over series."),
  call("stdvar", "Variance over series."),
  call("sort", "Series by value, upwards."),
  call("sort_desc", "Series by value, downwards."),
  call("label_replace", "Sets a label from another one by a regular expression."),
  call("vector", "A constant as a series."),
];

/** Functions within label filters and unwrap. */
export const lineFunctions: readonly Completion[] = [
  call("duration", "Reads a duration such as 1h30m as seconds."),
  call("duration_seconds", "Reads a duration such as 1h30m as seconds."),
  call("bytes", "Reads a size such as 5 MiB as bytes."),
  call("ip", "Matches addresses by address, range or CIDR."),
];

/** What may follow a pipe. */
export const stages: readonly Completion[] = [
  stage("json", "Reads the line as JSON; its keys become fields."),
  stage("logfmt", "Reads the line as logfmt; its keys become fields."),
  stage("pattern", "Takes fields from the line by a pattern: pattern `<ip> - <_>`.", "pattern `"),
  stage("regexp", "Takes fields from the line by the named groups of a regular expression.", "regexp `"),
  stage("unpack", "Reads a line that was packed with labels."),
  stage("line_format", "Writes the line anew from a template.", "line_format `"),
  stage("label_format", "Renames or makes fields."),
  stage("decolorize", "Removes terminal colours."),
  stage("drop", "Removes fields: drop __error__, level."),
  stage("keep", "Keeps only the named fields."),
  stage("unwrap", "Makes a field's number the value of a range function."),
  stage("distinct", "Shows one line per value of a field."),
];
