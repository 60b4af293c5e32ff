// Package audit turns the webhook batches of the Kubernetes API server's audit log (audit.k8s.io/v1 EventList, JSON) into a
// seamark.Batch and does nothing else. An audit event becomes a line of the stream
// {signal="audit", service_name="kube-apiserver", cluster, namespace, verb}: the body is the event as it was sent, and what
// people search for is an attribute beside it. Package ingest imports it.
package audit

import (
	"strconv"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options configures one call of Decode.
type Options struct {
	// Now is the time of events that tell none.
	Now time.Time
	// Seen, when set, reports whether an event is stored already: the API server repeats a batch whose answer it missed, and
	// tells each stage of a request once.
	Seen func(id uint64) bool
}

// Service is the service name of the audit stream.
const Service = "kube-apiserver"

// Decode reads one EventList, or a single Event, and appends its events to b, whose strings alias body. It returns the ids, hashes of auditID and stage,
// of the events that were appended; the caller remembers them once they are stored. An event that cannot be used is counted
// in b.Rejected and its neighbours are kept; a body that is neither form is an error of kind Invalid.
func Decode(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) ([]uint64, error) {
	d := decoder{cat: cat, batch: b, opts: o}
	kind, items := "", []byte(nil)
	err := record.Members(body, func(key string, value []byte) error {
		switch key {
		case "kind":
			kind, _ = record.Unquote(value)
		case "items":
			items = value
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case kind == "Event":
		return d.ids, d.event(body)
	case kind != "EventList":
		return nil, seamark.Errorf(seamark.Invalid, "seamark-audit-kind",
			"The body is of kind %.40q; the audit webhook takes an EventList or an Event of audit.k8s.io/v1.", kind)
	case len(items) == 0 || string(items) == "null":
		return nil, nil
	}
	err = record.Elements(items, d.event)
	return d.ids, err
}

// decoder is the state of one call.
type decoder struct {
	cat   seamark.Catalog
	batch *seamark.Batch
	opts  Options
	ids   []uint64
	attrs []seamark.Label
	key   []byte
	last  struct { // the stream of the event before, which is mostly the next one's too
		key uint64
		ref uint32
		ok  bool
	}
}

// event is what is read of one audit event.
type event struct {
	id, stage, level, verb, uri, agent string
	user, impersonated, source         string
	resource, group, version           string
	subresource, namespace, name       string
	decision, reason                   string
	code                               string
	at, received                       time.Time
}

func (d *decoder) event(raw []byte) error {
	if err := d.batch.Reserve(seamark.LogRowBytes + attrCount*seamark.LabelBytes); err != nil {
		return err
	}
	var e event
	if err := e.read(raw); err != nil {
		return err
	}
	if e.id == "" || e.verb == "" {
		d.batch.Rejected.Add(seamark.Logs, 1, "seamark-audit-event", "An item has no auditID or no verb, so it is no audit event.")
		return nil
	}
	d.key = append(append(append(d.key[:0], e.id...), 0xff), e.stage...)
	id := xxhash.Sum64(d.key)
	if d.opts.Seen != nil && d.opts.Seen(id) || contains(d.ids, id) {
		return nil
	}
	ref, err := d.stream(&e)
	if err != nil {
		fault, ok := record.Refused(err)
		if !ok {
			return err
		}
		d.batch.Rejected.Add(seamark.Logs, 1, fault.ID, fault.Message)
		return nil
	}
	d.attrs = e.appendAttrs(d.attrs[:0])
	d.batch.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: e.time(d.opts.Now).UnixNano(), Level: e.severity(), Body: unsafe.String(unsafe.SliceData(raw), len(raw)), Attrs: d.attrs})
	d.ids = append(d.ids, id)
	return nil
}

// contains looks through the ids of this batch, of which the API server sends 400 at most by default.
func contains(ids []uint64, id uint64) bool {
	for _, have := range ids {
		if have == id {
			return true
		}
	}
	return false
}

func (d *decoder) stream(e *event) (uint32, error) {
	d.key = append(append(append(append(d.key[:0], "audit\xff"...), e.namespace...), 0xff), e.verb...)
	key := xxhash.Sum64(d.key)
	if d.last.ok && d.last.key == key {
		return d.last.ref, nil
	}
	series := d.cat.Find(key)
	if series == nil {
		var err error
		series, err = d.cat.Create(key, seamark.LogStream, []seamark.Label{
			{Name: "signal", Value: "audit"}, {Name: "service_name", Value: Service}, {Name: "namespace", Value: e.namespace}, {Name: "verb", Value: e.verb},
		})
		if err != nil {
			return 0, err
		}
	}
	d.last.key, d.last.ref, d.last.ok = key, d.batch.Logs.AddStream(series), true
	return d.last.ref, nil
}

// time is when the stage was reached, else when the request came.
func (e *event) time(now time.Time) time.Time {
	for _, at := range []time.Time{e.at, e.received} {
		if !at.IsZero() {
			return at
		}
	}
	return now
}

// severity tells refusals and failures from the rest.
func (e *event) severity() seamark.Level {
	switch code, _ := strconv.Atoi(e.code); {
	case e.stage == "Panic":
		return seamark.LevelCritical
	case code >= 500:
		return seamark.LevelError
	case code == 401 || code == 403 || e.decision == "forbid":
		return seamark.LevelWarn
	}
	return seamark.LevelInfo
}

// attrCount is the most attributes that an event has.
const attrCount = 17

func (e *event) appendAttrs(dst []seamark.Label) []seamark.Label {
	for _, a := range [attrCount]seamark.Label{
		{Name: "audit_id", Value: e.id}, {Name: "stage", Value: e.stage}, {Name: "audit_level", Value: e.level}, {Name: "user", Value: e.user},
		{Name: "impersonated_user", Value: e.impersonated}, {Name: "source_ip", Value: e.source}, {Name: "user_agent", Value: e.agent},
		{Name: "uri", Value: e.uri}, {Name: "resource", Value: e.resource}, {Name: "api_group", Value: e.group}, {Name: "api_version", Value: e.version},
		{Name: "subresource", Value: e.subresource}, {Name: "name", Value: e.name}, {Name: "code", Value: e.code},
		{Name: "decision", Value: e.decision}, {Name: "reason", Value: e.reason},
	} {
		if a.Value != "" {
			dst = append(dst, a)
		}
	}
	return dst
}
