package seamark

import (
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// limits are what a tenant, a cluster or a plan is bounded by. What is left out is not set.
type limits struct {
	BytesPerSecond      *int64 `tfsdk:"bytes_per_second" json:"bytes_per_second,omitempty"`
	BytesBurst          *int64 `tfsdk:"bytes_burst" json:"bytes_burst,omitempty"`
	RowsPerSecond       *int64 `tfsdk:"rows_per_second" json:"rows_per_second,omitempty"`
	RowsBurst           *int64 `tfsdk:"rows_burst" json:"rows_burst,omitempty"`
	DailyBytes          *int64 `tfsdk:"daily_bytes" json:"daily_bytes,omitempty"`
	ActiveSeries        *int64 `tfsdk:"active_series" json:"active_series,omitempty"`
	ActiveStreams       *int64 `tfsdk:"active_streams" json:"active_streams,omitempty"`
	MaxLabels           *int64 `tfsdk:"max_labels" json:"max_labels,omitempty"`
	MaxLabelNameBytes   *int64 `tfsdk:"max_label_name_bytes" json:"max_label_name_bytes,omitempty"`
	MaxLabelValueBytes  *int64 `tfsdk:"max_label_value_bytes" json:"max_label_value_bytes,omitempty"`
	MaxLineBytes        *int64 `tfsdk:"max_line_bytes" json:"max_line_bytes,omitempty"`
	MaxAttrs            *int64 `tfsdk:"max_attrs" json:"max_attrs,omitempty"`
	MaxAgeSeconds       *int64 `tfsdk:"max_age_seconds" json:"max_age_seconds,omitempty"`
	MaxFutureSeconds    *int64 `tfsdk:"max_future_seconds" json:"max_future_seconds,omitempty"`
	RetentionDays       *int64 `tfsdk:"retention_days" json:"retention_days,omitempty"`
	LogFilterRows       *int64 `tfsdk:"log_filter_rows" json:"log_filter_rows,omitempty"`
	QueryConcurrency    *int64 `tfsdk:"query_concurrency" json:"query_concurrency,omitempty"`
	QueryWeight         *int64 `tfsdk:"query_weight" json:"query_weight,omitempty"`
	QueryBytesPerMinute *int64 `tfsdk:"query_bytes_per_minute" json:"query_bytes_per_minute,omitempty"`
	QueryBytesPerDay    *int64 `tfsdk:"query_bytes_per_day" json:"query_bytes_per_day,omitempty"`
	QueryMaxBytes       *int64 `tfsdk:"query_max_bytes" json:"query_max_bytes,omitempty"`
	QueryMaxRows        *int64 `tfsdk:"query_max_rows" json:"query_max_rows,omitempty"`
	QueryMaxSeconds     *int64 `tfsdk:"query_max_seconds" json:"query_max_seconds,omitempty"`
	QueryMaxMemoryBytes *int64 `tfsdk:"query_max_memory_bytes" json:"query_max_memory_bytes,omitempty"`
	QueryMaxSeries      *int64 `tfsdk:"query_max_series" json:"query_max_series,omitempty"`
	QueryMaxResultBytes *int64 `tfsdk:"query_max_result_bytes" json:"query_max_result_bytes,omitempty"`
	QueryJobBytes       *int64 `tfsdk:"query_job_bytes" json:"query_job_bytes,omitempty"`
	QueryJobSeconds     *int64 `tfsdk:"query_job_seconds" json:"query_job_seconds,omitempty"`
	QueryJobQueued      *int64 `tfsdk:"query_job_queued" json:"query_job_queued,omitempty"`
	QueryJobKept        *int64 `tfsdk:"query_job_kept" json:"query_job_kept,omitempty"`
	QueryJobKeepSeconds *int64 `tfsdk:"query_job_keep_seconds" json:"query_job_keep_seconds,omitempty"`
	QueryJobResultBytes *int64 `tfsdk:"query_job_result_bytes" json:"query_job_result_bytes,omitempty"`
}

// limitAttributes returns those of limits, and more beside them.
func limitAttributes(more map[string]schema.Attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{
		"bytes_per_second":       number("Bytes of decompressed bodies a second, over all signals."),
		"bytes_burst":            number("Bytes that may come at once after a quiet time."),
		"rows_per_second":        number("Lines, samples, events and spans a second."),
		"rows_burst":             number("Rows that may come at once after a quiet time."),
		"daily_bytes":            number("Bytes of decompressed bodies per day of UTC."),
		"active_series":          number("Metric series with a sample within the last hour."),
		"active_streams":         number("Log streams with a line within the last hour."),
		"max_labels":             number("Labels of one series or stream."),
		"max_label_name_bytes":   number("Length of a label name."),
		"max_label_value_bytes":  number("Length of a label value."),
		"max_line_bytes":         number("Length of a log line."),
		"max_attrs":              number("Structured metadata pairs of one line."),
		"max_age_seconds":        number("How far behind the server's clock a timestamp may lie."),
		"max_future_seconds":     number("How far ahead of the server's clock a timestamp may lie."),
		"retention_days":         number("Longest retention that the tenant may set, in days."),
		"log_filter_rows":        number("Least rows of an insert of log lines that search filters are stored for; 1048576 stores none."),
		"query_concurrency":      number("Queries that run at once on one node."),
		"query_weight":           number("Weight of the queries beside those of other tenants that wait; 100 is the usual one."),
		"query_bytes_per_minute": number("Bytes that all queries may read a minute."),
		"query_bytes_per_day":    number("Bytes that all queries may read per day of UTC."),
		"query_max_bytes":        number("Bytes that one query may read."),
		"query_max_rows":         number("Rows that one query may read."),
		"query_max_seconds":      number("Seconds that one query may run, waiting left out."),
		"query_max_memory_bytes": number("Memory of one statement of a query in the store."),
		"query_max_series":       number("Series or streams that one selector may match."),
		"query_max_result_bytes": number("Bytes of one answer's body."),
		"query_job_bytes":        number("Bytes that one background job may read."),
		"query_job_seconds":      number("Seconds that one background job may run."),
		"query_job_queued":       number("Background jobs that wait or run."),
		"query_job_kept":         number("Background jobs, those that have ended included."),
		"query_job_keep_seconds": number("Seconds that the result of a background job is kept."),
		"query_job_result_bytes": number("Bytes of the result of one background job."),
	}
	maps.Copy(attributes, more)
	return attributes
}
