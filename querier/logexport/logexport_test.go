package logexport_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexport"
)

// record is a line of a file, its labels as sorted JSON.
type record struct{ time, line, labels, metadata, parsed string }

func compare(a, b record) int {
	return cmp.Or(strings.Compare(a.time, b.time), strings.Compare(a.line, b.line), strings.Compare(a.labels, b.labels))
}

func asJSON(labels map[string]string) string {
	b, _ := json.Marshal(labels)
	if labels == nil {
		return "{}"
	}
	return string(b)
}

// expected is what an export of a batch has.
func expected(b *seamark.Batch) []record {
	var list []record
	for i := range b.Logs.Len() {
		labels, metadata := map[string]string{}, map[string]string{}
		for _, l := range b.Logs.Streams[b.Logs.Stream[i]].Labels {
			labels[l.Name] = l.Value
		}
		for _, l := range b.Logs.AttrsOf(i) {
			metadata[l.Name] = l.Value
		}
		if level := b.Logs.Level[i]; level != seamark.LevelUnknown {
			metadata["detected_level"] = level.String()
		}
		at := time.Unix(0, b.Logs.TimeNano[i]).UTC().Format("2006-01-02T15:04:05.000000000Z")
		list = append(list, record{at, b.Logs.Body[i], asJSON(labels), asJSON(metadata), "{}"})
	}
	slices.SortFunc(list, compare)
	return list
}

func params(format logexport.Format) logexport.Params {
	return logexport.Params{Query: `{app=~".+"}`, Start: base.Add(-time.Hour), End: base.Add(time.Hour), Format: format}
}

func run(t *testing.T, e *logexport.Exporter, p logexport.Params) (string, int64) {
	t.Helper()
	x, err := e.Open(t.Context(), tenant, p)
	require.NoError(t, err)
	defer x.Close()
	var out bytes.Buffer
	rows, err := x.Run(t.Context(), &out, nil)
	require.NoError(t, err)
	return out.String(), rows
}

// parse reads a file and checks that its times stand in order.
func parse(t *testing.T, p *logexport.Params, file string) []record {
	t.Helper()
	list := map[logexport.Format]func(*testing.T, string) []record{
		logexport.NDJSON: parseJSON, logexport.CSV: parseCSV, logexport.Parquet: parseParquet,
	}[p.Format](t, file)
	require.True(t, slices.IsSortedFunc(list, func(a, b record) int {
		if p.Newest {
			a, b = b, a
		}
		return strings.Compare(a.time, b.time)
	}), "times are in order")
	slices.SortFunc(list, compare)
	return list
}

func parseJSON(t *testing.T, file string) []record {
	t.Helper()
	var list []record
	for text := range strings.Lines(file) {
		var l struct {
			Time, Line               string
			Labels, Metadata, Parsed map[string]string
		}
		require.NoError(t, json.Unmarshal([]byte(text), &l), text)
		list = append(list, record{l.Time, l.Line, asJSON(l.Labels), asJSON(l.Metadata), asJSON(l.Parsed)})
	}
	return list
}

func parseCSV(t *testing.T, file string) []record {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"time", "line", "labels", "metadata", "parsed"}, rows[0])
	var list []record
	for _, r := range rows[1:] {
		list = append(list, record{r[0], r[1], again(t, r[2]), again(t, r[3]), again(t, r[4])})
	}
	return list
}

// again decodes and encodes labels.
func again(t *testing.T, text string) string {
	t.Helper()
	var labels map[string]string
	require.NoError(t, json.Unmarshal([]byte(text), &labels), text)
	return asJSON(labels)
}

// parseParquet lets ClickHouse read the file.
func parseParquet(t *testing.T, file string) []record {
	t.Helper()
	conn := admin(t)
	rows, err := conn.Query(t.Context(), "SELECT toString(time), line, labels, metadata, parsed FROM format(Parquet, unhex('"+fmt.Sprintf("%x", file)+"'))")
	require.NoError(t, err)
	var list []record
	for rows.Next() {
		var r record
		require.NoError(t, rows.Scan(&r.time, &r.line, &r.labels, &r.metadata, &r.parsed))
		r.time = strings.Replace(r.time, " ", "T", 1) + "Z"
		r.labels, r.metadata, r.parsed = again(t, r.labels), again(t, r.metadata), again(t, r.parsed)
		list = append(list, r)
	}
	require.NoError(t, rows.Err())
	return list
}

// TestFilesHaveEveryLine exports lines of hostile texts in each format and both orders and reads the files.
func TestFilesHaveEveryLine(t *testing.T) {
	b := world(3000)
	e := exporter(t, stored(t, b), nil)
	want := expected(b)
	for _, format := range []logexport.Format{logexport.NDJSON, logexport.CSV, logexport.Parquet} {
		for _, newest := range []bool{false, true} {
			p := params(format)
			p.Newest = newest
			file, rows := run(t, e, p)
			require.Equal(t, int64(3000), rows)
			want := want
			if format == logexport.CSV { // Go's reader makes \r\n in a cell a line feed
				want = slices.Clone(want)
				for i := range want {
					want[i].line = strings.ReplaceAll(want[i].line, "\r\n", "\n")
				}
				slices.SortFunc(want, compare)
			}
			require.Equal(t, want, parse(t, &p, file), "format %d newest %t", format, newest)
		}
	}
}

// TestSlicesLoseNothing has more lines at one nanosecond, in one second and in all than one statement reads.
func TestSlicesLoseNothing(t *testing.T) {
	b := world(70_000)
	e := exporter(t, stored(t, b), nil)
	p := params(logexport.NDJSON)
	file, rows := run(t, e, p)
	require.Equal(t, int64(70_000), rows)
	require.Equal(t, expected(b), parse(t, &p, file))
	p.Limit = 25_000
	p.Newest = true
	file, rows = run(t, e, p)
	require.Equal(t, int64(25_000), rows)
	require.Len(t, parse(t, &p, file), 25_000)
}

// TestPipelineRuns exports what a query's stages make of the lines, with columns of chosen labels.
func TestPipelineRuns(t *testing.T) {
	b := world(3000)
	e := exporter(t, stored(t, b), nil)
	p := params(logexport.CSV)
	p.Query = "{app=`app-1`} |= `1` | regexp `(?P<digit>[0-9])$` | digit != `1` | line_format `{{.digit}} of {{.app}}`"
	p.Labels = []string{"digit", "said", "app", "none"}
	file, _ := run(t, e, p)
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"time", "line", "digit", "said", "app", "none"}, rows[0])
	want := 0
	for i := range 3000 {
		if text := b.Logs.Body[i]; i%5 == 1 && strings.Contains(text, "1") && !strings.HasSuffix(text, "1") {
			want++
		}
	}
	require.Len(t, rows, want+1)
	for _, r := range rows[1:] {
		require.Equal(t, r[2]+" of app-1", r[1])
		require.Equal(t, "app-1", r[4])
		require.Empty(t, r[5])
	}
}

func TestLimits(t *testing.T) {
	s := stored(t, world(3000))
	for want, change := range map[string]func(*logexport.Limits){
		"seamark-export-rows":    func(l *logexport.Limits) { l.MaxRows = 2999 },
		"seamark-export-bytes":   func(l *logexport.Limits) { l.MaxBytes = 100_000 },
		"seamark-export-timeout": func(l *logexport.Limits) { l.Timeout = time.Nanosecond },
	} {
		x, err := exporter(t, s, change).Open(t.Context(), tenant, params(logexport.NDJSON))
		require.NoError(t, err)
		var out bytes.Buffer
		rows, err := x.Run(t.Context(), &out, nil)
		requireID(t, err, want)
		if want == "seamark-export-timeout" {
			require.Zero(t, out.Len(), "an early error leaves nothing")
			require.Zero(t, rows)
		} else {
			require.Positive(t, rows)
			require.True(t, strings.HasSuffix(out.String(), "}\n"), "whole lines")
		}
		x.Close()
	}
	_, rows := run(t, exporter(t, s, func(l *logexport.Limits) { l.MaxRows = 3000 }), params(logexport.NDJSON))
	require.Equal(t, int64(3000), rows, "as many as the limit is not too many")
}

func TestPlaces(t *testing.T) {
	e := exporter(t, stored(t, world(10)), func(l *logexport.Limits) { l.MaxTenantConcurrent = 1 })
	x, err := e.Open(t.Context(), tenant, params(logexport.CSV))
	require.NoError(t, err)
	require.Equal(t, uint64(10), x.Rows)
	_, err = e.Open(t.Context(), tenant, params(logexport.CSV))
	requireID(t, err, "seamark-export-concurrency")
	x.Close()
	x.Close()
	file, rows := run(t, e, logexport.Params{Query: `{app="none"}`, Start: base, End: base.Add(1), Format: logexport.CSV})
	require.Zero(t, rows)
	require.Equal(t, "time,line,labels,metadata,parsed\n", file)
}

func TestRefusals(t *testing.T) {
	e := exporter(t, stored(t, world(10)), nil)
	for want, change := range map[string]func(*logexport.Params){
		"seamark-logql-syntax":    func(p *logexport.Params) { p.Query = `count_over_time({app="x"}[1m])` },
		"seamark-range-backwards": func(p *logexport.Params) { p.End = p.Start },
		"seamark-export-limit":    func(p *logexport.Params) { p.Limit = -1 },
		"seamark-export-labels":   func(p *logexport.Params) { p.Labels = []string{"line"} },
	} {
		p := params(logexport.NDJSON)
		change(&p)
		_, err := e.Open(t.Context(), tenant, p)
		requireID(t, err, want)
	}
	_, err := e.Open(t.Context(), "", params(logexport.NDJSON))
	requireID(t, err, "seamark-tenant-malformed")
}

// watched is a store that tells how many questions for rows are open.
type watched struct {
	*store.Store
	open, ended int
}

func (w *watched) LogRows(ctx context.Context, id seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	w.open++
	stats, err := w.Store.LogRows(ctx, id, q, fn)
	w.ended++
	return stats, err
}

var errGone = errors.New("the reader is gone")

// TestBreakingOff ends an export by its context and by its writer: the question to the store ends with it.
func TestBreakingOff(t *testing.T) {
	s := &watched{Store: stored(t, world(30_000))}
	e, err := logexport.New(logexport.Options{Storage: s, Limits: logexport.DefaultLimits(), Now: time.Now})
	require.NoError(t, err)
	for _, fail := range []bool{false, true} {
		x, err := e.Open(t.Context(), tenant, params(logexport.NDJSON))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		out := writer(func(b []byte) (int, error) {
			if fail {
				return 0, errGone
			}
			cancel()
			return len(b), nil
		})
		_, err = x.Run(ctx, out, nil)
		if fail {
			require.ErrorIs(t, err, errGone)
		} else {
			require.Equal(t, seamark.Canceled, seamark.KindOf(err), "%v", err)
		}
		require.Equal(t, s.open, s.ended)
		cancel()
		x.Close()
	}
	require.Less(t, s.open, 5, "no slice was read after the end")
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

var _ io.Writer = writer(nil)

func requireID(t *testing.T, err error, id string) {
	t.Helper()
	var e *seamark.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, id, e.ID, "%v", err)
}

// TestParquetShapes has files without rows, and with more columns than fit the short form of a list.
func TestParquetShapes(t *testing.T) {
	e := exporter(t, stored(t, world(100)), nil)
	conn := admin(t)
	p := params(logexport.Parquet)
	for i := range 20 {
		p.Labels = append(p.Labels, fmt.Sprint("l", i))
	}
	p.Labels = append(p.Labels, "app")
	read := func(query, sql string) (n uint64) {
		p.Query = query
		file, _ := run(t, e, p)
		require.NoError(t, conn.QueryRow(t.Context(), strings.Replace(sql, "FILE", fmt.Sprintf("format(Parquet, unhex('%x'))", file), 1)).Scan(&n), query)
		return n
	}
	require.Equal(t, uint64(20), read(`{app="app-1"}`, "SELECT countIf(app = 'app-1' AND l19 = '') FROM FILE"))
	// ClickHouse's format function reads no file without rows, whatever the format, but it tells the columns.
	p.Query = `{app="none"}`
	file, _ := run(t, e, p)
	rows, err := conn.Query(t.Context(), fmt.Sprintf("DESCRIBE format(Parquet, unhex('%x'))", file))
	require.NoError(t, err)
	columns := 0
	for rows.Next() {
		columns++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, 23, columns)
}
