package remotewrite

import (
	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of a Histogram message. 1.0 and 2.0 share all but the start timestamp, which 2.0 added, so a histogram of
// 2.0 without it is one of 1.0, the form that is stored.
const (
	histogramCountInt       = 1
	histogramCountFloat     = 2
	histogramSum            = 3
	histogramSchema         = 4
	histogramZeroThreshold  = 5
	histogramZeroInt        = 6
	histogramZeroFloat      = 7
	histogramNegativeSpans  = 8
	histogramNegativeDeltas = 9
	histogramNegativeCounts = 10
	histogramPositiveSpans  = 11
	histogramPositiveDeltas = 12
	histogramPositiveCounts = 13
	histogramResetHint      = 14
	histogramTimestamp      = 15
	histogramBounds         = 16

	spanOffset = 1
	spanLength = 2
)

// histogram is a decoded Histogram message. It is reused, and serves to check what is stored as it was sent.
type histogram struct {
	metric             string // for sentences
	timeMilli          int64
	isFloat            bool // the kind of count; the field that came last decides, as in any oneof
	countInt           uint64
	count              float64
	sum, zeroThreshold float64
	schema             int32
	zeroInt            uint64 // 0 when the zero bucket is a float, and the other way round
	zeroFloat          float64
	negative, positive side
	bounds             []float64
}

// side is the buckets of negative or positive observations.
type side struct {
	spans  []span
	deltas []int64   // of integer histograms: each bucket's count less that of the one before
	counts []float64 // of float histograms
	// unknown is set when a span has a field that its definition has not.
	unknown bool
}

// span is a run of buckets.
type span struct {
	offset int32 // from the end of the span before; of the first, from bucket 0
	length uint32
}

func (h *histogram) reset() {
	h.negative.reset()
	h.positive.reset()
	*h = histogram{negative: h.negative, positive: h.positive, bounds: h.bounds[:0]}
}

func (d *side) reset() { *d = side{spans: d.spans[:0], deltas: d.deltas[:0], counts: d.counts[:0]} }

// trim lets go of memory that only a histogram beyond measure needs.
func (h *histogram) trim() {
	for _, d := range []*side{&h.negative, &h.positive} {
		d.spans, d.deltas, d.counts = kept(d.spans, maxKeptEntries), kept(d.deltas, maxKeptEntries), kept(d.counts, maxKeptEntries)
	}
	h.bounds = kept(h.bounds, maxKeptEntries)
	h.metric = ""
}

// histogramRowBytes is what a native histogram takes in a batch besides twice its data: in the batch and encoded.
const histogramRowBytes = 128

// appendHistogram adds the Histogram of 1.0 or 2.0 that field holds, when it is sound.
func (s *state) appendHistogram(field *easyproto.FieldContext, series uint32) error {
	message, _ := field.MessageData() // outlineOf has checked the wire type
	// The numbers of a histogram take at most eight times their bytes while it is checked, one histogram at a time.
	if err := s.batch.Reserve(histogramRowBytes + 2*len(message)); err != nil {
		return err
	}
	text, _ := field.String()
	h := &s.histogram
	data, err := s.readHistogram(h, message, text)
	if err != nil {
		return err
	}
	h.metric = s.batch.Samples.Series[series].Name
	if fault := h.check(s.opts.MaxBuckets); fault != nil {
		s.refuse(fault)
		return nil
	}
	s.batch.Histograms.Append(&seamark.HistogramRow{Series: series, TimeMilli: h.timeMilli, Count: h.count, Sum: h.sum, Data: data})
	return nil
}

// readHistogram decodes message into h and returns its bytes without the timestamps and fields that are unknown. text is
// message as a string.
func (s *state) readHistogram(h *histogram, message []byte, text string) (data string, err error) {
	h.reset()
	// Senders write fields in their order, which puts the timestamp of exponential histograms last: what is stored is
	// then a part of the body. Otherwise the pieces around it are brought together.
	var field easyproto.FieldContext
	begin, size, apart := s.data.Len(), len(message), false
	end := 0 // of the fields that are kept and stand at the message's beginning
	for len(message) > 0 {
		at := message
		if message, err = field.NextField(message); err != nil {
			return "", s.malformed(at, "Histogram", err)
		}
		keep, ok := h.take(&field)
		if !ok {
			return "", s.malformed(at, "Histogram", errWireType)
		}
		from, to := size-len(at), size-len(message)
		switch {
		case !keep:
		case !apart && from == end:
			end = to
		default:
			if !apart {
				apart = true
				s.data.WriteString(text[:end])
			}
			s.data.WriteString(text[from:to])
		}
	}
	if apart {
		return s.data.String()[begin:], nil
	}
	return text[:end], nil
}

// take takes in one field. keep tells whether the field is a part of the stored histogram, ok whether it is well-formed.
func (h *histogram) take(f *easyproto.FieldContext) (keep, ok bool) {
	switch f.FieldNum {
	case histogramCountInt:
		h.countInt, ok = f.Uint64()
		h.count, h.isFloat = float64(h.countInt), false
	case histogramCountFloat:
		h.count, ok = f.Double()
		h.isFloat = true
	case histogramSum:
		h.sum, ok = f.Double()
	case histogramSchema:
		h.schema, ok = f.Sint32()
	case histogramZeroThreshold:
		h.zeroThreshold, ok = f.Double()
	case histogramZeroInt:
		h.zeroInt, ok = f.Uint64()
		h.zeroFloat = 0
	case histogramZeroFloat:
		h.zeroFloat, ok = f.Double()
		h.zeroInt = 0
	case histogramNegativeSpans, histogramNegativeDeltas, histogramNegativeCounts:
		ok = h.negative.take(f, f.FieldNum-histogramNegativeSpans)
	case histogramPositiveSpans, histogramPositiveDeltas, histogramPositiveCounts:
		ok = h.positive.take(f, f.FieldNum-histogramPositiveSpans)
	case histogramResetHint:
		_, ok = f.Int64() // a hint of the future is nothing to refuse a histogram for
	case histogramBounds:
		h.bounds, ok = f.UnpackDoubles(h.bounds)
	case histogramTimestamp:
		h.timeMilli, ok = f.Int64()
		return false, ok
	default:
		return false, true
	}
	return true, ok
}

// take takes in a field of one side: 0 is its spans, 1 its deltas, 2 its counts.
func (d *side) take(f *easyproto.FieldContext, which uint32) (ok bool) {
	switch which {
	case 1:
		d.deltas, ok = f.UnpackSint64s(d.deltas)
	case 2:
		d.counts, ok = f.UnpackDoubles(d.counts)
	default:
		var message []byte
		if message, ok = f.MessageData(); ok {
			ok = d.takeSpan(message)
		}
	}
	return ok
}

func (d *side) takeSpan(message []byte) bool {
	var one span
	var field easyproto.FieldContext
	for len(message) > 0 {
		var err error
		if message, err = field.NextField(message); err != nil {
			return false
		}
		ok := true
		switch field.FieldNum {
		case spanOffset:
			one.offset, ok = field.Sint32()
		case spanLength:
			one.length, ok = field.Uint32()
		default:
			d.unknown = true
		}
		if !ok {
			return false
		}
	}
	d.spans = append(d.spans, one)
	return true
}
