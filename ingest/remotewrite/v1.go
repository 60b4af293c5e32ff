package remotewrite

import (
	"encoding/binary"
	"math"

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
	seriesExemplars  = 3
	seriesHistograms = 4

	labelName  = 1
	labelValue = 2

	sampleValue     = 1
	sampleTimestamp = 2
)

// replicaLabel tells the senders of a highly available pair apart. Stored, it would make two series of each one.
const replicaLabel = "__replica__"

func (s *state) writeRequest() error {
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
	labels []byte // the label fields with their tags and lengths; in 2.0 the packed references
	rows   []byte // from the first sample's, histogram's or exemplar's tag to the message's end
	rowCounts

	// Of 2.0 alone.
	metadata []byte
	created  int64 // start timestamp of the whole series, as senders of release candidates set it
}

type rowCounts struct{ samples, histograms, exemplars int }

// rejected is what a series without a place in the store counts for: exemplars go with rows and count when alone.
func (c rowCounts) rejected() int {
	if n := c.samples + c.histograms; n > 0 {
		return n
	}
	return c.exemplars
}

func (s *state) series(message []byte) error {
	foreseen, known := s.foresee(message), 0
	if foreseen != nil {
		known = int(foreseen.labelBytes)
	}
	o, err := s.outlineOf(message, known)
	if err != nil || len(o.rows) == 0 {
		return err
	}
	if err := s.batch.Reserve(seamark.SeriesBytes + o.samples*seamark.SampleBytes); err != nil {
		return err
	}
	var series *seamark.Series
	if foreseen != nil && len(o.labels) == known { // and not more labels behind those that were foreseen
		series = s.follow(foreseen)
	} else if series, err = s.lookUp(o.labels); err != nil {
		return s.refuseSeries(o.rejected(), err)
	}
	ref := s.batch.Samples.AddSeries(series)
	if o.samples > 0 {
		if err := s.samples(o.rows, ref); err != nil {
			return err
		}
	}
	if o.histograms+o.exemplars > 0 {
		return s.otherRows(o.rows, ref)
	}
	return nil
}

// outlineOf walks a TimeSeries message once. It looks only at tags and lengths, and leaves label texts unread. The first
// known bytes are known to be label fields.
func (s *state) outlineOf(message []byte, known int) (outline, error) {
	var o outline
	rest := message[known:]
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
			continue
		case seriesSamples:
			o.samples++
		case seriesExemplars:
			o.exemplars++
		case seriesHistograms:
			o.histograms++
		default:
			continue
		}
		if o.rows == nil {
			o.rows = at
		}
	}
	return o, nil
}

// lookUp returns the series with the given label fields.
func (s *state) lookUp(raw []byte) (*seamark.Series, error) {
	key := xxhash.Sum64(raw) ^ keySpace
	if series := s.find(key, len(raw)); series != nil {
		return series, nil
	}
	s.labels = s.labels[:0]
	var field easyproto.FieldContext
	for rest := raw; len(rest) > 0; {
		var err error
		at := rest
		if rest, err = field.NextField(rest); err != nil {
			return nil, s.malformed(at, "TimeSeries.labels", err)
		}
		message, _ := field.MessageData() // outlineOf has checked the wire type
		if err := s.label(message); err != nil {
			return nil, err
		}
	}
	return s.create(key, len(raw))
}

// label appends one Label message to s.labels.
func (s *state) label(message []byte) error {
	var label seamark.Label
	var field easyproto.FieldContext
	for len(message) > 0 {
		at := message
		var err error
		if message, err = field.NextField(message); err != nil {
			return s.malformed(at, "Label", err)
		}
		ok := true
		switch field.FieldNum {
		case labelName:
			label.Name, ok = field.String()
		case labelValue:
			label.Value, ok = field.String()
		}
		if !ok {
			return s.malformed(at, "Label", errWireType)
		}
	}
	if err := s.batch.Reserve(seamark.LabelBytes); err != nil {
		return err
	}
	s.labels = append(s.labels, label)
	return nil
}

func (s *state) samples(rows []byte, ref uint32) error {
	var field easyproto.FieldContext
	for rest := rows; len(rest) > 0; {
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

// otherRows appends a series' native histograms and exemplars.
func (s *state) otherRows(rows []byte, ref uint32) error {
	var field easyproto.FieldContext
	for rest := rows; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "TimeSeries", err)
		}
		switch field.FieldNum {
		case seriesHistograms:
			err = s.appendHistogram(&field, ref)
		case seriesExemplars:
			err = s.exemplar(&field, ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
