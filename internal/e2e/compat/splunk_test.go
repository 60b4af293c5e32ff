package compat

import (
	"context"
	"time"

	"github.com/docker/docker/daemon/logger/splunk"
)

func splunks() []client {
	options := func(x *account, more map[string]string) map[string]string {
		return with(map[string]string{"splunk-url": x.URL, "splunk-token": x.Ingest, "splunk-source": "docker", "splunk-index": "main"}, more)
	}
	return []client{{
		protocol: "Splunk HEC", name: "Docker's log driver splunk", modules: []string{dockerModule},
		checks: []check{
			{"inline events, with its check of the connection at the container's start (OPTIONS)", dockerCheck(func(ctx context.Context, x *account, at time.Time) error {
				if err := dockerLog(splunk.New, options(x, nil), at, "started", "verified"); err != nil {
					return err
				}
				return x.wantLines(ctx, `{service_name=~".+"} |~ "started|verified"`, []line{{at.UnixNano(), "started", nil}, {at.Add(time.Millisecond).UnixNano(), "verified", nil}})
			}).run},
			{"inline events, gzip, acknowledgement channel", dockerCheck(func(ctx context.Context, x *account, at time.Time) error {
				err := dockerLog(splunk.New, options(x, map[string]string{"splunk-verify-connection": "false", "splunk-gzip": "true", "splunk-index-acknowledgment": "true"}),
					at, "GET /cart 200", "GET /pay 500")
				if err != nil {
					return err
				}
				labels := map[string]string{"com_splunk_source": "docker", "com_splunk_index": "main", "tag": "shop-web-1", "cluster": clusterName, "attrs_team": "shop"}
				return x.wantLines(ctx, `{service_name=~".+"} |= "GET /"`, []line{
					{at.UnixNano(), "GET /cart 200", with(labels, map[string]string{"source": "stdout"})},
					{at.Add(time.Millisecond).UnixNano(), "GET /pay 500", with(labels, map[string]string{"source": "stderr"})},
				})
			}).run},
			{"events in JSON", dockerCheck(func(ctx context.Context, x *account, at time.Time) error {
				err := dockerLog(splunk.New, options(x, map[string]string{"splunk-verify-connection": "false", "splunk-format": "json"}), at, `{"level":"warn","msg":"slow query"}`)
				if err != nil {
					return err
				}
				return x.wantLines(ctx, `{service_name=~".+"} |= "slow query"`, []line{{at.UnixNano(), "slow query", map[string]string{"detected_level": "warn"}}})
			}).run},
			{"raw text as event", dockerCheck(func(ctx context.Context, x *account, at time.Time) error {
				err := dockerLog(splunk.New, options(x, map[string]string{"splunk-verify-connection": "false", "splunk-format": "raw"}), at, "plain text")
				if err != nil {
					return err
				}
				return x.wantLines(ctx, `{service_name=~".+"} |= "plain text"`, []line{{at.UnixNano(), "shop-web-1 team=shop plain text", nil}})
			}).run},
		},
	}}
}
