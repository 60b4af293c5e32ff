package forward

import (
	"sort"
	"time"
)

// waiting is the tenant's messages of a shard that the target does not have yet, oldest first, as far as they have arrived.
// Each takes 16 bytes, and a stream is bounded, so the list is. It knows of messages that a purge has taken meanwhile, which
// the stream does not.
type waiting struct {
	list []arrived
	read uint64 // the newest message that was read
	seen uint64 // the newest message that has arrived
}

type arrived struct {
	sequence uint64
	at       int64 // seconds since 1970
}

// arrive notes a message.
func (w *waiting) arrive(sequence uint64, at time.Time) {
	if sequence > w.seen {
		w.seen = sequence
		w.list = append(w.list, arrived{sequence, at.Unix()})
	}
}

// after returns the index of the first message behind sequence.
func (w *waiting) after(sequence uint64) int {
	return sort.Search(len(w.list), func(i int) bool { return w.list[i].sequence > sequence })
}

// pass notes that a message was read, and returns the messages before it that were not: a stream gives all it has.
func (w *waiting) pass(sequence uint64) []arrived {
	from, to := w.after(w.read), w.after(sequence-1)
	w.read = max(w.read, sequence)
	if from >= to {
		return nil
	}
	lost := append([]arrived(nil), w.list[from:to]...)
	w.list = append(w.list[:from], w.list[to:]...)
	return lost
}

// done forgets the messages up to sequence.
func (w *waiting) done(sequence uint64) {
	w.read, w.seen = max(w.read, sequence), max(w.seen, sequence)
	if n := w.after(sequence); n == len(w.list) {
		w.list = w.list[:0]
	} else {
		w.list = w.list[n:]
	}
}

// missed counts the messages that a stream that begins at first has not given and will not give.
func (w *waiting) missed(first uint64) uint64 {
	if first == 0 {
		return 0
	}
	return uint64(max(0, w.after(first-1)-w.after(w.read)))
}

// oldest returns when the oldest message came that the target can still get; zero for none.
func (w *waiting) oldest(first uint64) time.Time {
	i := 0
	if n := w.after(w.read); n == 0 && first > 0 {
		i = w.after(first - 1)
	}
	if i == len(w.list) {
		return time.Time{}
	}
	return time.Unix(w.list[i].at, 0).UTC()
}
