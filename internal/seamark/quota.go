package seamark

// Quota is what a tenant or one of its clusters may send, and what the tenant's queries may take. This is its one definition: in the control plane's documents and the API a
// zero field is not set, in the limits that hold it is no limit.
type Quota struct {
	BytesPerSecond     int64 `json:"bytes_per_second"` // of inflated bodies, over all signals
	BytesBurst         int64 `json:"bytes_burst"`      // what may come at once after a quiet time; at least one second's worth
	RowsPerSecond      int64 `json:"rows_per_second"`  // lines, samples, events and spans together
	RowsBurst          int64 `json:"rows_burst"`
	DailyBytes         int64 `json:"daily_bytes"`    // of inflated bodies, per day of UTC
	ActiveSeries       int64 `json:"active_series"`  // metric series with a sample within the last hour
	ActiveStreams      int64 `json:"active_streams"` // log streams with a line within the last hour
	MaxLabels          int64 `json:"max_labels"`     // this and the following are limits of one request, see Limits
	MaxLabelNameBytes  int64 `json:"max_label_name_bytes"`
	MaxLabelValueBytes int64 `json:"max_label_value_bytes"`
	MaxLineBytes       int64 `json:"max_line_bytes"`
	MaxAttrs           int64 `json:"max_attrs"`
	MaxAgeSeconds      int64 `json:"max_age_seconds"`
	MaxFutureSeconds   int64 `json:"max_future_seconds"`
	RetentionDays      int64 `json:"retention_days"`  // the most that a tenant may set; of clusters this and the next say nothing
	LogFilterRows      int64 `json:"log_filter_rows"` // least rows of an insert of log lines that search filters are stored for; NoLogFilters stores none

	// What a tenant's queries may take; of clusters it says nothing.
	QueryConcurrency    int64 `json:"query_concurrency"`      // that run at once on one node
	QueryWeight         int64 `json:"query_weight"`           // its part beside others that wait; 100 is the usual one
	QueryBytesPerMinute int64 `json:"query_bytes_per_minute"` // read by all of its queries
	QueryBytesPerDay    int64 `json:"query_bytes_per_day"`    // per day of UTC
	QueryMaxBytes       int64 `json:"query_max_bytes"`        // read by one query
	QueryMaxRows        int64 `json:"query_max_rows"`         // read by one query
	QueryMaxSeconds     int64 `json:"query_max_seconds"`      // run of one query, waiting left out
	QueryMaxMemoryBytes int64 `json:"query_max_memory_bytes"` // of one statement in the store
	QueryMaxSeries      int64 `json:"query_max_series"`       // series or streams that one selector matches
	QueryMaxResultBytes int64 `json:"query_max_result_bytes"` // of one answer's body
	QueryJobBytes       int64 `json:"query_job_bytes"`        // read by one background job; this and the following have defaults of the installation
	QueryJobSeconds     int64 `json:"query_job_seconds"`      // run of one background job
	QueryJobQueued      int64 `json:"query_job_queued"`       // background jobs that wait or run
	QueryJobKept        int64 `json:"query_job_kept"`         // background jobs, those that have ended included
	QueryJobKeepSeconds int64 `json:"query_job_keep_seconds"` // that a result is kept
	QueryJobResultBytes int64 `json:"query_job_result_bytes"` // of a background job's result
}

// NoLogFilters is the LogFilterRows of a tenant whose log lines have no search filters.
const NoLogFilters = 1 << 20

// QuotaField is one field of a quota, for what treats them alike.
type QuotaField struct {
	Name string // in JSON
	// Most is the most that the field may be set to. The bounds keep a slip of the keyboard from taking a node's memory: each active
	// series costs 24 bytes beside its entry in the catalogue, and one line or label set must fit a block.
	Most int64
	Of   func(q *Quota) *int64
}

// QuotaFields lists all fields in their order.
func QuotaFields() []QuotaField {
	const tera, day = 1 << 40, 24 * 3600
	return []QuotaField{
		{"bytes_per_second", tera, func(q *Quota) *int64 { return &q.BytesPerSecond }},
		{"bytes_burst", tera, func(q *Quota) *int64 { return &q.BytesBurst }},
		{"rows_per_second", tera, func(q *Quota) *int64 { return &q.RowsPerSecond }},
		{"rows_burst", tera, func(q *Quota) *int64 { return &q.RowsBurst }},
		{"daily_bytes", 1024 * tera, func(q *Quota) *int64 { return &q.DailyBytes }},
		{"active_series", 20_000_000, func(q *Quota) *int64 { return &q.ActiveSeries }},
		{"active_streams", 20_000_000, func(q *Quota) *int64 { return &q.ActiveStreams }},
		{"max_labels", 256, func(q *Quota) *int64 { return &q.MaxLabels }},
		{"max_label_name_bytes", 4096, func(q *Quota) *int64 { return &q.MaxLabelNameBytes }},
		{"max_label_value_bytes", 64 << 10, func(q *Quota) *int64 { return &q.MaxLabelValueBytes }},
		{"max_line_bytes", 4 << 20, func(q *Quota) *int64 { return &q.MaxLineBytes }},
		{"max_attrs", 1024, func(q *Quota) *int64 { return &q.MaxAttrs }},
		{"max_age_seconds", 3650 * day, func(q *Quota) *int64 { return &q.MaxAgeSeconds }},
		{"max_future_seconds", day, func(q *Quota) *int64 { return &q.MaxFutureSeconds }},
		{"retention_days", 3650, func(q *Quota) *int64 { return &q.RetentionDays }},
		{"log_filter_rows", NoLogFilters, func(q *Quota) *int64 { return &q.LogFilterRows }},
		{"query_concurrency", 10_000, func(q *Quota) *int64 { return &q.QueryConcurrency }},
		{"query_weight", 10_000, func(q *Quota) *int64 { return &q.QueryWeight }},
		{"query_bytes_per_minute", 1024 * tera, func(q *Quota) *int64 { return &q.QueryBytesPerMinute }},
		{"query_bytes_per_day", 1024 * tera, func(q *Quota) *int64 { return &q.QueryBytesPerDay }},
		{"query_max_bytes", 1024 * tera, func(q *Quota) *int64 { return &q.QueryMaxBytes }},
		{"query_max_rows", 1024 * tera, func(q *Quota) *int64 { return &q.QueryMaxRows }},
		{"query_max_seconds", day, func(q *Quota) *int64 { return &q.QueryMaxSeconds }},
		{"query_max_memory_bytes", tera, func(q *Quota) *int64 { return &q.QueryMaxMemoryBytes }},
		{"query_max_series", 20_000_000, func(q *Quota) *int64 { return &q.QueryMaxSeries }},
		{"query_max_result_bytes", tera, func(q *Quota) *int64 { return &q.QueryMaxResultBytes }},
		{"query_job_bytes", 1024 * tera, func(q *Quota) *int64 { return &q.QueryJobBytes }},
		{"query_job_seconds", day, func(q *Quota) *int64 { return &q.QueryJobSeconds }},
		{"query_job_queued", 100, func(q *Quota) *int64 { return &q.QueryJobQueued }},
		{"query_job_kept", 1000, func(q *Quota) *int64 { return &q.QueryJobKept }},
		{"query_job_keep_seconds", 30 * day, func(q *Quota) *int64 { return &q.QueryJobKeepSeconds }},
		{"query_job_result_bytes", tera, func(q *Quota) *int64 { return &q.QueryJobResultBytes }},
	}
}

// Fill returns q with the fields that are not set taken from base.
func (q Quota) Fill(base Quota) Quota {
	for _, f := range QuotaFields() {
		if to := f.Of(&q); *to == 0 {
			*to = *f.Of(&base)
		}
	}
	return q
}

// Or returns q with the fields that are not set taken from defaults, and bursts of at least a second's worth: a smaller one would
// hold the sender below its rate.
func (q Quota) Or(defaults Quota) Quota {
	q = q.Fill(defaults)
	q.BytesBurst = max(q.BytesBurst, q.BytesPerSecond)
	q.RowsBurst = max(q.RowsBurst, q.RowsPerSecond)
	return q
}
