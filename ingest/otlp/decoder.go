package otlp

import (
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Decoder decodes export requests of all signals. It keeps scratch memory between them and is safe for concurrent use;
// make one with New.
type Decoder struct {
	logs    sync.Pool // *logsDecoder
	metrics sync.Pool // *metricsDecoder
	traces  sync.Pool // *tracesDecoder
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{
		logs:    sync.Pool{New: func() any { return newLogsDecoder() }},
		metrics: sync.Pool{New: func() any { return newMetricsDecoder() }},
		traces:  sync.Pool{New: func() any { return new(tracesDecoder) }},
	}
}

// DecodeLogs appends the log records of an ExportLogsServiceRequest to b. Records that cannot be kept are counted in
// b.Rejected. Attributes with an empty key or value are left out; where a record, its scope and its resource share a key,
// the record's value is kept, else the scope's. The error is a *seamark.Error: Invalid seamark-body-protobuf or
// seamark-body-json when the body is not such a request, TooLarge seamark-rows-limit when it is over r.Limits; b then
// holds a part of the request and must not be used.
func (d *Decoder) DecodeLogs(r *Request, b *seamark.Batch) error {
	s := d.logs.Get().(*logsDecoder)
	defer d.logs.Put(s)
	return s.decode(r, b)
}

// DecodeMetrics appends the samples, native histograms, exemplars and metadata of an ExportMetricsServiceRequest to b, one
// target_info sample per resource among them. Data points that cannot be kept are counted in b.Rejected, each once however many samples it would
// have become. The errors are those of DecodeLogs.
func (d *Decoder) DecodeMetrics(r *Request, b *seamark.Batch) error {
	s := d.metrics.Get().(*metricsDecoder)
	defer d.metrics.Put(s)
	return s.decode(r, b)
}

// DecodeTraces appends the spans of an ExportTraceServiceRequest to b. Spans that cannot be kept are counted in b.Rejected;
// so is, with a count of zero, what was left out of spans that are kept. The errors are those of DecodeLogs.
func (d *Decoder) DecodeTraces(r *Request, b *seamark.Batch) error {
	s := d.traces.Get().(*tracesDecoder)
	defer d.traces.Put(s)
	return s.decode(r, b)
}
