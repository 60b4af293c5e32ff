package store_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestReadsAreTold runs a query and is told what it read, under the query's own context and for its tenant.
func TestReadsAreTold(t *testing.T) {
	const number, lines = 85, 5000
	type who struct{}
	var mu sync.Mutex
	var told store.Reads
	ch := testkit.ClickHouse(t)
	tcp, http := ch.Addrs()
	s, err := store.Open(store.Options{
		Shards: []store.Shard{{
			NativeAddrs: []string{tcp}, HTTPAddrs: []string{http}, User: ch.AdminUser(), Password: ch.AdminPassword(),
			TenantPassword: func(user string) string { return engine.TenantPassword(ch.TenantSecret(), user) },
		}},
		Platform: number,
		Number:   func(seamark.TenantID) (seamark.TenantNumber, error) { return number, nil },
		Dial:     engine.DialClickHouse, MaxTenantConns: 4, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		Read: func(ctx context.Context, tenant seamark.TenantID, r store.Reads) {
			mu.Lock()
			defer mu.Unlock()
			if tenant != tenantA || ctx.Value(who{}) != "anna" {
				t.Errorf("told of a read of %s by %v", tenant, ctx.Value(who{}))
			}
			told.Rows, told.Bytes, told.CPUMicros = told.Rows+r.Rows, told.Bytes+r.Bytes, told.CPUMicros+r.CPUMicros
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	drops := make([]seamark.Drop, lines)
	now := time.Now()
	for i := range drops {
		drops[i] = dropLine(now.Add(-time.Minute), "seamark-line-bytes", uint64(i))
		drops[i].Sample = ""
	}
	insertBatch(t, s, 1, &seamark.Batch{Drops: drops})
	ctx := context.WithValue(t.Context(), who{}, "anna")
	found, err := s.ListDrops(ctx, tenantA, store.DropsQuery{Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}, Limit: 10})
	require.NoError(t, err)
	require.Len(t, found, 1)
	sofar := func() store.Reads {
		mu.Lock()
		defer mu.Unlock()
		return told
	}
	one := sofar()
	testkit.Eventually(t, time.Minute, func() error { // the system's clock of a thread does not see each short statement
		if sofar().CPUMicros > 0 {
			return nil
		}
		_, err := s.ListDrops(ctx, tenantA, store.DropsQuery{Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}, Limit: 10})
		return errors.Join(errors.New("no processor time was told"), err)
	})
	// Two statements read the lines: the reasons, and their samples.
	require.GreaterOrEqual(t, one.Rows, uint64(lines))
	require.LessOrEqual(t, one.Rows, uint64(2*lines+1000), "threads are not counted beside the statement")
	require.NotZero(t, one.Bytes)
}
