package ingest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TestMeterGoesWithItsRows wants the meter of a stream's batches on the shard of the store that has its tenants: nothing of a batch waits
// for another.
func TestMeterGoesWithItsRows(t *testing.T) {
	b := batchOf(2, false)
	b.usage.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV", &seamark.Usage{UsageKey: seamark.UsageKey{Kind: seamark.UsageIngest}, UsageCounts: seamark.UsageCounts{Requests: 1}})
	meters := 0
	for _, p := range b.plan(&Intent{}, 1) {
		if p.block.Table == store.TableUsage {
			meters++
			require.Equal(t, seamark.StoreShard(1), p.block.Shard)
		}
	}
	require.Equal(t, 1, meters)
}

// storesOf is a stream whose shards are those of two shards of the store.
type storesOf struct{ Stream }

func (storesOf) Shards() []bus.Shard {
	return []bus.Shard{{Signal: seamark.Logs}, {Signal: seamark.Metrics}, {Signal: seamark.Logs, Store: 1}}
}

// TestEachStoreHasItsBudget wants a shard of the store that takes long to cost the others nothing of theirs.
func TestEachStoreHasItsBudget(t *testing.T) {
	o := DefaultWriterOptions()
	o.Bus, o.Store, o.Checkpoints, o.Leases, o.Owner = storesOf{}, SettleShared(nil), new(CheckpointDocs), new(bus.LeaseDocs), "me"
	o.Logger, o.Registerer, o.Now = slog.New(slog.DiscardHandler), prometheus.NewRegistry(), time.Now
	w, err := NewWriter(o)
	require.NoError(t, err)
	now := time.Now()
	w.paces[1].rest(10*time.Second, true, now)
	require.Positive(t, w.paces[1].wait(now))
	require.LessOrEqual(t, w.paces[0].wait(now), time.Duration(0))
	require.Len(t, w.paces, 2)
}
