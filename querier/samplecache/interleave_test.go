package samplecache_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/samplecache"
)

// storm lets things happen to a twin at every step of loads and refreshes.
type storm struct {
	*twin
	t     *testing.T
	c     *samplecache.Cache
	clock *testkit.Clock
	group sync.WaitGroup // of queries

	actMu  sync.Mutex // guards the fields below; one thing happens at a time
	r      *rand.Rand
	shards [3]uint64 // the last batch of each
	calm   bool      // nothing happens by itself
}

// query returns a random query.
func (s *storm) query() store.MetricSamplesQuery {
	q := store.MetricSamplesQuery{EndMilli: start - s.r.Int64N(20*hourMilli), Last: s.r.IntN(4) == 0, Limit: 1 << 20}
	q.StartMilli = q.EndMilli - s.r.Int64N(30*hourMilli)
	first, n := s.r.Uint64N(6), 1+s.r.Uint64N(6)
	names := map[string]bool{}
	for fp := first; fp < first+n; fp++ {
		q.FPs = append(q.FPs, fp+1)
		if name := metricOf(fp + 1); !names[name] {
			names[name] = true
			q.Metrics = append(q.Metrics, name)
		}
	}
	return q
}

// act lets a few things happen.
func (s *storm) act() {
	s.actMu.Lock()
	defer s.actMu.Unlock()
	for !s.calm && s.r.IntN(3) > 0 {
		switch s.r.IntN(12) {
		case 0, 1, 2, 3, 4:
			s.insertBatch()
		case 5, 6:
			s.mergeParts(tenantA)
		case 7:
			if s.r.IntN(8) == 0 {
				s.dropDay(tenantA, monday-s.r.Int32N(3))
			}
		case 8:
			if s.r.IntN(8) == 0 {
				s.deleteSeries(tenantA, 1+s.r.Uint64N(10), s.number(), func(*store.SamplePart) bool { return true })
			}
		case 9:
			s.c.Changed(tenantA)
			s.clock.Advance(250 * time.Millisecond)
		default:
			s.ask()
		}
	}
}

// insertBatch stores a shard's next batch, by day.
func (s *storm) insertBatch() {
	shard := s.r.IntN(len(s.shards))
	s.shards[shard]++
	day := (monday - s.r.Int64N(3)) * dayMilli
	if s.r.IntN(2) == 0 {
		day = start - 12*hourMilli // one day's end and the next one's begin
	}
	byDay := map[int64][]row{}
	for range 1 + s.r.IntN(5) {
		r := row{1 + s.r.Uint64N(10), day + s.r.Int64N(12*60)*60_000, float64(s.r.IntN(5))}
		byDay[r.t/dayMilli] = append(byDay[r.t/dayMilli], r)
	}
	for _, rows := range byDay {
		s.insert(tenantA, s.shards[shard]<<8|uint64(shard), rows...)
	}
}

// ask asks beside what goes on, and may give up.
func (s *storm) ask() {
	q, patience := s.query(), time.Duration(s.r.IntN(200))*time.Microsecond
	s.group.Go(func() {
		ctx, cancel := context.WithTimeout(s.t.Context(), patience)
		defer cancel()
		_, _, _ = s.c.ListMetricSamples(ctx, tenantA, q)
	})
}

// TestRandomInterleavings lets inserts, merges, mutations, drops and queries happen between all steps of loads and refreshes,
// and compares the cache with the store whenever it has calmed down.
func TestRandomInterleavings(t *testing.T) {
	r := testkit.Seed(t)
	const worlds, rounds = 60, 40
	for range worlds {
		w := newTwin()
		s := &storm{twin: w, t: t, r: rand.New(rand.NewPCG(r.Uint64(), 0))}
		s.c, s.clock = openCache(t, w, 1<<(14+r.Int64N(8)))
		samplecache.ShareRows(s.c, 1+r.Int64N(20))
		w.listing, w.listed = s.act, s.act
		w.scanning = func(context.Context) { s.act() }
		w.newsScanning, w.scanned = w.scanning, w.scanning
		for range rounds {
			samplecache.WaitFor(s.c, time.Millisecond) // what waits for itself must not wait long
			s.setCalm(false)
			s.actMu.Lock()
			q := s.query()
			s.actMu.Unlock()
			s.act()
			_, _, err := s.c.ListMetricSamples(t.Context(), tenantA, q)
			require.NoError(t, err)
			s.setCalm(true)
			s.group.Wait()
			samplecache.WaitFor(s.c, time.Minute)
			s.clock.Advance(samplecache.DefaultRefresh)
			for range 3 {
				q := s.query()
				want, n, err := w.ListMetricSamples(t.Context(), tenantA, q)
				require.NoError(t, err)
				got, rows, err := s.c.ListMetricSamples(t.Context(), tenantA, q)
				require.NoError(t, err)
				require.Equal(t, text(want), text(got), "%+v", q)
				require.Equal(t, n, rows)
			}
		}
		require.NoError(t, s.c.Close())
		require.Equal(t, samplecache.Recount(s.c, tenantA), int64(samplecache.Bytes(s.c)))
	}
}

func (s *storm) setCalm(calm bool) {
	s.actMu.Lock()
	defer s.actMu.Unlock()
	s.calm = calm
}
