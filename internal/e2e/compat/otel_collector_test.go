package compat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// otelCollector are exporters of the OpenTelemetry collector, configured by what stands in its YAML file.
func otelCollector() []client {
	overHTTP := collector{otlphttpexporter.NewFactory(), func(x *account) map[string]any {
		return map[string]any{"endpoint": x.URL + "/otlp", "headers": collectorHeaders(x), "sending_queue": map[string]any{"enabled": false}}
	}}
	overGRPC := collector{otlpexporter.NewFactory(), func(x *account) map[string]any {
		return map[string]any{"endpoint": x.host(), "headers": collectorHeaders(x), "sending_queue": map[string]any{"enabled": false}}
	}}
	overWrite := collector{prometheusremotewriteexporter.NewFactory(), func(x *account) map[string]any {
		return map[string]any{"http": map[string]any{"endpoint": x.URL + "/api/v1/push", "headers": collectorHeaders(x)}}
	}}
	version2 := map[string]any{"protobuf_message": "io.prometheus.write.v2.Request"}
	const contrib = "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	return []client{
		{
			protocol: "OTLP/HTTP", name: "OpenTelemetry Collector, otlp_http", modules: []string{"go.opentelemetry.io/collector/exporter/otlphttpexporter"},
			checks: append(overHTTP.checks(), check{"logs in protobuf and JSON, with gzip, zstd, snappy, deflate and without compression", overHTTP.checkEncodings}),
		},
		{
			protocol: "OTLP/gRPC", name: "OpenTelemetry Collector, otlp_grpc, on the main port", modules: []string{"go.opentelemetry.io/collector/exporter/otlpexporter"},
			checks: append(overGRPC.checks(), check{"a token that is none: a permanent error", overGRPC.checkRefusal}),
		},
		{
			protocol: "Remote write", name: "OpenTelemetry Collector, prometheusremotewrite", modules: []string{contrib},
			checks: []check{
				{"1.0: sum, gauge, histogram, summary", func(ctx context.Context, x *account) error {
					return overWrite.checkTotals(ctx, x, "prw1", nil)
				}},
				{"1.0: exponential histogram", func(ctx context.Context, x *account) error {
					return overWrite.checkSpread(ctx, x, "exp1", nil)
				}},
				{"2.0: sum, gauge, histogram, summary", func(ctx context.Context, x *account) error {
					return overWrite.checkTotals(ctx, x, "prw2", version2)
				}},
				{"2.0: exponential histogram", func(ctx context.Context, x *account) error {
					return overWrite.checkSpread(ctx, x, "exp2", version2)
				}},
			},
		},
	}
}

func collectorHeaders(x *account) map[string]any {
	return map[string]any{"Authorization": "Bearer " + x.Ingest}
}

// collector is one kind of exporter with its configuration.
type collector struct {
	factory exporter.Factory
	config  func(x *account) map[string]any
}

func (c *collector) checks() []check {
	return []check{
		{"logs: resource, scope, severity, map body", c.checkLogs},
		{"metrics: sum, gauge, histogram, summary", func(ctx context.Context, x *account) error {
			return c.checkTotals(ctx, x, "all", nil)
		}},
		{"metrics: exponential histogram", func(ctx context.Context, x *account) error {
			return c.checkSpread(ctx, x, "exp", nil)
		}},
		{"metrics: sum and histogram of changes (delta)", c.checkDeltas},
		{"traces are stored", c.checkTraces},
	}
}

// decoded returns the exporter's configuration with some more settings.
func (c *collector) decoded(x *account, more map[string]any) (component.Config, error) {
	all := c.config(x)
	for name, value := range more {
		all[name] = value
	}
	config := c.factory.CreateDefaultConfig()
	err := confmap.NewFromStringMap(all).Unmarshal(config)
	return config, err
}

// run starts an exporter, has it send, and stops it.
func run(ctx context.Context, e component.Component, send func() error) error {
	if err := e.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	return errors.Join(send(), e.Shutdown(ctx))
}

func (c *collector) sendLogs(ctx context.Context, x *account, more map[string]any, logs plog.Logs) error {
	config, err := c.decoded(x, more)
	if err != nil {
		return err
	}
	e, err := c.factory.CreateLogs(ctx, exportertest.NewNopSettings(c.factory.Type()), config)
	if err != nil {
		return err
	}
	return run(ctx, e, func() error { return e.ConsumeLogs(ctx, logs) })
}

func (c *collector) sendMetrics(ctx context.Context, x *account, more map[string]any, metrics pmetric.Metrics) error {
	config, err := c.decoded(x, more)
	if err != nil {
		return err
	}
	e, err := c.factory.CreateMetrics(ctx, exportertest.NewNopSettings(c.factory.Type()), config)
	if err != nil {
		return err
	}
	return run(ctx, e, func() error { return e.ConsumeMetrics(ctx, metrics) })
}

// collected fills the resource of a pod as the k8sattributes processor does.
func collected(r pcommon.Resource) {
	for name, value := range map[string]string{
		"service.name": "cart", "service.instance.id": "cart-0", "k8s.namespace.name": "shop-prod", "k8s.pod.name": "cart-0",
		"k8s.statefulset.name": "cart", "k8s.container.name": "app", "k8s.node.name": "node-2",
	} {
		r.Attributes().PutStr(name, value)
	}
}

// logRecord returns logs of one record and that record.
func logRecord(at time.Time, body string) (plog.Logs, plog.LogRecord) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	collected(resource.Resource())
	r := resource.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetTimestamp(pcommon.NewTimestampFromTime(at))
	r.Body().SetStr(body)
	return logs, r
}

func (c *collector) checkLogs(ctx context.Context, x *account) error {
	at := time.Now()
	logs, r := logRecord(at, "")
	r.SetSeverityNumber(plog.SeverityNumberWarn)
	r.SetSeverityText("Warning")
	r.Attributes().PutStr("log.file.path", "/var/log/pods/x.log")
	r.Body().SetEmptyMap().PutStr("message", "disk is filling")
	r.SetTraceID(pcommon.TraceID(someTrace))
	r.SetSpanID(pcommon.SpanID(someSpan))
	if err := c.sendLogs(ctx, x, nil, logs); err != nil {
		return err
	}
	return x.wantLines(ctx, `{service_name="cart"} | log_file_path != ""`, []line{{at.UnixNano(), `{"message":"disk is filling"}`, map[string]string{
		"service_name": "cart", "namespace": "shop-prod", "pod": "cart-0", "container": "app", "workload": "cart", "node": "node-2", "cluster": clusterName,
		"detected_level": "warn", "log_file_path": "/var/log/pods/x.log", "trace_id": someTrace.String(), "span_id": someSpan.String(),
	}}})
}

func (c *collector) checkEncodings(ctx context.Context, x *account) error {
	at := time.Now()
	var want []line
	for _, encoding := range []string{"proto", "json"} {
		for _, compression := range []string{"gzip", "zstd", "snappy", "deflate", "none"} {
			at = at.Add(time.Microsecond)
			body := "sent as " + encoding + " with " + compression
			logs, _ := logRecord(at, body)
			if err := c.sendLogs(ctx, x, map[string]any{"encoding": encoding, "compression": compression}, logs); err != nil {
				return fmt.Errorf("%s: %w", body, err)
			}
			want = append(want, line{at.UnixNano(), body, nil})
		}
	}
	return x.wantLines(ctx, `{service_name="cart"} |= "sent as "`, want)
}

func (c *collector) checkRefusal(ctx context.Context, x *account) error {
	stranger := *x
	stranger.Ingest = "smk_ingest_none"
	logs, _ := logRecord(time.Now(), "from a stranger")
	err := c.sendLogs(ctx, &stranger, nil, logs)
	if err == nil {
		return errors.New("the exporter saw no error")
	}
	return wantText(err.Error(), "Permanent error", "Unauthenticated")
}

// checkTotals sends one metric of each kind, whose names begin with a prefix.
func (c *collector) checkTotals(ctx context.Context, x *account, prefix string, more map[string]any) error {
	if err := c.sendMetrics(ctx, x, more, totals(prefix, time.Now())); err != nil {
		return err
	}
	const labels = `instance="cart-0",job="cart"`
	return x.wantValues(ctx, `max by (__name__, le, quantile, kind, job, instance) ({__name__=~"`+prefix+`_.+", __name__!~".*spread.*"})`, series{
		prefix + `_requests_total{` + labels + `,kind="read"}`:       42,
		prefix + `_memory_bytes{` + labels + `}`:                     1 << 30,
		prefix + `_latency_seconds_bucket{` + labels + `,le="0.1"}`:  2,
		prefix + `_latency_seconds_bucket{` + labels + `,le="0.5"}`:  3,
		prefix + `_latency_seconds_bucket{` + labels + `,le="+Inf"}`: 4,
		prefix + `_latency_seconds_sum{` + labels + `}`:              2.45,
		prefix + `_latency_seconds_count{` + labels + `}`:            4,
		prefix + `_wait_seconds{` + labels + `,quantile="0.99"}`:     0.25,
		prefix + `_wait_seconds_sum{` + labels + `}`:                 7.5,
		prefix + `_wait_seconds_count{` + labels + `}`:               30,
	})
}

// checkSpread sends the same and reads the exponential histogram.
func (c *collector) checkSpread(ctx context.Context, x *account, prefix string, more map[string]any) error {
	if err := c.sendMetrics(ctx, x, more, totals(prefix, time.Now())); err != nil {
		return err
	}
	return x.wantHistogram(ctx, prefix+"_spread_seconds", nativeHistogram{Count: 6, Sum: 15})
}

// totals returns one metric of each kind with one data point.
func totals(prefix string, at time.Time) pmetric.Metrics {
	metrics := pmetric.NewMetrics()
	resource := metrics.ResourceMetrics().AppendEmpty()
	collected(resource.Resource())
	list := resource.ScopeMetrics().AppendEmpty().Metrics()
	begun, now := pcommon.NewTimestampFromTime(at.Add(-time.Hour)), pcommon.NewTimestampFromTime(at)
	add := func(name, unit string) pmetric.Metric {
		m := list.AppendEmpty()
		m.SetName(prefix + "." + name)
		m.SetUnit(unit)
		return m
	}
	addSum(add("requests", "1"), pmetric.AggregationTemporalityCumulative, begun, now)
	gauge := add("memory", "By").SetEmptyGauge().DataPoints().AppendEmpty()
	gauge.SetTimestamp(now)
	gauge.SetIntValue(1 << 30)
	addHistogram(add("latency", "s"), pmetric.AggregationTemporalityCumulative, begun, now)

	spread := add("spread", "s").SetEmptyExponentialHistogram()
	spread.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	e := spread.DataPoints().AppendEmpty()
	e.SetStartTimestamp(begun)
	e.SetTimestamp(now)
	e.SetCount(6)
	e.SetSum(15)
	e.SetZeroCount(1)
	e.Positive().SetOffset(0) // scale 0: (1, 2] and (2, 4]
	e.Positive().BucketCounts().FromRaw([]uint64{3, 2})

	wait := add("wait", "s").SetEmptySummary().DataPoints().AppendEmpty()
	wait.SetStartTimestamp(begun)
	wait.SetTimestamp(now)
	wait.SetCount(30)
	wait.SetSum(7.5)
	q := wait.QuantileValues().AppendEmpty()
	q.SetQuantile(0.99)
	q.SetValue(0.25)
	return metrics
}

func addSum(m pmetric.Metric, temporality pmetric.AggregationTemporality, begun, now pcommon.Timestamp) {
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(temporality)
	p := sum.DataPoints().AppendEmpty()
	p.SetStartTimestamp(begun)
	p.SetTimestamp(now)
	p.SetDoubleValue(42)
	p.Attributes().PutStr("kind", "read")
	exemplar := p.Exemplars().AppendEmpty()
	exemplar.SetTimestamp(now)
	exemplar.SetDoubleValue(1)
	exemplar.SetTraceID(pcommon.TraceID(someTrace))
}

func addHistogram(m pmetric.Metric, temporality pmetric.AggregationTemporality, begun, now pcommon.Timestamp) {
	histogram := m.SetEmptyHistogram()
	histogram.SetAggregationTemporality(temporality)
	p := histogram.DataPoints().AppendEmpty()
	p.SetStartTimestamp(begun)
	p.SetTimestamp(now)
	p.SetCount(4)
	p.SetSum(2.45)
	p.ExplicitBounds().FromRaw([]float64{0.1, 0.5})
	p.BucketCounts().FromRaw([]uint64{2, 1, 1})
}

func (c *collector) checkDeltas(ctx context.Context, x *account) error {
	metrics, at := pmetric.NewMetrics(), time.Now()
	resource := metrics.ResourceMetrics().AppendEmpty()
	collected(resource.Resource())
	list := resource.ScopeMetrics().AppendEmpty().Metrics()
	for i := range 2 {
		begun := pcommon.NewTimestampFromTime(at.Add(time.Duration(i-2) * time.Second))
		now := pcommon.NewTimestampFromTime(at.Add(time.Duration(i-1) * time.Second))
		sum, histogram := list.AppendEmpty(), list.AppendEmpty()
		sum.SetName("delta.requests")
		histogram.SetName("delta.latency")
		addSum(sum, pmetric.AggregationTemporalityDelta, begun, now)
		addHistogram(histogram, pmetric.AggregationTemporalityDelta, begun, now)
	}
	if err := c.sendMetrics(ctx, x, nil, metrics); err != nil {
		return err
	}
	return errors.Join(
		x.wantValues(ctx, `sum by (__temporality__) (sum_over_time(delta_requests_total[5m]))`, series{`{__temporality__="delta"}`: 84}),
		x.wantValues(ctx, `sum by (__temporality__) (sum_over_time(delta_latency_sum[5m]))`, series{`{__temporality__="delta"}`: 4.9}),
		x.wantValues(ctx, `sum by (__temporality__, le) (sum_over_time(delta_latency_bucket[5m]))`, series{
			`{__temporality__="delta",le="0.1"}`: 4, `{__temporality__="delta",le="0.5"}`: 6, `{__temporality__="delta",le="+Inf"}`: 8,
		}),
	)
}

func (c *collector) checkTraces(ctx context.Context, x *account) error {
	config, err := c.decoded(x, nil)
	if err != nil {
		return err
	}
	e, err := c.factory.CreateTraces(ctx, exportertest.NewNopSettings(c.factory.Type()), config)
	if err != nil {
		return err
	}
	traces := ptrace.NewTraces()
	resource := traces.ResourceSpans().AppendEmpty()
	collected(resource.Resource())
	span := resource.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID(someTrace))
	span.SetSpanID(pcommon.SpanID(someSpan))
	span.SetName("GET /cart")
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Second)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	return x.wantStored(ctx, "traces", 1, func() error {
		return run(ctx, e, func() error { return e.ConsumeTraces(ctx, traces) })
	})
}
