package forward

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seamarkhq/seamark/internal/bus"
)

// shardRun forwards the messages of one shard. A batch of them is sent when its first and last message are written down, and
// the position moves when the target has it:
//
//	read -> filter -> settle -> save the intent -> send until acknowledged -> move the position -> ...
//
// The position is saved with the next intent, or when it is looked at. Whoever goes on after a crash finds the intent, reads
// the same messages and sends them under the same id.
type shardRun struct {
	*run
	shard   bus.Shard
	log     *slog.Logger
	key     string
	filter  Filter
	streams streams

	mu       sync.Mutex // guards all below
	progress progress
	revision uint64
	dirty    bool // progress has what its document has not, and must not wait for long
	saved    time.Time
	waiting  waiting
}

// work forwards until ctx ends or something fails that only a new beginning can mend.
func (w *shardRun) work(ctx context.Context) error {
	var err error
	o := &w.service.opts
	if w.filter, err = o.Language.Compile(ctx, w.doc.Tenant, w.doc.Definition.Filter); err != nil {
		return err
	}
	w.key = progressKey(w.doc.Tenant, w.doc.ID, w.shard)
	w.streams = newStreams(w)
	if err := w.load(ctx); err != nil {
		return err
	}
	defer w.saveLast(ctx)
	from := w.progress.Sequence + 1
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error {
		return w.follower().Arrivals(ctx, w.shard, w.doc.Tenant, from, func(a bus.Arrival) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waiting.arrive(a.Sequence, a.Time)
			return nil
		})
	})
	parts.Go(func() error { return w.look(ctx) })
	if !w.doc.Definition.Paused {
		messages := make(chan bus.Received)
		parts.Go(func() error {
			return w.follower().Trail(ctx, w.shard, w.doc.Tenant, from, func(m bus.Received) error {
				select {
				case messages <- m:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
		parts.Go(func() error { return w.loop(ctx, messages) })
	}
	return parts.Wait()
}

// load finds the position and brings it in line with the stream as it stands.
func (w *shardRun) load(ctx context.Context) error {
	o := &w.service.opts
	p, revision, err := w.service.ledger.find(ctx, w.key)
	if err != nil {
		return err
	}
	state, err := w.follower().State(ctx, w.shard)
	if err != nil {
		return err
	}
	now := o.Now().UTC()
	if !p.Stream.Equal(state.Created) {
		// A shard that was added since, or a stream that was made again: what it holds came after the forwarder was made.
		if revision != 0 {
			w.gap(&p, gap{From: p.At, Until: now, Messages: p.Lag, Uncounted: true})
		}
		p.Stream, p.Sequence, p.At, p.Intent = state.Created, 0, now, nil
	}
	if p.Sequence > state.Last {
		// A disk has lost messages that nobody had an acknowledgement for; their numbers come again.
		w.log.WarnContext(ctx, "the stream is behind a forwarder; it goes on at its end", slog.Uint64("sequence", p.Sequence), slog.Uint64("last", state.Last))
		p.Sequence, p.Intent = state.Last, nil
	}
	if state.First > p.Sequence+1 {
		w.skip(&p, state.First, now)
	}
	p.Node, p.Error, p.Attempts, p.Blocked, p.Missed = o.Owner, "", 0, "", 0
	w.progress, w.revision = p, revision
	w.waiting.done(p.Sequence)
	return w.saveLocked(ctx) // nobody else is here yet
}

// skip moves a position to where the stream begins, and says what may be missing: what was there is known only as far as
// somebody looked.
func (w *shardRun) skip(p *progress, first uint64, now time.Time) {
	watched := now.Sub(p.Updated) < 3*w.service.opts.Look
	if p.Missed > 0 || !watched {
		w.gap(p, gap{From: p.At, Until: now, Messages: p.Missed, Uncounted: !watched})
	}
	p.Sequence = first - 1
	if p.Intent != nil && p.Intent.First < first {
		p.Intent = nil
	}
}

func (w *shardRun) gap(p *progress, g gap) {
	p.addGap(g)
	w.service.metrics.lost.Add(float64(g.Messages))
	w.log.Warn("messages left the stream before they were forwarded", slog.Time("from", g.From), slog.Time("until", g.Until),
		slog.Uint64("messages", g.Messages), slog.Bool("uncounted", g.Uncounted))
}

// resumeWait bounds how long the rest of a batch that was under way is waited for.
const resumeWait = time.Minute

// loop gathers messages into batches and sends them.
func (w *shardRun) loop(ctx context.Context, messages <-chan bus.Received) error {
	limits := &w.doc.Definition.Batch
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	open, under := &batch{}, w.progress.Intent
	send := func() error {
		err := w.send(ctx, open)
		open, under = &batch{}, nil
		due.Reset(time.Hour)
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-messages:
			if under != nil && m.Sequence > under.Last {
				if err := send(); err != nil { // the rest of the batch is gone
					return err
				}
			}
			if open.empty() {
				wait := limits.age()
				if under != nil {
					wait = max(wait, resumeWait)
				}
				due.Reset(wait)
			}
			if err := w.take(ctx, open, &m); err != nil {
				return err
			}
			if under == nil && !open.full(limits) || under != nil && open.last < under.Last {
				continue
			}
		case <-due.C:
		}
		if err := send(); err != nil {
			return err
		}
	}
}

// send delivers a batch and moves the position behind it.
func (w *shardRun) send(ctx context.Context, b *batch) error {
	if b.empty() {
		return nil
	}
	if len(b.rows) > 0 {
		if err := w.intend(ctx, b); err != nil {
			return err
		}
		if err := w.deliverAll(ctx, b); err != nil {
			return err
		}
	}
	w.update(func(p *progress) {
		p.Sequence, p.At, p.Intent = b.last, b.at, nil
		p.Filtered += b.filtered
		for _, f := range b.failed {
			p.bury(f)
		}
		w.waiting.done(b.last)
	})
	w.count("filtered", int(b.filtered))
	return nil
}

// deliverAll sends the parts of a batch.
func (w *shardRun) deliverAll(ctx context.Context, b *batch) error {
	d := &w.doc.Definition
	c := cutter{
		batch: b, id: batchID(w.shard, w.progress.Stream, b.first, b.last), forwarder: d.Name, limits: &d.Batch, json: w.service.opts.Language.JSON,
	}
	if d.Target.Kafka != nil {
		c.key = d.Target.Kafka.KeyLabel
	}
	for {
		p, ok := c.part()
		if !ok {
			return nil
		}
		if err := w.deliver(ctx, p); err != nil {
			return err
		}
	}
}

// intend writes down which messages are sent now. Those are on the disk by then: the number of a message that a power failure
// takes would go to another one, which would be taken for sent.
func (w *shardRun) intend(ctx context.Context, b *batch) error {
	if err := w.follower().Settle(ctx, w.shard); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if under := w.progress.Intent; under != nil && under.First == b.first && under.Last == b.last {
		return nil
	}
	w.progress.Intent = &intent{First: b.first, Last: b.last}
	return w.saveLocked(ctx)
}

func (w *shardRun) update(fn func(*progress)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn(&w.progress)
	w.dirty = true
}

// saveLocked writes the progress. The caller holds mu, so that documents follow each other.
func (w *shardRun) saveLocked(ctx context.Context) error {
	now := w.service.opts.Now()
	w.progress.Updated = now.UTC()
	revision, err := w.service.ledger.save(ctx, w.key, &w.progress, w.revision)
	if err != nil {
		return err
	}
	w.revision, w.dirty, w.saved = revision, false, now
	return nil
}

// saveLast keeps what is done with when a run ends in order, so that the next one repeats less.
func (w *shardRun) saveLast(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dirty {
		return
	}
	if err := w.saveLocked(context.WithoutCancel(ctx)); err != nil && !errors.Is(err, errFenced) {
		w.log.WarnContext(ctx, "the position of a forwarder is not saved; its last batch is sent again", slog.Any("error", err))
	}
}

// idleSaves is how many looks pass until a position that only moved over others' messages is saved.
const idleSaves = 12

// look brings the status up to date, and moves the position over messages of other tenants, until ctx ends.
func (w *shardRun) look(ctx context.Context) error {
	o := &w.service.opts
	tick := time.NewTicker(o.Look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := w.lookOnce(ctx); err != nil {
			if errors.Is(err, errFenced) || ctx.Err() != nil {
				return err
			}
			w.log.WarnContext(ctx, "the status of a forwarder is behind", slog.Any("error", err))
		}
	}
}

func (w *shardRun) lookOnce(ctx context.Context) error {
	o := &w.service.opts
	state, err := w.follower().State(ctx, w.shard)
	if err != nil {
		return err
	}
	if err := w.idle(ctx, state.Last); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := &w.progress
	missed := w.waiting.missed(state.First)
	lag, oldest := uint64(len(w.waiting.list))-missed, w.waiting.oldest(state.First)
	if p.Missed != missed || p.Lag != lag || !p.Oldest.Equal(oldest) {
		p.Missed, p.Lag, p.Oldest, w.dirty = missed, lag, oldest, true
	}
	if w.dirty || o.Now().Sub(w.saved) >= idleSaves*o.Look {
		return w.saveLocked(ctx)
	}
	return nil
}

// idle moves the position of a shard in which nothing waits up to last, so that what leaves the stream is not taken for a gap.
func (w *shardRun) idle(ctx context.Context, last uint64) error {
	at := func() uint64 {
		w.mu.Lock()
		defer w.mu.Unlock()
		if p := &w.progress; p.Intent == nil && len(w.waiting.list) == 0 && w.waiting.read <= p.Sequence {
			return p.Sequence
		}
		return last
	}
	from := at()
	if from >= last {
		return nil
	}
	o := &w.service.opts
	if _, waits, err := w.follower().Next(ctx, w.shard, w.doc.Tenant, from+1); waits || err != nil {
		return err
	}
	if at() != from {
		return nil // a message came meanwhile
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// A message that was read since is newer than last: Next would have found it.
	if w.progress.Sequence == from && w.waiting.read <= from {
		w.progress.Sequence, w.progress.At = last, o.Now().UTC()
		w.waiting.done(last)
	}
	return nil
}
