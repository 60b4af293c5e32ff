package samplecache

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// The times that the store can hold, as it clamps them: those of a Date.
const (
	minMilli = 0
	maxMilli = 65535 * 24 * 3600_000
)

const (
	// maxWindows is how many windows of one series a query may look at, 40 days. Beyond it nothing is kept by the store.
	maxWindows = 40 * windowsPerDay
	// maxRounds is how often a query looks for its windows. The first round has them loaded; later ones find that some were
	// dropped meanwhile.
	maxRounds = 4
)

// gathered is what a query reads: blocks, which no longer change.
type gathered struct {
	*query
	blocks []*block
	ends   []int // per fingerprint: the end of its blocks
}

// query is a query of samples in windows.
type query struct {
	*store.MetricSamplesQuery
	from, to    int64  // both included
	first, last int32  // windows; first > last when none has samples
	blank       []bool // per window: no part of the store has samples in it
	lacked      int    // windows of series that were not there, and were read for the query
	now         uint32
}

// windows returns how many windows of series the query looks at.
func (q *query) windows() int { return len(q.FPs) * int(q.last-q.first+1) }

// gather finds what a query reads, or returns why it is the store's. The error is the context's.
func (c *Cache) gather(ctx context.Context, id seamark.TenantID, sq *store.MetricSamplesQuery) (*gathered, string, error) {
	q := &query{MetricSamplesQuery: sq, from: max(sq.StartMilli, minMilli), to: min(sq.EndMilli, maxMilli), now: c.tickNow()}
	switch {
	case q.FPs == nil || q.Limit < 1:
		return nil, "query", nil
	case q.from > q.to || windowOf(q.to)-windowOf(q.from) >= maxWindows:
		return nil, "range", nil
	}
	t := c.tenant(id)
	if t == nil {
		return nil, "closed", nil
	}
	if reason := t.fresh(ctx); reason != "" {
		return nil, reason, nil
	}
	g := &gathered{query: q}
	for round := range maxRounds {
		if t.collect(g) {
			if round == 0 {
				c.metrics.hits.Add(float64(q.windows()))
			}
			return g, "", nil
		}
		reason, err := t.load(ctx, q)
		if reason != "" || err != nil {
			return nil, reason, err
		}
	}
	return nil, "contention", nil
}

// surveyLocked finds out which windows the query looks at, by the last listing: a window in which no part has samples needs
// no load, and must not have one, because nothing would tell that the rows of a part which it alone has seen are gone.
func (t *tenant) surveyLocked(q *query) {
	q.first, q.last, q.blank = windowOf(q.from), windowOf(q.to), q.blank[:0]
	for n := q.first; n <= q.last; n++ {
		blank := empty(t.shown[n/windowsPerDay], n)
		if blank && n == q.first {
			q.first++
			continue
		}
		q.blank = append(q.blank, blank)
	}
	for len(q.blank) > 0 && q.blank[len(q.blank)-1] {
		q.blank = q.blank[:len(q.blank)-1]
		q.last--
	}
}

// collect takes the blocks of the query's windows. It reports false when some are not there.
func (t *tenant) collect(g *gathered) bool {
	t.dataMu.RLock()
	defer t.dataMu.RUnlock()
	t.surveyLocked(g.query)
	g.blocks, g.ends = g.blocks[:0], g.ends[:0]
	if n := g.windows(); cap(g.blocks) < n {
		g.blocks = make([]*block, 0, n)
	}
	if cap(g.ends) == 0 {
		g.ends = make([]int, 0, len(g.FPs))
	}
	for _, fp := range g.FPs {
		if !g.take(t.series[fp]) {
			return false
		}
		g.ends = append(g.ends, len(g.blocks))
	}
	return true
}

// take takes the blocks of one series.
func (g *gathered) take(s *series) bool {
	var windows []window // the next ones
	if s != nil {
		i, _ := s.index(g.first)
		windows = s.windows[i:]
	}
	for n := g.first; n <= g.last; n++ {
		if len(windows) == 0 || windows[0].number != n {
			if g.blank[n-g.first] {
				continue
			}
			return false
		}
		w := &windows[0]
		windows = windows[1:]
		if w.load != nil {
			return false
		}
		w.touch(g.now)
		if w.data != nil {
			g.blocks = append(g.blocks, w.data)
		}
	}
	return true
}

// of returns the blocks of the i-th series.
func (g *gathered) of(i int) []*block {
	start := 0
	if i > 0 {
		start = g.ends[i-1]
	}
	return g.blocks[start:g.ends[i]]
}

// newest returns the newest sample of each series.
func (g *gathered) newest() ([]store.MetricSamples, int) {
	list := make([]store.MetricSamples, 0, min(len(g.FPs), g.Limit))
	times, values := make([]int64, cap(list)), make([]float64, cap(list))
	for i, fp := range g.FPs {
		if len(list) == g.Limit {
			break
		}
		blocks := g.of(i)
		for k := len(blocks) - 1; k >= 0; k-- {
			if at, v, ok := blocks[k].newest(g.from, g.to); ok {
				n := len(list)
				times[n], values[n] = at, v
				list = append(list, store.MetricSamples{FP: fp, Times: times[n : n+1 : n+1], Values: values[n : n+1 : n+1]})
				break
			}
		}
	}
	return list, len(list)
}

const (
	// slabSamples is how many samples are unpacked into one piece of memory.
	slabSamples = 1 << 16
	// shareSeries is how many series a worker takes at once, shareBlocks how many blocks are worth a second worker.
	shareSeries, shareBlocks = 32, 256
)

// samples unpacks what was gathered, at most q.Limit samples, with so many workers at most.
func (g *gathered) samples(workers int) ([]store.MetricSamples, int) {
	list := make([]store.MetricSamples, len(g.FPs))
	var next, rows atomic.Int64
	work := func() {
		u := unpacker{gathered: g}
		for int(rows.Load()) < g.Limit {
			start := int(next.Add(shareSeries)) - shareSeries
			if start >= len(list) {
				return
			}
			n := 0
			for i := start; i < min(start+shareSeries, len(list)); i++ {
				list[i] = u.unpack(i)
				n += len(list[i].Times)
			}
			rows.Add(int64(n))
		}
	}
	workers = min(workers, 1+len(g.blocks)/shareBlocks)
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return limited(list, g.Limit)
}

// limited drops series without samples and samples beyond the limit.
func limited(list []store.MetricSamples, limit int) ([]store.MetricSamples, int) {
	kept, rows := list[:0], 0
	for i := range list {
		one := list[i]
		n := min(len(one.Times), limit-rows)
		if n == 0 {
			continue
		}
		one.Times, one.Values = one.Times[:n:n], one.Values[:n:n]
		kept, rows = append(kept, one), rows+n
	}
	clear(list[len(kept):])
	return kept, rows
}

// unpacker unpacks series, many into one piece of memory.
type unpacker struct {
	*gathered
	times  []int64
	values []float64
}

// unpack returns the samples of the i-th series.
func (u *unpacker) unpack(i int) store.MetricSamples {
	blocks, most := u.of(i), 0
	for _, b := range blocks {
		most += b.most(u.from)
	}
	if most == 0 {
		return store.MetricSamples{}
	}
	if cap(u.times)-len(u.times) < most {
		size := max(most, min(slabSamples, most*(len(u.FPs)-i)))
		u.times, u.values = make([]int64, 0, size), make([]float64, 0, size)
	}
	start := len(u.times)
	for _, b := range blocks {
		u.times, u.values = b.appendTo(u.times, u.values, u.from, u.to)
	}
	end := len(u.times)
	return store.MetricSamples{FP: u.FPs[i], Times: u.times[start:end:end], Values: u.values[start:end:end]}
}
