package otlp_test

import (
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// ration is a seamark.Claimer with so many bytes to give.
type ration int64

// Claim implements seamark.Claimer.
func (r *ration) Claim(bytes int64) error {
	if *r -= ration(bytes); *r < 0 {
		return seamark.Errorf(seamark.Unavailable, "seamark-ingest-busy", "No more.")
	}
	return nil
}

// TestMemoryIsAskedFor sends bodies that take many times their size when they are decoded; each must meet the claimer or
// a limit before it has.
func TestMemoryIsAskedFor(t *testing.T) {
	const n = 200_000
	// wrap puts an embedded message of any size around s.
	wrap := func(field byte, s string) string {
		head := []byte{field<<3 | 2}
		for size := len(s); ; size >>= 7 {
			if size < 0x80 {
				return string(append(head, byte(size))) + s
			}
			head = append(head, byte(size)|0x80)
		}
	}
	metric := func(kind byte, point string) string {
		return wrap(1, wrap(2, wrap(2, wrap(1, "m")+wrap(kind, wrap(1, point)+"\x10\x02"))))
	}
	var resource strings.Builder
	for i := range 100 {
		resource.WriteString(wrap(1, wrap(1, fmt.Sprint("k", i))+wrap(2, wrap(1, "v"))))
	}
	value := "\x21\x00\x00\x00\x00\x00\x00\xf0\x3f"
	d := otlp.New()
	for name, c := range map[string]struct {
		decode func(r *otlp.Request, b *seamark.Batch) error
		enc    otlp.Encoding
		body   string
		id     string
	}{
		"JSON objects": {d.DecodeLogs, otlp.JSON, `{"resourceLogs":[{}` + strings.Repeat(",{}", n) + "]}", "seamark-ingest-busy"},
		"JSON spans":   {d.DecodeTraces, otlp.JSON, `{"resourceSpans":[{}` + strings.Repeat(",{}", n) + "]}", "seamark-ingest-busy"},
		"quantiles":    {d.DecodeMetrics, otlp.Protobuf, metric(11, strings.Repeat("\x32\x00", n)), "seamark-ingest-busy"},
		"log records":  {d.DecodeLogs, otlp.Protobuf, wrap(1, wrap(2, strings.Repeat("\x12\x00", n))), "seamark-ingest-busy"},
		"shared metadata": {
			d.DecodeLogs, otlp.Protobuf,
			wrap(1, wrap(1, resource.String())+wrap(2, strings.Repeat("\x12\x00", 1000))), "seamark-ingest-busy",
		},
		"resources":       {d.DecodeLogs, otlp.Protobuf, wrap(1, strings.Repeat("\x0a\x00", n)), "seamark-body-protobuf"},
		"scopes":          {d.DecodeTraces, otlp.Protobuf, wrap(1, wrap(2, strings.Repeat("\x0a\x00", n))), "seamark-body-protobuf"},
		"exemplars":       {d.DecodeMetrics, otlp.Protobuf, metric(7, value+strings.Repeat("\x2a\x00", n)), ""},
		"native buckets":  {d.DecodeMetrics, otlp.Protobuf, metric(10, wrap(8, wrap(2, strings.Repeat("\x01", n)))), ""},
		"a span's events": {d.DecodeTraces, otlp.Protobuf, wrap(1, wrap(2, wrap(2, strings.Repeat("\x5a\x00", 3*n)))), ""},
	} {
		t.Run(name, func(t *testing.T) {
			memory := ration(2 << 20)
			b := &seamark.Batch{Claim: &memory}
			err := c.decode(&otlp.Request{Body: []byte(c.body), Encoding: c.enc, Catalog: catalogtest.New(), Now: now}, b)
			if got := errorID(err); got != c.id {
				t.Fatalf("got %v, want %q", err, c.id)
			}
			if err == nil && len(b.Rejected.Reasons) != 1 {
				t.Errorf("the limit was not told: %+v", b.Rejected)
			}
		})
	}
}

// TestExemplarLimit keeps the first exemplars of a point that has too many, and tells it.
func TestExemplarLimit(t *testing.T) {
	md, ms := newResource()
	sum := newMetric(ms, "n", "").SetEmptySum()
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := addNumber(sum.DataPoints(), 1)
	for range 257 {
		addExemplar(p.Exemplars(), 1)
	}
	b := decodeMetrics(t, md)
	if len(b.Exemplars) != 256 || len(b.Rejected.Reasons) != 1 || b.Rejected.Reasons[0].Reason != "seamark-exemplars-limit" {
		t.Errorf("%d exemplars, rejected %+v", len(b.Exemplars), b.Rejected)
	}
}
