package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// trailMessages is what Trail holds at most that fn has not asked for.
const trailMessages = 4

// Trail is Follow for a reader that may stand still for as long as it likes: it holds a few messages and not as many as fit
// into followBytes, and nothing is under way to it while fn runs. It takes longer over each message in return.
func (f *Follower) Trail(ctx context.Context, shard Shard, tenant seamark.TenantID, from uint64, fn func(Received) error) error {
	if _, err := seamark.ParseTenantID(string(tenant)); err != nil {
		return err // an empty id, or one with a wildcard, would follow everybody
	}
	for next := max(from, 1); ; {
		consumer, err := f.js.CreateConsumer(ctx, shard.stream(), jetstream.ConsumerConfig{
			FilterSubjects: []string{shard.subject() + "." + string(tenant)}, AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1,
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next, InactiveThreshold: followIdle,
		})
		if err != nil {
			return fmt.Errorf("follow stream %s: %w", shard.stream(), err)
		}
		if next, err = trail(ctx, consumer, next, fn); err != nil {
			return err
		}
	}
}

// trail reads from one consumer until it cannot go on, and returns the sequence that the next one begins at. The error is
// ctx's or fn's.
func trail(ctx context.Context, consumer jetstream.Consumer, next uint64, fn func(Received) error) (uint64, error) {
	for delivered := uint64(0); ; {
		messages, err := consumer.Fetch(trailMessages, jetstream.FetchContext(ctx))
		if err != nil {
			return next, ctx.Err() // the server forgets consumers that stand still, and those of before its restart
		}
		for msg := range messages.Messages() {
			meta, err := msg.Metadata()
			if delivered++; err != nil || meta.Sequence.Consumer != delivered {
				return next, ctx.Err() // one was lost on the way
			}
			if err := fn(Received{Sequence: meta.Sequence.Stream, Data: msg.Data()}); err != nil {
				return next, err
			}
			next = meta.Sequence.Stream + 1
		}
		if err := messages.Error(); err != nil && !errors.Is(err, jetstream.ErrNoMessages) || ctx.Err() != nil {
			return next, ctx.Err()
		}
	}
}
