package clients_test

import (
	"errors"
	"log/slog"
	"math"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	remoteapi "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	config_util "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// parseMetric reads a series in PromQL's notation.
func parseMetric(text string) (model.Metric, error) {
	ls, err := parser.NewParser(parser.Options{}).ParseMetric(text)
	if err != nil {
		return nil, err
	}
	m := model.Metric{}
	ls.Range(func(l labels.Label) { m[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return m, nil
}

// prometheusServer is what a Prometheus server consists of between its scrapes and its remote write: a TSDB with its
// write-ahead log, and the queue manager that follows the log.
func prometheusServer(t *testing.T, x *inprocess.Tenant) *tsdb.DB {
	t.Helper()
	dir, log := t.TempDir(), slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := tsdb.Open(dir, log, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	write := remote.NewWriteStorage(log, prometheus.NewRegistry(), dir, time.Second, nil, false)
	db.SetWriteNotified(write)
	endpoint, err := url.Parse(x.App.URL() + "/api/v1/push")
	if err != nil {
		t.Fatal(err)
	}
	rw := config.DefaultRemoteWriteConfig
	rw.Name, rw.URL, rw.ProtobufMessage = "seamark", &config_util.URL{URL: endpoint}, remoteapi.WriteV1MessageType
	rw.HTTPClientConfig.Authorization = &config_util.Authorization{Type: "Bearer", Credentials: config_util.Secret(x.Ingest)}
	rw.QueueConfig.BatchSendDeadline = model.Duration(50 * time.Millisecond)
	rw.MetadataConfig.Send = false // metadata comes from scrapes, and there are none
	external := config.GlobalConfig{ExternalLabels: labels.FromStrings("prometheus", "monitoring/k8s", "cluster", "told-by-sender")}
	if err := write.ApplyConfig(&config.Config{GlobalConfig: external, RemoteWriteConfigs: []*config.RemoteWriteConfig{&rw}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(write.Close(), db.Close()); err != nil {
			t.Errorf("stop prometheus: %v", err)
		}
	})
	return db
}

// TestPrometheusServer appends to a TSDB as a scrape does, and reads from Seamark what Prometheus' own queue manager sent.
func TestPrometheusServer(t *testing.T) {
	x := newTenant(t, "prometheus-server")
	db := prometheusServer(t, x)
	// The queue manager sends what is appended after it began to follow the log.
	start := time.Now().Add(2 * time.Second).Truncate(time.Second)
	want := map[string]points{}
	stale := math.Float64frombits(value.StaleNaN)
	app := db.Appender(t.Context())
	for series, values := range map[string][]float64{
		`up{job="node", instance="10.0.0.1:9100"}`:     {1, 1, 0, 1, stale},
		`node_cpu_seconds_total{cpu="0", mode="idle"}`: {1e9, 1e9 + 0.25, 1e9 + 0.5},
		`request_seconds_bucket{le="0.005"}`:           {3, 4, 5},
		`request_seconds_bucket{le="+Inf"}`:            {7, 9, 11},
		`request_seconds_sum`:                          {0.7, 0.9, math.NaN()},
	} {
		metric, err := parseMetric(series)
		if err != nil {
			t.Fatal(err)
		}
		s := sent{labels: map[string]string{}, values: values}
		for name, v := range metric {
			s.labels[string(name)] = string(v)
		}
		ls := labels.FromMap(s.labels)
		for i, v := range values {
			if _, err := app.Append(0, ls, start.Add(time.Duration(i)*step).UnixMilli(), v); err != nil {
				t.Fatalf("append %s: %v", series, err)
			}
		}
		s.labels["prometheus"], s.labels["cluster"] = "monitoring/k8s", "told-by-sender"
		text, p := s.wantOf("told-by-sender", start)
		want[text] = p
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	g := grafana(t, x)
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, rawRead(t, g, `{__name__=~".+"}`, start, 9*time.Minute)); diff != "" {
			return errors.New("samples differ (-appended +read):\n" + diff)
		}
		return nil
	})
}
