package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// deadStream keeps messages that could not be stored, newest 64 MiB of them, for inspection and replay.
const (
	deadStream   = "SEAMARK_DEAD"
	deadSubject  = "seamark.dead"
	deadMaxBytes = 64 << 20
)

// Headers of a dead letter.
const (
	headerSequence = "Seamark-Sequence"
	headerSegment  = "Seamark-Segment"
	headerTenant   = "Seamark-Tenant"
	headerReason   = "Seamark-Reason"
)

// DeadLetter is a message, or a segment of one, that could not be stored.
type DeadLetter struct {
	Number   uint64           // its sequence in the dead-letter stream; set by reading
	Time     time.Time        // when it was set aside; set by reading
	Shard    Shard            // where it came from
	Sequence uint64           // its sequence there
	Segment  int              // of the message; -1 when the whole message cannot be read
	Tenant   seamark.TenantID // "" when the message cannot be read
	Reason   string
	Data     []byte // a frame
}

func ensureDeadStream(ctx context.Context, js jetstream.JetStream, replicas int) error {
	_, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: deadStream, Description: "Seamark: messages that could not be stored", Subjects: []string{deadSubject + ".>"},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld, MaxBytes: deadMaxBytes,
		Replicas: replicas,
	})
	if err != nil {
		return fmt.Errorf("create stream %s: %w", deadStream, err)
	}
	return nil
}

// Bury keeps a dead letter and returns after it is stored. Burying it again changes nothing.
func (b *Bus) Bury(ctx context.Context, shard Shard, l *DeadLetter) error {
	msg := nats.NewMsg(deadSubject + "." + shard.String())
	msg.Header.Set(headerSequence, strconv.FormatUint(l.Sequence, 10))
	msg.Header.Set(headerSegment, strconv.Itoa(l.Segment))
	msg.Header.Set(headerTenant, string(l.Tenant))
	msg.Header.Set(headerReason, headerText(l.Reason))
	msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("%s.%d.%d", shard, l.Sequence, l.Segment))
	msg.Data = l.Data
	if _, err := b.opts.JS.PublishMsg(ctx, msg); err != nil {
		return fmt.Errorf("set message %d of %s aside: %w", l.Sequence, shard, err)
	}
	return nil
}

// headerText makes text fit a header line.
func headerText(s string) string {
	const most = 2000
	s = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s), "?")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return s
}

// DeadLetters reads and replays the dead-letter stream.
type DeadLetters struct {
	js     jetstream.JetStream
	stream jetstream.Stream
}

// OpenDeadLetters opens the dead-letter stream of a running installation.
func OpenDeadLetters(ctx context.Context, js jetstream.JetStream) (*DeadLetters, error) {
	stream, err := js.Stream(ctx, deadStream)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", deadStream, err)
	}
	return &DeadLetters{js: js, stream: stream}, nil
}

// List calls fn with the dead letters from the given number on, oldest first, until fn returns an error.
func (d *DeadLetters) List(ctx context.Context, from uint64, fn func(DeadLetter) error) error {
	info, err := d.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("read stream %s: %w", deadStream, err)
	}
	for number := max(from, info.State.FirstSeq); number <= info.State.LastSeq; number++ {
		letter, err := d.Find(ctx, number)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // replayed or discarded
		}
		if err != nil {
			return err
		}
		if err := fn(letter); err != nil {
			return err
		}
	}
	return nil
}

// Find returns one dead letter.
func (d *DeadLetters) Find(ctx context.Context, number uint64) (DeadLetter, error) {
	raw, err := d.stream.GetMsg(ctx, number)
	if err != nil {
		return DeadLetter{}, fmt.Errorf("find dead letter %d: %w", number, err)
	}
	l := DeadLetter{Number: number, Time: raw.Time, Reason: raw.Header.Get(headerReason), Tenant: seamark.TenantID(raw.Header.Get(headerTenant)), Data: raw.Data}
	l.Sequence, _ = strconv.ParseUint(raw.Header.Get(headerSequence), 10, 64)
	l.Segment, _ = strconv.Atoi(raw.Header.Get(headerSegment))
	signal, shard, _ := strings.Cut(strings.TrimPrefix(raw.Subject, deadSubject+"."), ".")
	of, _ := seamark.ParseSignal(signal) // we have written it
	l.Shard, err = parsePart(of, shard)
	return l, err
}

// Replay puts a dead letter back into its shard's stream and takes it out of the dead-letter stream. Doing it again after a
// failure between the two stores it once, because its message is known by its number.
func (d *DeadLetters) Replay(ctx context.Context, number uint64) error {
	l, err := d.Find(ctx, number)
	if err != nil {
		return err
	}
	if l.Tenant == "" {
		return seamark.Errorf(seamark.Unprocessable, "seamark-letter-unreadable",
			"Dead letter %d is a message that cannot be read (%s), so no tenant's table can take it. Remove it when it is of no use.", number, l.Reason)
	}
	msg := nats.NewMsg(l.Shard.subject() + "." + string(l.Tenant))
	msg.Header.Set(jetstream.MsgIDHeader, fmt.Sprintf("dead.%d.%d", l.Time.UnixNano(), number))
	msg.Data = l.Data
	if _, err := d.js.PublishMsg(ctx, msg); err != nil {
		return fmt.Errorf("replay dead letter %d: %w", number, err)
	}
	return d.Remove(ctx, number)
}

// Remove takes a dead letter out for good.
func (d *DeadLetters) Remove(ctx context.Context, number uint64) error {
	if err := d.stream.DeleteMsg(ctx, number); err != nil {
		return fmt.Errorf("remove dead letter %d: %w", number, err)
	}
	return nil
}
