package compat

import (
	"context"
	"time"

	"github.com/influxdata/telegraf"
	"github.com/influxdata/telegraf/config"
	"github.com/influxdata/telegraf/metric"
	"github.com/influxdata/telegraf/plugins/outputs"
	"github.com/influxdata/telegraf/plugins/outputs/loki"
)

func lokis() []client {
	return []client{{
		protocol: "Loki push", name: "Telegraf, outputs.loki", modules: []string{telegrafModule},
		checks: []check{
			{"two streams in JSON, plain, token as password", func(ctx context.Context, x *account) error { return checkTelegrafLoki(ctx, x, false) }},
			{"two streams in JSON, gzip, token as password", func(ctx context.Context, x *account) error { return checkTelegrafLoki(ctx, x, true) }},
		},
	}}
}

func checkTelegrafLoki(ctx context.Context, x *account, zipped bool) error {
	output, ok := outputs.Outputs["loki"]().(*loki.Loki)
	if !ok {
		return errUnknownOutput
	}
	output.Domain, output.GZipRequest = x.URL, zipped
	output.Username, output.Password = config.NewSecret([]byte("telegraf")), config.NewSecret([]byte(x.Ingest))
	at, way := time.Now(), "plain"
	if zipped {
		way = "gzip"
	}
	tags := map[string]string{"namespace": "prod", "app": "web", "way": way}
	err := telegrafWrite(output,
		metric.New("tail", tags, map[string]any{"message": "disk is filling"}, at, telegraf.Untyped),
		metric.New("tail", with(tags, map[string]string{"app": "db"}), map[string]any{"message": "slow query"}, at.Add(1), telegraf.Untyped),
	)
	if err != nil {
		return err
	}
	return x.wantLines(ctx, `{namespace="prod", way="`+way+`"}`, []line{
		{at.UnixNano(), `message="disk is filling" `, map[string]string{"app": "web", "service_name": "web", "__name": "tail", "cluster": clusterName}},
		{at.UnixNano() + 1, `message="slow query" `, map[string]string{"app": "db", "service_name": "db", "__name": "tail", "cluster": clusterName}},
	})
}
