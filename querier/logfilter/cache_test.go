package logfilter_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/logfilter"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAX")
	groups  = 4
)

// source is the store of a test, which counts what the cache asks and can fail.
type source struct {
	*store.Store
	reads, whole int
	err          error
}

func (s *source) ReadLogFilters(ctx context.Context, id seamark.TenantID, q store.LogFiltersQuery, fn func(*store.LogRunFilter) error) (store.LogStats, error) {
	s.reads++
	if s.err != nil {
		return store.LogStats{}, s.err
	}
	return s.Store.ReadLogFilters(ctx, id, q, fn)
}

func (s *source) NarrowLogs(ctx context.Context, id seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	s.whole++
	return s.Store.NarrowLogs(ctx, id, scope)
}

// rig is lines in a store.
type rig struct {
	source
	exec   func(sql string) error
	random *rand.Rand
	start  time.Time
	batch  uint64
	bodies []string
}

func newRig(t *testing.T, number seamark.TenantNumber) *rig {
	t.Helper()
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Dial: engine.DialClickHouse,
		Number: func(id seamark.TenantID) (seamark.TenantNumber, error) {
			if id == tenantB {
				return number + 1, nil
			}
			return number, nil
		},
		MaxTenantConns: 4, FilterRows: 20, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	admin, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(admin.Close(), s.Close())) })
	return &rig{
		source: source{Store: s}, random: testkit.Seed(t), start: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -3),
		exec: func(sql string) error { return admin.Exec(t.Context(), fmt.Sprintf(sql, number)) },
	}
}

// insert stores n lines of two days; blocks of fewer than 20 have no filters.
func (r *rig) insert(t *testing.T, id seamark.TenantID, n int) {
	t.Helper()
	b := &seamark.Batch{}
	for range n {
		group := r.random.IntN(groups)
		ref := b.Logs.AddStream(&seamark.Series{
			Kind: seamark.LogStream, FP: uint64(group + 1), Name: fmt.Sprint("ns/", group), Labels: []seamark.Label{{Name: "job", Value: fmt.Sprint(group)}},
		})
		body := fmt.Sprintf("request %016x took %d ms", r.random.Uint64(), r.random.IntN(1000))
		if id == tenantA {
			r.bodies = append(r.bodies, body)
		}
		b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: r.start.UnixNano() + r.random.Int64N(int64(48*time.Hour)), Body: body})
	}
	encoded, err := store.NewEncoder().Encode(b, r.start)
	require.NoError(t, err)
	blocks := map[[2]int32]*store.Block{}
	for _, segment := range encoded.Segments {
		key := [2]int32{int32(segment.Table), segment.Day}
		if blocks[key] == nil {
			r.batch++
			blocks[key] = &store.Block{Table: segment.Table, Day: segment.Day, BatchID: r.batch}
		}
		blocks[key].Segments = append(blocks[key].Segments, segment)
	}
	for _, block := range blocks {
		require.NoError(t, r.Insert(t.Context(), id, block))
	}
}

func (r *rig) scope(text string) store.LogScope {
	scope := store.LogScope{
		Start: r.start.UnixNano(), End: r.start.Add(48 * time.Hour).UnixNano(), Filters: []store.LogFilter{{Op: store.LogContains, Texts: []string{text}}},
	}
	for group := range groups {
		scope.Streams = append(scope.Streams, store.LogStream{FP: uint64(group + 1), Group: fmt.Sprint("ns/", group)})
	}
	return scope
}

// merge makes one part of all filters of a day; a merge that is under way already keeps OPTIMIZE from it.
func (r *rig) merge(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		return errors.Join(r.exec("OPTIMIZE TABLE t%04d.log_filters FINAL"),
			r.exec("SELECT throwIf(count() > uniq(partition)) FROM system.parts WHERE active AND table = 'log_filters' AND database = 't%04d'"))
	})
}

// covers reports whether every range of want lies in one of got.
func covers(got, want []store.LogRange) bool {
	return !slices.ContainsFunc(want, func(w store.LogRange) bool {
		return !slices.ContainsFunc(got, func(g store.LogRange) bool { return g.Group == w.Group && g.Start <= w.Start && g.End >= w.End })
	})
}

// check searches for parts of lines and for what stands in none, and compares the ranges with those of the store. Those are the
// same where the store has merged the filters of a run, as the cache always does; before, the store's may be narrower.
func (r *rig) check(t *testing.T, c *logfilter.Cache, merged bool) {
	t.Helper()
	for k := range 12 {
		line := r.bodies[r.random.IntN(len(r.bodies))]
		scope := r.scope(line[8 : 13+r.random.IntN(11)])
		switch k % 4 {
		case 1:
			scope.Start += r.random.Int64N(int64(40 * time.Hour))
			scope.End = min(scope.End, scope.Start+1+r.random.Int64N(int64(30*time.Hour)))
		case 2:
			scope.Streams = scope.Streams[:1+r.random.IntN(groups)]
		case 3:
			scope = r.scope(fmt.Sprintf("%016x", r.random.Uint64()))
		}
		got, _, err := c.NarrowLogs(t.Context(), tenantA, scope)
		require.NoError(t, err)
		want, _, err := r.Store.NarrowLogs(t.Context(), tenantA, scope)
		require.NoError(t, err)
		require.Equal(t, want.Narrowed, got.Narrowed)
		if merged {
			require.Equal(t, append([]store.LogRange{}, want.Ranges...), append([]store.LogRange{}, got.Ranges...), "%+v", scope)
		}
		require.True(t, covers(got.Ranges, want.Ranges), "%+v: %v does not cover %v", scope, got.Ranges, want.Ranges)
		require.Equal(t, r.search(t, scope), r.search(t, got))
	}
}

func (r *rig) search(t *testing.T, scope store.LogScope) []string {
	t.Helper()
	var found []string
	_, err := r.LogRows(t.Context(), tenantA, store.LogRowsQuery{LogScope: scope, Columns: store.LogColumns{Body: true}}, func(b *store.LogBlock) error {
		found = append(found, b.Body...)
		return nil
	})
	require.NoError(t, err)
	slices.Sort(found)
	return found
}

func open(t *testing.T, s logfilter.Source, bytes int64) *logfilter.Cache {
	t.Helper()
	c, err := logfilter.New(logfilter.Options{Source: s, MaxBytes: bytes, Registerer: prometheus.NewRegistry()})
	require.NoError(t, err)
	return c
}

// TestSameAsStore compares with the store while lines arrive, with and without filters, and parts are merged.
func TestSameAsStore(t *testing.T) {
	r := newRig(t, 61)
	roomy, tight := open(t, r, 1<<30), open(t, r, 1<<20)
	r.insert(t, tenantA, 300)
	for round := range testkit.Rounds(t, 4) {
		for range r.random.IntN(3) {
			r.insert(t, tenantA, 1+r.random.IntN(400))
		}
		r.insert(t, tenantB, 100)
		merged := round%4 == 3
		if merged {
			r.merge(t)
		}
		r.check(t, roomy, merged)
		r.check(t, tight, merged)
	}
	require.Zero(t, strings.Count(fmt.Sprint(r.search(t, r.scope("no such text"))), "request"))
}

func TestAsksForNewsAlone(t *testing.T) {
	r := newRig(t, 63)
	c := open(t, r, 1<<30)
	r.insert(t, tenantA, 300)
	ask := func() (reads int) {
		before := r.reads
		_, _, err := c.NarrowLogs(t.Context(), tenantA, r.scope("no such text"))
		require.NoError(t, err)
		return r.reads - before
	}
	require.Equal(t, 2, ask(), "each day")
	require.Zero(t, ask(), "all is here")
	r.insert(t, tenantA, 300)
	require.Equal(t, 2, ask(), "there is news")
	r.merge(t)
	require.Zero(t, ask(), "a merge is none")
	c.Forget(tenantB)
	require.Zero(t, ask())
	c.Forget(tenantA)
	require.Equal(t, 2, ask())
	require.Zero(t, r.whole)
}

// TestMemoryTellsWhatItAnswered asks for filters that are in memory in part.
func TestMemoryTellsWhatItAnswered(t *testing.T) {
	r := newRig(t, 71)
	r.insert(t, tenantA, 300)
	var answered uint64
	c, err := logfilter.New(logfilter.Options{
		Source: r, MaxBytes: 1 << 30, Registerer: prometheus.NewRegistry(), Answered: func(_ context.Context, bytes uint64) { answered += bytes },
	})
	require.NoError(t, err)
	ask := func() uint64 {
		answered = 0
		_, _, err := c.NarrowLogs(t.Context(), tenantA, r.scope("no such text"))
		require.NoError(t, err)
		return answered
	}
	require.Zero(t, ask(), "the store has answered")
	all := ask()
	require.Positive(t, all)
	r.insert(t, tenantA, 300)
	require.LessOrEqual(t, ask(), all, "what came since is the store's")
	require.Greater(t, ask(), all)
}

func TestLimitOfMemory(t *testing.T) {
	r := newRig(t, 65)
	r.insert(t, tenantA, 300)
	c := open(t, r, 64<<10)
	for range 3 {
		_, _, err := c.NarrowLogs(t.Context(), tenantA, r.scope("no such text"))
		require.NoError(t, err)
	}
	require.Equal(t, 3, r.whole, "the store is asked")
	require.Zero(t, r.reads)
}

func TestFailedReadIsAsError(t *testing.T) {
	r := newRig(t, 67)
	r.insert(t, tenantA, 300)
	c := open(t, r, 1<<30)
	r.err = errors.New("the store is away")
	_, _, err := c.NarrowLogs(t.Context(), tenantA, r.scope("no such text"))
	require.ErrorIs(t, err, r.err)
	r.err = nil
	r.check(t, c, false)
}

func TestScopeThatFiltersCannotHelp(t *testing.T) {
	r := newRig(t, 69)
	c := open(t, r, 1<<30)
	scope := r.scope("abc")
	got, _, err := c.NarrowLogs(t.Context(), tenantA, scope)
	require.NoError(t, err)
	require.False(t, got.Narrowed)
	got, _, err = c.NarrowLogs(t.Context(), tenantA, r.scope("a tenant without a table"))
	require.NoError(t, err)
	require.Len(t, got.Ranges, groups, "all of it may be there")
}
