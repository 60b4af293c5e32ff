package logs_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rounds is how often each query is asked when the server has seen its like before.
const rounds = 20

// targetRows is the number of rows that the targets are for.
const targetRows = 3_000_000

// ask is one thing that somebody wants to know: a request, or more where Grafana sends more.
type ask struct {
	name     string // of the benchmark
	requests []request
	marker   func(c *corpus, round int) string // stands in each line or series of the answers
	least    int                               // how often, at least
}

// request is one HTTP request. Its range ends with the corpus unless around is set.
type request struct {
	path    string // "" for a query
	query   func(c *corpus, round int) string
	span    time.Duration // 0 for one moment
	step    time.Duration // of what is counted
	limit   int           // of lines
	around  bool          // the range is about the middle of the day: up to it, or with forward set from it
	forward bool
}

const (
	day        = corpusLength
	everything = `{cluster="bench"}`
	stamp      = `"1` // of a line: its time in nanoseconds, as JSON
)

func fixed(text string) func(*corpus, int) string {
	return func(*corpus, int) string { return text }
}

func lines(query func(*corpus, int) string, limit int) []request {
	return []request{{query: query, span: day, limit: limit}}
}

func asks() []ask {
	stream := fixed(`{app="app-0",cluster="bench",container="main",namespace="ns-0",node="node-0",pod="` + podOf(0) + `"}`)
	word := func(_ *corpus, round int) string { return needle(round) }
	id := func(c *corpus, round int) string { return c.requests[round] }
	trace := func(c *corpus, round int) string { return c.traces[round] }
	filter := func(by func(*corpus, int) string) func(*corpus, int) string {
		return func(c *corpus, round int) string { return everything + ` |= "` + by(c, round) + `"` }
	}
	return []ask{
		{name: "needle-word", requests: lines(filter(word), 100), marker: word, least: needleLines},
		{name: "rare-id", requests: lines(filter(id), 100), marker: id, least: 1},
		{name: "trace-id-in-line", requests: lines(filter(trace), 100), marker: trace, least: 1},
		{name: "trace-id-label", requests: lines(func(c *corpus, k int) string { return everything + ` | trace_id="` + c.traces[k] + `"` }, 100), marker: trace, least: 1},
		{name: "label-substring", requests: lines(fixed(`{namespace="ns-3"} |= "connection refused"`), 1000), marker: fixed("connection refused"), least: 10},
		{name: "label-substring-rare", requests: lines(func(_ *corpus, k int) string { return `{namespace="ns-3"} |= "customer ` + strconv.Itoa(1000+k) + ` "` }, 100), marker: fixed("customer 1"), least: 0},
		{name: "label-regex", requests: lines(fixed(`{namespace="ns-3"} |~ "took=29[0-9]{2}ms"`), 1000), marker: fixed("took=29"), least: 10},
		{name: "count-1m", requests: []request{{query: fixed(`sum by (namespace) (count_over_time(` + everything + `[1m]))`), span: day, step: time.Minute}}, marker: fixed(`"metric":`), least: namespaces},
		{name: "topk-filtered", requests: []request{{query: fixed(`topk(10, sum by (app) (count_over_time(` + everything + ` |= "connection" [24h])))`)}}, marker: fixed(`"metric":`), least: 10},
		{name: "json-field-5m", requests: []request{{query: fixed(`sum by (status) (count_over_time({app="app-0"} | json | __error__="" | status >= 500 [5m]))`), span: day, step: 5 * time.Minute}}, marker: fixed(`"metric":`), least: 2},
		{name: "last-1000-namespace", requests: lines(fixed(`{namespace="ns-3"}`), 1000), marker: fixed(stamp), least: 250},
		{name: "last-1000-all", requests: lines(fixed(everything), 1000), marker: fixed(stamp), least: 1000},
		{name: "label-values", requests: []request{{path: "/label/pod/values", span: day}}, marker: fixed(`"app-`), least: 300},
		{name: "context", requests: []request{
			{query: stream, span: 2 * time.Hour, limit: 10, around: true}, {query: stream, span: 2 * time.Hour, limit: 10, around: true, forward: true},
		}, marker: fixed(stamp), least: 4},
	}
}

// http writes the request as Grafana does.
func (r *request) http(c *corpus, round int) *http.Request {
	form, path, end := url.Values{}, r.path, c.end
	nanos := func(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }
	if path == "" {
		path = "/query_range"
		form.Set("query", r.query(c, round))
	}
	if r.around {
		end = time.Unix(0, c.middle)
		if r.forward {
			end = end.Add(r.span)
		}
	}
	if r.span == 0 {
		path = "/query"
		form.Set("time", nanos(end))
	} else {
		form.Set("start", nanos(end.Add(-r.span)))
		form.Set("end", nanos(end))
	}
	if r.step > 0 {
		form.Set("step", strconv.FormatFloat(r.step.Seconds(), 'f', -1, 64))
	}
	if r.limit > 0 {
		form.Set("limit", strconv.Itoa(r.limit))
	}
	if r.forward {
		form.Set("direction", "forward")
	}
	hr := httptest.NewRequest(http.MethodGet, "/loki/api/v1"+path+"?"+form.Encode(), http.NoBody)
	hr.Header.Set("Authorization", "Bearer smk_bench")
	return hr
}

// bench is the loaded store with the API before it.
type bench struct {
	*rig
	*corpus
	edge    http.Handler
	reads   *counted
	scanned float64 // CPU seconds of the server to read all bodies
}

// cost is what an ask took.
type cost struct {
	cold, p50, p95         time.Duration // from the request to the last byte of the answer
	coldCPU, cpu           float64       // milliseconds: of the first, and the mean of the others
	serverCPU              float64       // the database's part of cpu
	rows, bytes, coldBytes float64       // read by the database per ask, uncompressed
	statements             float64       // that read rows
}

// answer asks once and checks the answer.
func (s *bench) answer(b *testing.B, a *ask, round int) time.Duration {
	b.Helper()
	var took time.Duration
	found := 0
	for i := range a.requests {
		w, r := httptest.NewRecorder(), a.requests[i].http(s.corpus, round)
		begin := time.Now()
		s.edge.ServeHTTP(w, r)
		took += time.Since(begin)
		if w.Code != http.StatusOK {
			b.Fatalf("%s: got %d %s", a.name, w.Code, w.Body)
		}
		found += bytes.Count(w.Body.Bytes(), []byte(a.marker(s.corpus, round)))
	}
	if found < a.least {
		b.Fatalf("%s: %q stands %d times in the answer, want %d", a.name, a.marker(s.corpus, round), found, a.least)
	}
	return took
}

// measure asks once when nothing is in any cache, and then many times, where it can for something else each time.
func (s *bench) measure(b *testing.B, a *ask) cost {
	b.Helper()
	s.chill(b)
	runtime.GC() // of what was before
	var c cost
	before, bytesBefore := s.cpu(b)+cpuOfSelf(), s.reads.bytes.Load()
	c.cold = s.answer(b, a, rounds)
	own, server := cpuOfSelf(), s.cpu(b)
	c.coldCPU = (own + server - before) * 1e3
	c.coldBytes = float64(s.reads.bytes.Load() - bytesBefore)
	rows, read, statements := s.reads.rows.Load(), s.reads.bytes.Load(), s.reads.statements.Load()
	times := make([]time.Duration, rounds)
	for i := range times {
		times[i] = s.answer(b, a, i)
	}
	c.serverCPU = (s.cpu(b) - server) * 1e3 / rounds
	c.cpu = c.serverCPU + (cpuOfSelf()-own)*1e3/rounds
	c.rows, c.bytes = float64(s.reads.rows.Load()-rows)/rounds, float64(s.reads.bytes.Load()-read)/rounds
	c.statements = float64(s.reads.statements.Load()-statements) / rounds
	slices.Sort(times)
	c.p50, c.p95 = times[rounds/2], times[rounds*95/100]
	return c
}

// BenchmarkLogQuery loads a day of logs and asks.
func BenchmarkLogQuery(b *testing.B) {
	s := &bench{rig: newRig(b), corpus: newCorpus(b)}
	begin, used := time.Now(), cpuOfSelf()
	if err := s.load(b.Context(), s.corpus); err != nil {
		b.Fatal(err)
	}
	s.settle(b)
	b.Logf("%d rows loaded in %v, %.1f CPU s of this process and %.1f of the server", s.corpus.rows, time.Since(begin).Round(time.Second), cpuOfSelf()-used, s.cpu(b))
	s.scanned = s.scan(b)
	s.reads = newCounted(b, s.store)
	s.edge = newEdge(b, s.reads)
	for _, a := range asks() {
		b.Run(a.name, func(b *testing.B) {
			for range b.N {
				s.report(b, profiled(b, s, &a))
			}
		})
	}
}

// report shows a cost. Beside the CPU of an ask stands what it would be for as many rows as the targets are for.
func (s *bench) report(b *testing.B, c cost) {
	b.Helper()
	milli := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(c.cpu, "cpu-ms")
	b.ReportMetric(c.cpu*targetRows/float64(s.corpus.rows), "cpu-ms/3Mrow")
	b.ReportMetric(c.serverCPU, "clickhouse-cpu-ms")
	b.ReportMetric(milli(c.p50), "p50-ms")
	b.ReportMetric(milli(c.p95), "p95-ms")
	b.ReportMetric(milli(c.cold), "cold-ms")
	b.ReportMetric(c.coldCPU, "cold-cpu-ms")
	b.ReportMetric(c.rows, "read-rows")
	b.ReportMetric(c.bytes/(1<<20), "read-MiB")
	b.ReportMetric(c.coldBytes/(1<<20), "cold-read-MiB")
	b.ReportMetric(c.statements, "statements")
	b.ReportMetric(s.scanned*1e3, "scan-cpu-ms")
}

// profiled measures, with a CPU profile of this process in the folder that SEAMARK_BENCH_PROFILES names, if it does.
func profiled(b *testing.B, s *bench, a *ask) cost {
	b.Helper()
	dir := os.Getenv("SEAMARK_BENCH_PROFILES")
	if dir == "" {
		return s.measure(b, a)
	}
	f, err := os.Create(filepath.Join(dir, strings.ReplaceAll(b.Name(), "/", ".")+".prof"))
	if err != nil {
		b.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		b.Fatal(err)
	}
	defer func() {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	}()
	return s.measure(b, a)
}

// cpuOfSelf returns the CPU seconds this process has used.
func cpuOfSelf() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for self
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
