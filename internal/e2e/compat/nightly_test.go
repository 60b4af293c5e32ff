//go:build nightly

package compat

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV2"
	elasticsearch8 "github.com/elastic/go-elasticsearch/v8"
	esutil8 "github.com/elastic/go-elasticsearch/v8/esutil"
	elasticsearch9 "github.com/elastic/go-elasticsearch/v9"
	esutil9 "github.com/elastic/go-elasticsearch/v9/esutil"
)

// nightlyClients are those whose dependencies take minutes to compile.
func nightlyClients() []client {
	const what = "BulkIndexer: create and index, items acknowledged one by one; token as ApiKey"
	return []client{
		{
			protocol: "Elasticsearch bulk", name: "go-elasticsearch", modules: []string{"github.com/elastic/go-elasticsearch/v8"},
			checks: []check{{"Info, Ping", checkElastic8Info}, {what, checkElastic8}},
		},
		{
			protocol: "Elasticsearch bulk", name: "go-elasticsearch", modules: []string{"github.com/elastic/go-elasticsearch/v9"},
			checks: []check{{what, checkElastic9}},
		},
		{
			protocol: datadogProtocol, name: "datadog-api-client-go, API v2", modules: []string{datadogModule},
			checks: []check{{"series of gauge, count and rate with resources, zstd", checkDatadogV2Series}, {"logs, gzip", checkDatadogV2Logs}},
		},
	}
}

// documents are what the bulk indexers send: an action and a document each.
func documents(version string, at time.Time) (bodies []string, want []line) {
	for i, text := range []string{"order received", "card declined"} {
		when := at.Add(time.Duration(i) * time.Millisecond)
		bodies = append(bodies, fmt.Sprintf(`{"@timestamp":%q,"message":%q,"log":{"level":"warn"},"client":%q,"kubernetes":{"namespace":"shop","pod":{"name":"cart-0"}}}`,
			when.UTC().Format(time.RFC3339Nano), text, version))
		want = append(want, line{when.UnixNano(), text, map[string]string{"namespace": "shop", "pod": "cart-0", "detected_level": "warn", "cluster": clusterName}})
	}
	return bodies, want
}

var bulkActions = []string{"create", "index"}

func checkElastic8Info(ctx context.Context, x *account) error {
	c, err := elasticsearch8.NewClient(elasticsearch8.Config{Addresses: []string{x.URL}, Username: "any", Password: x.Ingest})
	if err != nil {
		return err
	}
	info, err := c.Info(c.Info.WithContext(ctx))
	if err != nil {
		return err
	}
	_ = info.Body.Close()
	ping, err := c.Ping(c.Ping.WithContext(ctx))
	if err != nil {
		return err
	}
	_ = ping.Body.Close()
	if info.IsError() || ping.IsError() {
		return errors.New("the server answers with an error")
	}
	return nil
}

func checkElastic8(ctx context.Context, x *account) error {
	c, err := elasticsearch8.NewClient(elasticsearch8.Config{Addresses: []string{x.URL}, APIKey: x.Ingest, CompressRequestBody: true})
	if err != nil {
		return err
	}
	indexer, err := esutil8.NewBulkIndexer(esutil8.BulkIndexerConfig{Client: c, Index: "logs-shop-default", NumWorkers: 1})
	if err != nil {
		return err
	}
	bodies, want := documents("v8", time.Now().Truncate(time.Millisecond))
	for i, body := range bodies {
		if err := indexer.Add(ctx, esutil8.BulkIndexerItem{Action: bulkActions[i], DocumentID: fmt.Sprint("v8-", i), Body: strings.NewReader(body)}); err != nil {
			return err
		}
	}
	if err := indexer.Close(ctx); err != nil {
		return err
	}
	if s := indexer.Stats(); s.NumFailed != 0 || s.NumCreated+s.NumIndexed != 2 {
		return fmt.Errorf("the indexer counts %+v", s)
	}
	return x.wantLines(ctx, `{namespace="shop"} | client="v8"`, want)
}

func checkElastic9(ctx context.Context, x *account) error {
	c, err := elasticsearch9.New(elasticsearch9.WithAddresses(x.URL), elasticsearch9.WithAPIKey(x.Ingest), elasticsearch9.WithCompression())
	if err != nil {
		return err
	}
	indexer, err := esutil9.NewBulkIndexer(esutil9.BulkIndexerConfig{Client: c, Index: "logs-shop-default", NumWorkers: 1})
	if err != nil {
		return err
	}
	bodies, want := documents("v9", time.Now().Truncate(time.Millisecond))
	for i, body := range bodies {
		if err := indexer.Add(ctx, esutil9.BulkIndexerItem{Action: bulkActions[i], DocumentID: fmt.Sprint("v9-", i), Body: strings.NewReader(body)}); err != nil {
			return err
		}
	}
	if err := indexer.Close(ctx); err != nil {
		return err
	}
	if s := indexer.Stats(); s.NumFailed != 0 || s.NumCreated+s.NumIndexed != 2 {
		return fmt.Errorf("the indexer counts %+v", s)
	}
	return x.wantLines(ctx, `{namespace="shop"} | client="v9"`, want)
}

func checkDatadogV2Series(ctx context.Context, x *account) error {
	authorized, c := datadogClient(ctx, x)
	at, payload := time.Now().Truncate(time.Second), datadogV2.MetricPayload{}
	for name, kind := range map[string]datadogV2.MetricIntakeType{
		"gauge": datadogV2.METRICINTAKETYPE_GAUGE, "count": datadogV2.METRICINTAKETYPE_COUNT, "rate": datadogV2.METRICINTAKETYPE_RATE,
	} {
		payload.Series = append(payload.Series, datadogV2.MetricSeries{
			Metric: "v2.page." + name, Type: &kind, Tags: []string{"env:prod"}, Interval: datadog.PtrInt64(10),
			Resources: []datadogV2.MetricResource{{Name: datadog.PtrString("node-1"), Type: datadog.PtrString("host")}},
			Points:    []datadogV2.MetricPoint{{Timestamp: datadog.PtrInt64(at.Unix()), Value: datadog.PtrFloat64(2.5)}},
		})
	}
	_, response, err := datadogV2.NewMetricsApi(c).SubmitMetrics(authorized, payload,
		*datadogV2.NewSubmitMetricsOptionalParameters().WithContentEncoding(datadogV2.METRICCONTENTENCODING_ZSTD1))
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	const labels = `{env="prod",host="node-1"}`
	want := []point{{at.UnixMilli(), 2.5}}
	return x.wantSamples(ctx, `{__name__=~"v2_page_.+"}`, timed{"v2_page_gauge" + labels: want, "v2_page_count" + labels: want, "v2_page_rate" + labels: want})
}

func checkDatadogV2Logs(ctx context.Context, x *account) error {
	authorized, c := datadogClient(ctx, x)
	_, response, err := datadogV2.NewLogsApi(c).SubmitLog(authorized, []datadogV2.HTTPLogItem{{
		Message: "card declined", Ddtags: datadog.PtrString("env:prod,kube_namespace:shop"), Hostname: datadog.PtrString("node-1"),
		Service: datadog.PtrString("v2-checkout"), Ddsource: datadog.PtrString("go"), AdditionalProperties: map[string]any{"status": "error"},
	}}, *datadogV2.NewSubmitLogOptionalParameters().WithContentEncoding(datadogV2.CONTENTENCODING_GZIP))
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	return x.wantLines(ctx, `{service_name="v2-checkout"}`, []line{{0, "card declined", map[string]string{
		"namespace": "shop", "env": "prod", "node": "node-1", "detected_level": "error", "cluster": clusterName,
	}}})
}
