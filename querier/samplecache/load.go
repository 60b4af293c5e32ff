package samplecache

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// loadSamples is about how many samples one statement reads: the server packs them in memory, 16 bytes each.
	loadSamples = 4 << 20
	// maxRanges is how many different ranges of windows a query's statements have. A query whose series lack more of them
	// reads some again, because statements cost more.
	maxRanges = 3
	// limitSlack is how many times the samples that a query may read it has loaded. Beyond it the store stops sooner.
	limitSlack = 4
)

// load is one statement that reads windows of series. Queries that need the same windows share it.
type load struct {
	tenant      *tenant
	metrics     []string
	fps         []uint64
	whole       bool  // fps are nearly all series of the metrics
	first, last int32 // windows
	ctx         context.Context
	cancel      context.CancelFunc
	done        chan struct{} // closed when it has ended
	err         error         // why it failed; written before done is closed
	samples     int           // that it has read; its own goroutine's
	bytes       int64

	// Guarded by the tenant's lock.
	waiters   int
	abandoned bool // nobody waits: it ends without a result
	windows   int  // registered with it
}

// gap is the windows that one series lacks.
type gap struct {
	fp          uint64
	first, last int32
}

// load reads what the query lacks and waits for it. It returns why it cannot, or the context's error.
func (t *tenant) load(ctx context.Context, q *query) (reason string, err error) {
	loads, reason := t.plan(ctx, q)
	if reason != "" {
		return reason, nil
	}
	failed := false
	for i, l := range loads {
		select {
		case <-l.done:
			failed = failed || l.err != nil
			t.release(loads[i : i+1])
		case <-ctx.Done():
			t.release(loads[i:])
			return "", ctx.Err()
		}
	}
	if failed {
		return "failure", nil // the store says why, or succeeds with less to read
	}
	return "", nil
}

// plan finds out what the query lacks, and has it loaded where that is not under way. It returns the loads to wait for.
func (t *tenant) plan(ctx context.Context, q *query) (loads []*load, reason string) {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	if t.dropped {
		return nil, "dropped"
	}
	t.surveyLocked(q)
	var gaps []gap
	joined, windows := map[*load]bool{}, 0
	for _, fp := range q.FPs {
		lo, hi, n := t.series[fp].missing(q, func(l *load) { joined[l] = true })
		if n > 0 {
			gaps, windows = append(gaps, gap{fp, lo, hi}), windows+n
		}
	}
	if reason := t.affordLocked(q, windows); reason != "" {
		return nil, reason
	}
	for l := range joined {
		loads = append(loads, l)
	}
	q.lacked += windows
	t.cache.metrics.misses.Add(float64(windows))
	t.cache.metrics.hits.Add(float64(q.windows() - windows))
	for _, one := range divide(gaps) {
		one.tenant, one.metrics, one.whole = t, slices.Clone(q.Metrics), q.Whole && len(one.fps) == len(q.FPs)
		if !t.startLocked(ctx, one, q) {
			return nil, "closed" // whatever was joined ends at once
		}
		loads = append(loads, one)
	}
	for _, l := range loads {
		l.waiters++
	}
	for _, name := range q.Metrics {
		t.metrics[name] = struct{}{}
	}
	return loads, ""
}

// affordLocked returns why so many windows are not loaded for a query.
func (t *tenant) affordLocked(q *query, windows int) (reason string) {
	samples, _ := t.loaded.estimate(windows)
	_, whole := t.loaded.estimate(q.windows())
	switch {
	case whole > float64(t.maxBytes()):
		return "size"
	case !q.Last && samples > limitSlack*float64(q.Limit)+guessSamples*float64(len(q.FPs)):
		return "limit"
	}
	return ""
}

// divide makes statements of gaps. Each has neighbours in the table's sort key, so that no granule is read for many.
func divide(gaps []gap) []*load {
	byRange := func(a, b gap) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last)) }
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Or(byRange(a, b), cmp.Compare(a.fp, b.fp)) })
	ranges := 0
	first, last := int32(math.MaxInt32), int32(math.MinInt32)
	for i := range gaps {
		if i == 0 || byRange(gaps[i-1], gaps[i]) != 0 {
			ranges++
		}
		first, last = min(first, gaps[i].first), max(last, gaps[i].last)
	}
	if ranges > maxRanges {
		for i := range gaps {
			gaps[i].first, gaps[i].last = first, last
		}
		slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(a.fp, b.fp) })
	}
	var loads []*load
	for i := range gaps {
		g := &gaps[i]
		if n := len(loads); n > 0 && loads[n-1].takes(g) {
			loads[n-1].fps = append(loads[n-1].fps, g.fp)
			continue
		}
		loads = append(loads, &load{fps: []uint64{g.fp}, first: g.first, last: g.last})
	}
	return loads
}

// takes reports whether the statement has room for a gap.
func (l *load) takes(g *gap) bool {
	return l.first == g.first && l.last == g.last && len(l.fps)*int(l.last-l.first+1)*guessSamples < loadSamples
}

// startLocked registers the load's windows and begins to read them; not after Close. What it takes is that of the query which ctx
// works for, also where others come to wait for it: it ends when nobody waits, or with the cache.
func (t *tenant) startLocked(ctx context.Context, l *load, q *query) bool {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unbind := context.AfterFunc(t.cache.ctx, cancel)
	l.ctx, l.cancel = ctx, func() { unbind(); cancel() }
	l.done = make(chan struct{})
	for _, fp := range l.fps {
		s := t.seriesLocked(fp)
		before := s.bytes()
		l.windows += s.register(l, q)
		t.accountLocked(s.bytes() - before)
	}
	t.first, t.last, t.added = min(t.first, l.first), max(t.last, l.last), true
	// The statement must not begin before its windows are registered: see the package's comment.
	if t.cache.launch(l.run) {
		return true
	}
	l.err = context.Canceled
	t.finishLocked(l)
	l.cancel()
	close(l.done)
	return false
}

// release says that a query no longer waits for the loads. A load that nobody waits for is cancelled, down to the server.
func (t *tenant) release(loads []*load) {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	for _, l := range loads {
		if l.waiters--; l.waiters == 0 {
			l.abandoned = true
			l.cancel()
		}
	}
}

// run reads the windows.
func (l *load) run() {
	t := l.tenant
	defer close(l.done)
	defer l.cancel()
	begin := time.Now()
	select {
	case t.slots <- struct{}{}:
		l.err = t.cache.opts.Source.ScanMetricSamples(l.ctx, t.id, store.SampleScanQuery{
			Metrics: l.metrics, FPs: l.fps, Whole: l.whole, StartMilli: startOf(l.first), EndMilli: startOf(l.last+1) - 1,
		}, l.take)
		<-t.slots
	case <-l.ctx.Done():
		l.err = l.ctx.Err()
	}
	t.cache.metrics.loads.Inc()
	t.cache.metrics.loadSeconds.Observe(time.Since(begin).Seconds())
	t.dataMu.Lock()
	t.finishLocked(l)
	t.dataMu.Unlock()
	t.cache.makeRoom(t)
}

// take compresses a series that was read, and puts its windows where they belong.
func (l *load) take(one *store.MetricSamples) error {
	type part struct {
		number int32
		data   *block
	}
	var parts []part
	t, current := l.tenant, windowOf(l.tenant.cache.opts.Now().UnixMilli())
	eachWindow(one.Times, one.Values, func(number int32, times []int64, values []float64) {
		parts = append(parts, part{number, newBlock(times, values, number >= current)})
	})
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	s := t.series[one.FP]
	if s == nil {
		return nil
	}
	l.samples += len(one.Times)
	for _, p := range parts {
		i, found := s.index(p.number)
		if !found || s.windows[i].load != l {
			continue // it was there already, or its day was dropped meanwhile
		}
		w, data := &s.windows[i], p.data
		l.bytes += data.bytes()
		if w.data != nil { // brought by refreshes
			data = data.addBlock(w.data)
		}
		t.setLocked(w, data)
	}
	return nil
}

// addBlock returns the block with the samples of another.
func (b *block) addBlock(other *block) *block {
	size := other.size()
	return b.add(other.appendTo(make([]int64, 0, size), make([]float64, 0, size), math.MinInt64, math.MaxInt64))
}

// finishLocked shows what a load has read, or forgets its windows when it failed.
func (t *tenant) finishLocked(l *load) {
	for _, fp := range l.fps {
		s := t.series[fp]
		switch {
		case s == nil:
		case l.err != nil:
			t.removeLocked(fp, s, func(w *window) bool { return w.load == l })
		default:
			for i := range s.windows {
				if s.windows[i].load == l {
					s.windows[i].load = nil
				}
			}
		}
	}
	if l.err == nil {
		t.loaded.note(l.windows, l.samples, l.bytes)
	}
}

// eachWindow divides samples by their windows.
func eachWindow(times []int64, values []float64, fn func(number int32, times []int64, values []float64)) {
	for len(times) > 0 {
		number, n := windowOf(times[0]), len(times)
		if next := startOf(number + 1); times[n-1] >= next {
			n, _ = slices.BinarySearch(times, next)
		}
		fn(number, times[:n], values[:n])
		times, values = times[n:], values[n:]
	}
}
