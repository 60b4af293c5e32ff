package store

import (
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store/gram"
)

// A filter covers a run of time of one group: 2^bits nanoseconds from a multiple of that. How long a run may be depends on how
// much a group writes and on how much of that is new: a set with more than half of all grams finds most ids by chance, and one
// with few of them costs more bytes per line than it must. So it is measured how long the sets of a group take to fill.
const (
	// fullShare is the share of all grams that a full set has.
	fullShare = 0.55
	leastBits = 28 // 0.27 s
	mostBits  = 46 // 19.5 h
	// firstBytes is how many bytes of lines fill a set of a group that nothing is known of.
	firstBytes = 256 << 10
	// sampleWords is how much of a set is looked at.
	sampleWords = 64
	// maxRuns bounds the groups that are remembered; the others are judged by one block each time.
	maxRuns = 1 << 15
	// forgetAfter is how far from what was seen lines must lie to be of another time: they are filled in later.
	forgetAfter = int64(time.Hour)
)

// groupRuns remembers how long the runs of groups are, of all tenants.
type groupRuns struct {
	mu   sync.Mutex
	runs map[runKey]*groupRun
}

type runKey struct {
	tenant seamark.TenantNumber
	group  string
}

// groupRun is what is known of one group.
type groupRun struct {
	from, to int64               // times that sample has seen
	sample   [sampleWords]uint64 // a part of the set of all grams between them
	fillsIn  float64             // nanoseconds in which a set fills
	bits     uint8
}

// groupLines is how many bytes of lines a group has between two times.
type groupLines struct {
	from, to int64
	bytes    float64
}

// add takes other lines of the group in.
func (l *groupLines) add(o groupLines) {
	if l.bytes == 0 && l.to == 0 {
		l.from, l.to = o.from, o.to
	}
	l.from, l.to, l.bytes = min(l.from, o.from), max(l.to, o.to), l.bytes+o.bytes
}

// of returns the run of a group's filters.
func (r *groupRuns) of(key runKey, lines groupLines) uint8 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.runs[key]; known != nil {
		return known.bits
	}
	return runBits(firstBytes * float64(max(lines.to-lines.from, int64(time.Second))) / max(lines.bytes, 1))
}

// learn takes a filter of a group into account, which has lines between two times.
func (r *groupRuns) learn(key runKey, set *gram.Set, from, to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.runs[key]
	if known == nil {
		if r.runs == nil {
			r.runs = map[runKey]*groupRun{}
		}
		for old := range r.runs {
			if len(r.runs) < maxRuns {
				break
			}
			delete(r.runs, old)
		}
		known = &groupRun{from: from, to: to}
		key.group = string([]byte(key.group)) // not the segment that it is part of
		r.runs[key] = known
	}
	known.learn(set, from, to)
}

func (g *groupRun) learn(set *gram.Set, from, to int64) {
	if from > g.to+forgetAfter || to < g.from-forgetAfter {
		g.from, g.to, g.sample = from, to, [sampleWords]uint64{}
	}
	g.from, g.to = min(g.from, from), max(g.to, to)
	n := 0
	for i := range g.sample {
		g.sample[i] |= set[i]
		n += bits.OnesCount64(g.sample[i])
	}
	took, share := float64(max(g.to-g.from, int64(time.Second))), float64(max(n, 1))/(64*sampleWords)
	if share < fullShare {
		// New grams become rarer, so what is left takes longer than what was: how much longer is a guess until it was seen once.
		guess := took * math.Pow(fullShare/share, 1.5)
		if g.fillsIn == 0 || took > g.fillsIn || share < fullShare/2 && g.bits == 0 {
			g.settle(guess)
		}
		return
	}
	if g.fillsIn > 0 {
		took = math.Sqrt(took * g.fillsIn)
	}
	g.settle(took)
	g.fillsIn = took
	g.from, g.to, g.sample = to, to, [sampleWords]uint64{}
}

// settle takes the longest run that does not fill a set, and keeps what it has while that is nearly right.
func (g *groupRun) settle(fillsIn float64) {
	if has := float64(uint64(1) << g.bits); g.bits == 0 || fillsIn < 0.8*has || fillsIn > 2.5*has {
		g.bits = runBits(fillsIn)
	}
}

// runBits returns the longest run of at most so many nanoseconds.
func runBits(nanos float64) uint8 {
	return uint8(max(min(bits.Len64(uint64(min(nanos, 1<<mostBits)))-1, mostBits), leastBits))
}
