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
	stored []uint64       // by shard: all messages up to this one were in the store when the tail was opened
	opened []uint64       // by shard: the newest message when the tail was opened
	read   []uint64       // by shard: the newest message after the store was read
	shown  map[uint64]int // how often each line is in it, by its digest
	oldest int64          // nanoseconds; of what came earlier older lines are not shown: they are before Start, or beyond the limit
}

// mark notes how far the shards are.
func (h *history) mark(ctx context.Context, s Source, tenant seamark.TenantID) error {
	shards, err := s.Shards(tenant)
	if err != nil {
		return err
	}
	for shard := range shards {
		stored, last, err := s.Position(ctx, tenant, shard)
		if err != nil {
			return away(err)
		}
		h.stored, h.opened = append(h.stored, stored), append(h.opened, last)
	}
	return nil
}

// phaseOf returns when a message came.
func (h *history) phaseOf(m *message) phase {
	switch {
	case m.sequence <= h.opened[m.shard]:
		return earlier
	case m.sequence <= h.read[m.shard]:
		return between
	}
	return live
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
	for shard := range h.opened {
		_, last, err := l.tailer.opts.Source.Position(ctx, l.tenant, shard)
		if err != nil {
			return away(err)
		}
		h.read = append(h.read, last)
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

// remove takes out of a result what the history has shown, and of what came earlier what is older than the history may be.
func (h *history) remove(result *engine.Result, came phase) {
	if came == live {
		return
	}
	for i := range result.Streams {
		s := &result.Streams[i]
		s.Entries = slices.DeleteFunc(s.Entries, func(e engine.Entry) bool {
			if came == earlier && e.Time < h.oldest {
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
