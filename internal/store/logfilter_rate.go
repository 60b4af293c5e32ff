package store

import (
	"math/bits"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// A filter covers a run of time of one group: 2^bits nanoseconds from a multiple of that. The run is chosen by how fast the
// group writes, so that a filter holds about filterBytes of lines: fewer would cost more bytes per line, and with more nearly
// every id seems to be there.
const (
	filterBytes = 640 << 10
	leastBits   = 28 // 0.27 s
	mostBits    = 46 // 19.5 h
	// maxRates bounds the groups whose speed is remembered; of the others it is judged by one block.
	maxRates = 1 << 16
	// forgetAfter is how far from what was seen a block must lie for its group to be judged anew: it is filled in later.
	forgetAfter = int64(time.Hour)
)

// groupRates remembers how fast groups of all tenants write, in bytes per time of their lines.
type groupRates struct {
	mu    sync.Mutex
	rates map[rateKey]*groupRate
}

type rateKey struct {
	tenant seamark.TenantNumber
	group  string
}

// groupRate is what a group wrote between two times.
type groupRate struct {
	from, to int64
	bytes    float64
	bits     uint8
}

// observe takes lines of a group into account and returns the run that their filters have.
func (r *groupRates) observe(tenant seamark.TenantNumber, group string, seen groupRate) uint8 {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := rateKey{tenant, group}
	known := r.rates[key]
	if known == nil {
		if r.rates == nil {
			r.rates = map[rateKey]*groupRate{}
		}
		for old := range r.rates {
			if len(r.rates) < maxRates {
				break
			}
			delete(r.rates, old)
		}
		known = &groupRate{from: seen.from, to: seen.to}
		key.group = string([]byte(group)) // not the segment that it is part of
		r.rates[key] = known
	}
	known.add(seen)
	return known.bits
}

func (g *groupRate) add(seen groupRate) {
	if seen.from > g.to+forgetAfter || seen.to < g.from-forgetAfter {
		*g = groupRate{from: seen.from, to: seen.to}
	}
	g.from, g.to, g.bytes = min(g.from, seen.from), max(g.to, seen.to), g.bytes+seen.bytes
	if g.bytes > 4*filterBytes { // what is long ago counts half
		g.bytes /= 2
		g.from = g.to - (g.to-g.from)/2
	}
	perNano := g.bytes / float64(max(g.to-g.from, int64(time.Second)))
	if run := perNano * float64(uint64(1)<<g.bits); g.bits == 0 || run > 1.25*filterBytes || run < filterBytes/4 {
		length := bits.Len64(uint64(min(filterBytes/perNano, 1<<mostBits)))
		g.bits = uint8(max(min(length-1, mostBits), leastBits))
	}
}
