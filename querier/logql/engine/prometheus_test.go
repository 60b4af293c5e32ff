package engine_test

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/testkit"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

// leaves are matrices as Prometheus' engine reads them, by metric name. They implement storage.Queryable.
type leaves map[string][]logqlengine.Series

func (l leaves) Querier(int64, int64) (storage.Querier, error) { return leafQuerier{leaves: l}, nil }

// leafQuerier serves selectors of a metric name alone.
type leafQuerier struct {
	storage.LabelQuerier
	leaves leaves
}

func (q leafQuerier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	set := &leafSet{at: -1}
	name := matchers[0].Value
	for _, s := range q.leaves[name] {
		b := labels.NewBuilder(labels.FromStrings("__name__", name))
		for _, l := range s.Labels {
			b.Set(l.Name, l.Value)
		}
		series := promql.Series{Metric: b.Labels()}
		for _, p := range s.Points {
			series.Floats = append(series.Floats, promql.FPoint{T: p.Time / 1e6, F: p.Value})
		}
		set.list = append(set.list, promql.NewStorageSeries(series))
	}
	return set
}

func (leafQuerier) Close() error { return nil }

type leafSet struct {
	list []*promql.StorageSeries
	at   int
}

func (s *leafSet) Next() bool                        { s.at++; return s.at < len(s.list) }
func (s *leafSet) At() storage.Series                { return s.list[s.at] }
func (s *leafSet) Err() error                        { return nil }
func (s *leafSet) Warnings() annotations.Annotations { return nil }

// TestVectorsEqualPrometheus evaluates vector aggregations and binary operations over random leaves here and in Prometheus'
// engine. LogQL's documentation defines these operators by PromQL's.
func TestVectorsEqualPrometheus(t *testing.T) {
	const (
		leafA = `sum_over_time({app=~".+"} | json | __error__="" | keep app, pod, n | unwrap n [9s])`
		leafB = `max_over_time({pod!="pod-3"} | json | __error__="" | keep app, pod, n | unwrap n [5s])`
		leafC = `sum by (app) (count_over_time({app=~"app-[013]"}[7s]))`
	)
	e := newEngine(t, memory{t, randomLogs(testkit.Seed(t), 300)})
	params := func(query string) logqlengine.Params {
		return logqlengine.Params{Query: query, Start: base, End: base.Add(2 * time.Minute), Step: 3 * time.Second}
	}
	data := leaves{}
	for name, query := range map[string]string{"leaf_a": leafA, "leaf_b": leafB, "leaf_c": leafC} {
		result, err := e.Query(t.Context(), tenant, params(query))
		require.NoError(t, err)
		require.NotEmpty(t, result.Series, name)
		data[name] = result.Series
	}
	// A leaf has its value at the step and nowhere else, so looking back would find the last step's.
	prometheus := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: time.Millisecond, Parser: parser.NewParser(parser.Options{})})
	for _, query := range []string{
		`sum(A)`, `avg by (app) (A)`, `min without (pod) (A)`, `max(A)`, `count by (app) (A)`, `stddev(A)`, `stdvar by (app) (A)`,
		`topk(2, A)`, `bottomk(1, A) by (app)`, `topk by (app) (1, A) > 0`,
		`A + B`, `A - B`, `A * 2`, `2 / A`, `A % 7`, `A ^ 2`, `-1 * A`, `A / (B + 0.5)`,
		`A > B`, `A > bool B`, `B != A`, `A == bool A`, `A > 10`, `10 > A`, `A <= bool 3`, `3 >= bool A`,
		`A and B`, `A or B`, `A unless B`, `B or A > 5`, `A and on (app) C`, `A unless on (app) C`, `C or on (app) A`,
		`A / on (app) group_left C`, `C * on (app) group_right A`, `A + ignoring (pod) group_left C`, `A > on (app) group_left C`,
		`C < bool on (app) group_right A`, `sum by (app) (A) / on (app) C`, `sum(A) + ignoring (app) group_right C`,
		`sum(A) or vector(5)`, `vector(2) * vector(3) ^ vector(2)`, `C * on (app) group_left (pod) topk by (app) (1, A)`, `sum(A > bool 0) by (app) - C`,
	} {
		replace := func(a, b, c string) string { return strings.NewReplacer("A", a, "B", b, "C", c).Replace(query) }
		result, err := e.Query(t.Context(), tenant, params(replace(leafA, leafB, leafC)))
		require.NoError(t, err, query)
		p := params("")
		q, err := prometheus.NewRangeQuery(t.Context(), data, nil, replace("leaf_a", "leaf_b", "leaf_c"), p.Start, p.End, p.Step)
		require.NoError(t, err, query)
		answer := q.Exec(t.Context())
		require.NoError(t, answer.Err, query)
		want, err := answer.Matrix()
		require.NoError(t, err, query)
		compareMatrices(t, query, want, result.Series)
	}
}

// compareMatrices compares values up to the rounding that a different order of additions makes.
func compareMatrices(t *testing.T, query string, want promql.Matrix, got []logqlengine.Series) {
	t.Helper()
	flat := func(labels string, milli int64) string {
		return labels + time.UnixMilli(milli).UTC().Format(time.TimeOnly)
	}
	expected := map[string]float64{}
	for _, s := range want {
		metric := labels.NewBuilder(s.Metric).Del("__name__").Labels().String()
		for _, p := range s.Floats {
			expected[flat(metric, p.T)] = p.F
		}
	}
	actual := map[string]float64{}
	for _, s := range got {
		b := labels.NewScratchBuilder(0)
		for _, l := range s.Labels {
			b.Add(l.Name, l.Value)
		}
		for _, p := range s.Points {
			actual[flat(b.Labels().String(), p.Time/1e6)] = p.Value
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(expected)), slices.Sorted(maps.Keys(actual)), query)
	for key, w := range expected {
		g := actual[key]
		same := w == g || math.IsNaN(w) && math.IsNaN(g) || math.Abs(w-g) <= 1e-9*math.Max(math.Abs(w), math.Abs(g))
		require.True(t, same, "%s at %s: Prometheus says %v, got %v", query, key, w, g)
	}
}
