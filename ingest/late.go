package ingest

import (
	"bytes"
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/store"
)

// portion says which rows of its messages a batch stores.
type portion string

const (
	wholeBatch portion = "" // all of them
	// rowsAlone leaves out the counts of patterns. They wait: a tenant's of many batches become one insert.
	rowsAlone portion = "rows"
	// countsAlone is the counts that wait, of messages whose other rows are stored.
	countsAlone portion = "counts"
)

// lateCounts are the counts of patterns that wait. They are in memory alone: a successor reads the same messages again, which
// stay in the stream for it.
type lateCounts struct {
	batch shardBatch
	since time.Time // when the first were left; the zero time after a start
	held  int       // bytes of the messages
}

const (
	// fewCounts is how many inserts of counts a batch has at most that are not worth waiting for.
	fewCounts = 3
	// lateSegmentBytes is what a segment that waits takes of memory beside its payload.
	lateSegmentBytes = 256
	// lateShare is the part of a batch's bytes that the counts that wait may take, and of the tail's bytes that their messages
	// may: these would not be there for an outage of the store otherwise.
	lateShare = 4
)

// add takes the counts of a batch that follows the others.
func (l *lateCounts) add(b *shardBatch) {
	into := &l.batch
	if into.empty() {
		into.blocks, into.from, into.late = map[blockKey]*planned{}, b.from, true
	}
	into.to, into.last, into.sums = b.to, b.last, append(into.sums, b.sums...)
	l.held += b.bytes
	for key, p := range b.blocks {
		if key.table != store.TablePatterns {
			continue
		}
		for i, segment := range p.block.Segments {
			segment.Payload = bytes.Clone(segment.Payload) // or the whole message would stay in memory
			into.gather(p.tenant, segment, p.origins[i])
			into.bytes += len(segment.Payload) + lateSegmentBytes
		}
	}
}

// portion returns what is stored of a batch that has no intent yet. What follows counts that wait leaves its own, too: they are
// those of a run of messages.
func (w *shardWriter) portion(b *shardBatch) portion {
	switch {
	case b.late:
		return countsAlone
	case !w.late.batch.empty(), w.opts.MaxCountsAge > 0 && b.counts() > fewCounts && w.crowded(len(b.blocks)):
		return rowsAlone
	}
	return wholeBatch
}

// counts returns how many of the batch's blocks are counts of patterns.
func (b *shardBatch) counts() int {
	n := 0
	for key := range b.blocks {
		if key.table == store.TablePatterns {
			n++
		}
	}
	return n
}

// whole returns how long a batch that took so long would have taken with the counts that it left, for the rest behind it.
func (w *shardWriter) whole(took time.Duration, b *shardBatch) time.Duration {
	if w.late.batch.empty() {
		return took
	}
	blocks := len(b.blocks)
	return took * time.Duration(blocks) / time.Duration(max(1, blocks-b.counts()))
}

// leaveCounts has the counts of a batch wait whose other rows are stored.
func (w *shardWriter) leaveCounts(b *shardBatch) {
	if w.late.batch.empty() {
		w.state.Waiting, w.late.since = b.from, w.opts.Now()
	}
	w.late.add(b)
	w.metrics.late.WithLabelValues(w.shard.String()).Set(float64(b.to - w.state.Waiting + 1))
}

// storeDue stores the counts that have waited for long enough, or are enough.
func (w *shardWriter) storeDue(ctx context.Context) error {
	l := &w.late
	due := w.opts.Now().Sub(l.since) >= w.opts.MaxCountsAge || w.full(&l.batch) || l.batch.bytes >= w.opts.MaxBatchBytes/lateShare ||
		int64(l.held) >= w.opts.TailBytes/lateShare
	if l.batch.empty() || !due || w.state.Intent != nil { // an open intent's batch comes first
		return nil
	}
	return w.storeLate(ctx)
}

func (w *shardWriter) storeLate(ctx context.Context) error { return w.write(ctx, &w.late.batch) }

// first returns the message that a writer begins to read with.
func (c *Checkpoint) first() uint64 {
	if c.Waiting > 0 {
		return c.Waiting
	}
	return c.Sequence + 1
}

// readLate reads the counts that wait again, and returns the batch that is open then.
func (w *shardWriter) readLate(ctx context.Context, messages <-chan bus.Received) (*shardBatch, error) {
	open := &shardBatch{}
	for next := w.state.first(); next <= w.state.Sequence; {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case m := <-messages:
			if next = m.Sequence + 1; next > w.state.Sequence+1 {
				open.add(m, w.opts.Now()) // somebody has removed the last one that waits
				continue
			}
			var one shardBatch
			one.add(m, w.opts.Now())
			w.late.add(&one)
			w.metrics.late.WithLabelValues(w.shard.String()).Set(float64(next - w.state.Waiting))
		}
	}
	return open, nil
}
