package store_test

import (
	"log/slog"
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
)

// Numbers and shards of the tenants of tests with two shards.
const (
	firstNumber  = 161
	secondNumber = 162
	tenantC      = seamark.TenantID("01BX5ZZKBKACTAV9WEVGEMMVS0") // on a third shard, which nobody names
)

// openShards returns a store of two shards, of which the second is the test's own: tenantA is on the first, tenantB on the second.
func openShards(t *testing.T) (s *store.Store, second *engine.ClickHouse) {
	t.Helper()
	second = testkit.OwnClickHouse(t)
	var shards []store.Shard
	for _, ch := range []*engine.ClickHouse{testkit.ClickHouse(t), second} {
		tcp, http := ch.Addrs()
		shards = append(shards, store.Shard{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		})
	}
	numbers := map[seamark.TenantID]seamark.TenantNumber{tenantA: firstNumber, tenantB: secondNumber, tenantC: 163}
	places := map[seamark.TenantID]seamark.StoreShard{tenantA: 0, tenantB: 1, tenantC: 2}
	s, err := store.Open(store.Options{
		Shards:   shards,
		ShardOf:  func(id seamark.TenantID) (seamark.StoreShard, error) { return places[id], nil },
		Number:   func(id seamark.TenantID) (seamark.TenantNumber, error) { return numbers[id], nil },
		Platform: firstNumber, Dial: engine.DialClickHouse, MaxTenantConns: 2, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, second
}

// insertLine stores one line of a tenant, and one of its meter where the tenant's batches count theirs.
func insertLine(t *testing.T, s *store.Store, tenant seamark.TenantID, shard seamark.StoreShard) {
	t.Helper()
	b := &seamark.Batch{}
	stream := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 7, Name: "ns/app", Labels: []seamark.Label{{Name: "app", Value: "app"}}})
	now := time.Now()
	b.Logs.Append(&seamark.LogRow{Stream: stream, TimeNano: now.UnixNano(), Body: "a line of " + string(tenant)})
	encoded, err := store.NewEncoder().Encode(b, now)
	require.NoError(t, err)
	var tally store.UsageTally
	tally.Add(tenant, &seamark.Usage{UsageKey: seamark.UsageKey{Hour: seamark.HourOf(now), Kind: seamark.UsageIngest, Signal: seamark.Logs}, UsageCounts: seamark.UsageCounts{Requests: 1, Rows: 1}})
	for _, block := range blocks(append(encoded.Segments, tally.Segments()...), 1) {
		block.Shard = shard
		require.NoError(t, s.Insert(t.Context(), tenant, block))
		stored, err := s.Verify(t.Context(), tenant, block)
		require.NoError(t, err)
		require.Equal(t, block.Table.Exact(), stored)
	}
}

// lines returns what a tenant's own user finds.
func lines(t *testing.T, s *store.Store, tenant seamark.TenantID) (list []string, err error) {
	t.Helper()
	rows, err := s.RunQuery(t.Context(), tenant, "SELECT body FROM logs", nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var body string
		require.NoError(t, rows.Scan(&body))
		list = append(list, body)
	}
	return list, rows.Err()
}

// databases lists the tenants' databases of these tests on a server.
func databases(t *testing.T, ch *engine.ClickHouse) (list []string) {
	t.Helper()
	conn := shardConn(t, ch)
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT arraySort(groupArray(name)) FROM system.databases WHERE name IN ('t0161', 't0162', 't0163')").Scan(&list))
	return list
}

func shardConn(t *testing.T, ch *engine.ClickHouse) driver.Conn {
	t.Helper()
	tcp, _ := ch.Addrs()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{tcp}, DialContext: engine.DialClickHouse, Auth: clickhouse.Auth{Username: ch.AdminUser(), Password: ch.AdminPassword()},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestShards has two tenants on two servers: each is whole on its own, what is asked about all comes from both, and one server's end is
// the end of its own tenants' queries alone.
func TestShards(t *testing.T) {
	s, second := openShards(t)
	insertLine(t, s, tenantA, 0)
	insertLine(t, s, tenantB, 1)
	require.Equal(t, []string{"t0161"}, databases(t, testkit.ClickHouse(t)))
	require.Equal(t, []string{"t0162"}, databases(t, second))
	for _, tenant := range []seamark.TenantID{tenantA, tenantB} {
		got, err := lines(t, s, tenant)
		require.NoError(t, err)
		require.Equal(t, []string{"a line of " + string(tenant)}, got)
	}
	require.Empty(t, s.Ping(t.Context()))

	days, err := s.ListTableDays(t.Context())
	require.NoError(t, err)
	require.NotZero(t, days[firstNumber][store.TableLogs])
	require.NotZero(t, days[secondNumber][store.TableLogs])
	require.Equal(t, map[seamark.TenantNumber]uint64{firstNumber: 1, secondNumber: 1}, storedLines(t, s))
	require.Equal(t, []uint64{2}, meteredRows(t, s, "", nil), "one sum of both shards")
	require.Equal(t, []uint64{1, 1}, meteredRows(t, s, "", []store.UsageColumn{store.UsageTenant}))
	require.Equal(t, []uint64{1}, meteredRows(t, s, tenantB, nil))
	require.NoError(t, s.CloseUsage(t.Context(), int32(time.Now().Unix()/86400), int32(time.Now().Unix()/86400)+1))

	_, err = lines(t, s, tenantC)
	require.Equal(t, seamark.Unavailable, seamark.KindOf(err), "a shard that nobody named: %v", err)
	require.ErrorContains(t, err, "names ClickHouse shard 3; this process has 2")
	err = s.Insert(t.Context(), tenantC, &store.Block{Table: store.TableLogs})
	require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
	require.Equal(t, []string{"t0161"}, databases(t, testkit.ClickHouse(t)), "nothing is made elsewhere")

	require.NoError(t, second.Stop(t.Context()))
	got, err := lines(t, s, tenantA)
	require.NoError(t, err)
	require.Len(t, got, 1, "the first shard's tenants read on")
	_, err = lines(t, s, tenantB)
	require.Equal(t, seamark.Unavailable, seamark.KindOf(err), "%v", err)
	away := s.Ping(t.Context())
	require.Len(t, away, 1)
	require.Error(t, away[1])
	days, err = s.ListTableDays(t.Context())
	require.ErrorContains(t, err, "ClickHouse shard 2")
	require.NotZero(t, days[firstNumber][store.TableLogs], "what the others have is told")
	_, err = s.DropTenant(t.Context(), firstNumber)
	require.ErrorContains(t, err, "ClickHouse shard 2", "what is certified was looked for everywhere")
}

// TestShardsForgetTenants drops a tenant that is on the second shard.
func TestShardsForgetTenants(t *testing.T) {
	s, second := openShards(t)
	insertLine(t, s, tenantB, 1)
	purged, err := s.DropTenant(t.Context(), secondNumber)
	require.NoError(t, err)
	require.NotEmpty(t, purged)
	purged, err = s.EraseUsage(t.Context(), tenantB)
	require.NoError(t, err)
	require.NotEmpty(t, purged)
	require.Empty(t, databases(t, second))
	left, err := s.TenantRemains(t.Context(), secondNumber)
	require.NoError(t, err)
	require.Empty(t, left)
	rows, err := s.UsageRemains(t.Context(), tenantB)
	require.NoError(t, err)
	require.Zero(t, rows)
}

func storedLines(t *testing.T, s *store.Store) map[seamark.TenantNumber]uint64 {
	t.Helper()
	all, err := s.ListStored(t.Context(), "", false)
	require.NoError(t, err)
	found := map[seamark.TenantNumber]uint64{}
	for _, r := range all {
		if r.Table == store.TableLogs && (r.Number == firstNumber || r.Number == secondNumber) {
			found[r.Number] = r.Rows
		}
	}
	return found
}

func meteredRows(t *testing.T, s *store.Store, tenant seamark.TenantID, by []store.UsageColumn) (rows []uint64) {
	t.Helper()
	now := time.Now()
	list, err := s.ListUsage(t.Context(), store.UsageQuery{Tenant: tenant, Range: seamark.TimeRange{Start: now.Add(-2 * time.Hour), End: now.Add(2 * time.Hour)}, By: by, Limit: 10})
	require.NoError(t, err)
	for _, r := range list {
		rows = append(rows, r.Rows)
	}
	return rows
}

// TestShardsKeepTheirOrder refuses servers that are named in another order than before, and one that was all there was as the second.
func TestShardsKeepTheirOrder(t *testing.T) {
	first, second := testkit.OwnClickHouse(t), testkit.OwnClickHouse(t)
	named := func(engines ...*engine.ClickHouse) *store.Store {
		t.Helper()
		var shards []store.Shard
		for _, ch := range engines {
			tcp, http := ch.Addrs()
			shards = append(shards, store.Shard{
				NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
				TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
			})
		}
		s, err := store.Open(store.Options{
			Shards: shards,
			ShardOf: func(id seamark.TenantID) (seamark.StoreShard, error) {
				return map[seamark.TenantID]seamark.StoreShard{tenantB: 1}[id], nil
			},
			Number: func(id seamark.TenantID) (seamark.TenantNumber, error) { return 1, nil },
			Dial:   engine.DialClickHouse, MaxTenantConns: 2, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
	insertLine(t, named(first), tenantA, 0)
	old := shardConn(t, first)
	require.NoError(t, old.Exec(t.Context(), "DROP TABLE platform.shard_1 SYNC"), "as a build before shards has left it")
	_, err := lines(t, named(second, first), tenantB)
	require.ErrorContains(t, err, "is ClickHouse shard 1 and is named as shard 2")
	require.Equal(t, seamark.Unavailable, seamark.KindOf(err))

	both := named(first, second)
	insertLine(t, both, tenantA, 0)
	insertLine(t, both, tenantB, 1)
	for tenant, want := range map[seamark.TenantID]string{tenantA: "is ClickHouse shard 2 and is named as shard 1", tenantB: "is ClickHouse shard 1 and is named as shard 2"} {
		_, err := lines(t, named(second, first), tenant)
		require.ErrorContains(t, err, want)
	}
	got, err := lines(t, named(first, second), tenantB)
	require.NoError(t, err)
	require.Len(t, got, 1, "what was there is there")
}
