package samplecache_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/samplecache"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	// monday is 2026-11-16, in days since 1970.
	monday    = 20773
	dayMilli  = 24 * 3600_000
	hourMilli = 3600_000
	start     = monday*dayMilli + 9*hourMilli
)

// openStore returns a store whose two tenants have the numbers from number on.
func openStore(t testing.TB, number seamark.TenantNumber) *store.Store {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Number: func(id seamark.TenantID) (seamark.TenantNumber, error) {
			switch id {
			case tenantA:
				return number, nil
			case tenantB:
				return number + 1, nil
			}
			return 0, seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "No such tenant.")
		},
		Dial: engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func adminConn(t testing.TB) driver.Conn {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, _ := ch.Addrs()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// openCache returns a cache with a clock that does not move by itself.
func openCache(t testing.TB, s samplecache.Source, maxBytes int64, change ...func(*samplecache.Options)) (*samplecache.Cache, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock(time.UnixMilli(start))
	o := samplecache.Options{
		Source: s, MaxBytes: maxBytes, Refresh: samplecache.DefaultRefresh, Grace: samplecache.DefaultGrace, Now: clock.Now,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	}
	for _, c := range change {
		c(&o)
	}
	c, err := samplecache.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	samplecache.WaitFor(c, time.Minute)
	return c, clock
}

// row is one sample to store.
type row struct {
	fp uint64
	t  int64
	v  float64
}

// metricOf returns the metric of a series.
func metricOf(fp uint64) string { return fmt.Sprint("m", fp%3) }

// blocksOf encodes rows as the writer does: a block per day.
func blocksOf(t testing.TB, batch uint64, rows []row) []*store.Block {
	t.Helper()
	b, refs := &seamark.Batch{}, map[uint64]uint32{}
	for _, r := range rows {
		if _, ok := refs[r.fp]; !ok {
			refs[r.fp] = b.Samples.AddSeries(&seamark.Series{
				Kind: seamark.MetricSeries, FP: r.fp, Name: metricOf(r.fp), Labels: []seamark.Label{{Name: "__name__", Value: metricOf(r.fp)}},
			})
		}
		b.Samples.Append(refs[r.fp], r.t, r.v)
	}
	return sampleBlocks(t, batch, b, store.TableSamples)
}

func sampleBlocks(t testing.TB, batch uint64, b *seamark.Batch, table store.Table) []*store.Block {
	t.Helper()
	encoded, err := store.NewEncoder().Encode(b, time.UnixMilli(start))
	require.NoError(t, err)
	byDay := map[int32]*store.Block{}
	for _, seg := range encoded.Segments {
		if seg.Table != table {
			continue
		}
		if byDay[seg.Day] == nil {
			byDay[seg.Day] = &store.Block{Table: seg.Table, Day: seg.Day, BatchID: batch}
		}
		byDay[seg.Day].Segments = append(byDay[seg.Day].Segments, seg)
	}
	return slices.Collect(maps.Values(byDay))
}

// world is a tenant's data while it changes, and a cache of it.
type world struct {
	testing.TB
	*rand.Rand
	s      *store.Store
	c      *samplecache.Cache
	clock  *testkit.Clock
	admin  driver.Conn
	table  string
	shards [3]uint64        // the last ordinal of each
	hists  uint64           // batches of histograms
	late   [][]*store.Block // per shard: blocks of its last batch that are not stored yet
}

func (w *world) now() int64 { return w.clock.Now().UnixMilli() }

// value returns a value of few or of odd bits.
func (w *world) value() float64 {
	switch w.IntN(6) {
	case 0:
		return math.Float64frombits(0x7ff0000000000002) // a stale marker
	case 1:
		return math.Float64frombits(w.Uint64())
	default:
		return float64(w.IntN(1000)) / 10
	}
}

// store stores a batch of a shard, some of whose blocks may come later, though before the shard's next batch.
func (w *world) store() {
	shard := w.IntN(len(w.shards))
	w.flush(shard)
	var rows []row
	switch w.IntN(5) {
	case 0: // late, or ahead
		for range 1 + w.IntN(20) {
			rows = append(rows, row{1 + w.Uint64N(20), w.now() - 3*dayMilli + w.Int64N(3*dayMilli+hourMilli), w.value()})
		}
	case 1: // repeats
		at := w.now() - w.Int64N(hourMilli)
		for range 1 + w.IntN(8) {
			rows = append(rows, row{1 + w.Uint64N(20), at + w.Int64N(3), w.value()})
		}
	case 2: // one series, dense
		fp, at := 1+w.Uint64N(20), w.now()-hourMilli
		for i := range int64(200) {
			rows = append(rows, row{fp, at + 15_000*i, w.value()})
		}
	default: // a scrape
		for fp := range uint64(20) {
			rows = append(rows, row{fp + 1, w.now() - w.Int64N(15_000), w.value()})
		}
	}
	w.shards[shard] += 1 + w.Uint64N(2)
	for _, b := range blocksOf(w, w.shards[shard]<<8|uint64(shard), rows) {
		if w.IntN(4) == 0 {
			w.late[shard] = append(w.late[shard], b)
			continue
		}
		require.NoError(w, w.s.Insert(w.Context(), tenantA, b))
	}
}

// storeHistograms stores native histograms of one metric.
func (w *world) storeHistograms() {
	b, fp := &seamark.Batch{}, uint64(1+w.IntN(2)*4) // of m1 and m2, never of m0
	ref := b.Samples.AddSeries(&seamark.Series{
		Kind: seamark.MetricSeries, FP: fp, Name: metricOf(fp), Labels: []seamark.Label{{Name: "__name__", Value: metricOf(fp)}},
	})
	for i := range int64(3) {
		b.Histograms.Append(&seamark.HistogramRow{Series: ref, TimeMilli: w.now() - i*1000, Data: fmt.Sprint("data", w.IntN(9))})
	}
	w.hists++
	for _, block := range sampleBlocks(w, w.hists<<8, b, store.TableHistograms) {
		require.NoError(w, w.s.Insert(w.Context(), tenantA, block))
	}
}

// compareHistograms asks the cache and the store the same.
func (w *world) compareHistograms(q store.MetricSamplesQuery) {
	w.Helper()
	q.Metrics = []string{fmt.Sprint("m", w.IntN(3))}
	want, wantRows, err := w.s.ListMetricHistograms(w.Context(), tenantA, q)
	require.NoError(w, err)
	got, rows, err := w.c.ListMetricHistograms(w.Context(), tenantA, q)
	require.NoError(w, err)
	require.ElementsMatch(w, want, got, "histograms of %+v", q)
	require.Equal(w, wantRows, rows)
}

// flush stores what is left of a shard's last batch.
func (w *world) flush(shard int) {
	for _, b := range w.late[shard] {
		require.NoError(w, w.s.Insert(w.Context(), tenantA, b))
	}
	w.late[shard] = nil
}

// change does what the server or an operator does to the table.
func (w *world) change() {
	day := time.UnixMilli(w.now() - w.Int64N(3)*dayMilli).UTC().Format(time.DateOnly)
	switch w.IntN(30) {
	case 0:
		require.NoError(w, w.admin.Exec(w.Context(), "ALTER TABLE "+w.table+" DROP PARTITION '"+day+"'"))
	case 1:
		require.NoError(w, w.admin.Exec(w.Context(), "ALTER TABLE "+w.table+" DELETE WHERE fp = "+fmt.Sprint(1+w.Uint64N(20))+" SETTINGS mutations_sync = 2"))
	case 2:
		require.NoError(w, w.admin.Exec(w.Context(), "DELETE FROM "+w.table+" WHERE ts > now64() AND fp = "+fmt.Sprint(1+w.Uint64N(20))))
	case 3, 4, 5, 6, 7, 8:
		require.NoError(w, w.admin.Exec(w.Context(), "OPTIMIZE TABLE "+w.table+" PARTITION '"+day+"' FINAL"))
	case 9:
		w.clock.Advance(time.Duration(w.Int64N(int64(3 * time.Hour))))
	default:
		w.clock.Advance(time.Duration(w.Int64N(int64(5 * time.Minute))))
	}
}

// question returns a random query.
func (w *world) question() store.MetricSamplesQuery {
	q := store.MetricSamplesQuery{Metrics: []string{"m0", "m1", "m2"}, Last: w.IntN(3) == 0, Limit: 1 << 20}
	for fp := range uint64(22) {
		if w.IntN(2) == 0 {
			q.FPs = append(q.FPs, fp+1)
		}
	}
	if w.IntN(4) == 0 {
		fp := 1 + w.Uint64N(20)
		q.FPs, q.Metrics = []uint64{fp}, []string{metricOf(fp)}
	}
	if w.IntN(6) == 0 {
		q.Metrics, q.FPs, q.Whole = []string{"m0", "m1", "m2"}, nil, true
		for fp := range uint64(22) {
			q.FPs = append(q.FPs, fp+1)
		}
	}
	q.EndMilli = w.now()
	switch w.IntN(5) {
	case 0:
		q.StartMilli = w.now() - 5*60_000
	case 1:
		q.StartMilli = w.now() - 6*hourMilli
	case 2:
		q.StartMilli = w.now() - 4*dayMilli
	case 3:
		q.StartMilli = w.now() - w.Int64N(3*dayMilli)
		q.EndMilli = q.StartMilli + w.Int64N(3*hourMilli)
	default:
		q.StartMilli, q.EndMilli = w.now()-hourMilli, w.now()+hourMilli
	}
	if w.IntN(8) == 0 {
		q.Limit = 1 + w.IntN(30)
	}
	return q
}

// text shows samples with their exact bits.
func text(list []store.MetricSamples) map[uint64]string {
	m := map[uint64]string{}
	for _, one := range list {
		s := ""
		for i := range one.Times {
			s += fmt.Sprintf("%d=%x ", one.Times[i], math.Float64bits(one.Values[i]))
		}
		m[one.FP] = s
	}
	return m
}

// compare asks the cache and the store the same.
func compare(t testing.TB, s *store.Store, c *samplecache.Cache, q store.MetricSamplesQuery) {
	t.Helper()
	got, n, err := c.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	limit := q.Limit
	q.Limit = 1 << 20
	want, _, err := s.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	total := 0
	for i := range want {
		total += len(want[i].Times)
	}
	require.Equal(t, min(total, limit), n, "rows of %+v", q)
	if total <= limit {
		require.Equal(t, text(want), text(got), "samples of %+v", q)
		return
	}
	byFP := func(a, b store.MetricSamples) int { return cmp.Compare(a.FP, b.FP) }
	slices.SortFunc(want, byFP)
	for _, one := range got {
		i, found := slices.BinarySearchFunc(want, one, byFP)
		require.True(t, found)
		require.Subset(t, want[i].Times, one.Times)
	}
}

// TestCacheIsTheStore asks the cache and the store random questions while samples arrive, late and more than once, parts
// merge and rows go.
func TestCacheIsTheStore(t *testing.T) {
	s := openStore(t, 20)
	c, clock := openCache(t, s, 1<<30)
	clock.Set(time.Now().UTC().Truncate(24 * time.Hour).Add(-15 * time.Hour)) // not long ago, or the store's retention takes the samples
	w := &world{TB: t, Rand: testkit.Seed(t), s: s, c: c, clock: clock, admin: adminConn(t), table: "t0020.samples", late: make([][]*store.Block, 3)}
	_, err := s.EnsureTenant(t.Context(), tenantA)
	require.NoError(t, err)
	require.NoError(t, w.admin.Exec(t.Context(), "TRUNCATE TABLE "+w.table)) // of an earlier run, whose batches had larger ids
	const questions = 4
	for range testkit.Rounds(t, 20) {
		for range w.IntN(4) {
			w.store()
		}
		if w.IntN(10) == 0 {
			w.storeHistograms()
		}
		w.change()
		if w.IntN(2) == 0 {
			c.Changed(tenantA)
			clock.Advance(250 * time.Millisecond)
		} else {
			clock.Advance(samplecache.DefaultRefresh)
		}
		for range questions {
			compare(t, s, c, w.question())
		}
		q := w.question()
		q.Last, q.Limit = false, 1<<20
		w.compareHistograms(q)
		if w.IntN(3) == 0 {
			require.Equal(t, samplecache.Recount(c, tenantA), int64(samplecache.Bytes(c)), "bytes")
		}
	}
	for _, reason := range []string{"query", "range", "closed", "failure", "wait", "size", "dropped", "contention"} {
		require.Zero(t, samplecache.Bypasses(c, reason), "the cache answers every question: %s", reason)
	}
	t.Logf("%d hits, %d misses, %d loads, %d refreshes of %d rows, %d resets", samplecache.Hits(c), samplecache.Misses(c), samplecache.Loads(c),
		samplecache.Refreshes(c), samplecache.RefreshRows(c), samplecache.Resets(c))
}
