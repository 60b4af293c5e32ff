package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// noon is the time of every record that a test does not date.
var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// line is one log record of a test.
type line struct {
	labels string // a=b,c=d
	level  seamark.Level
	body   string
	attrs  string // a=b,c=d
	after  time.Duration
	trace  byte
}

func pairs(s string) []seamark.Label {
	var list []seamark.Label
	for part := range strings.SplitSeq(s, ",") {
		if name, value, ok := strings.Cut(part, "="); ok {
			list = append(list, seamark.Label{Name: name, Value: value})
		}
	}
	return list
}

func text(labels []seamark.Label) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = l.Name + "=" + l.Value
	}
	return strings.Join(parts, ",")
}

func batchOf(t testing.TB, cat seamark.Catalog, lines ...line) *seamark.Batch {
	t.Helper()
	b, refs := &seamark.Batch{}, map[*seamark.Series]uint32{}
	for _, l := range lines {
		if l.labels == "" {
			l.labels = "app=shop"
		}
		labels := pairs(l.labels)
		series, err := cat.Create(uint64(len(l.labels))<<32|uint64(l.labels[0])<<16|uint64(l.labels[len(l.labels)-1]), seamark.LogStream, labels)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := refs[series]; !ok {
			refs[series] = b.Logs.AddStream(series)
		}
		row := seamark.LogRow{
			Stream: refs[series], TimeNano: noon.Add(l.after).UnixNano(), Level: l.level, Body: l.body, Attrs: pairs(l.attrs),
		}
		row.TraceID[0] = l.trace
		b.Logs.Append(&row)
	}
	return b
}

// show writes the batch's rows as text: {labels} level body [attrs].
func show(b *seamark.Batch) string {
	var t strings.Builder
	for i := range b.Logs.TimeNano {
		t.WriteString("{" + text(b.Logs.Streams[b.Logs.Stream[i]].Labels) + "} " + b.Logs.Level[i].String() + " " + b.Logs.Body[i] +
			" [" + text(b.Logs.AttrsOf(i)) + "]\n")
	}
	return t.String()
}

func options() pipeline.Options {
	return pipeline.Options{Now: func() time.Time { return noon }}
}

func compile(t testing.TB, definitions string) *pipeline.Pipeline {
	t.Helper()
	list, err := pipeline.Parse([]byte(definitions))
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Compile(options(), list...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// one is the definition of a pipeline with one step, given as the fields of its JSON object.
func one(step string) string {
	return `[{"name":"p","enabled":true,"steps":[{"name":"s",` + step + `}]}]`
}

// run applies the definitions to lines and returns the batch.
func run(t testing.TB, definitions string, lines ...line) *seamark.Batch {
	t.Helper()
	cat := catalogtest.New()
	b := batchOf(t, cat, lines...)
	if err := compile(t, definitions).Apply(t.Context(), cat, b); err != nil {
		t.Fatal(err)
	}
	checkShape(t, b)
	return b
}

// checkShape fails the test when the columns do not fit together.
func checkShape(t testing.TB, b *seamark.Batch) {
	t.Helper()
	l := &b.Logs
	n := l.Len()
	if len(l.Stream) != n || len(l.Level) != n || len(l.Body) != n || len(l.TraceID) != n || len(l.SpanID) != n || len(l.AttrEnd) != n {
		t.Fatalf("columns differ in length: %d %d %d %d %d %d %d", n, len(l.Stream), len(l.Level), len(l.Body), len(l.TraceID), len(l.SpanID), len(l.AttrEnd))
	}
	last := uint32(0)
	for i := range n {
		if l.AttrEnd[i] < last || int(l.Stream[i]) >= len(l.Streams) {
			t.Fatalf("row %d: attributes end at %d after %d, stream %d of %d", i, l.AttrEnd[i], last, l.Stream[i], len(l.Streams))
		}
		last = l.AttrEnd[i]
	}
	if int(last) != len(l.Attrs) {
		t.Fatalf("the last attributes end at %d of %d", last, len(l.Attrs))
	}
}

func wantRows(t testing.TB, b *seamark.Batch, want ...string) {
	t.Helper()
	if got := show(b); got != strings.Join(append(want, ""), "\n") {
		t.Errorf("got:\n%swant:\n%s", got, strings.Join(want, "\n"))
	}
}

func faultsOf(t testing.TB, definitions string) pipeline.Faults {
	t.Helper()
	list, err := pipeline.Parse([]byte(definitions))
	if err != nil {
		t.Fatal(err)
	}
	_, err = pipeline.Compile(options(), list...)
	faults, ok := errors.AsType[pipeline.Faults](err)
	if !ok || seamark.KindOf(err) != seamark.Invalid {
		t.Fatalf("compile %s: got %v, want faults of kind Invalid", definitions, err)
	}
	return faults
}
