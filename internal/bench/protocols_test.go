package bench_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // what exporters compress with
	"google.golang.org/grpc/metadata"

	"github.com/seamarkhq/seamark/internal/bench"
)

// protocol is one way in: the bodies of some rows, and how they are sent.
type protocol struct {
	name       string
	rows       int // that are sent after the warm-up
	perRequest int
	next       func(n int) [][]byte // bodies of the next n rows
	send       func(r *rig, requests []request, stored func())
}

// over sends requests by HTTP.
func over(f form) func(r *rig, requests []request, stored func()) {
	return func(r *rig, requests []request, stored func()) {
		load(requests, func(q request) time.Duration { return r.post(f, q) })
		stored()
	}
}

// into sends requests to a listener.
func into(listener string) func(r *rig, requests []request, stored func()) {
	return func(r *rig, requests []request, stored func()) { r.stream(listener, requests, stored) }
}

// byGRPC exports logs over a few connections, as some collectors do.
func byGRPC(r *rig, requests []request, stored func()) {
	clients := make(chan plogotlp.GRPCClient, senders)
	for range senders {
		conn, err := grpc.NewClient(r.ingest.URL[len("http://"):], grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			r.b.Fatal(err)
		}
		r.b.Cleanup(func() { _ = conn.Close() })
		clients <- plogotlp.NewGRPCClient(conn)
	}
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+r.tokens[0])
	load(requests, func(q request) time.Duration {
		message := plogotlp.NewExportRequest()
		if err := message.UnmarshalProto(q.body); err != nil {
			r.b.Error(err)
			return 0
		}
		client := <-clients
		defer func() { clients <- client }()
		begin := time.Now()
		if answer, err := client.Export(ctx, message, grpc.UseCompressor("gzip")); err != nil || answer.PartialSuccess().RejectedLogRecords() > 0 {
			r.b.Errorf("export: %v %s", err, answer.PartialSuccess().ErrorMessage())
		}
		return time.Since(begin)
	})
	stored()
}

const (
	protobuf = "application/x-protobuf"
	jsonText = "application/json"
)

var (
	lokiForm         = form{"/loki/api/v1/push", protobuf, "snappy"}
	otlpLogsForm     = form{"/v1/logs", protobuf, "gzip"}
	remoteWrite1Form = form{"/api/v1/push", protobuf, "snappy"}
	remoteWrite2Form = form{"/api/v1/push", protobuf + ";proto=io.prometheus.write.v2.Request", "snappy"}
)

// linesBy encodes the lines of a corpus of the protocol's own.
func linesBy(name string, rows int, encode func([]bench.Record) []byte, send func(*rig, []request, func())) protocol {
	const perRequest = 1000
	corpus := bench.NewLogs(bench.LogsOptions{Seed: 1, Rows: rows + rows/warmUp, Streams: 300, End: time.Now()})
	return protocol{name, rows, perRequest, func(n int) [][]byte {
		bodies := make([][]byte, n/perRequest)
		for i := range bodies {
			bodies[i] = encode(corpus.Next(perRequest))
		}
		return bodies
	}, send}
}

// samplesBy encodes whole scrapes of 20,000 series.
func samplesBy(name string, rows int, encode func([]bench.Sample) []byte, f form) protocol {
	const perRequest, pods = 2000, 250
	corpus := bench.NewMetrics(bench.MetricsOptions{Seed: 1, Pods: pods, Scrapes: rows / 20_000 * (warmUp + 1) / warmUp, End: time.Now()})
	return protocol{name, rows, corpus.Len(), func(n int) [][]byte {
		var bodies [][]byte
		for range n / corpus.Len() {
			samples := corpus.Scrape()
			for start := 0; start < len(samples); start += perRequest {
				bodies = append(bodies, encode(samples[start:start+perRequest]))
			}
		}
		return bodies
	}, over(f)}
}

func othersBy(name string, rows, perRequest int, encode func(n int) []byte, f form) protocol {
	return protocol{name, rows, perRequest, func(n int) [][]byte {
		bodies := make([][]byte, n/perRequest)
		for i := range bodies {
			bodies[i] = encode(perRequest)
		}
		return bodies
	}, over(f)}
}

func marshalled(m interface{ MarshalProto() ([]byte, error) }) []byte {
	body, err := m.MarshalProto()
	if err != nil {
		panic(err) // the message is ours
	}
	return body
}

// zipped compresses what an encoder makes.
func zipped[T any](encode func(T) []byte) func(T) []byte {
	return func(v T) []byte { return bench.Gzip(encode(v)) }
}

// warmUp is the part of a protocol's rows, as a divisor, that is sent before the measuring begins: streams and series are
// known then.
const warmUp = 10

// protocols lists every way in. Bodies are compressed where their senders do that unasked.
func protocols(b *testing.B) []protocol {
	b.Helper()
	lines, samples, others := scaled(b, 200_000, 10_000), scaled(b, 1_000_000, 200_000), scaled(b, 100_000, 4000)
	otlpLogs := func(records []bench.Record) []byte { return marshalled(bench.OTLPLogs(records)) }
	o := bench.NewOthers(1, time.Now())
	return []protocol{
		linesBy("Loki", lines, bench.LokiPush, over(lokiForm)),
		linesBy("OTLPLogs", lines, zipped(otlpLogs), over(otlpLogsForm)),
		linesBy("OTLPLogsGRPC", lines, otlpLogs, byGRPC),
		linesBy("Elasticsearch", lines, zipped(bench.ElasticsearchBulk), over(form{"/_bulk", "application/x-ndjson", "gzip"})),
		linesBy("HEC", lines, bench.HEC, over(form{"/services/collector/event", jsonText, ""})),
		linesBy("NDJSON", lines, bench.NDJSON, over(form{"/api/v1/push/logs", "application/x-ndjson", ""})),
		linesBy("Forward", lines, bench.Forward, into("forward")),
		linesBy("Syslog", lines, bench.Syslog, into("syslog")),
		linesBy("DatadogLogs", lines, zipped(bench.DatadogLogs), over(form{"/api/v2/logs", jsonText, "gzip"})),
		othersBy("Audit", others, 400, o.Audit, form{"/api/v1/push/audit", jsonText, ""}),
		samplesBy("RemoteWrite1", samples, bench.RemoteWrite1, remoteWrite1Form),
		samplesBy("RemoteWrite2", samples, bench.RemoteWrite2, remoteWrite2Form),
		samplesBy("OTLPMetrics", samples, zipped(func(s []bench.Sample) []byte { return marshalled(bench.OTLPMetrics(s)) }), form{"/v1/metrics", protobuf, "gzip"}),
		samplesBy("Influx", samples, zipped(bench.Influx), form{"/api/v2/write?precision=ns", "text/plain", "gzip"}),
		samplesBy("DatadogSeries", samples, zipped(bench.DatadogSeries), form{"/api/v2/series", jsonText, "gzip"}),
		othersBy("OTLPTraces", others, 500, zipped(func(n int) []byte { return marshalled(o.Traces(n)) }), form{"/v1/traces", protobuf, "gzip"}),
		othersBy("Events", others, 100, o.Events, form{"/api/v1/push/events", jsonText, ""}),
	}
}

// BenchmarkIngest measures decoding and publishing, to the bus's acknowledgement, for each protocol. Nothing reads the queue.
func BenchmarkIngest(b *testing.B) {
	r := newIngestRig(b)
	for _, p := range protocols(b) {
		b.Run(p.name, func(b *testing.B) {
			own := *r
			own.b = b
			for range b.N {
				own.measureIngest(&p)
			}
		})
	}
}

func (r *rig) measureIngest(p *protocol) {
	warm := requestsOf(p.next(max(p.perRequest, p.rows/warmUp/p.perRequest*p.perRequest)))
	requests := requestsOf(p.next(p.rows))
	r.sendRows(p, warm, p.perRequest)
	bytes := 0
	for _, q := range requests {
		bytes += len(q.body)
	}
	profiled := r.profile()
	before, begin := r.cpu(), time.Now()
	r.sendRows(p, requests, p.rows)
	wall, used := time.Since(begin), r.cpu().minus(before)
	profiled()
	million := float64(p.rows) / 1e6
	r.b.ReportMetric(0, "ns/op")
	r.b.ReportMetric(float64(p.rows)/wall.Seconds(), "rows/s")
	r.b.ReportMetric(float64(bytes)/float64(p.rows), "sent-B/row")
	r.b.ReportMetric(used.ingest/million, "ingest-cpu-s/Mrow")
	r.b.ReportMetric(used.nats/million, "nats-cpu-s/Mrow")
	r.b.ReportMetric(used.total()/million, "total-cpu-s/Mrow")
}

func requestsOf(bodies [][]byte) []request {
	requests := make([]request, len(bodies))
	for i, body := range bodies {
		requests[i].body = body
	}
	return requests
}

// sendRows sends requests and waits until at least so many rows of them are acknowledged. An event is a line, too.
func (r *rig) sendRows(p *protocol, requests []request, rows int) {
	before := r.acknowledged()
	p.send(r, requests, func() {
		r.until(2*time.Minute, func() bool { return r.b.Failed() || r.acknowledged()-before >= float64(rows) })
	})
}

// acknowledged counts the rows that the bus has acknowledged to the ingest role.
func (r *rig) acknowledged() float64 {
	sum := 0.0
	for series, v := range r.metrics(r.ingest) {
		if len(series) > len(rowsMetric) && series[:len(rowsMetric)] == rowsMetric {
			sum += v
		}
	}
	return sum
}

const rowsMetric = "seamark_ingest_rows_total{"
