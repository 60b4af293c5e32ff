package forward

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// progress is how far a forwarder is in one shard, and what it has met on the way. It is one document, so that position and
// counters are always of the same moment.
type progress struct {
	Version int `json:"v"`
	// Stream tells the stream that Sequence is of: one that was made again counts from 1.
	Stream   time.Time `json:"stream"`
	Sequence uint64    `json:"sequence"` // all up to this message is done with
	At       time.Time `json:"at"`       // when the stream took the newest message that is done with, or when it was seen empty
	// Intent is the batch under way. Whoever goes on after a crash cuts the same batch, so that a repeat has the same id.
	Intent *intent `json:"intent,omitempty"`

	Delivered uint64 `json:"delivered"` // rows the target has
	Filtered  uint64 `json:"filtered"`  // rows the filter left out
	Failed    uint64 `json:"failed"`    // rows that were given up
	Batches   uint64 `json:"batches"`
	Lost      uint64 `json:"lost"` // messages that left the stream before they were read
	// Missed is those of them that nobody has read past yet; they are not in Lost.
	Missed uint64   `json:"missed"`
	Gaps   []gap    `json:"gaps,omitempty"`
	Buried []burial `json:"buried,omitempty"`

	Error    string    `json:"error,omitempty"` // of the last attempt; "" after a good one
	ErrorAt  time.Time `json:"error_at,omitzero"`
	Attempts int       `json:"attempts,omitempty"` // that the batch under way has failed

	Lag     uint64    `json:"lag"`               // messages that wait
	Oldest  time.Time `json:"oldest,omitzero"`   // when the stream took the oldest of them
	Node    string    `json:"node,omitempty"`    // who runs it
	Updated time.Time `json:"updated,omitzero"`  // of the document
	Blocked string    `json:"blocked,omitempty"` // why nothing is read: the labels of streams are not known
}

type intent struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// gap is messages that left the stream before they were read.
type gap struct {
	From  time.Time `json:"from"`  // when the stream took the last message before them that was read, or later
	Until time.Time `json:"until"` // when it took the first one after them, or earlier
	// Messages counts them; with Uncounted it is what is known to have been there, and there may have been more or, where it is
	// 0, none.
	Messages  uint64 `json:"messages"`
	Uncounted bool   `json:"uncounted,omitempty"`
}

// burial is a batch, or rows, that were given up.
type burial struct {
	At     time.Time `json:"at"`
	Batch  string    `json:"batch"`
	Rows   int       `json:"rows"`
	Reason string    `json:"reason"`
	From   time.Time `json:"from,omitzero"` // of the rows' own times
	Until  time.Time `json:"until,omitzero"`
}

// maxNotes bounds the gaps and burials that are kept, the newest; counters keep all.
const maxNotes = 10

func (p *progress) addGap(g gap) {
	p.Lost += g.Messages
	if p.Gaps = append(p.Gaps, g); len(p.Gaps) > maxNotes {
		p.Gaps = slices.Clone(p.Gaps[1:])
	}
}

func (p *progress) bury(b burial) {
	p.Failed += uint64(b.Rows)
	if p.Buried = append(p.Buried, b); len(p.Buried) > maxNotes {
		p.Buried = slices.Clone(p.Buried[1:])
	}
}

// ledger keeps the progress documents.
type ledger struct{ kv jetstream.KeyValue }

func openLedger(ctx context.Context, js jetstream.JetStream, replicas int) (*ledger, error) {
	kv, err := openBucket(ctx, js, progressBucket, "Seamark: how far forwarders are", replicas)
	return &ledger{kv}, err
}

func progressKey(tenant seamark.TenantID, id string, shard bus.Shard) string {
	return fmt.Sprintf("%s.%s.%s", tenant, id, shard)
}

// errFenced says that somebody else has gone on with a forwarder, or that it was removed.
var errFenced = errors.New("another process goes on with the forwarder, or it was removed")

// find returns the progress under key; revision 0 when there is none.
func (l *ledger) find(ctx context.Context, key string) (progress, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	var p progress
	entry, err := l.kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return p, 0, nil
	case err != nil:
		return p, 0, fmt.Errorf("find progress %s: %w", key, err)
	}
	if err := json.Unmarshal(entry.Value(), &p); err != nil || p.Version != docVersion {
		return p, 0, fmt.Errorf("read progress %s of version %d: %w", key, p.Version, err)
	}
	return p, entry.Revision(), nil
}

// save writes progress by compare-and-set and returns its revision.
func (l *ledger) save(ctx context.Context, key string, p *progress, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	p.Version = docVersion
	body, err := json.Marshal(p)
	if err != nil {
		return 0, fmt.Errorf("encode progress: %w", err)
	}
	if revision == 0 {
		revision, err = l.kv.Create(ctx, key, body)
	} else {
		revision, err = l.kv.Update(ctx, key, body, revision)
	}
	switch {
	case isTaken(err):
		return 0, errFenced
	case err != nil:
		return 0, fmt.Errorf("save progress %s: %w", key, err)
	}
	return revision, nil
}

// list returns a forwarder's progress by its shards' keys.
func (l *ledger) list(ctx context.Context, tenant seamark.TenantID, id string) (map[string]progress, error) {
	found := map[string]progress{}
	err := each(ctx, l.kv, fmt.Sprintf("%s.%s.>", tenant, id), func(entry jetstream.KeyValueEntry) error {
		var p progress
		if err := json.Unmarshal(entry.Value(), &p); err != nil {
			return fmt.Errorf("read progress %s: %w", entry.Key(), err)
		}
		found[entry.Key()] = p
		return nil
	})
	return found, err
}

// remove deletes a forwarder's progress.
func (l *ledger) remove(ctx context.Context, tenant seamark.TenantID, id string) error {
	var keys []string
	if err := each(ctx, l.kv, fmt.Sprintf("%s.%s.>", tenant, id), func(entry jetstream.KeyValueEntry) error {
		keys = append(keys, entry.Key())
		return nil
	}); err != nil {
		return err
	}
	for _, key := range keys {
		if err := l.kv.Delete(ctx, key); err != nil {
			return fmt.Errorf("remove progress %s: %w", key, err)
		}
	}
	return nil
}
