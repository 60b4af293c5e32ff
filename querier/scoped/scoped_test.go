package scoped_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/scoped"
)

const someTenant seamark.TenantID = "01JZZZZZZZZZZZZZZZZZZZZZZZ"

func only() *seamark.Restriction {
	return &seamark.Restriction{Clusters: []string{"prod"}, Namespaces: []string{"shop", "bank"}}
}

// metricFake remembers what it was asked. What a test does not expect to be called is nil.
type metricFake struct {
	promql.Store
	series  store.MetricSeriesQuery
	samples *store.MetricSamplesQuery
	counted store.CardinalityQuery
}

func (f *metricFake) ListMetricSeries(_ context.Context, _ seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error) {
	f.series = q
	return nil, nil
}

func (f *metricFake) ListMetricSamples(_ context.Context, _ seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricSamples, int, error) {
	f.samples = &q
	return nil, 0, nil
}

func (f *metricFake) CountCardinality(_ context.Context, _ seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error) {
	f.counted = q
	return nil, nil
}

var narrowing = []store.MetricMatcher{
	{Name: "cluster", Op: store.MetricIn, Values: []string{"prod"}}, {Name: "namespace", Op: store.MetricIn, Values: []string{"shop", "bank"}},
}

func TestMetricsAddConditionsThatNoQueryTakesAway(t *testing.T) {
	fake := &metricFake{}
	narrowed := scoped.Metrics(fake, only())
	asked := make([]store.MetricMatcher, 1, 10)
	asked[0] = store.MetricMatcher{Name: "namespace", Op: store.MetricNotEquals, Value: "shop"}
	_, err := narrowed.ListMetricSeries(t.Context(), someTenant, store.MetricSeriesQuery{Matchers: asked})
	require.NoError(t, err)
	require.Equal(t, append(asked[:1:1], narrowing...), fake.series.Matchers)
	require.Empty(t, asked[:2][1].Name, "the caller's own slice is as it was")

	_, err = narrowed.CountCardinality(t.Context(), someTenant, store.CardinalityQuery{})
	require.NoError(t, err)
	require.Equal(t, [][]store.MetricMatcher{narrowing}, fake.counted.Sets, "no condition counts the part, not everything")
}

func TestMetricsReadOnlySeriesThatWereFound(t *testing.T) {
	fake := &metricFake{}
	narrowed := scoped.Metrics(fake, only())
	_, _, err := narrowed.ListMetricSamples(t.Context(), someTenant, store.MetricSamplesQuery{Metrics: []string{"up"}, Whole: true})
	require.Equal(t, seamark.Forbidden, seamark.KindOf(err))
	require.Nil(t, fake.samples)
	_, _, err = narrowed.ListMetricSamples(t.Context(), someTenant, store.MetricSamplesQuery{Metrics: []string{"up"}, FPs: []uint64{1}, Whole: true})
	require.NoError(t, err)
	require.False(t, fake.samples.Whole, "a series that came meanwhile may be of another namespace")
	_, err = narrowed.ListMetricMetadata(t.Context(), someTenant, store.MetricMetadataQuery{})
	require.Equal(t, seamark.Forbidden, seamark.KindOf(err))
}

// surroundingsFake has a stream of each namespace.
type surroundingsFake struct {
	asked   store.LogStreamsQuery
	context store.LogContextQuery
}

func stream(fp uint64, namespace string) store.LogStream {
	labels := []seamark.Label{{Name: "cluster", Value: "prod"}}
	if namespace != "" {
		labels = append(labels, seamark.Label{Name: "namespace", Value: namespace})
	}
	return store.LogStream{FP: fp, Labels: labels}
}

func (f *surroundingsFake) LogStreams(_ context.Context, _ seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	f.asked = q
	return nil, nil
}

func (f *surroundingsFake) LogStreamsByFP(context.Context, seamark.TenantID, []uint64) ([]store.LogStream, error) {
	return []store.LogStream{stream(1, "shop"), stream(2, "other"), stream(3, "")}, nil
}

func (f *surroundingsFake) LogPositionOf(context.Context, seamark.TenantID, store.LogStream, int64, *string) (store.LogPosition, bool, error) {
	return store.LogPosition{}, true, nil
}

func (f *surroundingsFake) LogContext(_ context.Context, _ seamark.TenantID, q store.LogContextQuery) (*store.LogContextRows, error) {
	f.context = q
	return &store.LogContextRows{}, nil
}

func TestSurroundingsShowTheStreamsInside(t *testing.T) {
	fake := &surroundingsFake{}
	narrowed := scoped.Surroundings(fake, only())
	list, err := narrowed.LogStreamsByFP(t.Context(), someTenant, []uint64{1, 2, 3})
	require.NoError(t, err)
	require.Equal(t, []store.LogStream{stream(1, "shop")}, list)
	_, err = narrowed.LogStreams(t.Context(), someTenant, store.LogStreamsQuery{})
	require.NoError(t, err)
	require.Equal(t, []store.LogMatcher{
		{Name: "cluster", Op: store.LogMatches, Value: "prod"}, {Name: "namespace", Op: store.LogMatches, Value: "shop|bank"},
	}, fake.asked.Matchers)
	for namespace, want := range map[string]bool{"shop": true, "other": false, "": false} {
		_, found, err := narrowed.LogPositionOf(t.Context(), someTenant, stream(1, namespace), 0, nil)
		require.NoError(t, err)
		require.Equal(t, want, found, namespace)
	}
	_, err = narrowed.LogContext(t.Context(), someTenant, store.LogContextQuery{Streams: []store.LogStream{stream(1, "shop"), stream(2, "other")}})
	require.NoError(t, err)
	require.Equal(t, []store.LogStream{stream(1, "shop")}, fake.context.Streams)
}

func TestLogQueryHasTheRestrictionInItsSelector(t *testing.T) {
	for query, want := range map[string]string{
		`{app="x"} |= "y"`:                   `{app="x", cluster=~"prod", namespace=~"shop|bank"} |= "y"`,
		`{namespace="other"} | json | a="b"`: `{namespace="other", cluster=~"prod", namespace=~"shop|bank"} | json | a="b"`,
	} {
		got, err := scoped.LogQuery(query, only())
		require.NoError(t, err)
		require.Equal(t, strings.ReplaceAll(want, " ", ""), strings.ReplaceAll(got, " ", ""))
	}
	got, err := scoped.LogQuery(`{ app = "x" }`, nil)
	require.NoError(t, err)
	require.Equal(t, `{ app = "x" }`, got, "who is not restricted asks what they wrote")
	_, err = scoped.LogQuery(`count_over_time({app="x"}[1m])`, only())
	require.Equal(t, seamark.Invalid, seamark.KindOf(err))
}
