package logfilter

import (
	"context"
	"slices"
	"sync"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/store/gram"
)

const (
	// setBytes is about what a set takes.
	setBytes = gram.Size/8 + 64
	// fewGrams is the largest set that is kept as a list.
	fewGrams = 1024
)

// day holds the filters of a tenant's day.
type day struct {
	used    uint64 // guarded by the cache's lock, as counted is
	counted int64

	mu     sync.RWMutex // guards the fields below
	groups map[string]*group
	bytes  int64
}

// group holds the filters of a group that inserts up to one have stored.
type group struct {
	until int64 // the newest block
	runs  []run
	at    map[[2]int64]int // by start and end, a run's place
}

// run is a filter.
type run struct {
	start, end int64
	few        []uint16  // sorted, or nil
	set        *gram.Set // if few is nil
}

func (d *day) size() int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.bytes
}

// refresh reads what inserts up to a block have stored and is not here yet, of some groups.
func (d *day) refresh(ctx context.Context, source Source, key dayKey, groups []string, block int64) (store.LogStats, error) {
	var stats store.LogStats
	if d.fresh(groups, block) {
		return stats, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	stale := map[int64][]string{} // groups by what they have
	for _, name := range groups {
		g := d.groups[name]
		if g == nil {
			g = &group{until: -1, at: map[[2]int64]int{}}
			d.groups[name] = g
			d.bytes += setBytes / 8
		}
		if g.until < block {
			stale[g.until] = append(stale[g.until], name)
		}
	}
	for after, names := range stale {
		more, err := source.ReadLogFilters(ctx, key.tenant, store.LogFiltersQuery{Day: key.day, Groups: names, After: after}, func(f *store.LogRunFilter) error {
			d.add(d.groups[f.Group], f)
			return nil
		})
		stats = add(stats, more)
		if err != nil {
			return stats, err
		}
		for _, name := range names {
			d.groups[name].until = block
		}
	}
	return stats, nil
}

// fresh reports whether the groups have all up to a block.
func (d *day) fresh(groups []string, block int64) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return !slices.ContainsFunc(groups, func(name string) bool { g := d.groups[name]; return g == nil || g.until < block })
}

// add makes a filter part of the one of its run.
func (d *day) add(g *group, f *store.LogRunFilter) {
	key := [2]int64{f.Start, f.End}
	i, ok := g.at[key]
	if !ok {
		i = len(g.runs)
		g.at[key] = i
		g.runs = append(g.runs, run{start: f.Start, end: f.End})
	}
	r := &g.runs[i]
	d.bytes -= r.bytes()
	r.add(&f.Grams)
	d.bytes += r.bytes()
}

func (r *run) bytes() int64 {
	switch {
	case r.set != nil:
		return setBytes + 128
	case r.few != nil:
		return int64(2*cap(r.few)) + 128
	}
	return 0
}

func (r *run) add(grams *gram.Set) {
	if r.set != nil {
		r.set.Union(grams)
		return
	}
	all := *grams
	for _, n := range r.few {
		all.Insert(n)
	}
	if all.Len() <= fewGrams {
		r.few = all.List()
		return
	}
	r.few, r.set = nil, &all
}

// has reports whether all of grams are in the filter.
func (r *run) has(grams []uint16) bool {
	if r.set != nil {
		return r.set.Has(grams)
	}
	for _, n := range grams {
		if _, ok := slices.BinarySearch(r.few, n); !ok {
			return false
		}
	}
	return true
}

// find appends to ranges the runs of the groups that have what is wanted and touch the scope.
func (d *day) find(groups []string, scope *store.LogScope, wanted store.Grams, ranges []store.LogRange) []store.LogRange {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, name := range groups {
		g := d.groups[name]
		for i := range g.runs {
			if r := &g.runs[i]; r.start < scope.End && r.end > scope.Start && wanted.In(r.has) {
				ranges = append(ranges, store.LogRange{Group: name, Start: r.start, End: r.end})
			}
		}
	}
	return ranges
}
