package otlp

import (
	"fmt"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// record is what a LogRecord has beside its attributes, which go straight to the row.
type record struct {
	timeNano, observedNano uint64
	severityNumber         int32
	severityText, event    string
	traceID, spanID        []byte
	body                   value
	kube                   kubeEvent
}

// logRecord appends one LogRecord to the batch, as a log line or as the Kubernetes event that it is.
func (d *logsDecoder) logRecord(src []byte) error {
	if d.batch.Logs.Len() >= d.limits.MaxRows || len(d.batch.Logs.Attrs) > d.limits.MaxPairs {
		return d.limits.exceeded()
	}
	if err := d.batch.Reserve(seamark.LogRowBytes); err != nil {
		return err
	}
	d.row.Attrs = d.row.Attrs[:0]
	var rec record
	if err := d.parseRecord(src, &rec); err != nil {
		return err
	}
	if isEvent, err := d.kubernetesEvent(&rec); isEvent || err != nil {
		return err
	}
	if open, err := d.openStream(); !open || err != nil {
		return err
	}
	if err := d.openScope(); err != nil {
		return err
	}
	d.addAttr("event_name", rec.event)
	d.addAttr("severity_text", rec.severityText)
	d.addBaseAttrs()
	if len(d.row.Attrs) > d.limits.MaxAttrs {
		d.rejectAttrs()
		return nil
	}
	if err := d.batch.Reserve(len(d.row.Attrs) * seamark.LabelBytes); err != nil {
		return err
	}

	body, err := d.text(&rec.body)
	if err != nil {
		return err
	}
	d.row.Body = body
	d.row.TimeNano = d.recordTime(&rec)
	d.row.Level = recordLevel(&rec, body)
	d.setIDs(&rec, body)
	d.batch.Logs.Append(&d.row)
	return nil
}

// rejectAttrs counts a record with too many attributes. The sentence is made for the first alone.
func (d *logsDecoder) rejectAttrs() {
	const reason = "seamark-attributes-limit"
	detail := ""
	if !told(d.batch, reason) {
		detail = fmt.Sprintf(
			"A log record has more than %d attributes, with those of its resource and scope; the limit is %d. Remove some in the collector.",
			d.limits.MaxAttrs, d.limits.MaxAttrs)
	}
	d.batch.Rejected.Add(seamark.Logs, 1, reason, detail)
}

func (d *logsDecoder) parseRecord(src []byte, rec *record) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("LogRecord", src, err)
		}
		ok := true
		var data []byte
		switch fc.FieldNum {
		case 1:
			rec.timeNano, ok = fc.Fixed64()
		case 2:
			var n uint64
			n, ok = fc.Uint64()
			rec.severityNumber = int32(n)
		case 3:
			rec.severityText, ok = fc.String()
		case 5:
			if data, ok = fc.MessageData(); ok {
				err = d.parseValue(data, &rec.body)
			}
		case 6:
			if data, ok = fc.MessageData(); ok {
				err = d.recordAttr(data, rec)
			}
		case 9:
			rec.traceID, ok = fc.Bytes()
		case 10:
			rec.spanID, ok = fc.Bytes()
		case 11:
			rec.observedNano, ok = fc.Fixed64()
		case 12:
			rec.event, ok = fc.String()
		}
		if err != nil {
			return err
		}
		if !ok {
			return d.mistyped("LogRecord", fc.FieldNum, src)
		}
	}
	return nil
}

func (d *logsDecoder) recordAttr(src []byte, rec *record) error {
	var a attribute
	if err := d.parseAttribute(src, &a); err != nil {
		return err
	}
	text, err := d.text(&a.val)
	if err != nil {
		return err
	}
	d.addAttr(a.key, text)
	rec.kube.take(a.key, text, &a.val)
	return nil
}

// addAttr appends a pair to the row's metadata, one more than allowed at most.
func (d *logsDecoder) addAttr(key, value string) {
	if key != "" && value != "" && len(d.row.Attrs) <= d.limits.MaxAttrs {
		d.row.Attrs = append(d.row.Attrs, seamark.Label{Name: d.names.findAt(len(d.row.Attrs), key), Value: value})
	}
}

// addBaseAttrs appends the metadata of scope and resource that the record does not set itself.
func (d *logsDecoder) addBaseAttrs() {
	own := d.row.Attrs
	for i := range d.base {
		if len(d.row.Attrs) > d.limits.MaxAttrs {
			return
		}
		if !hasName(own, d.base[i].Name) {
			d.row.Attrs = append(d.row.Attrs, d.base[i])
		}
	}
}

func hasName(attrs []seamark.Label, name string) bool {
	for i := range attrs {
		if attrs[i].Name == name {
			return true
		}
	}
	return false
}

// setIDs sets the row's trace and span id. An id of another length is invalid and counts as absent, like one of zeroes;
// collectors that only tail files leave the trace id in the line.
func (d *logsDecoder) setIDs(rec *record, body string) {
	d.row.TraceID, d.row.SpanID = [16]byte{}, [8]byte{}
	if len(rec.spanID) == len(d.row.SpanID) {
		copy(d.row.SpanID[:], rec.spanID)
	}
	if len(rec.traceID) == len(d.row.TraceID) {
		copy(d.row.TraceID[:], rec.traceID)
	}
	if d.row.TraceID == [16]byte{} {
		d.row.TraceID, _ = level.FindTraceID(body)
	}
}

// recordTime is when the event happened, else when it was observed, else now.
func (d *logsDecoder) recordTime(rec *record) int64 {
	switch {
	case rec.timeNano != 0:
		return nanoTime(rec.timeNano)
	case rec.observedNano != 0:
		return nanoTime(rec.observedNano)
	}
	return d.req.Now.UnixNano()
}

// recordLevel trusts the number first, because the text is the sender's free choice of words.
func recordLevel(rec *record, body string) seamark.Level {
	if l := seamark.LevelOfSeverity(rec.severityNumber); l != seamark.LevelUnknown {
		return l
	}
	if l := level.Parse(rec.severityText); l != seamark.LevelUnknown {
		return l
	}
	return level.DetectLevel(body)
}
