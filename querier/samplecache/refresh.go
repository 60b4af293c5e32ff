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
	// maxRefreshRows is how many rows a refresh reads at most; a tenant that was left alone for longer starts over.
	maxRefreshRows = 64 << 20
	// shareRows is about how many new rows one statement reads: the server packs them in memory, 24 bytes each.
	shareRows = 8 << 20
	// maxPruned is how many metrics a refresh names to the store. With more it reads all that is new.
	maxPruned = 256
	// openAhead is how long before a window begins it is opened for series in use. Samples of senders whose clock is ahead by more
	// spoil it.
	openAhead = 30 * time.Minute
	// followFor is how long after its last use a series' next window is opened ahead.
	followFor = 15 * time.Minute
)

// reader is what refreshes know of the tables. One refresh at a time uses it.
type reader struct {
	listed   bool
	mark     int64                        // the newest insert that was read
	mutation int64                        // the newest that was seen
	parts    map[int32][]store.SamplePart // of the last listing, by day
	newest   map[uint8]uint64             // per shard, the newest batch that was read
	opened   int32                        // the newest window that was opened ahead

	histParts []store.SamplePart
	histMark  int64
}

// refresh reads what is new.
func (t *tenant) refresh(ctx context.Context) error {
	parts, err := t.cache.opts.Source.ListSampleParts(ctx, t.id)
	if err != nil {
		return err
	}
	r := &t.reader
	byDay, newest, mutation := map[int32][]store.SamplePart{}, int64(-1), int64(0)
	for _, p := range parts {
		byDay[p.Day] = append(byDay[p.Day], p)
		newest, mutation = max(newest, p.MaxBlock), max(mutation, p.Mutation)
	}
	if r.listed {
		t.reset(byDay, newest)
		if newest > r.mark {
			if err := t.readNews(ctx, parts, newest); err != nil {
				return err
			}
		}
	}
	r.listed, r.mark, r.mutation, r.parts = true, newest, mutation, byDay
	t.show(byDay)
	t.openNext()
	if err := t.refreshHistograms(ctx); err != nil {
		return err
	}
	t.cache.makeRoom(t)
	return nil
}

// show has queries look at a listing.
func (t *tenant) show(byDay map[int32][]store.SamplePart) {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	t.shown = byDay
}

// readNews reads the rows of inserts that were not read, and puts those of windows that are held where they belong.
func (t *tenant) readNews(ctx context.Context, parts []store.SamplePart, newest int64) error {
	r := &t.reader
	q := store.SampleNewsQuery{After: r.mark, Until: newest, Newest: r.newest}
	// What is asked for is looked up after the listing: see the package's comment.
	if !t.held(&q) {
		return nil
	}
	shares, rows := r.share(parts, t.cache.share)
	if rows > maxRefreshRows {
		t.clear(math.MinInt32, math.MaxInt32)
		return nil
	}
	read := map[uint8]uint64{}
	for _, q.To = range shares {
		var list []store.SampleNews
		err := t.cache.opts.Source.ScanSampleNews(ctx, t.id, q, func(n *store.SampleNews) error {
			t.cache.metrics.rows.Add(float64(len(n.FPs)))
			read[n.Shard] = max(read[n.Shard], n.Newest)
			list = append(list, store.SampleNews{FPs: slices.Clone(n.FPs), Times: slices.Clone(n.Times), Values: slices.Clone(n.Values)})
			return nil
		})
		if err != nil {
			return err // the mark stays, and what was put in is put in again
		}
		t.apply(list)
		q.Above = q.To
	}
	if r.newest == nil {
		r.newest = map[uint8]uint64{}
	}
	for shard, batch := range read {
		r.newest[shard] = max(r.newest[shard], batch)
	}
	return nil
}

// share divides the parts with inserts that were not read, by their newest inserts, so that each share has about so many rows
// that were not there in the last listing, and the last share has no end. It returns the shares' ends and the number of rows.
func (r *reader) share(parts []store.SamplePart, most int64) (ends []int64, rows int64) {
	parts = slices.DeleteFunc(slices.Clone(parts), func(p store.SamplePart) bool { return p.MaxBlock <= r.mark })
	slices.SortFunc(parts, func(a, b store.SamplePart) int { return cmp.Compare(a.MaxBlock, b.MaxBlock) })
	share := int64(0)
	for i := range parts {
		p := &parts[i]
		n := int64(p.Rows)
		for _, known := range r.parts[p.Day] {
			if known.MinBlock >= p.MinBlock && known.MaxBlock <= p.MaxBlock {
				n -= int64(known.Rows)
			}
		}
		if share > 0 && share+n > most {
			ends, share = append(ends, parts[i-1].MaxBlock), 0
		}
		share, rows = share+n, rows+n
	}
	return append(ends, math.MaxInt64), rows
}

// held sets what a refresh asks for, and reports whether there is anything.
func (t *tenant) held(q *store.SampleNewsQuery) bool {
	t.dataMu.RLock()
	defer t.dataMu.RUnlock()
	if len(t.series) == 0 {
		return false
	}
	q.StartMilli, q.EndMilli = startOf(t.first), startOf(t.last+1)-1
	if len(t.metrics) <= maxPruned {
		for name := range t.metrics {
			q.Metrics = append(q.Metrics, name)
		}
	}
	return true
}

// atomicRows is how many rows are put in before queries may look again. They must not see one of two senders' samples of a
// series, or one of two parts, and miss the other's. More rows come only to who was away for so long that no query relies on
// what is shown.
const atomicRows = 1 << 19

// apply puts rows into the windows that are held, those that are being loaded among them.
func (t *tenant) apply(list []store.SampleNews) {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	rows := 0
	for i := range list {
		t.applyLocked(&list[i])
		if rows += len(list[i].FPs); rows > atomicRows {
			rows = 0
			t.dataMu.Unlock()
			t.dataMu.Lock()
		}
	}
}

func (t *tenant) applyLocked(n *store.SampleNews) {
	for start := 0; start < len(n.FPs); {
		fp, end := n.FPs[start], start+1
		for end < len(n.FPs) && n.FPs[end] == fp {
			end++
		}
		if s := t.series[fp]; s != nil {
			times, values := tidy(n.Times[start:end], n.Values[start:end])
			eachWindow(times, values, func(number int32, times []int64, values []float64) {
				t.putLocked(s, number, times, values)
			})
		}
		start = end
	}
}

// putLocked adds samples to a window, when it is held. With the first of a window the one before it has ended, nearly
// always, and is compressed.
func (t *tenant) putLocked(s *series, number int32, times []int64, values []float64) {
	i, found := s.index(number)
	if !found {
		return
	}
	w := &s.windows[i]
	if w.data == nil && i > 0 {
		if before := &s.windows[i-1]; before.data != nil && before.load == nil {
			t.setLocked(before, before.data.closed())
		}
	}
	t.accountLocked(-w.data.bytes())
	w.data = w.data.add(times, values)
	t.accountLocked(w.data.bytes())
}

// openNext registers, for series in use, the windows that begin soon and that the listing shows to be empty: all of their
// samples come with inserts that are not read yet. Without it every series of a dashboard is read from the store every two
// hours, when a window begins.
func (t *tenant) openNext() {
	r, now := &t.reader, t.cache.opts.Now()
	current := windowOf(now.UnixMilli())
	for number := current; number <= windowOf(now.Add(openAhead).UnixMilli()); number++ {
		if r.opened == number && !t.takeAdded() || !empty(r.parts[number/windowsPerDay], number) {
			continue
		}
		r.opened = number
		t.open(number)
	}
}

// empty reports whether none of a day's parts has samples in the window.
func empty(parts []store.SamplePart, number int32) bool {
	return !slices.ContainsFunc(parts, func(p store.SamplePart) bool {
		return p.FirstMilli < startOf(number+1) && p.LastMilli >= startOf(number)
	})
}

func (t *tenant) takeAdded() bool {
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	added := t.added
	t.added = false
	return added
}

// open registers the window, empty, for the series whose window before it is held and in use.
func (t *tenant) open(number int32) {
	oldest := t.cache.tickNow() - min(uint32(followFor/tick), t.cache.tickNow())
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	for _, s := range t.series {
		n := len(s.windows)
		if w := &s.windows[n-1]; w.number == number-1 && w.lastUse() >= oldest {
			before := s.bytes()
			s.windows = append(s.windows, window{number: number, used: w.used})
			t.accountLocked(s.bytes() - before)
		}
	}
	t.last = max(t.last, number)
}

// refreshHistograms reads which metrics have native histograms since the last time.
func (t *tenant) refreshHistograms(ctx context.Context) error {
	r := &t.reader
	parts, err := t.cache.opts.Source.ListHistogramParts(ctx, t.id)
	if err != nil {
		return err
	}
	newest, after := int64(-1), r.histMark
	for _, p := range parts {
		newest = max(newest, p.MaxBlock)
	}
	if r.histParts == nil || lost(r.histParts, parts, false) {
		after = -1 // with the rows their numbers may be gone, and be given out again
	}
	var names []string
	if newest > after {
		if names, err = t.cache.opts.Source.ListHistogramMetrics(ctx, t.id, after); err != nil {
			return err
		}
	}
	r.histParts, r.histMark = parts, newest
	t.dataMu.Lock()
	defer t.dataMu.Unlock()
	if t.histograms == nil {
		t.histograms = map[string]struct{}{}
	}
	for _, name := range names {
		t.histograms[name] = struct{}{}
	}
	return nil
}
