package promql_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

// midnight is 2026-11-16T00:00:00Z.
const midnight = 20_773 * dayMilli

func atMilli(milli int64) time.Time { return time.UnixMilli(midnight + milli) }

func deltaLabels(name string, pairs ...string) labels.Labels {
	return labels.FromStrings(append([]string{"__name__", name, "__temporality__", "delta"}, pairs...)...)
}

var staleMarker = math.Float64frombits(value.StaleNaN)

// bothPaths asks a query with the pushdown and without, and expects one answer.
func bothPaths(t *testing.T, s promql.Store, text string, at time.Time) string {
	t.Helper()
	plain := instant(t, newEngine(t, s, func(o *promql.Options) { o.NoPushdown = true }), text, at)
	require.Equal(t, plain, instant(t, newEngine(t, s), text, at), text)
	return plain
}

// perMinute stores changes of 2 a minute from an hour before midnight to an hour after it.
func perMinute(w *twin, ls labels.Labels) {
	for m := int64(-60); m <= 60; m++ {
		w.add(ls, midnight+m*60_000+30_000, 2)
	}
}

func TestDeltasAreCounters(t *testing.T) {
	w := newTwin()
	perMinute(w, deltaLabels("x_total"))
	for _, c := range []struct {
		text string
		at   time.Duration // from midnight
		want string
	}{
		{"x_total", -time.Minute, "118"},
		{"x_total", -time.Second, "120"},
		{"x_total", 29 * time.Second, "120"},
		{"x_total", 30 * time.Second, "2"},
		{"x_total", 50 * time.Minute, "100"},
		{"sum(x_total)", 50 * time.Minute, "100"},
		{"rate(x_total[10m])", -5 * time.Minute, "0.03333333333333333"},
		{"rate(x_total[10m])", 5 * time.Minute, "0.03333333333333333"},
		{"sum(rate(x_total[10m]))", 5 * time.Minute, "0.03333333333333333"},
		{"rate(x_total[10m])", 20 * time.Minute, "0.03333333333333333"},
		{"irate(x_total[5m])", 31 * time.Second, "0.03333333333333333"},
		{"increase(x_total[10m])", 30 * time.Second, "20"},
		{"sum_over_time(x_total[10m])", 5 * time.Minute, "20"},
		{"max_over_time(x_total[10m])", 5 * time.Minute, "120"},
		{"sum_over_time(x_total[10m:1m])", 15 * time.Minute, "210"},
		{"resets(x_total[10m])", 5 * time.Minute, "1"},
		{"resets(x_total[10m])", -5 * time.Minute, "0"},
	} {
		got := bothPaths(t, w, c.text, time.UnixMilli(midnight).Add(c.at))
		require.Contains(t, got, "=> "+c.want+" @", "%s %s after midnight", c.text, c.at)
	}
	require.NotContains(t, bothPaths(t, w, "start_timestamp(x_total)", time.UnixMilli(midnight)), "=>", "as a Prometheus without the feature")
}

// TestResetIsSeenWhereTheSumDoesNotFall has a day with a larger first change than all of the day before.
func TestResetIsSeenWhereTheSumDoesNotFall(t *testing.T) {
	w := newTwin()
	for i, change := range []float64{1, 3, 100, 1} { // 4 the day before, 101 the day itself
		w.add(deltaLabels("x_total"), midnight+int64(i-2)*60_000+30_000, change)
	}
	require.Contains(t, bothPaths(t, w, "increase(x_total[3m30s])", atMilli(90_000)), "=> 105 @", "all four")
	require.Contains(t, bothPaths(t, w, "irate(x_total[5m])", atMilli(40_000)), "=> 1.6666666666666667 @", "100 in a minute")
	require.Contains(t, bothPaths(t, w, "resets(x_total[5m])", atMilli(90_000)), "=> 1 @")
}

// TestSeldomChanges has senders that leave out what did not change, as OpenTelemetry's SDKs do. The increase over time must be what
// was sent, although most windows hold one sample or none.
func TestSeldomChanges(t *testing.T) {
	for _, pause := range []int64{15_000, 60_000, 150_000, 600_000, 1800_000} { // milliseconds between two changes, on average
		w, r := newTwin(), rand.New(rand.NewPCG(uint64(pause), 1)) //nolint:gosec // the same data every time
		sent, last := 0.0, int64(0)
		for at := int64(0); at < 2*dayMilli; at += 1 + int64(r.ExpFloat64()*float64(pause)) {
			change := float64(r.IntN(10))
			w.add(deltaLabels("x_total"), midnight+at, change)
			sent, last = sent+change, at
		}
		const text = "sum_over_time(increase(x_total[5m])[2d:5m])"
		q, result, err := newEngine(t, w).Instant(t.Context(), tenantA, text, atMilli(2*dayMilli), nil)
		require.NoError(t, err)
		vector, err := result.Vector()
		require.NoError(t, err)
		require.Len(t, vector, 1)
		require.InEpsilon(t, sent, vector[0].F, 0.15, "a change every %d ms, the last at %d", pause, last)
		q.Close()
	}
	w := newTwin()
	for i := range int64(5) {
		w.add(deltaLabels("x_total"), midnight+i*600_000, 7)
	}
	require.Contains(t, bothPaths(t, w, "increase(x_total[5m])", atMilli(1800_000+120_000)), "=> 7 @", "the only sample in the window")
	require.Empty(t, bothPaths(t, w, "increase(x_total[1m])", atMilli(1800_000+30_000)), "it may have come about before the window")
}

// TestRatesReadNoDays looks at what is read.
func TestRatesReadNoDays(t *testing.T) {
	for text, want := range map[string]int64{
		"rate(x_total[5m])": 49*60_000 + 1, "sum(increase(x_total[5m]))": 49*60_000 + 1, "irate(x_total[5m] offset 1m)": 48*60_000 + 1,
		"x_total": 1, "resets(x_total[5m])": 1, "rate(x_total[5m:1m])": 1, "sum_over_time(x_total[5m])": 49*60_000 + 1, "max_over_time(x_total[5m])": 1, "x_total offset 1h": 1 - dayMilli,
	} {
		w := newTwin()
		perMinute(w, deltaLabels("x_total"))
		instant(t, newEngine(t, w), text, atMilli(55*60_000))
		require.Len(t, w.reads, 1, text)
		require.Equal(t, want, w.reads[0].StartMilli-midnight, text)
	}
}

func TestChangesThatAreNoCounts(t *testing.T) {
	w := newTwin()
	for i, change := range []float64{5, -2, math.NaN(), 4, math.Inf(1), staleMarker, 1} {
		w.add(deltaLabels("active"), midnight+int64(i+1)*60_000, change)
	}
	require.Equal(t, "5 3 NaN 7 +Inf stale 8 ", samplesText(t, newEngine(t, w), "active", 0, 10*60_000))
	require.Contains(t, bothPaths(t, w, "delta(active[2m])", atMilli(2*60_000+1)), "=> -4", "an up-and-down counter falls")
	require.Empty(t, bothPaths(t, w, "active", atMilli(6*60_000+1)), "it is stale")
}

// samplesText reads samples as remote read and federation do.
func samplesText(t *testing.T, e *promql.Engine, selector string, from, to int64) string {
	t.Helper()
	sets, err := e.Parser().ParseMetricSelectors([]string{selector})
	require.NoError(t, err)
	text := ""
	hints := []storage.SelectHints{{Start: midnight + from, End: midnight + to}}
	require.NoError(t, e.ReadSeries(t.Context(), tenantA, hints, sets, func(_ int, s storage.Series) error {
		it := s.Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			require.Zero(t, it.AtST(), "what is read raw has no start timestamps")
			if kind != chunkenc.ValFloat {
				_, h := it.AtFloatHistogram(nil)
				text += fmt.Sprintf("{%s %s} ", bits(h.Count), bits(h.Sum))
				continue
			}
			_, v := it.At()
			text += bits(v) + " "
		}
		return it.Err()
	}))
	return text
}

func TestDeltasReadRaw(t *testing.T) {
	w := newTwin()
	perMinute(w, deltaLabels("x_total"))
	e := newEngine(t, w)
	require.Equal(t, "118 120 2 4 ", samplesText(t, e, "x_total", -100_000, 100_000), "the sums, although only these samples are asked for")
	require.Equal(t, "100 ", samplesText(t, e, "x_total", 49*60_000+30_000, 49*60_000+30_000))
	require.Empty(t, samplesText(t, e, "x_total", 49*60_000+31_000, 49*60_000+32_000))
}

// TestMidnightEndsTheDay has a sample at 00:00, which came about before.
func TestMidnightEndsTheDay(t *testing.T) {
	w := newTwin()
	for _, at := range []int64{-1, 0, 1} {
		w.add(deltaLabels("x_total"), midnight+at, 1)
	}
	e := newEngine(t, w)
	for from, want := range map[int64]string{-1: "1 2 1 ", 0: "2 1 ", 1: "1 "} {
		require.Equal(t, want, samplesText(t, e, "x_total", from, 1))
	}
	require.Contains(t, bothPaths(t, w, "resets(x_total[1s])", atMilli(1)), "=> 1 @")
}

// naiveSums adds up a day's changes as plainly as possible.
func naiveSums(samples map[int64]float64, at int64) float64 {
	total := 0.0
	for _, t := range slices.Sorted(maps.Keys(samples)) {
		if t <= at && (t-1)/dayMilli == (at-1)/dayMilli && !math.IsNaN(samples[t]) && !math.IsInf(samples[t], 0) {
			total += samples[t]
		}
	}
	return total
}

// TestSumsDoNotDependOnTheRange asks random ranges over three days and compares every value with the sum of its day.
func TestSumsDoNotDependOnTheRange(t *testing.T) {
	w, r := newTwin(), rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same data every time
	byPod := map[string]map[int64]float64{}
	for i := range 5 {
		pod := fmt.Sprint("p", i)
		byPod[pod] = map[int64]float64{}
		for at := r.Int64N(3600_000); at < 3*dayMilli; at += 1 + r.Int64N(3600_000) {
			byPod[pod][midnight+at] = float64(r.IntN(100)) / 8
			w.add(deltaLabels("x_total", "pod", pod), midnight+at, byPod[pod][midnight+at])
		}
		w.add(labels.FromStrings("__name__", "x_total", "pod", pod), midnight+3*dayMilli, -1)
	}
	asked := 0
	for _, plain := range []bool{false, true} {
		e := newEngine(t, w, func(o *promql.Options) { o.NoPushdown, o.ChunkSamples = plain, 1+r.IntN(2000) })
		for range 40 {
			start := atMilli(r.Int64N(3 * dayMilli))
			q, result, err := e.Range(t.Context(), tenantA, `max by (pod) (x_total{__temporality__!=""}) or sum by (pod) (last_over_time(x_total[5m]))`, start, start.Add(time.Duration(r.Int64N(30))*time.Hour), 7*time.Minute, nil)
			require.NoError(t, err)
			matrix, err := result.Matrix()
			require.NoError(t, err)
			for _, s := range matrix {
				samples := byPod[s.Metric.Get("pod")]
				for _, p := range s.Floats {
					newest := int64(0)
					for at := range samples {
						if at <= p.T {
							newest = max(newest, at)
						}
					}
					if p.F != -1 {
						require.Equal(t, naiveSums(samples, newest), p.F, "%s at %d", s.Metric, p.T)
						asked++
					}
				}
			}
			q.Close()
		}
	}
	require.Greater(t, asked, 1000)
}

// exponential is a change of n in one bucket.
func exponential(schema int32, n int64) string {
	m := prompb.FromIntHistogram(0, &histogram.Histogram{
		CounterResetHint: histogram.GaugeType, Schema: schema, Count: uint64(n), Sum: float64(n) * 1.5, ZeroThreshold: 1e-9,
		PositiveSpans: []histogram.Span{{Offset: 1, Length: 1}}, PositiveBuckets: []int64{n},
	})
	return mustMarshal(&m)
}

func custom(n float64) string {
	m := prompb.FromFloatHistogram(0, &histogram.FloatHistogram{
		Schema: histogram.CustomBucketsSchema, Count: n, Sum: n, CustomValues: []float64{1, 2},
		PositiveSpans: []histogram.Span{{Offset: 0, Length: 1}}, PositiveBuckets: []float64{n},
	})
	return mustMarshal(&m)
}

func mustMarshal(m *prompb.Histogram) string {
	data, err := m.Marshal()
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestDeltaHistograms(t *testing.T) {
	w, ls := newTwin(), deltaLabels("latency")
	for m := int64(-10); m < 10; m++ {
		w.addHistogram(ls, midnight+m*60_000+30_000, exponential(3-int32(m&1), 4))
	}
	stale := prompb.Histogram{Sum: staleMarker}
	w.addHistogram(ls, midnight+10*60_000, mustMarshal(&stale))
	w.addHistogram(ls, midnight+11*60_000, exponential(2, 1))
	w.addHistogram(ls, midnight+12*60_000, custom(3))
	w.addHistogram(ls, midnight+13*60_000, custom(3))
	w.add(ls, midnight+14*60_000, 5)
	w.addHistogram(ls, midnight+15*60_000, custom(3))
	e := newEngine(t, w)
	require.Equal(t, "{36 54} {40 60} {4 6} {8 12} ", samplesText(t, e, "latency", -100_000, 100_000))
	require.Equal(t, "{40 60} {0 stale} {41 61.5} {3 3} {6 6} 5 {9 9} ", samplesText(t, e, "latency", 9*60_000, 20*60_000))
	for _, c := range []struct {
		text   string
		minute int64
		want   string
	}{
		{"histogram_count(latency)", 5, "24"},
		{"histogram_count(increase(latency[10m]))", 5, "40"},
		{"histogram_count(rate(latency[10m])) * 600", -2, "37"},
		{"histogram_count(irate(latency[10m])) * 60", 1, "4"},
		{"histogram_count(sum_over_time(latency[5m]))", 5, "20"},
		{"resets(latency[10m])", 5, "1"},
		{"resets(latency[5m])", 9, "0"},
		{"histogram_quantile(0.5, sum(rate(latency[5m])))", 8, "1.0905"},
	} {
		require.Contains(t, instant(t, e, c.text, atMilli(c.minute*60_000+45_000)), "=> "+c.want, c.text)
	}
	q, result, err := e.Instant(t.Context(), tenantA, "rate(latency[5m])", atMilli(5*60_000), nil)
	require.NoError(t, err)
	require.Empty(t, result.Warnings, "a sum is no gauge")
	q.Close()
	w.addHistogram(ls, midnight+16*60_000, "no message")
	_, _, err = e.Instant(t.Context(), tenantA, "latency", atMilli(20*60_000), nil)
	kind, _, message := kindOf(t, err)
	require.Equal(t, seamark.Unprocessable, kind)
	require.Contains(t, message, "native histogram")
}

// TestDaysAreLetGo reads more rows of changes than a query may hold, of which it holds few.
func TestDaysAreLetGo(t *testing.T) {
	w := newTwin()
	for i := range 10 {
		perMinute(w, deltaLabels("x_total", "pod", fmt.Sprint("p", i)))
		w.addHistogram(deltaLabels("h", "pod", fmt.Sprint("p", i)), midnight+54*60_000, exponential(1, 1))
	}
	limited := func(samples int) *promql.Engine {
		return newEngine(t, w, func(o *promql.Options) { o.ChunkSamples, o.MaxSamples = 300, samples })
	}
	for _, text := range []string{"count(x_total)", "count(rate(x_total[5m]))", "sum(rate(x_total[5m]))", "count(h)"} {
		require.NotEmpty(t, instant(t, limited(300), text, atMilli(55*60_000)), text)
		_, _, err := limited(30).Instant(t.Context(), tenantA, "x_total or h", atMilli(55*60_000), nil)
		_, id, _ := kindOf(t, err)
		require.Equal(t, "seamark-query-samples", id, "one series' day is more than that")
	}
}

func TestRulesStoreNoDeltas(t *testing.T) {
	w := newTwin()
	perMinute(w, deltaLabels("x_total", "pod", "p"))
	v, err := newEngine(t, w).QueryFunc(tenantA)(t.Context(), "rate(x_total[5m])", atMilli(10*60_000))
	require.NoError(t, err)
	require.Len(t, v, 1)
	require.Equal(t, labels.FromStrings("pod", "p", "temporality", "delta"), v[0].Metric)
}

func TestDeltaErrorsPass(t *testing.T) {
	w := newTwin()
	perMinute(w, deltaLabels("x_total"))
	perMinute(w, labels.FromStrings("__name__", "x_total"))
	for left := range 2 {
		for _, plain := range []bool{false, true} {
			e := newEngine(t, &failing{w, left}, func(o *promql.Options) { o.NoPushdown = plain })
			_, _, err := e.Instant(t.Context(), tenantA, "sum(rate(x_total[5m]))", atMilli(60_000), nil)
			require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
		}
	}
}

// TestDeltasOnClickHouse stores a day's end and the next day's begin, some of it twice, and asks through both paths.
func TestDeltasOnClickHouse(t *testing.T) {
	s := openStore(t, 5)
	_, err := s.EnsureTenant(t.Context(), tenantA)
	require.NoError(t, err)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	var list []float
	for m := int64(-60); m < 60; m++ {
		at := m*60_000 + 30_000
		list = append(list, float{deltaLabels("x_total", "pod", "p0"), at, 2, ""}, float{deltaLabels("x_total", "pod", "p1"), at, 1, ""},
			float{labels.FromStrings("__name__", "x_total", "pod", "p2"), at, float64(m), ""},
			float{deltaLabels("latency"), at, 0, exponential(3, 2)})
	}
	ctx := context.Background()
	require.NoError(t, insertFloats(ctx, s, 1, today.UnixMilli(), list))
	require.NoError(t, insertFloats(ctx, s, 2, today.UnixMilli(), list[:40]))
	theirs := newEngine(t, s, func(o *promql.Options) { o.NoPushdown = true })
	ours := newEngine(t, s, func(o *promql.Options) { o.ChunkSamples = 100 })
	for text, want := range map[string]string{
		`x_total{pod="p0"}`:                           `=> 60 @`,
		`sum by (pod) (x_total{pod=~"p0|p1"})`:        `{pod="p1"} => 30 @`,
		`sum(rate(x_total{pod!="p2"}[10m])) * 60`:     `=> 3 @`,
		`sum(increase(x_total{pod!="p2"}[1h])) > 170`: `=> 180 @`,
		`x_total`:                                `pod="p2"} => 29 @`,
		`histogram_count(increase(latency[1h]))`: `=> 120 @`,
	} {
		at := today.Add(30 * time.Minute)
		require.Contains(t, instant(t, theirs, text, at), want, text)
		require.Equal(t, instant(t, theirs, text, at), instant(t, ours, text, at), text)
		q := query{text: text, start: at.Add(-time.Hour), end: at, step: time.Minute}
		got, _ := q.ask(t, ours)
		wanted, _ := q.ask(t, theirs)
		require.Equal(t, wanted, got, text)
	}
	sets, err := ours.Parser().ParseMetricSelectors([]string{`x_total{pod="p0"}`})
	require.NoError(t, err)
	var got []prom.FPoint
	hints := []storage.SelectHints{{Start: today.Add(-time.Minute).UnixMilli(), End: today.Add(time.Minute).UnixMilli()}}
	require.NoError(t, ours.ReadSeries(t.Context(), tenantA, hints, sets, func(_ int, series storage.Series) error {
		it := series.Iterator(nil)
		for it.Next() != chunkenc.ValNone {
			at, v := it.At()
			got = append(got, prom.FPoint{T: at - today.UnixMilli(), F: v})
		}
		return it.Err()
	}))
	require.Equal(t, []prom.FPoint{{T: -30_000, F: 120}, {T: 30_000, F: 2}}, got)
}
