package samplecache_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/samplecache"
)

// fleet is a source of many series with a sample every 15 s, half of them counters and half gauges with one decimal. It
// makes them when they are read.
type fleet struct {
	samplecache.Source // nothing else is asked for
	until              int64
}

func (f *fleet) ListSampleParts(context.Context, seamark.TenantID) ([]store.SamplePart, error) {
	var list []store.SamplePart
	for i := range int64(3) {
		day := (monday - i) * dayMilli
		list = append(list, store.SamplePart{Day: int32(monday - i), MinBlock: i, MaxBlock: i, Rows: 1, FirstMilli: day, LastMilli: min(f.until, day+dayMilli-1)})
	}
	return list, nil
}

func (*fleet) ListHistogramParts(context.Context, seamark.TenantID) ([]store.SamplePart, error) {
	return nil, nil
}

func (f *fleet) ScanMetricSamples(_ context.Context, _ seamark.TenantID, q store.SampleScanQuery, fn func(*store.MetricSamples) error) error {
	var one store.MetricSamples
	for _, fp := range q.FPs {
		one.FP, one.Times, one.Values = fp, one.Times[:0], one.Values[:0]
		r, v := rand.New(rand.NewPCG(fp, 0)), 0.0
		const step = 15_000
		for t := (q.StartMilli+step-1)/step*step + int64(fp%step); t <= min(q.EndMilli, f.until); t += step {
			if fp%2 == 0 {
				v += float64(r.IntN(100))
			} else {
				v = float64(r.IntN(1000)) / 10
			}
			one.Times, one.Values = append(one.Times, t), append(one.Values, v)
		}
		if err := fn(&one); err != nil {
			return err
		}
	}
	return nil
}

// cpu returns the processor time of the process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fleetQuery(series, hours int) store.MetricSamplesQuery {
	q := store.MetricSamplesQuery{Metrics: []string{"m"}, StartMilli: start - int64(hours)*hourMilli + 1, EndMilli: start, Limit: 1 << 30}
	for i := range series {
		q.FPs = append(q.FPs, uint64(i)*0x9e3779b97f4a7c15)
	}
	return q
}

// BenchmarkRange reads ranges of 2,000 series of which 24 hours are held, and prints processor time per sample.
func BenchmarkRange(b *testing.B) {
	const series = 2000
	c, _ := openCache(b, &fleet{until: start}, 8<<30)
	begin := cpu(b)
	_, n, err := c.ListMetricSamples(b.Context(), tenantA, fleetQuery(series, 24))
	require.NoError(b, err)
	b.Logf("%d samples take %.2f bytes each; loading took %d ns each", n, float64(samplecache.Bytes(c))/float64(n), (cpu(b)-begin).Nanoseconds()/int64(n))
	for _, hours := range []int{1, 6, 24} {
		b.Run(fmt.Sprint(hours, "h"), func(b *testing.B) {
			q, samples := fleetQuery(series, hours), 0
			begin := cpu(b)
			for b.Loop() {
				_, n, err := c.ListMetricSamples(b.Context(), tenantA, q)
				require.NoError(b, err)
				samples += n
			}
			b.ReportMetric(float64((cpu(b)-begin).Nanoseconds())/float64(samples), "cpu-ns/sample")
		})
	}
}

// BenchmarkInstant reads the newest sample of each of 20,000 series, and the last five minutes.
func BenchmarkInstant(b *testing.B) {
	const series = 20_000
	c, _ := openCache(b, &fleet{until: start}, 8<<30)
	for _, last := range []bool{true, false} {
		b.Run(fmt.Sprint("last=", last), func(b *testing.B) {
			q := fleetQuery(series, 1)
			q.StartMilli, q.Last = q.EndMilli-5*60_000+1, last
			_, n, err := c.ListMetricSamples(b.Context(), tenantA, q)
			require.NoError(b, err)
			begin := cpu(b)
			for b.Loop() {
				_, _, err := c.ListMetricSamples(b.Context(), tenantA, q)
				require.NoError(b, err)
			}
			b.ReportMetric(float64((cpu(b)-begin).Nanoseconds())/float64(b.N*series), "cpu-ns/series")
			b.ReportMetric(float64(n), "samples")
		})
	}
	runtime.KeepAlive(c)
}

// BenchmarkStore measures what the cache asks of the store: loads, listings and news of 2,000 series that are scraped every
// 15 s, while ten times as many are.
func BenchmarkStore(b *testing.B) {
	const all, held, hours = 20_000, 2000, 2
	s := openStore(b, 30)
	insertFleet(b, s, fleetQuery(all, hours).FPs, start-hours*hourMilli, start)
	c, clock := openCache(b, s, 8<<30)
	b.Run("load", func(b *testing.B) {
		q := fleetQuery(held, hours)
		rows := 0
		begin := cpu(b)
		for b.Loop() {
			c.Forget(tenantA)
			_, n, err := c.ListMetricSamples(b.Context(), tenantA, q)
			require.NoError(b, err)
			rows += n
		}
		b.ReportMetric(float64((cpu(b)-begin).Nanoseconds())/float64(rows), "cpu-ns/sample")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/sample")
	})
	b.Run("refresh", func(b *testing.B) {
		q := fleetQuery(held, 1)
		q.StartMilli = q.EndMilli - 60_000
		at, batch := int64(start), uint64(1000)
		for b.Loop() {
			b.StopTimer()
			at, batch = at+1000, batch+1
			// A second's share of the scrapes.
			insertFleet(b, s, fleetQuery(all, 1).FPs[:all/15], at, at+15_000)
			clock.Advance(samplecache.DefaultRefresh)
			b.StartTimer()
			_, _, err := c.ListMetricSamples(b.Context(), tenantA, q)
			require.NoError(b, err)
		}
	})
	b.Run("refresh-nothing", func(b *testing.B) {
		q := fleetQuery(held, 1)
		q.StartMilli = q.EndMilli - 60_000
		for b.Loop() {
			clock.Advance(samplecache.DefaultRefresh)
			_, _, err := c.ListMetricSamples(b.Context(), tenantA, q)
			require.NoError(b, err)
		}
	})
}

// insertFleet stores the samples of series between two times, in batches of a writer's size.
func insertFleet(b *testing.B, s *store.Store, fps []uint64, from, to int64) {
	b.Helper()
	const series = 1000
	for i := 0; i < len(fps); i += series {
		batch := &seamark.Batch{}
		q := store.SampleScanQuery{Metrics: []string{"m"}, FPs: fps[i:min(i+series, len(fps))], StartMilli: from, EndMilli: to}
		require.NoError(b, (&fleet{until: to}).ScanMetricSamples(b.Context(), tenantA, q, func(one *store.MetricSamples) error {
			ref := batch.Samples.AddSeries(&seamark.Series{Kind: seamark.MetricSeries, FP: one.FP, Name: "m", Labels: []seamark.Label{{Name: "__name__", Value: "m"}}})
			for k := range one.Times {
				batch.Samples.Append(ref, one.Times[k], one.Values[k])
			}
			return nil
		}))
		for _, block := range sampleBlocks(b, uint64(i+1)<<8, batch, store.TableSamples) {
			require.NoError(b, s.Insert(b.Context(), tenantA, block))
		}
	}
}
