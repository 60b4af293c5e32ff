package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/bench"
	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/engine"
)

func TestMain(m *testing.M) { harness.Main(m) }

// rig is Seamark as four processes, so that each part's CPU can be told apart.
type rig struct {
	b              *testing.B
	nats           *harness.NATS
	engine         *harness.Engine
	ingest, writer *harness.Server
	token          string
	conn           driver.Conn
	client         *http.Client
}

func newRig(b *testing.B) *rig {
	b.Helper()
	r := &rig{b: b, nats: harness.StartNATS(b, b.TempDir()), engine: harness.StartEngine(b, b.TempDir())}
	flags := append([]string{"--nats.url", r.nats.URL}, r.engine.Flags()...)
	r.ingest = harness.Serve(b, b.TempDir(), append([]string{"ingest"}, flags...)...)
	r.writer = harness.Serve(b, b.TempDir(), append([]string{"writer"}, flags...)...)
	admin := func(out any, args ...string) {
		harness.Admin(b, b.TempDir(), out, append(args, "--nats.url", r.nats.URL)...)
	}
	admin(nil, "tenant", "create", "bench")
	admin(nil, "cluster", "create", "bench", "bench")
	var token struct{ Token string }
	admin(&token, "token", "create", "bench", "--cluster", "bench")
	r.token = token.Token
	var err error
	r.conn, err = clickhouse.Open(&clickhouse.Options{Addr: []string{r.engine.TCP}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: engine.AdminUser, Password: r.engine.Password}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.conn.Close() })
	r.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	return r
}

// push sends one body and returns how long the acknowledgement took.
func (r *rig) push(path string, body []byte) time.Duration {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.ingest.URL+path, bytes.NewReader(body))
	if err != nil {
		r.b.Error(err)
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "snappy")
	begin := time.Now()
	resp, err := r.client.Do(req)
	if err != nil {
		r.b.Error(err)
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode/100 != 2 {
		r.b.Errorf("push: %s %s", resp.Status, text)
	}
	return time.Since(begin)
}

// cpu is the CPU seconds each part has used.
type cpu struct{ ingest, nats, writer, clickhouse float64 }

func (r *rig) cpu() cpu {
	read := func(pid int) float64 {
		seconds, _, err := engine.ProcStats(pid)
		if err != nil {
			r.b.Fatal(err)
		}
		return seconds
	}
	return cpu{read(r.ingest.Pid()), read(r.nats.Pid()), read(r.writer.Pid()), read(r.engine.EnginePid)}
}

func (r *rig) rss() int64 {
	var sum int64
	for _, pid := range []int{r.ingest.Pid(), r.nats.Pid(), r.writer.Pid(), r.engine.EnginePid} {
		_, rss, err := engine.ProcStats(pid)
		if err != nil {
			r.b.Fatal(err)
		}
		sum += rss
	}
	return sum
}

// load pushes bodies from some senders side by side and returns the acknowledgement times.
func (r *rig) load(path string, bodies <-chan []byte, senders int) []time.Duration {
	var mu sync.Mutex
	var acks []time.Duration
	var wait sync.WaitGroup
	for range senders {
		wait.Go(func() {
			for body := range bodies {
				took := r.push(path, body)
				mu.Lock()
				acks = append(acks, took)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return acks
}

// settle waits until a table has all rows and no merge runs, and returns how long the rows took.
func (r *rig) settle(table string, rows uint64) time.Duration {
	begin := time.Now()
	r.until(5*time.Minute, func() bool { return r.count("SELECT count() FROM t0001."+table) >= rows })
	took := time.Since(begin)
	quiet := 0
	r.until(2*time.Minute, func() bool {
		if r.count("SELECT count() FROM system.merges") == 0 {
			quiet++
		} else {
			quiet = 0
		}
		return quiet > 15
	})
	return took
}

func (r *rig) until(limit time.Duration, done func() bool) {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			r.b.Fatal("the rows did not arrive in time")
		}
		<-tick.C
	}
}

func (r *rig) count(sql string) (n uint64) {
	_ = r.conn.QueryRow(context.Background(), sql).Scan(&n) // a table that is not there yet has no rows
	return n
}

// report prints what a run cost per million rows.
func (r *rig) report(rows int, wall time.Duration, used cpu, table string, acks []time.Duration) {
	million := float64(rows) / 1e6
	b := r.b
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(rows)/wall.Seconds(), "rows/s")
	b.ReportMetric(used.ingest/million, "ingest-cpu-s/Mrow")
	b.ReportMetric(used.nats/million, "nats-cpu-s/Mrow")
	b.ReportMetric(used.writer/million, "writer-cpu-s/Mrow")
	b.ReportMetric(used.clickhouse/million, "clickhouse-cpu-s/Mrow")
	b.ReportMetric((used.ingest+used.nats+used.writer+used.clickhouse)/million, "total-cpu-s/Mrow")
	b.ReportMetric(float64(r.count("SELECT toUInt64(sum(bytes_on_disk)) FROM system.parts WHERE active AND database = 't0001' AND table = '"+table+"'"))/float64(rows), "disk-B/row")
	b.ReportMetric(float64(r.rss())/(1<<20), "rss-MiB")
	slices.Sort(acks)
	b.ReportMetric(acks[len(acks)*99/100].Seconds()*1000, "ack-p99-ms")
	b.ReportMetric(r.histogramQuantile("seamark_writer_queryable_seconds", 0.5)*1000, "queryable-p50-ms")
	b.ReportMetric(r.histogramQuantile("seamark_writer_queryable_seconds", 0.99)*1000, "queryable-p99-ms")
	if os.Getenv("SEAMARK_BENCH_COLUMNS") != "" {
		r.columns(table, rows)
	}
}

// columns prints the size of each column.
func (r *rig) columns(table string, n int) {
	rows, err := r.conn.Query(context.Background(), `SELECT column, sum(column_data_compressed_bytes) FROM system.parts_columns
		WHERE active AND database = 't0001' AND table = ? GROUP BY column ORDER BY 2 DESC`, table)
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
		r.b.Logf("%s.%s %.3f B/row", table, name, float64(bytes)/float64(n))
	}
}

// histogramQuantile reads a quantile's upper bound from the writer's metrics.
func (r *rig) histogramQuantile(name string, q float64) float64 {
	resp, err := http.Get(r.writer.AdminURL + "/metrics")
	if err != nil {
		r.b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.b.Fatal(err)
	}
	var bounds, counts []float64
	for line := range strings.Lines(string(text)) {
		var le, n float64
		if got, _ := fmt.Sscanf(strings.Replace(line, "+Inf", "1e9", 1), name+"_bucket{le=\"%g\"} %g", &le, &n); got == 2 {
			bounds, counts = append(bounds, le), append(counts, n)
		}
	}
	if len(counts) == 0 {
		r.b.Fatalf("no histogram %s", name)
	}
	for i, n := range counts {
		if n >= q*counts[len(counts)-1] {
			return bounds[i]
		}
	}
	return bounds[len(bounds)-1]
}

// BenchmarkLokiPush pushes a million log lines as agents do, a thousand a request.
func BenchmarkLokiPush(b *testing.B) {
	const rows, perRequest = 1_000_000, 1000
	for range b.N {
		r := newRig(b)
		corpus := bench.NewLogs(1, rows, time.Now())
		requests := make([][]byte, rows/perRequest)
		for i := range requests {
			requests[i] = corpus.Request(perRequest)
		}
		r.measure("/loki/api/v1/push", requests, rows, "logs")
	}
}

// BenchmarkRemoteWrite pushes five million samples of 20,000 series, 2,000 a request.
func BenchmarkRemoteWrite(b *testing.B) {
	const scrapes, perRequest = 250, 2000
	for range b.N {
		r := newRig(b)
		corpus := bench.NewMetrics(1, scrapes, time.Now())
		var requests [][]byte
		for range scrapes {
			requests = append(requests, corpus.Scrape(perRequest)...)
		}
		r.measure("/api/v1/push", requests, scrapes*corpus.Len(), "samples")
	}
}

func (r *rig) measure(path string, requests [][]byte, rows int, table string) {
	before := r.cpu()
	queue := make(chan []byte)
	go func() {
		defer close(queue)
		for _, body := range requests {
			queue <- body
		}
	}()
	profiled := r.profile()
	begin := time.Now()
	acks := r.load(path, queue, 8)
	wall := time.Since(begin)
	profiled()
	tail := r.settle(table, uint64(rows))
	after := r.cpu()
	if got := r.count("SELECT count() FROM t0001." + table); got != uint64(rows) {
		r.b.Errorf("%d rows stored, %d were acknowledged", got, rows)
	}
	r.b.Logf("last row queryable %s after the last acknowledgement", tail.Round(time.Millisecond))
	r.report(rows, wall, cpu{after.ingest - before.ingest, after.nats - before.nats, after.writer - before.writer, after.clickhouse - before.clickhouse}, table, acks)
}

// profile takes CPU profiles of ingest and writer into the folder that SEAMARK_BENCH_PROFILES names, if it does.
func (r *rig) profile() (wait func()) {
	dir := os.Getenv("SEAMARK_BENCH_PROFILES")
	if dir == "" {
		return func() {}
	}
	var done sync.WaitGroup
	for name, s := range map[string]*harness.Server{"ingest": r.ingest, "writer": r.writer} {
		done.Go(func() {
			resp, err := http.Get(s.AdminURL + "/debug/pprof/profile?seconds=8")
			if err != nil {
				r.b.Error(err)
				return
			}
			defer func() { _ = resp.Body.Close() }()
			data, err := io.ReadAll(resp.Body)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, r.b.Name()+"."+name+".prof"), data, 0o600)
			}
			if err != nil {
				r.b.Error(err)
			}
		})
	}
	return done.Wait
}
