package remotewrite

import (
	"encoding/binary"
	"math/bits"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// keySpaceV2 sets the catalogue keys of 2.0 apart from those of 1.0 and of other protocols. It was drawn at random.
const keySpaceV2 = 0x1f83c6d90e57ab24

// Field numbers of prometheus' prompb/io/prometheus/write/v2/types.proto, as far as they are read and differ from 1.0.
const (
	requestSymbolsV2    = 4
	requestTimeseriesV2 = 5

	seriesHistogramsV2 = 3
	seriesExemplarsV2  = 4
	seriesMetadataV2   = 5
	// seriesCreatedV2 is where release candidates of 2.0 had the start timestamp, which stands with each sample now.
	seriesCreatedV2 = 6
)

// symbolBytes is what one symbol takes with its hash, the growth of the tables included. On the wire it may be two bytes.
const symbolBytes = 48

func (s *state) requestV2() error {
	if err := s.readSymbols(); err != nil {
		return err
	}
	var field easyproto.FieldContext
	for rest := s.body; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "Request", err)
		}
		if field.FieldNum != requestTimeseriesV2 {
			continue
		}
		message, ok := field.MessageData()
		if !ok {
			return s.malformed(at, "Request.timeseries", errWireType)
		}
		if err := s.seriesV2(message); err != nil {
			return err
		}
	}
	return nil
}

// readSymbols collects the symbols, which may stand anywhere in the request, before the series that refer to them.
func (s *state) readSymbols() error {
	var field easyproto.FieldContext
	for rest := s.body; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "Request", err)
		}
		if field.FieldNum != requestSymbolsV2 {
			continue
		}
		text, ok := field.String()
		if !ok {
			return s.malformed(at, "Request.symbols", errWireType)
		}
		if err := s.batch.Reserve(symbolBytes); err != nil {
			return err
		}
		s.symbols = append(s.symbols, text)
		s.hashes = append(s.hashes, xxhash.Sum64String(text))
	}
	return nil
}

func (s *state) seriesV2(message []byte) error {
	o, err := s.outlineOfV2(message)
	if err != nil || len(o.rows) == 0 {
		return err
	}
	if err := s.batch.Reserve(seamark.SeriesBytes + o.samples*seamark.SampleBytes); err != nil {
		return err
	}
	series, err := s.findV2(o.labels)
	if err != nil {
		return s.refuseSeries(o.rejected(), err)
	}
	ref := s.batch.Samples.AddSeries(series)
	kind, err := s.metadataV2(&o, series)
	if err != nil {
		return err
	}
	if o.samples > 0 {
		if err := s.samplesV2(&o, ref, canStart(kind)); err != nil {
			return err
		}
	}
	if o.histograms+o.exemplars > 0 {
		return s.otherRowsV2(o.rows, ref)
	}
	return nil
}

// outlineOfV2 walks a TimeSeries message once.
func (s *state) outlineOfV2(message []byte) (outline, error) {
	var o outline
	var field easyproto.FieldContext
	seen, split := false, false
	for rest := message; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return o, s.malformed(at, "TimeSeries", err)
		}
		part, ok := field.MessageData()
		switch field.FieldNum {
		case seriesLabels:
			if ok && !seen { // packed and in one piece, as every sender writes it
				o.labels, seen = part, true
				continue
			}
			if !split {
				s.joined = append(s.joined[:0], o.labels...)
			}
			s.joined, ok = appendRefs(s.joined, &field)
			o.labels, seen, split = s.joined, true, true
		case seriesSamples:
			o.samples++
		case seriesHistogramsV2:
			o.histograms++
		case seriesExemplarsV2:
			o.exemplars++
		case seriesMetadataV2:
			o.metadata = part
		case seriesCreatedV2:
			o.created, ok = field.Int64()
		default:
			continue
		}
		if !ok {
			return o, s.malformed(at, "TimeSeries", errWireType)
		}
		if o.rows == nil && field.FieldNum >= seriesSamples && field.FieldNum <= seriesExemplarsV2 {
			o.rows = at
		}
	}
	return o, nil
}

// appendRefs appends the references of one field, packed or single, in their packed form.
func appendRefs(list []byte, field *easyproto.FieldContext) ([]byte, bool) {
	if packed, ok := field.MessageData(); ok {
		return append(list, packed...), true
	}
	ref, ok := field.Uint64()
	if !ok {
		return list, false
	}
	return binary.AppendUvarint(list, ref), true
}

// findV2 returns the series with the given references.
func (s *state) findV2(packed []byte) (*seamark.Series, error) {
	key, ok := s.keyV2(packed)
	if ok {
		if series := s.find(key, 0); series != nil {
			return series, nil
		}
	}
	s.labels = s.labels[:0]
	if err := s.resolve(packed); err != nil {
		return nil, err
	}
	return s.create(key, 0)
}

// keyV2 makes a series' key of the hashes of its texts, because each request numbers the texts anew. ok is false when
// resolve will find the references wrong.
func (s *state) keyV2(packed []byte) (key uint64, ok bool) {
	// Two chains, which the processor works on side by side.
	names, values, hashes := uint64(keySpaceV2), uint64(0), s.hashes
	for isValue := false; ; isValue = !isValue {
		if len(packed) == 0 {
			key = mix(names, values)
			return key ^ key>>29, !isValue // the multiplication leaves the low bits poor
		}
		ref, n := uint64(packed[0]), 1
		if ref >= 0x80 {
			if len(packed) > 1 && packed[1] < 0x80 { // a request has hundreds or thousands of symbols
				ref, n = ref&0x7f|uint64(packed[1])<<7, 2
			} else if ref, n = binary.Uvarint(packed); n <= 0 {
				return 0, false
			}
		}
		packed = packed[n:]
		if ref >= uint64(len(hashes)) {
			return 0, false
		}
		if isValue {
			values = mix(values, hashes[ref])
		} else {
			names = mix(names, hashes[ref])
		}
	}
}

// mix adds one hash to a chain; order matters. The factor is odd and was drawn at random.
func mix(chain, hash uint64) uint64 {
	const factor, add = 0x9fb21c651e98df25, 0x85ebca77c2b2ae63
	return bits.RotateLeft64(chain^hash, 27)*factor + add
}

// resolve appends the labels that the references stand for to s.labels.
func (s *state) resolve(packed []byte) error {
	for read := 0; len(packed) > 0; read++ {
		ref, n := binary.Uvarint(packed)
		if n <= 0 {
			return seamark.Errorf(seamark.Invalid, "seamark-symbol-range", "Label reference %d of a series or exemplar is no number.", read+1)
		}
		if packed = packed[n:]; ref >= uint64(len(s.symbols)) {
			return seamark.Errorf(seamark.Invalid, "seamark-symbol-range",
				"Label reference %d of a series or exemplar is %d; the request has %d symbols.", read+1, ref, len(s.symbols))
		}
		switch {
		case read%2 == 1:
			s.labels[len(s.labels)-1].Value = s.symbols[ref]
			continue
		case len(packed) == 0:
			return seamark.Errorf(seamark.Invalid, "seamark-symbol-odd",
				"A series or exemplar has %d label references; a name and a value make a pair.", read+1)
		}
		if err := s.batch.Reserve(seamark.LabelBytes); err != nil {
			return err
		}
		s.labels = append(s.labels, seamark.Label{Name: s.symbols[ref]})
	}
	return nil
}

// otherRowsV2 appends a series' native histograms and exemplars.
func (s *state) otherRowsV2(rows []byte, ref uint32) error {
	var field easyproto.FieldContext
	for rest := rows; len(rest) > 0; {
		at := rest
		var err error
		if rest, err = field.NextField(rest); err != nil {
			return s.malformed(at, "TimeSeries", err)
		}
		switch field.FieldNum {
		case seriesHistogramsV2:
			err = s.appendHistogram(&field, ref)
		case seriesExemplarsV2:
			err = s.exemplar(&field, ref)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
