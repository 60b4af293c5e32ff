package bench_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/ingest/remotewrite"
	"github.com/seamarkhq/seamark/internal/bench"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// workload is what the whole product is measured with.
type workload struct {
	form  form
	table string
	rows  int
	// requests returns the requests of each tenant, and sets rows.
	requests func(tenants int) [][]request
	// warm is a small request that a tenant's tables are made for. The straight insert's table is there before, too.
	warm []byte
	// decoder returns what reads a body for the straight insert of the same rows.
	decoder func(b *testing.B) func(body []byte, batch *seamark.Batch)
	// targets, per million rows and per row, are those of docs/performance.md.
	targetCPU, targetBytes float64
}

// manyTenants stand beside each other in the second form of each benchmark.
const manyTenants = 200

// BenchmarkLokiPush pushes a million log lines as agents do, a thousand a request.
func BenchmarkLokiPush(b *testing.B) { measure(b, lokiWorkload(b), 1) }

// BenchmarkLokiPushTenants pushes four million lines of 200 tenants, each with ten streams: as many that a tenant's first
// parts have been merged.
func BenchmarkLokiPushTenants(b *testing.B) { measure(b, lokiWorkload(b), manyTenants) }

// BenchmarkOTLPLogs exports a million log records by HTTP with gzip, a thousand a request.
func BenchmarkOTLPLogs(b *testing.B) { measure(b, otlpWorkload(b), 1) }

// BenchmarkOTLPLogsTenants exports four million of 200 tenants.
func BenchmarkOTLPLogsTenants(b *testing.B) { measure(b, otlpWorkload(b), manyTenants) }

// BenchmarkRemoteWrite pushes five million samples of 20,000 series, 2,000 a request.
func BenchmarkRemoteWrite(b *testing.B) { measure(b, remoteWriteWorkload(b), 1) }

// BenchmarkRemoteWriteTenants pushes twenty million samples of 200 tenants, each with 80 series of its own and 25 scrapes of
// them a request.
func BenchmarkRemoteWriteTenants(b *testing.B) { measure(b, remoteWriteWorkload(b), manyTenants) }

func lokiWorkload(b *testing.B) *workload {
	w := &workload{form: lokiForm, table: "logs", targetCPU: 5.0, targetBytes: 47}
	w.requests = func(tenants int) [][]request { return w.logs(b, tenants, bench.LokiPush) }
	w.warm = bench.LokiPush(warmLines())
	w.decoder = func(b *testing.B) func([]byte, *seamark.Batch) {
		d, catalog := lokipush.New(), catalogtest.New()
		return func(body []byte, batch *seamark.Batch) {
			if err := d.DecodeProto(inflated(b, body), catalog, batch, lokipush.Options{Now: time.Now()}); err != nil {
				b.Fatal(err)
			}
		}
	}
	return w
}

func otlpWorkload(b *testing.B) *workload {
	w := &workload{form: otlpLogsForm, table: "logs", targetCPU: 6.0, targetBytes: 47}
	encode := zipped(func(records []bench.Record) []byte { return marshalled(bench.OTLPLogs(records)) })
	w.requests = func(tenants int) [][]request { return w.logs(b, tenants, encode) }
	w.warm = encode(warmLines())
	w.decoder = func(b *testing.B) func([]byte, *seamark.Batch) {
		d, catalog := otlp.New(), catalogtest.New()
		return func(body []byte, batch *seamark.Batch) {
			in, err := gzip.NewReader(bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			raw, err := io.ReadAll(in)
			if err != nil {
				b.Fatal(err)
			}
			request := &otlp.Request{Body: raw, Catalog: catalog, Cluster: "bench", Now: time.Now(), Limits: otlp.Limits{MaxAttrs: seamark.DefaultLimits().MaxAttrs}}
			if request.Encoding, err = otlp.ParseEncoding(protobuf); err != nil {
				b.Fatal(err)
			}
			if err := d.DecodeLogs(request, batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	return w
}

func warmLines() []bench.Record {
	return bench.NewLogs(bench.LogsOptions{Seed: 1 << 20, Rows: 10, Streams: 10, End: time.Now()}).Next(10)
}

// logs divides lines among tenants, whose streams are their own.
func (w *workload) logs(b *testing.B, tenants int, encode func([]bench.Record) []byte) [][]request {
	const perRequest = 1000
	rows, streams := scaled(b, 1_000_000, 200_000), 300
	if tenants > 1 {
		rows, streams = 4*rows, 10
	}
	w.rows = rows
	of, end := make([][]request, tenants), time.Now()
	for t := range of {
		corpus := bench.NewLogs(bench.LogsOptions{Seed: uint64(t + 1), Rows: rows / tenants, Streams: streams, End: end})
		for range rows / tenants / perRequest {
			of[t] = append(of[t], request{t, encode(corpus.Next(perRequest))})
		}
	}
	return of
}

func remoteWriteWorkload(b *testing.B) *workload {
	const pods, perRequest = 250, 2000
	once := scaled(b, 250, 25)
	w := &workload{form: remoteWrite1Form, table: "samples", targetCPU: 1.2, targetBytes: 1.5}
	w.warm = bench.RemoteWrite1(bench.NewMetrics(bench.MetricsOptions{Seed: 1 << 20, Pods: 1, Scrapes: 1, End: time.Now()}).Scrape())
	w.requests = func(tenants int) [][]request {
		of, end, scrapes := make([][]request, tenants), time.Now(), once
		if tenants > 1 {
			scrapes *= 4
		}
		w.rows = 0
		for t := range of {
			corpus := bench.NewMetrics(bench.MetricsOptions{Seed: uint64(t + 1), Pods: max(1, pods/tenants), Scrapes: scrapes, End: end})
			w.rows += scrapes * corpus.Len()
			var held []bench.Sample
			for range scrapes {
				for samples := range slices.Chunk(corpus.Scrape(), perRequest) {
					if held = append(held, samples...); len(held) >= perRequest {
						of[t] = append(of[t], request{t, bench.RemoteWrite1(held)})
						held = held[:0]
					}
				}
			}
		}
		return of
	}
	w.decoder = func(b *testing.B) func([]byte, *seamark.Batch) {
		d, catalog := remotewrite.New(), catalogtest.New()
		return func(body []byte, batch *seamark.Batch) {
			if err := d.Decode(inflated(b, body), catalog, batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	return w
}

// measure runs the straight insert and the product one after the other, between two measures of the machine, because only
// figures of the same minutes compare.
func measure(b *testing.B, w *workload, tenants int) {
	for range b.N {
		fixed := fixedWork(b)
		requests := w.requests(tenants)
		raw := rawCost(b, w, requests)
		r := newRig(b, tenants)
		r.warmUp(w)
		before := r.parts("bytes_on_disk", w.table)
		used := r.run(w, requests)
		fixed = (fixed + fixedWork(b)) / 2
		fresh := float64(r.parts("bytes_on_disk", w.table)-before) / float64(w.rows)
		r.merge(w.table)
		stored := float64(r.parts("bytes_on_disk", w.table)-before) / float64(w.rows)
		b.ReportMetric(raw, "raw-cpu-s/Mrow")
		b.ReportMetric(used/raw, "ratio-to-raw")
		b.ReportMetric(fixed, "fixed-cpu-s/Mrow")
		b.ReportMetric(used/fixed, "ratio-to-fixed")
		b.ReportMetric(fresh, "fresh-disk-B/row")
		b.ReportMetric(stored, "disk-B/row")
		b.Logf("%d tenants: %.2f CPU-s per million rows (target <= %.1f), %.2f x the straight insert; %.2f B/row (target <= %.1f)",
			tenants, used, w.targetCPU, used/raw, stored, w.targetBytes)
	}
}

// merge has every tenant's parts of a table merged, as they are within an hour, when small parts are old enough.
func (r *rig) merge(table string) {
	for t := range r.tokens {
		if err := r.conn.Exec(context.Background(), fmt.Sprintf("OPTIMIZE TABLE t%04d.%s FINAL", t+1, table)); err != nil {
			r.b.Fatal(err)
		}
	}
	r.until(time.Minute, func() bool { return r.count("SELECT count() FROM system.merges") == 0 })
}

// warmUp has the tables of every tenant made, which happens once in a tenant's life.
func (r *rig) warmUp(w *workload) {
	requests := make([]request, len(r.tokens))
	for t := range requests {
		requests[t] = request{t, w.warm}
	}
	load(requests, func(q request) time.Duration { return r.post(w.form, q) })
	r.until(5*time.Minute, func() bool { return r.tenantsWith(w.table) == len(requests) })
	if w.table == "logs" {
		r.until(2*time.Minute, func() bool { return r.tenantsWith("log_patterns") == len(requests) })
	}
}

// tenantsWith returns how many tenants have rows of a table.
func (r *rig) tenantsWith(table string) int {
	return int(r.count("SELECT uniqExact(database) FROM system.parts WHERE active AND match(database, '^t[0-9]+$') AND table = '" + table + "'"))
}

// run pushes a workload and reports what each part cost; it returns the sum in CPU seconds per million rows.
func (r *rig) run(w *workload, tenants [][]request) float64 {
	var queue []request
	for i := range tenants[0] { // beside each other
		for _, requests := range tenants {
			queue = append(queue, requests[i])
		}
	}
	rows := r.parts("rows", w.table) + uint64(w.rows)
	ages := r.metrics(r.writer) // before it, which the warm-up's rows are in
	before, profiled, begin := r.cpu(), r.profile(), time.Now()
	acks := load(queue, func(q request) time.Duration { return r.post(w.form, q) })
	wall := time.Since(begin)
	profiled()
	tail := r.settle(w.table, rows)
	used := r.cpu().minus(before)
	r.b.Logf("last row queryable %s after the last acknowledgement", tail.Round(time.Millisecond))
	r.b.Logf("inserts%s", r.inserts(ages))
	r.report(w, wall, used, acks)
	for _, q := range []float64{0.5, 0.99} {
		r.b.ReportMetric(r.histogramQuantile("seamark_writer_queryable_seconds", q, ages)*1000, fmt.Sprintf("queryable-p%g-ms", 100*q))
	}
	return used.total() / float64(w.rows) * 1e6
}

// inserts lists how many inserts each table has had since before.
func (r *rig) inserts(before map[string]float64) string {
	const name = `seamark_store_insert_duration_seconds_count{table="`
	now, text := r.metrics(r.writer), ""
	for _, series := range slices.Sorted(maps.Keys(now)) {
		if table, ok := strings.CutPrefix(series, name); ok && now[series] > before[series] {
			text += fmt.Sprintf(" %s %.0f", strings.TrimSuffix(table, `"}`), now[series]-before[series])
		}
	}
	return text
}

func (r *rig) report(w *workload, wall time.Duration, used cpu, acks []time.Duration) {
	b, million := r.b, float64(w.rows)/1e6
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(w.rows)/wall.Seconds(), "rows/s")
	b.ReportMetric(used.ingest/million, "ingest-cpu-s/Mrow")
	b.ReportMetric(used.nats/million, "nats-cpu-s/Mrow")
	b.ReportMetric(used.writer/million, "writer-cpu-s/Mrow")
	b.ReportMetric(used.clickhouse/million, "clickhouse-cpu-s/Mrow")
	b.ReportMetric(used.total()/million, "total-cpu-s/Mrow")
	b.ReportMetric(float64(r.rss())/(1<<20), "rss-MiB")
	b.ReportMetric(acks[len(acks)*99/100].Seconds()*1000, "ack-p99-ms")
	b.Logf("%d inserts, %d merges of %.2f rows per row", r.event("InsertQuery"), r.event("Merge"), float64(r.event("MergedRows"))/float64(w.rows))
	if os.Getenv("SEAMARK_BENCH_COLUMNS") != "" {
		r.columns(w)
	}
}

// event reads a counter of ClickHouse since its start.
func (r *rig) event(name string) uint64 {
	return r.count("SELECT toUInt64(sum(value)) FROM system.events WHERE event = '" + name + "'")
}

// columns prints the size of each column.
func (r *rig) columns(w *workload) {
	rows, err := r.conn.Query(context.Background(), `SELECT column, sum(column_data_compressed_bytes) FROM system.parts_columns
		WHERE active AND match(database, '^t[0-9]+$') AND table = ? GROUP BY column ORDER BY 2 DESC`, w.table)
	if err != nil {
		r.b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var bytes uint64
		if err := rows.Scan(&name, &bytes); err != nil {
			r.b.Fatal(err)
		}
		r.b.Logf("%s.%s %.3f B/row", w.table, name, float64(bytes)/float64(w.rows))
	}
}

// histogramQuantile reads a quantile's upper bound from what the writer's metrics have gained since before.
func (r *rig) histogramQuantile(name string, q float64, before map[string]float64) float64 {
	type bucket struct{ bound, count float64 }
	var buckets []bucket
	for series, count := range r.metrics(r.writer) {
		le, ok := strings.CutPrefix(series, name+`_bucket{le="`)
		if !ok {
			continue
		}
		bound, err := strconv.ParseFloat(strings.TrimSuffix(le, `"}`), 64)
		if err != nil {
			r.b.Fatal(err)
		}
		buckets = append(buckets, bucket{bound, count - before[series]})
	}
	if len(buckets) == 0 {
		r.b.Fatalf("no histogram %s", name)
	}
	slices.SortFunc(buckets, func(a, b bucket) int { return cmp.Compare(a.bound, b.bound) })
	for _, bk := range buckets {
		if bk.count >= q*buckets[len(buckets)-1].count {
			return bk.bound
		}
	}
	return buckets[len(buckets)-1].bound
}
