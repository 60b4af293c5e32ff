package otlp

import (
	"encoding/hex"
	"math"
	"strconv"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// spanFields is what a Span has beside its attributes, events and links.
type spanFields struct {
	traceID, spanID, parentID []byte
	state, name               string
	kind, status              uint64
	message                   string
	startNano, endNano        uint64
}

// span appends one Span to the batch, or counts it as refused.
func (d *tracesDecoder) span(src []byte) error {
	if len(src) > d.limits.MaxSpanBytes {
		d.refuse("seamark-span-bytes", "A span has %d bytes; the limit is %d. Lower the attribute and event limits in the SDK's span limits.",
			len(src), d.limits.MaxSpanBytes)
		return nil
	}
	var f spanFields
	if err := d.parseSpan(src, &f); err != nil {
		return err
	}
	d.addBase()
	var out seamark.Span
	if !d.fillSpan(&out, &f) {
		return nil
	}
	return d.appendSpan(&out)
}

// parseSpan reads a Span; its attributes, events and links go to d.
func (d *tracesDecoder) parseSpan(src []byte, f *spanFields) error {
	d.attrs, d.events, d.links = d.attrs[:0], d.events[:0], d.links[:0]
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Span", src, err)
		}
		ok := true
		var data []byte
		switch fc.FieldNum {
		case 9:
			if data, ok = fc.MessageData(); ok {
				d.attrs, err = d.attribute(d.attrs, data)
			}
		case 11:
			if data, ok = fc.MessageData(); ok {
				d.events = append(d.events, data)
			}
		case 13:
			if data, ok = fc.MessageData(); ok {
				d.links = append(d.links, data)
			}
		case 15:
			if data, ok = fc.MessageData(); ok {
				err = d.parseStatus(data, f)
			}
		default:
			ok = f.scalar(&fc)
		}
		if err != nil {
			return err
		}
		if !ok {
			return d.mistyped("Span", fc.FieldNum, src)
		}
	}
	return nil
}

// scalar reads a field of Span that is no message.
func (f *spanFields) scalar(fc *easyproto.FieldContext) (ok bool) {
	ok = true
	switch fc.FieldNum {
	case 1:
		f.traceID, ok = fc.Bytes()
	case 2:
		f.spanID, ok = fc.Bytes()
	case 3:
		f.state, ok = fc.String()
	case 4:
		f.parentID, ok = fc.Bytes()
	case 5:
		f.name, ok = fc.String()
	case 6:
		f.kind, ok = fc.Uint64()
	case 7:
		f.startNano, ok = fc.Fixed64()
	case 8:
		f.endNano, ok = fc.Fixed64()
	}
	return ok
}

func (d *tracesDecoder) parseStatus(src []byte, f *spanFields) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Status", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 2:
			f.message, ok = fc.String()
		case 3:
			f.status, ok = fc.Uint64()
		}
		if !ok {
			return d.mistyped("Status", fc.FieldNum, src)
		}
	}
	return nil
}

// fillSpan checks f and takes it over; false says that the span was refused.
func (d *tracesDecoder) fillSpan(s *seamark.Span, f *spanFields) bool {
	switch {
	case !isID(f.traceID, len(s.TraceID)):
		d.refuse("seamark-span-trace-id", "Span %.100q has the trace id %.64q; it must be %d bytes, not all zero.",
			f.name, hex.EncodeToString(f.traceID[:min(len(f.traceID), 32)]), len(s.TraceID))
	case !isID(f.spanID, len(s.SpanID)):
		d.refuse("seamark-span-id", "Span %.100q has the span id %.64q; it must be %d bytes, not all zero.",
			f.name, hex.EncodeToString(f.spanID[:min(len(f.spanID), 32)]), len(s.SpanID))
	case len(f.parentID) != 0 && len(f.parentID) != len(s.ParentID):
		d.refuse("seamark-span-parent-id", "Span %.100q has a parent span id of %d bytes; it must be %d, or absent for a root.",
			f.name, len(f.parentID), len(s.ParentID))
	case f.startNano == 0:
		d.refuse("seamark-span-time", "Span %.100q has no start time.", f.name)
	case f.endNano < f.startNano:
		d.refuse("seamark-span-time", "Span %.100q ends %d nanoseconds before it starts.", f.name, f.startNano-f.endNano)
	case f.startNano > math.MaxInt64:
		d.refuse("seamark-span-time", "Span %.100q starts after the year 2262.", f.name)
	case len(d.attrs) > d.limits.MaxAttrs:
		d.refuse("seamark-attributes-limit", "Span %.100q has more than %d attributes, with those of its scope; the limit is %d. Remove some in the collector.",
			f.name, d.limits.MaxAttrs, d.limits.MaxAttrs)
	default:
		copy(s.TraceID[:], f.traceID)
		copy(s.SpanID[:], f.spanID)
		copy(s.ParentID[:], f.parentID)
		s.TimeNano, s.DurationNano = int64(f.startNano), f.endNano-f.startNano
		s.Name, s.TraceState, s.StatusMessage = f.name, f.state, f.message
		s.Kind, s.Status = spanKind(f.kind), spanStatus(f.status)
		return true
	}
	return false
}

// spanKind is the word for a Span.SpanKind.
func spanKind(n uint64) string {
	switch n {
	case 1:
		return "internal"
	case 2:
		return "server"
	case 3:
		return "client"
	case 4:
		return "producer"
	case 5:
		return "consumer"
	}
	return "unspecified"
}

// spanStatus is the word for a Status.StatusCode.
func spanStatus(n uint64) string {
	switch n {
	case 1:
		return "ok"
	case 2:
		return "error"
	}
	return "unset"
}

// eventsJSON renders the current span's events. Their times are strings, as 64-bit integers are in protobuf's JSON
// mapping, because JavaScript's numbers do not hold them.
func (d *tracesDecoder) eventsJSON() (string, error) {
	if len(d.events) == 0 {
		return "", nil
	}
	d.json = append(d.json[:0], '[')
	for i, src := range d.cut(d.events, d.limits.MaxSpanEvents, "events") {
		if i > 0 {
			d.json = append(d.json, ',')
		}
		if err := d.appendEvent(src); err != nil {
			return "", err
		}
	}
	return d.arena.keepText(append(d.json, ']')), nil
}

func (d *tracesDecoder) appendEvent(src []byte) error {
	var timeNano uint64
	var name string
	var fc easyproto.FieldContext
	var err error
	whole := src
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Event", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			timeNano, ok = fc.Fixed64()
		case 2:
			name, ok = fc.String()
		}
		if !ok {
			return d.mistyped("Event", fc.FieldNum, src)
		}
	}
	d.json = append(d.json, `{"time_unix_nano":"`...)
	d.json = strconv.AppendUint(d.json, timeNano, 10)
	d.json = append(d.json, `","name":`...)
	d.json = appendJSONString(d.json, name)
	return d.closeWithAttributes("Event", whole, 3)
}

// closeWithAttributes appends the attributes that stand in the given field of src, if any, and ends the object.
func (d *tracesDecoder) closeWithAttributes(message string, src []byte, field uint32) error {
	before := len(d.json)
	d.json = append(d.json, `,"attributes":`...)
	empty := len(d.json) + len("{}")
	var err error
	if d.json, err = d.appendMembers(d.json, members{message, src, field}, 1); err != nil {
		return err
	}
	if len(d.json) == empty {
		d.json = d.json[:before]
	}
	d.json = append(d.json, '}')
	return nil
}

// linksJSON renders the current span's links; one without a trace to go to is left out and told.
func (d *tracesDecoder) linksJSON() (string, error) {
	if len(d.links) == 0 {
		return "", nil
	}
	d.json = append(d.json[:0], '[')
	for _, src := range d.cut(d.links, d.limits.MaxSpanLinks, "links") {
		if err := d.appendLink(src); err != nil {
			return "", err
		}
	}
	if len(d.json) == 1 {
		return "", nil
	}
	return d.arena.keepText(append(d.json, ']')), nil
}

func (d *tracesDecoder) appendLink(src []byte) error {
	var traceID, spanID []byte
	var fc easyproto.FieldContext
	var err error
	whole := src
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Link", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			traceID, ok = fc.Bytes()
		case 2:
			spanID, ok = fc.Bytes()
		}
		if !ok {
			return d.mistyped("Link", fc.FieldNum, src)
		}
	}
	if !isID(traceID, len(seamark.Span{}.TraceID)) || !isID(spanID, len(seamark.Span{}.SpanID)) {
		d.warn("seamark-span-link", "A span has a link whose trace id or span id is not one; the link was left out.")
		return nil
	}
	if len(d.json) > 1 {
		d.json = append(d.json, ',')
	}
	d.json = append(d.json, `{"trace_id":"`...)
	d.json = hex.AppendEncode(d.json, traceID)
	d.json = append(d.json, `","span_id":"`...)
	d.json = hex.AppendEncode(d.json, spanID)
	d.json = append(d.json, '"')
	return d.closeWithAttributes("Link", whole, 4)
}
