package otlp_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestConcurrentUse decodes all signals on one decoder from several goroutines; run it with -race.
func TestConcurrentUse(t *testing.T) {
	ld, lines := sampleLogs()
	md := metricCases()["histogram"]
	logs, metrics := logsBody(t, ld, otlp.Protobuf), metricsBody(t, md, otlp.Protobuf)
	samples := translate(t, md).samples
	td, spans := sampleTraces()
	traces := tracesBody(t, td, otlp.Protobuf)
	d, cat := otlp.New(), catalogtest.New()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			b := new(seamark.Batch)
			for range 20 {
				b.Reset()
				if err := d.DecodeLogs(&otlp.Request{Body: logs, Catalog: cat, Now: now}, b); err != nil {
					t.Error(err)
				}
				if err := d.DecodeMetrics(&otlp.Request{Body: metrics, Catalog: cat, Now: now}, b); err != nil {
					t.Error(err)
				}
				if err := d.DecodeTraces(&otlp.Request{Body: traces, Catalog: cat, Now: now}, b); err != nil {
					t.Error(err)
				}
				for i := range b.Spans {
					b.Spans[i].Attrs = sorted(b.Spans[i].Attrs)
				}
				if !cmp.Equal(spans, b.Spans) || !cmp.Equal(lines, linesOf(b)) || !cmp.Equal(samples, samplesOf(b)) {
					t.Error("the batch differs from what one decoder alone makes")
				}
			}
		})
	}
	wg.Wait()
}
