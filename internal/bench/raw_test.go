package bench_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/gogo/protobuf/proto"
	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"

	"github.com/seamarkhq/seamark/internal/bench"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// rawRows is the size of a straight insert's block: where ClickHouse is at its best.
const rawRows = 100_000

// rawRig is ClickHouse alone, with one of the tables that Seamark makes.
type rawRig struct {
	rig
	self float64 // CPU seconds of this process in inserts
}

// rawCost inserts the rows of requests straight into one table and returns the CPU seconds of client and server, merges
// included. The rows come out of the product's decoder, which is not counted.
func rawCost(b *testing.B, w *workload, tenants [][]request) float64 {
	b.Helper()
	r := &rawRig{rig: rig{b: b, engine: harness.StartEngine(b, b.TempDir())}}
	r.connect()
	for _, sql := range []string{"CREATE DATABASE t0001", bench.Schema(w.table)} {
		if err := r.conn.Exec(context.Background(), sql); err != nil {
			b.Fatal(err)
		}
	}
	before, rows, batch := r.secondsOf(r.engine.EnginePid), 0, &seamark.Batch{}
	flush := func() {
		rows += batch.Rows()
		r.insertLogs(&batch.Logs)
		r.insertSamples(&batch.Samples)
		batch = &seamark.Batch{}
	}
	decode := w.decoder(b)
	for _, requests := range tenants {
		for _, q := range requests {
			decode(q.body, batch)
			if batch.Rows() >= rawRows {
				flush()
			}
		}
	}
	flush()
	r.settle(w.table, uint64(rows))
	used := r.self + r.secondsOf(r.engine.EnginePid) - before
	r.engine.Kill() // the product's turn is next
	return used / float64(rows) * 1e6
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

func (r *rawRig) insertLogs(l *seamark.LogRows) {
	n := l.Len()
	if n == 0 {
		return
	}
	groups, times, fps, levels := make([]string, n), make([]time.Time, n), make([]uint64, n), make([]string, n)
	traces, spans, attrs, ids := make([]string, n), make([]string, n), make([]map[string]string, n), make([]uint64, n)
	for i := range n {
		s := l.Streams[l.Stream[i]]
		groups[i], times[i], fps[i], levels[i] = s.Label("namespace")+"/"+s.Label("app"), time.Unix(0, l.TimeNano[i]), s.FP, l.Level[i].String()
		traces[i], spans[i] = string(l.TraceID[i][:]), string(l.SpanID[i][:])
		for _, a := range l.AttrsOf(i) {
			if attrs[i] == nil {
				attrs[i] = map[string]string{}
			}
			attrs[i][a.Name] = a.Value
		}
	}
	r.insert("INSERT INTO t0001.logs (grp, ts, fp, level, trace_id, span_id, body, attrs, _b)", groups, times, fps, levels, traces, spans, l.Body, attrs, ids)
}

func (r *rawRig) insertSamples(s *seamark.SampleRows) {
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

// fixedWork decodes log requests with the generated types of Loki's own push package: the same work on every machine and in
// every version, so that figures of different minutes can be compared by their ratio to it. It returns CPU seconds per
// million rows.
func fixedWork(b *testing.B) float64 {
	b.Helper()
	const requests, perRequest = 100, 1000
	corpus := bench.NewLogs(bench.LogsOptions{Seed: 1, Rows: requests * perRequest, Streams: 300, End: time.Now()})
	bodies := make([][]byte, requests)
	for i := range bodies {
		bodies[i] = bench.LokiPush(corpus.Next(perRequest))
	}
	begin := cpuOfSelf()
	for _, body := range bodies {
		var req push.PushRequest
		if err := proto.Unmarshal(inflated(b, body), &req); err != nil {
			b.Fatal(err)
		}
	}
	return (cpuOfSelf() - begin) / (requests * perRequest) * 1e6
}

// BenchmarkFixedWork measures the machine.
func BenchmarkFixedWork(b *testing.B) {
	sum := 0.0
	for range b.N {
		sum += fixedWork(b)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(sum/float64(b.N), "cpu-s/Mrow")
}

func inflated(b *testing.B, body []byte) []byte {
	b.Helper()
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}
