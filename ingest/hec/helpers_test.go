package hec_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var (
	now     = time.UnixMilli(1_785_000_000_500)
	options = hec.Options{Now: now}
)

type decodeFunc func(d *hec.Decoder, body []byte, cat seamark.Catalog, b *seamark.Batch, o hec.Options) (hec.Outcome, error)

// decode decodes body with one decoder twice, the second time with a warm catalogue, and returns what both times gave.
func decode(t *testing.T, f decodeFunc, body string, o hec.Options) (*seamark.Batch, hec.Outcome) {
	t.Helper()
	d, cat := hec.New(), catalogtest.New()
	first, second := new(seamark.Batch), new(seamark.Batch)
	outcome, err := f(d, []byte(body), cat, first, o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f(d, []byte(body), cat, second, o)
	if err != nil || again != outcome {
		t.Fatalf("the second time gave %v and %v, the first %v", again, err, outcome)
	}
	if got, want := rowsOf(t, second), rowsOf(t, first); !slices.Equal(got, want) {
		t.Errorf("the second time gave\n%s\nthe first\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return first, outcome
}

// rowsOf lists the rows as text: labels, time, and for lines level, body and attributes, for samples the value.
func rowsOf(tb testing.TB, b *seamark.Batch) []string {
	tb.Helper()
	l, s := &b.Logs, &b.Samples
	if n := l.Len(); len(l.Stream) != n || len(l.Level) != n || len(l.Body) != n || len(l.AttrEnd) != n || len(l.TraceID) != n || len(l.SpanID) != n {
		tb.Fatalf("log columns differ in length: %+v", l)
	}
	if len(s.SeriesRef) != s.Len() || len(s.Value) != s.Len() {
		tb.Fatalf("%d series, %d times, %d values", len(s.SeriesRef), s.Len(), len(s.Value))
	}
	var list []string
	for i := range l.Len() {
		attrs := slices.Clone(l.AttrsOf(i))
		seamark.SortLabels(attrs)
		list = append(list, fmt.Sprintf("%s %d %s %q %s", labelText(l.Streams[l.Stream[i]].Labels), l.TimeNano[i], l.Level[i], l.Body[i], labelText(attrs)))
	}
	for i := range s.Len() {
		list = append(list, fmt.Sprintf("%s %d %g", labelText(s.Series[s.SeriesRef[i]].Labels), s.TimeMilli[i], s.Value[i]))
	}
	return list
}

// labelText writes labels in Prometheus' form.
func labelText(labels []seamark.Label) string {
	name := ""
	var pairs []string
	for _, l := range labels {
		if l.Name == seamark.MetricNameLabel {
			name = l.Value
			continue
		}
		pairs = append(pairs, fmt.Sprintf("%s=%q", l.Name, l.Value))
	}
	return name + "{" + strings.Join(pairs, ",") + "}"
}

func expectRows(t *testing.T, b *seamark.Batch, want ...string) {
	t.Helper()
	if got := rowsOf(t, b); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func expectRejected(t *testing.T, b *seamark.Batch, n int, reason, contains string) {
	t.Helper()
	r := b.Rejected
	if r.Rows() != n || len(r.Reasons) != 1 || r.Reasons[0].Reason != reason || !strings.Contains(r.Reasons[0].Detail, contains) {
		t.Errorf("got %+v, want %d rows for %s with %q", r, n, reason, contains)
	}
}

func expectError(tb testing.TB, err error, kind seamark.Kind, id, contains string) {
	tb.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != kind || e.ID != id || !strings.Contains(e.Message, contains) {
		tb.Fatalf("got %v, want %s %s with %q", err, kind, id, contains)
	}
}

// nothing is a batch that a decoder finds no room in.
type nothing struct{}

var errMemory = seamark.Errorf(seamark.Unavailable, "seamark-memory-full", "Memory is full.")

func (nothing) Claim(int64) error { return errMemory }

// refusing refuses every label set.
type refusing struct{}

func (refusing) Find(uint64) *seamark.Series { return nil }
func (refusing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, seamark.Errorf(seamark.Invalid, "seamark-label-value", "A label is too long.")
}
