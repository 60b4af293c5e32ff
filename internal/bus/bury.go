package bus

import (
	"context"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// deadStream keeps messages that could not be read, newest 64 MiB of them, for inspection and replay.
const (
	deadStream   = "SEAMARK_DEAD"
	deadSubject  = "seamark.dead"
	deadMaxBytes = 64 << 20
)

func (b *Bus) ensureDeadStream(ctx context.Context) error {
	_, err := b.opts.JS.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: deadStream, Description: "Seamark: messages that could not be read", Subjects: []string{deadSubject + ".>"},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: deadMaxBytes,
		Replicas: b.opts.Replicas,
	})
	if err != nil {
		return fmt.Errorf("create stream %s: %w", deadStream, err)
	}
	return nil
}

// Bury keeps a message that could not be read, with its reason, and returns after it is stored.
func (b *Bus) Bury(ctx context.Context, shard Shard, sequence uint64, reason string, data []byte) error {
	msg := nats.NewMsg(deadSubject + "." + shard.String())
	msg.Header.Set("Seamark-Sequence", strconv.FormatUint(sequence, 10))
	msg.Header.Set("Seamark-Reason", reason)
	msg.Header.Set(jetstream.MsgIDHeader, shard.String()+"."+strconv.FormatUint(sequence, 10))
	msg.Data = data
	if _, err := b.opts.JS.PublishMsg(ctx, msg); err != nil {
		return fmt.Errorf("set message %d of %s aside: %w", sequence, shard, err)
	}
	return nil
}
