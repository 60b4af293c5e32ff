package logpatterns_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logpatterns"
)

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// fake answers from lists and notes what it was asked.
type fake struct {
	patterns []store.LogPattern
	points   []store.PatternPoint
	streams  []store.LogStream

	asked  store.PatternsQuery
	series store.PatternSeriesQuery
	labels store.LogStreamsQuery
}

func (f *fake) LogPatterns(_ context.Context, _ seamark.TenantID, q store.PatternsQuery) ([]store.LogPattern, error) {
	f.asked = q
	return f.patterns[:min(q.Limit, len(f.patterns))], nil
}

func (f *fake) LogPatternSeries(_ context.Context, _ seamark.TenantID, q store.PatternSeriesQuery) ([]store.PatternPoint, error) {
	f.series = q
	return f.points, nil
}

func (f *fake) LogStreams(_ context.Context, _ seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	f.labels = q
	return f.streams[:min(q.Limit, len(f.streams))], nil
}

func find(t *testing.T, f *fake, q logpatterns.Query) (*logpatterns.Answer, error) {
	t.Helper()
	finder, err := logpatterns.New(logpatterns.Options{Storage: f, Streams: f, MaxStreams: 3, MaxPatterns: 10, MaxPoints: 60})
	require.NoError(t, err)
	if q.Range.End.IsZero() {
		q.Range = seamark.TimeRange{Start: noon, End: noon.Add(time.Hour)}
	}
	if q.Order == "" {
		q.Order = logpatterns.Top
	}
	if q.Limit == 0 {
		q.Limit = 10
	}
	return finder.Find(t.Context(), seamark.Scope{Tenant: tenant}, q)
}

func pattern(id uint64, text string, lines, before uint64) store.LogPattern {
	return store.LogPattern{ID: id, Text: text, Lines: lines, Before: before, Levels: []store.PatternLevel{{Level: "info", Lines: lines}}, First: noon, Last: noon}
}

func TestTop(t *testing.T) {
	f := &fake{
		patterns: []store.LogPattern{pattern(1, "user <_> logged in", 60, 0), pattern(2, "user ann logged in", 20, 0), pattern(3, "disk full", 20, 0), pattern(4, "", 0, 0)},
		points:   []store.PatternPoint{{ID: 1, Step: 0, Lines: 60}, {ID: 2, Step: 2, Lines: 15}, {ID: 2, Level: "warn", Step: 2, Lines: 5}, {ID: 3, Step: 59, Lines: 20}},
	}
	a, err := find(t, f, logpatterns.Query{Step: time.Minute})
	require.NoError(t, err)
	require.Equal(t, uint64(100), a.Lines)
	require.Equal(t, 2, a.Found)
	require.Len(t, a.Patterns, 2)
	first := a.Patterns[0]
	require.Equal(t, "user <_> logged in", first.Text)
	require.Equal(t, uint64(80), first.Lines, "what a restarted miner had not learned yet is added to the template that stands for it")
	require.Equal(t, []store.PatternLevel{{Level: "info", Lines: 80}}, first.Levels)
	require.InDelta(t, 0.8, first.Share, 1e-12)
	require.Nil(t, first.Comparison)
	require.Equal(t, []logpatterns.Point{{Time: noon, Lines: 60}, {Time: noon.Add(2 * time.Minute), Lines: 20}}, first.Points)
	require.Equal(t, []uint64{1, 2, 3}, f.series.IDs)
	require.True(t, f.asked.All)
	require.Zero(t, f.asked.Before)
}

func TestOrders(t *testing.T) {
	f := &fake{patterns: []store.LogPattern{
		pattern(1, "steady line", 1000, 1010), pattern(2, "spiking line", 300, 30), pattern(3, "new line", 40, 0), pattern(4, "rare line", 3, 0),
		pattern(5, "vanished line", 0, 50), pattern(6, "falling line", 30, 300), pattern(7, "more new lines", 400, 0), pattern(8, "<_>", 500, 0), pattern(9, "rare before", 0, 3),
	}}
	for order, want := range map[logpatterns.Order][]string{
		logpatterns.Top:      {"steady line", "<_>", "more new lines", "spiking line", "new line", "falling line", "rare line"},
		logpatterns.Fresh:    {"more new lines", "new line"},
		logpatterns.Vanished: {"vanished line"},
		logpatterns.Spiking:  {"spiking line"},
	} {
		a, err := find(t, f, logpatterns.Query{Order: order})
		require.NoError(t, err)
		var got []string
		for _, p := range a.Patterns {
			got = append(got, p.Text)
			if order != logpatterns.Top {
				require.NotEmpty(t, p.Comparison.Reason)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", order, diff)
		}
		if order != logpatterns.Top {
			require.Equal(t, seamark.TimeRange{Start: noon.Add(-time.Hour), End: noon}, f.asked.Before, "the hour before")
		}
	}
}

// TestReasons wants sentences that say the numbers.
func TestReasons(t *testing.T) {
	before := seamark.TimeRange{Start: noon.Add(-24 * time.Hour), End: noon.Add(-22 * time.Hour)}
	for _, c := range []struct {
		lines, before uint64
		change        logpatterns.Change
		reason        string
	}{
		{40, 0, logpatterns.IsNew, "It came 40 times now and not once before, where at its rate 80 were to be expected."},
		{3, 0, logpatterns.IsSteady, "It came 3 times now and not before, which may be chance: at its rate 6.0 were to be expected before, and at least 6.9 say something."},
		{0, 20, logpatterns.HasVanished, "It came 20 times before and not once now, where at its rate 10 were to be expected."},
		{0, 1, logpatterns.IsSteady, "It came once before and not now, which may be chance: 0.5 were to be expected, and at least 6.9 say something."},
		{300, 60, logpatterns.IsSpiking, "It comes 10 times as often: 0.0833 lines a second now and 0.00833 before, which is 19.3 standard deviations above chance."},
		{30, 600, logpatterns.IsFalling, "It comes 10 times less often: 0.00833 lines a second now and 0.0833 before, which is 19.3 standard deviations below chance."},
		{310, 600, logpatterns.IsSteady, "It comes about as often as before: 0.0861 lines a second now and 0.0833 before. A change has at least 2 times the rate and 4 standard deviations."},
	} {
		a, err := find(t, &fake{patterns: []store.LogPattern{pattern(1, "one line", c.lines, c.before), pattern(2, "two", 1, 1)}}, logpatterns.Query{Before: before, Limit: 2})
		require.NoError(t, err)
		if c.lines == 0 {
			a, err = find(t, &fake{patterns: []store.LogPattern{pattern(1, "one line", c.lines, c.before)}}, logpatterns.Query{Before: before, Order: logpatterns.Vanished})
			require.NoError(t, err)
			if c.change == logpatterns.IsSteady {
				require.Empty(t, a.Patterns)
				continue
			}
		}
		for _, p := range a.Patterns {
			if p.ID != 1 {
				continue
			}
			require.Equal(t, c.change, p.Comparison.Change)
			require.Equal(t, c.reason, p.Comparison.Reason)
		}
	}
}

// TestChanceIsNoChange draws numbers of lines of patterns that do not change: hardly any may be called a change.
func TestChanceIsNoChange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	changes := 0
	const rounds = 20_000
	for round := range rounds / 10 {
		f := &fake{}
		for i := range 10 {
			mean := math.Pow(10, r.Float64()*4-1)
			f.patterns = append(f.patterns, pattern(uint64(i), fmt.Sprint("line ", strings.Repeat("x", i+1)), poisson(r, mean), poisson(r, mean)))
		}
		a, err := find(t, f, logpatterns.Query{Before: seamark.TimeRange{Start: noon.Add(-time.Hour), End: noon}})
		require.NoError(t, err, "round %d", round)
		for _, p := range a.Patterns {
			if p.Comparison.Change != logpatterns.IsSteady {
				changes++
			}
		}
	}
	require.LessOrEqual(t, changes, rounds/1000)
}

// poisson draws a number: exactly for small means, and by the normal distribution for large ones.
func poisson(r *rand.Rand, mean float64) uint64 {
	if mean > 50 {
		return uint64(max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, limit := uint64(0), math.Exp(-mean)
	for p := r.Float64(); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

func TestSelector(t *testing.T) {
	f := &fake{streams: []store.LogStream{{FP: 1, Group: "a"}, {FP: 2, Group: "b"}}}
	_, err := find(t, f, logpatterns.Query{Selector: `{app="api", env!~"dev|test"}`, Before: seamark.TimeRange{Start: noon.Add(-48 * time.Hour), End: noon.Add(-47 * time.Hour)}})
	require.NoError(t, err)
	require.Equal(t, store.LogStreamsQuery{
		Matchers: []store.LogMatcher{{Name: "app", Op: store.LogEquals, Value: "api"}, {Name: "env", Op: store.LogMatches, Not: true, Value: "dev|test"}},
		Start:    noon.Add(-48 * time.Hour).UnixNano(), End: noon.Add(time.Hour).UnixNano(), Limit: 4,
	}, f.labels)
	require.Equal(t, f.streams, f.asked.Streams)
	require.False(t, f.asked.All)
}

// TestRestrictedReader wants nothing from outside of what a reader may see, the day of others' lines included.
func TestRestrictedReader(t *testing.T) {
	label := func(namespace string) []seamark.Label {
		return []seamark.Label{{Name: "namespace", Value: namespace}}
	}
	p := pattern(1, "one line", 3, 0)
	p.FirstDay = noon
	f := &fake{streams: []store.LogStream{{FP: 1, Labels: label("shop")}, {FP: 2, Labels: label("bank")}, {FP: 3}}, patterns: []store.LogPattern{p}}
	finder, err := logpatterns.New(logpatterns.Options{Storage: f, Streams: f})
	require.NoError(t, err)
	a, err := finder.Find(t.Context(), seamark.Scope{Tenant: tenant, Only: &seamark.Restriction{Namespaces: []string{"shop"}}},
		logpatterns.Query{Range: seamark.TimeRange{Start: noon, End: noon.Add(time.Hour)}, Order: logpatterns.Top, Limit: 1})
	require.NoError(t, err)
	require.False(t, f.asked.All)
	require.Equal(t, f.streams[:1], f.asked.Streams)
	require.Zero(t, a.Patterns[0].FirstDay)
}

func TestRangesAreWholeMinutes(t *testing.T) {
	f := &fake{}
	a, err := find(t, f, logpatterns.Query{Range: seamark.TimeRange{Start: noon.Add(10 * time.Second), End: noon.Add(61 * time.Second)}, Order: logpatterns.Fresh})
	require.NoError(t, err)
	require.Equal(t, seamark.TimeRange{Start: noon, End: noon.Add(2 * time.Minute)}, a.Range)
	require.Equal(t, seamark.TimeRange{Start: noon.Add(-2 * time.Minute), End: noon}, a.Before)
	require.Equal(t, time.Minute, a.Step)
}

func TestTruncated(t *testing.T) {
	f := &fake{}
	for i := range 12 {
		f.patterns = append(f.patterns, pattern(uint64(i), strings.Repeat("word ", i+1), 10, 0))
	}
	a, err := find(t, f, logpatterns.Query{Limit: 3})
	require.NoError(t, err)
	require.True(t, a.Truncated)
	require.Len(t, a.Patterns, 3)
}

func TestFaults(t *testing.T) {
	hour := seamark.TimeRange{Start: noon, End: noon.Add(time.Hour)}
	streams := &fake{streams: make([]store.LogStream, 4)}
	for _, c := range []struct {
		q    logpatterns.Query
		want string
	}{
		{logpatterns.Query{Order: "rare"}, `The sort "rare" is unknown; use top, new, vanished or spiking.`},
		{logpatterns.Query{Step: 90 * time.Second}, `The step "1m30s" is not a number of whole minutes`},
		{logpatterns.Query{Step: time.Minute, Range: seamark.TimeRange{Start: noon, End: noon.Add(61 * time.Minute)}}, "has 61 points, more than the limit of 60"},
		{logpatterns.Query{Range: seamark.TimeRange{Start: noon, End: noon.Add(-time.Hour)}}, "The end 2026-11-20T11:00:00Z must lie after the start 2026-11-20T12:00:00Z."},
		{logpatterns.Query{Before: seamark.TimeRange{Start: noon.Add(-time.Hour)}}, "The parameter compare_end is missing"},
		{logpatterns.Query{Before: seamark.TimeRange{End: noon}}, "The parameter compare_start is missing"},
		{logpatterns.Query{Before: hour}, "overlaps the period 2026-11-20T12:00:00Z to 2026-11-20T13:00:00Z (start, end)"},
		{logpatterns.Query{Range: seamark.TimeRange{Start: noon.AddDate(-100, 0, 0), End: noon}}, "is not between the years 1970 and 2100"},
		{logpatterns.Query{Selector: `{app="api"} |= "x"`}, "without a pipeline"},
		{logpatterns.Query{Selector: `{app=`}, "parse error at 1:6"},
		{logpatterns.Query{Selector: `{app="api"}`}, "more than the limit of 3 streams"},
	} {
		_, err := find(t, streams, c.q)
		require.ErrorContains(t, err, c.want)
	}
	finder, err := logpatterns.New(logpatterns.Options{Storage: streams, Streams: streams})
	require.NoError(t, err)
	_, err = finder.Find(t.Context(), seamark.Scope{}, logpatterns.Query{Range: hour, Order: logpatterns.Top})
	require.Error(t, err, "nobody's patterns were found")
}

func TestOptions(t *testing.T) {
	_, err := logpatterns.New(logpatterns.Options{})
	require.Error(t, err)
	_, err = logpatterns.New(logpatterns.Options{Storage: &fake{}, Streams: &fake{}, MaxPoints: -1})
	require.Error(t, err)
}
