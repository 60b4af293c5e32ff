package samplecache

import (
	"maps"
	"math"
	"slices"
	"sync/atomic"
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

// evict drops about so many bytes of windows, the longest unused first.
func (c *Cache) evict(tenants []*tenant, bytes int64) {
	byUse := map[uint32]int64{}
	for _, t := range tenants {
		t.weigh(byUse)
	}
	var newest uint32 // the newest use that goes
	left := bytes
	for _, newest = range slices.Sorted(maps.Keys(byUse)) {
		if left -= byUse[newest]; left <= 0 {
			break
		}
	}
	// Of the newest use that goes, only as much goes as is needed.
	left = byUse[newest] + left
	for _, t := range tenants {
		left = t.evict(newest, left)
	}
}

// weigh adds up the memory of windows by their last use.
func (t *tenant) weigh(byUse map[uint32]int64) {
	t.dataMu.RLock()
	defer t.dataMu.RUnlock()
	for _, s := range t.series {
		for i := range s.windows {
			if w := &s.windows[i]; w.load == nil {
				byUse[atomic.LoadUint32(&w.used)] += w.weight()
			}
		}
	}
}

// weight is the memory that goes with a window.
func (w *window) weight() int64 { return w.data.bytes() + seriesBytes/2 }

// evict drops the windows whose last use is before newest, and of that use so many bytes. It returns what is left of them.
func (t *tenant) evict(newest uint32, bytes int64) int64 {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	removed := 0
	for fp, s := range t.series {
		removed += t.removeLocked(fp, s, func(w *window) bool {
			if w.load != nil || w.used > newest || w.used == newest && bytes <= 0 {
				return false
			}
			if w.used == newest {
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
