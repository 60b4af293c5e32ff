package datadog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var (
	now     = time.UnixMilli(1_785_000_000_500)
	options = datadog.Options{Now: now}
)

// series is a MetricSeries as the agent writes it: resources, name, tags, points, then the rest.
type series struct {
	resources  [][2]string // type, name
	metric     string
	tags       []string
	metricType int32
	unit       string
	points     [][2]float64 // seconds, value
}

// seriesBody encodes a MetricPayload.
func seriesBody(list ...series) []byte {
	var m easyproto.Marshaler
	payload := m.MessageMarshaler()
	for _, one := range list {
		s := payload.AppendMessage(1)
		for _, r := range one.resources {
			resource := s.AppendMessage(1)
			resource.AppendString(1, r[0])
			resource.AppendString(2, r[1])
		}
		s.AppendString(2, one.metric)
		for _, tag := range one.tags {
			s.AppendString(3, tag)
		}
		for _, p := range one.points {
			point := s.AppendMessage(4)
			point.AppendDouble(1, p[1])
			point.AppendInt64(2, int64(p[0]))
		}
		s.AppendInt32(5, one.metricType)
		s.AppendString(6, one.unit)
		s.AppendString(7, "System")
		s.AppendInt64(8, 15)
		s.AppendMessage(9).AppendMessage(1).AppendUint32(4, 10)
	}
	return m.Marshal(nil)
}

type decodeFunc func(d *datadog.Decoder, body []byte, cat seamark.Catalog, b *seamark.Batch, o datadog.Options) error

// decode decodes body with one decoder twice, the second time with a warm catalogue, and returns what both times gave.
func decode(t *testing.T, f decodeFunc, body []byte) *seamark.Batch {
	t.Helper()
	d, cat := datadog.New(), catalogtest.New()
	first, second := new(seamark.Batch), new(seamark.Batch)
	for _, b := range []*seamark.Batch{first, second} {
		if err := f(d, slices.Clone(body), cat, b, options); err != nil {
			t.Fatal(err)
		}
	}
	creates := cat.Creates()
	if err := f(d, slices.Clone(body), cat, new(seamark.Batch), options); err != nil {
		t.Fatal(err)
	}
	if first.Rejected.Rows() == 0 && cat.Creates() != creates {
		t.Errorf("a warm catalogue was asked for %d series again", cat.Creates()-creates)
	}
	if got, want := fmt.Sprint(samplesOf(t, second)), fmt.Sprint(samplesOf(t, first)); got != want {
		t.Errorf("the second time gave\n%s\nthe first\n%s", got, want)
	}
	return first
}

// samplesOf lists the samples as text: labels, milliseconds, value.
func samplesOf(tb testing.TB, b *seamark.Batch) []string {
	tb.Helper()
	s := &b.Samples
	if len(s.SeriesRef) != s.Len() || len(s.Value) != s.Len() {
		tb.Fatalf("%d series, %d times, %d values", len(s.SeriesRef), s.Len(), len(s.Value))
	}
	var list []string
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

func expectSamples(t *testing.T, b *seamark.Batch, want ...string) {
	t.Helper()
	got := samplesOf(t, b)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// expectRejected checks the number of refused metric rows and the only reason for it.
func expectRejected(t *testing.T, b *seamark.Batch, n int, reason, contains string) {
	t.Helper()
	r := b.Rejected
	if r.Rows() != n || len(r.Reasons) != 1 || r.Reasons[0].Reason != reason || r.Reasons[0].Count != n ||
		!strings.Contains(r.Reasons[0].Detail, contains) {
		t.Errorf("got %+v, want %d rows for %s with %q", r, n, reason, contains)
	}
}

func expectError(tb testing.TB, err error, id, contains string) {
	tb.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID != id || !strings.Contains(e.Message, contains) {
		tb.Fatalf("got %v, want Invalid %s with %q", err, id, contains)
	}
}

// budget is one that ends after some grants.
type budget struct{ grants int }

var errBudget = seamark.Errorf(seamark.Unavailable, "seamark-memory-full", "Memory is full.")

func (b *budget) Claim(int64) error {
	if b.grants--; b.grants < 0 {
		return errBudget
	}
	return nil
}
