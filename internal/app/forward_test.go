package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// purged is a stream of a given state that notes what is removed from it. It implements the part of ingest.Stream that heldStream uses.
type purged struct {
	ingest.Stream
	state bus.State
	keep  uint64
}

func (p *purged) State(context.Context, bus.Shard) (bus.State, error) { return p.state, nil }

func (p *purged) Purge(_ context.Context, _ bus.Shard, keep uint64) error {
	p.keep = keep
	return nil
}

// TestWriterKeepsWhatForwardersRead leaves what a forwarder has yet to read in the stream, as long as that is not much.
func TestWriterKeepsWhatForwardersRead(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal seamark.Signal
		first  uint64 // that a forwarder has yet to read
		err    error
		bytes  uint64
		want   uint64 // 0: nothing is removed
	}{
		{"no forwarder", seamark.Logs, 0, nil, 10, 50},
		{"it has read all", seamark.Logs, 80, nil, 10, 50},
		{"it is behind", seamark.Logs, 30, nil, 10, 30},
		{"it is behind all", seamark.Logs, 20, nil, 10, 0},
		{"it was behind before", seamark.Logs, 5, nil, 10, 0},
		{"events, too", seamark.Events, 30, nil, 10, 30},
		{"the stream is large", seamark.Logs, 30, nil, 101, 50},
		{"nobody knows", seamark.Logs, 30, errors.New("away"), 10, 50},
		{"no forwarder reads metrics", seamark.Metrics, 30, nil, 10, 50},
	} {
		stream := &purged{state: bus.State{First: 20, Last: 100, Bytes: c.bytes}}
		held := heldStream{stream, func(context.Context, bus.Shard) (uint64, error) { return c.first, c.err }, 100, slog.New(slog.DiscardHandler)}
		if err := held.Purge(t.Context(), bus.Shard{Signal: c.signal}, 50); err != nil || stream.keep != c.want {
			t.Errorf("%s: %v, removed before %d, want %d", c.name, err, stream.keep, c.want)
		}
	}
}
