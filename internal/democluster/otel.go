package democluster

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// scopeName is the instrumentation library that the services would use.
const scopeName = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

// podResource describes a pod in OpenTelemetry's semantic conventions.
func podResource(w *world, p *pod) *resource.Resource {
	l := p.workload
	attrs := []attribute.KeyValue{
		attr("service.name", l.name), attr("service.namespace", l.namespace), attr("service.instance.id", p.uid), attr("service.version", l.image[len(l.image)-5:]),
		attr("k8s.namespace.name", l.namespace), attr("k8s.pod.name", p.name), attr("k8s.pod.uid", p.uid), attr("k8s.container.name", l.container),
		attr("k8s.deployment.name", l.name), attr("k8s.node.name", p.node.name), attr("telemetry.sdk.language", "go"), attr("telemetry.sdk.name", "opentelemetry"),
	}
	if w.cluster != "" {
		attrs = append(attrs, attr("k8s.cluster.name", w.cluster))
	}
	return resource.NewSchemaless(attrs...)
}

// recordSink collects the records of all pods, as they come out of the SDK. It implements sdklog.Processor.
type recordSink struct{ world *world }

// Enabled implements sdklog.Processor.
func (recordSink) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit implements sdklog.Processor.
func (s recordSink) OnEmit(_ context.Context, r *sdklog.Record) error {
	s.world.records = append(s.world.records, r.Clone())
	return nil
}

// Shutdown implements sdklog.Processor.
func (recordSink) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdklog.Processor.
func (recordSink) ForceFlush(context.Context) error { return nil }

// otelPod is the metrics of a pod that exports them by OTLP, in the SDK's own data model. The SDK's readers stamp points
// with the machine's clock, which cannot tell a history; so the points are made here and go out by the SDK's exporter.
type otelPod struct {
	pod      *pod
	resource *resource.Resource
	started  time.Time
	requests []*metricdata.HistogramDataPoint[float64] // by route and status
	scraped  []metricdata.HistogramDataPoint[float64]
	orders   []metricdata.DataPoint[int64]
	placed   int64
}

func newOTelPod(w *world, p *pod) *otelPod {
	return &otelPod{pod: p, resource: podResource(w, p), started: w.at}
}

func (o *otelPod) reset(at time.Time) { o.started, o.requests, o.placed = at, nil, 0 }

func (o *otelPod) observe(h *hit) {
	set := attribute.NewSet(attr("http.request.method", h.handler.method), attr("http.route", h.handler.path), attr("http.response.status_code", h.code), attr("url.scheme", "http"))
	i := slices.IndexFunc(o.requests, func(p *metricdata.HistogramDataPoint[float64]) bool { return p.Attributes.Equals(&set) })
	if i < 0 {
		bounds := durationBounds()
		o.requests = append(o.requests, &metricdata.HistogramDataPoint[float64]{Attributes: set, Bounds: bounds, BucketCounts: make([]uint64, len(bounds)+1)})
		i = len(o.requests) - 1
	}
	p, seconds := o.requests[i], h.latency.Seconds()
	bucket, _ := slices.BinarySearch(p.Bounds, seconds)
	p.BucketCounts[bucket]++
	p.Count++
	p.Sum += seconds
	if h.code < 400 {
		o.placed++
	}
}

// scrape keeps the present values as points of the given time.
func (o *otelPod) scrape(at time.Time) {
	for _, p := range o.requests {
		point := *p
		point.StartTime, point.Time, point.BucketCounts = o.started, at, slices.Clone(p.BucketCounts)
		o.scraped = append(o.scraped, point)
	}
	o.orders = append(o.orders, metricdata.DataPoint[int64]{Attributes: attribute.NewSet(attr("currency", "EUR")), StartTime: o.started, Time: at, Value: o.placed})
}

// take returns the points since it was called last.
func (o *otelPod) take() resourcePoints {
	n := len(o.scraped) + len(o.orders)
	rm := &metricdata.ResourceMetrics{Resource: o.resource, ScopeMetrics: []metricdata.ScopeMetrics{{
		Scope: instrumentation.Scope{Name: scopeName, Version: "0.71.0"},
		Metrics: []metricdata.Metrics{
			{Name: "http.server.request.duration", Unit: "s", Description: "Duration of HTTP server requests.",
				Data: metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: o.scraped}},
			{Name: "shop.orders.placed", Unit: "{order}", Description: "Orders that were paid.",
				Data: metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: o.orders}},
		},
	}}}
	o.scraped, o.orders = nil, nil
	return resourcePoints{points: n, metrics: rm}
}

// hitAttrs are a request's attributes.
func hitAttrs(h *hit) []attribute.KeyValue {
	return []attribute.KeyValue{
		attr("http.request.method", h.handler.method), attr("http.route", h.handler.path), attr("http.response.status_code", h.code),
		attr("duration_ms", int(h.latency.Milliseconds())),
	}
}
