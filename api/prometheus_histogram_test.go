package api

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"
)

// TestHistogramJSON writes native histograms as Prometheus does: bounds, empty buckets left out, and the zero bucket.
func TestHistogramJSON(t *testing.T) {
	h := &histogram.FloatHistogram{
		Schema: 0, Count: 6, Sum: 18.4, ZeroThreshold: 0.001, ZeroCount: 1,
		PositiveSpans: []histogram.Span{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}}, PositiveBuckets: []float64{2, 0, 2},
		NegativeSpans: []histogram.Span{{Offset: 0, Length: 1}}, NegativeBuckets: []float64{1},
	}
	const point = `{"count":"6","sum":"18.4","buckets":[[1,"-1","-0.5","1"],[3,"-0.001","0.001","1"],[0,"1","2","2"],[0,"8","16","2"]]}`
	ls := labels.FromStrings("__name__", "h")
	w := httptest.NewRecorder()
	j := newJSONWriter(w)
	require.NoError(t, j.value(promql.Vector{{Metric: ls, T: 1500, H: h}}))
	require.JSONEq(t, `[{"metric":{"__name__":"h"},"histogram":[1.5,`+point+`]}]`, string(j.buf))
	j = newJSONWriter(w)
	require.NoError(t, j.value(promql.Matrix{{Metric: ls, Histograms: []promql.HPoint{{T: 1000, H: h}}, Floats: []promql.FPoint{{T: 2000, F: 3}}}}))
	require.JSONEq(t, `[{"metric":{"__name__":"h"},"values":[[2,"3"]],"histograms":[[1,`+point+`]]}]`, string(j.buf))
	j = newJSONWriter(w)
	require.NoError(t, j.value(promql.Vector{{Metric: ls, T: 1500, H: &histogram.FloatHistogram{}}}))
	require.True(t, json.Valid(j.buf))
	require.NotContains(t, string(j.buf), "buckets")
}
