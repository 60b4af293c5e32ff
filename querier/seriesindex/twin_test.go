package seriesindex_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/querier/seriesindex"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	// monday is 2026-11-16, in days since 1970.
	monday = 20773
)

// twin is the store in memory: parts with numbers of inserts, and look-ups written as plainly as possible.
type twin struct {
	mu      sync.Mutex // guards all fields
	parts   map[seamark.TenantID][]twinPart
	block   int64
	scans   []store.SeriesIndexQuery
	asked   [][]uint64    // of LogStreamsByFP
	err     error         // when set, the index reads nothing
	blocked chan struct{} // when set, scans wait for it
	listed  func()        // when set, is called after each listing

	samplesErr error // of ScanSeriesSamples
}

type twinPart struct {
	store.SeriesIndexPart
	rows []twinRow
}

type twinRow struct {
	store.IndexedSeries
	kind seamark.SeriesKind
	day  int32
}

func newTwin() *twin { return &twin{parts: map[seamark.TenantID][]twinPart{}} }

func weekOf(day int32) int32 { return day - (day-monday%7+7*7)%7 }

// insert stores a series on some days of one week as one part.
func (w *twin) insert(tenant seamark.TenantID, s store.MetricSeries, days ...int32) {
	w.insertRows(tenant, twinRow{IndexedSeries: store.IndexedSeries{FP: s.FP, Name: s.Metric, Labels: s.Labels}, kind: seamark.MetricSeries}, days...)
}

// insertStream stores a log stream as insert does a series.
func (w *twin) insertStream(tenant seamark.TenantID, s store.LogStream, days ...int32) {
	w.insertRows(tenant, twinRow{IndexedSeries: store.IndexedSeries{FP: s.FP, Name: s.Group, Labels: s.Labels}, kind: seamark.LogStream}, days...)
}

func (w *twin) insertRows(tenant seamark.TenantID, row twinRow, days ...int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.block++
	p := twinPart{SeriesIndexPart: store.SeriesIndexPart{Week: weekOf(days[0]), MinBlock: w.block, MaxBlock: w.block}}
	for _, day := range days {
		row.day = day
		p.rows = append(p.rows, row)
	}
	w.parts[tenant] = append(w.parts[tenant], p)
}

// mergeParts makes one part of all parts of each week, as the server does in the background.
func (w *twin) mergeParts(tenant seamark.TenantID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	byWeek := map[int32]*twinPart{}
	for _, p := range w.parts[tenant] {
		if m := byWeek[p.Week]; m != nil {
			m.MinBlock, m.MaxBlock, m.Mutation = min(m.MinBlock, p.MinBlock), max(m.MaxBlock, p.MaxBlock), max(m.Mutation, p.Mutation)
			m.rows = append(m.rows, p.rows...)
			continue
		}
		byWeek[p.Week] = &p
	}
	w.parts[tenant] = nil
	for _, week := range slices.Sorted(maps.Keys(byWeek)) {
		w.parts[tenant] = append(w.parts[tenant], *byWeek[week])
	}
}

// deleteSeries removes a series' rows, by a mutation of every part.
func (w *twin) deleteSeries(tenant seamark.TenantID, fp uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.block++
	for i := range w.parts[tenant] {
		p := &w.parts[tenant][i]
		p.Mutation = w.block
		p.rows = slices.DeleteFunc(slices.Clone(p.rows), func(r twinRow) bool { return r.FP == fp })
	}
}

// dropWeek removes a week, as retention does.
func (w *twin) dropWeek(tenant seamark.TenantID, week int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[tenant] = slices.DeleteFunc(w.parts[tenant], func(p twinPart) bool { return p.Week == week })
}

func (w *twin) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = err
}

func (w *twin) takeScans() []store.SeriesIndexQuery {
	w.mu.Lock()
	defer w.mu.Unlock()
	scans := w.scans
	w.scans = nil
	return scans
}

func (w *twin) ListSeriesIndexParts(_ context.Context, tenant seamark.TenantID) ([]store.SeriesIndexPart, error) {
	w.mu.Lock()
	if w.listed != nil {
		defer w.listed()
	}
	defer w.mu.Unlock()
	var list []store.SeriesIndexPart
	for _, p := range w.parts[tenant] {
		list = append(list, p.SeriesIndexPart)
	}
	return list, w.err
}

func (w *twin) ScanSeriesIndex(ctx context.Context, tenant seamark.TenantID, q store.SeriesIndexQuery, fn func(*store.IndexedSeries) error) error {
	w.mu.Lock()
	w.scans = append(w.scans, q)
	blocked := w.blocked
	found := map[uint64]*store.IndexedSeries{}
	for _, p := range w.parts[tenant] {
		if p.Week != q.Week || p.MaxBlock <= q.After {
			continue
		}
		for _, r := range p.rows {
			if r.kind != q.Kind {
				continue
			}
			if found[r.FP] == nil {
				one := r.IndexedSeries
				found[r.FP] = &one
			}
			found[r.FP].Days |= 1 << (r.day - q.Week)
		}
	}
	w.mu.Unlock()
	if blocked != nil {
		select {
		case <-blocked:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, fp := range slices.Sorted(maps.Keys(found)) {
		if err := fn(found[fp]); err != nil {
			return err
		}
	}
	return nil
}

// holdScans has the scans from now on wait for c, and returns what they waited for before.
func (w *twin) holdScans(c chan struct{}) (before chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, w.blocked = w.blocked, c
	return before
}

// awaitScans waits until n scans have begun.
func (w *twin) awaitScans(t *testing.T, n int) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.scans) < n {
			return fmt.Errorf("%d scans", len(w.scans))
		}
		return nil
	})
}

// ofStore is what the twin answers a count of series with.
var ofStore = &store.Cardinality{}

func (*twin) CountCardinality(context.Context, seamark.TenantID, store.CardinalityQuery) (*store.Cardinality, error) {
	return ofStore, nil
}

// ScanSeriesSamples says that each series has a sample more than its fingerprint's number, the first of them a float.
func (w *twin) ScanSeriesSamples(_ context.Context, tenant seamark.TenantID, q store.CardinalityQuery, fn func(fp, samples uint64)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	counted := map[uint64]bool{}
	for _, p := range w.parts[tenant] {
		for _, r := range p.rows {
			if r.kind == seamark.MetricSeries && r.day >= q.FirstDay && r.day <= q.LastDay && !counted[r.FP] {
				counted[r.FP] = true
				fn(r.FP, 1)
				fn(r.FP, r.FP)
			}
		}
	}
	return w.samplesErr
}

func (w *twin) ListMetricSeries(_ context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	const dayMilli = 24 * 3600_000
	found := map[uint64]store.MetricSeries{}
	for _, p := range w.parts[tenant] {
		for _, r := range p.rows {
			if r.kind == seamark.MetricSeries && int64(r.day) >= max(q.StartMilli, 0)/dayMilli && int64(r.day) <= q.EndMilli/dayMilli && matchesAll(q.Matchers, r.Labels) {
				found[r.FP] = store.MetricSeries{FP: r.FP, Metric: r.Name, Labels: r.Labels}
			}
		}
	}
	list := slices.Collect(maps.Values(found))
	return list[:min(len(list), q.Limit)], nil
}

func (w *twin) ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error) {
	return w.texts(ctx, tenant, q, func(l seamark.Label) string { return l.Name })
}

func (w *twin) ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error) {
	return w.texts(ctx, tenant, q, valueOf(name))
}

func (w *twin) texts(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery, of func(seamark.Label) string) ([]string, error) {
	limit := q.Limit
	q.Limit = 1 << 30
	list, err := w.ListMetricSeries(ctx, tenant, q)
	return distinct(limit, list, func(s store.MetricSeries) []seamark.Label { return s.Labels }, of), err
}

// distinct returns the texts of the labels of all in the list, sorted, each once, up to the limit.
func distinct[T any](limit int, list []T, labels func(T) []seamark.Label, of func(seamark.Label) string) []string {
	set := map[string]bool{}
	for _, one := range list {
		for _, l := range labels(one) {
			if text := of(l); text != "" {
				set[text] = true
			}
		}
	}
	texts := slices.Sorted(maps.Keys(set))
	return texts[:min(len(texts), limit)]
}

// valueOf returns the texts of one label.
func valueOf(name string) func(seamark.Label) string {
	return func(l seamark.Label) string {
		if l.Name == name {
			return l.Value
		}
		return ""
	}
}

func matchesAll(matchers []store.MetricMatcher, list []seamark.Label) bool {
	for i := range matchers {
		m, value := &matchers[i], ""
		for _, l := range list {
			if l.Name == m.Name {
				value = l.Value
			}
		}
		if !matches(m, value) {
			return false
		}
	}
	return true
}

func matches(m *store.MetricMatcher, value string) bool {
	switch m.Op {
	case store.MetricEquals:
		return value == m.Value
	case store.MetricNotEquals:
		return value != m.Value
	case store.MetricMatches:
		return regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	case store.MetricNotMatches:
		return !regexp.MustCompile("^(?s:" + m.Value + ")$").MatchString(value)
	case store.MetricIn:
		return slices.Contains(m.Values, value)
	case store.MetricNotIn:
	}
	return !slices.Contains(m.Values, value)
}

// series makes a series of a metric and pairs of label names and values.
func series(fp uint64, metric string, pairs ...string) store.MetricSeries {
	s := store.MetricSeries{FP: fp, Metric: metric, Labels: []seamark.Label{{Name: "__name__", Value: metric}}}
	for i := 0; i < len(pairs); i += 2 {
		s.Labels = append(s.Labels, seamark.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	seamark.SortLabels(s.Labels)
	return s
}

// newIndex returns an index over a twin, and its clock, which shows noon of the Monday.
func newIndex(t testing.TB, w *twin, change ...func(*seriesindex.Options)) (*seriesindex.Index, *testkit.Clock) {
	t.Helper()
	clock := testkit.NewClock(time.UnixMilli(monday*24*3600_000 + 12*3600_000))
	o := seriesindex.Options{
		Store: &store.Store{}, MaxBytes: seriesindex.DefaultMaxBytes, Refresh: seriesindex.DefaultRefresh, Now: clock.Now,
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
	}
	for _, c := range change {
		c(&o)
	}
	x, err := seriesindex.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, x.Close()) })
	seriesindex.WaitFor(x, time.Minute)
	return seriesindex.WithSource(x, w), clock
}

// onDays selects by days since 1970, both ends included.
func onDays(first, last int64, matchers ...store.MetricMatcher) store.MetricSeriesQuery {
	return store.MetricSeriesQuery{StartMilli: first * 24 * 3600_000, EndMilli: (last+1)*24*3600_000 - 1, Limit: 1 << 20, Matchers: matchers}
}

// fps returns the fingerprints of the series that the index finds, sorted.
func fps(t testing.TB, x *seriesindex.Index, tenant seamark.TenantID, q store.MetricSeriesQuery) []uint64 {
	t.Helper()
	list, err := x.ListMetricSeries(t.Context(), tenant, q)
	require.NoError(t, err)
	found := []uint64{}
	for _, s := range list {
		found = append(found, s.FP)
	}
	slices.Sort(found)
	return found
}

// fromIndex runs fn and fails when a look-up in it went to the store.
func fromIndex(t testing.TB, x *seriesindex.Index, fn func()) {
	t.Helper()
	before := storeLookups(x)
	fn()
	require.Equal(t, before, storeLookups(x), "look-ups went to the store")
}

func storeLookups(x *seriesindex.Index) string {
	text := ""
	for _, reason := range []string{"query", "closed", "size", "wait", "failure"} {
		text += fmt.Sprint(reason, " ", seriesindex.Fallthroughs(x, reason), " ")
	}
	return text
}

var errAway = errors.New("the store is away")
