package compat

import (
	"context"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/config"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/plugins/outputs"
	"github.com/influxdata/telegraf/plugins/outputs/elasticsearch"
)

func elasticsearches() []client {
	return []client{{
		protocol: "Elasticsearch bulk", name: "Telegraf, outputs.elasticsearch", modules: []string{telegrafModule},
		checks: []check{
			{"version, template, health check and bulk at the root, token as password", func(ctx context.Context, x *account) error {
				return checkTelegrafElasticsearch(ctx, x, "", false)
			}},
			{"the same under /elasticsearch, gzip, documents with ids", func(ctx context.Context, x *account) error {
				return checkTelegrafElasticsearch(ctx, x, "/elasticsearch", true)
			}},
		},
	}}
}

func checkTelegrafElasticsearch(ctx context.Context, x *account, prefix string, zipped bool) error {
	output, ok := outputs.Outputs["elasticsearch"]().(*elasticsearch.Elasticsearch)
	if !ok {
		return errUnknownOutput
	}
	output.URLs, output.IndexName, output.Log = []string{x.URL + prefix}, "telegraf-%Y.%m.%d", telegrafLog("elasticsearch")
	output.Username, output.Password = config.NewSecret([]byte("telegraf")), config.NewSecret([]byte(x.Ingest))
	output.ManageTemplate, output.TemplateName, output.OverwriteTemplate = true, "telegraf", true
	output.Timeout, output.HealthCheckInterval = config.Duration(within), config.Duration(10*time.Second)
	output.HealthCheckTimeout = config.Duration(within)
	output.EnableGzip, output.ForceDocumentID = zipped, zipped
	at, way := time.Now(), "root"+prefix
	err := telegrafWrite(output, metric.New("syslog", map[string]string{"host": "node-1", "way": way}, map[string]any{"message": "disk is filling", "code": 7}, at, telegraf.Untyped))
	if err != nil {
		return err
	}
	return x.wantLines(ctx, `{service_name=~".+"} | tag_way="`+way+`"`, []line{{at.UnixNano(), "", map[string]string{
		"syslog_message": "disk is filling", "syslog_code": "7", "measurement_name": "syslog", "_index": at.UTC().Format("telegraf-2006.01.02"), "cluster": clusterName,
	}}})
}
