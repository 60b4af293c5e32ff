package clients_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// pod is the resource of an instrumented program in a pod, as the operator's resource detectors fill it.
func pod() *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", "checkout"), attribute.String("service.namespace", "shop"),
		attribute.String("service.instance.id", "checkout-7d9-x"), attribute.String("service.version", "1.2.3"),
		attribute.String("k8s.namespace.name", "shop-prod"), attribute.String("k8s.pod.name", "checkout-7d9-x"),
		attribute.String("k8s.deployment.name", "checkout"), attribute.String("k8s.container.name", "app"),
		attribute.String("k8s.node.name", "node-1"), attribute.Int("process.pid", 17),
	)
}

func bearer(x *inprocess.Tenant) map[string]string {
	return map[string]string{"Authorization": "Bearer " + x.Ingest}
}

// exportLogs sends two records with OpenTelemetry's SDK, gzip and protobuf, one of them inside a span.
func exportLogs(t *testing.T, x *inprocess.Tenant, at time.Time) {
	t.Helper()
	exporter, err := otlploghttp.New(t.Context(), otlploghttp.WithEndpointURL(x.App.URL()+"/v1/logs"), otlploghttp.WithHeaders(bearer(x)),
		otlploghttp.WithCompression(otlploghttp.GzipCompression), otlploghttp.WithRetry(otlploghttp.RetryConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(pod()), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	logger := provider.Logger("shop/checkout", log.WithInstrumentationVersion("0.9"))
	var plain, traced log.Record
	plain.SetTimestamp(at)
	plain.SetSeverity(log.SeverityInfo)
	plain.SetBody(attribute.StringValue("order received"))
	plain.AddAttributes(attribute.String("order.id", "A-17"), attribute.Int("items", 3), attribute.Float64("total", 19.5), attribute.Bool("gift", true))
	traced.SetTimestamp(at.Add(1))
	traced.SetSeverity(log.SeverityError2)
	traced.SetSeverityText("ERROR")
	traced.SetBody(attribute.MapValue(attribute.String("event", "declined"), attribute.Slice("codes", attribute.IntValue(1), attribute.StringValue("x"))))
	logger.Emit(t.Context(), plain)
	logger.Emit(spanContext(t), traced)
	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Fatalf("export: %v", err)
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatalf("shut down: %v", err)
	}
}

const someSpan = "b7ad6b7169203331"

func spanContext(t *testing.T) context.Context {
	t.Helper()
	traceID, err := trace.TraceIDFromHex(someTrace)
	if err != nil {
		t.Fatal(err)
	}
	spanID, err := trace.SpanIDFromHex(someSpan)
	if err != nil {
		t.Fatal(err)
	}
	return trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: spanID, TraceFlags: trace.FlagsSampled}))
}

func TestOTLPLogs(t *testing.T) {
	x := newTenant(t, "otlp-logs")
	at := corpusStart().Add(123_456_789)
	exportLogs(t, x, at)
	resource := map[string]string{
		"service_namespace": "shop", "service_instance_id": "checkout-7d9-x", "service_version": "1.2.3", "process_pid": "17",
		"scope_name": "shop/checkout", "scope_version": "0.9",
	}
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range []map[string]string{resource, more} {
			for name, v := range m {
				all[name] = v
			}
		}
		return all
	}
	want := []logStream{{
		Stream: map[string]string{
			"service_name": "checkout", "namespace": "shop-prod", "workload": "checkout", "pod": "checkout-7d9-x", "container": "app",
			"node": "node-1", "cluster": "eu-1",
		},
		Values: []logEntry{
			{TimeNano: at.UnixNano(), Line: "order received", Metadata: with(map[string]string{
				"detected_level": "info", "order_id": "A-17", "items": "3", "total": "19.5", "gift": "true",
			})},
			{TimeNano: at.UnixNano() + 1, Line: `{"codes":[1,"x"],"event":"declined"}`, Metadata: with(map[string]string{
				"detected_level": "error", "severity_text": "ERROR", "trace_id": someTrace, "span_id": someSpan,
			})},
		},
	}}
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, readLogs(t, x, `{service_name="checkout"}`, at.Add(-time.Minute), at.Add(time.Minute))); diff != "" {
			return errors.New("entries (-sent +read):\n" + diff)
		}
		return nil
	})
	for query, want := range map[string]int{
		`{service_name="checkout"} | order_id="A-17"`:                    1,
		`{service_name="checkout"} | trace_id="` + someTrace + `"`:       1,
		`{service_name="checkout"} | json | event="declined"`:            1,
		`{namespace="shop-prod", pod=~"checkout-.*"} | items > 2`:        1,
		`{service_name="checkout"} | detected_level=~"error|fatal"`:      1,
		`{service_name="checkout"} | service_version="1.2.3" |= "order"`: 1,
	} {
		if got := linesOf(readLogs(t, x, query, at.Add(-time.Minute), at.Add(time.Minute))); len(got) != want {
			t.Errorf("%s: got %q, want %d line", query, got, want)
		}
	}
}

// exportMetrics records with OpenTelemetry's SDK and sends with its HTTP exporter, gzip and protobuf.
func exportMetrics(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	exporter, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(x.App.URL()+"/v1/metrics"), otlpmetrichttp.WithHeaders(bearer(x)),
		otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression), otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	// One export, when the test asks for it.
	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(pod()), sdkmetric.WithReader(reader))
	meter := provider.Meter("shop/checkout")
	requests, err1 := meter.Int64Counter("http.server.requests", metric.WithUnit("{request}"), metric.WithDescription("Requests served."))
	seconds, err2 := meter.Float64Histogram("http.server.duration", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 0.5))
	memory, err3 := meter.Int64Gauge("process.memory.usage", metric.WithUnit("By"))
	ratio, err4 := meter.Float64Gauge("cache.hits", metric.WithUnit("1"))
	active, err5 := meter.Int64UpDownCounter("orders.active")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	get := metric.WithAttributes(attribute.String("http.method", "GET"), attribute.Int("http.status_code", 200))
	requests.Add(t.Context(), 41, get)
	requests.Add(t.Context(), 1, get)
	for _, v := range []float64{0.05, 0.1, 0.3, 2} {
		seconds.Record(t.Context(), v)
	}
	memory.Record(t.Context(), 1<<30)
	ratio.Record(t.Context(), 1.0/3)
	active.Add(t.Context(), 5)
	active.Add(t.Context(), -7)
	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Fatalf("export: %v", err)
	}
	// Shutdown exports once more; a reader that has been read must not be asked again, so the exporter alone is closed.
	if err := exporter.Shutdown(t.Context()); err != nil {
		t.Fatalf("shut down: %v", err)
	}
}

func TestOTLPMetrics(t *testing.T) {
	x := newTenant(t, "otlp-metrics")
	g := grafana(t, x)
	exportMetrics(t, x)
	const same = `cluster="eu-1", container="app", instance="checkout-7d9-x", job="shop/checkout", namespace="shop-prod", node="node-1", pod="checkout-7d9-x"`
	want := map[string]float64{
		`http_server_requests_total{` + same + `, http_method="GET", http_status_code="200"}`: 42,
		`http_server_duration_seconds_bucket{` + same + `, le="0.1"}`:                         2,
		`http_server_duration_seconds_bucket{` + same + `, le="0.5"}`:                         3,
		`http_server_duration_seconds_bucket{` + same + `, le="+Inf"}`:                        4,
		`http_server_duration_seconds_sum{` + same + `}`:                                      2.45,
		`http_server_duration_seconds_count{` + same + `}`:                                    4,
		`process_memory_usage_bytes{` + same + `}`:                                            1 << 30,
		`cache_hits_ratio{` + same + `}`:                                                      1.0 / 3,
		`orders_active{` + same + `}`:                                                         -2,
		// As Prometheus makes it: the resource's attributes under their own names.
		`target_info{cluster="eu-1", job="shop/checkout", instance="checkout-7d9-x", service_version="1.2.3", process_pid="17",
			k8s_namespace_name="shop-prod", k8s_pod_name="checkout-7d9-x", k8s_container_name="app", k8s_node_name="node-1", k8s_deployment_name="checkout"}`: 1,
	}
	testkit.Eventually(t, within, func() error {
		got, err := latest(t, g, `{__name__!~"otel_.*", __name__!=""}`)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(canonical(t, want), got); diff != "" {
			return errors.New("samples (-sent +read):\n" + diff)
		}
		return nil
	})
	metadata, err := g.Metadata(t.Context(), "http_server_requests_total", "")
	if err != nil || len(metadata["http_server_requests_total"]) != 1 {
		t.Fatalf("metadata: got %v, %v", metadata, err)
	}
	if m := metadata["http_server_requests_total"][0]; m.Type != promv1.MetricTypeCounter || m.Help != "Requests served." {
		t.Errorf("metadata: got %+v", m)
	}
}

// latest returns the newest value of every series that matches.
func latest(t *testing.T, g promv1.API, selector string) (map[string]float64, error) {
	t.Helper()
	v, _, _, err := g.Query(t.Context(), selector, time.Now())
	if err != nil {
		return nil, err
	}
	vector, ok := v.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("got a %s, want a vector", v.Type())
	}
	got := map[string]float64{}
	for _, s := range vector {
		got[s.Metric.String()] = float64(s.Value)
	}
	return got, nil
}

// canonical rewrites series to the order of labels that model.Metric prints.
func canonical(t *testing.T, series map[string]float64) map[string]float64 {
	t.Helper()
	rewritten := map[string]float64{}
	for text, v := range series {
		m, err := parseMetric(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		rewritten[m.String()] = v
	}
	return rewritten
}
