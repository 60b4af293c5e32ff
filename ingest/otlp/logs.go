package otlp

import (
	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// logsDecoder is what one ExportLogsServiceRequest is decoded with. Between requests it keeps memory and names, nothing else.
type logsDecoder struct {
	wire
	req     *Request
	limits  Limits
	batch   *seamark.Batch
	names   nameCache
	streams map[*seamark.Series]uint32

	parsed   bool           // resource holds the current resource
	opened   bool           // the current resource's stream was looked up
	refused  *seamark.Error // why the catalogue refused it, if it did
	based    bool           // base holds the metadata of the current scope
	parts    [][]byte       // the occurrences of the current Resource
	scope    [][]byte       // and of the current InstrumentationScope
	resource resourceAttrs
	base     []seamark.Label // structured metadata that the records of the current scope share
	row      seamark.LogRow
	labels   []seamark.Label
}

func newLogsDecoder() *logsDecoder {
	return &logsDecoder{names: nameCache{build: attrName}, streams: make(map[*seamark.Series]uint32)}
}

func (d *logsDecoder) decode(r *Request, batch *seamark.Batch) error {
	body, err := protobufOf(r, batch, logsFromJSON)
	if err != nil {
		return err
	}
	d.body, d.req, d.batch, d.limits = body, r, batch, r.Limits.withDefaults()
	defer d.release()
	return d.eachOf("ExportLogsServiceRequest", body, 1, d.resourceLogs)
}

// release lets go of the request, so that a pooled decoder does not pin its body.
func (d *logsDecoder) release() {
	clear(d.streams)
	*d = logsDecoder{
		names: d.names, streams: d.streams, parts: emptied(d.parts), scope: emptied(d.scope), base: emptied(d.base),
		labels: emptied(d.labels), resource: resourceAttrs{rest: emptied(d.resource.rest)},
		row: seamark.LogRow{Attrs: emptied(d.row.Attrs)},
	}
}

func (d *logsDecoder) resourceLogs(src []byte) error {
	var scopes uint32
	var err error
	if d.parts, scopes, err = d.findParts("ResourceLogs", src, d.parts[:0]); err != nil {
		return err
	}
	d.parsed, d.opened, d.refused = false, false, nil
	return d.eachOf("ResourceLogs", src, scopes, d.scopeLogs)
}

func (d *logsDecoder) scopeLogs(src []byte) error {
	var err error
	if d.scope, _, err = d.findParts("ScopeLogs", src, d.scope[:0]); err != nil {
		return err
	}
	d.based = false
	return d.eachOf("ScopeLogs", src, 2, d.logRecord)
}

// readResource parses the current resource once for all its records.
func (d *logsDecoder) readResource() error {
	if d.parsed {
		return nil
	}
	err := d.parseResource(d.parts, &d.resource)
	d.parsed = err == nil
	return err
}

// openStream finds or creates the current resource's stream. It waits for the first line: resources without lines, such
// as those of Kubernetes events, are not worth a stream. false says that the catalogue refused it, and counts the line.
func (d *logsDecoder) openStream() (bool, error) {
	if !d.opened {
		if err := d.findStream(); err != nil {
			return false, err
		}
	}
	if d.refused != nil {
		d.batch.Rejected.Add(seamark.Logs, 1, d.refused.ID, d.refused.Message)
	}
	return d.refused == nil, nil
}

// findStream sets the stream of the current resource's rows; d.refused says that the catalogue refused it.
func (d *logsDecoder) findStream() error {
	d.opened = true
	if err := d.readResource(); err != nil {
		return err
	}
	key := hashParts(seedStream, d.parts)
	series := d.req.Catalog.Find(key)
	if series == nil {
		var err error
		d.labels = d.resource.appendStreamLabels(d.labels[:0])
		series, err = d.req.Catalog.Create(key, seamark.LogStream, d.labels)
		if rejected, ok := rejection(err); ok {
			d.refused = rejected
			return nil
		}
		if err != nil {
			return err
		}
	}
	ref, ok := d.streams[series]
	if !ok {
		ref = d.batch.Logs.AddStream(series)
		d.streams[series] = ref
	}
	d.row.Stream = ref
	return nil
}

// openScope collects the metadata of the current scope and resource in d.base, once for all its lines.
func (d *logsDecoder) openScope() error {
	if d.based {
		return nil
	}
	d.based, d.base = true, d.base[:0]
	var fc easyproto.FieldContext
	var err error
	for _, src := range d.scope {
		for len(src) > 0 {
			if src, err = fc.NextField(src); err != nil {
				return d.broken("InstrumentationScope", src, err)
			}
			if err := d.scopeField(&fc, src); err != nil {
				return err
			}
		}
	}
	d.resource.eachOther(d.addBase)
	return nil
}

// addBase appends a pair unless its name is taken: the scope comes before the resource. More pairs than a record may
// have need not be kept, because the records are refused anyway.
func (d *logsDecoder) addBase(key, value string) {
	if key == "" || value == "" || len(d.base) > d.limits.MaxAttrs {
		return
	}
	if name := d.names.find(key); !hasName(d.base, name) {
		d.base = append(d.base, seamark.Label{Name: name, Value: value})
	}
}

func (d *logsDecoder) scopeField(fc *easyproto.FieldContext, after []byte) error {
	ok := true
	var text string
	switch fc.FieldNum {
	case 1:
		text, ok = fc.String()
		d.addBase("scope_name", text)
	case 2:
		text, ok = fc.String()
		d.addBase("scope_version", text)
	case 3:
		var data []byte
		if data, ok = fc.MessageData(); ok {
			var a attribute
			if err := d.parseAttribute(data, &a); err != nil {
				return err
			}
			text, err := d.text(&a.val)
			if err != nil {
				return err
			}
			d.addBase(a.key, text)
		}
	}
	if !ok {
		return d.mistyped("InstrumentationScope", fc.FieldNum, after)
	}
	return nil
}
