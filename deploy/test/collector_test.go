package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/k8sattributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/k8sobjectsreceiver"
	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/batchprocessor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	corev1 "k8s.io/api/core/v1"
)

// factories are those of the components that the charts' configurations name.
func factories() (otelcol.Factories, error) {
	f := otelcol.Factories{Telemetry: otelconftelemetry.NewFactory()}
	var err error
	if f.Receivers, err = otelcol.MakeFactoryMap[receiver.Factory](filelogreceiver.NewFactory(), prometheusreceiver.NewFactory(), k8sobjectsreceiver.NewFactory()); err != nil {
		return f, err
	}
	if f.Processors, err = otelcol.MakeFactoryMap[processor.Factory](
		batchprocessor.NewFactory(), memorylimiterprocessor.NewFactory(), resourceprocessor.NewFactory(), k8sattributesprocessor.NewFactory()); err != nil {
		return f, err
	}
	if f.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](otlphttpexporter.NewFactory(), prometheusremotewriteexporter.NewFactory()); err != nil {
		return f, err
	}
	f.Extensions, err = otelcol.MakeFactoryMap[extension.Factory](healthcheckextension.NewFactory(), filestorage.NewFactory())
	return f, err
}

// loadCollector has the collector's own code read a configuration, fill in the environment, decode it into every component's
// type and validate it, as `otelcol validate` does.
func loadCollector(t *testing.T, text string) (*otelcol.Config, error) {
	t.Helper()
	return loadCollectorWith(t, text, func(f otelcol.Factories) otelcol.Factories { return f })
}

// loadCollectorWith is loadCollector with more factories.
func loadCollectorWith(t *testing.T, text string, more func(otelcol.Factories) otelcol.Factories) (*otelcol.Config, error) {
	t.Helper()
	provider, err := otelcol.NewConfigProvider(otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
		URIs:              []string{"yaml:" + text},
		ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory(), envprovider.NewFactory()},
	}})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = provider.Shutdown(t.Context()) })
	made, err := factories()
	if err != nil {
		t.Fatal(err)
	}
	c, err := provider.Get(t.Context(), more(made))
	if err != nil {
		return nil, err
	}
	return c, errors.Join(c.Validate(), validateParts(c))
}

// validateParts validates each component as the collector does, except for the receiver of Kubernetes' objects, which asks an API
// server for it; checkUsed looks at that one.
func validateParts(c *otelcol.Config) error {
	faults := []error{confmap.Validate(c.Service)}
	for _, parts := range []map[component.ID]component.Config{c.Receivers, c.Processors, c.Exporters, c.Extensions} {
		for id, config := range parts {
			if id.Type().String() == "k8sobjects" {
				continue
			}
			if err := confmap.Validate(config); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", id, err))
			}
		}
	}
	return errors.Join(faults...)
}

func podEnvironment(t *testing.T) {
	t.Helper()
	t.Setenv("SEAMARK_TOKEN", "smk_ingest_x")
	t.Setenv("K8S_NODE_NAME", "node-1")
	t.Setenv("K8S_NODE_IP", "10.0.0.7")
}

// asInPod puts files of the test in the place of those that pods have, which the collector looks for.
func asInPod(t *testing.T, text string) string {
	t.Helper()
	account := t.TempDir()
	for _, name := range []string{"token", "ca.crt"} {
		if err := os.WriteFile(filepath.Join(account, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text = strings.ReplaceAll(text, "/var/run/secrets/kubernetes.io/serviceaccount", account)
	return strings.ReplaceAll(text, "directory: /var/lib/seamark-agent", "directory: "+t.TempDir())
}

// TestCollectorConfigurations has the collector load every configuration that the sets of values render.
func TestCollectorConfigurations(t *testing.T) {
	podEnvironment(t)
	for _, s := range sets() {
		if s.chart != agentChart {
			continue
		}
		list := mustRender(t, &s)
		for i := range list {
			if list[i].kind != "ConfigMap" {
				continue
			}
			t.Run(s.name+"/"+list[i].name, func(t *testing.T) {
				text := decode[corev1.ConfigMap](t, &list[i]).Data["config.yaml"]
				c, err := loadCollector(t, asInPod(t, text))
				if err != nil {
					t.Fatalf("%v in\n%s", err, text)
				}
				checkUsed(t, c)
			})
		}
	}
}

// checkUsed checks that what is configured is in a pipeline, that memory is bounded first in each, and that logs and events wait on
// disk.
func checkUsed(t *testing.T, c *otelcol.Config) {
	t.Helper()
	used := map[component.ID]bool{}
	for id, p := range c.Service.Pipelines {
		for _, list := range [][]component.ID{p.Receivers, p.Processors, p.Exporters} {
			for _, one := range list {
				used[one] = true
			}
		}
		if len(p.Processors) == 0 || p.Processors[0].Type().String() != "memory_limiter" {
			t.Errorf("pipeline %s begins with %v, not with the limit of memory", id, p.Processors)
		}
		if id.String() == "logs" && slices.ContainsFunc(p.Processors, func(c component.ID) bool { return c.Type().String() == "batch" }) {
			t.Errorf("pipeline %s holds lines in memory before the queue on disk", id)
		}
	}
	for id := range c.Receivers {
		if !used[id] {
			t.Errorf("receiver %s is in no pipeline", id)
		}
	}
	logs := false
	for id := range c.Service.Pipelines {
		logs = logs || id.String() == "logs"
	}
	for id, config := range c.Exporters {
		if !used[id] && (logs || id.Type().String() != "otlphttp") {
			t.Errorf("exporter %s is in no pipeline", id)
		}
		checkExporter(t, id, config)
	}
	for _, config := range c.Receivers {
		if k, ok := config.(*k8sobjectsreceiver.Config); ok && (len(k.Objects) != 1 || k.Objects[0].Name != "events" || k.Objects[0].Mode != k8sobjectsreceiver.WatchMode) {
			t.Errorf("the receiver of events watches %+v", k.Objects)
		}
	}
}

// checkExporter checks what the exporters' own code lets pass: this version ignores settings of HTTP that it does not know.
func checkExporter(t *testing.T, id component.ID, config component.Config) {
	t.Helper()
	http := func(c *confighttp.ClientConfig, endpoint string) {
		header, _ := c.Headers.Get("Authorization")
		if c.Endpoint != endpoint || header != "Bearer smk_ingest_x" {
			t.Errorf("exporter %s sends to %q with %d headers; want %s and the token", id, c.Endpoint, len(c.Headers), endpoint)
		}
		if c.TLS.CAFile != "" && c.TLS.CAFile != "/etc/seamark-agent-ca/ca.crt" {
			t.Errorf("exporter %s trusts %s, which is not mounted", id, c.TLS.CAFile)
		}
	}
	switch o := config.(type) {
	case *otlphttpexporter.Config:
		http(&o.ClientConfig, "https://seamark.example.com")
		queue := o.QueueConfig.Get()
		if queue == nil || queue.StorageID == nil || !queue.Batch.HasValue() || o.RetryConfig.MaxElapsedTime != 0 || !o.RetryConfig.Enabled || o.ClientConfig.Compression != "zstd" {
			t.Errorf("exporter %s forgets what it holds when it restarts, gives up, or does not compress: %+v", id, o)
		}
	case *prometheusremotewriteexporter.Config:
		http(&o.HTTP, "https://seamark.example.com/api/v1/push")
		if o.ExternalLabels["cluster"] != "eu-1" || o.BackOffConfig.MaxElapsedTime != 0 {
			t.Errorf("exporter %s sends for the cluster %q, or gives up: %+v", id, o.ExternalLabels["cluster"], o.BackOffConfig)
		}
	default:
		t.Errorf("exporter %s is of a kind that this test does not know", id)
	}
}

// TestCollectorRefuses shows that the test above can fail.
func TestCollectorRefuses(t *testing.T) {
	podEnvironment(t)
	const whole = `
receivers: {prometheus: {config: {scrape_configs: [{job_name: a, static_configs: [{targets: ["a:1"]}]}]}}}
processors: {memory_limiter: {check_interval: 1s, limit_percentage: 80, spike_limit_percentage: 20}}
exporters: {otlphttp/seamark: {endpoint: https://a}}
service: {pipelines: {metrics: {receivers: [prometheus], processors: [memory_limiter], exporters: [otlphttp/seamark]}}}
`
	if _, err := loadCollector(t, whole); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"check_interval: 1s", "check_intervall: 1s", "check_intervall"},
		{"exporters: [otlphttp/seamark]", "exporters: [otlphttp/other]", "otlphttp/other"},
		{"job_name: a,", "job_name: a, scrape_intervall: 1s,", "scrape_intervall"},
		{"endpoint: https://a", "endpoints: https://a", "endpoint must be specified"},
	} {
		if _, err := loadCollector(t, strings.Replace(whole, c[0], c[1], 1)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("with %s: %v; want an error with %q", c[1], err, c[2])
		}
	}
}
