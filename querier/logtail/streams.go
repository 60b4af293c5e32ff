package logtail

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// streams knows the labels of streams by fingerprint. Lines come without labels: those of a stream are in its first message of
// the day, which the tail may have missed, or which comes in another shard a moment later.
type streams struct {
	tail  *Tail
	known map[uint64]*known
	held  map[*gathered]time.Time // since when lines wait for their stream
	look  time.Time               // when the store may be asked again
}

// known is a stream; its labels are nil when the tail does not show it.
type known struct{ labels []seamark.Label }

const (
	// maxKnown bounds the streams that a tail remembers; it starts anew then.
	maxKnown = 500_000
	// maxHeld bounds the lines that wait for the labels of their stream.
	maxHeld = 100_000
	// lookEvery is how long it takes until the store is asked again for streams that it did not know.
	lookEvery = 300 * time.Millisecond
	// holdFor is how long lines wait for the labels of their stream.
	holdFor = 5 * time.Second
)

func newStreams(l *Tail) streams {
	return streams{tail: l, known: map[uint64]*known{}, held: map[*gathered]time.Time{}}
}

// learn remembers streams.
func (s *streams) learn(found []store.LogStream) {
	if len(s.known) > maxKnown {
		clear(s.known)
	}
	for i := range found {
		k := &known{}
		if s.tail.selector.Matches(found[i].Labels) {
			k.labels = found[i].Labels
		}
		s.known[found[i].FP] = k
	}
}

// unwanted reports whether a stream is known and not selected.
func (s *streams) unwanted(fp uint64) bool {
	k := s.known[fp]
	return k != nil && k.labels == nil
}

// resolve empties g and returns its lines of selected streams. Streams that no message has told of are looked up in the store;
// lines whose stream it does not know either stay in g for a while.
func (s *streams) resolve(ctx context.Context, g *gathered) (*store.LogBlock, error) {
	block := g.block
	g.block, g.bytes = nil, 0
	now := s.tail.tailer.opts.Now()
	if unknown := s.unknown(block); len(unknown) > 0 && !now.Before(s.look) {
		s.look = now.Add(lookEvery)
		found, err := s.tail.tailer.opts.Storage.LogStreamsByFP(ctx, s.tail.tenant, unknown)
		if err != nil {
			return nil, err
		}
		s.learn(found)
	}
	ready, rest := &store.LogBlock{}, &store.LogBlock{}
	for i := range block.Len() {
		switch k := s.known[block.FP[i]]; {
		case k == nil:
			rest.AppendRow(block, i)
		case k.labels != nil:
			ready.AppendRow(block, i)
		}
	}
	s.hold(g, rest)
	return ready, nil
}

func (s *streams) unknown(block *store.LogBlock) []uint64 {
	var list []uint64
	seen := map[uint64]bool{}
	for _, fp := range block.FP {
		if s.known[fp] == nil && !seen[fp] {
			seen[fp] = true
			list = append(list, fp)
		}
	}
	return list
}

// hold keeps lines of unknown streams for the next time, or drops them when they have waited long enough.
func (s *streams) hold(g *gathered, rest *store.LogBlock) {
	if rest.Len() == 0 {
		delete(s.held, g)
		return
	}
	now := s.tail.tailer.opts.Now()
	since, waits := s.held[g]
	switch {
	case !waits:
		s.held[g] = now
	case now.Sub(since) > holdFor || rest.Len() > maxHeld:
		delete(s.held, g)
		s.tail.queue.drop(rest)
		return
	}
	g.block = rest
}

// holds reports whether lines wait for their stream.
func (s *streams) holds() bool { return len(s.held) > 0 }

// of returns the streams of a block's rows.
func (s *streams) of(block *store.LogBlock) []store.LogStream {
	var list []store.LogStream
	seen := map[uint64]bool{}
	for _, fp := range block.FP {
		if !seen[fp] {
			seen[fp] = true
			list = append(list, store.LogStream{FP: fp, Labels: s.known[fp].labels})
		}
	}
	return list
}
