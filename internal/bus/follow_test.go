package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestFollowOneTenant follows a tenant from the middle of a shard that another writes to, too, and on while both go on.
func TestFollowOneTenant(t *testing.T) {
	b, js := open(t, nil)
	const foreign = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAX")
	publish := func(id seamark.TenantID, name string) {
		t.Helper()
		m := message(name, 10)
		m.Tenant = id
		require.NoError(t, b.Publish(t.Context(), m))
	}
	for i := range 10 {
		publish(tenant, fmt.Sprint("mine ", i))
		publish(foreign, fmt.Sprint("foreign ", i))
	}
	f := bus.NewFollower(js, seamark.Logs, 1, nil)
	shards, err := f.Shards(tenant)
	require.NoError(t, err)
	require.Equal(t, []bus.Shard{{Signal: seamark.Logs, Number: 0}}, shards)
	state, err := f.State(t.Context(), shards[0])
	require.NoError(t, err)
	require.Equal(t, uint64(20), state.Last)

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := errors.New("enough")
	var got []string
	err = f.Follow(ctx, shards[0], tenant, 11, func(m bus.Received) error {
		got = append(got, fmt.Sprint(m.Sequence, " ", string(m.Data[10:])))
		if len(got) == 5 {
			publish(foreign, "foreign, live")
			publish(tenant, "mine, live")
		}
		if len(got) == 6 {
			return enough
		}
		return nil
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, []string{"11 mine 5", "13 mine 6", "15 mine 7", "17 mine 8", "19 mine 9", "22 mine, live"}, got)
}

// TestTrailAndArrivals reads a tenant's messages with few in hand, and without their data.
func TestTrailAndArrivals(t *testing.T) {
	b, js := open(t, nil)
	for i := range 40 {
		require.NoError(t, b.Publish(t.Context(), message(fmt.Sprint("m", i), 10)))
	}
	f := bus.NewFollower(js, seamark.Logs, 1, nil)
	shard := bus.Shard{Signal: seamark.Logs}
	require.NoError(t, f.Settle(t.Context(), shard))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	enough := errors.New("enough")
	var trail, arrivals []uint64
	require.ErrorIs(t, f.Trail(ctx, shard, tenant, 5, func(m bus.Received) error {
		require.Equal(t, fmt.Sprint("m", m.Sequence-1), string(m.Data[10:]))
		if trail = append(trail, m.Sequence); m.Sequence == 40 {
			return enough
		}
		return nil
	}), enough)
	require.ErrorIs(t, f.Arrivals(ctx, shard, tenant, 5, func(a bus.Arrival) error {
		require.WithinDuration(t, time.Now(), a.Time, time.Minute)
		require.Equal(t, 40-a.Sequence, a.Left)
		if arrivals = append(arrivals, a.Sequence); a.Sequence == 40 {
			return enough
		}
		return nil
	}), enough)
	require.Len(t, trail, 36)
	other := message("other", 10)
	other.Tenant = "01ARZ3NDEKTSV4RRFFQ69G5FAX"
	require.NoError(t, b.Publish(t.Context(), other))
	require.NoError(t, b.Publish(t.Context(), message("last", 10)))
	for from, want := range map[uint64]uint64{0: 1, 40: 40, 41: 42, 43: 0} {
		next, ok, err := f.Next(t.Context(), shard, tenant, from)
		require.NoError(t, err)
		require.Equal(t, want, next, "from %d", from)
		require.Equal(t, want > 0, ok)
	}
	require.Equal(t, trail, arrivals)
}

func TestFollowEnds(t *testing.T) {
	_, js := open(t, nil)
	f := bus.NewFollower(js, seamark.Logs, 1, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, f.Follow(ctx, bus.Shard{Signal: seamark.Logs}, tenant, 1, func(bus.Received) error { return nil }), context.Canceled)
	for _, wild := range []seamark.TenantID{"", "*", ">"} {
		require.Error(t, f.Follow(t.Context(), bus.Shard{Signal: seamark.Logs}, wild, 1, func(bus.Received) error { return nil }), "%q would follow everybody", wild)
	}
	missing := bus.NewFollower(js, seamark.Logs, 7, nil)
	require.Error(t, missing.Follow(t.Context(), bus.Shard{Signal: seamark.Logs, Number: 6}, tenant, 1, func(bus.Received) error { return nil }))
}
