package docgen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

const limitsHead = `# Limits

Each limit is a flag of the server ([flags.md](flags.md)); it holds for every tenant alike. An answer that a limit causes names
the limit, the value found and the flag. Limits that are not flags, such as how many keys a tenant has, stand in
[operations.md](operations.md#limits-that-are-not-flags); answers name them, too.

`

// limitGroups are the flags that are limits, by the beginning of their name. Of some only those are that say what breaks without them.
var limitGroups = []struct {
	prefix, title string
	some          bool
}{
	{"ingest.", "One push", false},
	{"quota.", "What a tenant may send", false},
	{"directory.", "What a node knows of the control plane", false},
	{"disk.", "Disk", false},
	{"retention.", "Retention", false},
	{"metering.", "Usage", false},
	{"bus.", "Queue", false},
	{"patterns.", "Patterns of log lines", false},
	{"writer.", "Writing", false},
	{"forwarders.", "Forwarders", false},
	{"query.", "Queries", false},
	{"sql.", "SQL", false},
	{"export.", "Exports", false},
	{"alerting.", "Alerting", true},
	{"clickhouse.", "ClickHouse", true},
}

// otherwise says what breaks without a limit whose help does not say it. A limit with neither fails the test.
var otherwise = map[string]string{
	"ingest.max-labels":             "One series row could fill a block.",
	"ingest.max-label-name-bytes":   "The label index would outgrow the data.",
	"ingest.max-label-value-bytes":  "The label index would outgrow the data.",
	"ingest.max-line-bytes":         "One runaway line would fill a block and push out its neighbours.",
	"ingest.max-attrs":              "One line's metadata would outweigh the lines around it.",
	"ingest.max-future":             "A sender with a broken clock would create days that no query expects and retention never reaches.",
	"ingest.max-age":                "Old rows would open partitions of long ago, each a part to merge, and expire at once.",
	"ingest.max-inflight-bytes":     "Many large bodies at once, or many small ones that inflate, would take all memory.",
	"ingest.max-push-group-bytes":   "One push would fill the store of groups.",
	"ingest.replica-timeout":        "Replicas of a Prometheus would take turns at every pause, and a series would have samples of both.",
	"ingest.push-ttl":               "A job that never comes back is shown as if it ran, as the Pushgateway does.",
	"ingest.hec-query-token":        "It is no limit: a token in a URL is kept in the logs of every proxy on the way.",
	"ingest.elasticsearch-version":  "It is no limit: agents that are newer would refuse to send.",
	"quota.rows-burst":              "Agents that reconnect after an outage would be refused at once; with too much, one tenant's backlog stands before everybody's.",
	"quota.active-streams":          "A label with random values would make streams of one line each.",
	"disk.max-reserve-bytes":        "On a large disk the percentage would lie idle.",
	"disk.ballast-bytes":            "The node that met a full disk could not write what it needs to get out of that.",
	"retention.default":             "Data would stay until the disk is full.",
	"retention.interval":            "Rows would outlive their days by as much.",
	"metering.flush-interval":       "A crash would lose more of what queries have read.",
	"metering.sample-interval":      "Every sample lists the parts of all tables, and counts what is active in all clusters.",
	"metering.budget-interval":      "Each look reads two months of the meter of every tenant that has budgets.",
	"bus.shards":                    "With fewer, acknowledgements queue behind one disk sync; with more, batches get smaller.",
	"bus.duplicate-window":          "A push that is retried after a lost answer would be stored twice.",
	"patterns.min-variants":         "Every value that has no digit would be a pattern of its own.",
	"patterns.max-groups":           "A node's memory would grow with the number of workloads that there ever were.",
	"patterns.max-bytes":            "Many workloads with many kinds of lines would take the memory of ingest.",
	"writer.max-insert-rows":        "A backlog would be written in blocks that ClickHouse holds in memory whole.",
	"writer.max-batch-bytes":        "A backlog of many tenants would be held in memory whole.",
	"writer.max-batch-age":          "Under light load rows would wait for a full batch before a query sees them.",
	"writer.log-filter-rows":        "Small tenants' inserts would cost twice what they do.",
	"writer.max-counts-age":         "With many tenants half of the inserts would be of a few counts each.",
	"writer.inserts-per-second":     "Many small tenants would make more parts than ClickHouse merges.",
	"forwarders.max-per-tenant":     "One tenant's forwarders take the time of all.",
	"forwarders.max-batch-bytes":    "A forwarder whose target is slow holds as much memory as its tenant likes.",
	"forwarders.max-batch-age":      "Rows wait for others until the queue has removed them.",
	"forwarders.max-attempts":       "A batch that its target will never take holds all that follow, until the queue has removed them.",
	"forwarders.allowed-targets":    "It is no limit: a tenant's target could talk to what stands beside the server.",
	"query.timeout":                 "A query that nobody waits for any more would hold its place.",
	"query.chunk-samples":           "Fewer make more statements of a query; more hold more memory.",
	"sql.timeout":                   "A query that nobody waits for any more would hold its place.",
	"sql.max-rows":                  "A query by mistake fills its reader's disk.",
	"sql.max-result-bytes":          "A query by mistake fills its reader's disk.",
	"sql.max-query-bytes":           "A text of megabytes takes seconds of the engine before it runs.",
	"export.max-concurrent":         "Exports would take the connections that queries need.",
	"export.max-tenant-concurrent":  "One tenant's exports would keep the others' waiting.",
	"export.max-bytes":              "A query by mistake fills its reader's disk.",
	"export.timeout":                "An export that nobody waits for any more would hold its place.",
	"export.stall-timeout":          "A reader that stopped would hold its place until the time of the whole answer is over.",
	"export.max-rows":               "A query by mistake fills its reader's disk.",
	"query.max-context-lines":       "One answer would hold a pod's whole day.",
	"query.max-tails":               "Each open tail reads all of its tenant's new lines from the queue.",
	"query.max-samples":             "One query over many series would take all memory of the querier.",
	"query.sample-cache-bytes":      "The samples of every query that was ever asked would stay in memory.",
	"query.log-filter-bytes":        "The filters of every day that was ever searched would stay in memory.",
	"query.series-index-bytes":      "The indexes of every tenant that ever asked would stay in memory.",
	"query.max-series":              "A selector without a filter would load every label set of the tenant.",
	"query.max-entries":             "An answer would grow past what a browser or Grafana can show.",
	"query.max-concurrent":          "Queries that start at once would share the machine until all of them time out.",
	"query.admission":               "It is no limit: one tenant's scans would keep the others' queries waiting.",
	"query.max-scans":               "As many scans as places would share the processors until all of them time out.",
	"query.scan-bytes":              "Small queries would wait behind large ones, or large ones would take the places of small ones.",
	"query.max-inflight-bytes":      "Scans that start together would read more than the disk gives in their time.",
	"query.max-queued":              "A tenant that asks faster than it is answered would fill the memory with questions.",
	"query.max-wait":                "Queries would wait on after who asked has given up.",
	"query.tenant-concurrency":      "One tenant would take half of a node's places while nobody else asks.",
	"query.tenant-weight":           "It is no limit: it says who comes first.",
	"query.tenant-bytes-per-minute": "A tenant would read as much as the store gives.",
	"query.tenant-bytes-per-day":    "A script that asks day and night would read as much as the store gives.",
	"query.tenant-max-bytes":        "One query by mistake would read all that its tenant has.",
	"query.tenant-max-rows":         "It is a second measure beside the bytes: many small rows cost more than few large ones.",
	"query.tenant-max-seconds":      "One query would run for as long as --query.timeout lets it.",
	"query.tenant-max-memory-bytes": "One statement would take the memory that the server gives its tenant.",
	"query.tenant-max-series":       "One selector would hold as many label sets as --query.max-series lets it.",
	"query.tenant-max-result-bytes": "One answer would fill the memory of who asked.",
	"query.history":                 "Every query that ends would stay in memory.",
	"query.job-timeout":             "A query that nobody waits for would run on for days.",
	"query.job-max-queued":          "One tenant's jobs would fill the queue that all share.",
	"query.job-max-kept":            "Every node has all jobs in memory; one tenant's would fill it.",
	"query.job-keep":                "Results that nobody fetches would fill the room of all.",
	"query.job-max-result-bytes":    "One result would fill the room of all.",
	"query.job-max-concurrent":      "Jobs would take the places of queries that somebody waits for.",
	"query.job-store-bytes":         "Results would fill the disk under the streams.",
	"query.quarantine-within":       "A query that was under way at two deaths in a year would be quarantined.",
	"query.quarantine-lasts":        "A query that was changed would stay refused.",
	"query.quarantine-suspects":     "Every dashboard that was open when an engine died would be suspected.",
	"query.max-tenant-conns":        "One tenant's dashboards would take every connection of the server.",
	"clickhouse.embedded-users":     "The engine makes its users at start, so there is no limit to leave out; each costs a few KiB.",
	"ingest.max-series-per-cluster": "A cluster that makes new label sets all the time would take all memory of ingest.",
	"clickhouse.max-memory-bytes":   "A large query would end the machine's other processes.",

	"clickhouse.max-statement-bytes":   "A slip in a plan would let one statement read for hours.",
	"clickhouse.max-statement-rows":    "A slip in a plan would let one statement read for hours.",
	"clickhouse.max-statement-memory":  "A slip in a plan would give one tenant the server's memory.",
	"clickhouse.max-statement-result":  "A slip in a plan would let one answer fill the querier's memory.",
	"clickhouse.max-statement-time":    "A statement that nobody waits for would run on.",
	"clickhouse.max-statement-threads": "One statement would have all threads of a large server.",
	"clickhouse.max-tenant-statements": "A querier that lost count would give one tenant all of the server's statements.",
	"clickhouse.max-minute-bytes":      "Only the queriers bound what a tenant reads in a minute.",
	"clickhouse.max-day-bytes":         "Only the queriers bound what a tenant reads in a day.",
}

// Limits renders docs/limits.md from a server command's flags.
func Limits(model *kong.Application) (string, error) {
	role := child(model.Node, "writer")
	var b strings.Builder
	b.WriteString(notice + limitsHead)
	for _, g := range limitGroups {
		flags := slices.DeleteFunc(slices.Clone(role.Flags), func(f *kong.Flag) bool {
			_, breaks := split(f.Help)
			return f.Hidden || !strings.HasPrefix(f.Name, g.prefix) || g.some && breaks+otherwise[f.Name] == ""
		})
		fmt.Fprintf(&b, "## %s\n\n| flag | default | what it bounds | without it |\n| --- | --- | --- | --- |\n", g.title)
		for _, f := range flags {
			what, breaks := split(f.Help)
			if breaks = strings.TrimSpace(breaks + " " + otherwise[f.Name]); breaks == "" {
				return "", fmt.Errorf("nothing says what breaks without --%s; say it in the flag's help or in docgen", f.Name)
			}
			fmt.Fprintf(&b, "| `--%s` | %s | %s | %s |\n", f.Name, humane(f.Name, f.Default), cell(what), cell(breaks))
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n", nil
}

// split cuts a flag's help into what it bounds and what breaks without it.
func split(help string) (what, breaks string) {
	what, breaks, found := strings.Cut(help, " Without it ")
	if found {
		breaks = strings.ToUpper(breaks[:1]) + breaks[1:]
	}
	return what, breaks
}

// humane writes byte counts with their unit, and durations without empty parts.
func humane(name, value string) string {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && strings.HasSuffix(name, "-bytes") {
		for _, u := range []struct {
			size int64
			name string
		}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
			if n >= u.size && n%u.size == 0 {
				return fmt.Sprintf("%d %s", n/u.size, u.name)
			}
		}
		return value + " bytes"
	}
	if d, err := time.ParseDuration(value); err == nil && d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return value
}
