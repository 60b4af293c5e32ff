package forward

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
)

// Holds says which messages forwarders have yet to read, for who removes what is stored from the streams. How much may be kept
// for them is the caller's to say. It is safe for concurrent use.
type Holds struct {
	ledger *ledger
	now    func() time.Time

	mu    sync.Mutex // guards known
	known map[bus.Shard]held
}

type held struct {
	first uint64
	at    time.Time
}

const (
	// heldFor is how long positions are taken from memory: streams are purged every second or so.
	heldFor = 5 * time.Second
	// heldAfter is how long messages are kept for a forwarder that no node runs: one that was left behind by its tenant would
	// keep them for ever.
	heldAfter = time.Hour
)

// OpenHolds opens the positions of all forwarders.
func OpenHolds(ctx context.Context, js jetstream.JetStream, replicas int, now func() time.Time) (*Holds, error) {
	l, err := openLedger(ctx, js, replicas)
	return &Holds{ledger: l, now: now, known: map[bus.Shard]held{}}, err
}

// First returns the first message of shard that a forwarder has not delivered, 0 when there is none.
func (h *Holds) First(ctx context.Context, shard bus.Shard) (uint64, error) {
	now := h.now()
	h.mu.Lock()
	known, ok := h.known[shard]
	h.mu.Unlock()
	if ok && now.Sub(known.at) < heldFor {
		return known.first, nil
	}
	first := uint64(0)
	err := each(ctx, h.ledger.kv, "*.*."+shard.String(), func(entry jetstream.KeyValueEntry) error {
		var p progress
		if err := json.Unmarshal(entry.Value(), &p); err != nil {
			return nil //nolint:nilerr // who runs it tells of it
		}
		if next := p.Sequence + 1; now.Sub(p.Updated) < heldAfter && (first == 0 || next < first) {
			first = next
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known[shard] = held{first, now}
	return first, nil
}
