package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Writer moves acknowledged messages into the store, each row exactly once, whatever dies in between:
// it waits until the messages are on the disk, saves an intent, inserts one block per table and partition, verifies every block whose insert it is not sure of,
// and only then moves the checkpoint.
type Writer struct {
	opts    WriterOptions
	paces   map[seamark.StoreShard]*pacer // each shard of the store takes so many inserts
	metrics writerMetrics
	queue   *queueGauge
}

// NewWriter returns a writer that does nothing until Run.
func NewWriter(o WriterOptions) (*Writer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	w := &Writer{opts: o, paces: map[seamark.StoreShard]*pacer{}, metrics: newWriterMetrics(o.Registerer), queue: newQueueGauge(o.Bus, o.Registerer)}
	for _, shard := range o.Bus.Shards() {
		if w.paces[shard.Store] == nil {
			w.paces[shard.Store] = newPacer(o.InsertsPerSecond)
		}
	}
	return w, nil
}

// Run writes all shards whose lease it gets, until ctx ends. It returns nil then.
func (w *Writer) Run(ctx context.Context) error {
	var shards sync.WaitGroup
	for _, shard := range w.opts.Bus.Shards() {
		shards.Go(func() { w.runShard(ctx, shard) })
	}
	shards.Wait()
	return nil
}

// restartPause keeps a shard that cannot work from spinning, and is short enough to be no outage.
const restartPause = 500 * time.Millisecond

// WriterLease is the key of the lease that a shard's writer holds.
func WriterLease(shard bus.Shard) string { return "writer." + shard.String() }

func (w *Writer) runShard(ctx context.Context, shard bus.Shard) {
	log := w.opts.Logger.With("shard", shard.String())
	lease := bus.NewLease(w.opts.Leases, WriterLease(shard), w.opts.Owner, w.opts.LeaseTTL, log)
	told := stops{log: log}
	for ctx.Err() == nil {
		var began time.Time
		err := lease.Hold(ctx, func(held context.Context) error {
			began = w.opts.Now()
			sw := &shardWriter{Writer: w, shard: shard, pace: w.paces[shard.Store], log: log}
			return causeOf(held, sw.run(held))
		})
		if ctx.Err() != nil {
			return
		}
		w.metrics.restarts.Inc()
		told.tell(err, w.opts.Now().Sub(began))
		select {
		case <-ctx.Done():
		case <-time.After(restartPause):
		}
	}
}

// shardWriter is the writer of one shard while its lease is held.
type shardWriter struct {
	*Writer
	shard     bus.Shard
	pace      *pacer // shared with the shards whose rows go to the same place
	log       *slog.Logger
	state     Checkpoint
	revision  uint64
	dirty     bool // state has moved since it was saved
	tail      tail
	recoverTo uint64     // last message of the batch that was open at the start; 0 for none
	late      lateCounts // of the messages from state.Waiting to state.Sequence
}

func (w *shardWriter) run(ctx context.Context) error {
	if err := w.openCheckpoint(ctx); err != nil {
		return err
	}
	w.queue.set(w.shard, w.state.Sequence)
	defer w.queue.drop(w.shard)
	w.metrics.late.WithLabelValues(w.shard.String()).Set(0)
	defer w.metrics.late.DeleteLabelValues(w.shard.String())
	work, ctx := errgroup.WithContext(ctx)
	messages := make(chan bus.Received, 64)
	batches := make(chan *shardBatch)
	from := w.state.first()
	work.Go(func() error {
		return w.opts.Bus.Read(ctx, w.shard, from, func(m bus.Received) error {
			select {
			case messages <- m:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	if w.state.Intent != nil {
		w.recoverTo = w.state.Intent.To
	}
	work.Go(func() error {
		open, err := w.readLate(ctx, messages)
		if err != nil {
			return err
		}
		work.Go(func() error { return w.collect(ctx, open, messages, batches) })
		return w.store(ctx, batches)
	})
	return work.Wait()
}

// collect cuts the messages into batches. While the store is busy or the budget of inserts is spent the open batch grows up
// to its limits, so batches are large exactly when that saves work. An open intent's batch is cut where the intent says.
func (w *shardWriter) collect(ctx context.Context, open *shardBatch, messages <-chan bus.Received, batches chan<- *shardBatch) error {
	timer := time.NewTimer(w.opts.MaxBatchAge)
	defer timer.Stop()
	due := false
	for {
		in, out := messages, chan<- *shardBatch(nil)
		recovering := w.recoverTo > 0 && !open.empty() && open.from <= w.recoverTo
		full := w.full(open)
		if recovering {
			full, due = open.to == w.recoverTo, false
		}
		if full {
			in = nil
		}
		inserts := 0
		if full || due {
			out, inserts = batches, w.inserts(open)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-in:
			if open.empty() {
				timer.Reset(w.opts.MaxBatchAge)
			}
			open.add(m, w.opts.Now())
		case <-timer.C:
			wait := w.wait(open)
			if due = wait <= 0 && !open.empty(); wait > 0 {
				timer.Reset(wait)
			}
		case out <- open:
			w.pace.spend(inserts, w.opts.Now())
			open, due = &shardBatch{}, false
		}
	}
}

// full reports whether waiting for more rows would save nothing, or hold too much.
func (w *shardWriter) full(b *shardBatch) bool {
	return b.largestRows >= w.opts.MaxInsertRows || b.largestBytes >= w.opts.MaxInsertBytes || b.bytes >= w.opts.MaxBatchBytes || len(b.blocks) >= maxInserts
}

// wait returns how much longer a batch that is not full waits for rows: for the budget of inserts, and, so that a batch of
// many small inserts is not cut just before they would have doubled, for the time its own inserts take of the budget.
func (w *shardWriter) wait(b *shardBatch) time.Duration {
	if b.empty() {
		return 0
	}
	now := w.opts.Now()
	own := min(w.pace.cost(w.inserts(b)), maxBatchAges*w.opts.MaxBatchAge) - now.Sub(b.opened)
	return max(own, w.pace.wait(now))
}

// inserts returns how many inserts a batch takes, and marks those that are one of many. Counts of patterns are among them also
// where they will wait: what waiting saves is not to be spent on more batches.
func (w *shardWriter) inserts(b *shardBatch) int {
	n, crowded := 0, w.crowded(len(b.blocks))
	for _, p := range b.blocks {
		p.block.Crowded = crowded
		n += w.opts.Store.Inserts(p.tenant, p.block.Table, p.rows, crowded)
	}
	return n
}

// crowded reports whether so many blocks in each batch of each shard would take the budget of inserts.
func (w *shardWriter) crowded(blocks int) bool {
	return w.pace.cost(blocks*shardsOfSignal) > w.opts.MaxBatchAge
}

const (
	// maxInserts bounds a batch's intent, which lists its inserts.
	maxInserts = 4096
	// maxBatchAges is how many times its age a batch of many inserts waits, while the budget is not spent.
	maxBatchAges = 4
	// shardsOfSignal is how many shards usually share the budget.
	shardsOfSignal = 4
)

// store writes batch after batch, and the checkpoint when nothing follows for a while.
func (w *shardWriter) store(ctx context.Context, batches <-chan *shardBatch) error {
	idle := time.NewTicker(time.Second)
	defer idle.Stop()
	defer w.saveLast(ctx)
	if i := w.state.Intent; i != nil && i.Portion == countsAlone {
		if err := w.storeLate(ctx); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b := <-batches:
			begin := w.opts.Now()
			if err := w.write(ctx, b); err != nil {
				return err
			}
			took := w.whole(w.opts.Now().Sub(begin), b)
			w.pace.rest(took, w.crowded(len(b.blocks)), begin.Add(took))
			// While the writer rests: the next batch would have come later anyway.
			if err := w.storeDue(ctx); err != nil {
				return err
			}
		case <-idle.C:
			if err := w.storeDue(ctx); err != nil {
				return err
			}
			if w.dirty {
				if err := w.save(ctx); err != nil {
					return err
				}
			}
			w.purge(ctx)
		}
	}
}

// saveLast spares the next writer a verification. It is not needed for correctness, so it may fail.
func (w *shardWriter) saveLast(ctx context.Context) {
	if !w.dirty {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := w.save(ctx); err != nil {
		w.log.Warn("checkpoint not saved on the way out", "err", err)
	}
}

// write stores one batch: intent, inserts, checkpoint.
func (w *shardWriter) write(ctx context.Context, b *shardBatch) error {
	if err := w.bury(ctx, b); err != nil {
		return err
	}
	if err := w.opts.Bus.Settle(ctx, w.shard); err != nil {
		return err
	}
	w.dropForeignIntent(b)
	recovered := w.state.Intent != nil
	if !recovered {
		w.state.Ordinal = w.state.nextOrdinal(w.opts.Now())
		w.state.Intent = &Intent{To: b.to, Portion: w.portion(b), BatchID: batchID(w.state.Ordinal, w.shard), Digest: b.digest()}
	}
	b.skip(w.state.Intent.Skip)
	plan := b.plan(w.state.Intent, w.shard.Store)
	if err := w.agree(b, plan, recovered); err != nil {
		return err
	}
	w.step("before-intent")
	if err := w.save(ctx); err != nil {
		return fmt.Errorf("save intent: %w", err)
	}
	w.step("after-intent")
	err := w.insertAll(ctx, plan, recovered)
	for errors.Is(err, errPoison) {
		if plan, err = w.setAside(ctx, b, plan); err == nil {
			err = w.insertAll(ctx, plan, true)
		}
	}
	if err != nil {
		return err
	}
	w.step("before-checkpoint")
	w.observe(b, plan)
	w.pass(b)
	w.opts.Failpoint("after-checkpoint")
	return nil
}

// step tells the crash tests where the open intent's batch is. The steps of late counts have names of their own.
func (w *shardWriter) step(name string) {
	if w.state.Intent.Portion == countsAlone {
		name = "counts-" + name
	}
	w.opts.Failpoint(name)
}

// pass moves the checkpoint behind a batch, in memory.
func (w *shardWriter) pass(b *shardBatch) {
	portion := w.state.Intent.Portion
	w.state.Intent, w.dirty = nil, true
	if portion == countsAlone {
		w.state.Waiting, w.late = 0, lateCounts{}
		w.metrics.late.WithLabelValues(w.shard.String()).Set(0)
		return
	}
	w.state.Sequence, w.state.From, w.state.Last = b.to, b.from, b.last
	w.queue.set(w.shard, b.to)
	if portion == rowsAlone {
		w.leaveCounts(b)
	}
}

// dropForeignIntent closes an open intent whose messages are not those that the stream holds now, though their sequences are.
// Its blocks may be stored, which says nothing about the messages that have come in their place.
func (w *shardWriter) dropForeignIntent(b *shardBatch) {
	if i := w.state.Intent; i != nil && i.To == b.to && i.Digest != b.digest() {
		w.lost("it holds other messages than the open intent: they are stored, those of the batch that are still there once more",
			"from", b.from, "to", b.to, "batch", i.BatchID)
		w.state.Intent = nil
	}
}

// agree fills the intent's blocks, or compares a recovered intent with what the messages give now. They must be the same:
// anything else means that the stream does not hold what it held, and guessing would lose or repeat rows.
func (w *shardWriter) agree(b *shardBatch, plan []*planned, recovered bool) error {
	blocks := intentBlocks(plan)
	if !recovered {
		w.state.Intent.Blocks = blocks
		return nil
	}
	same := b.to == w.state.Intent.To && len(blocks) == len(w.state.Intent.Blocks)
	for i := 0; same && i < len(blocks); i++ {
		same = blocks[i] == w.state.Intent.Blocks[i]
	}
	if !same {
		return fmt.Errorf("the open intent %d (to %d, %d blocks) is not what the stream holds (to %d, %d blocks)",
			w.state.Intent.BatchID, w.state.Intent.To, len(w.state.Intent.Blocks), b.to, len(blocks))
	}
	return nil
}

func intentBlocks(plan []*planned) []IntentBlock {
	blocks := make([]IntentBlock, len(plan))
	for i, p := range plan {
		blocks[i] = IntentBlock{Tenant: p.tenant, Table: p.block.Table, Day: p.block.Day, Rows: p.block.Rows()}
	}
	return blocks
}

// insertLanes is how many inserts of one batch run side by side: the server sorts one while it reads the other.
const insertLanes = 4

func (w *shardWriter) insertAll(ctx context.Context, plan []*planned, recovered bool) error {
	for start := 0; start < len(plan); {
		end := start
		for end < len(plan) && rank(plan[end].block.Table) == rank(plan[start].block.Table) {
			end++
		}
		lanes, laneCtx := errgroup.WithContext(ctx)
		lanes.SetLimit(insertLanes)
		for _, p := range plan[start:end] {
			lanes.Go(func() error { return w.insert(laneCtx, p, recovered) })
		}
		if err := lanes.Wait(); err != nil {
			return err
		}
		w.step("between-inserts")
		start = end
	}
	return nil
}

// insert stores one block, however long it takes: an insert that ended in doubt is verified before it is repeated.
func (w *shardWriter) insert(ctx context.Context, p *planned, doubt bool) error {
	pause, begin, refused := 50*time.Millisecond, w.opts.Now(), 0
	for attempt := uint64(0); ; attempt++ {
		// The revision makes the attempts of successive writers differ, so that none meets another's deduplication token.
		p.block.Attempt = w.revision*1000 + attempt
		var err error
		if doubt {
			var stored bool
			stored, err = w.opts.Store.Verify(ctx, p.tenant, p.block)
			if err == nil && stored {
				return nil
			}
		}
		if err == nil {
			if err = w.opts.Store.Insert(ctx, p.tenant, p.block); err == nil {
				return nil
			}
			doubt = true
			if store.Rejected(err) {
				if refused++; refused >= poisonAttempts {
					return errPoison
				}
			}
		}
		if done, stop := w.settle(ctx, p, err, w.opts.Now().Sub(begin)); done {
			return stop
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(pause*2, 5*time.Second)
	}
}

// unknownTenant is the directory's error for a tenant that this node has not heard of; it may have been made a moment ago
// on another. orphanGrace is how long the writer waits for it before it takes the tenant for gone.
const (
	unknownTenant = "seamark-tenant-unknown"
	orphanGrace   = time.Minute
)

// settle decides what an error means for the block: dropped for ever (done, nil), the shard stops (done, err), or another
// attempt.
func (w *shardWriter) settle(ctx context.Context, p *planned, err error, tried time.Duration) (done bool, stop error) {
	if ctx.Err() != nil {
		return true, ctx.Err()
	}
	if _, ok := errors.AsType[*store.DoubtError](err); ok {
		w.metrics.doubts.Inc()
		return true, err
	}
	if fault, ok := errors.AsType[*seamark.Error](err); ok && fault.Kind == seamark.NotFound && (fault.ID != unknownTenant || tried > orphanGrace) {
		w.log.Warn("rows of a tenant that is gone are dropped", "tenant", p.tenant, "table", p.block.Table.String(), "rows", p.block.Rows())
		w.metrics.orphans.Add(float64(p.block.Rows()))
		return true, nil
	}
	w.metrics.retries.Inc()
	w.log.Warn("insert in doubt; it is verified and tried again", "tenant", p.tenant, "table", p.block.Table.String(),
		"rows", p.block.Rows(), "rejected", store.Rejected(err), "err", err)
	return false, nil
}

func (w *shardWriter) observe(b *shardBatch, plan []*planned) {
	w.metrics.batches.Inc()
	w.metrics.blocks.Add(float64(len(plan)))
	if b.late {
		return // their messages have been counted
	}
	w.metrics.rows.WithLabelValues(w.shard.Signal.String()).Add(float64(b.rows))
	if b.oldest > 0 {
		w.metrics.age.Observe(w.opts.Now().Sub(time.UnixMilli(b.oldest)).Seconds())
	}
}
