package clients_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	dto "github.com/prometheus/client_model/go"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// promWorld is a tenant with a little of everything that Prometheus stores, in the last three minutes.
type promWorld struct {
	*inprocess.Tenant
	start time.Time
}

func (w *promWorld) at(steps int) time.Time { return w.start.Add(time.Duration(steps) * step) }

func newPromWorld(t *testing.T, slug string) *promWorld {
	t.Helper()
	w := &promWorld{newTenant(t, slug), time.Now().Add(-3 * time.Minute).Truncate(step)}
	one := func(name string, values ...float64) prompb.TimeSeries {
		return (&sent{map[string]string{"__name__": name, "job": "node"}, values}).proto(w.start)
	}
	request := &prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{one("up", 1, 0, 1, 1), one("gone", 7, staleMarker()), one("http.requests", 3), one("latency"), one("sizes")},
		Metadata:   []prompb.MetricMetadata{{Type: prompb.MetricMetadata_GAUGE, MetricFamilyName: "up", Help: "Is it <up>?"}},
	}
	request.Timeseries[0].Exemplars = []prompb.Exemplar{{
		Labels: []prompb.Label{{Name: "trace_id", Value: "0af7651916cd43dd8448eb211c80319c"}}, Value: 0.25, Timestamp: w.at(1).UnixMilli(),
	}}
	for i := range 3 {
		t := w.at(i).UnixMilli()
		request.Timeseries[3].Histograms = append(request.Timeseries[3].Histograms, prompb.FromIntHistogram(t, tsdbutil.GenerateTestHistogram(int64(i))))
		request.Timeseries[4].Histograms = append(request.Timeseries[4].Histograms, prompb.FromFloatHistogram(t, tsdbutil.GenerateTestCustomBucketsFloatHistogram(int64(i))))
	}
	if err := store(t, w.Tenant, request); err != nil {
		t.Fatal(err)
	}
	g := grafana(t, w.Tenant)
	testkit.Eventually(t, within, func() error {
		v, _, _, err := g.Query(t.Context(), `{__name__=~".+"}`, w.at(0))
		if err != nil {
			return err
		}
		found, err := g.QueryExemplars(t.Context(), "up", w.start, w.at(4))
		if err != nil {
			return err
		}
		if vector, ok := v.(model.Vector); !ok || len(vector) != len(request.Timeseries) || len(found) != 1 {
			return fmt.Errorf("got %v and the exemplars %v, want all series and one", v, found)
		}
		return nil
	})
	return w
}

func staleMarker() float64 { return math.Float64frombits(value.StaleNaN) }

// TestPrometheusAPIClient calls every method of Prometheus' Go client whose route Seamark has, and those that promtool's
// query commands are made of, with promtool's time bounds.
func TestPrometheusAPIClient(t *testing.T) {
	w := newPromWorld(t, "prom-api")
	g, ctx := grafana(t, w.Tenant), t.Context()
	farBack, farAhead := time.Now().Add(-9999*time.Hour), time.Now().Add(9999*time.Hour)

	v, _, _, err := g.Query(ctx, `up`, w.at(1), promv1.WithTimeout(time.Minute), promv1.WithLookbackDelta(time.Minute), promv1.WithStats(promv1.AllStatsValue), promv1.WithLimit(1))
	expect(t, "query instant", err, fmt.Sprintf(`up{cluster="eu-1", job="node"} => 0 @[%s]`, model.TimeFromUnixNano(w.at(1).UnixNano())), v.String())
	v, _, _, err = g.QueryRange(ctx, `sum by (job) (up)`, promv1.Range{Start: w.at(0), End: w.at(3), Step: step})
	if matrix, ok := v.(model.Matrix); err != nil || !ok || len(matrix) != 1 || len(matrix[0].Values) != 4 {
		t.Errorf("query range: got %v, %v, want four points", v, err)
	}
	v, _, _, err = g.Query(ctx, `latency`, w.at(2))
	if vector, ok := v.(model.Vector); err != nil || !ok || len(vector) != 1 || vector[0].Histogram == nil || vector[0].Histogram.Count != 30 {
		t.Errorf("query of a histogram: got %v, %v", v, err)
	}
	series, warnings, _, err := g.Series(ctx, []string{"up", `{job="node", __name__=~"u.*|gone"}`}, farBack, farAhead)
	expect(t, "query series", err, []model.LabelSet{
		{"__name__": "gone", "job": "node", "cluster": "eu-1"}, {"__name__": "up", "job": "node", "cluster": "eu-1"},
	}, series)
	expect(t, "series' warnings", err, 0, len(warnings))
	values, _, _, err := g.LabelValues(ctx, "__name__", nil, farBack, farAhead)
	expect(t, "query labels", err, model.LabelValues{"gone", "http.requests", "latency", "sizes", "up"}, values)
	values, warnings, _, err = g.LabelValues(ctx, "__name__", []string{`{job="node"}`}, farBack, farAhead, promv1.WithLimit(2))
	expect(t, "label values with a limit", err, model.LabelValues{"gone", "http.requests"}, values)
	expect(t, "warnings", err, promv1.Warnings{"results truncated due to limit"}, warnings)
	names, _, _, err := g.LabelNames(ctx, []string{"up", "gone"}, farBack, farAhead)
	expect(t, "label names", err, model.LabelNames{"__name__", "cluster", "job"}, names)
	exemplars, err := g.QueryExemplars(ctx, "rate(up[5m])", w.start, w.at(4))
	expect(t, "exemplars", err, []promv1.ExemplarQueryResult{{
		SeriesLabels: model.LabelSet{"__name__": "up", "job": "node", "cluster": "eu-1"},
		Exemplars:    []promv1.Exemplar{{Labels: model.LabelSet{"trace_id": "0af7651916cd43dd8448eb211c80319c"}, Value: 0.25, Timestamp: model.TimeFromUnixNano(w.at(1).UnixNano())}},
	}}, exemplars)
	metadata, err := g.Metadata(ctx, "up", "1")
	expect(t, "metadata", err, map[string][]promv1.Metadata{"up": {{Type: promv1.MetricTypeGauge, Help: "Is it <up>?"}}}, metadata)
	formatted, err := g.FormatQuery(ctx, "sum(up)by(job)")
	expect(t, "format, which the client hands over as JSON", err, `"sum by (job) (up)"`, formatted)
	counts, err := g.TSDB(ctx, promv1.WithLimit(3))
	expect(t, "series by metric", err, []promv1.Stat{{Name: "gone", Value: 1}, {Name: "http.requests", Value: 1}, {Name: "latency", Value: 1}}, counts.SeriesCountByMetricName)
	expect(t, "series by pair", err, []promv1.Stat{{Name: "cluster=eu-1", Value: 5}, {Name: "job=node", Value: 5}, {Name: "__name__=gone", Value: 1}}, counts.SeriesCountByLabelValuePair)
	expect(t, "values by label", err, []promv1.Stat{{Name: "__name__", Value: 5}, {Name: "cluster", Value: 1}, {Name: "job", Value: 1}}, counts.LabelValueCountByLabelName)
	expect(t, "bytes by label", err, []promv1.Stat{{Name: "__name__", Value: 31}, {Name: "cluster", Value: 20}, {Name: "job", Value: 20}}, counts.MemoryInBytesByLabelName)
	expect(t, "head", err, [2]int{5, 7}, [2]int{counts.HeadStats.NumSeries, counts.HeadStats.NumLabelPairs})
	rules, err := g.Rules(ctx, nil)
	expect(t, "rules", err, 0, len(rules.Groups))
	alerts, err := g.Alerts(ctx)
	expect(t, "alerts", err, 0, len(alerts.Alerts))
	build, err := g.Buildinfo(ctx)
	expect(t, "buildinfo", err, true, build.Version != "")
	if _, err := g.Flags(ctx); err == nil {
		t.Error("flags are answered: Grafana takes the server for Thanos")
	}
}

func expect[T any](t *testing.T, what string, err error, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%s: %v (-want +got):\n%s", what, err, diff)
	}
}

// TestPrometheusRemoteRead reads with Prometheus' own remote-read client, as samples and as a stream.
func TestPrometheusRemoteRead(t *testing.T) {
	w := newPromWorld(t, "prom-read")
	for _, kind := range []prompb.ReadRequest_ResponseType{prompb.ReadRequest_SAMPLES, prompb.ReadRequest_STREAMED_XOR_CHUNKS} {
		client := readClient(t, w.Tenant, kind)
		read := func(from, to time.Time, hints *storage.SelectHints, matchers ...*labels.Matcher) []string {
			t.Helper()
			query, err := remote.ToQuery(from.UnixMilli(), to.UnixMilli(), matchers, hints)
			if err != nil {
				t.Fatal(err)
			}
			set, err := client.Read(t.Context(), query, true)
			if err != nil {
				t.Fatal(err)
			}
			return samplesOf(t, set, w.start)
		}
		name := func(kind labels.MatchType, text string) *labels.Matcher {
			return labels.MustNewMatcher(kind, "__name__", text)
		}
		expect(t, kind.String()+": everything, both ends included", nil, []string{
			`gone 0s=7 15s=NaN`, `http.requests 0s=3`, `latency 0s=` + histogramText(0) + ` 15s=` + histogramText(1) + ` 30s=` + histogramText(2),
			`sizes 0s=` + customText(0) + ` 15s=` + customText(1) + ` 30s=` + customText(2), `up 0s=1 15s=0 30s=1 45s=1`,
		}, read(w.at(0), w.at(3), nil, name(labels.MatchRegexp, ".+")))
		expect(t, kind.String()+": a part", nil, []string{`gone 15s=NaN`, `latency 15s=` + histogramText(1), `up 15s=0`},
			read(w.at(1), w.at(1), nil, name(labels.MatchNotRegexp, "sizes|http.*")))
		expect(t, kind.String()+": what begins after its last histogram", nil, []string{`up 45s=1`}, read(w.at(3), w.at(4), nil, name(labels.MatchNotEqual, "none")))
		hints := &storage.SelectHints{Start: w.at(2).UnixMilli(), End: w.at(2).UnixMilli(), Func: "rate", Range: 60_000, Step: 15_000}
		expect(t, kind.String()+": hints narrow the time", nil, []string{`up 30s=1`}, read(w.at(0), w.at(3), hints, name(labels.MatchEqual, "up")))
		expect(t, kind.String()+": nothing", nil, nil, read(w.at(0), w.at(3), nil, name(labels.MatchEqual, "none")))
	}
}

func histogramText(i int64) string { return tsdbutil.GenerateTestHistogram(i).ToFloat(nil).String() }

func customText(i int64) string { return tsdbutil.GenerateTestCustomBucketsFloatHistogram(i).String() }

func readClient(t *testing.T, x *inprocess.Tenant, kind prompb.ReadRequest_ResponseType) remote.ReadClient {
	t.Helper()
	endpoint, err := url.Parse(x.App.URL() + "/prometheus/api/v1/read")
	if err != nil {
		t.Fatal(err)
	}
	client, err := remote.NewReadClient("seamark", &remote.ClientConfig{
		URL: &config_util.URL{URL: endpoint}, Timeout: model.Duration(within), ChunkedReadLimit: 1 << 20, AcceptedResponseTypes: []prompb.ReadRequest_ResponseType{kind},
		HTTPClientConfig: config_util.HTTPClientConfig{BasicAuth: &config_util.BasicAuth{Username: "prometheus", Password: config_util.Secret(x.Query)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// samplesOf writes each series as its name and its samples, by seconds since start.
func samplesOf(t *testing.T, set storage.SeriesSet, start time.Time) []string {
	t.Helper()
	var list []string
	for set.Next() {
		s := set.At()
		text := s.Labels().Get("__name__")
		if s.Labels().Get("cluster") != "eu-1" || s.Labels().Get("job") != "node" {
			t.Errorf("got the labels %s", s.Labels())
		}
		it := s.Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			text += " " + time.UnixMilli(it.AtT()).Sub(start).String() + "="
			if kind == chunkenc.ValFloat {
				_, v := it.At()
				text += fmt.Sprint(v)
				if v != v && !value.IsStaleNaN(v) {
					t.Error("a stale marker lost its bits")
				}
			} else {
				_, h := it.AtFloatHistogram(nil)
				text += h.String()
			}
		}
		if it.Err() != nil {
			t.Error(it.Err())
		}
		list = append(list, text)
	}
	if set.Err() != nil {
		t.Error(set.Err())
	}
	slices.Sort(list)
	return list
}

// TestPrometheusFederate compares the text byte by byte with what Prometheus writes for the same series, and reads the
// protobuf form, which alone has native histograms.
func TestPrometheusFederate(t *testing.T) {
	w := newPromWorld(t, "prom-federate")
	get := func(accept string, selectors ...string) inprocess.Response {
		t.Helper()
		answer := w.Do(t, w.Query, http.MethodGet, "/prometheus/federate?"+url.Values{"match[]": selectors}.Encode(), http.Header{"Accept": {accept}}, "")
		if answer.Status != http.StatusOK {
			t.Fatalf("got %d %s", answer.Status, answer.Body)
		}
		return answer
	}
	const labelText = `{cluster="eu-1",job="node",instance=""}`
	up := fmt.Sprintf("# TYPE up untyped\nup%s 1 %d\n", labelText, w.at(3).UnixMilli())
	dotted := fmt.Sprintf("# TYPE http_requests untyped\nhttp_requests%s 3 %d\n", labelText, w.at(0).UnixMilli())
	answer := get("text/plain", `up`, `{job="node", __name__!~"sizes"}`)
	expect(t, "text: each series once, without stale ones and native histograms", nil, dotted+up, answer.Body)
	expect(t, "type", nil, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", answer.Header.Get("Content-Type"))
	answer = get("text/plain;version=1.0.0;escaping=allow-utf-8", `{"http.requests"}`)
	expect(t, "names of UTF-8", nil, fmt.Sprintf("# TYPE \"http.requests\" untyped\n{\"http.requests\",cluster=\"eu-1\",job=\"node\",instance=\"\"} 3 %d\n", w.at(0).UnixMilli()), answer.Body)
	expect(t, "no selector", nil, "", get("text/plain").Body)
	families := protoFamilies(t, get(`application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited`, `{job="node"}`))
	want := tsdbutil.GenerateTestHistogram(2)
	h := families["latency"].GetMetric()[0].GetHistogram()
	expect(t, "native histogram", nil, []float64{float64(want.Count), want.Sum, float64(want.Schema), float64(len(want.PositiveSpans))},
		[]float64{h.GetSampleCountFloat(), h.GetSampleSum(), float64(h.GetSchema()), float64(len(h.GetPositiveSpan()))})
	custom := tsdbutil.GenerateTestCustomBucketsFloatHistogram(2)
	expect(t, "custom buckets", nil, len(custom.CustomValues), len(families["sizes"].GetMetric()[0].GetHistogram().GetBucket()))
	expect(t, "families", nil, 4, len(families))
}

func protoFamilies(t *testing.T, answer inprocess.Response) map[string]*dto.MetricFamily {
	t.Helper()
	decoder := expfmt.NewDecoder(bytes.NewReader([]byte(answer.Body)), expfmt.ResponseFormat(answer.Header))
	families := map[string]*dto.MetricFamily{}
	for {
		family := &dto.MetricFamily{}
		err := decoder.Decode(family)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families[family.GetName()] = family
	}
}
