package store

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// dumpColumns are the tables that a tenant takes along, each with its columns as they are written: `expression AS name`.
// What is derived from them (filters, templates of lines) is left out.
func dumpColumns() map[Table]string {
	const ids = "hex(trace_id) AS trace_id, hex(span_id) AS span_id"
	return map[Table]string{
		TableLogs:       "ts, toString(fp) AS stream, level, " + ids + ", body, attrs",
		TableSeries:     "toString(kind) AS kind, name, day, toString(fp) AS id, labels",
		TableSamples:    "metric, toString(fp) AS series, ts, v AS value",
		TableHistograms: "metric, toString(fp) AS series, ts, cnt AS count, sum, base64Encode(hist) AS histogram",
		TableExemplars:  "metric, toString(fp) AS series, ts, v AS value, hex(trace_id) AS trace_id, labels",
		TableEvents:     "cluster, namespace, toString(uid) AS uid, created, last_ts AS last, type, reason, kind, object, source, cnt AS count, message",
		TableSpans: "service, name, ts, duration, " + ids + ", hex(parent_id) AS parent_id, kind, status, status_message, trace_state, scope, resource, " +
			"attrs, base64Encode(events) AS events, base64Encode(links) AS links",
	}
}

// DumpPart is one partition of a table: a day, or a week.
type DumpPart struct {
	Table Table
	Day   time.Time
}

// String returns the part's name: `logs/2026-11-20`.
func (p DumpPart) String() string { return p.Table.String() + "/" + p.Day.Format(time.DateOnly) }

// ParseDumpPart is the inverse of String.
func ParseDumpPart(name string) (DumpPart, error) {
	table, day, _ := strings.Cut(name, "/")
	at, err := time.Parse(time.DateOnly, day)
	for t := range dumpColumns() {
		if t.String() == table && err == nil {
			return DumpPart{t, at}, nil
		}
	}
	return DumpPart{}, fmt.Errorf("%q is no part of a dump", name)
}

// DumpParts lists what a tenant has, label sets first.
func (s *Store) DumpParts(ctx context.Context, tenant seamark.TenantID) ([]DumpPart, error) {
	sh, n, err := s.ensured(ctx, tenant)
	if err != nil {
		return nil, err
	}
	var parts []DumpPart
	for table := range dumpColumns() {
		list, err := sh.partitions(ctx, n, table)
		if err != nil {
			return nil, queryError(ctx, err)
		}
		for _, p := range list {
			parts = append(parts, DumpPart{table, p.day})
		}
	}
	slices.SortFunc(parts, func(a, b DumpPart) int {
		if a.Table == b.Table {
			return a.Day.Compare(b.Day)
		}
		if first := rankOfDump(a.Table) - rankOfDump(b.Table); first != 0 {
			return first
		}
		return int(a.Table) - int(b.Table)
	})
	return parts, nil
}

func rankOfDump(t Table) int {
	if t == TableSeries {
		return 0
	}
	return 1
}

// Dump writes the rows of a part, one JSON document per line in the order of the table's key, and returns how many. It reads
// as the tenant's own user.
func (s *Store) Dump(ctx context.Context, tenant seamark.TenantID, part DumpPart, w io.Writer) (uint64, error) {
	columns := dumpColumns()[part.Table]
	if columns == "" {
		return 0, fmt.Errorf("table %s is in no dump", part.Table)
	}
	sh, n, err := s.ensured(ctx, tenant)
	if err != nil {
		return 0, err
	}
	list, err := sh.partitions(ctx, n, part.Table)
	if err != nil {
		return 0, queryError(ctx, err)
	}
	i := slices.IndexFunc(list, func(p partition) bool { return p.day.Equal(part.Day) })
	if i < 0 {
		return 0, nil // it has expired since it was listed
	}
	final := ""
	if !part.Table.Exact() {
		final = " FINAL" // rows that replace others
	}
	ctx = withSettings(ctx, Settings{
		"output_format_json_quote_64bit_integers": "0", "output_format_json_quote_denormals": "1", "date_time_output_format": "iso",
		"enable_named_columns_in_function_tuple": "1", "max_threads": "1",
	})
	rows, err := s.query(ctx, tenant, fmt.Sprintf("SELECT toJSONString(tuple(*)) FROM (SELECT %s FROM %s%s WHERE _partition_id = {id:String})",
		columns, part.Table, final), clickhouse.Parameters{"id": list[i].id})
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	var count uint64
	var line []byte
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return count, queryError(ctx, err)
		}
		line = append(append(line[:0], text...), '\n')
		if _, err := w.Write(line); err != nil {
			return count, err
		}
		count++
	}
	return count, queryError(ctx, rows.Err())
}
