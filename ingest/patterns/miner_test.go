package patterns_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/patterns"
	"github.com/seamarkhq/seamark/internal/logpattern"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	alpha = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	beta  = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newMiner(t testing.TB, change func(*patterns.Limits)) (*patterns.Miner, *prometheus.Registry) {
	t.Helper()
	limits, registry := patterns.DefaultLimits(), prometheus.NewRegistry()
	if change != nil {
		change(&limits)
	}
	m, err := patterns.New(patterns.Options{Limits: limits, Registerer: registry})
	require.NoError(t, err)
	return m, registry
}

// rows makes log rows of one stream per group, line after line.
func rows(groups []string, lines ...string) *seamark.LogRows {
	l := &seamark.LogRows{}
	for i, name := range groups {
		l.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i), Name: name})
	}
	for i, line := range lines {
		l.Append(&seamark.LogRow{Stream: uint32(i % len(groups)), TimeNano: noon.UnixNano(), Body: line})
	}
	return l
}

// metric returns the value of the miner's metric of that name.
func metric(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := r.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() == "seamark_ingest_pattern_"+name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

func TestMine(t *testing.T) {
	m, registry := newMiner(t, nil)
	logs := rows([]string{"shop/api", "shop/db"}, "took 5 ms", "took 6 s", "took 7 ms", "= =")
	logs.Patterns = []*seamark.LogPattern{{}, {}, {}, {}, {}, {}} // of a batch before
	m.Mine(alpha, logs, noon)
	var got []string
	for _, p := range logs.Patterns {
		require.Equal(t, logpattern.ID(p.Text), p.ID)
		got = append(got, p.Text)
	}
	require.Equal(t, []string{"took <_> ms", "took <_> s", "took <_> ms", "<_>"}, got)
	require.Same(t, logs.Patterns[0], logs.Patterns[2], "the mark of a text that the bus holds is the template's")
	require.InDelta(t, 4, metric(t, registry, "lines_total"), 0)
	require.InDelta(t, 2, metric(t, registry, "made_total"), 0)
	require.InDelta(t, 2, metric(t, registry, "kept"), 0)
	require.InDelta(t, 2, metric(t, registry, "groups"), 0)
	count, err := testutil.GatherAndCount(registry)
	require.NoError(t, err)
	require.Equal(t, 7, count)
}

// TestAuditIsNotMined wants audit records without templates between lines that have them.
func TestAuditIsNotMined(t *testing.T) {
	m, _ := newMiner(t, nil)
	logs := rows([]string{"a/b", "kube/audit"}, "one line", `{"kind":"Event"}`, "one line")
	logs.Streams[1].Labels = []seamark.Label{{Name: "signal", Value: "audit"}}
	m.Mine(alpha, logs, noon)
	require.NotNil(t, logs.Patterns[0])
	require.Nil(t, logs.Patterns[1])
	require.NotNil(t, logs.Patterns[2])
}

// TestTenantsKeepApart wants what one tenant's lines have taught to tell nothing about another's.
func TestTenantsKeepApart(t *testing.T) {
	m, _ := newMiner(t, func(l *patterns.Limits) { l.MinVariants = 2 })
	m.Mine(alpha, rows([]string{"a/b"}, "user ann left", "user bob left"), noon)
	logs := rows([]string{"a/b"}, "user ann left")
	m.Mine(beta, logs, noon)
	require.Equal(t, "user ann left", logs.Patterns[0].Text)
	m.Mine(alpha, logs, noon)
	require.Equal(t, "user <_> left", logs.Patterns[0].Text)
}

func TestGroupsAreBounded(t *testing.T) {
	m, registry := newMiner(t, func(l *patterns.Limits) { l.MaxGroups = 20 })
	for i := range 100 {
		m.Mine(alpha, rows([]string{fmt.Sprint("group ", i)}, "one line"), noon.Add(time.Duration(i)*time.Second))
		m.Mine(alpha, rows([]string{"always"}, "one line"), noon.Add(time.Duration(i)*time.Second))
	}
	require.LessOrEqual(t, metric(t, registry, "groups"), 20.0)
	require.InDelta(t, 101-metric(t, registry, "groups"), metric(t, registry, "evicted_total"), 0, "the group that is seen all the time stays")
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 256 << 10
	m, registry := newMiner(t, func(l *patterns.Limits) { l.MaxBytes = limit })
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 2000 {
		line := ""
		for range 1 + r.IntN(20) {
			line += string(rune('a'+r.IntN(26))) + "word "
		}
		m.Mine(alpha, rows([]string{fmt.Sprint("group ", i%50)}, line), noon.Add(time.Duration(i)*time.Second))
		require.LessOrEqual(t, metric(t, registry, "memory_bytes"), float64(limit))
	}
	require.Positive(t, metric(t, registry, "evicted_total"))
}

// TestConcurrentMining has many batches mined at once while groups are forgotten, for the race detector.
func TestConcurrentMining(t *testing.T) {
	m, registry := newMiner(t, func(l *patterns.Limits) { l.MaxGroups = 3 })
	var work sync.WaitGroup
	for worker := range 4 {
		work.Go(func() {
			for i := range 200 {
				logs := rows([]string{fmt.Sprint("group ", i%7)}, fmt.Sprintf("worker %d did %d", worker, i), "and rests")
				m.Mine(alpha, logs, noon)
				if logs.Patterns[0].Text != "worker <_> did <_>" {
					t.Errorf("got %q", logs.Patterns[0].Text)
				}
			}
		})
	}
	work.Wait()
	require.InDelta(t, 4*200*2, metric(t, registry, "lines_total"), 0)
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*patterns.Options){
		"no registry": func(o *patterns.Options) { o.Registerer = nil },
		"no groups":   func(o *patterns.Options) { o.MaxGroups = 0 },
		"no memory":   func(o *patterns.Options) { o.MaxBytes = 0 },
		"no variants": func(o *patterns.Options) { o.MinVariants = 1 },
		"no patterns": func(o *patterns.Options) { o.MaxPatterns = 0 },
	} {
		o := patterns.Options{Limits: patterns.DefaultLimits(), Registerer: prometheus.NewRegistry()}
		change(&o)
		_, err := patterns.New(o)
		require.Error(t, err, name)
	}
}

func BenchmarkMine(b *testing.B) {
	m, _ := newMiner(b, nil)
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf(`time=2026-11-20T12:00:00.%06dZ level=info msg="lease renewed" component=scheduler attempt=%d took=%dms user=%d queue=orders-%d partition=%d trace_id=%032x`,
			i, i%5, i, i*7, i%8, i%32, uint64(i)*0x9e3779b97f4a7c15)
	}
	logs := rows([]string{"shop/api"}, lines...)
	b.ReportAllocs()
	for b.Loop() {
		m.Mine(alpha, logs, noon)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(lines)), "ns/line")
}
