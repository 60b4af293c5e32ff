package promql

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/schema"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/promql/grid"
)

// batchCells bounds the values of series that wait to be aggregated, 32 MiB.
const batchCells = 4 << 20

// leafRun evaluates one leaf, as its series come.
type leafRun struct {
	*leaf
	*pushdown
	workers []*grid.Worker
	rows    []float64 // of the series of one batch; kept when they are not aggregated
	points  []int     // of each row
	done    []gridSeries
	fold    *grid.Fold
	top     *grid.Top
	ranked  []labels.Labels // of the series that top chooses from, by their numbers
	groups  map[uint64]int
	names   []labels.Labels // of the groups of fold
	group   []int           // of each row, -1 when it is empty
	buf     []byte
	seen    map[uint64]struct{} // hashes of the label sets that have values
	noted   string              // the metric's name that was last checked
	notes   annotations.Annotations
	held    int // samples of the largest batch
}

func newLeafRun(ctx context.Context, l *leaf, p *pushdown) *leafRun {
	r := &leafRun{leaf: l, pushdown: p, groups: map[uint64]int{}, seen: map[uint64]struct{}{}}
	workers := p.workers
	if admit.From(ctx).Crowds() {
		workers = 1 // others wait for the processors
	}
	for range max(1, workers) {
		r.workers = append(r.workers, l.plan.NewWorker())
	}
	if l.fold != 0 {
		r.fold = grid.NewFold(l.fold)
	}
	if l.top > 0 {
		r.top = grid.NewTop(l.top, l.plan.Steps, l.smallest)
	}
	return r
}

// run reads and evaluates the leaf.
func (r *leafRun) run(ctx context.Context, q storage.Querier) ([]gridSeries, annotations.Annotations, error) {
	read := func(list []series) error { return r.add(ctx, list) }
	var err error
	if own, ok := q.(*querier); ok {
		err = own.columns(ctx, &r.hints, r.matchers, read)
	} else {
		err = columnsOf(ctx, q.Select(ctx, false, &r.hints, r.matchers...), read, &r.notes)
	}
	if err != nil {
		return nil, nil, err
	}
	if r.fold != nil {
		for i := range r.fold.Groups() {
			r.done = append(r.done, r.series(r.names[i], r.fold.Row(i)))
		}
	}
	if r.top != nil {
		if err := r.choose(); err != nil {
			return nil, nil, err
		}
	}
	r.countSamples()
	return r.done, r.notes, nil
}

// aggregated reports whether rows are let go when they were added to their groups.
func (r *leafRun) aggregated() bool { return r.fold != nil || r.top != nil }

func (r *leafRun) series(ls labels.Labels, values []float64) gridSeries {
	return gridSeries{labels: ls, start: r.plan.Start, step: r.plan.Step, values: values}
}

// add evaluates series, which come in the order in which Prometheus' engine would see them.
func (r *leafRun) add(ctx context.Context, list []series) error {
	most := max(1, batchCells/r.plan.Steps)
	for len(list) > 0 {
		n := min(len(list), most)
		if err := r.addBatch(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (r *leafRun) addBatch(ctx context.Context, list []series) error {
	cells := len(list) * r.plan.Steps
	if !r.aggregated() || cap(r.rows) < cells {
		r.rows = make([]float64, cells)
	}
	r.rows, r.points = r.rows[:cells], make([]int, len(list))
	if err := r.evaluate(ctx, list); err != nil {
		return err
	}
	held := 0
	for i := range list {
		held += len(list[i].times)
	}
	r.held = max(r.held, held)
	r.group = r.group[:0]
	for i := range list {
		group, err := r.place(&list[i], i)
		if err != nil {
			return err
		}
		r.group = append(r.group, group)
	}
	if r.aggregated() {
		r.aggregate()
	}
	return nil
}

// evaluate fills the rows of a batch.
func (r *leafRun) evaluate(ctx context.Context, list []series) error {
	var next atomic.Int64
	each := func(w *grid.Worker) {
		for ctx.Err() == nil {
			i := int(next.Add(1)) - 1
			if i >= len(list) {
				return
			}
			r.points[i] = w.Eval(grid.Samples{Times: list[i].times, Values: list[i].values, Starts: list[i].starts}, r.row(i))
		}
	}
	r.parallel(len(list), func(n int) { each(r.workers[n]) })
	return ctx.Err()
}

// parallel calls f with the number of each worker, at once; one alone does the work when there is little of it.
func (r *leafRun) parallel(series int, f func(worker int)) {
	const little = 64
	if series < little || len(r.workers) == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	for n := range r.workers {
		wg.Go(func() { f(n) })
	}
	wg.Wait()
}

func (r *leafRun) row(i int) []float64 {
	return r.rows[i*r.plan.Steps : (i+1)*r.plan.Steps : (i+1)*r.plan.Steps]
}

// place decides where the i-th row of the batch belongs: to a group, whose number it returns, or to the result.
func (r *leafRun) place(s *series, i int) (group int, err error) {
	if r.points[i] == 0 {
		return -1, nil
	}
	ls := s.labels
	if r.function != nil {
		r.noteCounter(ls)
		if !r.plan.Func.KeepsName() && !r.delayedNames {
			ls = ls.DropReserved(schema.IsMetadataLabel)
		}
		if !r.delayedNames {
			hash := ls.Hash()
			if _, ok := r.seen[hash]; ok {
				return 0, errFallback // the engine refuses two series with the same labels
			}
			r.seen[hash] = struct{}{}
		}
	}
	if !r.aggregated() {
		if (len(r.done)+1)*r.plan.Steps > r.maxSamples {
			return 0, errFallback
		}
		r.done = append(r.done, r.series(ls, r.row(i)))
		return -1, nil
	}
	return r.groupOf(ls)
}

// groupOf returns the group of a series. Groups are told apart by the same hash that the engine takes.
func (r *leafRun) groupOf(ls labels.Labels) (int, error) {
	var key uint64
	switch {
	case r.without:
		key, r.buf = ls.HashWithoutLabels(r.buf, r.grouping...)
	case len(r.grouping) > 0:
		key, r.buf = ls.HashForLabels(r.buf, r.grouping...)
	}
	group, ok := r.groups[key]
	if !ok {
		group = len(r.groups)
		r.groups[key] = group
	}
	if r.top != nil {
		return group, r.rank(group, ls)
	}
	if ok {
		return group, nil
	}
	return group, r.addGroup(ls)
}

// addGroup makes a group of fold from the first of its series.
func (r *leafRun) addGroup(ls labels.Labels) error {
	const sampleBytes = 16
	if len(r.groups)*r.plan.Steps > r.maxSamples/r.leaf.fold.CellBytes()*sampleBytes {
		return errFallback
	}
	r.fold.AddGroup(r.plan.Steps)
	b := labels.NewBuilder(ls)
	switch {
	case r.without:
		b.Del(r.grouping...)
		b.Del(seamark.MetricNameLabel)
	default:
		b.Keep(r.grouping...)
	}
	r.names = append(r.names, b.Labels())
	return nil
}

// aggregate adds the batch's rows to their groups. Workers share the steps, not the series, whose order counts.
func (r *leafRun) aggregate() {
	workers, steps := len(r.workers), r.plan.Steps
	add := r.addSteps
	if r.top != nil {
		add = r.offerSteps
	}
	if steps < workers || len(r.rows) < 1<<16 {
		add(0, steps)
		return
	}
	r.parallel(len(r.rows), func(n int) { add(steps*n/workers, steps*(n+1)/workers) })
}

// addSteps adds the steps [from, to) of the batch's rows.
func (r *leafRun) addSteps(from, to int) {
	for i, group := range r.group {
		if group >= 0 {
			r.fold.Add(group, r.row(i), from, to)
		}
	}
}

// noteCounter adds Prometheus' note about a rate of what is not named like a counter.
func (r *leafRun) noteCounter(ls labels.Labels) {
	if r.plan.Func != grid.Rate && r.plan.Func != grid.Increase {
		return
	}
	name := ls.Get(seamark.MetricNameLabel)
	if name == r.noted {
		return
	}
	r.noted = name
	for _, suffix := range []string{"_total", "_sum", "_count", "_bucket"} {
		if strings.HasSuffix(name, suffix) {
			return
		}
	}
	r.notes.Add(annotations.NewPossibleNonCounterInfo(name, r.function.Args[0].PositionRange()))
}

// countSamples adds to the query's statistics what Prometheus' engine would have counted in the windows. It counts the points
// of the result itself, as samples of a selector.
func (r *leafRun) countSamples() {
	points := make([]int64, r.plan.Steps)
	cells := 0
	for i := range r.done {
		cells += len(r.done[i].values)
		for k, v := range r.done[i].values {
			if !grid.IsMissing(v) {
				points[k]++
			}
		}
	}
	for k := range points {
		var samples, read int64
		for _, w := range r.workers {
			samples += w.Samples[k]
			read += w.Read[k]
		}
		r.stats.IncrementSamplesAtStep(k, samples-points[k])
		r.stats.IncrementSamplesReadAtStep(k, read-points[k])
	}
	r.stats.UpdatePeak(r.held + cells)
}
