package query_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
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

	client "github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

// rounds is how often each query is asked when all that it needs has been asked for before.
const rounds = 20

// ask is one request of a dashboard.
type ask struct {
	name  string // of the benchmark
	path  string // "" for a query
	query string
	span  time.Duration // of a range query, whose step is Grafana's for 250 points; 0 for one moment
	step  time.Duration
}

const (
	cpuRate   = `sum by (namespace) (rate(container_cpu_usage_seconds_total[5m]))`
	quantile  = `histogram_quantile(0.99, sum by (le) (rate(apiserver_request_duration_seconds_bucket[5m])))`
	topMemory = `topk(10, container_memory_working_set_bytes)`
	hour      = time.Hour
)

func asks() []ask {
	return []ask{
		{name: "instant-selector", query: `container_memory_working_set_bytes{namespace="ns-3"}`},
		{name: "sum-rate-instant", query: cpuRate},
		{name: "sum-rate-1h", query: cpuRate, span: hour, step: 15 * time.Second},
		{name: "sum-rate-6h", query: cpuRate, span: 6 * hour, step: time.Minute},
		{name: "sum-rate-24h", query: cpuRate, span: 24 * hour, step: 5 * time.Minute},
		{name: "quantile-1h", query: quantile, span: hour, step: 15 * time.Second},
		{name: "quantile-6h", query: quantile, span: 6 * hour, step: time.Minute},
		{name: "busy-cpu-6h", query: `1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))`, span: 6 * hour, step: time.Minute},
		{name: "topk-instant", query: topMemory},
		{name: "topk-1h", query: topMemory, span: hour, step: 15 * time.Second},
		{name: "regex-1h", query: `sum by (code) (rate(http_requests_total{pod=~"app-.*[02468ace]-[0-9a-f]*[0-7]"}[5m]))`, span: hour, step: 15 * time.Second},
		{name: "all-instant", query: `{__name__!=""}`},
		{name: "count-all-instant", query: `count({__name__!=""})`},
		{name: "label-values", path: "/label/pod/values"},
		{name: "series", path: "/series", query: `http_requests_total{namespace="ns-3"}`},
	}
}

// request writes the ask as Grafana does, at the corpus's end.
func (a *ask) request(end time.Time) *http.Request {
	form, path := url.Values{}, a.path
	seconds := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	switch {
	case path != "":
		form.Set("start", seconds(end.Add(-hour)))
		form.Set("end", seconds(end))
		if a.query != "" {
			form.Set("match[]", a.query)
		}
	case a.span == 0:
		path = "/query"
		form.Set("query", a.query)
		form.Set("time", seconds(end))
	default:
		path = "/query_range"
		form.Set("query", a.query)
		form.Set("start", seconds(end.Add(-a.span)))
		form.Set("end", seconds(end))
		form.Set("step", strconv.FormatFloat(a.step.Seconds(), 'f', -1, 64))
	}
	r := httptest.NewRequest(http.MethodGet, "/prometheus/api/v1"+path+"?"+form.Encode(), http.NoBody)
	r.Header.Set("Authorization", "Bearer smk_bench")
	return r
}

// side is one of the two that are compared.
type side struct {
	edge   http.Handler
	server func() float64 // CPU seconds that its database has used so far, where that is another process
}

// cpu is the CPU seconds that it has used so far, of all of its processes.
func (s *side) cpu() float64 { return cpuOfSelf() + s.server() }

// cost is what an ask took.
type cost struct {
	cold, p50, p95  time.Duration // from the request to the last byte of the answer
	coldCPU, cpu    float64       // milliseconds: of the first, and the mean of the others
	serverCPU       float64       // the database's part of cpu
	elements, bytes int           // of the answer
}

// measure asks once when nothing of it has been asked before, and then many times.
func (s *side) measure(b *testing.B, a *ask, end time.Time) cost {
	b.Helper()
	runtime.GC() // of what was before
	answer := func() (time.Duration, []byte) {
		w, r := httptest.NewRecorder(), a.request(end)
		begin := time.Now()
		s.edge.ServeHTTP(w, r)
		took := time.Since(begin)
		if w.Code != http.StatusOK {
			b.Fatalf("%s: got %d %s", a.name, w.Code, w.Body)
		}
		return took, w.Body.Bytes()
	}
	var c cost
	used := s.cpu()
	var body []byte
	c.cold, body = answer()
	c.bytes, c.elements = len(body), bytes.Count(body, []byte(`"metric":`))
	before, server := s.cpu(), s.server()
	c.coldCPU = (before - used) * 1e3
	times := make([]time.Duration, rounds)
	for i := range times {
		times[i], _ = answer()
	}
	c.cpu, c.serverCPU = (s.cpu()-before)*1e3/rounds, (s.server()-server)*1e3/rounds
	slices.Sort(times)
	c.p50, c.p95 = times[rounds/2], times[rounds*95/100]
	return c
}

// BenchmarkQuery loads a day of metrics into both and asks both the same.
func BenchmarkQuery(b *testing.B) {
	c := newCorpus(b)
	ours, theirs := newRig(b), newBlockWriter(b)
	begin, n := time.Now(), 0
	for ls, values := range c.series() {
		n++
		if err := errors.Join(ours.add(b.Context(), c, ls, values), theirs.add(b.Context(), c, ls, values)); err != nil {
			b.Fatal(err)
		}
	}
	if err := ours.flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	prometheus := theirs.open(b)
	ours.settle(b)
	b.Logf("%d series loaded in %v", n, time.Since(begin).Round(time.Second))
	querier := metricAPI{ours.querier(b)}
	sides := [2]side{
		{newEdge(b, querier, querier), func() float64 { return cpuOf(b, ours.engine.EnginePid) }},
		{newEdge(b, prometheus, prometheus), func() float64 { return 0 }},
	}
	for _, a := range asks() {
		b.Run(a.name, func(b *testing.B) {
			for range b.N {
				us, them := profiled(b, &sides[0], &a, c.end), sides[1].measure(b, &a, c.end)
				compare(b, us, them)
			}
		})
	}
}

// compare reports the costs of both and their ratios. What differs in its answer is not comparable.
func compare(b *testing.B, us, them cost) {
	b.Helper()
	if us.elements != them.elements || us.bytes == 0 {
		b.Errorf("got an answer of %d elements, Prometheus one of %d", us.elements, them.elements)
	}
	milli := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(us.cpu, "cpu-ms")
	b.ReportMetric(us.serverCPU, "clickhouse-cpu-ms")
	b.ReportMetric(milli(us.p50), "p50-ms")
	b.ReportMetric(milli(us.p95), "p95-ms")
	b.ReportMetric(milli(us.cold), "cold-ms")
	b.ReportMetric(us.coldCPU, "cold-cpu-ms")
	b.ReportMetric(them.cpu, "prometheus-cpu-ms")
	b.ReportMetric(milli(them.p50), "prometheus-p50-ms")
	b.ReportMetric(milli(them.p95), "prometheus-p95-ms")
	b.ReportMetric(milli(them.cold), "prometheus-cold-ms")
	b.ReportMetric(them.coldCPU, "prometheus-cold-cpu-ms")
	b.ReportMetric(milli(us.p50)/milli(them.p50), "p50-ratio")
	b.ReportMetric(us.cpu/them.cpu, "cpu-ratio")
}

// profiled measures, with a CPU profile of this process in the folder that SEAMARK_BENCH_PROFILES names, if it does.
func profiled(b *testing.B, s *side, a *ask, end time.Time) cost {
	b.Helper()
	dir := os.Getenv("SEAMARK_BENCH_PROFILES")
	if dir == "" {
		return s.measure(b, a, end)
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
	return s.measure(b, a, end)
}

// verifier lets everybody in: it is the queries that are measured.
type verifier struct{}

func (verifier) Authenticate(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{Tenant: tenant, Kind: seamark.QueryToken}, nil
}

func (verifier) VerifySession(context.Context, string) (seamark.Principal, error) {
	return seamark.Principal{}, errors.New("the benchmark has no sessions")
}

func (verifier) Permit(seamark.Principal, string) error { return nil }

// newEdge returns the HTTP API over either side.
func newEdge(b *testing.B, q api.MetricQuerier, l api.MetricLister) http.Handler {
	b.Helper()
	edge, err := httpx.New(httpx.Options{
		Routes:   api.PrometheusRoutes(api.PrometheusOptions{Querier: q, Lister: l, Parser: promql.NewParser(), Version: "bench", Now: time.Now}),
		Verifier: verifier{}, Logger: slog.New(slog.DiscardHandler), Registerer: client.NewRegistry(), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	return edge
}

// cpuOfSelf returns the CPU seconds this process has used.
func cpuOfSelf() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // cannot fail for self
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func cpuOf(b *testing.B, pid int) float64 {
	seconds, _, err := engine.ProcStats(pid)
	if err != nil {
		b.Fatal(err)
	}
	return seconds
}
