package store

import (
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Table is one of a tenant's tables. Its value is stable: it stands in bus messages.
type Table uint8

// The tables.
const (
	TableLogs Table = iota + 1
	TableSeries
	TableSamples
	TableEvents
	TableMetadata
	TableHistograms
	TableExemplars
	TableSpans
	TableDrops
	TablePatterns
	TableUsage
	// TableLogFilters is filled by the inserts into TableLogs and never stands in a message.
	TableLogFilters
	tableCount = iota + 1
)

// tableSpec is what the insert path must know of a table.
type tableSpec struct {
	name    string
	columns string // of an insert, without _b
	// exact tables append: a block that was stored twice would show twice, so every row carries its batch in _b and a
	// doubtful insert is verified by count. The others replace by key, and storing a block again changes nothing.
	exact bool
	days  int  // that a partition of an exact table spans; 0 is 1
	lazy  bool // made on first use
	// shared tables are one for all tenants, in the platform's own database, which no tenant's user can read. They are for
	// small rows of every tenant in every batch: a table per tenant would double the inserts, see decision 0022.
	shared bool
}

var tableSpecs = [tableCount]tableSpec{
	TableLogs:       {name: "logs", columns: "grp, ts, fp, level, trace_id, span_id, body, attrs", exact: true},
	TableSeries:     {name: "series", columns: "kind, name, day, fp, labels, last_seen"},
	TableSamples:    {name: "samples", columns: "metric, fp, ts, v", exact: true},
	TableEvents:     {name: "events", columns: "cluster, namespace, uid, created, last_ts, type, reason, kind, object, source, node, cnt, message, ver"},
	TableMetadata:   {name: "metadata", columns: "metric, type, help, unit, updated"},
	TableHistograms: {name: "hist_samples", columns: "metric, fp, ts, cnt, sum, hist", exact: true, lazy: true},
	TableExemplars:  {name: "exemplars", columns: "metric, fp, ts, v, trace_id, labels", exact: true, lazy: true},
	TableSpans: {name: "spans", columns: "service, name, ts, duration, trace_id, span_id, parent_id, kind, status, status_message, " +
		"trace_state, scope, resource, attrs, events, links", exact: true, lazy: true},
	TableDrops:      {name: "drops", columns: "ts, cluster, token, protocol, signal, reason, status, requests, rows, bytes, detail, sample", exact: true, days: 7, lazy: true},
	TablePatterns:   {name: "log_patterns", columns: "grp, ts, pattern, fp, level, lines, bytes, text", exact: true, lazy: true},
	TableUsage:      {name: "usage", columns: "ts, tenant, kind, cluster, signal, source, actor, day, requests, rows, bytes, wire, micros", exact: true, days: 7, lazy: true, shared: true},
	TableLogFilters: {name: "log_filters", columns: "day, grp, start, bits, grams", lazy: true},
}

// Tables lists all tables.
func Tables() []Table {
	return []Table{TableLogs, TableSeries, TableSamples, TableEvents, TableMetadata, TableHistograms, TableExemplars, TableSpans, TableDrops, TablePatterns, TableUsage, TableLogFilters}
}

// String returns the table's name.
func (t Table) String() string {
	if !t.valid() {
		return fmt.Sprintf("table(%d)", uint8(t))
	}
	return tableSpecs[t].name
}

// Exact reports whether rows of t carry their batch, so that a doubtful insert can be verified.
func (t Table) Exact() bool { return t.valid() && tableSpecs[t].exact }

// Shared reports whether t is one table for all tenants.
func (t Table) Shared() bool { return t.valid() && tableSpecs[t].shared }

func (t Table) valid() bool { return t > 0 && t < tableCount && tableSpecs[t].name != "" }

// platformBit marks the numbers that stand for the platform itself. No tenant's number has it.
const platformBit seamark.TenantNumber = 1 << 31

// database returns the name of a tenant's database, which is also the name of its ClickHouse user. Numbers with platformBit name
// databases of shared tables.
func database(n seamark.TenantNumber) string {
	switch n {
	case platformBit:
		return "platform"
	default:
		if n&platformBit != 0 {
			return fmt.Sprintf("platform%04d", n&^platformBit)
		}
	}
	return fmt.Sprintf("t%04d", n)
}
