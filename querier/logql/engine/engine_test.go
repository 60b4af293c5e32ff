package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

func TestOptionsAreChecked(t *testing.T) {
	_, err := logqlengine.New(logqlengine.Options{})
	require.ErrorContains(t, err, "Storage is required")
	_, err = logqlengine.New(logqlengine.Options{Storage: memory{}, MaxSeries: -1})
	require.ErrorContains(t, err, "must not be negative")
}

// TestLimits checks that each limit refuses with the limit in the message, and that one less passes.
func TestLimits(t *testing.T) {
	b := &seamark.Batch{}
	for i := range 10 {
		ref := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i + 1), Name: "g", Labels: []seamark.Label{{Name: "pod", Value: fmt.Sprint(i)}}})
		b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: base.UnixNano() + int64(i), Body: fmt.Sprintf(`{"id":"%d","n":%d}`, i, i)})
	}
	minute := logqlengine.Params{Start: base, End: base.Add(time.Minute), Step: time.Second}
	for name, c := range map[string]struct {
		passes, fails logqlengine.Options
		query, id     string
		limit         string
	}{
		"streams":         {logqlengine.Options{MaxStreams: 10}, logqlengine.Options{MaxStreams: 9}, `{pod=~".+"}`, "seamark-logql-streams", "limit of 9 streams"},
		"series":          {logqlengine.Options{MaxSeries: 10}, logqlengine.Options{MaxSeries: 9}, `count_over_time({} | json [5s])`, "seamark-logql-series", "limit of 9 series"},
		"series, counted": {logqlengine.Options{MaxSeries: 10}, logqlengine.Options{MaxSeries: 9}, `count_over_time({}[5s])`, "seamark-logql-series", "limit of 9 series"},
		"steps":           {logqlengine.Options{MaxSteps: 61}, logqlengine.Options{MaxSteps: 60}, `count_over_time({}[5s])`, "seamark-logql-steps", "limit of 60"},
		"entries":         {logqlengine.Options{MaxEntries: 7}, logqlengine.Options{MaxEntries: 6}, `{}`, "seamark-logql-entries", "between 1 and 6"},
		"bytes of lines":  {logqlengine.Options{}, logqlengine.Options{MaxBytes: 500}, `{}`, "seamark-logql-bytes", "more memory than the limit"},
		"bytes of series": {logqlengine.Options{}, logqlengine.Options{MaxBytes: 5000}, `max_over_time({} | json | unwrap n [5s])`, "seamark-logql-bytes", "more memory than the limit"},
		"bytes of values": {logqlengine.Options{}, logqlengine.Options{MaxBytes: 5000}, `quantile_over_time(0.5, {} | json | unwrap n [5s]) by (pod)`, "seamark-logql-bytes", "more memory than the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			p := minute
			p.Query, p.Limit = c.query, 7
			c.passes.Storage, c.fails.Storage = memory{t, b}, memory{t, b}
			e, err := logqlengine.New(c.passes)
			require.NoError(t, err)
			_, err = e.Query(t.Context(), tenant, p)
			require.NoError(t, err)
			e, err = logqlengine.New(c.fails)
			require.NoError(t, err)
			_, err = e.Query(t.Context(), tenant, p)
			var refused *seamark.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.id, refused.ID)
			require.Contains(t, refused.Message, c.limit)
		})
	}
}

func TestFaultsOfTheCaller(t *testing.T) {
	e := newEngine(t, memory{t, &seamark.Batch{}})
	_, err := e.Query(t.Context(), "", logqlengine.Params{Query: "vector(1)"})
	require.Equal(t, seamark.Unauthenticated, seamark.KindOf(err))
	for name, p := range map[string]logqlengine.Params{
		"syntax":        {Query: `{`, Start: base, End: base},
		"backwards":     {Query: `vector(1)`, Start: base, End: base.Add(-1), Step: 1},
		"negative step": {Query: `vector(1)`, Start: base, End: base.Add(1), Step: -1},
		"no times":      {Query: `vector(1)`},
		"far future":    {Query: `vector(1)`, Start: base, End: base.AddDate(100, 0, 0)},
		"no range":      {Query: `{}`, Start: base, End: base, Step: 1},
	} {
		_, err := e.Query(t.Context(), tenant, p)
		require.Equal(t, seamark.Invalid, seamark.KindOf(err), "%s: %v", name, err)
	}
}

func TestListings(t *testing.T) {
	b := &seamark.Batch{}
	for i, app := range []string{"web", "api"} {
		ref := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: uint64(i + 1), Name: "g",
			Labels: []seamark.Label{{Name: "app", Value: app}, {Name: "ns" + app, Value: "x"}}})
		b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: base.UnixNano()})
	}
	day := seamark.TimeRange{Start: base, End: base.Add(time.Second)}
	ctx := t.Context()
	for name, storage := range map[string]logqlengine.Storage{"memory": memory{t, b}, "clickhouse": stored(t, b)} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, storage)
			names, err := e.LabelNames(ctx, tenant, "", day)
			require.NoError(t, err)
			require.Equal(t, []string{"app", "nsapi", "nsweb"}, names)
			names, err = e.LabelNames(ctx, tenant, `{app="web"} |= "a pipeline says nothing about streams"`, day)
			require.NoError(t, err)
			require.Equal(t, []string{"app", "nsweb"}, names)
			values, err := e.LabelValues(ctx, tenant, "app", "{}", day)
			require.NoError(t, err)
			require.Equal(t, []string{"api", "web"}, values)
			series, err := e.Series(ctx, tenant, []string{`{app="web"}`, `{app=~"w.*"}`}, day)
			require.NoError(t, err)
			require.Equal(t, [][]seamark.Label{b.Logs.Streams[0].Labels}, series)
			series, err = e.Series(ctx, tenant, nil, day)
			require.NoError(t, err)
			require.Equal(t, [][]seamark.Label{b.Logs.Streams[1].Labels, b.Logs.Streams[0].Labels}, series)
			_, err = e.LabelNames(ctx, tenant, `rate({}[1m])`, day)
			require.Equal(t, seamark.Invalid, seamark.KindOf(err))
			_, err = e.Series(ctx, "", nil, day)
			require.Equal(t, seamark.Unauthenticated, seamark.KindOf(err))
			_, err = e.LabelValues(ctx, tenant, "app", "", seamark.TimeRange{Start: base, End: base})
			require.Equal(t, seamark.Invalid, seamark.KindOf(err))
		})
	}
	limited, err := logqlengine.New(logqlengine.Options{Storage: stored(t, b), MaxNames: 1})
	require.NoError(t, err)
	_, err = limited.LabelValues(ctx, tenant, "app", "", day)
	require.ErrorContains(t, err, "limit of 1")
	formatted, err := limited.Format(`sum(rate({a="b"}[5m]))by(c)`)
	require.NoError(t, err)
	require.Equal(t, `sum by (c) (rate({a="b"} [5m]))`, formatted)
}
