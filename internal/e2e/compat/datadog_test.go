package compat

import (
	"context"
	"errors"
	"time"

	"github.com/DataDog/datadog-api-client-go/v2/api/datadog"
	"github.com/DataDog/datadog-api-client-go/v2/api/datadogV1"
	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/plugins/outputs"
	telegrafdatadog "github.com/influxdata/telegraf/plugins/outputs/datadog"
)

const (
	datadogProtocol = "Datadog"
	datadogModule   = "github.com/DataDog/datadog-api-client-go/v2"
)

func datadogs() []client {
	return []client{
		{
			protocol: datadogProtocol, name: "datadog-api-client-go, API v1", modules: []string{datadogModule},
			checks: []check{
				{"validate, series of gauge, count and rate, deflate", checkDatadogV1Series},
				{"logs, gzip", checkDatadogV1Logs},
			},
		},
		{
			protocol: datadogProtocol, name: "Telegraf, outputs.datadog", modules: []string{telegrafModule},
			checks: []check{
				{"series, plain, token in the URL", func(ctx context.Context, x *account) error { return checkTelegrafDatadog(ctx, x, "none") }},
				{"series, zlib, token in the URL", func(ctx context.Context, x *account) error { return checkTelegrafDatadog(ctx, x, "zlib") }},
			},
		},
	}
}

// datadogClient returns a client of the API and a context with its address and key.
func datadogClient(ctx context.Context, x *account) (context.Context, *datadog.APIClient) {
	c := datadog.NewConfiguration()
	c.Servers = datadog.ServerConfigurations{{URL: x.URL}}
	c.OperationServers = map[string]datadog.ServerConfigurations{} // logs have hosts of their own
	return context.WithValue(ctx, datadog.ContextAPIKeys, map[string]datadog.APIKey{"apiKeyAuth": {Key: x.Ingest}}), datadog.NewAPIClient(c)
}

func checkDatadogV1Series(ctx context.Context, x *account) error {
	authorized, c := datadogClient(ctx, x)
	valid, response, err := datadogV1.NewAuthenticationApi(c).Validate(authorized)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if !valid.GetValid() {
		return errors.New("the key is not called valid")
	}
	at, payload := time.Now().Truncate(time.Second), datadogV1.MetricsPayload{}
	for _, kind := range []string{"gauge", "count", "rate"} {
		payload.Series = append(payload.Series, datadogV1.Series{
			Metric: "v1.page." + kind, Type: &kind, Host: datadog.PtrString("node-1"), Tags: []string{"env:prod", "kube_namespace:shop", "leader"},
			Points: [][]*float64{{datadog.PtrFloat64(float64(at.Unix() - 10)), datadog.PtrFloat64(1.5)}, {datadog.PtrFloat64(float64(at.Unix())), datadog.PtrFloat64(2.5)}},
		})
	}
	_, response, err = datadogV1.NewMetricsApi(c).SubmitMetrics(authorized, payload, *datadogV1.NewSubmitMetricsOptionalParameters().WithContentEncoding(datadogV1.METRICCONTENTENCODING_DEFLATE))
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	const labels = `{env="prod",host="node-1",leader="true",namespace="shop"}`
	want := []point{{at.Add(-10 * time.Second).UnixMilli(), 1.5}, {at.UnixMilli(), 2.5}}
	return x.wantSamples(ctx, `{__name__=~"v1_page_.+"}`, timed{"v1_page_gauge" + labels: want, "v1_page_count" + labels: want, "v1_page_rate" + labels: want})
}

func checkDatadogV1Logs(ctx context.Context, x *account) error {
	authorized, c := datadogClient(ctx, x)
	//nolint:staticcheck // deprecated, and what senders of /v1/input still have
	_, response, err := datadogV1.NewLogsApi(c).SubmitLog(authorized, []datadogV1.HTTPLogItem{{
		Message: "card declined", Ddtags: datadog.PtrString("env:prod,kube_namespace:shop"), Hostname: datadog.PtrString("node-1"),
		Service: datadog.PtrString("v1-checkout"), Ddsource: datadog.PtrString("go"), AdditionalProperties: map[string]string{"status": "error", "order": "A-17"},
	}}, *datadogV1.NewSubmitLogOptionalParameters().WithContentEncoding(datadogV1.CONTENTENCODING_GZIP))
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	return x.wantLines(ctx, `{service_name="v1-checkout"}`, []line{{0, "card declined", map[string]string{
		"namespace": "shop", "env": "prod", "node": "node-1", "order": "A-17", "detected_level": "error", "cluster": clusterName,
	}}})
}

func checkTelegrafDatadog(ctx context.Context, x *account, compression string) error {
	output, ok := outputs.Outputs["datadog"]().(*telegrafdatadog.Datadog)
	if !ok {
		return errUnknownOutput
	}
	output.URL, output.Apikey, output.Compression, output.Log = x.URL+"/api/v1/series", x.Ingest, compression, telegrafLog("datadog")
	at := time.Now().Truncate(time.Second)
	m := metric.New("disk_"+compression, map[string]string{"host": "node-1", "path": "/var"}, map[string]any{"used": 17, "used_percent": 12.5}, at, telegraf.Gauge)
	if err := telegrafWrite(output, m); err != nil {
		return err
	}
	const labels = `{host="node-1",path="/var"}`
	name := "disk_" + compression + "_used"
	return x.wantSamples(ctx, `{__name__=~"disk_`+compression+`.+"}`, timed{name + labels: {{at.UnixMilli(), 17}}, name + "_percent" + labels: {{at.UnixMilli(), 12.5}}})
}
