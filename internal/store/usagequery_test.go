package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const tenantB = seamark.TenantID("01BX5ZZKBKACTAV9WEVGEMMVRZ")

// insertUsage stores lines as the writer does.
func insertUsage(t testing.TB, s *store.Store, batch uint64, lines map[seamark.TenantID][]seamark.Usage) {
	t.Helper()
	var tally store.UsageTally
	for tenant, list := range lines {
		for i := range list {
			tally.Add(tenant, &list[i])
		}
	}
	for _, block := range blocks(tally.Segments(), batch) {
		require.NoError(t, s.Insert(t.Context(), tenantA, block))
		stored, err := s.Verify(t.Context(), tenantA, block)
		require.NoError(t, err)
		require.True(t, stored)
	}
}

func line(at time.Time, kind seamark.UsageKind, change func(u *seamark.Usage)) seamark.Usage {
	u := seamark.Usage{UsageKey: seamark.UsageKey{Hour: seamark.HourOf(at), Kind: kind}, UsageCounts: seamark.UsageCounts{Requests: 1}}
	change(&u)
	return u
}

func TestListUsageGroups(t *testing.T) {
	s := open(t, 101)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	yesterday := today.AddDate(0, 0, -1)
	all := seamark.TimeRange{Start: yesterday, End: today.AddDate(0, 0, 1)}
	got, err := s.ListUsage(t.Context(), store.UsageQuery{Tenant: tenantA, Range: all, Limit: 10})
	require.NoError(t, err, "an empty meter")
	require.Empty(t, got)

	push := func(at time.Time, cluster string, signal seamark.Signal, n uint64) seamark.Usage {
		return line(at, seamark.UsageIngest, func(u *seamark.Usage) {
			u.Cluster, u.Signal, u.Source, u.Rows, u.Bytes, u.WireBytes = cluster, signal, "loki", n, 10*n, 3*n
		})
	}
	held := func(at time.Time, kind seamark.UsageKind, signal seamark.Signal, rows, bytes uint64) seamark.Usage {
		return line(at, kind, func(u *seamark.Usage) { u.Signal, u.Rows, u.Bytes = signal, rows, bytes })
	}
	insertUsage(t, s, 1, map[seamark.TenantID][]seamark.Usage{
		tenantA: {
			push(yesterday, "prod", seamark.Logs, 5), push(today, "prod", seamark.Logs, 7), push(today.Add(time.Hour), "dev", seamark.Metrics, 11),
			line(today, seamark.UsageQuery, func(u *seamark.Usage) {
				u.Source, u.Actor, u.Requests, u.Rows, u.Bytes, u.Micros = "logql", "anna", 3, 100, 1000, 2_000_000
			}),
			line(today, seamark.UsageSetAside, func(u *seamark.Usage) { u.Signal, u.Rows = seamark.Logs, 2 }),
			held(yesterday, seamark.UsageStored, seamark.Logs, 10, 100), held(today, seamark.UsageStored, seamark.Logs, 20, 200),
			held(today.Add(time.Hour), seamark.UsageStored, seamark.Logs, 40, 600), held(today, seamark.UsageActive, seamark.Metrics, 9, 0),
			held(today, seamark.UsageActive, seamark.Logs, 4, 0),
		},
		tenantB: {push(today, "secret", seamark.Logs, 1000)},
	})
	got, err = s.ListUsage(t.Context(), store.UsageQuery{Tenant: tenantA, Range: all, By: []store.UsageColumn{store.UsageDay}, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []store.UsageRow{
		{Time: yesterday, Requests: 1, Rows: 5, Bytes: 50, Wire: 15, StoredRows: 10, StoredBytes: 100},
		{
			Time: today, Requests: 2, Rows: 18, Bytes: 180, Wire: 54, SetAside: 2, Queries: 3, ReadRows: 100, ReadBytes: 1000, CPU: 2 * time.Second,
			StoredRows: 30, StoredBytes: 400, ActiveSeries: 9, ActiveStreams: 4,
		},
	}, utc(got))
	got, err = s.ListUsage(t.Context(), store.UsageQuery{Tenant: tenantA, Range: all, Limit: 10})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, uint64(23), got[0].Rows)
	require.InDelta(t, 250, got[0].StoredBytes, 0.001, "the mean of the days' means")

	by := []store.UsageColumn{store.UsageTenant, store.UsageHour, store.UsageCluster, store.UsageSignal, store.UsageSource, store.UsageActor}
	got, err = s.ListUsage(t.Context(), store.UsageQuery{Range: seamark.TimeRange{Start: today, End: today.Add(time.Hour)}, By: by, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, store.UsageRow{Time: today, Tenant: string(tenantA), Source: "logql", Actor: "anna", Queries: 3, ReadRows: 100, ReadBytes: 1000, CPU: 2 * time.Second}, utc(got)[0])
	require.Equal(t, store.UsageRow{Time: today, Tenant: string(tenantB), Cluster: "secret", Signal: "logs", Source: "loki", Requests: 1, Rows: 1000, Bytes: 10000, Wire: 3000}, utc(got)[len(got)-1])
}

func utc(list []store.UsageRow) []store.UsageRow {
	for i := range list {
		list[i].Time = list[i].Time.UTC()
	}
	return list
}

// TestListUsageReadsClosedDays closes days, also twice, and finds them where lines are not read any more.
func TestListUsageReadsClosedDays(t *testing.T) {
	s := open(t, 102)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	old := today.AddDate(0, 0, -int(store.UsageLineDays())-2) // its lines are still there, and are not read
	count := func(at time.Time, n uint64) seamark.Usage {
		return line(at, seamark.UsageIngest, func(u *seamark.Usage) { u.Signal, u.Rows, u.Day = seamark.Logs, n, int32(at.Unix()/86400) })
	}
	insertUsage(t, s, 1, map[seamark.TenantID][]seamark.Usage{tenantA: {count(old, 1), count(old.Add(5*time.Hour), 2), count(today, 4)}})
	query := store.UsageQuery{Tenant: tenantA, Range: seamark.TimeRange{Start: old.AddDate(0, 0, -1), End: today.AddDate(0, 0, 1)}, By: []store.UsageColumn{store.UsageDay}, Limit: 10}
	got, err := s.ListUsage(t.Context(), query)
	require.NoError(t, err)
	require.Len(t, got, 1, "the old day is not closed")
	oldDay := int32(old.Unix() / 86400)
	for range 2 {
		require.NoError(t, s.CloseUsage(t.Context(), oldDay, oldDay+1))
	}
	got, err = s.ListUsage(t.Context(), query)
	require.NoError(t, err)
	require.Equal(t, []store.UsageRow{{Time: old, Requests: 2, Rows: 3}, {Time: today, Requests: 1, Rows: 4}}, utc(got))

	rows, err := s.ListMeteredRows(t.Context(), tenantA, oldDay, oldDay+1)
	require.NoError(t, err)
	require.Equal(t, []store.MeteredRows{{Tenant: tenantA, Signal: seamark.Logs, Day: oldDay, Rows: 3}}, rows)

	left, err := s.UsageRemains(t.Context(), tenantA)
	require.NoError(t, err)
	require.GreaterOrEqual(t, left, uint64(3+1), "three lines, and a closed day, which stands twice until it is merged")
	erased, err := s.EraseUsage(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, erased, 2)
	left, err = s.UsageRemains(t.Context(), tenantA)
	require.NoError(t, err)
	require.Zero(t, left)
	got, err = s.ListUsage(t.Context(), query)
	require.NoError(t, err)
	require.Empty(t, got)
}

// TestListUsageTakesAnyText meters hostile names and gets them back.
func TestListUsageTakesAnyText(t *testing.T) {
	s := open(t, 103)
	now := time.Now()
	var lines []seamark.Usage
	for _, text := range hostile {
		lines = append(lines, line(now, seamark.UsageIngest, func(u *seamark.Usage) { u.Cluster, u.Source, u.Actor, u.Signal = text, text, text, seamark.Logs }))
	}
	insertUsage(t, s, 1, map[seamark.TenantID][]seamark.Usage{tenantA: lines})
	got, err := s.ListUsage(t.Context(), store.UsageQuery{
		Tenant: tenantA, Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now.Add(time.Hour)},
		By: []store.UsageColumn{store.UsageCluster, store.UsageSource, store.UsageActor}, Limit: 100,
	})
	require.NoError(t, err)
	seen := map[string]bool{}
	for i := range got {
		require.Equal(t, got[i].Cluster, got[i].Actor)
		seen[got[i].Cluster] = true
	}
	for _, text := range hostile {
		require.True(t, seen[text], fmt.Sprintf("%q", text))
	}
}

// TestListStoredCountsRows compares what parts say with what was inserted.
func TestListStoredCountsRows(t *testing.T) {
	s := open(t, 104)
	insertBatch(t, s, 1, randomBatch(rand.New(rand.NewPCG(1, 1)), 200))
	got, err := s.ListStored(t.Context(), tenantA, true)
	require.NoError(t, err)
	rows := map[store.Table]uint64{}
	for i := range got {
		require.Equal(t, seamark.TenantNumber(104), got[i].Number)
		rows[got[i].Table] += got[i].Rows
		if got[i].Table == store.TableLogs {
			require.Contains(t, []int32{int32(base.Unix() / 86400), int32(base.Unix()/86400) + 1}, got[i].Day)
		}
	}
	require.Equal(t, uint64(200), rows[store.TableLogs])
	require.Equal(t, uint64(200), rows[store.TableSamples])
	all, err := s.ListStored(t.Context(), "", false)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	_, err = s.ListStored(t.Context(), tenantB, false)
	require.Equal(t, seamark.NotFound, seamark.KindOf(err))
}
