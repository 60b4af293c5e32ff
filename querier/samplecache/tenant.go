package samplecache

import (
	"math"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// tenant is what is held of one tenant.
type tenant struct {
	cache *Cache
	id    seamark.TenantID
	slots chan struct{} // of loads that run at once

	usedAt time.Time // guarded by the cache's lock

	freshness

	reader reader // of refreshes, which run one at a time

	dataMu  sync.RWMutex // guards the fields below; no other lock is taken while it is held
	series  map[uint64]*series
	metrics map[string]struct{}          // those of the series, and of some that are gone
	shown   map[int32][]store.SamplePart // the listing that the last refresh ended with, by day
	first   int32                        // no series has a window before it, or after last
	last    int32
	bytes   int64
	dropped bool
	loaded  density
	added   bool // windows were registered since the next ones were opened
	// histograms are the metrics that have native histograms; nil until they are known.
	histograms map[string]struct{}
}

// density is what loads have found, for estimates of what others will find.
type density struct{ windows, samples, bytes float64 }

const (
	// guessSamples and guessBytes are what a window is taken for before any was loaded: a sample every 15 s.
	guessSamples, guessBytes = 480, 2048
	// guessWindows is how many windows the guess weighs.
	guessWindows = 100
	// densityWindows is after how many windows older ones begin to count less.
	densityWindows = 1 << 20
	// maxLoads is how many loads of a tenant run at once. Without it they take all of its connections, and the refreshes that
	// queries wait for have none.
	maxLoads = 2
)

func newTenant(c *Cache, id seamark.TenantID) *tenant {
	t := &tenant{cache: c, id: id, slots: make(chan struct{}, maxLoads), series: map[uint64]*series{}, metrics: map[string]struct{}{}}
	t.loaded = density{guessWindows, guessWindows * guessSamples, guessWindows * guessBytes}
	t.ended = make(chan struct{})
	t.first, t.last = math.MaxInt32, math.MinInt32
	t.reader.mark = -1
	return t
}

// accountLocked notes that the tenant takes so much more memory.
func (t *tenant) accountLocked(bytes int64) {
	if bytes == 0 || t.dropped {
		return
	}
	t.bytes += bytes
	t.cache.metrics.bytes.Set(float64(t.cache.bytes.Add(bytes)))
}

// drop lets go of everything. Queries under way end with what they have.
func (t *tenant) drop() {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	t.accountLocked(-t.bytes)
	t.dropped = true
	t.series = map[uint64]*series{}
}

// setLocked replaces a window's block.
func (t *tenant) setLocked(w *window, b *block) {
	t.accountLocked(b.bytes() - w.data.bytes())
	w.data = b
}

// seriesLocked returns a series, a new one when there is none.
func (t *tenant) seriesLocked(fp uint64) *series {
	s := t.series[fp]
	if s == nil {
		s = &series{}
		t.series[fp] = s
		t.accountLocked(s.bytes())
	}
	return s
}

// removeLocked removes the windows of a series for which gone is true, and the series when none is left.
func (t *tenant) removeLocked(fp uint64, s *series, gone func(*window) bool) (removed int) {
	kept := 0
	for i := range s.windows {
		if w := &s.windows[i]; gone(w) {
			t.accountLocked(-w.data.bytes())
			removed++
			continue
		}
		s.windows[kept] = s.windows[i]
		kept++
	}
	clear(s.windows[kept:])
	before := s.bytes()
	s.windows = s.windows[:kept]
	switch {
	case kept == 0:
		delete(t.series, fp)
		t.accountLocked(-before)
	case kept < cap(s.windows)/2:
		s.windows = append(make([]window, 0, kept), s.windows...)
		t.accountLocked(s.bytes() - before)
	}
	return removed
}

// maxBytes is the memory that one tenant may have.
func (t *tenant) maxBytes() int64 { return t.cache.opts.MaxBytes / tenantShare }

// note adds what a load has found.
func (d *density) note(windows, samples int, bytes int64) {
	if d.windows > densityWindows {
		d.windows, d.samples, d.bytes = d.windows/2, d.samples/2, d.bytes/2
	}
	d.windows, d.samples, d.bytes = d.windows+float64(windows), d.samples+float64(samples), d.bytes+float64(bytes)
}

// estimate returns about how many samples and bytes so many windows have.
func (d *density) estimate(windows int) (samples, bytes float64) {
	n := float64(windows)
	return n * d.samples / d.windows, n * d.bytes / d.windows
}

// hasHistograms reports whether one of the metrics may have native histograms.
func (t *tenant) hasHistograms(metrics []string) bool {
	t.dataMu.RLock()
	defer t.dataMu.RUnlock()
	if t.histograms == nil {
		return true
	}
	if len(t.histograms) == 0 {
		return false
	}
	for _, name := range metrics {
		if _, ok := t.histograms[name]; ok {
			return true
		}
	}
	return false
}
