package engine

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// leaf is the evaluation of one range aggregation.
type leaf struct {
	query *query
	agg   *logql.RangeAggregation
	group *logql.Grouping // labels of the result; nil: all
	grid  store.LogGrid
	plan  *plan
	keep  func(*lineLabel) bool
	fails bool // a line with an error fails the query

	labels  lineLabels
	ids     idCache
	streams map[uint64]*streamLabels
	series  map[string]*leafSeries
	aliases map[string]*leafSeries // by the same labels in the order in which lines have them
}

// leafSeries collects one series: counts per bucket, or parts per bucket.
type leafSeries struct {
	labels []seamark.Label
	counts []uint64
	parts  []part
}

// rangeAggregation evaluates a over all steps. With a group its series are summed by that group, which the caller asks
// for only where the sum of the series is what the function yields over the group.
func (q *query) rangeAggregation(ctx context.Context, a *logql.RangeAggregation, at *steps, group *logql.Grouping) (matrix, error) {
	summed := group != nil
	if !summed {
		group = a.Grouping
	}
	if a.Op == logql.RangeAbsent {
		group = &logql.Grouping{}
	}
	l := &leaf{query: q, agg: a, group: group, series: map[string]*leafSeries{}, aliases: map[string]*leafSeries{}, fails: !keepsErrors(a), grid: store.LogGrid{
		First: at.first - int64(a.Offset), Step: at.step, Steps: at.count, Window: int64(a.Range),
	}}
	if at.step == 0 {
		l.grid.Step = l.grid.Window
	}
	l.keep = l.keepRule(!summed)
	start, end := l.grid.Range()
	streams, err := q.resolve(ctx, a.Query.Matchers, start, end)
	if err != nil {
		return nil, err
	}
	wanted, err := l.wanted()
	if err != nil {
		return nil, err
	}
	if l.plan, err = q.newPlan(a.Query, streams, wanted, l.countsBytes()); err != nil {
		return nil, err
	}
	l.streams = labelsByFP(l.plan.streams)
	scope := store.LogScope{Streams: l.plan.streams, Start: start, End: end, Filters: l.plan.filters}
	if a.Unwrap == nil && !l.plan.rows && !q.engine.opts.NoPushdown {
		err = l.countInStorage(ctx, scope)
	} else {
		err = l.readRows(ctx, scope)
	}
	if err != nil {
		return nil, err
	}
	m := l.matrix()
	if a.Op == logql.RangeAbsent {
		m = absent(a, m, at.count)
	}
	return m, nil
}

func labelsByFP(streams []store.LogStream) map[uint64]*streamLabels {
	byFP := make(map[uint64]*streamLabels, len(streams))
	list := make([]streamLabels, len(streams))
	for i := range streams {
		list[i].stored = streams[i].Labels
		byFP[streams[i].FP] = &list[i]
	}
	return byFP
}

// keepRule returns which labels of a line are labels of its series. An empty label is none. With errors set a grouping by
// labels keeps __error__ beside them, as Loki's range aggregations do.
func (l *leaf) keepRule(errors bool) func(*lineLabel) bool {
	unwrapped := ""
	if l.agg.Unwrap != nil {
		unwrapped = l.agg.Unwrap.Label
	}
	if l.group != nil && !l.group.Without {
		return func(label *lineLabel) bool {
			return label.value != "" && (slices.Contains(l.group.Labels, label.name) || errors && label.name == errorLabel)
		}
	}
	var without []string
	if l.group != nil {
		without = l.group.Labels
	}
	named := l.query.names
	return func(label *lineLabel) bool {
		if label.origin == fromMetadata {
			if _, ok := named[label.name]; !ok {
				return false
			}
		}
		return label.value != "" && label.name != unwrapped && label.name != errorDetailsLabel && !slices.Contains(without, label.name)
	}
}

// wanted returns the labels that parsers must find, nil for all.
func (l *leaf) wanted() (names, error) {
	if l.group == nil || l.group.Without {
		return nil, nil
	}
	wanted := names{}
	wanted.add(l.group.Labels...)
	if u := l.agg.Unwrap; u != nil {
		wanted.add(u.Label)
		for _, f := range u.Filters {
			if err := (&looks{names: wanted}).stage(f); err != nil {
				return nil, err
			}
		}
	}
	return wanted, nil
}

// looked returns the labels whose values decide the result and may be metadata.
func (l *leaf) looked() (looks, error) {
	looked := looks{names: maps.Clone(l.plan.looks.names), all: l.plan.looks.all}
	for name := range l.query.names {
		looked.names.add(name)
	}
	if l.group != nil {
		looked.names.add(l.group.Labels...)
	}
	if u := l.agg.Unwrap; u != nil {
		looked.names.add(u.Label)
		for _, f := range u.Filters {
			if err := looked.stage(f); err != nil {
				return looked, err
			}
		}
	}
	return looked, nil
}

// countInStorage lets the storage count lines per stream and bucket. The pipeline's stages, which look at labels alone
// here, run once per count.
func (l *leaf) countInStorage(ctx context.Context, scope store.LogScope) error {
	q := store.LogCountsQuery{LogScope: scope, Grid: l.grid, Bytes: l.countsBytes()}
	var split []string
	looked, err := l.looked()
	if err != nil {
		return err
	}
	for name := range looked.names {
		if field, attr, ok := metadataField(name); ok && !l.inAllStreams(name) {
			q.Split = append(q.Split, store.LogSplit{Field: field, Attr: attr})
			split = append(split, name)
		} else if name != errorLabel && name != errorDetailsLabel && !ok {
			return l.readRows(ctx, scope) // a name that only rows can tell
		}
	}
	q.Into = l.merged(split)
	if err := l.query.narrow(ctx, l.plan, &q.LogScope); err != nil {
		return err
	}
	stats, err := l.query.engine.opts.Storage.LogCounts(ctx, l.query.tenant, q, func(c *store.LogCount) error {
		l.labels.reset(l.streams[c.FP])
		for i, name := range split {
			if !l.labels.inStream(name) {
				l.labels.addMetadata(name, c.Values[i])
			}
		}
		if _, keep := run(l.plan.stages, "", &l.labels); !keep {
			return nil
		}
		s, err := l.find()
		if err != nil {
			return err
		}
		s.counts[c.Bucket] += l.weight(c.Lines, c.Bytes)
		return nil
	})
	l.query.count(stats)
	return err
}

// merged returns for each stream the first one whose series is the same, so that the storage adds their counts. It is nil
// where every stream has series of its own, and where stages decide.
func (l *leaf) merged(split []string) []uint64 {
	if l.group == nil || len(l.plan.stages) > 0 {
		return nil
	}
	first := map[string]uint64{}
	into := make([]uint64, 0, len(l.plan.streams))
	for _, s := range l.plan.streams {
		l.labels.reset(l.streams[s.FP])
		_, key := l.labels.group(l.keep)
		for _, name := range split { // a label that a stream has hides the metadata of its name
			key = strconv.AppendBool(key, l.labels.inStream(name))
		}
		fp, ok := first[string(key)]
		if !ok {
			fp = s.FP
			first[string(key)] = fp
		}
		into = append(into, fp)
	}
	if len(first) == len(into) {
		return nil
	}
	return into
}

func (l *leaf) inAllStreams(name string) bool {
	all, _ := l.plan.occurrence(names{name: {}})
	return all
}

func (l *leaf) countsBytes() bool {
	return l.agg.Op == logql.RangeBytes || l.agg.Op == logql.RangeBytesRate
}

// weight is what some lines add to a count.
func (l *leaf) weight(lines, bytes uint64) uint64 {
	if l.countsBytes() {
		return bytes
	}
	return lines
}

// readRows streams rows through the pipeline. Their order does not matter: every function is told a value's time.
func (l *leaf) readRows(ctx context.Context, scope store.LogScope) error {
	looked, err := l.looked()
	if err != nil {
		return err
	}
	q := store.LogRowsQuery{LogScope: scope, Columns: columnsFor(looked)}
	q.Columns.Body = l.plan.body || l.countsBytes()
	if err := l.query.narrow(ctx, l.plan, &q.LogScope); err != nil {
		return err
	}
	var values *valueReader
	if l.agg.Unwrap != nil {
		if values, err = newValueReader(l.agg); err != nil {
			return err
		}
	}
	stats, err := l.query.engine.opts.Storage.LogRows(ctx, l.query.tenant, q, func(b *store.LogBlock) error {
		for i := range b.Len() {
			if err := alive(ctx, i); err != nil {
				return err
			}
			if err := l.row(b, i, values); err != nil {
				return err
			}
		}
		return nil
	})
	l.query.count(stats)
	return err
}

// row adds row i of a block to its series.
func (l *leaf) row(b *store.LogBlock, i int, values *valueReader) error {
	l.labels.reset(l.streams[b.FP[i]])
	l.labels.addRow(b, i, &l.ids)
	line := ""
	if len(b.Body) > 0 {
		line = b.Body[i]
	}
	line, keep := run(l.plan.stages, line, &l.labels)
	if !keep {
		return nil
	}
	if values == nil {
		s, err := l.find()
		if err == nil {
			s.counts[l.grid.Bucket(b.Time[i])] += l.weight(1, uint64(len(line)))
		}
		return err
	}
	v, ok := values.read(&l.labels)
	if !ok {
		return nil
	}
	s, err := l.find()
	if err != nil {
		return err
	}
	p := &s.parts[l.grid.Bucket(b.Time[i])]
	values.fold.add(p, b.Time[i], v)
	if values.fold.merge == nil {
		return l.query.grow(16)
	}
	return nil
}

// find returns the series of the current labels.
func (l *leaf) find() (*leafSeries, error) {
	if l.labels.failed && l.fails {
		return nil, l.pipelineError()
	}
	// Lines mostly have their labels in the same order, so they are sorted once per series and order.
	alias := l.labels.unsortedKey(l.keep)
	if s := l.aliases[string(alias)]; s != nil {
		return s, nil
	}
	s, err := l.findSorted()
	if err == nil && len(l.aliases) < maxAliases {
		l.aliases[string(alias)] = s
	}
	return s, err
}

// maxAliases bounds the orders of labels that are remembered.
const maxAliases = 20_000

// findSorted returns the series of the current labels.
func (l *leaf) findSorted() (*leafSeries, error) {
	labels, key := l.labels.group(l.keep)
	if s := l.series[string(key)]; s != nil {
		return s, nil
	}
	if limit := l.query.engine.opts.MaxSeries; len(l.series) >= limit {
		return nil, seamark.Errorf(seamark.Unprocessable, "seamark-logql-series",
			"%s yields more than the limit of %d series. Aggregate by fewer labels, as in sum by (app) (...), or narrow the selector.",
			l.agg, limit)
	}
	s := &leafSeries{labels: slices.Clone(labels)}
	size := 8
	if l.agg.Unwrap != nil {
		s.parts = make([]part, l.grid.Buckets())
		size = 88
	} else {
		s.counts = make([]uint64, l.grid.Buckets())
	}
	l.series[string(key)] = s
	return s, l.query.grow(len(key)*2 + l.grid.Buckets()*size + l.grid.Steps*bytesPerStep)
}

func (l *leaf) pipelineError() error {
	kind, details := l.labels.get(errorLabel), l.labels.get(errorDetailsLabel)
	return seamark.Errorf(seamark.Unprocessable, "seamark-logql-pipeline",
		`The pipeline failed on a line of the stream %s with %s: %s. Drop such lines with | __error__="" after the stage that fails, `+
			`or keep them with | drop __error__.`,
		formatLabels(l.labels.stream.stored), kind, details)
}

// matrix evaluates the function over the windows of every series.
func (l *leaf) matrix() matrix {
	m := make(matrix, 0, len(l.series))
	seconds := l.agg.Range.Seconds()
	for _, s := range l.series {
		out := newSeries(s.labels, l.grid.Steps)
		if s.parts != nil {
			f := foldOf(l.agg)
			if f.merge == nil {
				f.gather(l.grid, s.parts, out)
			} else {
				f.slide(l.grid, s.parts, out)
			}
			m = append(m, out)
			continue
		}
		per := 1.0
		if l.agg.Op == logql.RangeRate || l.agg.Op == logql.RangeBytesRate {
			per = seconds
		}
		l.countWindows(s.counts, per, out)
		m = append(m, out)
	}
	return m.trim()
}

// countWindows sums the buckets of every window, exactly, by differences of running sums.
func (l *leaf) countWindows(counts []uint64, per float64, out *series) {
	running := uint64(0)
	for i, n := range counts {
		running += n
		counts[i] = running
	}
	before := func(i int) uint64 {
		if i == 0 {
			return 0
		}
		return counts[i-1]
	}
	for k := range l.grid.Steps {
		from, to := l.grid.Span(k)
		if n := before(to) - before(from); n > 0 {
			out.set(k, float64(n)/per)
		}
	}
}
