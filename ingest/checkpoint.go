package ingest

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Checkpoint is how far a shard's writer has come, one document per shard, changed by compare-and-set alone: of two
// writers that believe they hold a shard, one loses here before it inserts.
type Checkpoint struct {
	// StreamCreated is the identity of the stream that Sequence belongs to.
	StreamCreated time.Time `json:"stream_created"`
	// Sequence is the last message whose rows are all stored.
	Sequence uint64 `json:"sequence"`
	// Ordinal is the last batch ordinal that was given out.
	Ordinal uint64 `json:"ordinal"`
	// Intent is the batch that may or may not be stored; nil when none is open.
	Intent *Intent `json:"intent,omitempty"`
}

// Intent says what is about to be inserted. It is saved before the first insert, so that a successor can rebuild the same
// blocks from the same messages and verify each.
type Intent struct {
	To      uint64        `json:"to"` // last message of the batch; the first is Checkpoint.Sequence + 1
	BatchID uint64        `json:"batch_id"`
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
func (w *shardWriter) openCheckpoint(ctx context.Context) error {
	doc, rev, err := w.opts.Checkpoints.Find(ctx, w.shard.String())
	if err != nil {
		return err
	}
	state, err := w.opts.Bus.State(ctx, w.shard)
	if err != nil {
		return err
	}
	switch {
	case !doc.StreamCreated.Equal(state.Created):
		if rev != 0 {
			w.log.Error("the shard's stream was made again: what it held and had not been stored is lost",
				"was", doc.StreamCreated, "is", state.Created, "checkpoint", doc.Sequence)
			w.metrics.lost.Inc()
		}
		doc = Checkpoint{StreamCreated: state.Created, Ordinal: doc.Ordinal}
	case doc.Sequence > state.Last:
		// The stream lost its tail, which holds only what is stored already: new messages get sequences that the
		// checkpoint has passed, so continue from where the stream is.
		w.log.Error("the shard's stream ends before its checkpoint: its disk lost acknowledged messages that are stored",
			"last", state.Last, "checkpoint", doc.Sequence)
		w.metrics.lost.Inc()
		doc.Sequence, doc.Intent = state.Last, nil
	case state.First > doc.Sequence+1:
		w.log.Error("the shard's stream starts after its checkpoint: messages were removed before they were stored",
			"first", state.First, "checkpoint", doc.Sequence)
		w.metrics.lost.Inc()
		doc.Sequence, doc.Intent = state.First-1, nil
	}
	w.state, w.revision = doc, rev
	return nil
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
