package bench_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/gogo/protobuf/proto"
	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/bench"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// rawRows is the size of a straight insert's block: where ClickHouse is at its best.
const rawRows = 100_000

// rawRig is ClickHouse alone, with the tables that Seamark makes.
type rawRig struct {
	rig
	self float64 // CPU seconds of this process in inserts
}

func newRawRig(b *testing.B, ddl string) *rawRig {
	b.Helper()
	r := &rawRig{rig: rig{b: b, engine: harness.StartEngine(b, b.TempDir())}}
	var err error
	r.conn, err = clickhouse.Open(&clickhouse.Options{
		Addr: []string{r.engine.TCP}, DialContext: engine.DialClickHouse, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		Auth: clickhouse.Auth{Username: engine.AdminUser, Password: r.engine.Password},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.conn.Close() })
	for _, sql := range []string{"CREATE DATABASE t0001", ddl} {
		if err := r.conn.Exec(context.Background(), sql); err != nil {
			b.Fatal(err)
		}
	}
	return r
}

// cpuOfSelf returns the CPU seconds this process has used.
func cpuOfSelf() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for self
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// insert sends one block through clickhouse-go, whole columns at a time, and counts this process's CPU.
func (r *rawRig) insert(sql string, columns ...any) {
	begin := cpuOfSelf()
	batch, err := r.conn.PrepareBatch(context.Background(), sql, driver.WithReleaseConnection())
	if err != nil {
		r.b.Fatal(err)
	}
	for i, c := range columns {
		if err := batch.Column(i).Append(c); err != nil {
			r.b.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		r.b.Fatal(err)
	}
	r.self += cpuOfSelf() - begin
}

func (r *rawRig) report(table string, rows int, begin time.Time) {
	r.settle(table, uint64(rows))
	server, _, err := engine.ProcStats(r.engine.EnginePid)
	if err != nil {
		r.b.Fatal(err)
	}
	million := float64(rows) / 1e6
	r.b.ReportMetric(0, "ns/op")
	r.b.ReportMetric(float64(rows)/time.Since(begin).Seconds(), "rows/s")
	r.b.ReportMetric(r.self/million, "client-cpu-s/Mrow")
	r.b.ReportMetric(server/million, "clickhouse-cpu-s/Mrow")
	r.b.ReportMetric((r.self+server)/million, "total-cpu-s/Mrow")
	r.b.ReportMetric(float64(r.count("SELECT toUInt64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = 't0001'"))/float64(rows), "disk-B/row")
}

// BenchmarkRawLogs inserts the rows of BenchmarkLokiPush straight into ClickHouse.
func BenchmarkRawLogs(b *testing.B) {
	const rows = 1_000_000
	for range b.N {
		r := newRawRig(b, bench.Schema("logs"))
		corpus, decoder, catalog := bench.NewLogs(1, rows, time.Now()), lokipush.New(), catalogtest.New()
		begin := time.Now()
		for range rows / rawRows {
			batch := &seamark.Batch{}
			for range rawRows / 1000 {
				if err := decoder.DecodeProto(inflated(b, corpus.Request(1000)), catalog, batch, lokipush.Options{Now: time.Now()}); err != nil {
					b.Fatal(err)
				}
			}
			r.insertLogs(batch)
		}
		r.report("logs", rows, begin)
	}
}

func (r *rawRig) insertLogs(batch *seamark.Batch) {
	l := &batch.Logs
	n := l.Len()
	groups, times, fps, levels := make([]string, n), make([]time.Time, n), make([]uint64, n), make([]string, n)
	traces, spans, attrs, ids := make([]string, n), make([]string, n), make([]map[string]string, n), make([]uint64, n)
	for i := range n {
		s := l.Streams[l.Stream[i]]
		groups[i], times[i], fps[i], levels[i] = s.Label("namespace")+"/"+s.Label("app"), time.Unix(0, l.TimeNano[i]), s.FP, l.Level[i].String()
		traces[i], spans[i] = string(l.TraceID[i][:]), string(l.SpanID[i][:])
	}
	r.insert("INSERT INTO t0001.logs (grp, ts, fp, level, trace_id, span_id, body, attrs, _b)", groups, times, fps, levels, traces, spans, l.Body, attrs, ids)
}

// BenchmarkRawSamples inserts the samples of BenchmarkRemoteWrite straight into ClickHouse.
func BenchmarkRawSamples(b *testing.B) {
	const scrapes = 250
	for range b.N {
		r := newRawRig(b, bench.Schema("samples"))
		corpus, decoder, catalog := bench.NewMetrics(1, scrapes, time.Now()), remotewrite.New(), catalogtest.New()
		begin, batch := time.Now(), &seamark.Batch{}
		for range scrapes {
			for _, body := range corpus.Scrape(2000) {
				if err := decoder.Decode(inflated(b, body), catalog, batch); err != nil {
					b.Fatal(err)
				}
			}
			if batch.Samples.Len() >= rawRows {
				r.insertSamples(batch)
				batch = &seamark.Batch{}
			}
		}
		r.insertSamples(batch)
		r.report("samples", scrapes*corpus.Len(), begin)
	}
}

func (r *rawRig) insertSamples(batch *seamark.Batch) {
	s := &batch.Samples
	n := s.Len()
	if n == 0 {
		return
	}
	names, fps, times, ids := make([]string, n), make([]uint64, n), make([]time.Time, n), make([]uint64, n)
	for i := range n {
		series := s.Series[s.SeriesRef[i]]
		names[i], fps[i], times[i] = series.Label(seamark.MetricNameLabel), series.FP, time.UnixMilli(s.TimeMilli[i])
	}
	r.insert("INSERT INTO t0001.samples (metric, fp, ts, v, _b)", names, fps, times, s.Value, ids)
}

// BenchmarkFixedWork decodes the log corpus with the generated types of Loki's own push package: the same work on every
// machine and in every version, so that figures of different minutes can be compared by their ratio to it.
func BenchmarkFixedWork(b *testing.B) {
	const rows = 200_000
	corpus := bench.NewLogs(1, rows, time.Now())
	requests := make([][]byte, rows/1000)
	for i := range requests {
		requests[i] = corpus.Request(1000)
	}
	begin := cpuOfSelf()
	for range b.N {
		for _, body := range requests {
			var req push.PushRequest
			if err := proto.Unmarshal(inflated(b, body), &req); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric((cpuOfSelf()-begin)/float64(b.N)/rows*1e6, "cpu-s/Mrow")
}

func inflated(b *testing.B, body []byte) []byte {
	b.Helper()
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}
