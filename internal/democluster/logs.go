package democluster

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/loki/pkg/push"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"
)

// output is one of a container's two outputs.
type output string

const (
	stdout output = "stdout"
	stderr output = "stderr"
)

// level is a severity, as services spell it.
type level string

const (
	levelDebug level = "debug"
	levelInfo  level = "info"
	levelWarn  level = "warn"
	levelError level = "error"
)

// logStream is what a node's agent keeps of one output of a container.
type logStream struct {
	labels  string
	entries []push.Entry
}

// podLogs is where a pod's lines go: two streams through the node's agent, or the SDK.
type podLogs struct {
	streams map[output]*logStream
	sdk     log.Logger
}

// line writes a line that the node's agent reads.
func (w *world) line(p *pod, out output, at time.Time, text string, metadata ...push.LabelAdapter) {
	s := p.logs.streams[out]
	if s == nil {
		if p.logs.streams == nil {
			p.logs.streams = make(map[output]*logStream)
		}
		s = &logStream{labels: w.streamLabels(p, out)}
		p.logs.streams[out] = s
	}
	if len(s.entries) == 0 {
		w.touched = append(w.touched, s)
	}
	s.entries = append(s.entries, push.Entry{Timestamp: at, Line: text, StructuredMetadata: metadata})
}

// streamLabels are the labels that Promtail's and Alloy's usual configuration for Kubernetes gives.
func (w *world) streamLabels(p *pod, out output) string {
	l := p.workload
	var b strings.Builder
	b.WriteString("{app=" + strconv.Quote(l.name))
	add := func(name, value string) {
		if value != "" {
			b.WriteString(", " + name + "=" + strconv.Quote(value))
		}
	}
	add("cluster", w.cluster)
	add("container", l.container)
	add("job", l.namespace+"/"+l.name)
	add("namespace", l.namespace)
	add("node", p.node.name)
	add("pod", p.name)
	add("stream", string(out))
	return b.String() + "}"
}

// takeStreams returns the lines since it was called last, in order of time within each stream.
func (w *world) takeStreams() []push.Stream {
	streams := make([]push.Stream, 0, len(w.touched))
	for _, s := range w.touched {
		slices.SortStableFunc(s.entries, func(a, b push.Entry) int { return a.Timestamp.Compare(b.Timestamp) })
		streams = append(streams, push.Stream{Labels: s.labels, Entries: s.entries})
		s.entries = nil
	}
	w.touched = nil
	return streams
}

// logRecord is what a service tells its logger.
type logRecord struct {
	at    time.Time
	level level
	body  string
	trace trace.TraceID
}

// record writes a record by OpenTelemetry's SDK.
func (w *world) record(p *pod, l logRecord, attrs ...attribute.KeyValue) {
	if p.logs.sdk == nil {
		provider := sdklog.NewLoggerProvider(sdklog.WithResource(podResource(w, p)), sdklog.WithProcessor(recordSink{w}))
		p.logs.sdk = provider.Logger("go.opentelemetry.io/contrib/bridges/otelslog")
	}
	var r log.Record
	r.SetTimestamp(l.at)
	r.SetObservedTimestamp(l.at)
	r.SetSeverityText(strings.ToUpper(string(l.level)))
	switch l.level {
	case levelDebug:
		r.SetSeverity(log.SeverityDebug)
	case levelInfo:
		r.SetSeverity(log.SeverityInfo)
	case levelWarn:
		r.SetSeverity(log.SeverityWarn)
	case levelError:
		r.SetSeverity(log.SeverityError)
	}
	r.SetBody(attribute.StringValue(l.body))
	r.AddAttributes(attrs...)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: l.trace, SpanID: w.spanID(), TraceFlags: trace.FlagsSampled})
	p.logs.sdk.Emit(trace.ContextWithSpanContext(context.Background(), span), r)
}
