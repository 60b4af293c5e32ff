package logtail

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// history is what the store held when the tail began. Messages that were being stored just then may have lines in it and
// come from the bus, too: those are told apart by what they are.
type history struct {
	last   []uint64       // by shard: messages up to this one may be in it
	shown  map[uint64]int // how often each line is in it, by its digest
	oldest int64          // nanoseconds; of older lines of the bus none is shown: they are before Start, or beyond the limit
}

// ahead is how far in the future the time of a stored line may lie.
const ahead = 48 * time.Hour

// begin sends the newest lines of the store. The readers have begun before, at messages that are not known to be stored, so
// that nothing falls between the two.
func (l *Tail) begin(ctx context.Context) error {
	h := &l.history
	h.oldest = l.params.Start.UnixNano()
	end := l.tailer.opts.Now().Add(ahead)
	if l.params.Limit > 0 && l.params.Start.Before(end) {
		found, err := l.tailer.opts.History.Query(ctx, l.tenant, engine.Params{
			Query: l.params.Query, Start: l.params.Start, End: end, Step: end.Sub(l.params.Start), Limit: l.params.Limit, Categorize: l.params.Categorize,
		})
		if err != nil {
			return err
		}
		h.remember(found, l.params.Limit)
		l.queue.push(found)
	} else {
		h.oldest = math.MaxInt64
	}
	for shard := range l.tailer.opts.Source.Shards() {
		_, last, err := l.tailer.opts.Source.Position(ctx, shard)
		if err != nil {
			return away(err)
		}
		h.last = append(h.last, last)
	}
	return nil
}

// remember notes the lines of the history, and turns them to oldest first.
func (h *history) remember(found *engine.Result, limit int) {
	h.shown = map[uint64]int{}
	lines, oldest := 0, int64(math.MaxInt64)
	for i := range found.Streams {
		s := &found.Streams[i]
		slices.Reverse(s.Entries)
		for k := range s.Entries {
			h.shown[digest(s.Labels, &s.Entries[k])]++
			oldest = min(oldest, s.Entries[k].Time)
			lines++
		}
	}
	if lines == limit {
		h.oldest = max(h.oldest, oldest)
	}
}

// mayHold reports whether lines of a message may be in the history.
func (h *history) mayHold(m *message) bool { return m.sequence <= h.last[m.shard] }

// remove takes out of a result what the history has shown, and what is older than what it may show.
func (h *history) remove(result *engine.Result) {
	for i := range result.Streams {
		s := &result.Streams[i]
		s.Entries = slices.DeleteFunc(s.Entries, func(e engine.Entry) bool {
			if e.Time < h.oldest {
				return true
			}
			d := digest(s.Labels, &e)
			if h.shown[d] == 0 {
				return false
			}
			h.shown[d]--
			return true
		})
	}
}

// digest tells lines apart by all that is shown of them.
func digest(labels []seamark.Label, e *engine.Entry) uint64 {
	h := xxhash.New()
	var at [8]byte
	binary.LittleEndian.PutUint64(at[:], uint64(e.Time))
	_, _ = h.Write(at[:])
	for _, list := range [][]seamark.Label{labels, e.Metadata, e.Parsed} {
		for _, l := range list {
			_, _ = h.WriteString(l.Name)
			_, _ = h.WriteString("\xff")
			_, _ = h.WriteString(l.Value)
			_, _ = h.WriteString("\xff")
		}
		_, _ = h.WriteString("\xfe")
	}
	_, _ = h.WriteString(e.Line)
	return h.Sum64()
}
