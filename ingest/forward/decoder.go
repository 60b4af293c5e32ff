package forward

import (
	"strings"
	"time"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DecodeOptions says how entries are made rows.
type DecodeOptions struct {
	// Now is the time of entries that tell none.
	Now time.Time
	// MaxAttrs bounds the attributes of a row; 0 means seamark.DefaultLimits().MaxAttrs.
	MaxAttrs int
	// Full, when set, is asked after each row and makes Decode return early, so that a large message is pushed in parts.
	Full func() bool
}

// Decoder makes rows of entries. It keeps scratch memory and is not safe for concurrent use; make one with NewDecoder.
type Decoder struct {
	builder *record.Builder
	text    textArena
	path    []byte
	json    []byte
}

// NewDecoder makes a Decoder.
func NewDecoder() *Decoder { return &Decoder{builder: record.New(record.Options{})} }

// Reasons for refusing an entry or what is left of a message.
const (
	badEntryID   = "seamark-forward-entry"
	badEntriesID = "seamark-forward-entries"
	badDepthID   = "seamark-forward-depth"
	badSizeID    = "seamark-forward-size"
)

// Decode appends the entries of f to b as rows whose strings alias the bytes of f. It reads on where the last call for the
// same f has stopped; more tells that there is something left because o.Full said so. Entries that cannot be kept are
// counted in b.Rejected, as is what the sender has announced and not sent.
//
// The error is Invalid seamark-forward-entries when not even the first entry can be read, or that of b's memory, after
// which b holds a part of the message.
func (d *Decoder) Decode(f *Frame, cat seamark.Catalog, b *seamark.Batch, o DecodeOptions) (more bool, err error) {
	d.builder.Begin(record.Options{Now: o.Now, MaxAttrs: o.MaxAttrs})
	defer d.builder.Release()
	tag := tagOf(f.Tag)
	for f.left != 0 && (f.left > 0 || f.entries.at < len(f.entries.buf)) {
		at := f.entries.at
		e, ok := f.next()
		if !ok {
			return false, d.malformed(f, b, at)
		}
		f.seen++
		if f.left > 0 {
			f.left--
		}
		if err := d.entry(f, &e, &tag, cat, b); err != nil {
			return false, err
		}
		if o.Full != nil && o.Full() {
			return true, nil
		}
	}
	if missing := f.Missing(); missing > 0 {
		b.Rejected.Add(seamark.Logs, missing, badSizeID,
			seamark.Errorf(seamark.Invalid, badSizeID, "A message says that it has %d entries and has %d.", f.Size, f.seen).Message)
	}
	return false, nil
}

// malformed gives up the rest of a message, which cannot be told apart any more.
func (d *Decoder) malformed(f *Frame, b *seamark.Batch, at int) error {
	err := seamark.Errorf(seamark.Invalid, badEntriesID,
		"Entry %d of a message with the tag %.64q, at byte %d of its entries, is not MessagePack; it and what follows it are not stored.", f.seen+1, f.Tag, at)
	f.left, f.entries = 0, reader{}
	if f.seen == 0 {
		return err
	}
	b.Rejected.Add(seamark.Logs, max(f.Missing(), 1), badEntriesID, err.Message)
	return nil
}

// entry is one event.
type entry struct {
	time     value
	metadata []byte // a map, or nil
	record   []byte
	fault    string // what is wrong with it, "" for nothing
}

// next reads one entry. ok is false when it is not MessagePack.
func (f *Frame) next() (e entry, ok bool) {
	r := &f.entries
	if f.single {
		raw, ok := r.skip()
		if !ok {
			return e, false
		}
		at := reader{buf: raw}
		e.time, _ = at.next()
		e.record, ok = r.skip()
		return e, ok
	}
	start := r.at
	array, ok := r.next()
	if !ok {
		return e, false
	}
	if array.kind != kindArray || array.count < 2 {
		r.at = start
		e.fault = "is not an array of time and record"
		return e, r.pass(1)
	}
	stamp, ok1 := r.skip()
	record, ok2 := r.skip()
	if !ok1 || !ok2 || !r.pass(array.count-2) {
		return e, false
	}
	e.record = record
	at := reader{buf: stamp}
	if e.time, _ = at.next(); e.time.kind == kindArray { // Fluent Bit since 2.1: [time, metadata]
		if e.time.count < 2 {
			e.fault = "has an array without a time and metadata"
			return e, true
		}
		first, _ := at.skip()
		e.metadata, _ = at.skip()
		at = reader{buf: first}
		e.time, _ = at.next()
	}
	return e, true
}

// entry appends one entry.
func (d *Decoder) entry(f *Frame, e *entry, tag *tag, cat seamark.Catalog, b *seamark.Batch) error {
	nanos, marker := timeOf(e.time)
	switch marker {
	case groupStart:
		f.group = e.record
		return nil
	case groupEnd:
		f.group = nil
		return nil
	}
	if h, ok := parseHeader(e.record); e.fault == "" && (!ok || h.kind != kindMap) {
		e.fault = "has a record that is not a map"
	}
	if e.fault != "" {
		d.refuse(f, b, badEntryID, e.fault)
		return nil
	}
	r := d.builder
	r.SetTime(nanos)
	used := d.text.used
	deep := d.fields(e.record) || d.fields(e.metadata) || d.fields(f.metadata) || d.fields(f.group)
	if deep {
		r.Reset()
		d.refuse(f, b, badDepthID, "is nested deeper than 32 levels")
		return nil
	}
	tag.set(r)
	if err := b.Reserve(d.text.used - used); err != nil {
		return err
	}
	err := r.Flush(cat, b)
	if refused, ok := record.Refused(err); ok {
		b.Rejected.Add(seamark.Logs, 1, refused.ID, refused.Message)
		return nil
	}
	return err
}

func (d *Decoder) refuse(f *Frame, b *seamark.Batch, reason, what string) {
	b.Rejected.Add(seamark.Logs, 1, reason,
		seamark.Errorf(seamark.Invalid, reason, "Entry %d of a message with the tag %.64q %s.", f.seen, f.Tag, what).Message)
}

// tag is a message's tag and what it says about its entries.
type tag struct{ text, pod, namespace, container string }

// tagOf reads the identity from tags of tailed container logs, "kube.var.log.containers.<pod>_<namespace>_<container>-<id>.log",
// for agents that run without their Kubernetes filter. Names of pods and namespaces have no underscore.
func tagOf(text string) tag {
	t := tag{text: text}
	_, file, ok := strings.Cut(text, "var.log.containers.")
	if file, ok = cutTail(file, ok, ".log"); !ok {
		return t
	}
	const id = len("-") + 64 // of the container, in hex
	pod, rest, ok1 := strings.Cut(file, "_")
	namespace, container, ok2 := strings.Cut(rest, "_")
	if !ok1 || !ok2 || len(container) <= id || container[len(container)-id] != '-' {
		return t
	}
	t.pod, t.namespace, t.container = pod, namespace, container[:len(container)-id]
	return t
}

func cutTail(s string, ok bool, tail string) (string, bool) {
	rest, has := strings.CutSuffix(s, tail)
	return rest, ok && has
}

func (t *tag) set(r *record.Builder) {
	r.Add("tag", t.text)
	if t.pod != "" {
		r.SetDefault("pod", t.pod)
		r.SetDefault("namespace", t.namespace)
		r.SetDefault("container", t.container)
	}
}
