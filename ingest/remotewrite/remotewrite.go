// Package remotewrite turns the body of a Prometheus remote write 1.0 request (prometheus.WriteRequest, already
// inflated) into a seamark.Batch and does nothing else. It decodes the wire format itself: a series that the catalogue
// knows costs one hash over its label bytes and one look-up. Package ingest imports it.
package remotewrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// keySpace sets this protocol's catalogue keys apart from other protocols' keys of the same bytes. It was drawn at random.
const keySpace = 0x5be1c04a7d93f628

// Field numbers of prometheus' prompb/remote.proto and types.proto, as far as they are read.
const (
	requestTimeseries = 1
	requestMetadata   = 3

	seriesLabels     = 1
	seriesSamples    = 2
	seriesHistograms = 4

	labelName  = 1
	labelValue = 2

	sampleValue     = 1
	sampleTimestamp = 2

	metadataType   = 1
	metadataFamily = 2
	metadataHelp   = 4
	metadataUnit   = 5
)

// Decoder decodes requests. It keeps scratch memory between them and is safe for concurrent use; make one with New.
type Decoder struct {
	scratch sync.Pool // *state
}

// New makes a Decoder.
func New() *Decoder {
	return &Decoder{scratch: sync.Pool{New: func() any { return new(state) }}}
}

// state is what one call of Decode works with.
type state struct {
	body   []byte
	cat    seamark.Catalog
	batch  *seamark.Batch
	labels []seamark.Label
	joined []byte // the label fields of a series that does not hold them side by side
}

// Decode appends body's samples and metadata to b. Strings in b alias body, so body must stay unchanged as long as b is
// used. Series that cat refuses and native histograms are counted in b.Rejected while the rest is kept; exemplars are
// passed over. The error is a *seamark.Error: Invalid seamark-body-protobuf when body is not a WriteRequest, after which
// b holds a part of the request and must not be used.
func (d *Decoder) Decode(body []byte, cat seamark.Catalog, b *seamark.Batch) error {
	s := d.scratch.Get().(*state)
	s.body, s.cat, s.batch = body, cat, b
	err := s.request()
	clear(s.labels[:cap(s.labels)])
	*s = state{labels: s.labels[:0], joined: s.joined[:0]}
	d.scratch.Put(s)
	return err
}

func (s *state) request() error {
	var field easyproto.FieldContext
	for rest := s.body; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "WriteRequest", err)
		}
		switch field.FieldNum {
		case requestTimeseries:
			message, ok := field.MessageData()
			if !ok {
				return s.malformed(at, "WriteRequest.timeseries", errWireType)
			}
			if err := s.series(message); err != nil {
				return err
			}
		case requestMetadata:
			message, ok := field.MessageData()
			if !ok {
				return s.malformed(at, "WriteRequest.metadata", errWireType)
			}
			if err := s.metadata(message); err != nil {
				return err
			}
		}
	}
	return nil
}

// outline is where the parts of a TimeSeries message lie.
type outline struct {
	labels     []byte // the label fields with their tags and lengths
	samples    []byte // from the first sample's tag to the message's end
	sampleN    int
	histograms int
}

func (s *state) series(message []byte) error {
	o, err := s.outlineOf(message)
	if err != nil {
		return err
	}
	if o.histograms > 0 {
		s.batch.Rejected.Add(seamark.Metrics, o.histograms, "seamark-histogram-unsupported",
			"Native histograms are not stored; set send_native_histograms to false in remote_write and scrape classic "+
				"histograms (always_scrape_classic_histograms) instead.")
	}
	if o.sampleN == 0 {
		return nil
	}
	if err := s.batch.Reserve(seamark.SeriesBytes + o.sampleN*seamark.SampleBytes); err != nil {
		return err
	}
	key := xxhash.Sum64(o.labels) ^ keySpace
	series := s.cat.Find(key)
	if series == nil {
		if series, err = s.create(key, o.labels); err != nil {
			return s.reject(o, err)
		}
	}
	return s.samples(o, s.batch.Samples.AddSeries(series))
}

// outlineOf walks a TimeSeries message once. It looks only at tags and lengths, and leaves label texts unread.
func (s *state) outlineOf(message []byte) (outline, error) {
	var o outline
	rest := message
	// Fast path: senders write the labels first and side by side, and labels below 128 bytes have a one-byte length.
	const labelTag = seriesLabels<<3 | 2
	for len(rest) >= 2 && rest[0] == labelTag && rest[1] < 0x80 && 2+int(rest[1]) <= len(rest) {
		rest = rest[2+int(rest[1]):]
	}
	o.labels = message[:len(message)-len(rest)]
	labelEnd, split := len(rest), false
	var field easyproto.FieldContext
	for len(rest) > 0 {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return o, s.malformed(at, "TimeSeries", err)
		}
		if field.FieldNum > seriesHistograms {
			continue
		}
		if _, ok := field.MessageData(); !ok {
			return o, s.malformed(at, "TimeSeries", errWireType)
		}
		switch field.FieldNum {
		case seriesLabels:
			if len(at) == labelEnd && !split {
				labelEnd = len(rest)
				o.labels = message[:len(message)-len(rest)]
				continue
			}
			// Slow path: label fields that lie apart are brought together, so that their hash is the same.
			if !split {
				s.joined, split = append(s.joined[:0], o.labels...), true
			}
			s.joined = append(s.joined, at[:len(at)-len(rest)]...)
			o.labels = s.joined
		case seriesSamples:
			if o.sampleN == 0 {
				o.samples = at
			}
			o.sampleN++
		case seriesHistograms:
			o.histograms++
		}
	}
	return o, nil
}

// create parses the label fields and gives them to the catalogue.
func (s *state) create(key uint64, raw []byte) (*seamark.Series, error) {
	s.labels = s.labels[:0]
	var outer, inner easyproto.FieldContext
	for len(raw) > 0 {
		var err error
		at := raw
		if raw, err = outer.NextField(raw); err != nil {
			return nil, s.malformed(at, "TimeSeries.labels", err)
		}
		message, _ := outer.MessageData() // outlineOf has checked the wire type
		var label seamark.Label
		for len(message) > 0 {
			at := message
			if message, err = inner.NextField(message); err != nil {
				return nil, s.malformed(at, "Label", err)
			}
			ok := true
			switch inner.FieldNum {
			case labelName:
				label.Name, ok = inner.String()
			case labelValue:
				label.Value, ok = inner.String()
			}
			if !ok {
				return nil, s.malformed(at, "Label", errWireType)
			}
		}
		if err := s.batch.Reserve(seamark.LabelBytes); err != nil {
			return nil, err
		}
		s.labels = append(s.labels, label)
	}
	return s.cat.Create(key, seamark.MetricSeries, s.labels)
}

// reject counts the samples of a series that the catalogue refused. A malformed body stays an error.
func (s *state) reject(o outline, err error) error {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.ID == malformedID || e.Kind != seamark.Invalid { // a body without memory to decode it is not the series' fault
		return err
	}
	s.batch.Rejected.Add(seamark.Metrics, o.sampleN, e.ID, e.Message)
	return nil
}

func (s *state) samples(o outline, ref uint32) error {
	var field easyproto.FieldContext
	for rest := o.samples; len(rest) > 0; {
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(rest, "TimeSeries", err)
		}
		if field.FieldNum != seriesSamples {
			continue
		}
		message, _ := field.MessageData() // outlineOf has checked the wire type
		// Fast path: both fields in their order, as every protobuf library writes them.
		const valueTag, timestampTag = sampleValue<<3 | 1, sampleTimestamp << 3
		if len(message) > 10 && message[0] == valueTag && message[9] == timestampTag {
			if time, n := binary.Uvarint(message[10:]); n == len(message)-10 {
				bits := binary.LittleEndian.Uint64(message[1:])
				s.batch.Samples.Append(ref, int64(time), math.Float64frombits(bits))
				continue
			}
		}
		value, time, err := s.sample(message)
		if err != nil {
			return err
		}
		s.batch.Samples.Append(ref, time, value)
	}
	return nil
}

// sample decodes a Sample message of any form. Fields that are not there are zero, as proto3 has it.
func (s *state) sample(message []byte) (value float64, time int64, err error) {
	var field easyproto.FieldContext
	for len(message) > 0 {
		at := message
		if message, err = field.NextField(message); err != nil {
			return 0, 0, s.malformed(at, "Sample", err)
		}
		ok := true
		switch field.FieldNum {
		case sampleValue:
			value, ok = field.Double()
		case sampleTimestamp:
			time, ok = field.Int64()
		}
		if !ok {
			return 0, 0, s.malformed(at, "Sample", errWireType)
		}
	}
	return value, time, nil
}

func (s *state) metadata(message []byte) error {
	var field easyproto.FieldContext
	m := seamark.MetricMetadata{Type: metricType(0)}
	for len(message) > 0 {
		at := message
		var err error
		if message, err = field.NextField(message); err != nil {
			return s.malformed(at, "MetricMetadata", err)
		}
		ok := true
		switch field.FieldNum {
		case metadataType:
			var number int64
			number, ok = field.Int64()
			m.Type = metricType(number)
		case metadataFamily:
			m.Metric, ok = field.String()
		case metadataHelp:
			m.Help, ok = field.String()
		case metadataUnit:
			m.Unit, ok = field.String()
		}
		if !ok {
			return s.malformed(at, "MetricMetadata", errWireType)
		}
	}
	if m.Metric != "" {
		if err := s.batch.Reserve(seamark.MetadataBytes); err != nil {
			return err
		}
		s.batch.Metadata = append(s.batch.Metadata, m)
	}
	return nil
}

// metricType names a MetricMetadata.MetricType as OpenMetrics does; numbers of the future are unknown.
func metricType(number int64) string {
	names := [...]string{"unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"}
	if number < 0 || number >= int64(len(names)) {
		return names[0]
	}
	return names[number]
}

const malformedID = "seamark-body-protobuf"

var errWireType = errors.New("the field has another wire type than its definition")

// malformed is the error of a body that is not a WriteRequest. at is the rest of a message from the offending field on.
func (s *state) malformed(at []byte, message string, cause error) error {
	where := ""
	// Slices of the body end where its capacity ends, which gives the offset without counting on the hot path. Label
	// fields that were brought together lie outside the body.
	if offset := cap(s.body) - cap(at); offset >= 0 && offset < len(s.body) && len(at) > 0 && &s.body[offset] == &at[0] {
		where = fmt.Sprintf(" at byte %d of %d", offset, len(s.body))
	}
	return seamark.Wrap(cause, seamark.Invalid, malformedID,
		"The body is not a valid prometheus.WriteRequest: %s is malformed%s. Send snappy-compressed remote write 1.0.",
		message, where)
}
