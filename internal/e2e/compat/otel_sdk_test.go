package compat

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const otlpRoot = "go.opentelemetry.io/otel/exporters/otlp/"

// otelSDK are the exporters that instrumented Go programs have.
func otelSDK() []client {
	const name = "OpenTelemetry SDK"
	return []client{
		{
			protocol: "OTLP/HTTP", name: name + ", logs", modules: []string{otlpRoot + "otlplog/otlploghttp"},
			checks: []check{{"two records, one in a span: resource, attributes, severity, trace ids; protobuf, gzip, port 4318", func(ctx context.Context, x *account) error {
				return checkSDKLogs(ctx, x, func() (sdklog.Exporter, error) {
					return otlploghttp.New(ctx, otlploghttp.WithEndpointURL("https://"+x.listeners["otlp.http-listen"]+"/v1/logs"), otlploghttp.WithHeaders(bearer(x)),
						otlploghttp.WithCompression(otlploghttp.GzipCompression), otlploghttp.WithRetry(otlploghttp.RetryConfig{}))
				})
			}}},
		},
		{
			protocol: "OTLP/HTTP", name: name + ", metrics", modules: []string{otlpRoot + "otlpmetric/otlpmetrichttp"},
			checks: metricChecks(func(ctx context.Context, x *account, temporality sdkmetric.TemporalitySelector) (sdkmetric.Exporter, error) {
				return otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(x.URL+"/v1/metrics"), otlpmetrichttp.WithHeaders(bearer(x)),
					otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression), otlpmetrichttp.WithTemporalitySelector(temporality),
					otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
			}),
		},
		{
			protocol: "OTLP/HTTP", name: name + ", traces", modules: []string{otlpRoot + "otlptrace/otlptracehttp"},
			checks: []check{{"two spans with event and link are stored", func(ctx context.Context, x *account) error {
				exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(x.URL+"/v1/traces"), otlptracehttp.WithHeaders(bearer(x)),
					otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}))
				return checkSDKTraces(ctx, x, exporter, err)
			}}},
		},
		{
			protocol: "OTLP/gRPC", name: name + ", logs", modules: []string{otlpRoot + "otlplog/otlploggrpc"},
			checks: []check{{"two records, one in a span, on port 4317", func(ctx context.Context, x *account) error {
				return checkSDKLogs(ctx, x, func() (sdklog.Exporter, error) {
					return otlploggrpc.New(ctx, otlploggrpc.WithEndpointURL("https://"+x.listeners["otlp.grpc-listen"]), otlploggrpc.WithHeaders(bearer(x)),
						otlploggrpc.WithRetry(otlploggrpc.RetryConfig{}))
				})
			}}},
		},
		{
			protocol: "OTLP/gRPC", name: name + ", metrics", modules: []string{otlpRoot + "otlpmetric/otlpmetricgrpc"},
			checks: metricChecks(func(ctx context.Context, x *account, temporality sdkmetric.TemporalitySelector) (sdkmetric.Exporter, error) {
				return otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL("https://"+x.listeners["otlp.grpc-listen"]), otlpmetricgrpc.WithHeaders(bearer(x)),
					otlpmetricgrpc.WithCompressor("gzip"), otlpmetricgrpc.WithTemporalitySelector(temporality), otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}))
			}),
		},
		{
			protocol: "OTLP/gRPC", name: name + ", traces", modules: []string{otlpRoot + "otlptrace/otlptracegrpc"},
			checks: []check{{"two spans with event and link are stored, by the main port", func(ctx context.Context, x *account) error {
				exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(x.URL), otlptracegrpc.WithHeaders(bearer(x)),
					otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
				return checkSDKTraces(ctx, x, exporter, err)
			}}},
		},
	}
}

func bearer(x *account) map[string]string {
	return map[string]string{"Authorization": "Bearer " + x.Ingest}
}

// pod is the resource of an instrumented program in a pod.
func pod() *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", "checkout"), attribute.String("service.namespace", "shop"),
		attribute.String("service.instance.id", "checkout-7d9-x"), attribute.String("k8s.namespace.name", "shop-prod"),
		attribute.String("k8s.pod.name", "checkout-7d9-x"), attribute.String("k8s.deployment.name", "checkout"),
		attribute.String("k8s.node.name", "node-1"),
	)
}

var (
	someTrace = trace.TraceID{0: 0x0a, 15: 0x9c}
	someSpan  = trace.SpanID{0: 0xb7, 7: 0x31}
)

func checkSDKLogs(ctx context.Context, x *account, open func() (sdklog.Exporter, error)) error {
	exporter, err := open()
	if err != nil {
		return err
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(pod()), sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
	logger := provider.Logger("shop/checkout")
	at := time.Now()
	var plain, traced log.Record
	plain.SetTimestamp(at)
	plain.SetSeverity(log.SeverityInfo)
	plain.SetBody(attribute.StringValue("order received"))
	plain.AddAttributes(attribute.String("order.id", "A-17"), attribute.Int("items", 3), attribute.Float64("total", 19.5), attribute.Bool("gift", true))
	traced.SetTimestamp(at.Add(1))
	traced.SetSeverity(log.SeverityError2)
	traced.SetBody(attribute.StringValue("card declined"))
	logger.Emit(ctx, plain)
	logger.Emit(trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: someTrace, SpanID: someSpan})), traced)
	if err := errors.Join(provider.ForceFlush(ctx), provider.Shutdown(ctx)); err != nil {
		return err
	}
	place := map[string]string{
		"service_name": "checkout", "namespace": "shop-prod", "workload": "checkout", "pod": "checkout-7d9-x", "node": "node-1", "cluster": clusterName,
		"service_namespace": "shop", "scope_name": "shop/checkout",
	}
	return x.wantLines(ctx, `{service_name="checkout"}`, []line{
		{at.UnixNano(), "order received", with(place, map[string]string{"detected_level": "info", "order_id": "A-17", "items": "3", "total": "19.5", "gift": "true"})},
		{at.UnixNano() + 1, "card declined", with(place, map[string]string{"detected_level": "error", "trace_id": someTrace.String(), "span_id": someSpan.String()})},
	})
}

// with returns the union of two label sets.
func with(some, more map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{some, more} {
		for name, value := range m {
			all[name] = value
		}
	}
	return all
}

type openMetrics func(context.Context, *account, sdkmetric.TemporalitySelector) (sdkmetric.Exporter, error)

func metricChecks(open openMetrics) []check {
	delta := func(sdkmetric.InstrumentKind) metricdata.Temporality { return metricdata.DeltaTemporality }
	return []check{
		{"totals: counter, up-down counter, gauge, histogram", func(ctx context.Context, x *account) error {
			return checkSDKMetrics(ctx, x, "sdk", open, sdkmetric.DefaultTemporalitySelector)
		}},
		{"changes (delta): counter, up-down counter, gauge, histogram", func(ctx context.Context, x *account) error {
			return checkSDKMetrics(ctx, x, "delta", open, delta)
		}},
		{"exponential histogram of totals", func(ctx context.Context, x *account) error {
			return checkSDKSpread(ctx, x, "exp", open, sdkmetric.DefaultTemporalitySelector)
		}},
		{"exponential histogram of changes (delta)", func(ctx context.Context, x *account) error {
			return checkSDKSpread(ctx, x, "deltaexp", open, delta)
		}},
	}
}

// exportMetrics records metrics whose names begin with a prefix and exports them once.
func exportMetrics(ctx context.Context, x *account, prefix string, open openMetrics, temporality sdkmetric.TemporalitySelector) error {
	exporter, err := open(ctx, x, temporality)
	if err != nil {
		return err
	}
	reader := sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour))
	spread := sdkmetric.NewView(sdkmetric.Instrument{Name: prefix + ".spread"},
		sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 5}})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(pod()), sdkmetric.WithReader(reader), sdkmetric.WithView(spread))
	if err := record(ctx, provider.Meter("shop/checkout"), prefix); err != nil {
		return err
	}
	return errors.Join(provider.ForceFlush(ctx), exporter.Shutdown(ctx))
}

func checkSDKSpread(ctx context.Context, x *account, prefix string, open openMetrics, temporality sdkmetric.TemporalitySelector) error {
	if err := exportMetrics(ctx, x, prefix, open, temporality); err != nil {
		return err
	}
	return x.wantHistogram(ctx, prefix+"_spread_seconds", nativeHistogram{Count: 4, Sum: 15})
}

func checkSDKMetrics(ctx context.Context, x *account, prefix string, open openMetrics, temporality sdkmetric.TemporalitySelector) error {
	if err := exportMetrics(ctx, x, prefix, open, temporality); err != nil {
		return err
	}
	delta := ""
	if prefix == "delta" {
		delta = `__temporality__="delta",`
	}
	text := func(name, label string) string {
		if all := strings.TrimSuffix(delta+label, ","); all != "" {
			return prefix + name + "{" + all + "}"
		}
		return prefix + name
	}
	query := `max by (__name__, __temporality__, le, http_method) ({__name__=~"` + prefix + `_(requests|active|memory|latency).*", pod="checkout-7d9-x", job="shop/checkout"})`
	return x.wantValues(ctx, query, series{
		text("_requests_total", `http_method="GET"`): 42,
		text("_active", ""):                          -2,
		prefix + "_memory_bytes":                     1 << 30,
		text("_latency_seconds_bucket", `le="0.1"`):  2,
		text("_latency_seconds_bucket", `le="0.5"`):  3,
		text("_latency_seconds_bucket", `le="+Inf"`): 4,
		text("_latency_seconds_sum", ""):             2.45,
		text("_latency_seconds_count", ""):           4,
	})
}

func record(ctx context.Context, meter metric.Meter, prefix string) error {
	requests, err1 := meter.Int64Counter(prefix+".requests", metric.WithUnit("{request}"))
	active, err2 := meter.Int64UpDownCounter(prefix + ".active")
	memory, err3 := meter.Int64Gauge(prefix+".memory", metric.WithUnit("By"))
	latency, err4 := meter.Float64Histogram(prefix+".latency", metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(0.1, 0.5))
	spread, err5 := meter.Float64Histogram(prefix+".spread", metric.WithUnit("s"))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	get := metric.WithAttributes(attribute.String("http.method", "GET"))
	requests.Add(ctx, 41, get)
	requests.Add(ctx, 1, get)
	active.Add(ctx, 5)
	active.Add(ctx, -7)
	memory.Record(ctx, 1<<30)
	for _, v := range []float64{0.05, 0.1, 0.3, 2} {
		latency.Record(ctx, v)
	}
	for _, v := range []float64{1, 2, 4, 8} {
		spread.Record(ctx, v)
	}
	return nil
}

func checkSDKTraces(ctx context.Context, x *account, exporter sdktrace.SpanExporter, err error) error {
	if err != nil {
		return err
	}
	return x.wantStored(ctx, "traces", 2, func() error {
		provider := sdktrace.NewTracerProvider(sdktrace.WithResource(pod()), sdktrace.WithBatcher(exporter))
		tracer := provider.Tracer("shop/checkout")
		outer, parent := tracer.Start(ctx, "GET /cart", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.Int("http.status_code", 200)))
		_, child := tracer.Start(outer, "SELECT", trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: someTrace, SpanID: someSpan})}))
		child.AddEvent("retry")
		child.End()
		parent.End()
		return errors.Join(provider.ForceFlush(ctx), provider.Shutdown(ctx))
	})
}
