package seriesindex_test

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

func TestOptionsAreChecked(t *testing.T) {
	_, err := seriesindex.New(seriesindex.Options{})
	require.ErrorContains(t, err, "required")
}

func TestIndexFindsSeriesOnTheirDays(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up", "pod", "a"), monday, monday+2)
	w.insert(tenantA, series(2, "up", "pod", "b"), monday+7)
	x, _ := newIndex(t, w)
	fromIndex(t, x, func() {
		require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
		require.Empty(t, fps(t, x, tenantA, onDays(monday+1, monday+1)))
		require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday+1, monday+2)))
		require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday+2, monday+7)))
		require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, store.MetricSeriesQuery{StartMilli: math.MinInt64, EndMilli: math.MaxInt64, Limit: 9}))
		require.Empty(t, fps(t, x, tenantA, onDays(monday+8, monday+9)))
		require.Empty(t, fps(t, x, tenantA, onDays(monday+2, monday)), "a range that runs backwards has no days")
	})
	list, err := x.ListMetricSeries(t.Context(), tenantA, onDays(monday, monday))
	require.NoError(t, err)
	require.Equal(t, []store.MetricSeries{series(1, "up", "pod", "a")}, list)
}

func TestWeeksAreLoadedWhenTheyAreAskedFor(t *testing.T) {
	w := newTwin()
	for week := range int32(5) {
		w.insert(tenantA, series(uint64(week), "up"), monday+7*week)
	}
	x, _ := newIndex(t, w)
	fps(t, x, tenantA, onDays(monday+28, monday+28))
	require.Equal(t, []store.SeriesIndexQuery{{Kind: seamark.MetricSeries, Week: monday + 28, After: -1}}, w.takeScans())
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday+7, monday+14)))
	require.Equal(t, []store.SeriesIndexQuery{{Kind: seamark.MetricSeries, Week: monday + 7, After: -1}, {Kind: seamark.MetricSeries, Week: monday + 14, After: -1}}, w.takeScans())
	require.Equal(t, 3, seriesindex.Loads(x))
}

func TestIdleWeeksAreLetGo(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	w.insert(tenantA, series(2, "up"), monday+7)
	x, clock := newIndex(t, w)
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday+7)))
	for range 7 {
		clock.Advance(10 * time.Minute)
		require.Equal(t, []uint64{2}, fps(t, x, tenantA, onDays(monday+7, monday+7)))
	}
	require.Equal(t, 3, seriesindex.Loads(x), "the week in use is read again without the other")
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Equal(t, 4, seriesindex.Loads(x))
}

func TestAnnouncedSeriesAreFound(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, clock := newIndex(t, w)
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	for i := uint64(2); i < 50; i++ {
		w.insert(tenantA, series(i, "up", "pod", fmt.Sprint(i)), monday)
		x.Changed(tenantA)
		clock.Advance(250 * time.Millisecond)
		fromIndex(t, x, func() { require.Len(t, fps(t, x, tenantA, onDays(monday, monday)), int(i)) })
	}
	require.Less(t, seriesindex.Segments(x, tenantA), 6, "small segments are merged")
	x.Changed(tenantB) // nobody has asked for it
}

// TestSlowRefreshesAreFreshEnough has writers announce while a refresh runs that takes longer than queries may go without it.
func TestSlowRefreshesAreFreshEnough(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, clock := newIndex(t, w)
	fps(t, x, tenantA, onDays(monday, monday))
	w.listed = func() {
		x.Changed(tenantA)
		clock.Advance(time.Second)
	}
	for i := uint64(2); i < 10; i++ {
		w.insert(tenantA, series(i, "up", "pod", fmt.Sprint(i)), monday)
		x.Changed(tenantA)
		clock.Advance(time.Second)
		fromIndex(t, x, func() { require.Len(t, fps(t, x, tenantA, onDays(monday, monday)), int(i)) })
	}
}

func TestSeriesWithoutAnnouncementAreFound(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, clock := newIndex(t, w)
	fps(t, x, tenantA, onDays(monday, monday))
	w.insert(tenantA, series(2, "up"), monday)
	clock.Advance(seriesindex.DefaultRefresh - time.Millisecond)
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	clock.Advance(time.Millisecond)
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday)))
}

// TestMergesAreRead merges what was read with what was not, before the index sees either.
func TestMergesAreRead(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, clock := newIndex(t, w)
	fps(t, x, tenantA, onDays(monday, monday))
	w.takeScans()
	w.insert(tenantA, series(2, "up"), monday)
	w.mergeParts(tenantA)
	clock.Advance(seriesindex.DefaultRefresh)
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Equal(t, []store.SeriesIndexQuery{{Kind: seamark.MetricSeries, Week: monday, After: 1}}, w.takeScans())
	w.mergeParts(tenantA)
	clock.Advance(seriesindex.DefaultRefresh)
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Empty(t, w.takeScans(), "nothing is new")
}

func TestRemovedSeriesAreGone(t *testing.T) {
	w := newTwin()
	for i := range uint64(3) {
		w.insert(tenantA, series(i, "up"), monday)
	}
	w.insert(tenantA, series(3, "up"), monday+7)
	x, clock := newIndex(t, w)
	require.Equal(t, []uint64{0, 1, 2, 3}, fps(t, x, tenantA, onDays(monday, monday+7)))
	w.deleteSeries(tenantA, 1)
	clock.Advance(seriesindex.DefaultRefresh)
	require.Equal(t, []uint64{0, 2, 3}, fps(t, x, tenantA, onDays(monday, monday+7)))
	w.dropWeek(tenantA, monday)
	clock.Advance(seriesindex.DefaultRefresh)
	fromIndex(t, x, func() {
		require.Equal(t, []uint64{3}, fps(t, x, tenantA, onDays(monday, monday+7)))
		names, err := x.ListMetricLabelValues(t.Context(), tenantA, "__name__", onDays(monday, monday+6))
		require.NoError(t, err)
		require.Empty(t, names)
	})
}

func TestTenantsSeeTheirOwn(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up", "secret", "a"), monday)
	w.insert(tenantB, series(1, "up", "secret", "b"), monday)
	x, _ := newIndex(t, w)
	for range 2 {
		for tenant, want := range map[seamark.TenantID]string{tenantA: "a", tenantB: "b"} {
			values, err := x.ListMetricLabelValues(t.Context(), tenant, "secret", onDays(monday, monday))
			require.NoError(t, err)
			require.Equal(t, []string{want}, values)
		}
	}
	x.Forget(tenantA)
	w.takeScans()
	require.Equal(t, []uint64{1}, fps(t, x, tenantB, onDays(monday, monday)))
	require.Empty(t, w.takeScans(), "the other tenant's index stays")
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Len(t, w.takeScans(), 1)
}

func TestFailuresGoToTheStore(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, clock := newIndex(t, w)
	w.fail(errAway)
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "failure"))
	w.fail(nil)
	fromIndex(t, x, func() { require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday))) })
	w.fail(errAway)
	w.insert(tenantA, series(2, "up"), monday)
	x.Changed(tenantA)
	clock.Advance(250 * time.Millisecond)
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday)), "what is stale is not shown")
}

func TestNobodyWaitsForASlowLoad(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	w.blocked = make(chan struct{})
	x, _ := newIndex(t, w)
	seriesindex.WaitFor(x, time.Millisecond)
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "wait"))
	close(w.blocked)
	testkit.Eventually(t, time.Minute, func() error {
		before := seriesindex.Fallthroughs(x, "wait")
		fps(t, x, tenantA, onDays(monday, monday))
		if seriesindex.Fallthroughs(x, "wait") != before {
			return fmt.Errorf("still waiting")
		}
		return nil
	})
	require.Equal(t, 1, seriesindex.Loads(x), "queries share one load")
}

// TestNothingFoundIsLostAgain lets a load begin before a series is stored and end after the store has shown it.
func TestNothingFoundIsLostAgain(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	w.blocked = make(chan struct{})
	x, clock := newIndex(t, w)
	seriesindex.WaitFor(x, time.Millisecond)
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)), "the load has begun")
	w.awaitScans(t, 1)
	w.insert(tenantA, series(2, "up", "pod", "b"), monday)
	clock.Advance(time.Millisecond)
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday)), "the store answers")
	require.Equal(t, 2, seriesindex.Fallthroughs(x, "wait"))
	clock.Advance(time.Millisecond)
	next := make(chan struct{})
	defer close(next)
	close(w.holdScans(next))
	w.awaitScans(t, 2) // so that what the first one read is shown
	require.Equal(t, []uint64{1, 2}, fps(t, x, tenantA, onDays(monday, monday)))
}

func TestClosedIndexAsksTheStore(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, _ := newIndex(t, w)
	require.NoError(t, x.Close())
	require.Equal(t, []uint64{1}, fps(t, x, tenantA, onDays(monday, monday)))
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "closed"))
}

// fill stores series with long values of their own.
func fill(w *twin, tenant seamark.TenantID, n int, day int32) {
	for i := range n {
		w.insert(tenant, series(uint64(day)<<32|uint64(i), "up", "pod", fmt.Sprintf("%0200d-%d", i, day)), day)
	}
	w.mergeParts(tenant)
}

func TestLargeTenantsAreTheStores(t *testing.T) {
	w := newTwin()
	fill(w, tenantA, 3000, monday)
	fill(w, tenantB, 10, monday)
	x, clock := newIndex(t, w, func(o *seriesindex.Options) { o.MaxBytes = 4 * 500_000 })
	for range 3 {
		require.Len(t, fps(t, x, tenantA, onDays(monday, monday)), 3000)
	}
	require.Equal(t, 1, seriesindex.Loads(x))
	require.Equal(t, 2, seriesindex.Fallthroughs(x, "size"))
	require.Zero(t, seriesindex.Bytes(x))
	fromIndex(t, x, func() { require.Len(t, fps(t, x, tenantB, onDays(monday, monday)), 10) })
	clock.Advance(time.Hour)
	fps(t, x, tenantA, onDays(monday, monday))
	require.Equal(t, 3, seriesindex.Loads(x), "it is tried again some time later")
}

// TestLongRangesOfLargeTenantsAreTheStores keeps the newest week fast when all weeks together are too large.
func TestLongRangesOfLargeTenantsAreTheStores(t *testing.T) {
	w := newTwin()
	for week := range int32(3) {
		fill(w, tenantA, 1000, monday+7*week)
	}
	x, _ := newIndex(t, w, func(o *seriesindex.Options) { o.MaxBytes = 4 * 700_000 })
	require.Len(t, fps(t, x, tenantA, onDays(monday, monday+14)), 3000)
	require.Len(t, fps(t, x, tenantA, onDays(monday, monday+14)), 3000)
	require.Equal(t, 1, seriesindex.Fallthroughs(x, "size"))
	fromIndex(t, x, func() { require.Len(t, fps(t, x, tenantA, onDays(monday+14, monday+14)), 1000) })
}

func TestTheTenantUsedLongestAgoGoesFirst(t *testing.T) {
	w := newTwin()
	var tenants []seamark.TenantID
	for i := range 12 {
		tenants = append(tenants, seamark.TenantID(fmt.Sprintf("01ARZ3NDEKTSV4RRFFQ69G%04d", i)))
		fill(w, tenants[i], 100, monday)
	}
	x, clock := newIndex(t, w, func(o *seriesindex.Options) { o.MaxBytes = 300_000 })
	for _, tenant := range tenants {
		require.Len(t, fps(t, x, tenant, onDays(monday, monday)), 100)
		clock.Advance(time.Millisecond)
		require.LessOrEqual(t, seriesindex.Bytes(x), 300_000)
	}
	require.Positive(t, seriesindex.Evictions(x))
	w.takeScans()
	fps(t, x, tenants[11], onDays(monday, monday))
	require.Empty(t, w.takeScans())
	fps(t, x, tenants[0], onDays(monday, monday))
	require.Len(t, w.takeScans(), 1)
}

// TestBytesAreWhatTheHeapHolds compares the size that the index reckons with with what the heap grew by.
func TestBytesAreWhatTheHeapHolds(t *testing.T) {
	w := newTwin()
	for i := range uint64(30_000) {
		pod := fmt.Sprintf("app-%d-%08x", i%7, i/4*2654435761)
		w.insert(tenantA, series(i, fmt.Sprint("metric_", i%200), "pod", pod, "instance", "10.0.0.1:"+fmt.Sprint(i/4), "zone", fmt.Sprint(i%3), "cluster", "prod"), monday)
	}
	w.mergeParts(tenantA)
	x, _ := newIndex(t, w)
	before := settledHeap()
	_, err := x.ListMetricLabelNames(t.Context(), tenantA, onDays(monday, monday))
	require.NoError(t, err)
	require.InEpsilon(t, settledHeap()-before, float64(seriesindex.Bytes(x)), 0.25)
	runtime.KeepAlive(w)
}

// settledHeap is the heap in use, in bytes, once collecting again finds nothing more: what pools and goroutines of earlier tests held
// goes over several collections.
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

// TestAnnouncementsRefreshTenantsInUse checks that a query after an announcement finds its refresh done, one for many.
func TestAnnouncementsRefreshTenantsInUse(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, series(1, "up"), monday)
	x, clock := newIndex(t, w)
	fps(t, x, tenantA, onDays(monday, monday))
	before := seriesindex.Refreshes(x)
	for i := range uint64(100) {
		w.insert(tenantA, series(2+i, "up"), monday)
		x.Changed(tenantA)
	}
	testkit.Eventually(t, time.Minute, func() error {
		if n := len(fps(t, x, tenantA, onDays(monday, monday))); n != 101 {
			return fmt.Errorf("%d series are found", n)
		}
		return nil
	})
	require.Less(t, seriesindex.Refreshes(x)-before, 100, "announcements are gathered")
	require.Equal(t, clock.Now(), time.UnixMilli(monday*24*3600_000+12*3600_000), "no query had to wait for a refresh of its own")
}
