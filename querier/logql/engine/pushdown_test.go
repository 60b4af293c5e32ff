package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

// recorder is a storage that tells what it was asked.
type recorder struct {
	memory
	asked *string
}

func (r recorder) LogRows(ctx context.Context, id seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	*r.asked = fmt.Sprintf("rows of %d%s", len(q.Streams), printFilters(q.Filters))
	if q.Columns.Body {
		*r.asked += " body"
	}
	return r.memory.LogRows(ctx, id, q, fn)
}

func (r recorder) LogCounts(ctx context.Context, id seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	*r.asked = fmt.Sprintf("counts of %d%s", len(q.Streams), printFilters(q.Filters))
	return r.memory.LogCounts(ctx, id, q, fn)
}

func printFilters(filters []store.LogFilter) string {
	text := ""
	fields := []string{"body", "level", "trace", "span", "attr "}
	ops := []string{"contains", "search", "=", "match"}
	for _, f := range filters {
		text += " "
		if f.Not {
			text += "not "
		}
		text += fmt.Sprintf("%s%s %s %q", fields[f.Field], f.Attr, ops[f.Op], f.Texts)
	}
	return text
}

// TestPushdown says what the storage is asked to do of a pipeline.
func TestPushdown(t *testing.T) {
	b := &seamark.Batch{}
	for i := range 3 {
		stream := &seamark.Series{Kind: seamark.LogStream, FP: uint64(i + 1), Name: "g", Labels: []seamark.Label{{Name: "app", Value: fmt.Sprint(i)}}}
		if i == 0 {
			stream.Labels = append(stream.Labels, seamark.Label{Name: "zone", Value: "x"})
		}
		row := seamark.LogRow{Stream: b.Logs.AddStream(stream), TimeNano: base.UnixNano(), Body: "x"}
		row.Attrs = []seamark.Label{{Name: "user", Value: "eve"}}
		b.Logs.Append(&row)
	}
	asked := ""
	storage := recorder{memory{t, b}, &asked}
	check := func(o logqlengine.Options, pipeline, want string) {
		t.Helper()
		o.Storage = storage
		e, err := logqlengine.New(o)
		require.NoError(t, err)
		asked = ""
		_, err = e.Query(t.Context(), tenant, logqlengine.Params{
			Query: "sum(count_over_time({}" + pipeline + "[1m]))", Start: base.Add(time.Second), End: base.Add(time.Second),
		})
		require.NoError(t, err)
		require.Equal(t, want, asked, pipeline)
	}
	pushed := func(pipeline, want string) { t.Helper(); check(logqlengine.Options{}, pipeline, want) }

	pushed(``, `counts of 3`)
	pushed(` |= "a" or "b" !~ "c"`, `counts of 3 body contains ["a" "b"] not body search ["c"]`)
	pushed(" |= `` |~ `.*`", `counts of 3`)
	pushed(` != ""`, `counts of 3 not body contains [""]`)
	pushed(` | app="1"`, `counts of 1`)
	pushed(` | app="1" and zone!="x"`, `counts of 1 not attr zone = ["x"]`)
	pushed(` | zone="x"`, `counts of 3`)
	pushed(` | detected_level=~"e.*" | user="bob" or user="eve"`, `counts of 3 level match ["e.*"] attr user = ["bob" "eve"]`)
	pushed(` | n>5`, `counts of 3`)
	pushed(` | label_format a=app | a="1"`, `counts of 3`)

	// What the storage cannot tell is left to stages, with what it can tell of it.
	pushed(` |> "<_>level=debug<_>x<_>"`, `rows of 3 body contains ["level=debug"] body`)
	pushed(` |> "abcd<_>" or "<_>efgh"`, `rows of 3 body contains ["abcd" "efgh"] body`)
	pushed(` !> "abcd<_>"`, `rows of 3 body`)
	pushed(` |= ip("10.1.0.0/16") or "text"`, `rows of 3 body contains ["10.1." "text"] body`)
	pushed(` |= ip("10.1.2.3")`, `rows of 3 body contains ["10.1.2.3"] body`)
	pushed(` |= ip("::1")`, `rows of 3 body`)

	// Behind a parser labels of streams are what they were; metadata comes before what was parsed.
	pushed(` | json | app="1" |= "a" | __error__=""`, `rows of 1 body contains ["a"] body`)
	pushed(` | logfmt | detected_level="error"`, `rows of 3 level = ["error" ""] body`)
	pushed(` | logfmt | detected_level!="error"`, `rows of 3 not level = ["error"] body`)
	pushed(` | logfmt | detected_level!=""`, `rows of 3 body`)
	pushed(` | logfmt | detected_level=~"e.*|"`, `rows of 3 level match ["e.*|"] body`)

	// The value of a parsed label stands in the line, if it is no metadata.
	pushed(` | logfmt | name="bob"`, `rows of 3 body contains ["bob" "\\u"] body`)
	pushed(` | logfmt | user="bob"`, `rows of 3 body`)
	pushed(` | json | name="bob" and other=~"abc.*|def" | app="1"`, `rows of 1 body contains ["bob" "\\u"] body contains ["abc" "def" "\\u"] body`)
	pushed(` | json | name="bob" or name="eve"`, `rows of 3 body contains ["bob" "eve" "\\u"] body`)
	pushed(` | json | name="bob" or other="eve"`, `rows of 3 body`)
	pushed(` | json | name="a/b \"quoted\" c"`, `rows of 3 body contains ["quoted" "\\u"] body`)
	pushed(` | json | name=~"(?i)bob" | name=~"x?" | name=~"bob|" | name!="bob" | name!~"bob" | name="ab" | __error__="abc"`, `rows of 3 body`)
	pushed(` | regexp "(?P<name>.*)" | name="a/b"`, `rows of 3 body contains ["a/b"] body`)
	pushed(` | pattern "<name> <_>" | name=~"item-.+"`, `rows of 3 body contains ["item-"] body`)
	pushed(` | json | line_format "x" | name="bob"`, `rows of 3 body contains ["bob" "\\u"] body`)
	pushed(` | line_format "{{ div 1 1 }}" | json | name="bob" | __error__=~".*"`, `rows of 3 body`)
	pushed(` | json | label_format name="bob" | name="bob" | __error__=""`, `rows of 3 body`)
	pushed(` | json | drop __error__ | trace_id="ab" | drop app | trace_id="cd" | app="1"`, `rows of 3 trace = ["ab" ""] body`)
	pushed(` | label_format detected_level="x" | detected_level="error"`, `counts of 3`)
	pushed(` | label_format a="{{ .app }}{{ __line__ }}"`, `rows of 3 body`)
	pushed(` | label_format a="{{ __timestamp__ }}" | drop a`, `rows of 3 body`)
	pushed(` | label_format a="{{ len . }}"`, `rows of 3`)

	// Lines that nothing reads are not made.
	pushed(` | line_format "{{ .app }}" | decolorize | app="1"`, `counts of 1`)
	pushed(` | line_format "{{ div 1 .app }}" | __error__=~".*"`, `rows of 3 body`)
	pushed(` | line_format "{{ .app }}" | logfmt | line_format "x"`, `rows of 3 body`)

	// Behind a stage that changes lines they are not the storage's.
	pushed(` |= "a" | line_format "b" |= "b"`, `rows of 3 body contains ["a"] body`)
	pushed(` | decolorize |= "b"`, `rows of 3 body`)
	pushed(` | unpack != "b" | __error__=""`, `rows of 3 body`)

	check(logqlengine.Options{NoPushdown: true}, ` |= "" |= "a" | app="1" | detected_level="x"`, `rows of 3 body`)
}
