package samplecache

import (
	"maps"
	"math"
	"slices"
)

// roomPercent is how much of the bound is left in use when windows are dropped. The more goes at once, the rarer all windows
// are looked through.
const roomPercent = 90

// makeRoom drops the windows that were used longest ago when a tenant, or all together, take more memory than they may.
func (c *Cache) makeRoom(t *tenant) {
	if c.bytes.Load() <= c.opts.MaxBytes && t.size() <= t.maxBytes() {
		return
	}
	c.evictMu.Lock()
	defer c.evictMu.Unlock()
	if size, most := t.size(), t.maxBytes(); size > most {
		c.evict([]*tenant{t}, size-most*roomPercent/100)
	}
	if size, most := c.bytes.Load(), c.opts.MaxBytes; size > most {
		c.evict(c.list(), size-most*roomPercent/100)
	}
}

func (t *tenant) size() int64 {
	t.dataMu.RLock()
	defer t.dataMu.RUnlock()
	return t.bytes
}

// evict drops about so many bytes of windows: first those that were asked for once, and the longest unused of each sort.
func (c *Cache) evict(tenants []*tenant, bytes int64) {
	byRank, now := map[uint32]int64{}, c.tickNow()
	for _, t := range tenants {
		t.weigh(byRank, now)
	}
	var highest uint32 // that goes
	left := bytes
	for _, highest = range slices.Sorted(maps.Keys(byRank)) {
		if left -= byRank[highest]; left <= 0 {
			break
		}
	}
	// Of the highest rank that goes, only as much goes as is needed.
	left = byRank[highest] + left
	for _, t := range tenants {
		left = t.evict(highest, left, now)
	}
}

// weigh adds up the memory of windows by their rank.
func (t *tenant) weigh(byRank map[uint32]int64, now uint32) {
	t.dataMu.RLock()
	defer t.dataMu.RUnlock()
	for _, s := range t.series {
		for i := range s.windows {
			if w := &s.windows[i]; w.load == nil {
				byRank[w.rank(now)] += w.weight()
			}
		}
	}
}

// weight is the memory that goes with a window.
func (w *window) weight() int64 { return w.data.bytes() + seriesBytes/2 }

// evict drops the windows of lower ranks than highest, and of that rank so many bytes. It returns what is left of them.
func (t *tenant) evict(highest uint32, bytes int64, now uint32) int64 {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	removed := 0
	for fp, s := range t.series {
		removed += t.removeLocked(fp, s, func(w *window) bool {
			rank := w.rank(now)
			if w.load != nil || rank > highest || rank == highest && bytes <= 0 {
				return false
			}
			if rank == highest {
				bytes -= w.weight()
			}
			return true
		})
	}
	if len(t.series) == 0 {
		clear(t.metrics)
		t.first, t.last = math.MaxInt32, math.MinInt32
	}
	t.cache.metrics.evictions.Add(float64(removed))
	return bytes
}
