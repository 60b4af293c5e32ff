package engine_test

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// memory is a Storage over a batch: the twin of package store, without a database.
type memory struct {
	t     testing.TB
	batch *seamark.Batch
}

func (m memory) LogStreams(_ context.Context, _ seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	var list []store.LogStream
	for _, s := range m.matching(q) {
		list = append(list, store.LogStream{FP: s.FP, Group: s.Name, Labels: slices.Clone(s.Labels)})
	}
	return list[:min(len(list), q.Limit)], nil
}

// matching returns the streams that match and have a line on one of the range's days.
func (m memory) matching(q store.LogStreamsQuery) []*seamark.Series {
	const day = int64(86400e9)
	var list []*seamark.Series
	for i, s := range m.batch.Logs.Streams {
		lives := slices.ContainsFunc(rowsOf(m.batch, i), func(r int) bool {
			d := m.batch.Logs.TimeNano[r] / day
			return d >= q.Start/day && d <= (q.End-1)/day
		})
		matches := !slices.ContainsFunc(q.Matchers, func(c store.LogMatcher) bool {
			return m.holds(c.Op, s.Label(c.Name), c.Value) == c.Not
		})
		if lives && matches {
			list = append(list, s)
		}
	}
	return list
}

func rowsOf(b *seamark.Batch, stream int) []int {
	var rows []int
	for r, s := range b.Logs.Stream {
		if int(s) == stream {
			rows = append(rows, r)
		}
	}
	return rows
}

func (m memory) holds(op store.LogOp, value, text string) bool {
	m.t.Helper()
	expr := text
	switch op {
	case store.LogContains:
		return strings.Contains(value, text)
	case store.LogEquals:
		return value == text
	case store.LogJSONField:
		return true
	case store.LogMatches:
		expr = "^(?:" + text + ")$"
	case store.LogSearch:
		expr = "(?s:" + text + ")"
	}
	return regexp.MustCompile(expr).MatchString(value)
}

func (m memory) field(field store.LogField, attr string, r int) string {
	l := &m.batch.Logs
	switch field {
	case store.LogBody:
		return l.Body[r]
	case store.LogLevel:
		return strings.TrimPrefix(l.Level[r].String(), "unknown")
	case store.LogTraceID:
		return strings.ReplaceAll(hex.EncodeToString(l.TraceID[r][:]), strings.Repeat("0", 32), "")
	case store.LogSpanID:
		return strings.ReplaceAll(hex.EncodeToString(l.SpanID[r][:]), strings.Repeat("0", 16), "")
	case store.LogAttr:
	}
	for _, a := range l.AttrsOf(r) {
		if a.Name == attr {
			return a.Value
		}
	}
	return ""
}

// rows returns the rows in scope, by time.
func (m memory) rows(scope store.LogScope) []int {
	wanted := map[uint64]bool{}
	for _, s := range scope.Streams {
		wanted[s.FP] = true
	}
	var rows []int
	for r, t := range m.batch.Logs.TimeNano {
		in := wanted[m.batch.Logs.Streams[m.batch.Logs.Stream[r]].FP] && t >= scope.Start && t < scope.End
		if in && !slices.ContainsFunc(scope.Filters, func(f store.LogFilter) bool {
			return slices.ContainsFunc(f.Texts, func(text string) bool { return m.holds(f.Op, m.field(f.Field, f.Attr, r), text) }) == f.Not
		}) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(m.batch.Logs.TimeNano[a], m.batch.Logs.TimeNano[b]) })
	return rows
}

func (memory) NarrowLogs(_ context.Context, _ seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	return scope, store.LogStats{}, nil
}

func (m memory) LogRows(_ context.Context, _ seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	rows := m.rows(q.LogScope)
	if q.Order == store.NewestFirst {
		slices.Reverse(rows)
	}
	if q.Limit > 0 {
		rows = rows[:min(len(rows), q.Limit)]
	}
	var b store.LogBlock
	stats := store.LogStats{Rows: uint64(len(rows))}
	for i, r := range rows {
		l := &m.batch.Logs
		b.Time = append(b.Time, l.TimeNano[r])
		b.FP = append(b.FP, l.Streams[l.Stream[r]].FP)
		stats.Bytes += uint64(len(l.Body[r]))
		if q.Columns.Body {
			b.Body = append(b.Body, l.Body[r])
		}
		if q.Columns.Level {
			b.Level = append(b.Level, l.Level[r])
		}
		if q.Columns.Trace {
			b.TraceID, b.SpanID = append(b.TraceID, l.TraceID[r]), append(b.SpanID, l.SpanID[r])
		}
		if q.Columns.Attrs {
			b.Attrs = append(b.Attrs, l.AttrsOf(r)...)
			b.AttrEnd = append(b.AttrEnd, uint32(len(b.Attrs)))
		}
		if b.Len() == 7 || i == len(rows)-1 { // small blocks, so that tests cross their edges
			if err := fn(&b); err != nil {
				return stats, err
			}
			b.Reset()
		}
	}
	return stats, nil
}

func (m memory) LogCounts(_ context.Context, _ seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	counts := map[string]*store.LogCount{}
	for _, r := range m.rows(q.LogScope) {
		c := store.LogCount{FP: m.batch.Logs.Streams[m.batch.Logs.Stream[r]].FP, Bucket: q.Grid.Bucket(m.batch.Logs.TimeNano[r])}
		for _, s := range q.Split {
			c.Values = append(c.Values, m.field(s.Field, s.Attr, r))
		}
		for i := range q.Into {
			if q.Streams[i].FP == c.FP {
				c.FP = q.Into[i]
				break
			}
		}
		key := fmt.Sprint(c.FP, c.Bucket, strings.Join(c.Values, "\xff"))
		if counts[key] == nil {
			counts[key] = &c
		}
		counts[key].Lines++
		counts[key].Bytes += uint64(len(m.batch.Logs.Body[r]))
	}
	for c := range maps.Values(counts) {
		if err := fn(c); err != nil {
			return store.LogStats{}, err
		}
	}
	return store.LogStats{}, nil
}

func (m memory) LogLabelNames(_ context.Context, _ seamark.TenantID, q store.LogStreamsQuery) ([]string, error) {
	set := map[string]bool{}
	for _, s := range m.matching(q) {
		for _, l := range s.Labels {
			set[l.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(set)), nil
}

func (m memory) LogLabelValues(_ context.Context, _ seamark.TenantID, name string, q store.LogStreamsQuery) ([]string, error) {
	set := map[string]bool{}
	for _, s := range m.matching(q) {
		if v := s.Label(name); v != "" {
			set[v] = true
		}
	}
	return slices.Sorted(maps.Keys(set)), nil
}
