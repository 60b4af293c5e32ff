package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
)

// TestTailAged moves a checkpoint on by one message a second and looks at what has been stored for a minute.
func TestTailAged(t *testing.T) {
	start, tail := time.Unix(1000, 0), tail{}
	for second := range uint64(600) {
		last := tail.aged(start.Add(time.Duration(second)*time.Second), 100+second, time.Minute)
		if second < 60 {
			require.Zero(t, last)
			continue
		}
		// The checkpoint of a minute ago, or of up to a twentieth of a minute before it.
		require.LessOrEqual(t, last, 100+second-60)
		require.GreaterOrEqual(t, last, 100+second-60-3)
		require.LessOrEqual(t, len(tail.marks), marksPerTail+2)
	}
}

func TestExcess(t *testing.T) {
	state := func(first, last, bytes uint64) *bus.State { return &bus.State{First: first, Last: last, Bytes: bytes} }
	for _, c := range []struct {
		name     string
		state    *bus.State
		sequence uint64
		want     uint64
	}{
		{"an empty stream", state(11, 10, 0), 10, 0},
		{"nothing stored yet", state(1, 100, 5000), 0, 0},
		{"behind what was purged", state(50, 100, 5000), 40, 0},
		{"as much as may stay", state(1, 100, 1000), 100, 0},
		{"twice as much", state(1, 100, 2000), 100, 50},
		{"what is not stored does not count", state(1, 100, 2000), 50, 0},
		{"a few large ones", state(1, 4, 4000), 4, 3},
		{"one too large", state(7, 7, 4000), 7, 7},
	} {
		require.Equal(t, c.want, excess(c.state, c.sequence, 1000), c.name)
	}
}
