package app

import (
	"time"

	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/audit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/jobs"
	"github.com/seamarkhq/seamark/querier/logcontext"
	"github.com/seamarkhq/seamark/querier/logfilter"
	"github.com/seamarkhq/seamark/querier/logtail"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/quarantine"
	"github.com/seamarkhq/seamark/querier/samplecache"
	"github.com/seamarkhq/seamark/querier/seriesindex"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// QueryOptions configures the limits of one query.
type QueryOptions struct {
	Timeout          time.Duration
	MaxSamples       int
	ChunkSamples     int // that a part of a PromQL query reads at once
	MaxSeries        int
	SampleCacheBytes int64 // memory of the cache of metric samples, of all tenants
	LogFilterBytes   int64 // memory of the filters of log lines, of all tenants
	SeriesIndexBytes int64 // memory of the indexes of metric series and log streams, of all tenants
	MaxEntries       int
	MaxContextLines  int // on each side of a log line
	Events           events.Limits
	Audit            audit.Limits
	Suspects         suspects.Limits
	Admission        bool // off: one queue for all, and no limit beside MaxConcurrent
	MaxConcurrent    int
	MaxScans         int   // of the queries that run, those that read much; 0: as many as processors
	ScanBytes        int64 // from which on a query reads much
	MaxInflightBytes int64 // of the scans' estimates together
	MaxQueued        int   // of a tenant's queries of one class that wait
	MaxWait          time.Duration
	MaxTails         int // of log lines, of one tenant
	MaxTenantConns   int
	History          int // ended queries of one tenant that a node remembers
	Jobs             JobOptions
	Quarantine       quarantine.Limits
}

// JobOptions configures queries in the background.
type JobOptions struct {
	Limits     jobs.Limits
	Concurrent int   // that one node runs at once
	StoreBytes int64 // of the results of all tenants
}

func defaultQueryOptions() QueryOptions {
	return QueryOptions{
		Timeout: 2 * time.Minute, MaxSamples: 50_000_000, ChunkSamples: promql.DefaultChunkSamples, MaxSeries: 200_000, LogFilterBytes: logfilter.DefaultMaxBytes, SeriesIndexBytes: seriesindex.DefaultMaxBytes, SampleCacheBytes: samplecache.DefaultMaxBytes, MaxEntries: 5000, MaxConcurrent: 20,
		Admission: true, ScanBytes: admit.DefaultScanBytes, MaxInflightBytes: admit.DefaultMaxInflightBytes, MaxQueued: admit.DefaultMaxQueued, MaxWait: admit.DefaultPatience,
		MaxContextLines: logcontext.MaxLines, Events: events.DefaultLimits(), Audit: audit.DefaultLimits(), Suspects: suspects.DefaultLimits(), MaxTails: logtail.DefaultMaxTails, MaxTenantConns: 8,
		History: 50, Jobs: JobOptions{Limits: jobs.DefaultLimits(), Concurrent: 2, StoreBytes: 1 << 30}, Quarantine: quarantine.DefaultLimits(),
	}
}

func (o *QueryOptions) checks() []flagCheck {
	return []flagCheck{
		{"query.timeout", positive(int64(o.Timeout))},
		{"query.chunk-samples", positive(int64(o.ChunkSamples))},
		{"query.sample-cache-bytes", positive(o.SampleCacheBytes)},
		{"query.log-filter-bytes", positive(o.LogFilterBytes)},
		{"query.series-index-bytes", positive(o.SeriesIndexBytes)},
		{"query.max-context-lines", within(o.MaxContextLines, logcontext.DefaultLines, logcontext.MaxLines)},
		{"query.max-events", positive(int64(o.Events.MaxEvents))},
		{"query.max-event-values", positive(int64(o.Events.MaxValues))},
		{"query.max-event-points", positive(int64(o.Events.MaxPoints))},
		{"query.max-event-history", positive(int64(o.Events.MaxHistory))},
		{"query.max-audit-records", positive(int64(o.Audit.MaxRecords))},
		{"query.max-audit-clients", positive(int64(o.Audit.MaxClients))},
		{"query.max-audit-writes", positive(int64(o.Audit.MaxWrites))},
		{"query.max-audit-write-bytes", positive(int64(o.Audit.MaxWriteBytes))},
		{"query.max-tails", within(o.MaxTails, 1, 10_000)},
		{"query.max-concurrent", within(o.MaxConcurrent, 1, 10_000)},
		{"query.max-scans", within(o.MaxScans, 0, 10_000)},
		{"query.scan-bytes", positive(o.ScanBytes)},
		{"query.max-inflight-bytes", positive(o.MaxInflightBytes)},
		{"query.max-queued", within(o.MaxQueued, 1, 100_000)},
		{"query.max-wait", positive(int64(o.MaxWait))},
		{"query.history", within(o.History, 0, 1000)},
		{"query.job-timeout", within(int(o.Jobs.Limits.Timeout/time.Second), 1, 24*3600)},
		{"query.job-max-queued", within(o.Jobs.Limits.MaxQueued, 1, 100)},
		{"query.job-max-kept", within(o.Jobs.Limits.MaxKept, o.Jobs.Limits.MaxQueued, 1000)},
		{"query.job-keep", positive(int64(o.Jobs.Limits.Keep))},
		{"query.job-max-result-bytes", positive(o.Jobs.Limits.MaxResultBytes)},
		{"query.job-max-concurrent", within(o.Jobs.Concurrent, 1, 100)},
		{"query.job-store-bytes", positive(o.Jobs.StoreBytes)},
		{"query.quarantine-within", positive(int64(o.Quarantine.Within))},
		{"query.quarantine-lasts", positive(int64(o.Quarantine.Lasts))},
		{"query.quarantine-suspects", within(o.Quarantine.Suspects, 1, 100)},
	}
}
