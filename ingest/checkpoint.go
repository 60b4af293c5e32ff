package ingest

import (
	"context"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Checkpoint is how far a shard's writer has come, one document per shard, changed by compare-and-set alone: of two
// writers that believe they hold a shard, one loses here before it inserts.
type Checkpoint struct {
	// StreamCreated is the identity of the stream that Sequence belongs to.
	StreamCreated time.Time `json:"stream_created"`
	// Sequence is the last message whose rows are all stored, From the first of its batch. Last is a digest of the message at
	// Sequence: a stream that lost its end and has grown again holds another one there. Both are 0 before the first batch.
	Sequence uint64 `json:"sequence"`
	From     uint64 `json:"from,omitempty"`
	Last     uint64 `json:"last,omitempty"`
	// Waiting is the first message whose counts of patterns are not stored, though its other rows are; those of all that
	// follow up to Sequence are not either. 0 when none wait.
	Waiting uint64 `json:"waiting,omitempty"`
	// Ordinal is the last batch ordinal that was given out.
	Ordinal uint64 `json:"ordinal"`
	// Intent is the batch that may or may not be stored; nil when none is open.
	Intent *Intent `json:"intent,omitempty"`
}

// Intent says what is about to be inserted. It is saved before the first insert, so that a successor can rebuild the same
// blocks from the same messages and verify each.
type Intent struct {
	To      uint64        `json:"to"` // last message of the batch; the first is Checkpoint.Sequence + 1, or of counts alone Checkpoint.Waiting
	Portion portion       `json:"portion,omitempty"`
	BatchID uint64        `json:"batch_id"`
	Digest  uint64        `json:"digest"` // of the messages' bytes: a sequence alone does not name a message, see Checkpoint
	Blocks  []IntentBlock `json:"blocks"`
	// Skip names the segments that the store refuses whatever is tried. They are in the dead-letter stream and in no block.
	Skip []SegmentName `json:"skip,omitempty"`
}

// SegmentName names one segment of a message.
type SegmentName struct {
	Sequence uint64 `json:"sequence"`
	Segment  int    `json:"segment"`
}

// IntentBlock is one insert of an intent.
type IntentBlock struct {
	Tenant seamark.TenantID `json:"tenant"`
	Table  store.Table      `json:"table"`
	Day    int32            `json:"day"`
	Rows   uint64           `json:"rows"`
}

// CheckpointDocs is the bucket that checkpoints are kept in.
type CheckpointDocs = bus.Docs[Checkpoint]

// ordinalUnit is the step of batch ordinals. They follow the clock so that a bucket that was lost restarts above all it
// ever gave out, and rise by one per batch, so that they compress to almost nothing in the rows' _b column.
const ordinalUnit = 250 * time.Millisecond

// nextOrdinal returns the ordinal of the next batch.
func (c *Checkpoint) nextOrdinal(now time.Time) uint64 {
	return max(c.Ordinal+1, uint64(now.UnixMilli()/ordinalUnit.Milliseconds()))
}

// batchID makes an ordinal unique over the shards that write to the same tables. Two bits tell the four signals apart.
func batchID(ordinal uint64, shard bus.Shard) uint64 {
	return ordinal<<8 | uint64(shard.Signal)&3<<6 | uint64(shard.Number)
}

// openCheckpoint loads a shard's checkpoint and brings it in line with the stream as it stands.
//
// Only messages that are on the disk are inserted, see bus.Settle, so a stream that does not hold what the checkpoint says lies
// on a disk that lost what it had promised, or was put back from a copy. Its messages get sequences that the checkpoint has
// passed. They may have been acknowledged, so they are stored, at the price that others of their batch may be stored twice.
func (w *shardWriter) openCheckpoint(ctx context.Context) error {
	doc, rev, err := w.opts.Checkpoints.Find(ctx, w.shard.String())
	if err != nil {
		return err
	}
	state, err := w.opts.Bus.State(ctx, w.shard)
	if err != nil {
		return err
	}
	replaced, err := w.replaced(ctx, &doc, &state)
	if err != nil {
		return err
	}
	switch {
	case !doc.StreamCreated.Equal(state.Created):
		if rev != 0 {
			w.lost("it was made again: what had not been stored is lost",
				"was", doc.StreamCreated, "is", state.Created, "checkpoint", doc.Sequence)
		}
		doc = Checkpoint{StreamCreated: state.Created, Ordinal: doc.Ordinal}
	case doc.Sequence > state.Last:
		// The stream lost its tail, which holds only what is stored already: new messages get sequences that the
		// checkpoint has passed, so continue from where the stream is.
		w.lost("it ends before the checkpoint: what is missing is stored",
			"last", state.Last, "checkpoint", doc.Sequence)
		doc.pass(state.Last)
	case replaced:
		w.lost("it holds another message at the checkpoint: that message's batch is stored again",
			"checkpoint", doc.Sequence, "from", doc.From)
		doc.pass(max(doc.From, state.First) - 1)
	case state.First > doc.Sequence+1:
		w.lost("it starts after the checkpoint: messages were removed before they were stored",
			"first", state.First, "checkpoint", doc.Sequence)
		doc.pass(state.First - 1)
	case doc.Intent != nil && doc.Intent.To > state.Last:
		w.lost("it ends before the open intent: the rest of the batch is stored again",
			"last", state.Last, "intent", doc.Intent.To)
		doc.Intent = nil
	}
	if doc.Waiting > 0 && doc.Waiting < state.First {
		w.lost("it starts after the first message whose counts of patterns wait: those that were removed are lost",
			"first", state.First, "waiting", doc.Waiting)
		doc.skipCounts(state.First)
	}
	w.state, w.revision = doc, rev
	return nil
}

// replaced reports whether the stream holds another message at the checkpoint than the one that was stored.
func (w *shardWriter) replaced(ctx context.Context, doc *Checkpoint, state *bus.State) (bool, error) {
	if doc.From == 0 || doc.Sequence < state.First || doc.Sequence > state.Last || !doc.StreamCreated.Equal(state.Created) {
		return false, nil
	}
	data, ok, err := w.opts.Bus.Message(ctx, w.shard, doc.Sequence)
	return ok && xxhash.Sum64(data) != doc.Last, err
}

// pass moves the checkpoint to a message that is not known.
func (c *Checkpoint) pass(sequence uint64) {
	c.Sequence, c.From, c.Last, c.Intent = sequence, 0, 0, nil
	if c.Waiting > sequence {
		c.Waiting = 0
	}
}

// skipCounts has the counts that wait begin with another message. The blocks of an open intent of theirs are others then.
func (c *Checkpoint) skipCounts(first uint64) {
	if c.Waiting = first; first > c.Sequence {
		c.Waiting = 0
	}
	if c.Intent != nil && c.Intent.Portion == countsAlone {
		c.Intent = nil
	}
}

// lost tells of a stream that does not hold what its checkpoint promised, and what of it.
func (w *shardWriter) lost(what string, args ...any) {
	w.log.Error("the shard's stream does not hold what its checkpoint promised: its disk lost messages, or somebody removed them",
		append([]any{"what", what}, args...)...)
	w.metrics.lost.Inc()
}

// save writes the checkpoint. A conflict means that another writer has the shard.
func (w *shardWriter) save(ctx context.Context) error {
	rev, err := w.opts.Checkpoints.Save(ctx, w.shard.String(), w.state, w.revision)
	if err != nil {
		return err
	}
	w.revision, w.dirty = rev, false
	return nil
}
