package record

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Options says how the records of one request are read.
type Options struct {
	// Now is the time of records that tell none.
	Now time.Time
	// MaxAttrs bounds the attributes of a row; what is over it is left out and counted in the attribute
	// _dropped_attributes. Zero means seamark.DefaultLimits().MaxAttrs. Without it a record of a thousand fields costs what
	// a thousand records do.
	MaxAttrs int
	// Mapping says what the sender's own names mean; nil leaves all to the known spellings.
	Mapping *Mapping
	// NoDetection leaves the body unread: level and trace id are then only what fields tell.
	NoDetection bool
}

// droppedAttr counts the attributes that were left out of a row.
const droppedAttr = "_dropped_attributes"

// Builder builds rows, one record after the other. It is reused and not safe for concurrent use. Values that are handed
// to it go into the batch as they are, so they stay valid and unchanged as long as the batch is used; paths are copied.
type Builder struct {
	now         int64
	maxAttrs    int
	noDetection bool

	mapping Mapping
	names   nameCache
	arena   arena
	scan    scanner
	path    []byte // path of the JSON value that is being read
	key     []byte // scratch of the stream's key
	labels  []seamark.Label
	streams streamRefs

	// What follows is the current record's.
	slots     [slotCount]slot
	defaults  [labelCount]string
	extra     [MaxLabelFields]string // of the mapping's labels that the normal form does not have
	attrs     []seamark.Label
	dropped   int
	position  int // of the next field, for the name cache
	raw       []byte
	fields    []field // the record's fields where it did not come as one JSON text
	body      string
	hasBody   bool // SetBody was called, or a body field was there if only to be empty
	setBody   bool
	setTime   bool
	nanos     int64
	timeRank  uint8 // of the field that gave nanos; 0 for SetTime, noRank for none
	level     seamark.Level
	levelRank uint8 // of the field that gave level, noRank for none
	ids       seamark.LogRow
}

// slot holds the best value so far of one part of the normal form; its entry is nil while there is none.
type slot struct {
	value string
	entry *entry
}

// field is one field of a record under its own name.
type field struct {
	entry *entry
	value string
}

// noRank is worse than every rank.
const noRank = 0xff

// New returns a Builder for a request with the given options; Begin gives it those of the next one.
func New(o Options) *Builder {
	b := &Builder{}
	b.Begin(o)
	return b
}

// Begin takes the options of a request and starts its first record.
func (b *Builder) Begin(o Options) {
	b.now, b.noDetection = o.Now.UnixNano(), o.NoDetection
	if b.maxAttrs = o.MaxAttrs; b.maxAttrs <= 0 {
		b.maxAttrs = seamark.DefaultLimits().MaxAttrs
	}
	mapping := o.Mapping
	if mapping == nil {
		mapping = new(Mapping)
	}
	if !mapping.equal(&b.mapping) { // what names are known to mean holds for one mapping
		b.mapping = mapping.clone()
		b.names = nameCache{mapping: &b.mapping}
	}
	b.Reset()
}

// maxScratch bounds what scratch memory a Builder keeps. Without it one freak record makes every later request pay.
const maxScratch = 4096

// Release lets go of the request, so that a pooled Builder pins neither its body nor its batch. Decoders call it when they
// are done; the Builder is usable again after Begin.
func (b *Builder) Release() {
	b.Reset()
	clear(b.labels[:cap(b.labels)])
	clear(b.attrs[:cap(b.attrs)])
	clear(b.fields[:cap(b.fields)])
	b.streams.release()
	b.scan = scanner{}
	if cap(b.path) > maxScratch {
		b.path = nil
	}
	if cap(b.key) > maxScratch {
		b.key = nil
	}
}

// Reset starts a new record. What was added to the last one and not flushed is forgotten.
func (b *Builder) Reset() {
	clear(b.slots[:])
	clear(b.defaults[:])
	clear(b.extra[:])
	b.attrs, b.fields = b.attrs[:0], b.fields[:0]
	b.dropped, b.position = 0, 0
	b.raw, b.body = nil, ""
	b.hasBody, b.setBody, b.setTime = false, false, false
	b.nanos, b.timeRank = 0, noRank
	b.level, b.levelRank = seamark.LevelUnknown, noRank
	b.ids.TraceID, b.ids.SpanID = [16]byte{}, [8]byte{}
}

// Add adds one scalar. The path has dots where the sender nests ("kubernetes.pod_name", "k8s.pod.name"). Numbers and
// booleans come as their text. An empty value is the same as none, but for the body, which may be empty.
func (b *Builder) Add(path, value string) {
	if len(path) > maxPathBytes || path == "" {
		b.dropped++
		return
	}
	e := b.names.findString(b.position, path)
	b.position++
	if !isASCII(value) && !utf8.ValidString(value) {
		value = strings.ToValidUTF8(value, "\uFFFD")
	}
	b.put(e, value)
}

// AddJSON adds a JSON value. The members of objects are added under their names behind path and a dot, arrays become
// attributes as JSON text, null is left out. With the path "" raw is the record itself: an object's members are its fields, and
// its text is the body when no field is one; a scalar or an array is the body. Raw is not changed and must not be while
// the batch is used. The error is Invalid seamark-record-json, with the byte of raw at which it stopped; the record is
// then incomplete, and the caller resets it.
func (b *Builder) AddJSON(path string, raw []byte) error {
	if _, err := b.ReadJSON(path, raw); err != nil {
		return err
	}
	return b.scan.end()
}

// SetTime sets when the record was written, in nanoseconds since 1970, where the protocol itself tells it. It goes before
// every field; zero means unknown.
func (b *Builder) SetTime(nanos int64) {
	if nanos != 0 {
		b.nanos, b.timeRank, b.setTime = nanos, 0, true
	}
}

// SetBody sets the line where the protocol itself tells it. Fields that would have been the body become attributes.
func (b *Builder) SetBody(s string) {
	if !isASCII(s) && !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	b.body, b.setBody, b.hasBody = s, true, true
}

// SetLevel sets the severity where the protocol itself tells it, as a word or as a digit of syslog. It goes before every
// field, unless the word names no level.
func (b *Builder) SetLevel(word string) {
	if l := levelOfText(word); l != seamark.LevelUnknown {
		b.level, b.levelRank = l, 0
	}
}

// SetDefault sets a stream label that holds where no field of the record gives one. A name that is no stream label's
// becomes an attribute.
func (b *Builder) SetDefault(label, value string) {
	for i, name := range labelNames {
		if name == label {
			b.defaults[i] = strings.ToValidUTF8(value, "\uFFFD")
			return
		}
	}
	b.Add(label, value)
}

// put adds the value of the field that e describes. It is UTF-8.
func (b *Builder) put(e *entry, value string) {
	if b.raw == nil && len(b.fields) < b.maxAttrs {
		b.fields = append(b.fields, field{e, value})
	}
	switch e.slot {
	case noSlot:
		b.addAttr(e.name, value)
	case bodySlot:
		b.putBody(e, value)
	case timeSlot:
		b.putTime(e, value)
	case levelSlot, severitySlot, statusSlot:
		b.putLevel(e, value)
	case traceSlot:
		b.putTrace(e, value)
	case spanSlot:
		b.putSpan(e, value)
	case extraSlot:
		b.extra[e.rank] = value
	default:
		if e.keep {
			b.addAttr(e.name, value)
		}
		b.putSlot(e, value)
	}
}

// maxNameBytes bounds what counts as a name; Kubernetes' have 253 bytes at most. A longer text under a plain word such as
// "service" is a program's own matter, and the catalogue would refuse the whole line for it.
const maxNameBytes = 1024

// putSlot keeps the value with the better rank in its slot; the other one is an attribute like any.
func (b *Builder) putSlot(e *entry, value string) {
	if value == "" {
		return
	}
	if e.slot <= hostSlot && e.rank > 0 && len(value) > maxNameBytes {
		b.addAttr(e.name, value)
		return
	}
	s := &b.slots[e.slot]
	old := *s
	if old.entry != nil && old.entry.rank <= e.rank {
		old = slot{value, e}
	} else {
		*s = slot{value, e}
	}
	if old.entry != nil && !old.entry.keep {
		b.addAttr(old.entry.name, old.value)
	}
}

// putBody is putSlot for the body. Logstash and Filebeat repeat the message as event.original, which is not kept twice.
func (b *Builder) putBody(e *entry, value string) {
	b.hasBody = true
	if s := &b.slots[bodySlot]; s.entry == nil || s.value != value {
		b.putSlot(e, value)
	}
}

func (b *Builder) putTime(e *entry, value string) {
	format := TimeFormat{}
	if e.path == b.mapping.Time {
		format = b.mapping.TimeFormat
	}
	nanos, ok := format.Parse(value)
	if !ok || b.timeRank <= e.rank {
		b.addAttr(e.name, value)
		return
	}
	if s := b.slots[timeSlot]; s.entry != nil {
		b.addAttr(s.entry.name, s.value)
	}
	b.slots[timeSlot] = slot{value, e}
	b.nanos, b.timeRank = nanos, e.rank
}

// putLevel keeps the word as an attribute as well, as OTLP's severity_text and Loki's level are: loggers have words that
// the scale has not.
func (b *Builder) putLevel(e *entry, value string) {
	b.addAttr(e.name, value)
	if b.levelRank <= e.rank {
		return
	}
	l := seamark.LevelUnknown
	switch e.slot {
	case severitySlot:
		l = levelOfSeverity(value)
	case statusSlot: // an HTTP status is none
		l = level.Parse(value)
	default:
		l = levelOfText(value)
	}
	if l != seamark.LevelUnknown {
		b.level, b.levelRank = l, e.rank
	}
}

// putTrace takes 32 hex digits. An id of another form, as of X-Ray, and a second one stay attributes.
func (b *Builder) putTrace(e *entry, value string) {
	id, ok := level.ParseTraceID(value)
	switch {
	case ok && b.ids.TraceID == [16]byte{}:
		b.ids.TraceID = id
	case !ok || b.ids.TraceID != id:
		b.addAttr(e.name, value)
	}
}

func (b *Builder) putSpan(e *entry, value string) {
	id, ok := level.ParseSpanID(value)
	switch {
	case ok && b.ids.SpanID == [8]byte{}:
		b.ids.SpanID = id
	case !ok || b.ids.SpanID != id:
		b.addAttr(e.name, value)
	}
}

func (b *Builder) addAttr(name, value string) {
	switch {
	case value == "":
	case len(b.attrs) >= b.maxAttrs:
		b.dropped++
	default:
		b.attrs = append(b.attrs, seamark.Label{Name: name, Value: value})
	}
}

// Refused tells whether err, which Flush or AddJSON returned, concerns the one record alone, so that its neighbours are
// kept. Other errors end the request.
func Refused(err error) (*seamark.Error, bool) {
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.Kind != seamark.Invalid {
		return nil, false
	}
	return e, true
}
