package api_test

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promclient "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestPrometheusResults compares answers byte by byte with what Prometheus answers.
func TestPrometheusResults(t *testing.T) {
	const a, b = `{"__name__":"up","instance":"x","job":"a"}`, `{"__name__":"up","instance":"<y>&\"quoted\"\n","job":"b"}`
	const noB = `{"instance":"<y>&\"quoted\"\n","job":"b"}`
	for _, c := range []struct {
		params []string
		want   string
	}{
		{[]string{"/query", "query", `up{job="a"}`, "time", "60.001"}, `{"resultType":"vector","result":[{"metric":` + a + `,"value":[60.001,"1"]}]}`},
		{[]string{"/query", "query", `up{job="b"}[3m]`, "time", "300.5"}, `{"resultType":"matrix","result":[{"metric":` + b + `,"values":[[180,"-Inf"],[240,"1e+30"],[300,"1e-09"]]}]}`},
		{[]string{"/query", "query", `up{job="b"}`, "time", "60"}, `{"resultType":"vector","result":[{"metric":` + b + `,"value":[60,"NaN"]}]}`},
		{[]string{"/query", "query", `up{job="b"}`, "time", "1970-01-01T00:02:00.05Z"}, `{"resultType":"vector","result":[{"metric":` + b + `,"value":[120.050,"+Inf"]}]}`},
		{[]string{"/query", "query", `"a string"`}, `{"resultType":"string","result":[600,"a string"]}`},
		{[]string{"/query", "query", "-1/0"}, `{"resultType":"scalar","result":[600,"-Inf"]}`},
		{[]string{"/query", "query", "time()", "time", "-1.5"}, `{"resultType":"scalar","result":[-1.5,"-1.5"]}`},
		{[]string{"/query", "query", "vector(2)", "time", "-1.5"}, `{"resultType":"vector","result":[{"metric":{},"value":[-1.500,"2"]}]}`},
		{[]string{"/query", "query", "1e30"}, `{"resultType":"scalar","result":[600,"1000000000000000000000000000000"]}`},
		{[]string{"/query", "query", "absent_metric"}, `{"resultType":"vector","result":[]}`},
		{[]string{"/query", "query", "absent_metric[5m]"}, `{"resultType":"matrix","result":[]}`},
		{[]string{"/query_range", "query", `up{job="b"} * 10`, "start", "240.25", "end", "360.5", "step", "1m"}, `{"resultType":"matrix","result":[{"metric":` + noB + `,"values":[[240.250,"1e+31"],[300.250,"1e-08"],[360.250,"-5"]]}]}`},
		{[]string{"/query_range", "query", "2", "start", "0", "end", "30", "step", "15"}, `{"resultType":"matrix","result":[{"metric":{},"values":[[0,"2"],[15,"2"],[30,"2"]]}]}`},
		{[]string{"/query_range", "query", "absent_metric", "start", "0", "end", "30", "step", "15"}, `{"resultType":"matrix","result":[]}`},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			f := newPromFake(t)
			w := promDo(t, f, method, c.params[0], c.params[1:]...)
			require.Equal(t, http.StatusOK, w.Code, "%v: %s", c.params, w.Body)
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, `{"status":"success","data":`+c.want+`}`, w.Body.String(), "%v", c.params)
			require.True(t, json.Valid(w.Body.Bytes()))
			require.Equal(t, promTenant, f.tenant)
		}
	}
}

func TestPrometheusHealthCheckOfGrafana(t *testing.T) {
	w := promDo(t, newPromFake(t), http.MethodPost, "/query", "query", "1+1", "time", "4")
	require.Equal(t, `{"status":"success","data":{"resultType":"scalar","result":[4,"2"]}}`, w.Body.String())
}

func TestPrometheusQueryParameters(t *testing.T) {
	f := newPromFake(t)
	w := promDo(t, f, http.MethodGet, "/query", "query", `up{job="a"} or label_replace(vector(1), "job", "c", "", "")`, "limit", "1", "stats", "all", "lookback_delta", "2m", "timeout", "10s")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	var answer struct {
		Data struct {
			Result []any
			Stats  struct {
				Samples struct{ TotalQueryableSamplesPerStep []any }
			}
		}
		Warnings []string
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.Len(t, answer.Data.Result, 1)
	require.Equal(t, []string{"results truncated due to limit"}, answer.Warnings)
	require.NotEmpty(t, answer.Data.Stats.Samples.TotalQueryableSamplesPerStep)
	require.Equal(t, 2*time.Minute, f.opts.LookbackDelta())
	require.True(t, f.at.Equal(time.Unix(600, 0)), "without a time it is now")

	w = promDo(t, newPromFake(t), http.MethodGet, "/query", "query", "rate(up[5m]) > bool rate(up[1m])", "time", "300")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), `"infos":["PromQL info: metric might not be a counter`)
	require.Contains(t, w.Body.String(), `(1:6)`, "infos point into the query")
}

func TestPrometheusFaults(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, c := range map[string]struct {
		method, path string
		params       []string
		status       int
		kind, text   string
	}{
		"syntax":              {"POST", "/query", []string{"query", "up{"}, 400, "bad_data", `invalid parameter "query": 1:4: parse error: unexpected end of input inside braces`},
		"no query":            {"GET", "/query", nil, 400, "bad_data", "no expression found in input"},
		"time":                {"GET", "/query", []string{"query", "1", "time", "noon"}, 400, "bad_data", `cannot parse "noon" to a valid timestamp`},
		"timeout":             {"GET", "/query", []string{"query", "1", "timeout", "soon"}, 400, "bad_data", `invalid parameter "timeout"`},
		"limit":               {"GET", "/query", []string{"query", "1", "limit", "-1"}, 400, "bad_data", "limit must be non-negative"},
		"lookback":            {"GET", "/query", []string{"query", "1", "lookback_delta", "x"}, 400, "bad_data", "error parsing lookback delta duration"},
		"no start":            {"GET", "/query_range", []string{"query", "1", "end", "1", "step", "1"}, 400, "bad_data", `invalid parameter "start"`},
		"no end":              {"GET", "/query_range", []string{"query", "1", "start", "1", "step", "1"}, 400, "bad_data", `invalid parameter "end"`},
		"backwards":           {"GET", "/query_range", []string{"query", "1", "start", "2", "end", "1", "step", "1"}, 400, "bad_data", "end timestamp must not be before start time"},
		"no step":             {"GET", "/query_range", []string{"query", "1", "start", "1", "end", "2"}, 400, "bad_data", `invalid parameter "step"`},
		"step 0":              {"GET", "/query_range", []string{"query", "1", "start", "1", "end", "2", "step", "0"}, 400, "bad_data", "zero or negative query resolution step"},
		"step NaN":            {"GET", "/query_range", []string{"query", "1", "start", "1", "end", "2", "step", "NaN"}, 400, "bad_data", `invalid parameter "step"`},
		"too many points":     {"GET", "/query_range", []string{"query", "1", "start", "0", "end", "11001", "step", "1"}, 400, "bad_data", "11,000 points"},
		"large form":          {"POST", "/query", []string{"query", long}, 413, "bad_data", "1048576 bytes"},
		"series of nothing":   {"GET", "/series", nil, 400, "bad_data", "no match[] parameter provided"},
		"series of all":       {"GET", "/series", []string{"match[]", `{job=~".*"}`}, 400, "bad_data", "must contain at least one non-empty matcher"},
		"labels match":        {"GET", "/labels", []string{"match[]", "{"}, 400, "bad_data", "parse error"},
		"labels start":        {"GET", "/labels", []string{"start", "x"}, 400, "bad_data", "invalid time value for 'start'"},
		"label name":          {"GET", "/label//values", nil, 400, "bad_data", "invalid label name"},
		"metadata limit":      {"GET", "/metadata", []string{"limit", "x"}, 400, "bad_data", "limit must be a number"},
		"metadata per metric": {"GET", "/metadata", []string{"limit_per_metric", "x"}, 400, "bad_data", "limit_per_metric must be a number"},
		"exemplars":           {"GET", "/query_exemplars", []string{"query", "{"}, 400, "bad_data", "parse error"},
		"format":              {"POST", "/format_query", []string{"query", "{"}, 400, "bad_data", "parse error"},
	} {
		w := promDo(t, newPromFake(t), c.method, c.path, c.params...)
		var answer struct{ Status, ErrorType, Error string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), "%s: %s", name, w.Body)
		require.Equal(t, c.status, w.Code, name)
		require.Equal(t, "error", answer.Status, name)
		require.Equal(t, c.kind, answer.ErrorType, name)
		require.Contains(t, answer.Error, c.text, name)
	}
}

func TestPrometheusPointsLimitIsPrometheus(t *testing.T) {
	w := promDo(t, newPromFake(t), http.MethodGet, "/query_range", "query", "1", "start", "0", "end", "11000", "step", "1")
	require.NotEqual(t, http.StatusBadRequest, w.Code, "11,001 points are still taken, as Prometheus counts steps")
}

func TestPrometheusErrorsPass(t *testing.T) {
	for kind, want := range map[seamark.Kind]struct {
		status    int
		errorType string
	}{
		seamark.Unprocessable: {422, "execution"}, seamark.Timeout: {503, "timeout"}, seamark.Canceled: {499, "canceled"},
		seamark.RateLimited: {429, "too_many_requests"}, seamark.Unavailable: {503, "unavailable"}, seamark.Internal: {500, "internal"},
	} {
		f := newPromFake(t)
		f.err = seamark.Errorf(kind, "seamark-test", "Sorry.")
		for _, path := range []string{"/query?query=1", "/query_range?query=1&start=0&end=1&step=1", "/labels", "/label/a/values", "/series?match[]=up", "/metadata"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/prometheus/api/v1"+path, nil)
			r.Header.Set("Authorization", "Bearer smk_x")
			w := httptest.NewRecorder()
			promEdge(t, f).ServeHTTP(w, r)
			require.Equal(t, want.status, w.Code, path)
			require.Contains(t, w.Body.String(), `"errorType":"`+want.errorType+`"`, path)
		}
	}
}

func TestPrometheusTimeoutParameter(t *testing.T) {
	f := newPromFake(t)
	f.wait = true
	w := promDo(t, f, http.MethodGet, "/query", "query", "1", "timeout", "1ms")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), `"errorType":"timeout"`)
}

func TestPrometheusLookUps(t *testing.T) {
	for path, want := range map[string]string{
		"/labels":           `{"status":"success","data":["__name__","job"]}`,
		"/series":           `{"status":"success","data":[{"__name__":"up","job":"a"},{"__name__":"up","job":"\""}]}`,
		"/label/job/values": `{"status":"success","data":["a","b"]}`,
	} {
		f := newPromFake(t)
		w := promDo(t, f, http.MethodGet, path, "match[]", "up", "match[]", `{job=~"a|b"}`)
		require.Equal(t, want, w.Body.String(), path)
		require.Len(t, f.sets, 2)
		require.Equal(t, `job=~"a|b"`, f.sets[1][0].String())
		require.Less(t, f.hints.Start, int64(math.MinInt64/2), "without bounds everything")
		require.Greater(t, f.hints.End, int64(math.MaxInt64/2))
		require.Zero(t, f.hints.Limit)

		f = newPromFake(t)
		w = promDo(t, f, http.MethodGet, path, "match[]", "up", "start", "1.5", "end", "2026-05-17T12:00:00Z", "limit", "2")
		require.Contains(t, w.Body.String(), `"warnings":["results truncated due to limit"]`)
		require.Equal(t, &storage.SelectHints{Start: 1500, End: 1779019200000, Limit: 2}, f.hints)
	}
	f := newPromFake(t)
	require.Equal(t, http.StatusOK, promDo(t, f, http.MethodPost, "/labels", "limit", "7").Code)
	require.Equal(t, 7, f.hints.Limit)
	for escaped, name := range map[string]string{"job": "job", "U__k8s_2e_pod": "k8s.pod", "U___5f_x": "_x", "世界": "世界"} {
		require.Equal(t, http.StatusOK, promDo(t, f, http.MethodGet, "/label/"+escaped+"/values").Code, escaped)
		require.Equal(t, name, f.name)
	}
}

func TestPrometheusMetadata(t *testing.T) {
	f := newPromFake(t)
	w := promDo(t, f, http.MethodGet, "/metadata", "metric", "up", "limit", "3", "limit_per_metric", "1")
	require.Equal(t, `{"status":"success","data":{"up":[{"type":"gauge","unit":"bool","help":"Is it up?"}]}}`, w.Body.String())
	require.Equal(t, "up 3", f.name+" "+string(rune('0'+f.limit)))
	require.Equal(t, `{"status":"success","data":{}}`, promDo(t, f, http.MethodGet, "/metadata", "limit", "0").Body.String())
}

func TestPrometheusSmallRoutes(t *testing.T) {
	f := newPromFake(t)
	require.Equal(t, `{"status":"success","data":[]}`, promDo(t, f, http.MethodPost, "/query_exemplars", "query", "test", "start", "1", "end", "2").Body.String())
	require.Equal(t, `{"status":"success","data":"sum by (job) (up)"}`, promDo(t, f, http.MethodGet, "/format_query", "query", "sum(up)by(job)").Body.String())
	w := promDo(t, f, http.MethodGet, "/status/buildinfo")
	require.Contains(t, w.Body.String(), `"application":"Grafana Mimir","applicationVersion":"Seamark 1.2.3","version":"3.`)
	require.Contains(t, w.Body.String(), `"features":{"ruler_config_api":"true"}`)
	require.Equal(t, http.StatusNotFound, promDo(t, f, http.MethodGet, "/status/flags").Code, "else Grafana takes us for Thanos")
}

func TestPrometheusRoutesNeedReading(t *testing.T) {
	for _, r := range api.PrometheusRoutes(api.PrometheusOptions{}) {
		require.Equal(t, "data:read", r.Permission, r.Path)
		want := httpx.Prometheus
		switch {
		case strings.HasSuffix(r.Path, "/read") || strings.HasSuffix(r.Path, "/federate"):
			want = httpx.Plain
		case r.Path == "/api/v1/cardinality":
			want = httpx.Problem
		}
		require.Equal(t, want, r.Dialect, r.Path)
	}
}

type promToken struct{ http.RoundTripper }

func (p promToken) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer smk_x")
	return p.RoundTripper.RoundTrip(r)
}

// TestPrometheusClient drives the API with Prometheus' Go client.
func TestPrometheusClient(t *testing.T) {
	f := newPromFake(t)
	server := httptest.NewServer(promEdge(t, f))
	defer server.Close()
	c, err := promapi.NewClient(promapi.Config{Address: server.URL + "/prometheus", RoundTripper: promToken{http.DefaultTransport}})
	require.NoError(t, err)
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	client, ctx := promclient.NewAPI(c), t.Context()

	value, _, _, err := client.Query(ctx, `up{job="a"}`, time.Unix(120, 0))
	require.NoError(t, err)
	require.Equal(t, `up{instance="x", job="a"} => 2 @[120]`, value.String())
	value, _, _, err = client.QueryRange(ctx, "up", promclient.Range{Start: time.Unix(0, 0), End: time.Unix(600, 0), Step: time.Minute})
	require.NoError(t, err)
	require.Len(t, value.(model.Matrix), 2)
	names, warnings, _, err := client.LabelNames(ctx, []string{"up"}, time.Unix(0, 0), time.Unix(600, 0), promclient.WithLimit(2))
	require.NoError(t, err)
	require.Equal(t, model.LabelNames{"__name__", "job"}, names)
	require.Equal(t, promclient.Warnings{"results truncated due to limit"}, warnings)
	series, _, _, err := client.Series(ctx, []string{"up"}, time.Unix(0, 0), time.Unix(600, 0))
	require.NoError(t, err)
	require.Len(t, series, 2)
	families, err := client.Metadata(ctx, "", "")
	require.NoError(t, err)
	require.Equal(t, promclient.MetricTypeGauge, families["up"][0].Type)
	build, err := client.Buildinfo(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, build.Version)
	_, _, _, err = client.Query(ctx, "up{", time.Unix(0, 0))
	var apiError *promclient.Error
	require.ErrorAs(t, err, &apiError)
	require.Equal(t, promclient.ErrBadData, apiError.Type)
}

// TestPrometheusDeprecatedStats gives the warning of Prometheus, and the statistics still.
func TestPrometheusDeprecatedStats(t *testing.T) {
	w := promDo(t, newPromFake(t), http.MethodGet, "/query", "query", "up", "stats", "yes")
	require.Contains(t, w.Body.String(), `"stats":{"timings":`)
	require.Contains(t, w.Body.String(), `"warnings":["value \"yes\" for parameter \"stats\" is deprecated and will be rejected in the next major release, use \"true\" or \"all\""]`)
	w = promDo(t, newPromFake(t), http.MethodGet, "/query", "query", "up", "stats", "true")
	require.Contains(t, w.Body.String(), `"stats":{"timings":`)
	require.NotContains(t, w.Body.String(), "warnings")
}

// TestPrometheusStatsTellTheCost finds in data.stats what the header tells, and the wait where Prometheus has its own.
func TestPrometheusStatsTellTheCost(t *testing.T) {
	f := newPromFake(t)
	f.cost = &api.QueryCost{Rows: 1, Bytes: 2, CPUMillis: 3, Queued: 4000, CacheBytes: 5, Waited: 4 * time.Second}
	for _, path := range []string{"/query", "/query_range"} {
		w := promDo(t, f, http.MethodGet, path, "query", "up", "stats", "all", "start", "0", "end", "10", "step", "10")
		require.Contains(t, w.Body.String(), `"cost":{"rows":1,"bytes":2,"cpu_ms":3,"queued_ms":4000,"cache_bytes":5}}}`)
		require.Contains(t, w.Body.String(), `"execQueueTime":4,`)
		require.NotContains(t, promDo(t, f, http.MethodGet, path, "query", "up", "start", "0", "end", "10", "step", "10").Body.String(), `"cost"`)
	}
}

func TestPrometheusExemplars(t *testing.T) {
	f := newPromFake(t)
	f.exemplars = []api.SeriesExemplars{{
		Series: labels.FromStrings("__name__", "latency_bucket", "le", "<1"),
		Exemplars: []api.Exemplar{
			{Labels: labels.FromStrings("trace_id", "0af7"), Value: 1e30, TimeMilli: 1500}, {Value: 0.5, TimeMilli: 2000},
		},
	}}
	w := promDo(t, f, http.MethodPost, "/query_exemplars", "query", "latency_bucket", "start", "1.5", "end", "2")
	require.Equal(t, `{"status":"success","data":[{"seriesLabels":{"__name__":"latency_bucket","le":"<1"},"exemplars":[`+
		`{"labels":{"trace_id":"0af7"},"value":"1e+30","timestamp":1.500},{"labels":{},"value":"0.5","timestamp":2}]}]}`, w.Body.String())
	require.Equal(t, storage.SelectHints{Start: 1500, End: 2000}, f.reads[0])
}

func TestPrometheusTSDBStatus(t *testing.T) {
	f := newPromFake(t)
	w := promDo(t, f, http.MethodGet, "/status/tsdb")
	require.Equal(t, `{"status":"success","data":{"headStats":{"numSeries":3,"numLabelPairs":4,"chunkCount":0,"minTime":-85800000,"maxTime":600000},`+
		`"seriesCountByMetricName":[{"name":"up","value":3}],"labelValueCountByLabelName":[{"name":"job","value":2}],`+
		`"memoryInBytesByLabelName":[{"name":"job","value":5}],"seriesCountByLabelValuePair":[{"name":"job=\u003ca\u003e","value":2}]}}`, w.Body.String())
	require.Equal(t, 10, f.limit)
	require.Equal(t, []api.CardinalityQuery{
		{By: api.ByMetric, Limit: 10}, {By: api.ByPair, Limit: 10}, {By: api.ByLabel, Order: api.OrderValues, Limit: 10}, {By: api.ByLabel, Order: api.OrderBytes, Limit: 10},
	}, f.counted)
	require.Equal(t, http.StatusOK, promDo(t, f, http.MethodGet, "/status/tsdb", "limit", "10000").Code)
	require.Equal(t, 10_000, f.limit)
}
