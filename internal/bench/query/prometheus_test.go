package query_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

// prometheus is Prometheus' engine, with the settings of its defaults, over a block of its storage. It implements
// api.MetricQuerier and api.MetricLister and has one tenant, whatever it is called.
type prometheus struct {
	db     *tsdb.DB
	engine *prom.Engine
}

// blockWriter collects the corpus for a block.
type blockWriter struct {
	dir string
	w   *tsdb.BlockWriter
}

func newBlockWriter(b *testing.B) *blockWriter {
	b.Helper()
	dir := b.TempDir()
	w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, (2 * corpusLength).Milliseconds())
	if err != nil {
		b.Fatal(err)
	}
	return &blockWriter{dir, w}
}

func (w *blockWriter) add(ctx context.Context, c *corpus, ls labels.Labels, values []float64) error {
	app, ref := w.w.Appender(ctx), storage.SeriesRef(0)
	for k, v := range values {
		var err error
		if ref, err = app.Append(ref, ls, c.at(k), v); err != nil {
			return err
		}
	}
	return app.Commit()
}

// open writes the block and opens it as a server does.
func (w *blockWriter) open(b *testing.B) *prometheus {
	b.Helper()
	_, err := w.w.Flush(b.Context())
	if err := errors.Join(err, w.w.Close()); err != nil {
		b.Fatal(err)
	}
	o := tsdb.DefaultOptions()
	o.RetentionDuration, o.WALSegmentSize = math.MaxInt64/2, -1
	db, err := tsdb.Open(w.dir, slog.New(slog.DiscardHandler), nil, o, nil)
	if err != nil {
		b.Fatal(err)
	}
	p := &prometheus{db: db, engine: prom.NewEngine(prom.EngineOpts{
		MaxSamples: maxSamples, Timeout: timeout, LookbackDelta: promql.DefaultLookbackDelta, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() }, Parser: promql.NewParser(),
	})}
	b.Cleanup(func() {
		if err := errors.Join(p.engine.Close(), db.Close()); err != nil {
			b.Error(err)
		}
	})
	return p
}

// Instant implements api.MetricQuerier.
func (p *prometheus) Instant(ctx context.Context, _ seamark.Scope, query string, at time.Time, opts prom.QueryOpts) (prom.Query, *prom.Result, error) {
	q, err := p.engine.NewInstantQuery(ctx, p.db, opts, query, at)
	return run(ctx, q, err)
}

// Range implements api.MetricQuerier.
func (p *prometheus) Range(ctx context.Context, _ seamark.Scope, query string, start, end time.Time, step time.Duration, opts prom.QueryOpts) (prom.Query, *prom.Result, error) {
	q, err := p.engine.NewRangeQuery(ctx, p.db, opts, query, start, end, step)
	return run(ctx, q, err)
}

func run(ctx context.Context, q prom.Query, err error) (prom.Query, *prom.Result, error) {
	if err != nil {
		return nil, nil, err
	}
	result := q.Exec(ctx)
	if result.Err != nil {
		q.Close()
		return nil, nil, result.Err
	}
	return q, result, nil
}

// LabelValues implements api.MetricLister for requests with at most one set of matchers, as the benchmark's are.
func (p *prometheus) LabelValues(ctx context.Context, _ seamark.Scope, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) (values []string, notes annotations.Annotations, err error) {
	err = p.query(hints, func(q storage.Querier) error {
		values, notes, err = q.LabelValues(ctx, name, &storage.LabelHints{Limit: hints.Limit}, onlySet(sets)...)
		return err
	})
	return values, notes, err
}

// Labels implements api.MetricLister as LabelValues does.
func (p *prometheus) Labels(ctx context.Context, _ seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) (names []string, notes annotations.Annotations, err error) {
	err = p.query(hints, func(q storage.Querier) error {
		names, notes, err = q.LabelNames(ctx, &storage.LabelHints{Limit: hints.Limit}, onlySet(sets)...)
		return err
	})
	return names, notes, err
}

// Series implements api.MetricLister as LabelValues does.
func (p *prometheus) Series(ctx context.Context, _ seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) (list []labels.Labels, notes annotations.Annotations, err error) {
	err = p.query(hints, func(q storage.Querier) error {
		set := q.Select(ctx, true, &storage.SelectHints{Start: hints.Start, End: hints.End, Limit: hints.Limit, Func: "series"}, onlySet(sets)...)
		for set.Next() {
			list = append(list, set.At().Labels())
		}
		notes = set.Warnings()
		return set.Err()
	})
	return list, notes, err
}

// Metadata implements api.MetricLister. A block has none.
func (*prometheus) Metadata(context.Context, seamark.Scope, string, int) ([]seamark.MetricMetadata, error) {
	return nil, nil
}

func (p *prometheus) query(hints *storage.SelectHints, use func(storage.Querier) error) error {
	q, err := p.db.Querier(hints.Start, hints.End)
	if err != nil {
		return err
	}
	return errors.Join(use(q), q.Close())
}

func onlySet(sets [][]*labels.Matcher) []*labels.Matcher {
	if len(sets) == 0 {
		return nil
	}
	return sets[0]
}
