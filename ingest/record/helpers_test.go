package record_test

import (
	"encoding/hex"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	spanID  = "00f067aa0ba902b7"
)

var now = time.Unix(1_785_000_000, 123)

// row is one line with everything a batch tells about it.
type row struct {
	Labels map[string]string
	Time   int64
	Level  seamark.Level
	Trace  string
	Span   string
	Body   string
	Attrs  map[string]string
}

func rowsOf(tb testing.TB, b *seamark.Batch) []row {
	tb.Helper()
	l := &b.Logs
	var rows []row
	for i := range l.Len() {
		r := row{Labels: labelsOf(l.Streams[l.Stream[i]].Labels), Time: l.TimeNano[i], Level: l.Level[i], Body: strings.Clone(l.Body[i])}
		if l.TraceID[i] != [16]byte{} {
			r.Trace = hex.EncodeToString(l.TraceID[i][:])
		}
		if l.SpanID[i] != [8]byte{} {
			r.Span = hex.EncodeToString(l.SpanID[i][:])
		}
		if attrs := labelsOf(l.AttrsOf(i)); len(attrs) > 0 {
			r.Attrs = attrs
		}
		rows = append(rows, r)
	}
	return rows
}

func labelsOf(list []seamark.Label) map[string]string {
	m := map[string]string{}
	for _, l := range list {
		m[strings.Clone(l.Name)] = strings.Clone(l.Value)
	}
	return m
}

// stream returns labels with the service that a stream without one has.
func stream(pairs ...string) map[string]string {
	m := map[string]string{"service_name": "unknown_service"}
	maps.Copy(m, set(pairs...))
	return m
}

func set(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func newBuilder() *record.Builder { return record.New(record.Options{Now: now}) }

func expectError(tb testing.TB, err error, id, contains string) {
	tb.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid || e.ID != id || !strings.Contains(e.Message, contains) {
		tb.Fatalf("got %v, want Invalid %s with %q", err, id, contains)
	}
}
