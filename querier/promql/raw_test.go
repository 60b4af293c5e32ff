package promql_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/promql"
)

// readAll reads and writes each series as the index of its selectors, its labels and the minutes of its samples.
func readAll(t *testing.T, e *promql.Engine, hints []storage.SelectHints, selectors ...string) []string {
	t.Helper()
	sets, err := e.Parser().ParseMetricSelectors(selectors)
	require.NoError(t, err)
	list := []string{}
	var it chunkenc.Iterator
	require.NoError(t, e.ReadSeries(t.Context(), tenantA, hints, sets, func(i int, s storage.Series) error {
		text := fmt.Sprint(i, " ", s.Labels())
		it = s.Iterator(it)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			text += fmt.Sprint(" ", it.AtT()/60_000)
		}
		list = append(list, text)
		return it.Err()
	}))
	return list
}

func minutes(from, to int64) storage.SelectHints {
	return storage.SelectHints{Start: from * 60_000, End: to * 60_000}
}

func TestReadSeries(t *testing.T) {
	w := filledTwin()
	for m := range int64(3) {
		h := prompb.FromIntHistogram(m*60_000, tsdbutil.GenerateTestHistogram(m))
		data, err := h.Marshal()
		require.NoError(t, err)
		w.addHistogram(labels.FromStrings("__name__", "latency"), m*60_000, string(data))
	}
	e := newEngine(t, w)
	require.Equal(t, []string{
		`0 {__name__="up", pod="p1", zone="b"} 3 4`, `0 {__name__="up", pod="p3", zone="b"} 3 4`,
		`1 {__name__="latency"} 1 2`, `1 {__name__="up", pod="p2", zone="a"} 1 2`,
	}, readAll(t, e, []storage.SelectHints{minutes(3, 4), minutes(1, 2)}, `up{pod=~"p1|p3"}`, `{__name__=~"up|latency", pod=~"p2|"}`),
		"sorted, each in its own range with both ends, and no histogram of before")
	require.Equal(t, []string{`0 {__name__="up", pod="p2", zone="a"} 3`},
		readAll(t, e, []storage.SelectHints{minutes(3, 3)}, `{__name__=~"up|latency", pod=~"p2|"}`), "a series of which there is only a histogram before the range")
	onlyLabels := minutes(3, 4)
	onlyLabels.Func = "series"
	require.Equal(t, []string{`0 {__name__="latency"}`}, readAll(t, e, []storage.SelectHints{onlyLabels}, `latency`))
	require.Empty(t, readAll(t, e, nil))
}

// TestReadSeriesIgnoresTheFunction reads all samples even when the hints speak of a function that needs fewer.
func TestReadSeriesIgnoresTheFunction(t *testing.T) {
	hints := minutes(3, 5)
	hints.Func, hints.Grouping, hints.By, hints.Limit = "sum", []string{"zone"}, true, 1
	require.Len(t, readAll(t, newEngine(t, filledTwin()), []storage.SelectHints{hints}, `up`), 10)
}

func TestReadSeriesFaults(t *testing.T) {
	w := filledTwin()
	e := newEngine(t, w)
	matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", "up")}
	read := func(visit func(int, storage.Series) error) error {
		return e.ReadSeries(t.Context(), tenantA, []storage.SelectHints{minutes(0, 59)}, [][]*labels.Matcher{matchers}, visit)
	}
	stop := errors.New("stop")
	require.Equal(t, stop, read(func(int, storage.Series) error { return stop }), "the visitor's own error")
	w.err = seamark.Errorf(seamark.Unavailable, "seamark-store-away", "Away.")
	kind, id, _ := kindOf(t, read(func(int, storage.Series) error { return nil }))
	require.Equal(t, seamark.Unavailable, kind)
	require.Equal(t, "seamark-store-away", id)
}

// TestReadSeriesLimit counts the samples of all selectors of a call together.
func TestReadSeriesLimit(t *testing.T) {
	e := newEngine(t, filledTwin(), func(o *promql.Options) { o.MaxSamples = 100 })
	sets, err := e.Parser().ParseMetricSelectors([]string{`up{pod="p1"}`, `up{pod="p2"}`})
	require.NoError(t, err)
	err = e.ReadSeries(t.Context(), tenantA, []storage.SelectHints{minutes(0, 59), minutes(0, 59)}, sets, func(int, storage.Series) error { return nil })
	kind, id, message := kindOf(t, err)
	require.Equal(t, seamark.Unprocessable, kind)
	require.Equal(t, "seamark-query-samples", id)
	require.Contains(t, message, "100 samples")
}
