package logtail

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

const (
	// maxRows bounds the rows that go through the pipeline at once. Far above what a frame of the bus holds.
	maxRows = 1 << 20
	// maxGatherBytes is how many bytes of lines are gathered at most before they go through the pipeline.
	maxGatherBytes = 4 << 20
)

// Tail is one open tail.
type Tail struct {
	tailer   *Tailer
	tenant   seamark.TenantID
	params   Params
	selector *logmem.Selector
	rows     *logmem.Rows
	engine   *engine.Engine
	once     sync.Once // leaves the tailer's count

	streams streams
	history history
	queue   *queue
	// waiting is what has been read and has not been through the pipeline.
	waiting [phases]gathered
}

// phase is when a message came.
type phase int

const (
	earlier phase = iota // before the tail was opened, and may not have been stored then
	between              // before the history was read, so that it may be in it
	live
	phases
)

// gathered is lines that wait for the pipeline.
type gathered struct {
	block *store.LogBlock
	bytes int
}

// message is a frame of the bus on its way to the tail.
type message struct {
	shard    int
	sequence uint64
	data     []byte
}

// Close gives the tail's place back. It may be called more than once.
func (l *Tail) Close() { l.once.Do(func() { l.tailer.leave(l.tenant) }) }

// check runs the query over nothing, so that what it gets wrong is told before the tail begins.
func (l *Tail) check(ctx context.Context) error {
	now := l.tailer.opts.Now()
	_, err := l.engine.Query(ctx, l.tenant, engine.Params{Query: l.params.Query, Start: now, End: now.Add(1), Step: 1, Limit: 1})
	return err
}

// Run sends the tail's lines to send, oldest first, until ctx ends, send fails, the tailer closes or the source does; it
// never returns nil. Lines that send is too slow for are dropped, and told in the next batch. Run may be called once.
func (l *Tail) Run(ctx context.Context, send func(*Batch) error) error {
	defer l.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	l.queue = newQueue(l.tailer.opts.MaxQueuedLines, l.tailer.metrics)
	l.streams = newStreams(l)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel(nil)
	messages := make(chan message, 16)
	for shard, stored := range l.history.stored {
		readers.Go(func() { cancel(l.follow(ctx, shard, stored+1, messages)) })
	}
	readers.Go(func() { cancel(l.queue.run(ctx, send)) })
	readers.Go(func() {
		select {
		case <-l.tailer.stop:
			cancel(ErrClosing)
		case <-ctx.Done():
		}
	})
	if err := l.begin(ctx); err != nil {
		cancel(err)
		return cause(ctx, err)
	}
	return cause(ctx, l.loop(ctx, messages))
}

// cause returns why a tail ended: the first thing that went wrong, of which err may be a consequence.
func cause(ctx context.Context, err error) error {
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}

func away(err error) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-tail-source", "The queue that live lines come from does not answer. Retry shortly.")
}

// follow hands a shard's messages to the loop.
func (l *Tail) follow(ctx context.Context, shard int, from uint64, messages chan<- message) error {
	err := l.tailer.opts.Source.Follow(ctx, l.tenant, shard, from, func(sequence uint64, data []byte) error {
		select {
		case messages <- message{shard, sequence, data}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return away(err)
}

// loop gathers messages and sends their lines, as long after the first of them as the delay says.
func (l *Tail) loop(ctx context.Context, messages <-chan message) error {
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	soon := false // due is set for what has come, and not only for what waits for its stream
	wait := max(l.params.Delay, l.tailer.opts.Gather)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-messages:
			if err := l.take(&m); err != nil {
				// The writer meets the message too, and buries it; the tail goes on without it.
				l.tailer.opts.Logger.WarnContext(ctx, "a tail leaves out a message", "tenant", l.tenant, "shard", m.shard, "sequence", m.sequence, "err", err)
			}
			if !soon {
				soon = true
				due.Reset(wait)
			}
			if l.bytes() < maxGatherBytes {
				continue
			}
		case <-due.C:
			soon = false
		}
		if err := l.flush(ctx); err != nil {
			return err
		}
		if l.streams.holds() && !soon {
			due.Reset(max(wait, lookEvery))
		}
	}
}

// bytes returns how much waits for the pipeline.
func (l *Tail) bytes() (bytes int) {
	for i := range l.waiting {
		bytes += l.waiting[i].bytes
	}
	return bytes
}

// errForeign says that a message belongs to another tenant, which the source's contract rules out.
var errForeign = errors.New("the message belongs to another tenant")

// take decodes a message and gathers its lines.
func (l *Tail) take(m *message) error {
	frame, err := store.ParseFrame(m.data)
	if err != nil {
		return err
	}
	if frame.Tenant != l.tenant {
		return errForeign
	}
	into := &l.waiting[l.history.phaseOf(m)]
	for i := range frame.Segments {
		s := &frame.Segments[i]
		switch s.Table {
		case store.TableSeries:
			found, err := store.DecodeLogStreams(s)
			if err != nil {
				return err
			}
			l.streams.learn(found)
		case store.TableLogs:
			block, err := store.DecodeLogs(s)
			if err != nil {
				return err
			}
			l.gather(into, block)
		}
	}
	return nil
}

// gather keeps the rows of streams that are selected, and of those that are not known yet.
func (l *Tail) gather(into *gathered, block *store.LogBlock) {
	if into.block == nil {
		into.block = &store.LogBlock{}
	}
	for i := range block.Len() {
		if l.streams.unwanted(block.FP[i]) {
			continue
		}
		into.block.AppendRow(block, i)
		into.bytes += len(block.Body[i])
	}
}

// flush runs what has gathered through the pipeline and queues the lines that are left.
func (l *Tail) flush(ctx context.Context) error {
	for i := range l.waiting {
		g := &l.waiting[i]
		if g.block == nil || g.block.Len() == 0 {
			continue
		}
		ready, err := l.streams.resolve(ctx, g)
		if err != nil {
			return err
		}
		result, err := l.pipeline(ctx, ready)
		if err != nil {
			return err
		}
		l.history.remove(result, phase(i))
		l.queue.push(result)
	}
	return nil
}

// pipeline runs rows of known streams through the query.
func (l *Tail) pipeline(ctx context.Context, block *store.LogBlock) (*engine.Result, error) {
	if block.Len() == 0 {
		return &engine.Result{}, nil
	}
	l.rows.Set(l.streams.of(block), block)
	start, end := l.rows.Span()
	return l.engine.Query(ctx, l.tenant, engine.Params{
		Query: l.params.Query, Start: time.Unix(0, start), End: time.Unix(0, end), Step: time.Duration(end - start), Limit: block.Len(),
		Forward: true, Categorize: l.params.Categorize,
	})
}
