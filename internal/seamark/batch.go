package seamark

import (
	"slices"
	"time"
)

// Batch is what one request carries, as columns. A decoder appends to it; ingest checks, encodes and publishes it.
//
// Strings in a batch may alias the request's inflated body: they are valid until the handler returns, and whoever keeps
// one longer copies it.
type Batch struct {
	Logs       LogRows
	Samples    SampleRows
	Histograms HistogramRows
	Exemplars  []Exemplar
	Metadata   []MetricMetadata
	Events     []Event
	Spans      []Span
	Drops      []Drop
	Rejected   Rejections
	Source     Source
	// Prepared says that limits and pipelines were applied, so that pushing the batch again after a failure does not apply them
	// twice. Ingest sets it.
	Prepared bool

	// Claim, when set, is asked for memory before rows take it, and its error ends the request. A row can be much larger
	// here than in the body: without it a body of a few MiB takes gigabytes.
	Claim   Claimer
	claimed int // bytes that were granted and not used
}

// Source is what is known of the request that a batch came in, for quotas and the drop ledger. Whoever pushes the batch sets it.
type Source struct {
	Protocol  string // loki, otlp, syslog, ...
	BodyBytes int    // of the inflated body; 0 lets the rows' own size stand for it
	WireBytes int    // of the body as it was sent; 0 lets BodyBytes stand for it
	// Status is what the protocol answers when it refuses a part of a request, as HTTP's; 0 when it has no answer.
	Status int
	// Named says that the request's id alone names its rows: their times are those of the attempt, so that a repeat has others.
	Named bool
}

// Claimer grants memory.
type Claimer interface {
	// Claim asks for memory that is given back when the request ends.
	Claim(bytes int64) error
}

// Bytes that one row, label or metadata entry takes in a batch, with what its columns grow by and what encoding it takes.
const (
	LogRowBytes   = 192
	SampleBytes   = 72
	LabelBytes    = 64
	MetadataBytes = 160
	EventBytes    = 640
	SeriesBytes   = 32
	ExemplarBytes = 192
	SpanBytes     = 512
)

// claimStep is what is asked for at once, so that an honest request asks a few times.
const claimStep = 64 << 10

// Reserve asks for room for so many bytes of rows. Decoders call it before they append.
func (b *Batch) Reserve(bytes int) error {
	if b.claimed -= bytes; b.claimed >= 0 || b.Claim == nil {
		return nil
	}
	ask := max(claimStep, -b.claimed)
	b.claimed += ask
	return b.Claim.Claim(int64(ask))
}

// Reset empties b and keeps its memory for the next request.
func (b *Batch) Reset() {
	b.Logs.reset()
	b.Samples.reset()
	b.Histograms.reset()
	b.Exemplars = emptied(b.Exemplars)
	b.Metadata = emptied(b.Metadata)
	b.Events = emptied(b.Events)
	b.Spans = emptied(b.Spans)
	b.Drops = emptied(b.Drops)
	b.Rejected, b.Source, b.Prepared = Rejections{LogRows: b.Rejected.LogRows[:0]}, Source{}, false
	b.Claim, b.claimed = nil, 0
}

// emptied keeps a slice's memory and lets go of what it refers to.
func emptied[T any](list []T) []T {
	clear(list)
	return list[:0]
}

// Rows counts the rows of all signals. Exemplars and metadata go with rows and are not counted.
func (b *Batch) Rows() int {
	return b.Logs.Len() + b.Samples.Len() + b.Histograms.Len() + len(b.Events) + len(b.Spans)
}

// DataBytes is about what the rows weigh: their text, and sixteen bytes for a sample.
func (b *Batch) DataBytes() int {
	const sampleBytes, eventBytes, spanBytes = 16, 128, 128
	n := b.Samples.Len()*sampleBytes + len(b.Exemplars)*sampleBytes
	for _, body := range b.Logs.Body {
		n += len(body)
	}
	for i := range b.Logs.Attrs {
		n += len(b.Logs.Attrs[i].Name) + len(b.Logs.Attrs[i].Value)
	}
	for _, data := range b.Histograms.Data {
		n += len(data)
	}
	for i := range b.Events {
		n += eventBytes + len(b.Events[i].Message)
	}
	for i := range b.Spans {
		n += spanBytes
		for _, a := range b.Spans[i].Attrs {
			n += len(a.Name) + len(a.Value)
		}
	}
	return n
}

// LogRows holds log lines, one column per field; all row columns have the same length.
type LogRows struct {
	Streams  []*Series // the distinct streams of the batch, in order of appearance
	Stream   []uint32  // per row: index into Streams
	TimeNano []int64   // per row: nanoseconds since 1970, UTC
	Level    []Level
	TraceID  [][16]byte
	SpanID   [][8]byte
	Body     []string
	Attrs    []Label  // all rows' structured metadata, row after row
	AttrEnd  []uint32 // per row: end of its attributes in Attrs
	// Patterns holds per row its template, nil for a row without one. It is empty where no templates are mined; ingest sets it last.
	Patterns []*LogPattern
}

// LogRow is one line, the argument of Append.
type LogRow struct {
	Stream   uint32
	TimeNano int64
	Level    Level
	TraceID  [16]byte
	SpanID   [8]byte
	Body     string
	Attrs    []Label
}

// Len returns the number of rows.
func (l *LogRows) Len() int { return len(l.TimeNano) }

// AddStream appends s to the batch's streams and returns its index.
func (l *LogRows) AddStream(s *Series) uint32 {
	l.Streams = append(l.Streams, s)
	return uint32(len(l.Streams) - 1)
}

// Append adds one row; the row's attributes are copied.
func (l *LogRows) Append(r *LogRow) {
	l.Stream = append(l.Stream, r.Stream)
	l.TimeNano = append(l.TimeNano, r.TimeNano)
	l.Level = append(l.Level, r.Level)
	l.TraceID = append(l.TraceID, r.TraceID)
	l.SpanID = append(l.SpanID, r.SpanID)
	l.Body = append(l.Body, r.Body)
	l.Attrs = append(l.Attrs, r.Attrs...)
	l.AttrEnd = append(l.AttrEnd, uint32(len(l.Attrs)))
}

// AttrsOf returns the structured metadata of row i.
func (l *LogRows) AttrsOf(i int) []Label {
	start := uint32(0)
	if i > 0 {
		start = l.AttrEnd[i-1]
	}
	return l.Attrs[start:l.AttrEnd[i]]
}

func (l *LogRows) reset() {
	clear(l.Streams)
	clear(l.Body)
	clear(l.Attrs)
	clear(l.Patterns)
	*l = LogRows{
		Streams: l.Streams[:0], Stream: l.Stream[:0], TimeNano: l.TimeNano[:0], Level: l.Level[:0], TraceID: l.TraceID[:0],
		SpanID: l.SpanID[:0], Body: l.Body[:0], Attrs: l.Attrs[:0], AttrEnd: l.AttrEnd[:0], Patterns: l.Patterns[:0],
	}
}

// SampleRows holds metric samples; all row columns have the same length.
type SampleRows struct {
	Series    []*Series // the series of the batch, in order of appearance; the same series may stand twice
	SeriesRef []uint32  // per row: index into Series
	TimeMilli []int64   // per row: milliseconds since 1970, UTC
	Value     []float64 // stale markers keep their exact bits
}

// Len returns the number of rows.
func (s *SampleRows) Len() int { return len(s.TimeMilli) }

// AddSeries appends one series and returns its index.
func (s *SampleRows) AddSeries(series *Series) uint32 {
	s.Series = append(s.Series, series)
	return uint32(len(s.Series) - 1)
}

// Append adds one sample of the series with the given index.
func (s *SampleRows) Append(series uint32, timeMilli int64, value float64) {
	s.SeriesRef = append(s.SeriesRef, series)
	s.TimeMilli = append(s.TimeMilli, timeMilli)
	s.Value = append(s.Value, value)
}

func (s *SampleRows) reset() {
	clear(s.Series)
	*s = SampleRows{Series: s.Series[:0], SeriesRef: s.SeriesRef[:0], TimeMilli: s.TimeMilli[:0], Value: s.Value[:0]}
}

// HistogramRows holds native histogram samples, one column per field; all row columns have the same length.
type HistogramRows struct {
	SeriesRef []uint32 // per row: index into the batch's Samples.Series
	TimeMilli []int64  // per row: milliseconds since 1970, UTC
	Count     []float64
	Sum       []float64 // a stale marker keeps its exact bits
	// Data is the histogram as the protobuf message prometheus.Histogram of remote write 1.0 (integer and float, exponential
	// and custom buckets alike), without its timestamp.
	Data []string
}

// HistogramRow is one native histogram, the argument of Append.
type HistogramRow struct {
	Series     uint32
	TimeMilli  int64
	Count, Sum float64
	Data       string
}

// Len returns the number of rows.
func (h *HistogramRows) Len() int { return len(h.TimeMilli) }

// Append adds one row.
func (h *HistogramRows) Append(r *HistogramRow) {
	h.SeriesRef = append(h.SeriesRef, r.Series)
	h.TimeMilli = append(h.TimeMilli, r.TimeMilli)
	h.Count = append(h.Count, r.Count)
	h.Sum = append(h.Sum, r.Sum)
	h.Data = append(h.Data, r.Data)
}

// Select keeps the rows with the given numbers, which rise, and drops the others.
func (h *HistogramRows) Select(rows []int) {
	for to, from := range rows {
		h.SeriesRef[to], h.TimeMilli[to], h.Count[to], h.Sum[to], h.Data[to] = h.SeriesRef[from], h.TimeMilli[from], h.Count[from], h.Sum[from], h.Data[from]
	}
	n := len(rows)
	clear(h.Data[n:])
	h.SeriesRef, h.TimeMilli, h.Count, h.Sum, h.Data = h.SeriesRef[:n], h.TimeMilli[:n], h.Count[:n], h.Sum[:n], h.Data[:n]
}

func (h *HistogramRows) reset() { h.Select(nil) }

// Exemplar is a sample with a trace behind it.
type Exemplar struct {
	Series    uint32 // index into the batch's Samples.Series
	TimeMilli int64  // milliseconds since 1970, UTC
	Value     float64
	TraceID   [16]byte // zero when its labels have none
	Labels    []Label  // without the trace id when TraceID holds it
}

// Span is one span of a trace (opentelemetry-proto trace/v1). Attribute values are text, as in log rows.
type Span struct {
	TraceID       [16]byte
	SpanID        [8]byte
	ParentID      [8]byte // zero for a root
	TimeNano      int64   // start, nanoseconds since 1970, UTC
	DurationNano  uint64
	Name          string
	Service       string // service.name, unknown_service when the sender set none
	Kind          string // internal, server, client, producer, consumer or unspecified
	Status        string // unset, ok or error
	StatusMessage string
	TraceState    string
	Scope         string  // instrumentation scope
	Resource      []Label // with the cluster; may be shared by spans
	Attrs         []Label
	Events        string // JSON array of {"time_unix_nano","name","attributes"}, "" when there is none
	Links         string // JSON array of {"trace_id","span_id","attributes"}, "" when there is none
}

// Drop is one line of the drop ledger: what was refused for one reason in one span of time.
type Drop struct {
	Time     time.Time // when the span of time began
	Cluster  string
	Token    string // key id of the credential, never the secret
	Protocol string
	Signal   Signal
	Reason   string // stable id, e.g. seamark-label-name
	Status   uint16 // HTTP status that the sender saw
	Requests uint64
	Rows     uint64
	Bytes    uint64
	Detail   string // a sentence that names the first offender and the limit
	Sample   string // redacted start of the first offender, "" when there is none to show
}

// MetricMetadata describes a metric family, in Prometheus' words.
type MetricMetadata struct {
	Metric string // family name
	Type   string // counter, gauge, histogram, summary, ... or unknown
	Help   string
	Unit   string
}

// Event is a Kubernetes event in the one shape all protocols are brought to. Events are few, so they are rows.
type Event struct {
	Cluster   string // filled by ingest from the token where the sender named none
	UID       string // metadata.uid; ingest derives one from the other fields where the sender has none
	Namespace string // the involved object's; "" for objects of the whole cluster
	Kind      string // involvedObject.kind
	Object    string // involvedObject.name
	Type      string // Normal or Warning
	Reason    string
	Message   string
	Source    string // component that reported it
	Node      string // host that reported it, if told
	Count     uint32 // how often it happened so far; at least 1
	First     time.Time
	Last      time.Time
	Version   string // resourceVersion, "" when unknown
}

// Rejections counts the rows of a request that were refused while their neighbours were kept.
type Rejections struct {
	Logs, Samples, Events, Spans int
	Reasons                      []Rejection
	// LogRows names refused log rows by their number in the batch as it was decoded, for protocols that answer row by row.
	// It is filled while Track is set.
	Track   bool
	LogRows []RejectedRow
}

// RejectedRow is one refused log row: its number, and the index of its reason in Reasons.
type RejectedRow struct{ Row, Reason int }

// Rejection is one reason with its count and the first row it happened to.
type Rejection struct {
	Reason string // stable id, e.g. seamark-label-name
	Detail string // a sentence for the sender, naming the first offender and the limit
	Count  int
}

// Add counts n refused rows of a signal under reason; detail is kept from the first.
func (r *Rejections) Add(signal Signal, n int, reason, detail string) {
	switch signal {
	case Logs:
		r.Logs += n
	case Metrics:
		r.Samples += n
	case Events:
		r.Events += n
	case Traces:
		r.Spans += n
	}
	for i := range r.Reasons {
		if r.Reasons[i].Reason == reason {
			r.Reasons[i].Count += n
			return
		}
	}
	r.Reasons = append(r.Reasons, Rejection{Reason: reason, Detail: detail, Count: n})
}

// AddLog counts the refused log row with the given number in the batch, and notes the number while Track is set.
func (r *Rejections) AddLog(row int, reason, detail string) {
	r.Add(Logs, 1, reason, detail)
	if !r.Track {
		return
	}
	at := slices.IndexFunc(r.Reasons, func(have Rejection) bool { return have.Reason == reason })
	r.LogRows = append(r.LogRows, RejectedRow{Row: row, Reason: at})
}

// Rows counts the refused rows of all signals.
func (r *Rejections) Rows() int { return r.Logs + r.Samples + r.Events + r.Spans }

// Select keeps the rows with the given numbers, which rise, and drops the others.
func (l *LogRows) Select(rows []int) {
	old := *l
	*l = LogRows{Streams: old.Streams}
	for _, i := range rows {
		l.Append(&LogRow{
			Stream: old.Stream[i], TimeNano: old.TimeNano[i], Level: old.Level[i], TraceID: old.TraceID[i], SpanID: old.SpanID[i],
			Body: old.Body[i], Attrs: old.AttrsOf(i),
		})
	}
}

// Select keeps the rows with the given numbers, which rise, and drops the others.
func (s *SampleRows) Select(rows []int) {
	for to, from := range rows {
		s.SeriesRef[to], s.TimeMilli[to], s.Value[to] = s.SeriesRef[from], s.TimeMilli[from], s.Value[from]
	}
	n := len(rows)
	s.SeriesRef, s.TimeMilli, s.Value = s.SeriesRef[:n], s.TimeMilli[:n], s.Value[:n]
}
