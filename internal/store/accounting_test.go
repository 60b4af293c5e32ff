package store_test

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestReadsAreThoseOfTheQuota runs hundreds of statements of all kinds, many of which fail or are cancelled at any moment, and
// compares what the tenant is told with what ClickHouse has counted for the tenant's quota.
func TestReadsAreThoseOfTheQuota(t *testing.T) {
	const number, rounds, within = 199, 12, 0.01
	r := testkit.Seed(t)
	var mu sync.Mutex
	var told store.Reads
	s := openWith(t, number, func(o *store.Options) {
		o.Read = func(_ context.Context, _ seamark.TenantID, r store.Reads) {
			mu.Lock()
			defer mu.Unlock()
			told.Rows, told.Bytes = told.Rows+r.Rows, told.Bytes+r.Bytes
		}
	})
	settling, end := context.WithCancel(t.Context())
	defer end()
	go func() { _ = s.SettleReads(settling) }()
	b := randomBatch(r, 20_000)
	encoded, err := store.NewEncoder().Encode(b, base)
	require.NoError(t, err)
	for _, block := range blocks(encoded.Segments, 77) {
		require.NoError(t, s.Insert(t.Context(), tenantA, block))
	}
	run := func(ctx context.Context, sql string) {
		rows, err := s.RunQuery(ctx, tenantA, sql, nil)
		if err != nil {
			return
		}
		for rows.Next() {
		}
		_ = rows.Close()
	}
	var statements sync.WaitGroup
	for range rounds {
		for _, sql := range []string{
			"SELECT count() FROM logs", "SELECT sum(length(body)) FROM logs", "SELECT body FROM logs ORDER BY ts LIMIT 10", "SELECT * FROM logs",
			"SELECT count() FROM logs WHERE body LIKE '%x1%' AND level = 'error'", "SELECT metric, max(v) FROM samples GROUP BY metric",
			"SELECT count() FROM logs WHERE fp IN (SELECT fp FROM series WHERE kind = 'log')", "SELECT count() FROM series FINAL", "SELECT reason, count() FROM events FINAL GROUP BY reason",
			"SELECT 1", "SELECT nothing FROM logs", "SELECT throwIf(number = 900000) FROM numbers(1000000)", "SELECT sum(number) FROM numbers(2000000)",
			"SELECT sum(number) FROM numbers(100000000) SETTINGS max_bytes_to_read = 10000000", "SELECT count() FROM logs SETTINGS max_rows_to_read = 10",
		} {
			run(t.Context(), sql)
		}
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(150))*time.Millisecond)
			statements.Go(func() {
				defer cancel()
				run(ctx, "SELECT sum(sipHash64(number)) FROM numbers(3000000000)")
			})
		}
		statements.Wait()
	}
	conn := adminConn(t)
	testkit.Eventually(t, time.Minute, func() error {
		var count, bytes uint64
		if err := conn.QueryRow(t.Context(), "SELECT assumeNotNull(sum(read_rows)), assumeNotNull(sum(read_bytes)) FROM system.quotas_usage WHERE startsWith(quota_key, ?) AND duration = 86400",
			fmt.Sprintf("t%04d/", number)).Scan(&count, &bytes); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if off(told.Rows, count) > within || off(told.Bytes, bytes) > within {
			return fmt.Errorf("told of %d rows and %d bytes, ClickHouse has counted %d and %d", told.Rows, told.Bytes, count, bytes)
		}
		t.Logf("told of %d rows and %d bytes, ClickHouse has counted %d and %d: off by %.3f %% and %.3f %%",
			told.Rows, told.Bytes, count, bytes, 100*off(told.Rows, count), 100*off(told.Bytes, bytes))
		return nil
	})
}

// off is by which part got is away from want.
func off(got, want uint64) float64 {
	return math.Abs(float64(got)-float64(want)) / max(float64(want), 1)
}
