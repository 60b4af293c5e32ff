package bench

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/patterns"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// BenchmarkMine mines the lines of 200 tenants with ten streams each, as BenchmarkLokiPushTenants pushes them.
func BenchmarkMine(b *testing.B) {
	const tenants, perTenant, perRequest = 200, 20_000, 1000
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var requests []*seamark.LogRows
	corpora := make([]*Logs, tenants)
	for i := range corpora {
		corpora[i] = NewLogs(LogsOptions{Seed: uint64(i), Rows: perTenant, Streams: 10, End: now})
	}
	ids := make([]seamark.TenantID, tenants)
	for i := range ids {
		ids[i] = seamark.TenantID(fmt.Sprintf("01J00000000000000000000%03d", i))
	}
	for range perTenant / perRequest {
		for _, c := range corpora {
			logs := &seamark.LogRows{}
			streams := map[*Stream]uint32{}
			for _, r := range c.Next(perRequest) {
				n, ok := streams[r.Stream]
				if !ok {
					n = uint32(len(logs.Streams))
					streams[r.Stream] = n
					logs.Streams = append(logs.Streams, &seamark.Series{Name: r.Stream.Namespace + "/" + r.Stream.App})
				}
				logs.Stream, logs.Body, logs.TimeNano = append(logs.Stream, n), append(logs.Body, r.Line), append(logs.TimeNano, r.At.UnixNano())
			}
			requests = append(requests, logs)
		}
	}
	b.ReportAllocs()
	before := used(b)
	for b.Loop() {
		m, err := patterns.New(patterns.Options{Limits: patterns.DefaultLimits(), Registerer: prometheus.NewRegistry()})
		if err != nil {
			b.Fatal(err)
		}
		for i, logs := range requests {
			m.Mine(ids[i%tenants], logs, now)
			logs.Patterns = slices.Clip(logs.Patterns[:0])
		}
	}
	b.ReportMetric(float64(used(b)-before)/float64(b.N)/float64(tenants*perTenant), "cpu-ns/line")
}

func used(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
