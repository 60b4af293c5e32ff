package ingest

import (
	"context"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/bus"
)

// tail is what stays in a shard's stream behind the checkpoint. It has two uses: a ClickHouse that lost its last seconds in
// a power failure can be filled again, and a NATS server that starts again knows repeats of requests by the messages that
// it still holds, and by nothing else.
type tail struct {
	marks  []mark // where the checkpoint stood, oldest first
	looked uint64 // the checkpoint when the stream's size was last asked for
	purged uint64
}

// mark says that all up to a message was stored at some time.
type mark struct {
	at       time.Time
	sequence uint64
}

// marksPerTail is how finely the tail's age is known.
const marksPerTail = 20

// aged notes the checkpoint and returns the last message that has been stored for longer than age; 0 for none.
func (t *tail) aged(now time.Time, sequence uint64, age time.Duration) uint64 {
	if n := len(t.marks); n == 0 || now.Sub(t.marks[n-1].at) >= age/marksPerTail {
		t.marks = append(t.marks, mark{now, sequence})
	}
	young := slices.IndexFunc(t.marks, func(m mark) bool { return now.Sub(m.at) < age })
	if young < 1 {
		return 0
	}
	t.marks = slices.Delete(t.marks, 0, young-1) // the newest old one stays
	return t.marks[0].sequence
}

// excess returns the last of the messages that make the tail larger than most, as if all messages had one size; it is
// looked at again, so that it comes out right in the end. 0 is for none.
func excess(s *bus.State, sequence uint64, most int64) uint64 {
	if sequence < s.First || s.Last < s.First {
		return 0
	}
	stored := sequence - s.First + 1
	size := float64(s.Bytes) * float64(stored) / float64(s.Last-s.First+1)
	if size <= float64(most) {
		return 0
	}
	return sequence - uint64(float64(stored)*float64(most)/size)
}

// purge removes what lies behind the tail. Without the bound of bytes a stream of large messages would be full of what is
// stored, and take no more.
func (w *shardWriter) purge(ctx context.Context) {
	t, sequence := &w.tail, w.state.Sequence
	last := t.aged(w.opts.Now(), sequence, w.opts.TailAge)
	if t.looked != sequence {
		state, err := w.opts.Bus.State(ctx, w.shard)
		if err != nil {
			w.log.Warn("stream not purged", "err", err)
			return
		}
		behind := excess(&state, sequence, w.opts.TailBytes)
		if behind == 0 {
			t.looked = sequence
		}
		last = max(last, behind)
	}
	if w.state.Waiting > 0 {
		last = min(last, w.state.Waiting-1) // a successor reads the counts that wait from the messages
	}
	if last <= t.purged {
		return
	}
	if err := w.opts.Bus.Purge(ctx, w.shard, last+1); err != nil {
		w.log.Warn("stream not purged", "err", err)
		return
	}
	t.purged = last
}
