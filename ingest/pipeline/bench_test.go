package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// benchLines are 1,000 access log lines of about 200 bytes with four attributes, one in ten of level debug.
func benchLines() []line {
	var lines []line
	for i := range 1000 {
		l := line{
			labels: "app=shop,namespace=prod,pod=shop-" + fmt.Sprint(i%10), level: seamark.LevelInfo, attrs: "user=ann,status=200,method=GET,route=/pay",
			body: fmt.Sprintf(`{"ts":"2026-11-01T12:00:00.%06dZ","msg":"request handled","path":"/api/v1/orders/%d","status":200,"ms":%d,"client":"shop-%d","agent":"Mozilla/5.0 (X11; Linux x86_64)"}`, i, i, i%97, i%10),
		}
		if i%10 == 0 {
			l.level = seamark.LevelDebug
		}
		lines = append(lines, l)
	}
	return lines
}

// BenchmarkApply measures one step on 1,000 records. Copying the batch before each round is part of no figure.
func BenchmarkApply(b *testing.B) {
	for _, c := range []struct{ name, step string }{
		{"drop/columns", `"kind":"drop","match":["log.severity_number < SEVERITY_NUMBER_INFO"]`},
		{"drop/ottl", `"kind":"drop","match":["log.severity_number + 0 < SEVERITY_NUMBER_INFO"]`},
		{"drop/untouched", `"kind":"drop","match":["log.attributes[\"status\"] == \"500\""]`},
		{"drop/regex", `"kind":"drop","match":["IsMatch(log.body, \"health(z|check)\")"]`},
		{"sample", `"kind":"sample","ratio":0.1`},
		{"redact/clean", `"kind":"redact",` + allPatterns()},
		{"route", `"kind":"route","stream":{"team":"pay"}`},
		{"metric/columns", `"kind":"metric","metric":{"name":"m","type":"counter","labels":{"status":"log.attributes[\"status\"]"}}`},
		{"metric/ottl", `"kind":"metric","metric":{"name":"m","type":"histogram","value":"Len(log.body)","buckets":[100,200,300]}`},
		{"transform/set", `"kind":"transform","statements":["set(log.attributes[\"env\"], \"prod\")"]`},
		{"transform/one in ten", `"kind":"transform","match":["log.severity_text == \"debug\""],"statements":["set(log.attributes[\"env\"], \"prod\")"]`},
		{"transform/json", `"kind":"transform","statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")"]`},
		{"transform/regex", `"kind":"transform","statements":["merge_maps(log.attributes, ExtractPatterns(log.body, \"path\\\":\\\"(?P<path>[^\\\"]+)\"), \"upsert\")"]`},
		{"transform/stream", `"kind":"transform","statements":["set(resource.attributes[\"user\"], log.attributes[\"user\"])"]`},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := compile(b, one(c.step))
			cat := catalogtest.New()
			source := batchOf(b, cat, benchLines()...)
			work := &seamark.Batch{}
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				copyBatch(work, source)
				b.StartTimer()
				if err := p.Apply(b.Context(), cat, work); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
		})
	}
}

func copyBatch(to, from *seamark.Batch) {
	to.Reset()
	to.Logs.Streams = append(to.Logs.Streams, from.Logs.Streams...)
	for i := range from.Logs.TimeNano {
		to.Logs.Append(&seamark.LogRow{
			Stream: from.Logs.Stream[i], TimeNano: from.Logs.TimeNano[i], Level: from.Logs.Level[i], Body: from.Logs.Body[i], Attrs: from.Logs.AttrsOf(i),
		})
	}
}

// BenchmarkRedact measures the scan alone, per byte.
func BenchmarkRedact(b *testing.B) {
	for name, body := range map[string]string{
		"clean":  strings.Repeat(`level=info msg="request handled" path=/api/v1/orders status=200 dur=12ms `, 14),
		"digits": strings.Repeat("1730462400123 0.123456 550e8400-e29b ", 28),
		"hits":   strings.Repeat("from 10.0.0.1 by ann@shop.example password=hunter2 ", 20),
	} {
		b.Run(name, func(b *testing.B) {
			p := compile(b, one(`"kind":"redact",`+allPatterns()))
			cat := catalogtest.New()
			source := batchOf(b, cat, line{body: body})
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				source.Logs.Body[0] = body
				if err := p.Apply(b.Context(), cat, source); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNoPipeline measures what a tenant without pipelines pays per request.
func BenchmarkNoPipeline(b *testing.B) {
	e := newEngine(b, "n1", newShelf(), newBook())
	cat := catalogtest.New()
	batch := batchOf(b, cat, line{body: "x"})
	b.ReportAllocs()
	for b.Loop() {
		if err := e.Apply(b.Context(), seamark.Principal{Tenant: acme}, cat, batch); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile measures what a change costs each node once.
func BenchmarkCompile(b *testing.B) {
	list, err := pipeline.Parse([]byte(one(`"kind":"transform","statements":["merge_maps(log.attributes, ParseJSON(log.body), \"upsert\")","set(log.body, log.attributes[\"msg\"])"]`)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := pipeline.Compile(options(), list...); err != nil {
			b.Fatal(err)
		}
	}
}
