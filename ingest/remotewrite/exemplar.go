package remotewrite

import (
	"unicode/utf8"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of an Exemplar message, which 1.0 and 2.0 share. In 2.0 the labels are references.
const (
	exemplarLabels    = 1
	exemplarValue     = 2
	exemplarTimestamp = 3
)

// exemplar appends the Exemplar of 1.0 or 2.0 that field holds; series is an index into the batch's series.
func (s *state) exemplar(field *easyproto.FieldContext, series uint32) error {
	message, _ := field.MessageData() // outlineOf has checked the wire type
	e := seamark.Exemplar{Series: series}
	s.labels, s.joined = s.labels[:0], s.joined[:0]
	var part easyproto.FieldContext
	for len(message) > 0 {
		at := message
		var err error
		if message, err = part.NextField(message); err != nil {
			return s.malformed(at, "Exemplar", err)
		}
		ok := true
		switch part.FieldNum {
		case exemplarLabels:
			if ok, err = s.exemplarLabel(&part); err != nil {
				return err
			}
		case exemplarValue:
			e.Value, ok = part.Double()
		case exemplarTimestamp:
			e.TimeMilli, ok = part.Int64()
		}
		if !ok {
			return s.malformed(at, "Exemplar", errWireType)
		}
	}
	if len(s.joined) > 0 { // the references of 2.0
		if err := s.resolve(s.joined); err != nil {
			return s.refuseSeries(1, err)
		}
	}
	return s.appendExemplar(e)
}

// exemplarLabel takes in a labels field: a message in 1.0, references in 2.0, which are gathered in s.joined because they
// may come in several fields.
func (s *state) exemplarLabel(field *easyproto.FieldContext) (ok bool, err error) {
	if s.schema.v2 {
		s.joined, ok = appendRefs(s.joined, field)
		return ok, nil
	}
	message, ok := field.MessageData()
	if !ok {
		return false, nil
	}
	return true, s.label(message)
}

// appendExemplar adds e with the labels in s.labels, when those can be stored.
func (s *state) appendExemplar(e seamark.Exemplar) error {
	seamark.SortLabels(s.labels)
	if fault := s.checkExemplar(s.batch.Samples.Series[e.Series].Name); fault != nil {
		s.refuse(fault)
		return nil
	}
	if err := s.batch.Reserve(seamark.ExemplarBytes); err != nil {
		return err
	}
	from, traced := len(s.pairs), false
	for _, l := range s.labels {
		if !traced && isTraceLabel(l.Name) {
			if e.TraceID, traced = parseTraceID(l.Value); traced {
				continue
			}
		}
		if l.Value != "" {
			s.pairs = append(s.pairs, l)
		}
	}
	if len(s.pairs) > from {
		e.Labels = s.pairs[from:len(s.pairs):len(s.pairs)]
	}
	s.batch.Exemplars = append(s.batch.Exemplars, e)
	return nil
}

// checkExemplar returns why s.labels, which are sorted, cannot be those of an exemplar; nil when they can.
func (s *state) checkExemplar(metric string) *rowFault {
	size := 0
	for i, l := range s.labels {
		size += len(l.Name) + len(l.Value)
		switch {
		case l.Name == "":
			return bad("seamark-exemplar-labels", "An exemplar of metric %.64q has a label without a name.", metric)
		case !utf8.ValidString(l.Name) || !utf8.ValidString(l.Value):
			return bad("seamark-exemplar-labels", "An exemplar of metric %.64q has the label %.64q, whose name or value is not UTF-8.", metric, l.Name)
		case i > 0 && l.Name == s.labels[i-1].Name:
			return bad("seamark-exemplar-labels", "An exemplar of metric %.64q has the label %.64q twice.", metric, l.Name)
		}
	}
	if size > s.opts.MaxExemplarBytes {
		return bad("seamark-exemplar-labels", "An exemplar of metric %.64q has labels of %d bytes; the limit is %d.", metric, size, s.opts.MaxExemplarBytes)
	}
	return nil
}

// isTraceLabel knows the names under which libraries put a trace id; OpenMetrics recommends the first.
func isTraceLabel(name string) bool {
	return name == "trace_id" || name == "traceID" || name == "TraceID"
}

// parseTraceID reads 32 hex digits, or the 16 of a 64-bit trace id, which fill the lower half.
func parseTraceID(text string) (id [16]byte, ok bool) {
	if short, ok := level.ParseSpanID(text); ok {
		copy(id[8:], short[:])
		return id, true
	}
	return level.ParseTraceID(text)
}
