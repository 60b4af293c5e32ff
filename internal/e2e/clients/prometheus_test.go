package clients_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage/remote"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// within is how long a test waits for its rows. They are there after some 100 ms on an idle machine.
const within = 30 * time.Second

// grafana is Prometheus' Go client over Basic authentication with the query token as password, as Grafana is set up.
func grafana(t *testing.T, x *inprocess.Tenant) promv1.API {
	t.Helper()
	client, err := api.NewClient(api.Config{
		Address:      x.App.URL() + "/prometheus",
		RoundTripper: config_util.NewBasicAuthRoundTripper(config_util.NewInlineSecret("grafana"), config_util.NewInlineSecret(x.Query), http.DefaultTransport),
	})
	if err != nil {
		t.Fatal(err)
	}
	return promv1.NewAPI(client)
}

// store sends a write request with Prometheus' remote-write client.
func store(t *testing.T, x *inprocess.Tenant, w *prompb.WriteRequest) error {
	t.Helper()
	endpoint, err := url.Parse(x.App.URL() + "/api/v1/write")
	if err != nil {
		t.Fatal(err)
	}
	client, err := remote.NewWriteClient("seamark", &remote.ClientConfig{
		URL: &config_util.URL{URL: endpoint}, Timeout: model.Duration(within), WriteProtoMsg: remoteapi.WriteV1MessageType,
		HTTPClientConfig: config_util.HTTPClientConfig{BasicAuth: &config_util.BasicAuth{Username: "prometheus", Password: config_util.Secret(x.Ingest)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Store(t.Context(), snappy.Encode(nil, body), 0)
	return err
}

// sent is a series as a test sends it: its labels and one value per step.
type sent struct {
	labels map[string]string
	values []float64
}

const step = 15 * time.Second

// start is the time of the first sample: far enough back that all of a test's samples lie in the past, on a whole step.
func startTime() time.Time { return time.Now().Add(-10 * time.Minute).Truncate(step) }

func (s *sent) proto(start time.Time) prompb.TimeSeries {
	var ts prompb.TimeSeries
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		ts.Labels = append(ts.Labels, prompb.Label{Name: name, Value: s.labels[name]})
	}
	for i, v := range s.values {
		ts.Samples = append(ts.Samples, prompb.Sample{Value: v, Timestamp: start.Add(time.Duration(i) * step).UnixMilli()})
	}
	return ts
}

// points is one series as time in milliseconds to the bits of the value.
type points map[int64]uint64

// want is what a raw read of s must return: everything but stale markers, with the cluster's label.
func (s *sent) want(start time.Time) (string, points) { return s.wantOf("eu-1", start) }

func (s *sent) wantOf(cluster string, start time.Time) (string, points) {
	metric := model.Metric{"cluster": model.LabelValue(cluster)}
	for name, v := range s.labels {
		metric[model.LabelName(name)] = model.LabelValue(v)
	}
	p := points{}
	for i, v := range s.values {
		if !value.IsStaleNaN(v) {
			p[start.Add(time.Duration(i)*step).UnixMilli()] = bits(v)
		}
	}
	return metric.String(), p
}

// bits compares values bit by bit; JSON knows one NaN, so all of them count as one.
func bits(v float64) uint64 {
	if math.IsNaN(v) {
		return value.NormalNaN
	}
	return math.Float64bits(v)
}

func pointsOf(pairs []model.SamplePair) points {
	p := points{}
	for _, pair := range pairs {
		p[int64(pair.Timestamp)] = bits(float64(pair.Value))
	}
	return p
}

// rawRead reads stored samples as they are: an instant query of a range selector.
func rawRead(t *testing.T, g promv1.API, selector string, start time.Time, span time.Duration) map[string]points {
	t.Helper()
	query := fmt.Sprintf("%s[%s]", selector, model.Duration(span+time.Millisecond))
	v, warnings, infos, err := g.Query(t.Context(), query, start.Add(span))
	if err != nil || len(warnings)+len(infos) > 0 {
		t.Fatalf("query %s: %v, warnings %v, infos %v", query, err, warnings, infos)
	}
	matrix, ok := v.(model.Matrix)
	if !ok {
		t.Fatalf("query %s: got a %s, want a matrix", query, v.Type())
	}
	got := map[string]points{}
	for _, stream := range matrix {
		got[stream.Metric.String()] = pointsOf(stream.Values)
	}
	return got
}

// remoteWriteCorpus is every kind of sample that Prometheus sends over remote write 1.0. Minus zero is not among them:
// Prometheus' own encoder sends it as zero.
func remoteWriteCorpus() []sent {
	stale := math.Float64frombits(value.StaleNaN)
	corpus := []sent{
		{map[string]string{"__name__": "requests_total", "method": "GET", "code": "200"}, []float64{0, 10, 20, 5, 15, 25}},
		{map[string]string{"__name__": "requests_total", "method": "POST", "code": "500"}, []float64{1 << 53, 1<<53 + 2}},
		{map[string]string{"__name__": "temperature_celsius", "room": "attic"}, []float64{
			0, 0.1, -273.15, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-300, 1.0 / 3, math.Pi,
		}},
		{map[string]string{"__name__": "odd_values"}, []float64{math.Inf(1), math.Inf(-1), math.NaN(), 1}},
		{map[string]string{"__name__": "went_away", "pod": "web-0"}, []float64{1, 2, stale, 4, stale}},
		{map[string]string{"__name__": "http.server.duration", "k8s.pod.name": "web-0", "пространство": "продакшн", "emoji🌊": "🐳 \"q\" \\ \n\t{}"}, []float64{7}},
	}
	for i, le := range []string{"0.1", "0.5", "+Inf"} {
		n := float64(i + 1)
		corpus = append(corpus, sent{map[string]string{"__name__": "latency_seconds_bucket", "le": le}, []float64{0, 10 * n, 20 * n}})
	}
	return append(corpus,
		sent{map[string]string{"__name__": "latency_seconds_sum"}, []float64{0, 7.5, 15.25}},
		sent{map[string]string{"__name__": "latency_seconds_count"}, []float64{0, 30, 60}})
}

func TestPrometheusRemoteWrite(t *testing.T) {
	x := newTenant(t, "prometheus")
	g, start, corpus := grafana(t, x), startTime(), remoteWriteCorpus()
	request := &prompb.WriteRequest{Metadata: []prompb.MetricMetadata{
		{Type: prompb.MetricMetadata_COUNTER, MetricFamilyName: "requests_total", Help: "Requests, \"by\" code.\nTwo lines."},
		{Type: prompb.MetricMetadata_HISTOGRAM, MetricFamilyName: "latency_seconds", Help: "Latency.", Unit: "seconds"},
	}}
	want := map[string]points{}
	for i := range corpus {
		request.Timeseries = append(request.Timeseries, corpus[i].proto(start))
		metric, p := corpus[i].want(start)
		want[metric] = p
	}
	if err := store(t, x, request); err != nil {
		t.Fatalf("store: %v", err)
	}
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, rawRead(t, g, `{__name__=~".+"}`, start, 9*time.Minute)); diff != "" {
			return errors.New("samples differ (-sent +read):\n" + diff)
		}
		return nil
	})
	t.Run("a retry stores nothing twice", func(t *testing.T) {
		if err := store(t, x, request); err != nil {
			t.Fatalf("store again: %v", err)
		}
		if diff := cmp.Diff(want, rawRead(t, g, `{__name__=~".+"}`, start, 9*time.Minute)); diff != "" {
			t.Errorf("samples differ (-sent +read):\n%s", diff)
		}
	})
	t.Run("query", func(t *testing.T) { checkInstant(t, g, start) })
	t.Run("query_range", func(t *testing.T) { checkRange(t, g, start) })
	t.Run("metadata", func(t *testing.T) { checkMetadata(t, g) })
	t.Run("listings", func(t *testing.T) { checkListings(t, g, corpus, start) })
	t.Run("errors", func(t *testing.T) { checkErrors(t, g, start) })
}

// checkInstant compares PromQL with results computed by hand from the corpus.
func checkInstant(t *testing.T, g promv1.API, start time.Time) {
	at := func(steps int) time.Time { return start.Add(time.Duration(steps) * step) }
	for _, c := range []struct {
		query string
		at    time.Time
		want  float64
	}{
		{`1+1`, time.Unix(4, 0), 2}, // Grafana's health check
		{`requests_total{code="200"}`, at(5), 25},
		// 0, 10, 20, a reset to 5, 15, 25: it rises by 10+10+5+10+10, and a counter that began at zero is not extrapolated.
		{`increase(requests_total{code="200"}[75001ms])`, at(5), 45},
		{`resets(requests_total{code="200"}[2m])`, at(5), 1},
		{`sum by (cluster) (requests_total{method="POST"})`, at(1), 1<<53 + 2},
		{`latency_seconds_count - ignoring(le) latency_seconds_bucket{le="+Inf"}`, at(2), 0},
		{`temperature_celsius`, at(3), math.MaxFloat64},
		{`odd_values`, at(0), math.Inf(1)},
		{`odd_values`, at(2), math.NaN()},
		{`{"http.server.duration", "k8s.pod.name"="web-0"}`, at(0), 7},
		{`went_away`, at(1), 2},
		{`went_away`, at(3), 4},
		{`absent(went_away)`, at(2), 1}, // the stale marker ends the series at once
		{`absent(went_away)`, at(4), 1},
	} {
		v, _, _, err := g.Query(t.Context(), c.query, c.at)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		got, err := single(v)
		if err != nil || !near(got, c.want) {
			t.Errorf("%s at %s: got %v (%v), want %v", c.query, c.at, v, err, c.want)
		}
	}
	// Half of the observations lie in the first two of 10, 20, 30 per step: rank 15 of 30, half-way through (0.1, 0.5].
	v, _, _, err := g.Query(t.Context(), `histogram_quantile(0.5, rate(latency_seconds_bucket[1m]))`, at(2))
	if got, serr := single(v); err != nil || serr != nil || math.Abs(got-0.3) > 1e-9 {
		t.Errorf("histogram_quantile: got %v (%v, %v), want 0.3", got, err, serr)
	}
}

// single returns the value of a scalar or of a vector with one element.
func single(v model.Value) (float64, error) {
	switch v := v.(type) {
	case *model.Scalar:
		return float64(v.Value), nil
	case model.Vector:
		if len(v) == 1 {
			return float64(v[0].Value), nil
		}
	}
	return 0, fmt.Errorf("not one value: %v", v)
}

// near is bit equality, but for the last digits that extrapolation rounds.
func near(got, want float64) bool {
	return bits(got) == bits(want) || math.Abs(got-want) <= 1e-9*math.Abs(want)
}

func checkRange(t *testing.T, g promv1.API, start time.Time) {
	span := promv1.Range{Start: start, End: start.Add(5 * step), Step: step}
	v, _, _, err := g.QueryRange(t.Context(), `went_away`, span)
	if err != nil {
		t.Fatal(err)
	}
	matrix, ok := v.(model.Matrix)
	if !ok || len(matrix) != 1 {
		t.Fatalf("got %v, want one series", v)
	}
	want := points{}
	for i, v := range map[int]float64{0: 1, 1: 2, 3: 4} { // stale markers at 2 and 4 leave holes; lookback does not bridge them
		want[start.Add(time.Duration(i)*step).UnixMilli()] = bits(v)
	}
	if diff := cmp.Diff(want, pointsOf(matrix[0].Values)); diff != "" {
		t.Errorf("went_away (-want +got):\n%s", diff)
	}
}

func checkMetadata(t *testing.T, g promv1.API) {
	got, err := g.Metadata(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]promv1.Metadata{
		"requests_total":  {{Type: promv1.MetricTypeCounter, Help: "Requests, \"by\" code.\nTwo lines."}},
		"latency_seconds": {{Type: promv1.MetricTypeHistogram, Help: "Latency.", Unit: "seconds"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	one, err := g.Metadata(t.Context(), "latency_seconds", "1")
	if err != nil || len(one) != 1 || one["latency_seconds"] == nil {
		t.Errorf("metadata of one metric: got %v, %v", one, err)
	}
}

func checkListings(t *testing.T, g promv1.API, corpus []sent, start time.Time) {
	end := start.Add(9 * time.Minute)
	names, values, series := map[string]bool{"cluster": true}, map[string]bool{}, []string{}
	for _, s := range corpus {
		for name := range s.labels {
			names[name] = true
		}
		values[s.labels["__name__"]] = true
		metric, _ := s.want(start)
		series = append(series, metric)
	}
	gotNames, _, _, err := g.LabelNames(t.Context(), nil, start, end)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(names)), texts(gotNames)); err != nil || diff != "" {
		t.Errorf("label names (-want +got), %v:\n%s", err, diff)
	}
	gotValues, _, _, err := g.LabelValues(t.Context(), "__name__", nil, start, end)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(values)), texts(gotValues)); err != nil || diff != "" {
		t.Errorf("label values (-want +got), %v:\n%s", err, diff)
	}
	gotValues, _, _, err = g.LabelValues(t.Context(), "le", []string{`latency_seconds_bucket{le!="+Inf"}`}, start, end)
	if diff := cmp.Diff([]string{"0.1", "0.5"}, texts(gotValues)); err != nil || diff != "" {
		t.Errorf("label values with match[] (-want +got), %v:\n%s", err, diff)
	}
	gotSeries, _, _, err := g.Series(t.Context(), []string{`{__name__=~".+"}`}, start, end)
	found := []string{}
	for _, ls := range gotSeries {
		found = append(found, model.Metric(ls).String())
	}
	slices.Sort(found)
	slices.Sort(series)
	if diff := cmp.Diff(series, found); err != nil || diff != "" {
		t.Errorf("series (-want +got), %v:\n%s", err, diff)
	}
	info, err := g.Buildinfo(t.Context())
	if err != nil || info.Version == "" {
		t.Errorf("buildinfo: got %+v, %v", info, err)
	}
}

func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = string(v)
	}
	return list
}

func checkErrors(t *testing.T, g promv1.API, start time.Time) {
	for query, want := range map[string]promv1.ErrorType{
		`sum(`:                 promv1.ErrBadData,
		`rate(requests_total)`: promv1.ErrBadData,
		`requests_total * on(cluster) requests_total`: promv1.ErrExec,
	} {
		_, _, _, err := g.Query(t.Context(), query, start)
		if e, ok := errors.AsType[*promv1.Error](err); !ok || e.Type != want {
			t.Errorf("%s: got %v, want an error of type %s", query, err, want)
		}
	}
}

// TestPrometheusRemoteWriteKeepsGoodSamples is the protocol's rule for a partly bad request: the good samples are stored
// and the sender is told once, with an error that it does not retry.
func TestPrometheusRemoteWriteKeepsGoodSamples(t *testing.T) {
	x := newTenant(t, "prometheus-partial")
	start := startTime()
	good := sent{map[string]string{"__name__": "good"}, []float64{1, 2}}
	bad := sent{map[string]string{"job": "no name"}, []float64{3}}
	old := sent{map[string]string{"__name__": "old"}, []float64{4}}
	err := store(t, x, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{good.proto(start), bad.proto(start), old.proto(start.AddDate(-1, 0, 0))}})
	if err == nil {
		t.Fatal("got no error for refused samples, want 400")
	}
	if _, retried := errors.AsType[remote.RecoverableError](err); retried {
		t.Errorf("got the retriable error %v: the sender would send the bad samples for ever", err)
	}
	g := grafana(t, x)
	metric, p := good.want(start)
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(map[string]points{metric: p}, rawRead(t, g, `{__name__=~".+"}`, start, 9*time.Minute)); diff != "" {
			return errors.New("samples differ (-sent +read):\n" + diff)
		}
		return nil
	})
}
