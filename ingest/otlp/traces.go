package otlp

import (
	"fmt"
	"slices"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// tracesDecoder is what one ExportTraceServiceRequest is decoded with. Between requests it keeps memory, nothing else.
type tracesDecoder struct {
	wire
	req    *Request
	limits Limits
	batch  *seamark.Batch

	opened    bool     // the current resource was read
	parts     [][]byte // the occurrences of the current Resource
	scope     [][]byte // and of the current InstrumentationScope
	resource  resourceAttrs
	shared    []seamark.Label // the resource's labels, which its spans share
	scopeName string
	base      []seamark.Label // attributes that the spans of the current scope share
	pairs     int             // attributes of all spans so far

	attrs         []seamark.Label // of the current span
	events, links [][]byte        // of the current span
	json          []byte
}

func (d *tracesDecoder) decode(r *Request, batch *seamark.Batch) error {
	body, err := protobufOf(r, batch, tracesFromJSON)
	if err != nil {
		return err
	}
	d.body, d.req, d.batch, d.limits = body, r, batch, r.Limits.withDefaults()
	defer d.release()
	return d.eachOf("ExportTraceServiceRequest", body, 1, d.resourceSpans)
}

// release lets go of the request, so that a pooled decoder does not pin its body.
func (d *tracesDecoder) release() {
	*d = tracesDecoder{
		parts: emptied(d.parts), scope: emptied(d.scope), resource: resourceAttrs{rest: emptied(d.resource.rest)},
		base: emptied(d.base), attrs: emptied(d.attrs), events: emptied(d.events), links: emptied(d.links), json: emptied(d.json),
	}
}

func (d *tracesDecoder) resourceSpans(src []byte) error {
	var scopes uint32
	var err error
	if d.parts, scopes, err = d.findParts("ResourceSpans", src, d.parts[:0]); err != nil {
		return err
	}
	d.opened = false
	return d.eachOf("ResourceSpans", src, scopes, d.scopeSpans)
}

func (d *tracesDecoder) scopeSpans(src []byte) error {
	var err error
	if d.scope, _, err = d.findParts("ScopeSpans", src, d.scope[:0]); err != nil {
		return err
	}
	based := false
	return d.eachOf("ScopeSpans", src, 2, func(data []byte) error {
		// Resources and scopes without spans are not worth a look, so both wait for the first span.
		if !d.opened {
			if err := d.openResource(); err != nil {
				return err
			}
		}
		if !based {
			based = true
			if err := d.readScope(); err != nil {
				return err
			}
		}
		return d.span(data)
	})
}

// openResource reads the current resource and makes the labels that its spans share.
func (d *tracesDecoder) openResource() error {
	d.opened = true
	r := &d.resource
	if err := d.parseResource(d.parts, r); err != nil {
		return err
	}
	if r.cluster == "" {
		r.cluster = d.req.Cluster
	}
	d.attrs = r.appendPlaceLabels(d.attrs[:0])
	if workload, _ := r.workload(); workload != "" {
		d.attrs = append(d.attrs, seamark.Label{Name: "workload", Value: workload})
	}
	r.eachOther(func(key, value string) {
		if !hasName(d.attrs, key) && len(d.attrs) < d.limits.MaxAttrs {
			d.attrs = append(d.attrs, seamark.Label{Name: key, Value: value})
		}
	})
	if err := d.batch.Reserve(len(d.attrs) * seamark.LabelBytes); err != nil {
		return err
	}
	seamark.SortLabels(d.attrs)
	d.shared = d.arena.keepLabels(d.attrs)
	return nil
}

// readScope reads the current scope: its name, and in d.base its version and attributes.
func (d *tracesDecoder) readScope() error {
	d.scopeName, d.base = "", d.base[:0]
	var fc easyproto.FieldContext
	var err error
	for _, src := range d.scope {
		for len(src) > 0 {
			if src, err = fc.NextField(src); err != nil {
				return d.broken("InstrumentationScope", src, err)
			}
			ok := true
			switch fc.FieldNum {
			case 1:
				d.scopeName, ok = fc.String()
			case 2:
				var version string
				version, ok = fc.String()
				d.base = d.addAttr(d.base, "otel.scope.version", version)
			case 3:
				var data []byte
				if data, ok = fc.MessageData(); ok {
					d.base, err = d.attribute(d.base, data)
				}
			}
			if err != nil {
				return err
			}
			if !ok {
				return d.mistyped("InstrumentationScope", fc.FieldNum, src)
			}
		}
	}
	return nil
}

// attribute appends the KeyValue in src as a label.
func (d *tracesDecoder) attribute(dst []seamark.Label, src []byte) ([]seamark.Label, error) {
	var a attribute
	if err := d.parseAttribute(src, &a); err != nil {
		return dst, err
	}
	text, err := d.text(&a.val)
	return d.addAttr(dst, a.key, text), err
}

// addAttr appends a pair, one more than allowed at most.
func (d *tracesDecoder) addAttr(dst []seamark.Label, key, value string) []seamark.Label {
	if key == "" || value == "" || len(dst) > d.limits.MaxAttrs {
		return dst
	}
	return append(dst, seamark.Label{Name: key, Value: value})
}

// refuse counts a span that cannot be kept. Its sentence is made for the first alone.
func (d *tracesDecoder) refuse(reason, format string, args ...any) {
	detail := ""
	if !told(d.batch, reason) {
		detail = fmt.Sprintf(format, args...)
	}
	d.batch.Rejected.Add(seamark.Traces, 1, reason, detail)
}

// warn tells of a part of a span that was left out while the span is stored.
func (d *tracesDecoder) warn(reason, format string, args ...any) {
	if told(d.batch, reason) {
		return
	}
	d.batch.Rejected.Add(seamark.Traces, 0, reason, fmt.Sprintf(format, args...))
}

// addBase appends the attributes of the scope that the span does not set itself.
func (d *tracesDecoder) addBase() {
	own := d.attrs
	for _, l := range d.base {
		if !hasName(own, l.Name) {
			d.attrs = d.addAttr(d.attrs, l.Name, l.Value)
		}
	}
}

// appendSpan appends the span, whose attributes, events and links are in d.
func (d *tracesDecoder) appendSpan(s *seamark.Span) error {
	d.pairs += len(d.attrs)
	if len(d.batch.Spans) >= d.limits.MaxRows || d.pairs > d.limits.MaxPairs {
		return d.limits.exceeded()
	}
	var err error
	if s.Events, err = d.eventsJSON(); err != nil {
		return err
	}
	if s.Links, err = d.linksJSON(); err != nil {
		return err
	}
	size := seamark.SpanBytes + len(d.attrs)*seamark.LabelBytes + len(s.Events) + len(s.Links)
	if err := d.batch.Reserve(size); err != nil {
		return err
	}
	s.Service, s.Resource, s.Scope = d.resource.serviceName, d.shared, d.scopeName
	if s.Service == "" {
		s.Service = "unknown_service"
	}
	s.Attrs = d.arena.keepLabels(d.attrs)
	d.batch.Spans = append(d.batch.Spans, *s)
	return nil
}

// cut returns the first limit of list; a longer one is told to the sender.
func (d *tracesDecoder) cut(list [][]byte, limit int, what string) [][]byte {
	if len(list) <= limit {
		return list
	}
	d.warn("seamark-span-"+what, "A span has %d %s; the first %d are stored, the limit. Lower the limit in the SDK's span limits.",
		len(list), what, limit)
	return slices.Clip(list[:limit])
}
