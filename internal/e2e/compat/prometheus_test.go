package compat

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/golang/snappy"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/storage/remote"
)

// prometheusRemote are Prometheus' own write client and the one that its maintainers made for others.
func prometheusRemote() []client {
	const server, library = "github.com/prometheus/prometheus", "github.com/prometheus/client_golang/exp"
	return []client{
		{
			protocol: "Remote write", name: "Prometheus' write client", modules: []string{server},
			checks: []check{
				{"1.0: samples and metadata; bearer token", checkWriteV1},
				{"1.0: native histogram", func(ctx context.Context, x *account) error {
					_, err := storeV1(ctx, x, requestV1("nat1", time.Now().UnixMilli()))
					return errors.Join(err, x.wantHistogram(ctx, "nat1_spread_seconds", nativeHistogram{Count: 6, Sum: 15}))
				}},
				{"1.0: a sample that is too old beside good ones: the good are stored, the error is permanent", checkWritePartly},
				{"2.0: samples and metadata; the written headers count samples, native histogram and exemplar", checkWriteV2},
				{"2.0: native histogram", func(ctx context.Context, x *account) error {
					_, err := storeV2(ctx, x, requestV2("nat2", time.Now().UnixMilli()))
					return errors.Join(err, x.wantHistogram(ctx, "nat2_spread_seconds", nativeHistogram{Count: 6, Sum: 15}))
				}},
				{"2.0: exemplar", checkExemplar},
				{"2.0: a sample that is too old beside good ones: the written headers count the good, the error is permanent", checkWriteV2Partly},
			},
		},
		{
			protocol: "Remote write", name: "client_golang's remote API", modules: []string{library},
			checks: []check{{"2.0: samples and metadata; the client reads the written headers", checkRemoteAPI}},
		},
	}
}

func writeClient(x *account, message remoteapi.WriteMessageType) (remote.WriteClient, error) {
	endpoint, err := url.Parse(x.URL + "/api/v1/write")
	if err != nil {
		return nil, err
	}
	return remote.NewWriteClient("seamark", &remote.ClientConfig{
		URL: &config_util.URL{URL: endpoint}, Timeout: model.Duration(within), WriteProtoMsg: message,
		HTTPClientConfig: config_util.HTTPClientConfig{Authorization: &config_util.Authorization{Type: "Bearer", Credentials: config_util.Secret(x.Ingest)}},
	})
}

// someHistogram is a native histogram of schema 0 with 6 observations of the sum 15.
func someHistogram() *histogram.Histogram {
	return &histogram.Histogram{
		Schema: 0, Count: 6, Sum: 15, ZeroThreshold: 0.001, ZeroCount: 1,
		PositiveSpans: []histogram.Span{{Offset: 1, Length: 2}}, PositiveBuckets: []int64{3, -1}, // (1, 2]: 3, (2, 4]: 2
	}
}

// requestV1 returns a message of two samples, a histogram, an exemplar and metadata, whose names begin with a prefix.
func requestV1(prefix string, now int64) *prompb.WriteRequest {
	return &prompb.WriteRequest{
		Timeseries: []prompb.TimeSeries{
			{
				Labels:    prompb.FromLabels(labels.FromStrings("__name__", prefix+"_requests_total", "code", "200"), nil),
				Samples:   []prompb.Sample{{Timestamp: now - 15_000, Value: 1e9}, {Timestamp: now, Value: 1e9 + 0.25}},
				Exemplars: []prompb.Exemplar{{Labels: prompb.FromLabels(labels.FromStrings("trace_id", someTrace.String()), nil), Value: 1, Timestamp: now}},
			},
			{
				Labels:     prompb.FromLabels(labels.FromStrings("__name__", prefix+"_spread_seconds"), nil),
				Histograms: []prompb.Histogram{prompb.FromIntHistogram(now, someHistogram())},
			},
		},
		Metadata: []prompb.MetricMetadata{{Type: prompb.MetricMetadata_COUNTER, MetricFamilyName: prefix + "_requests_total", Help: "Requests served."}},
	}
}

func checkWriteV1(ctx context.Context, x *account) error {
	now := time.Now().UnixMilli()
	if _, err := storeV1(ctx, x, requestV1("v1", now)); err != nil {
		return err
	}
	return errors.Join(
		x.wantSamples(ctx, "v1_requests_total", timed{`v1_requests_total{code="200"}`: {{now - 15_000, 1e9}, {now, 1e9 + 0.25}}}),
		wantMetadata(ctx, x, "v1_requests_total", metadata{"counter", "Requests served.", ""}),
	)
}

func storeV1(ctx context.Context, x *account, request *prompb.WriteRequest) (remote.WriteResponseStats, error) {
	write, err := writeClient(x, remoteapi.WriteV1MessageType)
	if err != nil {
		return remote.WriteResponseStats{}, err
	}
	body, err := request.Marshal()
	if err != nil {
		return remote.WriteResponseStats{}, err
	}
	return write.Store(ctx, snappy.Encode(nil, body), 0)
}

// metadata is what is told of a metric family.
type metadata struct{ Type, Help, Unit string }

func wantMetadata(ctx context.Context, x *account, family string, want metadata) error {
	return eventually(ctx, func() error {
		var answer struct{ Data map[string][]metadata }
		err := x.get(ctx, "/prometheus/api/v1/metadata", url.Values{"metric": {family}}, &answer)
		if got := answer.Data[family]; err == nil && (len(got) != 1 || got[0] != want) {
			err = fmt.Errorf("metadata of %s: got %v, want %v", family, got, want)
		}
		return err
	})
}

const year = 365 * 24 * time.Hour

// permanent reports whether an error is one after which Prometheus drops what it sent.
func permanent(err error) error {
	if err == nil {
		return errors.New("the sender was told nothing of the sample that was refused")
	}
	if _, retried := errors.AsType[remote.RecoverableError](err); retried {
		return fmt.Errorf("the sender would send for ever: %w", err)
	}
	return nil
}

func checkWritePartly(ctx context.Context, x *account) error {
	now := time.Now()
	one := func(name string, at time.Time) prompb.TimeSeries {
		return prompb.TimeSeries{Labels: prompb.FromLabels(labels.FromStrings("__name__", name), nil), Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: 7}}}
	}
	_, err := storeV1(ctx, x, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{one("part1_good", now), one("part1_old", now.Add(-year)), one("part1_fine", now)}})
	return errors.Join(permanent(err), x.wantValues(ctx, `{__name__=~"part1_.+"}`, series{"part1_good": 7, "part1_fine": 7}))
}

// requestV2 returns a message of two samples, a histogram, an exemplar and metadata, whose names begin with a prefix.
func requestV2(prefix string, now int64) *writev2.Request {
	symbols := writev2.NewSymbolTable()
	sym := func(pairs ...string) []uint32 { return symbols.SymbolizeLabels(labels.FromStrings(pairs...), nil) }
	request := &writev2.Request{Timeseries: []writev2.TimeSeries{
		{
			LabelsRefs: sym("__name__", prefix+"_requests_total", "code", "200"),
			Samples:    []writev2.Sample{{Timestamp: now - 15_000, Value: 41, StartTimestamp: now - 60_000}, {Timestamp: now, Value: 42, StartTimestamp: now - 60_000}},
			Exemplars:  []writev2.Exemplar{{LabelsRefs: sym("trace_id", someTrace.String()), Value: 1, Timestamp: now}},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER, HelpRef: symbols.Symbolize("Requests served.")},
		},
		{
			LabelsRefs: sym("__name__", prefix+"_spread_seconds"),
			Histograms: []writev2.Histogram{writev2.FromIntHistogram(0, now, someHistogram())},
			Metadata:   writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_HISTOGRAM, UnitRef: symbols.Symbolize("seconds")},
		},
	}}
	request.Symbols = symbols.Symbols()
	return request
}

// wantV2 waits for what requestV2 made. With a start timestamp before its first sample a counter may have a zero there.
func wantV2(ctx context.Context, x *account, prefix string) error {
	return errors.Join(
		x.wantValues(ctx, prefix+"_requests_total", series{prefix + `_requests_total{code="200"}`: 42}),
		x.wantValues(ctx, prefix+"_requests_total offset 10s", series{prefix + `_requests_total{code="200"}`: 41}),
		wantMetadata(ctx, x, prefix+"_requests_total", metadata{"counter", "Requests served.", ""}),
		wantMetadata(ctx, x, prefix+"_spread_seconds", metadata{"histogram", "", "seconds"}),
	)
}

func storeV2(ctx context.Context, x *account, request *writev2.Request) (remote.WriteResponseStats, error) {
	write, err := writeClient(x, remoteapi.WriteV2MessageType)
	if err != nil {
		return remote.WriteResponseStats{}, err
	}
	body, err := request.Marshal()
	if err != nil {
		return remote.WriteResponseStats{}, err
	}
	return write.Store(ctx, snappy.Encode(nil, body), 0)
}

func checkWriteV2(ctx context.Context, x *account) error {
	stats, err := storeV2(ctx, x, requestV2("v2", time.Now().UnixMilli()))
	if want := (remote.WriteResponseStats{Samples: 2, Histograms: 1, Exemplars: 1, Confirmed: true}); err == nil && stats != want {
		err = fmt.Errorf("the written headers say %+v, want %+v", stats, want)
	}
	return errors.Join(err, wantV2(ctx, x, "v2"))
}

func checkExemplar(ctx context.Context, x *account) error {
	now := time.Now()
	if _, err := storeV2(ctx, x, requestV2("exemplar", now.UnixMilli())); err != nil {
		return err
	}
	return eventually(ctx, func() error {
		var answer struct {
			Data []struct {
				Exemplars []struct{ Labels map[string]string }
			}
		}
		err := x.get(ctx, "/prometheus/api/v1/query_exemplars", url.Values{
			"query": {"exemplar_requests_total"}, "start": {seconds(now.Add(-time.Minute))}, "end": {seconds(now.Add(time.Minute))},
		}, &answer)
		if err == nil && (len(answer.Data) != 1 || len(answer.Data[0].Exemplars) != 1 || answer.Data[0].Exemplars[0].Labels["trace_id"] != someTrace.String()) {
			err = fmt.Errorf("got the exemplars %v, want one with the trace", answer.Data)
		}
		return err
	})
}

func checkWriteV2Partly(ctx context.Context, x *account) error {
	now := time.Now().UnixMilli()
	request := requestV2("part2", now)
	request.Timeseries[0].Samples[0].Timestamp -= year.Milliseconds()
	request.Timeseries[0].Samples[0].StartTimestamp = 0
	stats, err := storeV2(ctx, x, request)
	err = permanent(err)
	if want := (remote.WriteResponseStats{Samples: 1, Histograms: 1, Exemplars: 1, Confirmed: true}); stats != want {
		err = errors.Join(err, fmt.Errorf("the written headers say %+v, want %+v", stats, want))
	}
	return errors.Join(err, x.wantValues(ctx, "part2_requests_total", series{`part2_requests_total{code="200"}`: 42}))
}

func checkRemoteAPI(ctx context.Context, x *account) error {
	httpClient, err := config_util.NewClientFromConfig(config_util.HTTPClientConfig{
		BasicAuth: &config_util.BasicAuth{Username: "prometheus", Password: config_util.Secret(x.Ingest)},
	}, "compat")
	if err != nil {
		return err
	}
	api, err := remoteapi.NewAPI(x.URL, remoteapi.WithAPIHTTPClient(httpClient), remoteapi.WithAPIPath("api/v1/push"))
	if err != nil {
		return err
	}
	stats, err := api.Write(ctx, remoteapi.WriteV2MessageType, requestV2("exp", time.Now().UnixMilli()))
	if err != nil {
		return err
	}
	if stats.Samples != 2 || stats.Histograms != 1 || stats.Exemplars != 1 {
		err = fmt.Errorf("the client counts %+v, want 2 samples, a histogram and an exemplar", stats)
	}
	return errors.Join(err, wantV2(ctx, x, "exp"))
}

// pushgateways is client_golang's client of the Pushgateway.
func pushgateways() []client {
	return []client{{
		protocol: "Pushgateway", name: "client_golang's push", modules: []string{"github.com/prometheus/client_golang"},
		checks: []check{
			{"Push replaces a group, Add replaces metrics of one name, Delete ends it; token as password", checkPush},
		},
	}}
}

func checkPush(ctx context.Context, x *account) error {
	rows := prometheus.NewGauge(prometheus.GaugeOpts{Name: "backup_rows"})
	seconds := prometheus.NewGauge(prometheus.GaugeOpts{Name: "backup_seconds"})
	group := func(c prometheus.Collector) *push.Pusher {
		return push.New(x.URL, "nightly_backup").Grouping("shard", "a/b").BasicAuth("any", x.Ingest).Collector(c)
	}
	const labels = `{job="nightly_backup",shard="a/b"}`
	const query = `max by (__name__, job, shard) ({__name__=~"backup_.+"})`
	rows.Set(17)
	seconds.Set(1.5)
	err := errors.Join(
		group(rows).PushContext(ctx),
		x.wantValues(ctx, query, series{"backup_rows" + labels: 17}),
		group(seconds).AddContext(ctx),
		x.wantValues(ctx, query, series{"backup_rows" + labels: 17, "backup_seconds" + labels: 1.5}),
		group(seconds).PushContext(ctx),
		x.wantValues(ctx, query, series{"backup_seconds" + labels: 1.5}),
		group(seconds).Delete(),
		x.wantValues(ctx, query, series{}),
	)
	return err
}
