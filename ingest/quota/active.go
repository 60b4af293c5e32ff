package quota

import (
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// A series is active for an hour after its last row. Time is counted in epochs of a quarter of that, so a series is
// forgotten between 60 and 75 minutes after its last row, for one 4-byte number per series.
const (
	epochLength = 15 * time.Minute
	epochsKept  = 4 // whole epochs without a row after which a series is not active
)

func epochOf(now time.Time) uint32 { return uint32(now.Unix() / int64(epochLength/time.Second)) }

// kind is what is counted: metric series or log streams.
type kind int

const (
	series kind = iota
	streams
	kinds
)

// maxUnlimited bounds the fingerprints that are remembered for a cluster of which neither it nor its tenant has a limit:
// 24 MiB. What comes beyond is taken and not counted.
const maxUnlimited = 1_000_000

// activeSet is the active series of one kind of one cluster at this node: an exact set, about 24 bytes a series, beside
// the 1 KiB that the catalogue takes for each. It is bounded by the limit that it serves.
type activeSet struct {
	mu     sync.Mutex
	epochs map[uint64]uint32 // by fingerprint: the epoch of its last row
	sketch sketch            // of the same fingerprints
}

// unseen returns the indexes of the series that have not been counted in this epoch. Nearly always there is none: the mark
// spares a look-up in a set that no cache holds, which is 30 times as dear.
func unseen(list []*seamark.Series, epoch uint32) []int {
	var indexes []int
	for i, s := range list {
		if !s.Seen(epoch) {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

// touch notes a row of a series that is known already; false when it is not.
func (a *activeSet) touch(fp uint64, epoch uint32) bool {
	if _, known := a.epochs[fp]; !known {
		return false
	}
	a.epochs[fp] = epoch
	return true
}

func (a *activeSet) insert(fp uint64, epoch uint32) {
	if a.epochs == nil {
		a.epochs = map[uint64]uint32{}
	}
	a.epochs[fp] = epoch
	a.sketch.add(fp)
}

// expire forgets what has had no row for an hour and returns how many that were.
func (a *activeSet) expire(epoch uint32) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.epochs)
	a.sketch = sketch{}
	for fp, last := range a.epochs {
		if epoch-last > epochsKept {
			delete(a.epochs, fp)
			continue
		}
		a.sketch.add(fp)
	}
	if len(a.epochs) == 0 {
		a.epochs = nil // a map keeps the memory of its largest size
	}
	return before - len(a.epochs)
}

// mergeInto adds the set's sketch to another.
func (a *activeSet) mergeInto(s *sketch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.merge(a.sketch[:])
}

// gate decides whether one more series may be active in a scope.
type gate struct {
	limit int64 // 0 is none
	count int64 // active at this node
	// Where other nodes have series of the scope too, the room that is left of the limit is shared out at each refresh:
	// grant is how many new ones this node may still take until the next.
	shared bool
	grant  int64
}

func (g *gate) open() bool {
	switch {
	case g.limit == 0:
		return true
	case g.shared:
		return g.grant > 0
	}
	return g.count < g.limit
}

func (g *gate) pass() {
	g.count++
	g.grant--
}

// admitActive returns the refused ones among list, by index; nil when all may pass.
func (s *scope) admitActive(what kind, list []*seamark.Series, epoch uint32) (refused map[int]bool, by *scope) {
	set := &s.sets[what]
	fresh := unseen(list, epoch)
	if len(fresh) == 0 {
		return nil, nil
	}
	root := s.root()
	root.gateMu.Lock()
	defer root.gateMu.Unlock()
	set.mu.Lock()
	defer set.mu.Unlock()
	own, all := &s.gates[what], &root.gates[what]
	for _, i := range fresh {
		fp := list[i].FP
		switch {
		case set.touch(fp, epoch):
		case own.limit == 0 && all.limit == 0 && len(set.epochs) >= maxUnlimited:
		case own.open() && all.open():
			own.pass()
			if root != s {
				all.pass()
			}
			set.insert(fp, epoch)
		default:
			if refused == nil {
				refused, by = map[int]bool{}, root
				if !own.open() {
					by = s
				}
			}
			refused[i] = true
			continue
		}
		list[i].MarkSeen(epoch)
	}
	return refused, by
}

// expireActive forgets what is not active any more, at the turn of an epoch.
func (s *scope) expireActive(epoch uint32) {
	root := s.root()
	for what := range s.sets {
		gone := int64(s.sets[what].expire(epoch))
		root.gateMu.Lock()
		s.gates[what].count -= gone
		if root != s {
			root.gates[what].count -= gone
		}
		root.gateMu.Unlock()
	}
}
