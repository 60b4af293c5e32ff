package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Message is one encoded batch on its way to the writer.
type Message struct {
	Tenant  seamark.TenantID
	Cluster seamark.ClusterID
	Signal  seamark.Signal
	// ID identifies the request that made the message: a repeat within the duplicate window is acknowledged and dropped.
	// Empty means that storing the message again changes nothing.
	ID string
	// Data is the encoded frame. The bus has copied it when Publish returns.
	Data []byte
}

// Group commit: while a publish waits for its sync, further small messages gather and go as one atomic batch with one
// sync. Large messages go alone, because a batch is written twice: once aside, once into the stream.
const (
	maxSmallBytes     = 16 << 10
	maxBatchMessages  = 128
	publishersPerLane = 2 // one fills the connection while the other waits for its sync
)

// headers of atomic batch publishing (NATS ADR-50).
const (
	headerBatchID     = "Nats-Batch-Id"
	headerBatchSeq    = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"
)

// Publish stores m durably and returns after the stream has acknowledged it. Errors are of kind Unavailable: the message
// may or may not be stored, and publishing it again with the same ID is safe.
func (b *Bus) Publish(ctx context.Context, m *Message) error {
	if !slices.Contains(seamark.Signals(), m.Signal) {
		return seamark.Errorf(seamark.Internal, "seamark-bus-shard", "Signal %s has no stream.", m.Signal)
	}
	shard, err := b.ShardOf(m.Tenant, m.Cluster, m.Signal)
	if err != nil {
		return err
	}
	return b.publisher(shard).publish(ctx, m)
}

// publisher returns the publisher of a shard, also where this process was not told of its part of the store: the stream was made by
// one that was, and takes the message, or nobody has made it, and the sender is told to come back.
func (b *Bus) publisher(shard Shard) *publisher {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.publishers[shard]
	if p == nil {
		p = newPublisher(b, shard)
		b.publishers[shard] = p
	}
	return p
}

// pending is one message waiting for its acknowledgement.
type pending struct {
	msg   *nats.Msg
	since time.Time
	done  chan error // buffered, so that an abandoned wait blocks nobody
}

type publisher struct {
	bus     *Bus
	shard   Shard
	small   chan *pending // gathered into batches
	large   chan *pending // sent one by one
	bytes   *atomic.Int64
	workers sync.WaitGroup
	once    sync.Once
}

func newPublisher(b *Bus, shard Shard) *publisher {
	p := &publisher{bus: b, shard: shard, small: make(chan *pending, 1024), large: make(chan *pending, 64), bytes: new(atomic.Int64)}
	for range publishersPerLane {
		p.workers.Go(func() { p.run(p.small) })
		p.workers.Go(func() { p.run(p.large) })
	}
	return p
}

func (p *publisher) close() {
	p.once.Do(func() {
		close(p.small)
		close(p.large)
	})
	p.workers.Wait()
}

func (p *publisher) publish(ctx context.Context, m *Message) error {
	size := int64(len(m.Data))
	if p.bytes.Add(size) > p.bus.opts.MaxPendingBytes {
		p.bytes.Add(-size)
		return unavailable(nil, "The queue of %s has %d bytes waiting for the disk. Retry shortly.", p.shard.Signal, p.bus.opts.MaxPendingBytes)
	}
	p.bus.metrics.pending.Add(float64(size))
	defer func() {
		p.bytes.Add(-size)
		p.bus.metrics.pending.Sub(float64(size))
	}()
	start := time.Now()
	msg := nats.NewMsg(p.shard.subject() + "." + string(m.Tenant))
	msg.Data = m.Data
	if m.ID != "" {
		msg.Header.Set(jetstream.MsgIDHeader, m.ID)
	}
	one := &pending{msg: msg, since: start, done: make(chan error, 1)}
	queue := p.small
	if len(m.Data) > maxSmallBytes {
		queue = p.large
	}
	select {
	case queue <- one:
	case <-ctx.Done():
		return unavailable(ctx.Err(), "The request ended before the queue took it.")
	}
	// The wait outlives ctx on purpose: Data must not be reused while a worker may still send it. A worker answers
	// within twice the acknowledgement time-out.
	if err := <-one.done; err != nil {
		p.bus.metrics.failures.WithLabelValues(p.shard.Signal.String()).Inc()
		return err
	}
	p.bus.metrics.acks.WithLabelValues(p.shard.Signal.String()).Inc()
	p.bus.metrics.seconds.Observe(time.Since(start).Seconds())
	return nil
}

func unavailable(err error, format string, args ...any) error {
	return seamark.Wrap(err, seamark.Unavailable, "seamark-queue-busy", format, args...)
}

func (p *publisher) run(queue <-chan *pending) {
	batch := make([]*pending, 0, maxBatchMessages)
	for first := range queue {
		batch = append(batch[:0], first)
		if len(first.msg.Data) <= maxSmallBytes {
			batch = gather(batch, queue)
		}
		batch = slices.DeleteFunc(batch, p.tooLate)
		if len(batch) == 0 {
			continue
		}
		p.bus.metrics.batch.Observe(float64(len(batch)))
		p.send(batch)
	}
}

// gather adds what already waits, without waiting for more.
func gather(batch []*pending, queue <-chan *pending) []*pending {
	for len(batch) < maxBatchMessages {
		select {
		case next, ok := <-queue:
			if !ok {
				return batch
			}
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// send publishes a batch and answers each of its messages. A refused batch (one duplicate id refuses the whole) is
// published message by message, where a duplicate is an acknowledgement. A batch that got no answer is not: each of its
// messages would wait for its own time-out in turn.
func (p *publisher) send(batch []*pending) {
	if len(batch) > 1 {
		err := p.sendAtomic(batch)
		if _, refused := errors.AsType[*jetstream.APIError](err); err == nil || !refused {
			if err != nil {
				err = p.silent(err)
			}
			for _, m := range batch {
				m.done <- err
			}
			return
		}
	}
	for _, m := range batch {
		if !p.tooLate(m) {
			m.done <- p.sendOne(m.msg)
		}
	}
}

// tooLate answers a message that has waited for its turn as long as for an acknowledgement, behind others that got none: its
// sender is told now, and not after a time-out of its own.
func (p *publisher) tooLate(m *pending) bool {
	late := time.Since(m.since) > p.bus.opts.AckTimeout
	if late {
		m.done <- p.silent(nil)
	}
	return late
}

func (p *publisher) silent(err error) error {
	return unavailable(err, "The queue of %s did not answer in time. Retry shortly.", p.shard.Signal)
}

func (p *publisher) sendOne(msg *nats.Msg) error {
	for _, name := range []string{headerBatchID, headerBatchSeq, headerBatchCommit} {
		msg.Header.Del(name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.bus.opts.AckTimeout)
	defer cancel()
	ack, err := p.bus.opts.JS.PublishMsg(ctx, msg)
	if err != nil {
		if api, ok := errors.AsType[*jetstream.APIError](err); ok {
			return unavailable(err, "The queue of %s does not take messages now (%d). Retry shortly.", p.shard.Signal, api.ErrorCode)
		}
		return p.silent(err)
	}
	if ack.Duplicate {
		p.bus.metrics.duplicates.WithLabelValues(p.shard.Signal.String()).Inc()
	}
	return nil
}

// batchAck is the answer to a committed batch.
type batchAck struct {
	Error *jetstream.APIError `json:"error"`
	Count int                 `json:"count"`
}

func (p *publisher) sendAtomic(batch []*pending) error {
	id := nuid.Next()
	for i, m := range batch {
		m.msg.Header.Set(headerBatchID, id)
		m.msg.Header.Set(headerBatchSeq, strconv.Itoa(i+1))
		if i < len(batch)-1 {
			if err := p.bus.opts.Conn.PublishMsg(m.msg); err != nil {
				return err
			}
		}
	}
	last := batch[len(batch)-1].msg
	last.Header.Set(headerBatchCommit, "1")
	ctx, cancel := context.WithTimeout(context.Background(), p.bus.opts.AckTimeout)
	defer cancel()
	reply, err := p.bus.opts.Conn.RequestMsgWithContext(ctx, last)
	if err != nil {
		return err
	}
	var ack batchAck
	if err := json.Unmarshal(reply.Data, &ack); err != nil {
		return fmt.Errorf("batch acknowledgement: %w", err)
	}
	switch {
	case ack.Error != nil:
		return ack.Error
	case ack.Count != len(batch):
		return fmt.Errorf("batch of %d was acknowledged with %d", len(batch), ack.Count)
	}
	return nil
}
