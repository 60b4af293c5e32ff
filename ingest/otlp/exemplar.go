package otlp

import (
	"encoding/hex"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxExemplarRunes is OpenMetrics' limit on the label names and values of an exemplar. Beyond it the filtered attributes
// are left out, as Prometheus does; the ids of the trace stay.
const maxExemplarRunes = 128

// exemplarDatum is one Exemplar message.
type exemplarDatum struct {
	timeNano        uint64
	hasValue        bool
	value           float64
	traceID, spanID []byte
}

// maxPointExemplars bounds the exemplars of one point; SDKs keep one a bucket at most. Without it a body of empty
// exemplars takes twelve times its size.
const maxPointExemplars = 256

// addExemplar remembers an Exemplar until the point's series are known.
func (p *point) addExemplar(fc *easyproto.FieldContext) (ok bool) {
	data, ok := fc.MessageData()
	if ok && len(p.exemplars) <= maxPointExemplars { // one more tells that there were too many
		p.exemplars = append(p.exemplars, data)
	}
	return ok
}

// appendExemplars appends the exemplars of the point that d.point holds; refs are the batch's numbers of its series, the
// first of which is first.
func (d *metricsDecoder) appendExemplars(m *metric, first uint32, timeMilli int64) error {
	p := &d.point
	if p.stale() {
		return nil
	}
	if len(p.exemplars) > maxPointExemplars {
		p.exemplars = p.exemplars[:maxPointExemplars]
		d.batch.Rejected.Add(seamark.Metrics, 0, "seamark-exemplars-limit", fmt.Sprintf(
			"A data point of metric %.100q has more than %d exemplars; the first %d are stored.", m.name, maxPointExemplars, maxPointExemplars))
	}
	for _, src := range p.exemplars {
		var e exemplarDatum
		if err := d.parseExemplar(src, &e); err != nil {
			return err
		}
		if !e.hasValue {
			continue // it is a decoration of its point, which is stored
		}
		if len(d.batch.Exemplars) >= d.limits.MaxRows {
			return d.limits.exceeded()
		}
		if err := d.batch.Reserve(seamark.ExemplarBytes + len(d.labels)*seamark.LabelBytes); err != nil {
			return err
		}
		out := seamark.Exemplar{
			Series: first + uint32(p.bucketOf(m.kind, e.value)), TimeMilli: timeMilli, Value: e.value, Labels: d.arena.keepLabels(d.labels),
		}
		if e.timeNano != 0 {
			out.TimeMilli = nanoTime(e.timeNano) / 1e6
		}
		if len(e.traceID) == len(out.TraceID) {
			copy(out.TraceID[:], e.traceID)
		}
		d.batch.Exemplars = append(d.batch.Exemplars, out)
	}
	return nil
}

// bucketOf returns which of the point's series an exemplar with the value belongs to: of a histogram with explicit
// buckets the first bucket that holds it, else the only one.
func (p *point) bucketOf(kind metricKind, value float64) int {
	if kind != kindHistogram {
		return 0
	}
	for i, bound := range p.bounds[:p.buckets()] {
		if value <= bound {
			return i + 1
		}
	}
	return p.buckets() + 1
}

// parseExemplar reads an Exemplar; its labels but for the trace id go to d.labels.
func (d *metricsDecoder) parseExemplar(src []byte, e *exemplarDatum) error {
	d.labels = d.labels[:0]
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Exemplar", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 2:
			e.timeNano, ok = fc.Fixed64()
		case 3:
			e.hasValue = true
			e.value, ok = fc.Double()
		case 4:
			e.spanID, ok = fc.Bytes()
		case 5:
			e.traceID, ok = fc.Bytes()
		case 6:
			var n int64
			e.hasValue = true
			n, ok = fc.Sfixed64()
			e.value = float64(n)
		case 7:
			var data []byte
			if data, ok = fc.MessageData(); ok {
				err = d.exemplarAttr(data)
			}
		}
		if err != nil {
			return err
		}
		if !ok {
			return d.mistyped("Exemplar", fc.FieldNum, src)
		}
	}
	d.finishExemplar(e)
	return nil
}

func (d *metricsDecoder) exemplarAttr(src []byte) error {
	var a attribute
	if err := d.parseAttribute(src, &a); err != nil {
		return err
	}
	text, err := d.text(&a.val)
	// One more than may be kept is enough to see that they are too many.
	if err == nil && a.key != "" && text != "" && len(d.labels) <= maxExemplarRunes {
		d.labels = append(d.labels, seamark.Label{Name: a.key, Value: text})
	}
	return err
}

// The names that exemplars carry ids under in Prometheus.
const (
	traceIDLabel = "trace_id"
	spanIDLabel  = "span_id"
)

// finishExemplar applies the limit on labels and adds the span's id.
func (d *metricsDecoder) finishExemplar(e *exemplarDatum) {
	runes := 0
	if isID(e.traceID, len(seamark.Exemplar{}.TraceID)) {
		runes += len(traceIDLabel) + hex.EncodedLen(len(e.traceID))
	} else {
		e.traceID = nil
	}
	hasSpan := isID(e.spanID, len(seamark.Span{}.SpanID))
	if hasSpan {
		runes += len(spanIDLabel) + hex.EncodedLen(len(e.spanID))
	}
	for _, l := range d.labels {
		runes += utf8.RuneCountInString(l.Name) + utf8.RuneCountInString(l.Value)
	}
	if runes > maxExemplarRunes {
		d.labels = d.labels[:0]
	}
	if hasSpan {
		d.labels = append(d.labels, seamark.Label{Name: spanIDLabel, Value: hex.EncodeToString(e.spanID)})
	}
	seamark.SortLabels(d.labels)
}

// isID reports whether id is one: of the right length and not all zeroes.
func isID(id []byte, length int) bool {
	return len(id) == length && slices.ContainsFunc(id, func(b byte) bool { return b != 0 })
}
