package otlp_test

import (
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// BenchmarkLogs decodes 1,000 records of about 200 bytes with 5 attributes each, in 10 resources.
func BenchmarkLogs(b *testing.B) {
	const resources, records = 10, 100
	ld := plog.NewLogs()
	for i := range resources {
		rl := ld.ResourceLogs().AppendEmpty()
		for _, kv := range [][2]string{
			{"service.name", "checkout"}, {"k8s.namespace.name", "prod"}, {"k8s.pod.name", fmt.Sprint("checkout-7d9-", i)},
			{"k8s.container.name", "app"}, {"k8s.node.name", "node-1"}, {"k8s.deployment.name", "checkout"}, {"host.arch", "arm64"},
		} {
			rl.Resource().Attributes().PutStr(kv[0], kv[1])
		}
		sl := rl.ScopeLogs().AppendEmpty()
		for j := range records {
			rec := sl.LogRecords().AppendEmpty()
			rec.SetTimestamp(pcommon.Timestamp(1_795_000_000_000_000_000 + j))
			rec.SetSeverityNumber(plog.SeverityNumberInfo)
			rec.SetTraceID(pcommon.TraceID{1, byte(j)})
			rec.SetSpanID(pcommon.SpanID{2, byte(j)})
			rec.Body().SetStr(fmt.Sprintf("request %d served %s", j, strings.Repeat("some words ", 17)))
			rec.Attributes().PutStr("http.method", "GET")
			rec.Attributes().PutStr("http.route", "/api/v1/items/{id}")
			rec.Attributes().PutInt("http.status_code", 200)
			rec.Attributes().PutStr("user.id", fmt.Sprint("u-", j*i))
			rec.Attributes().PutStr("thread.name", "worker-3")
		}
	}
	r := &otlp.Request{Body: logsBody(b, ld, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}
	d, batch := otlp.New(), new(seamark.Batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Body)))
	for b.Loop() {
		batch.Reset()
		if err := d.DecodeLogs(r, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*resources*records), "ns/row")
}

// BenchmarkMetrics decodes 2,000 gauge points with 5 attributes each that the catalogue knows, in 20 metrics.
func BenchmarkMetrics(b *testing.B) {
	const metrics, points = 20, 100
	md, ms := podMetrics()
	for i := range metrics {
		dps := newMetric(ms, fmt.Sprint("container.thing.", i), "By").SetEmptyGauge().DataPoints()
		for j := range points {
			addNumber(dps, float64(i*j), "device", fmt.Sprint("sda", j), "direction", "read", "state", "used", "zone", "eu-1a", "unit.id", "17")
		}
	}
	r := &otlp.Request{Body: metricsBody(b, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}
	d, batch := otlp.New(), new(seamark.Batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Body)))
	for b.Loop() {
		batch.Reset()
		if err := d.DecodeMetrics(r, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*metrics*points), "ns/row")
}

// BenchmarkNative decodes 1,000 points of exponential histograms with 60 buckets each.
func BenchmarkNative(b *testing.B) {
	const points = 1000
	md, ms := podMetrics()
	for i := range points {
		p := addExponential(newMetric(ms, fmt.Sprint("h", i), "s"))
		counts := make([]uint64, 60)
		for j := range counts {
			counts[j] = uint64(i * j % 97)
		}
		p.Positive().BucketCounts().FromRaw(counts)
	}
	r := &otlp.Request{Body: metricsBody(b, md, otlp.Protobuf), Catalog: catalogtest.New(), Now: now}
	d, batch := otlp.New(), new(seamark.Batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Body)))
	for b.Loop() {
		batch.Reset()
		if err := d.DecodeMetrics(r, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*points), "ns/row")
}

// BenchmarkTraces decodes 1,000 spans with 8 attributes each and an event in every tenth, in 10 resources.
func BenchmarkTraces(b *testing.B) {
	const resources, perResource = 10, 100
	td := ptrace.NewTraces()
	for i := range resources {
		one, spans := newSpans("service.name", "checkout", "k8s.namespace.name", "prod", "k8s.pod.name", fmt.Sprint("checkout-7d9-", i),
			"k8s.node.name", "node-1", "k8s.deployment.name", "checkout", "host.arch", "arm64")
		for j := range perResource {
			s := addSpan(spans, "GET /api/v1/items/{id}")
			s.SetSpanID(pcommon.SpanID{byte(i), byte(j), 1})
			s.SetParentSpanID(pcommon.SpanID{1})
			s.SetKind(ptrace.SpanKindServer)
			for k := range 7 {
				s.Attributes().PutStr(fmt.Sprint("http.attribute.", k), "some value of common length")
			}
			s.Attributes().PutInt("http.response.status_code", 200)
			if j%10 == 0 {
				s.Events().AppendEmpty().SetName("exception")
			}
		}
		one.ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
	}
	r := &otlp.Request{Body: tracesBody(b, td, otlp.Protobuf), Now: now}
	d, batch := otlp.New(), new(seamark.Batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Body)))
	for b.Loop() {
		batch.Reset()
		if err := d.DecodeTraces(r, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*resources*perResource), "ns/row")
}
