// Package alerting_test measures whether many tenants' rules are evaluated in time by one process, over metrics that are stored
// meanwhile.
package alerting_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	tenants         = 100
	groupsPerTenant = 20
	rulesPerGroup   = 5
	podsPerGroup    = 5
	interval        = time.Minute // of every group
	pushEvery       = 15 * time.Second
	// settle is the time before it counts: starting is over and the caches are filled, which takes a minute more on a slow machine.
	settle  = 150 * time.Second
	measure = 2 * time.Minute
	look    = 10 * time.Second
)

// rig is the product with tenants, each with a token to send with and one to configure with.
type rig struct {
	b                *testing.B
	engine           *harness.Engine
	ingest, alerting *harness.Server
	pushers, admins  []string
}

func newRig(b *testing.B) *rig {
	b.Helper()
	bus, engine := harness.StartNATS(b, b.TempDir()), harness.StartEngine(b, b.TempDir())
	r := &rig{b: b, engine: engine}
	r.makeTenants(bus.URL)
	flags := append([]string{"--nats.url", bus.URL}, engine.Flags()...)
	r.ingest = harness.Serve(b, b.TempDir(), append([]string{"ingest"}, flags...)...)
	harness.Serve(b, b.TempDir(), append([]string{"writer"}, flags...)...)
	r.alerting = harness.Serve(b, b.TempDir(), append([]string{"alerting"}, flags...)...)
	return r
}

func (r *rig) makeTenants(natsURL string) {
	r.b.Helper()
	nc, err := nats.Connect(natsURL)
	if err != nil {
		r.b.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		r.b.Fatal(err)
	}
	d, err := tenant.Open(r.b.Context(), tenant.Options{JS: js})
	if err != nil {
		r.b.Fatal(err)
	}
	defer func() { _ = d.Close(context.WithoutCancel(r.b.Context())) }()
	for i := range tenants {
		made, err := d.CreateTenant(r.b.Context(), tenant.TenantSpec{Slug: fmt.Sprintf("rules-%d", i)})
		if err != nil {
			r.b.Fatal(err)
		}
		c, err := d.CreateCluster(r.b.Context(), made.ID, tenant.ClusterSpec{Name: "bench"})
		if err != nil {
			r.b.Fatal(err)
		}
		_, push, err := d.CreateToken(r.b.Context(), made.ID, tenant.TokenSpec{Kind: seamark.IngestToken, Cluster: c.ID})
		if err != nil {
			r.b.Fatal(err)
		}
		_, admin, err := d.CreateToken(r.b.Context(), made.ID, tenant.TokenSpec{Kind: seamark.AdminToken})
		if err != nil {
			r.b.Fatal(err)
		}
		r.pushers, r.admins = append(r.pushers, push), append(r.admins, admin)
	}
}

// send posts until it is accepted: a rule group right after its token may be too early.
func (r *rig) send(url, token, media string, body []byte) {
	r.b.Helper()
	var last string
	for begun := time.Now(); time.Since(begun) < time.Minute; {
		answer, err := harness.Do(r.b.Context(), http.DefaultClient, &harness.Request{URL: url, Token: token, Type: media, Body: body})
		if err == nil && answer.Status/100 == 2 {
			return
		}
		last = fmt.Sprintf("%v %+v", err, answer)
		pause := time.NewTimer(200 * time.Millisecond)
		<-pause.C
	}
	r.b.Fatalf("POST %s: %s", url, last)
}

// group is a group as people write them: two recordings and three alerts over them, one of which fires.
func group(n int) []byte {
	return fmt.Appendf(nil, `name: group-%[1]d
interval: %[2]s
rules:
  - record: g%[1]d:requests:rate5m
    expr: sum by (pod) (rate(bench_requests_total{group="%[1]d"}[5m]))
  - record: g%[1]d:errors:ratio5m
    expr: sum(rate(bench_errors_total{group="%[1]d"}[5m])) / sum(rate(bench_requests_total{group="%[1]d"}[5m]))
  - {alert: Down%[1]d, expr: 'bench_up{group="%[1]d"} == 0', for: 2m, labels: {severity: page}, annotations: {summary: '{{ $labels.pod }} is down'}}
  - {alert: Errors%[1]d, expr: 'g%[1]d:errors:ratio5m > 0.5', for: 5m, labels: {severity: page}}
  - {alert: Busy%[1]d, expr: 'sum(rate(bench_requests_total{group="%[1]d"}[5m])) > 0', labels: {severity: info}, annotations: {summary: '{{ $value }} requests/s'}}
`, n, interval)
}

// configure saves all groups, some tenants at once.
func (r *rig) configure() {
	r.b.Helper()
	var wait sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wait.Go(func() {
			for i := range next {
				for n := range groupsPerTenant {
					r.send(r.alerting.URL+"/prometheus/config/v1/rules/bench", r.admins[i], "application/yaml", group(n))
				}
			}
		})
	}
	for i := range tenants {
		next <- i
	}
	close(next)
	wait.Wait()
}

// push sends every tenant's metrics once, spread over pushEvery.
func (r *rig) push(ctx context.Context, round int) {
	tick := time.NewTicker(pushEvery / tenants)
	defer tick.Stop()
	for i := range tenants {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w := &prompb.WriteRequest{}
		at := time.Now().UnixMilli()
		for n := range groupsPerTenant {
			for pod := range podsPerGroup {
				for name, v := range map[string]float64{"bench_requests_total": float64(100 * round), "bench_errors_total": float64(round), "bench_up": 1} {
					w.Timeseries = append(w.Timeseries, prompb.TimeSeries{
						Labels: []prompb.Label{
							{Name: "__name__", Value: name}, {Name: "group", Value: strconv.Itoa(n)}, {Name: "pod", Value: fmt.Sprintf("pod-%d-%d", n, pod)},
						},
						Samples: []prompb.Sample{{Value: v, Timestamp: at}},
					})
				}
			}
		}
		body, err := w.Marshal()
		if err == nil {
			_, err = harness.Do(ctx, http.DefaultClient, &harness.Request{URL: r.ingest.URL + "/api/v1/push", Token: r.pushers[i], Type: "application/x-protobuf", Body: snappy.Encode(nil, body)})
		}
		if err != nil && ctx.Err() == nil {
			r.b.Errorf("push: %v", err)
		}
	}
}

// metric reads one of the alerting process's own metrics.
func (r *rig) metric(name, labels string) float64 {
	v, err := r.alerting.Metric(r.b.Context(), name, labels)
	if err != nil {
		r.b.Fatal(err)
	}
	return v
}

// cpuSeconds returns what a process has taken so far (proc(5)).
func cpuSeconds(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	user, _ := strconv.ParseFloat(string(fields[11]), 64)
	system, _ := strconv.ParseFloat(string(fields[12]), 64)
	return (user + system) / 100
}

const iterations = "seamark_alerting_iteration_seconds"

// within returns the share of evaluations that took at most so long; le is a bucket's bound.
func (r *rig) counts(le string) float64 { return r.metric(iterations+"_bucket", `le="`+le+`"`) }

// BenchmarkRuleGroups has 2,000 groups of 5 rules over 100 tenants evaluated every minute.
func BenchmarkRuleGroups(b *testing.B) {
	r := newRig(b)
	ctx, stop := context.WithCancel(b.Context())
	var pushing sync.WaitGroup
	pushing.Go(func() {
		for round := 1; ctx.Err() == nil; round++ {
			r.push(ctx, round)
		}
	})
	defer pushing.Wait()
	defer stop()
	r.configure()
	wait(settle)
	b.ResetTimer()
	begun := time.Now()
	done, missed, took := r.metric(iterations+"_count", ""), r.metric("seamark_alerting_iterations_missed_total", ""), r.metric(iterations+"_sum", "")
	fast, slow, late := r.counts("0.32"), r.counts("5.12"), r.counts("40.96")
	cpu, store := cpuSeconds(b, r.alerting.Pid()), cpuSeconds(b, r.engine.EnginePid)
	least, most := r.spread(done)
	seconds := time.Since(begun).Seconds()
	n := r.metric(iterations+"_count", "") - done
	b.ReportMetric(n*60/seconds, "groups/min")
	b.ReportMetric(r.metric("seamark_alerting_iterations_missed_total", "")-missed, "missed")
	b.ReportMetric(1000*(r.metric(iterations+"_sum", "")-took)/n, "ms/group")
	b.ReportMetric(100*(r.counts("0.32")-fast)/n, "%<320ms")
	b.ReportMetric(n-(r.counts("5.12")-slow), "over_5s")
	b.ReportMetric(n-(r.counts("40.96")-late), "over_41s")
	b.ReportMetric(least, "groups/10s_least")
	b.ReportMetric(most, "groups/10s_most")
	b.ReportMetric((cpuSeconds(b, r.alerting.Pid())-cpu)/seconds, "alerting_cores")
	b.ReportMetric((cpuSeconds(b, r.engine.EnginePid)-store)/seconds, "clickhouse_cores")
	b.ReportMetric(r.metric("process_resident_memory_bytes", "")/(1<<20), "alerting_MiB")
	b.ReportMetric(float64(r.failing()), "unhealthy_rules")
	if n*60/seconds < 0.98*tenants*groupsPerTenant*60/interval.Seconds() {
		b.Errorf("%.0f groups were evaluated in %.0f s", n, seconds)
	}
}

// spread looks at how many groups are evaluated in each span of the time that is measured.
func (r *rig) spread(done float64) (least, most float64) {
	for begun := time.Now(); time.Since(begun) < measure; {
		wait(look)
		now := r.metric(iterations+"_count", "")
		if least == 0 || now-done < least {
			least = now - done
		}
		most = max(most, now-done)
		r.b.Logf("%.0f s: %.0f groups", time.Since(begun).Seconds(), now-done)
		done = now
	}
	return least, most
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// failing counts rules whose last evaluation failed, of some tenants.
func (r *rig) failing() (n int) {
	for _, token := range r.admins[:10] {
		answer, err := harness.Do(r.b.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: r.alerting.URL + "/prometheus/api/v1/rules", Token: token})
		if err != nil || answer.Status != http.StatusOK {
			r.b.Fatalf("rules: %v %+v", err, answer)
		}
		if ok := strings.Count(string(answer.Body), `"health":"ok"`); ok != groupsPerTenant*rulesPerGroup {
			n += groupsPerTenant*rulesPerGroup - ok
		}
	}
	return n
}
