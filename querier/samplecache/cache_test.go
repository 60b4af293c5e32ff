package samplecache_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/samplecache"
)

var errAway = errors.New("the store is away")

// lastHours asks for series 1 to count over hours.
func lastHours(count uint64, hours int64) store.MetricSamplesQuery {
	q := store.MetricSamplesQuery{Metrics: []string{"m0", "m1", "m2"}, StartMilli: start - hours*hourMilli + 1, EndMilli: start, Limit: 1 << 20}
	for fp := range count {
		q.FPs = append(q.FPs, fp+1)
	}
	return q
}

// announce says that samples came, and lets the grace pass.
func announce(c *samplecache.Cache, clock *testkit.Clock) {
	c.Changed(tenantA)
	clock.Advance(250 * time.Millisecond)
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := samplecache.New(samplecache.Options{})
	require.ErrorContains(t, err, "required")
}

func TestWindowsAreReadOnce(t *testing.T) {
	w := newTwin()
	for fp := range uint64(5) {
		w.insert(tenantA, 1<<8, row{fp + 1, start - 10, 1}, row{fp + 1, start - 3*hourMilli, 2})
	}
	c, _ := openCache(t, w, 1<<30)
	requireTwin(t, w, c, lastHours(3, 1))
	require.Equal(t, []store.SampleScanQuery{{
		Metrics: []string{"m0", "m1", "m2"}, FPs: []uint64{1, 2, 3}, StartMilli: start - hourMilli, EndMilli: start + hourMilli - 1,
	}}, w.takeScans())
	requireTwin(t, w, c, lastHours(3, 1))
	require.Empty(t, w.takeScans())
	requireTwin(t, w, c, lastHours(7, 5))
	scans := w.takeScans()
	require.Len(t, scans, 2, "series that lack other windows have a statement of their own")
	slices.SortFunc(scans, func(a, b store.SampleScanQuery) int { return int(a.FPs[0]) - int(b.FPs[0]) })
	require.Equal(t, []uint64{1, 2, 3}, scans[0].FPs)
	require.Equal(t, int64(start-hourMilli-1), scans[0].EndMilli, "what is there is not read again")
	require.Equal(t, []uint64{4, 5, 6, 7}, scans[1].FPs)
	requireTwin(t, w, c, lastHours(7, 5))
	require.Empty(t, w.takeScans(), "what has no samples is held too")
	q := lastHours(7, 5)
	q.Last = true
	requireTwin(t, w, c, q)
	require.Equal(t, samplecache.Recount(c, tenantA), int64(samplecache.Bytes(c)))
}

// TestMemoryTellsWhatItAnswered reads samples that are in memory in no window, in all and in some.
func TestMemoryTellsWhatItAnswered(t *testing.T) {
	w := newTwin()
	for fp := range uint64(2) {
		w.insert(tenantA, 1<<8, row{fp + 1, start - 10, 1}, row{fp + 1, start - 20, 1}, row{fp + 1, start - hourMilli - 10, 2}, row{fp + 1, start - 2*hourMilli - 10, 2})
	}
	var answered uint64
	c, _ := openCache(t, w, 1<<30, func(o *samplecache.Options) {
		o.Answered = func(_ context.Context, bytes uint64) { answered += bytes }
	})
	ask := func(hours int64) uint64 {
		answered = 0
		requireTwin(t, w, c, lastHours(2, hours))
		return answered
	}
	require.Zero(t, ask(1), "the store has answered")
	require.EqualValues(t, 2*2*16, ask(1))
	part := ask(3)
	require.Positive(t, part)
	require.Less(t, part, uint64(2*4*16), "the rest came from the store")
	require.EqualValues(t, 2*4*16, ask(3))
}

func TestNewSamplesAreSeen(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 60_000, 1})
	c, clock := openCache(t, w, 1<<30)
	requireTwin(t, w, c, lastHours(3, 1))
	for i := range int64(400) {
		rows := []row{{1, start - 50_000 + 100*i, float64(i)}}
		if i%7 == 0 {
			rows = append(rows, row{1, start - 55_000 + 200*i, float64(i)}, row{2, start - 70_000 - i, -1}, row{4, start - 1, 1})
		}
		w.insert(tenantA, uint64(i+2)<<8|uint64(i%3), rows...)
		if i%5 == 0 {
			w.mergeParts(tenantA)
		}
		announce(c, clock)
		requireTwin(t, w, c, lastHours(3, 1))
	}
	require.Len(t, w.takeScans(), 1)
	require.Less(t, samplecache.RefreshRows(c), 1400, "of merged parts only the newest batches are read again")
	w.insert(tenantA, 9000<<8, row{1, start - 1, 42})
	clock.Advance(samplecache.DefaultRefresh)
	requireTwin(t, w, c, lastHours(3, 1))
}

// TestWhatWasMissedIsReadInShares leaves a tenant alone for many inserts, and merges some between the statements that read them.
func TestWhatWasMissedIsReadInShares(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - hourMilli + 1, 1}, row{2, start - hourMilli + 1, 1})
	c, clock := openCache(t, w, 1<<30)
	samplecache.ShareRows(c, 10)
	requireTwin(t, w, c, lastHours(2, 1))
	for i := range int64(100) {
		w.insert(tenantA, uint64(i+2)<<8, row{1, start - 1000 + i, 1}, row{2, start - 2000 + i, 1})
	}
	merges := 0
	w.hook(func(w *twin) {
		w.newsScanning = func(context.Context) {
			if merges++; merges == 7 {
				w.mergeParts(tenantA)
			}
		}
	})
	announce(c, clock)
	requireTwin(t, w, c, lastHours(2, 1))
	require.Equal(t, 20, merges, "statements")
	require.Len(t, w.takeScans(), 1)
}

// TestNewsAreSeenWhole looks at a series while a refresh reads two shards' samples of it.
func TestNewsAreSeenWhole(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 1000, 1})
	c, clock := openCache(t, w, 1<<30)
	requireTwin(t, w, c, one(1))
	w.insert(tenantA, 2<<8, row{1, start - 900, 1})
	w.insert(tenantA, 2<<8|1, row{1, start - 800, 1})
	var looks atomic.Int64
	w.hook(func(w *twin) {
		w.delivered = func() {
			looks.Add(1)
			list, _, err := c.ListMetricSamples(t.Context(), tenantA, one(1)) // the grace is not over
			if err != nil || len(list[0].Times) != 1 {
				t.Errorf("got %v, %v", list, err)
			}
		}
	})
	clock.Advance(2 * time.Second)
	c.Changed(tenantA)
	testkit.Eventually(t, time.Minute, func() error {
		if looks.Load() < 2 {
			return errors.New("no refresh")
		}
		return nil
	})
	announce(c, clock)
	requireTwin(t, w, c, one(1))
}

// one asks for one series over the last hour.
func one(fp uint64) store.MetricSamplesQuery {
	return store.MetricSamplesQuery{Metrics: []string{metricOf(fp)}, FPs: []uint64{fp}, StartMilli: start - hourMilli, EndMilli: start, Limit: 1 << 20}
}

func TestRowsThatLeaveAreGone(t *testing.T) {
	w := newTwin()
	for day := range int64(3) {
		w.insert(tenantA, 1<<8, row{1, start - day*dayMilli, 1}, row{2, start - day*dayMilli, 1})
	}
	c, clock := openCache(t, w, 1<<30)
	q := lastHours(3, 72)
	requireTwin(t, w, c, q)

	// A mutation takes one part after the other.
	number := w.number()
	for _, day := range []int32{monday - 1, monday} {
		w.deleteSeries(tenantA, 2, number, func(p *store.SamplePart) bool { return p.Day == day })
		announce(c, clock)
		requireTwin(t, w, c, q)
	}
	w.takeScans()
	w.insert(tenantA, 2<<8, row{1, start - 5, 1})
	w.mergeParts(tenantA)
	announce(c, clock)
	requireTwin(t, w, c, q)
	require.Empty(t, w.takeScans(), "inserts after a mutation do not look like another")

	w.dropDay(tenantA, monday-2)
	announce(c, clock)
	requireTwin(t, w, c, q)
	require.Empty(t, w.takeScans(), "other days stay, and a day without parts has no samples")

	// What comes to a day without parts and goes again, between two listings, must not be held.
	w.insert(tenantA, 2<<8, row{1, start - 2*dayMilli, 1})
	_, _, err := c.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	w.dropDay(tenantA, monday-2)
	announce(c, clock)
	requireTwin(t, w, c, q)

	// The newest insert of all goes, and its number is given out again.
	w.insert(tenantA, 3<<8, row{1, start - dayMilli - 7, 1})
	announce(c, clock)
	requireTwin(t, w, c, q)
	w.dropDay(tenantA, monday-1)
	w.hook(func(w *twin) { w.block-- })
	w.insert(tenantA, 4<<8, row{1, start - 3, 1})
	announce(c, clock)
	requireTwin(t, w, c, q)
}

func TestWindowsOpenAhead(t *testing.T) {
	w := newTwin()
	c, clock := openCache(t, w, 1<<30)
	ask := func() store.MetricSamplesQuery {
		q := lastHours(5, 1)
		q.EndMilli = clock.Now().UnixMilli()
		q.StartMilli = q.EndMilli - hourMilli
		return q
	}
	for i := range uint64(60) { // five hours
		at := clock.Now().UnixMilli()
		w.insert(tenantA, (i+1)<<8, row{1, at, float64(i)}, row{2, at, 1}, row{3 + i%2, at - 1, 1})
		c.Changed(tenantA)
		clock.Advance(5 * time.Minute)
		requireTwin(t, w, c, ask())
	}
	require.Len(t, w.takeScans(), 1, "windows that begin are not read")
	require.Equal(t, samplecache.Recount(c, tenantA), int64(samplecache.Bytes(c)))
}

func TestTenantsSeeTheirOwn(t *testing.T) {
	w := newTwin()
	w.insert(tenantA, 1<<8, row{1, start - 1, 1})
	w.insert(tenantB, 1<<8, row{1, start - 1, 2})
	c, clock := openCache(t, w, 1<<30)
	for range 2 {
		list, _, err := c.ListMetricSamples(t.Context(), tenantA, lastHours(1, 1))
		require.NoError(t, err)
		require.Equal(t, []float64{1}, list[0].Values)
		list, _, err = c.ListMetricSamples(t.Context(), tenantB, lastHours(1, 1))
		require.NoError(t, err)
		require.Equal(t, []float64{2}, list[0].Values)
	}
	require.Len(t, w.takeScans(), 2)
	held := samplecache.Bytes(c)
	c.Forget(tenantA)
	require.Equal(t, held/2, samplecache.Bytes(c))
	requireTwin(t, w, c, lastHours(1, 1))
	clock.Advance(59 * time.Minute)
	requireTwin(t, w, c, lastHours(1, 1))
	clock.Advance(2 * time.Minute)
	requireTwin(t, w, c, lastHours(1, 1))
	require.Less(t, samplecache.Bytes(c), held, "the other is forgotten")
}

func TestHistogramsOfMetricsThatHaveThem(t *testing.T) {
	w := newTwin()
	w.hists[tenantA] = []string{"m0"}
	c, clock := openCache(t, w, 1<<30)
	ask := func(metric string) (found, reads int) {
		q := lastHours(1, 1)
		q.Metrics = []string{metric, "other"}
		list, n, err := c.ListMetricHistograms(t.Context(), tenantA, q)
		require.NoError(t, err)
		require.Len(t, list, n)
		return n, w.takeReads()
	}
	expect := func(metric string, wantFound, wantReads int) {
		t.Helper()
		found, reads := ask(metric)
		require.Equal(t, []int{wantFound, wantReads}, []int{found, reads})
	}
	expect("m0", 1, 1)
	expect("m1", 0, 0)
	w.hook(func(w *twin) { w.hists[tenantA] = append(w.hists[tenantA], "m1") })
	announce(c, clock)
	expect("m1", 1, 1)
	expect("m2", 0, 0)
	w.fail(errAway)
	announce(c, clock)
	expect("m2", 0, 1)
}

// TestConcurrentUse asks while samples come, parts merge, days go, windows are dropped for want of memory and queries give up.
// What was there before the announcement that a question waits for must be in its answer.
func TestConcurrentUse(t *testing.T) {
	w := newTwin()
	c, clock := openCache(t, w, 400<<10)
	const total, readers = 600, 4
	var stored atomic.Int64
	var group sync.WaitGroup
	group.Go(func() {
		for i := range int64(total) {
			var rows []row
			for fp := range uint64(20) {
				rows = append(rows, row{fp + 1, start - hourMilli + (i+1)*1000, float64(i)})
			}
			w.insert(tenantA, uint64(i)<<8|uint64(i%2), rows...)
			if i%20 == 0 {
				w.mergeParts(tenantA)
			}
			if i%97 == 0 {
				w.insert(tenantA, uint64(i)<<8|uint64(i%2), row{1, start - 3*dayMilli, 1})
				w.dropDay(tenantA, monday-3)
			}
			announce(c, clock)
			stored.Store(i + 1)
			if i%150 == 149 {
				c.Forget(tenantA)
			}
		}
	})
	for reader := range readers {
		group.Go(func() {
			for n := int64(0); n < total; {
				n = stored.Load()
				ctx, cancel := context.WithCancel(t.Context())
				if reader == 3 && n%3 == 0 {
					time.AfterFunc(time.Duration(n)*time.Microsecond, cancel)
				}
				q := one(1 + uint64(n+int64(reader))%20)
				if reader%2 == 0 {
					q = lastHours(20, 1+n%30)
				}
				list, _, err := c.ListMetricSamples(ctx, tenantA, q)
				canceled := ctx.Err() != nil
				cancel()
				switch {
				case err != nil && !canceled:
					t.Errorf("got %v", err)
				case err == nil && n > 0 && len(list) != len(q.FPs):
					t.Errorf("got %d series of %d after %d inserts", len(list), len(q.FPs), n)
				}
				for i := range list {
					for k, v := range list[i].Values {
						if v != float64(k) {
							t.Errorf("sample %d is %v", k, v)
						}
					}
					if int64(len(list[i].Times)) < n {
						t.Errorf("got %d samples of %d", len(list[i].Times), n)
					}
				}
			}
		})
	}
	group.Wait()
	announce(c, clock)
	requireTwin(t, w, c, lastHours(20, 1))
	require.Equal(t, samplecache.Recount(c, tenantA), int64(samplecache.Bytes(c)))
}
