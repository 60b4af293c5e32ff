package samplecache_test

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// twin is the store in memory: parts with numbers of inserts, and reads written as plainly as possible. Its hooks are
// called without its lock, so that a test can do something in the middle of a read.
type twin struct {
	mu    sync.Mutex // guards the fields below
	parts map[seamark.TenantID][]twinPart
	hists map[seamark.TenantID][]string // one part per metric
	block int64
	scans []store.SampleScanQuery
	news  []store.SampleNewsQuery
	reads int   // that went past the cache
	err   error // of all reads but those that go past the cache

	listing, listed        func()                // before and after the parts are listed
	scanning, newsScanning func(context.Context) // before rows are read
	delivered              func()                // after one of several pieces of news
	scanned                func(context.Context) // after rows were read, before they are handed over
}

type twinPart struct {
	store.SamplePart
	rows []twinRow
}

type twinRow struct {
	row
	batch uint64
}

func newTwin() *twin {
	return &twin{parts: map[seamark.TenantID][]twinPart{}, hists: map[seamark.TenantID][]string{}}
}

func (p *twinPart) describe() {
	p.FirstMilli, p.LastMilli, p.Rows = math.MaxInt64, math.MinInt64, uint64(len(p.rows))
	for _, r := range p.rows {
		p.FirstMilli, p.LastMilli = min(p.FirstMilli, r.t), max(p.LastMilli, r.t)
	}
}

// insert stores rows of one day as one part.
func (w *twin) insert(tenant seamark.TenantID, batch uint64, rows ...row) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.block++
	p := twinPart{SamplePart: store.SamplePart{Day: int32(rows[0].t / dayMilli), MinBlock: w.block, MaxBlock: w.block}}
	for _, r := range rows {
		p.rows = append(p.rows, twinRow{r, batch})
	}
	p.describe()
	w.parts[tenant] = append(w.parts[tenant], p)
}

// mergeParts makes one part of all parts of each day, as the server does in the background.
func (w *twin) mergeParts(tenant seamark.TenantID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	byDay := map[int32]*twinPart{}
	for _, p := range w.parts[tenant] {
		if m := byDay[p.Day]; m != nil {
			m.MinBlock, m.MaxBlock, m.Mutation = min(m.MinBlock, p.MinBlock), max(m.MaxBlock, p.MaxBlock), max(m.Mutation, p.Mutation)
			m.rows = append(m.rows, p.rows...)
			m.describe()
			continue
		}
		byDay[p.Day] = &p
	}
	w.parts[tenant] = nil
	for _, day := range slices.Sorted(maps.Keys(byDay)) {
		w.parts[tenant] = append(w.parts[tenant], *byDay[day])
	}
}

// deleteSeries removes a series' rows by a mutation of the parts that which names.
func (w *twin) deleteSeries(tenant seamark.TenantID, fp uint64, number int64, which func(*store.SamplePart) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.parts[tenant] {
		p := &w.parts[tenant][i]
		if which(&p.SamplePart) {
			p.Mutation = number
			p.rows = slices.DeleteFunc(slices.Clone(p.rows), func(r twinRow) bool { return r.fp == fp })
			p.describe()
		}
	}
}

// number takes the next number of an insert, for a mutation.
func (w *twin) number() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.block++
	return w.block
}

// dropDay removes a day, as retention does.
func (w *twin) dropDay(tenant seamark.TenantID, day int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[tenant] = slices.DeleteFunc(w.parts[tenant], func(p twinPart) bool { return p.Day == day })
}

func (w *twin) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

// hook sets a hook.
func (w *twin) hook(set func(*twin)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set(w)
}

func (w *twin) takeScans() []store.SampleScanQuery {
	w.mu.Lock()
	defer w.mu.Unlock()
	scans := w.scans
	w.scans = nil
	return scans
}

func (w *twin) takeReads() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.reads
	w.reads = 0
	return n
}

func (w *twin) ListSampleParts(_ context.Context, tenant seamark.TenantID) ([]store.SamplePart, error) {
	w.mu.Lock()
	hook := w.listing
	w.mu.Unlock()
	if hook != nil {
		hook()
	}
	w.mu.Lock()
	var list []store.SamplePart
	for _, p := range w.parts[tenant] {
		list = append(list, p.SamplePart)
	}
	err := w.err
	hook = w.listed
	w.mu.Unlock()
	if hook != nil {
		hook()
	}
	return list, err
}

// samples returns what is visible, by series.
func (w *twin) samples(tenant seamark.TenantID, fps []uint64, from, to int64) []store.MetricSamples {
	var list []store.MetricSamples
	for _, fp := range fps {
		best := map[int64]float64{}
		for _, p := range w.parts[tenant] {
			for _, r := range p.rows {
				old, known := best[r.t]
				if r.fp == fp && r.t >= from && r.t <= to && (!known || math.Float64bits(r.v) > math.Float64bits(old)) {
					best[r.t] = r.v
				}
			}
		}
		one := store.MetricSamples{FP: fp, Times: slices.Sorted(maps.Keys(best))}
		for _, t := range one.Times {
			one.Values = append(one.Values, best[t])
		}
		if len(best) > 0 {
			list = append(list, one)
		}
	}
	return list
}

func (w *twin) ListMetricSamples(_ context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	list = w.samples(tenant, q.FPs, q.StartMilli, q.EndMilli)
	for i := range list {
		if n := len(list[i].Times) - 1; q.Last {
			list[i].Times, list[i].Values = list[i].Times[n:], list[i].Values[n:]
		}
		rowsRead += len(list[i].Times)
	}
	return list, rowsRead, nil
}

func (w *twin) ScanMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.SampleScanQuery, fn func(*store.MetricSamples) error) error {
	w.mu.Lock()
	w.scans = append(w.scans, q)
	before, after, err := w.scanning, w.scanned, w.err
	w.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	list := w.samples(tenant, q.FPs, q.StartMilli, q.EndMilli)
	w.mu.Unlock()
	if after != nil {
		after(ctx)
	}
	for i := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(&list[i]); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *twin) ScanSampleNews(ctx context.Context, tenant seamark.TenantID, q store.SampleNewsQuery, fn func(*store.SampleNews) error) error {
	w.mu.Lock()
	w.news = append(w.news, q)
	before, delivered := w.newsScanning, w.delivered
	w.mu.Unlock()
	if before != nil {
		before(ctx)
	}
	w.mu.Lock()
	var list []*store.SampleNews
	for _, p := range w.parts[tenant] {
		if p.MaxBlock <= max(q.After, q.Above) || p.MaxBlock > q.To {
			continue
		}
		byShard := map[uint8]*store.SampleNews{}
		for _, r := range p.rows {
			shard := uint8(r.batch)
			skip := p.MinBlock <= q.After && r.batch < q.Newest[shard]
			if skip || r.t < q.StartMilli || r.t > q.EndMilli || q.Metrics != nil && !slices.Contains(q.Metrics, metricOf(r.fp)) {
				continue
			}
			n := byShard[shard]
			if n == nil {
				n = &store.SampleNews{Shard: shard}
				byShard[shard] = n
				list = append(list, n)
			}
			n.FPs, n.Times, n.Values = append(n.FPs, r.fp), append(n.Times, r.t), append(n.Values, r.v)
			if p.MaxBlock <= q.Until {
				n.Newest = max(n.Newest, r.batch)
			}
		}
	}
	w.mu.Unlock()
	for _, n := range list {
		if err := fn(n); err != nil {
			return err
		}
		if delivered != nil {
			delivered()
		}
	}
	return nil
}

func (w *twin) ListHistogramParts(_ context.Context, tenant seamark.TenantID) ([]store.SamplePart, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []store.SamplePart
	for i := range w.hists[tenant] {
		list = append(list, store.SamplePart{Day: monday, MinBlock: int64(i), MaxBlock: int64(i), Rows: 1})
	}
	return list, w.err
}

func (w *twin) ListHistogramMetrics(_ context.Context, tenant seamark.TenantID, after int64) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.hists[tenant][after+1:]), w.err
}

func (w *twin) ListMetricHistograms(_ context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricHistograms, rowsRead int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	for i, name := range w.hists[tenant] {
		if slices.Contains(q.Metrics, name) {
			list = append(list, store.MetricHistograms{FP: uint64(i), Times: []int64{start}, Data: []string{name}})
		}
	}
	return list, len(list), nil
}

// requireTwin compares the cache's answer with the twin's, and that it comes from the cache.
func requireTwin(t testing.TB, w *twin, c lister, q store.MetricSamplesQuery) {
	t.Helper()
	w.takeReads()
	got, n, err := c.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Zero(t, w.takeReads(), "the store was asked")
	want, rows, err := w.ListMetricSamples(t.Context(), tenantA, q)
	require.NoError(t, err)
	w.takeReads()
	require.Equal(t, text(want), text(got))
	require.Equal(t, rows, n)
}

type lister interface {
	ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error)
}
