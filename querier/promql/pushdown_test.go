package promql_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	prom "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
)

// TestBuiltinScriptsThroughPushdown runs Prometheus' own suite with every part that package grid knows evaluated by it.
func TestBuiltinScriptsThroughPushdown(t *testing.T) {
	e := promql.NewPushdown(promqltest.NewTestEngine(t, false, 0, promqltest.DefaultMaxSamplesPerQuery), promqltest.DefaultMaxSamplesPerQuery)
	promqltest.RunBuiltinTestsWithStorage(t, e, func(t testing.TB) storage.Storage {
		w := newTwin()
		return newScriptStorage(t, newEngine(t, w).Queryable(tenantA), func(list []float) error {
			for _, f := range list {
				if f.data != "" {
					w.addHistogram(f.labels, f.at, f.data)
				} else {
					w.add(f.labels, f.at, f.value)
				}
			}
			return nil
		})
	})
}

// answer is what a query gives, as text that shows every bit.
type answer struct{ value, notes, err, samples string }

// bits shows a value. All NaNs are the same to PromQL except the stale marker.
func bits(v float64) string {
	switch {
	case value.IsStaleNaN(v):
		return "stale"
	case math.IsNaN(v):
		return "NaN"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func textOf(v any, ordered bool) string {
	var lines []string
	switch v := v.(type) {
	case prom.Matrix:
		for _, s := range v {
			line := s.Metric.String()
			for _, p := range s.Floats {
				line += fmt.Sprintf(" %d:%s", p.T, bits(p.F))
			}
			for _, p := range s.Histograms {
				line += fmt.Sprintf(" %d:%s", p.T, p.H.TestExpression())
			}
			lines = append(lines, line)
		}
	case prom.Vector:
		for _, s := range v {
			line := fmt.Sprint(s.Metric, " ", s.T, ":", bits(s.F))
			if s.H != nil {
				line = fmt.Sprint(s.Metric, " ", s.T, ":", s.H.TestExpression())
			}
			lines = append(lines, line)
		}
	case prom.Scalar:
		lines = append(lines, fmt.Sprint("scalar ", v.T, ":", bits(v.V)))
	}
	if !ordered {
		slices.Sort(lines)
	}
	return strings.Join(lines, "\n")
}

// query is one random question.
type query struct {
	text       string
	start, end time.Time
	step       time.Duration // 0: instant
	lookback   time.Duration // 0: the engine's
}

func (g exprs) query() query {
	q := query{text: g.vector(g.IntN(4)), start: time.UnixMilli(dataStart + g.Int64N(dataSpan) - 600_000)}
	if g.IntN(8) == 0 {
		q.text = g.chosen(g.pick("level", "level offset 2m", "changes(level[5m])", g.leaf())) // its order, deeper in a query, is not defined
	}
	if g.IntN(2) == 0 {
		q.start = q.start.Truncate(time.Minute)
	}
	if g.IntN(5) == 0 {
		q.lookback = []time.Duration{time.Second, time.Minute, 20 * time.Minute}[g.IntN(3)]
	}
	q.end = q.start
	if g.IntN(4) > 0 {
		q.step = []time.Duration{15 * time.Second, time.Minute, 5 * time.Minute, 37 * time.Second, time.Hour}[g.IntN(5)]
		q.end = q.start.Add(time.Duration(g.Int64N(40)) * q.step / 2)
	}
	return q
}

func (q *query) ask(t *testing.T, e *promql.Engine) (answer, bool) {
	t.Helper()
	var pq prom.Query
	var result *prom.Result
	var err error
	opts := prom.NewPrometheusQueryOpts(true, q.lookback)
	if q.step == 0 {
		pq, result, err = e.Instant(t.Context(), tenantA, q.text, q.start, opts)
	} else {
		pq, result, err = e.Range(t.Context(), tenantA, q.text, q.start, q.end, q.step, opts)
	}
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "operation: [") // the labels behind it come out of a map, too
		return answer{err: text}, false
	}
	defer pq.Close()
	// The engine keeps these in maps.
	unordered := strings.Contains(q.text, "count_values") || strings.Contains(q.text, "limitk")
	warnings, infos := result.Warnings.AsStrings(q.text, 0, 0)
	notes := slices.Sorted(slices.Values(slices.Concat(warnings, infos)))
	samples := pq.Stats().Samples
	return answer{
		value: textOf(result.Value, !unordered), notes: strings.Join(notes, "\n"),
		samples: fmt.Sprint(samples.TotalSamples, samples.TotalSamplesPerStep, samples.SamplesRead, samples.SamplesReadPerStep),
	}, promql.Pushed(pq)
}

// defined reports whether Prometheus' engine gives the same answer again and again. It keeps the results of functions and
// binary operators in maps over the steps of a range query, so that what is summed above them has no order.
func (q *query) defined(t *testing.T, e *promql.Engine, want answer) bool {
	t.Helper()
	const often = 50
	for range often {
		if again, _ := q.ask(t, e); again != want {
			return false
		}
	}
	return true
}

// TestPushdownDiffersInNothing compares random queries over random data with Prometheus' engine over the same samples.
// SEAMARK_PROMQL_QUERIES sets their number, SEAMARK_PROMQL_SEED what they are.
func TestPushdownDiffersInNothing(t *testing.T) {
	number := func(name string, otherwise uint64) uint64 {
		n, err := strconv.ParseUint(os.Getenv(name), 10, 64)
		if err != nil {
			return otherwise
		}
		return n
	}
	queries, seed := number("SEAMARK_PROMQL_QUERIES", 3000), number("SEAMARK_PROMQL_SEED", 1)
	const perData = 500
	pushed, failed, undefined := 0, 0, 0
	var ours, theirs *promql.Engine
	for i := range queries {
		r := rand.New(rand.NewPCG(seed, i))
		if i%perData == 0 {
			data := randomData(r)
			ours = newEngine(t, data, func(o *promql.Options) { o.ChunkSamples = []int{0, 1, 2000}[r.IntN(3)] })
			theirs = newEngine(t, data, func(o *promql.Options) { o.NoPushdown = true })
		}
		q := exprs{r}.query()
		want, _ := q.ask(t, theirs)
		got, isPushed := q.ask(t, ours)
		if isPushed {
			pushed++
		}
		if want.err != "" {
			failed++
		}
		switch {
		case got == want:
		case !q.defined(t, theirs, want):
			undefined++
		default:
			t.Fatalf("query %d of seed %d: %s from %d to %d step %s\n got %q\nwant %q", i, seed, q.text, q.start.UnixMilli(), q.end.UnixMilli(), q.step, got, want)
		}
	}
	t.Logf("%d queries, %d of them pushed down, %d with an error, %d that Prometheus does not define", queries, pushed, failed, undefined)
	require.LessOrEqual(t, undefined, int(queries)/100+1)
	require.Greater(t, pushed, int(queries)/4, "too few queries are pushed down to tell anything")
	require.Less(t, failed, int(queries)/3, "too many queries have no result")
}

// orderedStore returns samples in the order in which they are asked for, as the cache of samples does.
type orderedStore struct{ *columnStore }

func (o orderedStore) ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	list, rows, err := o.columnStore.ListMetricSamples(ctx, tenant, q)
	slices.SortFunc(list, func(a, b store.MetricSamples) int {
		return cmp.Compare(slices.Index(q.FPs, a.FP), slices.Index(q.FPs, b.FP))
	})
	return list, rows, err
}

// TestOrderOfSamplesChangesNothing reads samples in order and in another, of series that partly have none.
func TestOrderOfSamplesChangesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3)) //nolint:gosec // the same data every time
	data := randomData(r)
	ordered, other := newEngine(t, orderedStore{data}), newEngine(t, data)
	for range 50 {
		at := time.UnixMilli(dataStart + r.Int64N(dataSpan+300_000))
		for _, text := range []string{`{__name__!=""}`, `last_over_time({job="j0"}[5m])`} {
			require.Equal(t, instant(t, other, text, at), instant(t, ordered, text, at), text)
		}
	}
}
