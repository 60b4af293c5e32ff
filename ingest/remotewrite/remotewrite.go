// Package remotewrite turns the inflated body of a Prometheus remote write request, 1.0 (prometheus.WriteRequest) or 2.0
// (io.prometheus.write.v2.Request), into a seamark.Batch and does nothing else. It decodes the wire format itself: a
// series that the catalogue knows costs one hash over its labels and one look-up. Package ingest imports it.
package remotewrite

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options bounds what the decoder takes from one row. The zero value of a field means its default.
type Options struct {
	// MaxBuckets bounds the buckets, spans and custom bounds of one native histogram, each for itself; the default is
	// 1024. Without it one histogram fills a block, and each query that reads its series expands it again.
	MaxBuckets int
	// MaxExemplarBytes bounds the names and values of one exemplar's labels together; the default is 1024. OpenMetrics
	// wants 128 characters, which agents that convert from OTLP exceed. Without it an exemplar is a log line in disguise.
	MaxExemplarBytes int
	// PredictedSeries is how many series the decoder remembers in the order in which they came, of all clusters
	// together; each takes about 30 bytes, and is kept from the collector. What comes in the same order again is found
	// without asking the catalogue, which therefore must not learn from Find which series are alive. Catalogues must be
	// comparable then, as pointers are. 0 means that the catalogue is always asked.
	PredictedSeries int
}

// validate fills in the defaults.
func (o *Options) validate() error {
	if o.MaxBuckets < 0 || o.MaxExemplarBytes < 0 || o.PredictedSeries < 0 {
		return fmt.Errorf("remote write options must not be negative: %+v", *o)
	}
	if o.MaxBuckets == 0 {
		o.MaxBuckets = 1024
	}
	if o.MaxExemplarBytes == 0 {
		o.MaxExemplarBytes = 1024
	}
	return nil
}

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	opts    Options
	trails  *trails   // nil when nothing is to be predicted
	scratch sync.Pool // *state
}

// New makes a Decoder with the default limits.
func New() *Decoder {
	d, _ := NewWith(Options{}) // the defaults are valid
	return d
}

// NewWith makes a Decoder. It fails when a limit is negative.
func NewWith(o Options) (*Decoder, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	d := &Decoder{opts: o, scratch: sync.Pool{New: func() any { return new(state) }}}
	if o.PredictedSeries > 0 {
		d.trails = &trails{most: o.PredictedSeries, landmarks: map[landmark]place{}}
	}
	return d, nil
}

// state is what one call of Decode works with.
type state struct {
	request
	scratch
}

// request is the part of a state that belongs to one request.
type request struct {
	opts   *Options
	schema schema
	body   []byte
	cat    seamark.Catalog
	batch  *seamark.Batch
	trails *trails
	walk
	// data holds what rows refer to and what does not stand in the body as they need it; it lives as long as the batch.
	data  strings.Builder
	pairs []seamark.Label
}

// scratch is the part of a state that is kept for the next request.
type scratch struct {
	labels    []seamark.Label
	joined    []byte // the label fields of a series that does not hold them side by side
	histogram histogram
	trail     []entry // the series of the request, when they are to be remembered

	// Of 2.0 alone.
	symbols  []string
	hashes   []uint64 // of the symbols
	zeros    []zero
	families map[family]struct{} // what the request has told about families so far
	told     family              // the last of them, under its metric's name
}

// schema says which message a body is to be.
type schema struct {
	v2            bool
	message, cure string // for errors
}

// Decode appends the samples, native histograms, exemplars and metadata of body, a prometheus.WriteRequest, to b.
//
// Strings in b alias body, so body must stay unchanged as long as b is used. Series that cat refuses, histograms that
// contradict themselves and exemplars with labels that cannot be stored are counted in b.Rejected while their neighbours
// are kept. The label __replica__, which tells the senders of a highly available pair apart, is not stored: see
// PeekReplica. The error is a *seamark.Error: Invalid seamark-body-protobuf when body is not a WriteRequest, after which
// b holds a part of the request and must not be used.
func (d *Decoder) Decode(body []byte, cat seamark.Catalog, b *seamark.Batch) error {
	s := d.get(body, cat, b)
	s.schema = schema{false, "prometheus.WriteRequest", "Send snappy-compressed remote write 1.0."}
	err := s.writeRequest()
	d.put(s)
	return err
}

// DecodeV2 is Decode for an io.prometheus.write.v2.Request. Series whose label references are odd in number or lie
// outside the symbols are refused like those that cat refuses. Metadata, which stands with each series, is appended once
// per family and request. See zeroWindowMilli for the zero samples that start timestamps lead to.
func (d *Decoder) DecodeV2(body []byte, cat seamark.Catalog, b *seamark.Batch) (Written, error) {
	s := d.get(body, cat, b)
	s.schema = schema{true, "io.prometheus.write.v2.Request", "Send snappy-compressed remote write 2.0, or the Content-Type of the message that is sent."}
	err := s.requestV2()
	w := s.appendZeros()
	d.put(s)
	return w, err
}

func (d *Decoder) get(body []byte, cat seamark.Catalog, b *seamark.Batch) *state {
	s, _ := d.scratch.Get().(*state)
	s.request = request{opts: &d.opts, body: body, cat: cat, batch: b, trails: d.trails}
	return s
}

// Scratch of more entries is left to the collector: one large request must not hold its memory for ever.
const maxKeptSymbols, maxKeptEntries = 64 << 10, 4 << 10

func (d *Decoder) put(s *state) {
	if d.trails != nil {
		d.trails.remember(s.cat, s.trail, s.misses)
		clear(s.trail)
		s.trail = kept(s.trail, maxKeptSymbols)
	}
	s.request = request{}
	clear(s.labels[:cap(s.labels)]) // it was used from its beginning again and again
	clear(s.symbols)
	s.labels = kept(s.labels, maxKeptEntries)
	s.joined = kept(s.joined, maxKeptSymbols)
	s.symbols, s.hashes = kept(s.symbols, maxKeptSymbols), kept(s.hashes, maxKeptSymbols)
	s.zeros = kept(s.zeros, maxKeptEntries)
	s.histogram.trim()
	if len(s.families) > maxKeptEntries {
		s.families = nil
	}
	clear(s.families)
	s.told = family{}
	d.scratch.Put(s)
}

// kept empties a slice and keeps its memory when that is not too much.
func kept[T any](list []T, most int) []T {
	if cap(list) > most {
		return nil
	}
	return list[:0]
}

// rowFault is why one row cannot be stored.
type rowFault struct {
	id, format string
	args       []any
}

// bad makes a rowFault whose sentence for the sender is formatted from format and args when it is wanted.
func bad(id, format string, args ...any) *rowFault { return &rowFault{id, format, args} }

// refuse counts a row as rejected. The sentence is made once per reason, because a body may hold a million bad rows.
func (s *state) refuse(f *rowFault) {
	sentence := ""
	if !slices.ContainsFunc(s.batch.Rejected.Reasons, func(r seamark.Rejection) bool { return r.Reason == f.id }) {
		sentence = fmt.Sprintf(f.format, f.args...)
	}
	s.batch.Rejected.Add(seamark.Metrics, 1, f.id, sentence)
}

// refuseSeries counts the n rows of a series that cannot be stored for err. What is not the series' own fault, as a
// malformed body or memory that was not granted, stays an error.
func (s *state) refuseSeries(n int, err error) error {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.ID == malformedID || e.Kind != seamark.Invalid {
		return err
	}
	s.batch.Rejected.Add(seamark.Metrics, n, e.ID, e.Message)
	return nil
}

const malformedID = "seamark-body-protobuf"

var errWireType = errors.New("the field has another wire type than its definition")

// malformed is the error of a body that is not what it should be. at is the rest of a message from the offending field on.
func (s *state) malformed(at []byte, message string, cause error) error {
	where := ""
	// Slices of the body end where its capacity ends, which gives the offset without counting on the hot path. Label
	// fields that were brought together lie outside the body.
	if offset := cap(s.body) - cap(at); offset >= 0 && offset < len(s.body) && len(at) > 0 && &s.body[offset] == &at[0] {
		where = fmt.Sprintf(" at byte %d of %d", offset, len(s.body))
	}
	return seamark.Wrap(cause, seamark.Invalid, malformedID,
		"The body is not a valid %s: %s is malformed%s. %s", s.schema.message, message, where, s.schema.cure)
}
