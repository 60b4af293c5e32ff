package app

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// fixedStreams are streams that stand where a test puts them; clusters and signals have one each.
type fixedStreams struct {
	created time.Time
	last    map[seamark.Signal]uint64
}

func (f *fixedStreams) Shards() (list []bus.Shard) {
	for _, s := range seamark.Signals() {
		list = append(list, bus.Shard{Signal: s})
	}
	return list
}

func (f *fixedStreams) State(_ context.Context, shard bus.Shard) (bus.State, error) {
	return bus.State{Created: f.created, First: 1, Last: f.last[shard.Signal]}, nil
}

func (f *fixedStreams) ShardOf(tenant seamark.TenantID, _ seamark.ClusterID, signal seamark.Signal) (bus.Shard, error) {
	if tenant != "quiet" {
		return bus.Shard{Signal: signal}, nil
	}
	return bus.Shard{Signal: signal, Number: 1}, nil
}

// TestBacklog lets streams run ahead of what is stored, and catches up.
func TestBacklog(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	docs, err := bus.OpenDocs[ingest.Checkpoint](t.Context(), testkit.JetStream(t), "checkpoints", 1)
	require.NoError(t, err)
	streams := &fixedStreams{created: clock.Now(), last: map[seamark.Signal]uint64{}}
	b := &backlog{
		stream: streams, checkpoints: docs, now: clock.Now, log: slog.New(slog.DiscardHandler), shards: map[bus.Shard][]streamEnd{},
		clusters: func(seamark.TenantID) []seamark.ClusterID { return []seamark.ClusterID{"c"} },
	}
	revision := uint64(0)
	stored := func(sequence uint64) {
		revision, err = docs.Save(t.Context(), bus.Shard{Signal: seamark.Metrics}.String(), ingest.Checkpoint{StreamCreated: streams.created, Sequence: sequence}, revision)
		require.NoError(t, err)
	}
	after := func(d time.Duration) time.Duration {
		clock.Advance(d)
		require.NoError(t, b.look(t.Context()))
		return b.behind("busy")
	}
	require.Zero(t, after(0), "nothing came yet")
	streams.last[seamark.Traces] = 9
	require.Zero(t, after(time.Second), "rules read no traces")
	streams.last[seamark.Metrics] = 10
	require.Zero(t, after(time.Second), "it may have come just now")
	streams.last[seamark.Metrics] = 20
	require.Equal(t, 3*time.Second, after(3*time.Second))
	require.Zero(t, b.behind("quiet"), "another tenant's shards")
	stored(10)
	require.Equal(t, 2*time.Second, after(2*time.Second), "what came after the tenth was there after three seconds")
	stored(20)
	require.Zero(t, after(time.Second))

	streams.created, streams.last[seamark.Metrics] = clock.Now(), 5
	require.Zero(t, after(0))
	require.Equal(t, time.Second, after(time.Second), "the checkpoint is of a stream that was made again")

	for n := range uint64(2 * mostEnds) { // of a store that is away for long, the first moment is kept
		streams.last[seamark.Metrics] = 6 + n
		after(time.Second)
	}
	require.Equal(t, time.Second+2*mostEnds*time.Second, b.behind("busy"))
}
