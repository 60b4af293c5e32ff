package samplecache_test

import (
	"math"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/samplecache"
)

func TestMemoryIsBounded(t *testing.T) {
	w := newTwin()
	for fp := range uint64(40) {
		var rows []row
		for i := range int64(100) {
			rows = append(rows, row{fp + 1, start - i*1000, math.Sqrt(float64(i) + float64(fp))})
		}
		w.insert(tenantA, 1<<8, rows...)
	}
	const most = 64 << 10
	c, clock := openCache(t, w, most)
	for round := range 3 {
		for fp := range uint64(40) {
			requireTwin(t, w, c, one(1))
			clock.Advance(time.Second)
			requireTwin(t, w, c, one(fp+1))
			require.LessOrEqual(t, samplecache.Bytes(c), most/2, "a tenant has half")
		}
		require.Positive(t, samplecache.Evictions(c), "round %d", round)
	}
	for _, scan := range w.takeScans()[1:] {
		require.NotEqual(t, []uint64{1}, scan.FPs, "what is in use stays")
	}
	q := lastHours(40, 24)
	_, _, err := c.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Equal(t, 1, samplecache.Bypasses(c, "size"))
	require.Empty(t, w.takeScans())
	require.Equal(t, samplecache.Recount(c, tenantA), int64(samplecache.Bytes(c)))
}

// TestScansDoNotPushOut reads more than there is room for, once, beside what is asked for again and again.
func TestScansDoNotPushOut(t *testing.T) {
	c, clock := openCache(t, &fleet{until: start}, 400<<10)
	ask := func(from, to uint64) {
		q := lastHours(0, 1)
		for fp := from; fp < to; fp++ {
			q.FPs = append(q.FPs, fp)
		}
		_, _, err := c.ListMetricSamples(t.Context(), tenantA, q)
		require.NoError(t, err)
	}
	for range 2 {
		ask(0, 20)
		clock.Advance(5 * time.Second)
	}
	for round := range uint64(3) {
		for i := range uint64(20) {
			ask(1000+i*50, 1050+i*50)
			clock.Advance(samplecache.DefaultRefresh / 2)
		}
		misses := samplecache.Misses(c)
		ask(0, 20)
		require.Equal(t, misses, samplecache.Misses(c), "round %d", round)
	}
	require.Greater(t, samplecache.Evictions(c), 2000)
	clock.Advance(2 * time.Hour)
	for i := range uint64(20) {
		ask(1000+i*50, 1050+i*50)
	}
	misses := samplecache.Misses(c)
	ask(0, 20)
	require.Less(t, misses, samplecache.Misses(c), "what nobody asks for any more goes")
}

func TestLimitsAreTheStores(t *testing.T) {
	w := newTwin()
	for fp := range uint64(4) {
		w.insert(tenantA, 1<<8, row{fp + 1, start - 1, 1}, row{fp + 1, start - 2, 1}, row{fp + 1, start - 3, 1})
	}
	c, clock := openCache(t, w, 1<<30)
	for _, limit := range []int{1, 3, 4, 11, 12, 13} {
		q := lastHours(4, 1)
		q.Limit = limit
		list, n, err := c.ListMetricSamples(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Equal(t, min(limit, 12), n)
		total := 0
		for _, one := range list {
			total += len(one.Times)
		}
		require.Equal(t, n, total)
		q.Last = true
		list, n, err = c.ListMetricSamples(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Len(t, list, min(limit, 4))
		require.Equal(t, min(limit, 4), n)
	}
	require.Zero(t, w.takeReads())
	for day := range int64(10) {
		w.insert(tenantA, 1<<8, row{1, (monday - day) * dayMilli, 1}, row{1, (monday-day+1)*dayMilli - 1, 1})
	}
	announce(c, clock)
	q := lastHours(200, 240)
	q.Limit = 10
	_, _, err := c.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Equal(t, 1, samplecache.Bypasses(c, "limit"), "what is too much is not loaded to say so")
}

func TestOddQueriesAreTheStores(t *testing.T) {
	w := newTwin()
	c, _ := openCache(t, w, 1<<30)
	ask := func(change func(*store.MetricSamplesQuery)) int {
		q := lastHours(1, 1)
		change(&q)
		_, _, err := c.ListMetricSamples(t.Context(), tenantA, q)
		require.NoError(t, err)
		return w.takeReads()
	}
	require.Equal(t, 1, ask(func(q *store.MetricSamplesQuery) { q.FPs = nil }))
	require.Equal(t, 1, ask(func(q *store.MetricSamplesQuery) { q.StartMilli, q.EndMilli = math.MinInt64, math.MaxInt64 }))
	require.Equal(t, 1, ask(func(q *store.MetricSamplesQuery) { q.StartMilli, q.EndMilli = math.MaxInt64-1, math.MaxInt64 }))
	require.Zero(t, ask(func(q *store.MetricSamplesQuery) { q.FPs = []uint64{} }))
	require.Zero(t, ask(func(q *store.MetricSamplesQuery) { q.Metrics = nil }))
	require.Zero(t, ask(func(q *store.MetricSamplesQuery) { q.StartMilli = q.EndMilli + 1 }))
}

func TestFailuresGoToTheStore(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 1, 1})
	c, clock := openCache(t, w, 1<<30)
	ask := func() {
		t.Helper()
		list, _, err := c.ListMetricSamples(t.Context(), tenantA, lastHours(1, 1))
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.Equal(t, 1, w.takeReads())
	}
	w.fail(errAway)
	ask()
	w.hook(func(w *twin) { // the listing succeeds and the load does not
		w.listed = func() { w.fail(errAway) }
		w.err = nil
	})
	ask()
	require.Equal(t, 2, samplecache.Bypasses(c, "failure"))
	w.hook(func(w *twin) { w.listed, w.err = nil, nil })
	announce(c, clock)
	requireTwin(t, w, c, lastHours(1, 1))
	w.fail(errAway)
	w.insert(tenantA, 2<<8, row{1, start - 2, 1})
	announce(c, clock)
	ask()
}

func TestNobodyWaitsForASlowListing(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 1, 1})
	blocked := make(chan struct{})
	w.hook(func(w *twin) { w.listed = func() { <-blocked } })
	c, _ := openCache(t, w, 1<<30)
	samplecache.WaitFor(c, time.Millisecond)
	_, n, err := c.ListMetricSamples(t.Context(), tenantA, lastHours(1, 1))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, 1, samplecache.Bypasses(c, "wait"))
	close(blocked)
	samplecache.WaitFor(c, time.Minute)
	requireTwin(t, w, c, lastHours(1, 1))
}

// TestSlowRefreshesAreEnough has more announced while each refresh runs, longer than the grace: a refresh that began after a
// query is fresh enough for it, or queries of a busy tenant would all go to a busy store.
func TestSlowRefreshesAreEnough(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 1, 1})
	c, clock := openCache(t, w, 1<<30)
	w.hook(func(w *twin) {
		w.listed = func() {
			c.Changed(tenantA)
			clock.Advance(2 * samplecache.DefaultGrace)
		}
	})
	for i := range int64(5) {
		w.insert(tenantA, uint64(2+i)<<8, row{1, start - 10 - i, 1})
		announce(c, clock)
		requireTwin(t, w, c, lastHours(1, 1))
	}
}

func TestClosedCacheAsksTheStore(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 1, 1})
	c, _ := openCache(t, w, 1<<30)
	requireTwin(t, w, c, lastHours(1, 1))
	require.NoError(t, c.Close())
	_, n, err := c.ListMetricSamples(t.Context(), tenantA, lastHours(2, 1))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, 1, w.takeReads())
}

// TestBytesAreHonest compares what the cache believes to take with what the runtime says, for windows of usual size and for
// windows of a few samples.
func TestBytesAreHonest(t *testing.T) {
	for _, samples := range []int64{3, 20, 480} {
		t.Run(strconv.FormatInt(samples, 10), func(t *testing.T) {
			var taken, believed float64
			// What goroutines of earlier tests let go of meanwhile makes a reading too small, and nothing makes one too large.
			for range 5 {
				now, said := takenBy(t, samples)
				taken, believed = max(taken, now), said
			}
			t.Logf("%.0f bytes each window, %.0f believed", taken, believed)
			require.InDelta(t, taken, believed, 20+taken/10)
		})
	}
}

// takenBy fills a cache with windows of so many samples, and returns the bytes that the heap and the cache say one takes.
func takenBy(t *testing.T, samples int64) (taken, believed float64) {
	t.Helper()
	w := &fleet{until: start - hourMilli + samples*15_000 - 1}
	c, _ := openCache(t, w, 8<<30)
	q := lastHours(5000, 1)
	q.StartMilli = start - hourMilli
	_, _, err := c.ListMetricSamples(t.Context(), tenantA, lastHours(1, 1))
	require.NoError(t, err)
	before := settledHeap()
	_, _, err = c.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	taken, believed = (settledHeap()-before)/5000, float64(samplecache.Bytes(c))/5000
	runtime.KeepAlive(c)
	return taken, believed
}

// settledHeap is the heap in use, in bytes, once collecting again finds nothing more: what finalizers, pools and goroutines
// of earlier tests held goes over several collections.
func settledHeap() float64 {
	var m runtime.MemStats
	for last, same := uint64(0), 0; same < 5; last = m.HeapAlloc {
		runtime.GC()
		runtime.ReadMemStats(&m)
		if same++; m.HeapAlloc+4096 < last || last == 0 {
			same = 0
		}
	}
	return float64(m.HeapAlloc)
}
