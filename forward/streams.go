package forward

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// streams knows the labels of streams by fingerprint. A stream's labels are in the first message of the day that uses it; one
// that came before a run began is looked up in the store.
type streams struct {
	shard *shardRun
	known map[uint64]known
}

// known is a stream; its labels are nil when the filter does not select it.
type known struct {
	selected bool
	stream   store.LogStream
}

const (
	// maxKnown bounds the streams that a run remembers; it starts anew then.
	maxKnown = 200_000
	// lookEvery is how long it takes until the store is asked again for streams that it did not know.
	lookEvery = 300 * time.Millisecond
)

// errUnlabelled says that rows have no stream: the store has taken their message and does not know it.
func errUnlabelled() error {
	return seamark.Errorf(seamark.Unprocessable, "seamark-forwarder-unlabelled", "The labels of the rows' streams are not known: the store has the rows and not their streams.")
}

func newStreams(w *shardRun) streams { return streams{shard: w, known: map[uint64]known{}} }

// learn remembers streams.
func (s *streams) learn(found []store.LogStream) {
	if len(s.known) > maxKnown {
		clear(s.known)
	}
	for i := range found {
		k := known{selected: s.shard.filter.Selects(found[i].Labels)}
		if k.selected {
			k.stream = found[i]
		}
		s.known[found[i].FP] = k
	}
}

// of returns the selected streams of a block, and how many of its rows have a stream that nobody knows. It waits until that is
// certain: as long as the message is not stored, its streams may be on their way.
func (s *streams) of(ctx context.Context, sequence uint64, block *store.LogBlock) (selected []store.LogStream, unknown int, err error) {
	missing := s.missing(block)
	for len(missing) > 0 {
		certain, err := s.lookUp(ctx, sequence, missing)
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		if missing = s.missing(block); len(missing) == 0 || certain {
			break
		}
		reason := "the labels of streams are not stored yet"
		if err != nil {
			reason = "the store does not tell the labels of streams"
		}
		s.block(reason)
		if err := pause(ctx, lookEvery); err != nil {
			return nil, 0, err
		}
	}
	s.block("")
	seen := map[uint64]bool{}
	for _, fp := range block.FP {
		k, ok := s.known[fp]
		switch {
		case !ok:
			unknown++
		case k.selected && !seen[fp]:
			seen[fp] = true
			selected = append(selected, k.stream)
		}
	}
	return selected, unknown, nil
}

// block notes why nothing is read; "" when it is.
func (s *streams) block(reason string) {
	s.shard.mu.Lock()
	defer s.shard.mu.Unlock()
	if s.shard.progress.Blocked != reason {
		s.shard.progress.Blocked, s.shard.dirty = reason, true
	}
}

// lookUp asks the store for streams, and reports whether what it did not tell is not to be had.
func (s *streams) lookUp(ctx context.Context, sequence uint64, fps []uint64) (certain bool, err error) {
	o := &s.shard.service.opts
	stored, err := o.Stored(ctx, s.shard.shard) // before the streams: what is stored by now, the answer has
	if err != nil {
		return false, err
	}
	found, err := o.Streams.LogStreamsByFP(ctx, s.shard.doc.Tenant, fps)
	if err != nil {
		return false, err
	}
	s.learn(found)
	return stored >= sequence, nil
}

func (s *streams) missing(block *store.LogBlock) []uint64 {
	var list []uint64
	seen := map[uint64]bool{}
	for _, fp := range block.FP {
		if _, ok := s.known[fp]; !ok && !seen[fp] {
			seen[fp] = true
			list = append(list, fp)
		}
	}
	return list
}
