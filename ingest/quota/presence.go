package quota

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Docs is a bucket of small JSON documents that are changed by compare-and-set, as *bus.Docs is. Find returns revision 0
// for a document that is not there; Save fails when the revision has moved on.
type Docs[T any] interface {
	Find(ctx context.Context, key string) (T, uint64, error)
	Save(ctx context.Context, key string, doc T, revision uint64) (uint64, error)
}

// Presence is what an ingest node tells the others every second. It stands in one of a row of numbered slots, which nodes
// that are gone leave to their successors.
type Presence struct {
	Node   string           `json:"node"` // "" when the node handed its slot back
	Beat   uint64           `json:"beat"` // rises with every write, so that each is seen
	At     time.Time        `json:"at"`   // by the node's clock, for people and the API alone
	Scopes map[string]Stake `json:"scopes,omitempty"`
}

// Stake is a node's part in the limits of a tenant (`<tenant>`) or a cluster (`<tenant>.<cluster>`).
type Stake struct {
	Demand  float64  `json:"demand,omitempty"` // as a part of the limit
	Share   float64  `json:"share,omitempty"`  // that the node uses, as a part of the limit
	Asked   [2]int64 `json:"asked"`            // bytes and rows a second that senders try
	Taken   [2]int64 `json:"taken"`            // bytes and rows a second that were admitted
	Active  [2]int64 `json:"active"`           // series and streams
	Sketch  []byte   `json:"sketch,omitempty"` // of the series, once they come near the limit
	Sketch2 []byte   `json:"sketch2,omitempty"`
}

func (s *Stake) sketchOf(what kind) []byte {
	if what == series {
		return s.Sketch
	}
	return s.Sketch2
}

const (
	// deadAfter is how long a node may be silent before the others share its part. With a beat a second it takes at most
	// five seconds to notice that a node is gone.
	deadAfter = 4 * time.Second
	// vacantAfter is how long a node is silent before its slot may be taken.
	vacantAfter = time.Minute
	// maxSlots bounds the row of slots, and with it what a refresh reads.
	maxSlots = 256
)

var errNoSlot = errors.New("quota: every presence slot is taken by a node that is alive")

// board is the row of slots as this node sees it. Ages are taken on this node's clock alone: a node is alive while its
// document changes.
type board struct {
	docs Docs[Presence]
	node string
	rows []slot
	mine int // index of this node's slot, -1 while it has none
	beat uint64
}

type slot struct {
	presence Presence
	revision uint64
	changed  time.Time
}

func presenceKey(n int) string { return "presence." + strconv.Itoa(n) }

// read brings the others' slots up to date.
func (b *board) read(ctx context.Context, now time.Time) error {
	for n := 0; n < maxSlots; n++ {
		if n == b.mine {
			continue
		}
		doc, revision, err := b.docs.Find(ctx, presenceKey(n))
		if err != nil {
			return fmt.Errorf("read presence: %w", err)
		}
		if revision == 0 {
			if b.rows = b.rows[:min(n, len(b.rows))]; b.mine >= n {
				b.mine = -1 // the bucket was made anew
			}
			return nil
		}
		if n == len(b.rows) {
			b.rows = append(b.rows, slot{})
		}
		if row := &b.rows[n]; row.revision != revision {
			*row = slot{presence: doc, revision: revision, changed: now}
		}
	}
	return nil
}

// others returns what the nodes that are alive have said, without this one.
func (b *board) others(now time.Time) []*Presence {
	var list []*Presence
	for n := range b.rows {
		row := &b.rows[n]
		if n != b.mine && row.presence.Node != "" && row.presence.Node != b.node && now.Sub(row.changed) < deadAfter {
			list = append(list, &row.presence)
		}
	}
	return list
}

// publish writes this node's slot and takes one first where it has none. taken says that the slot is new.
func (b *board) publish(ctx context.Context, now time.Time, scopes map[string]Stake) (taken bool, err error) {
	at, revision := b.mine, uint64(0)
	if taken = at < 0; taken {
		if at = b.vacant(now); at == maxSlots {
			return false, errNoSlot
		}
	}
	if at < len(b.rows) {
		revision = b.rows[at].revision
	}
	b.beat++
	doc := Presence{Node: b.node, Beat: b.beat, At: now.UTC(), Scopes: scopes}
	revision, err = b.docs.Save(ctx, presenceKey(at), doc, revision)
	if err != nil {
		// Somebody else may have taken the slot, or the answer was lost: the next refresh reads all slots and finds out.
		b.mine = -1
		return false, fmt.Errorf("publish presence: %w", err)
	}
	if at == len(b.rows) {
		b.rows = append(b.rows, slot{})
	}
	b.rows[at], b.mine = slot{presence: doc, revision: revision, changed: now}, at
	return taken, nil
}

// vacant returns the slot to take: the one that this node had before, one that is free, or a new one.
func (b *board) vacant(now time.Time) int {
	for n := range b.rows {
		if b.rows[n].presence.Node == b.node {
			return n
		}
	}
	for n := range b.rows {
		if b.rows[n].presence.Node == "" || now.Sub(b.rows[n].changed) > vacantAfter {
			return n
		}
	}
	return len(b.rows)
}

// leave hands the slot back, so that the others need not wait to share this node's part.
func (b *board) leave(ctx context.Context, now time.Time) error {
	if b.mine < 0 {
		return nil
	}
	b.beat++
	_, err := b.docs.Save(ctx, presenceKey(b.mine), Presence{Beat: b.beat, At: now.UTC()}, b.rows[b.mine].revision)
	b.mine = -1
	if err != nil {
		return fmt.Errorf("leave presence: %w", err)
	}
	return nil
}
