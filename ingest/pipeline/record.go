package pipeline

import (
	"errors"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// maxRecordBytes is the most text a record may have for OTTL. A pattern takes time by this, and nothing can stop one that
	// is running.
	maxRecordBytes = 64 << 10
	// maxGrownBytes is what statements may make of a record. Without it a line that doubles itself a few dozen times takes
	// all memory.
	maxGrownBytes = 256 << 10
	// maxDepth is how deep parsed values may be nested.
	maxDepth = 32
)

var (
	errTooLong = fmt.Errorf("the record has more than %d bytes, the limit for OTTL", maxRecordBytes)
	errGrown   = fmt.Errorf("the statements made the record larger than %d bytes", maxGrownBytes)
	errDepth   = fmt.Errorf("a value is nested more than %d deep", maxDepth)
)

// record is one row as OTTL sees it. It is reused from row to row.
type record struct {
	resource plog.ResourceLogs
	scope    plog.ScopeLogs
	log      plog.LogRecord
	cache    pcommon.Map
	ctx      tctx
	stream   *seamark.Series // whose labels stand in the resource, nil when they were touched
	labels   []seamark.Label // scratch for what comes back
}

func newRecord() *record {
	r := &record{cache: pcommon.NewMap()}
	r.resource = plog.NewLogs().ResourceLogs().AppendEmpty()
	r.scope = r.resource.ScopeLogs().AppendEmpty()
	r.log = r.scope.LogRecords().AppendEmpty()
	return r
}

// open makes the OTTL context; close gives it back.
func (r *record) open() {
	r.ctx = ottllog.NewTransformContext(r.resource, r.scope, r.log, ottllog.WithCache(&r.cache))
}

func (r *record) close() {
	r.ctx.Close()
	r.ctx, r.stream = nil, nil
	empty(r.cache)
	empty(r.log.Attributes())
	empty(r.resource.Resource().Attributes())
	r.log.Body().SetStr("")
	clear(r.labels[:cap(r.labels)])
}

// empty clears a map and keeps its memory.
func empty(m pcommon.Map) {
	if m.Len() > 0 {
		m.RemoveIf(func(string, pcommon.Value) bool { return true })
	}
}

// load brings row i into the record, with the parts that the caller's texts can touch.
func (r *record) load(w *run, i int, need parts) error {
	logs := &w.batch.Logs
	attrs, size := w.attrs(i), len(logs.Body[i])
	for k := range attrs {
		size += len(attrs[k].Name) + len(attrs[k].Value)
	}
	if size > maxRecordBytes {
		return errTooLong
	}
	r.log.Body().SetStr(logs.Body[i])
	r.log.SetTimestamp(pcommon.Timestamp(logs.TimeNano[i]))
	r.log.SetObservedTimestamp(0)
	r.log.SetSeverityNumber(severityOf(logs.Level[i]))
	r.log.SetSeverityText(severityText(logs.Level[i]))
	r.log.SetTraceID(pcommon.TraceID(logs.TraceID[i]))
	r.log.SetSpanID(pcommon.SpanID(logs.SpanID[i]))
	empty(r.cache)
	empty(r.log.Attributes())
	if need&attributePart != 0 {
		fill(r.log.Attributes(), attrs)
	}
	if stream := logs.Streams[logs.Stream[i]]; need&resourcePart != 0 && r.stream != stream {
		empty(r.resource.Resource().Attributes())
		fill(r.resource.Resource().Attributes(), stream.Labels)
		r.stream = stream
	}
	return nil
}

func fill(m pcommon.Map, labels []seamark.Label) {
	m.EnsureCapacity(len(labels))
	for _, l := range labels {
		m.PutStr(l.Name, l.Value)
	}
}

// size returns how much text the record holds by now; more than maxGrownBytes is not counted out.
func (r *record) size() int {
	n := sizeOf(r.log.Body(), 0) + len(r.log.SeverityText())
	for _, m := range []pcommon.Map{r.log.Attributes(), r.resource.Resource().Attributes(), r.cache} {
		n += sizeOfMap(m, n)
	}
	return n
}

func sizeOfMap(m pcommon.Map, before int) (n int) {
	for k, v := range m.All() {
		if n += len(k) + sizeOf(v, before+n); before+n > maxGrownBytes {
			break
		}
	}
	return n
}

// valueBytes is what a value costs without its text.
const valueBytes = 16

func sizeOf(v pcommon.Value, before int) int {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return len(v.Str())
	case pcommon.ValueTypeBytes:
		return v.Bytes().Len()
	case pcommon.ValueTypeMap:
		return valueBytes + sizeOfMap(v.Map(), before)
	case pcommon.ValueTypeSlice:
		n := valueBytes
		for _, e := range v.Slice().All() {
			if n += sizeOf(e, before+n); before+n > maxGrownBytes {
				break
			}
		}
		return n
	}
	return valueBytes
}

// store brings the record back to row i and reports whether anything is different. It checks everything before it changes
// anything, so that an error leaves the row as it was.
func (r *record) store(w *run, i int, need parts) (changed bool, err error) {
	logs := &w.batch.Logs
	body := textOf(r.log.Body())
	if len(body) > w.p.opts.Limits.MaxLineBytes {
		return false, fmt.Errorf("the body has %d bytes; the limit is %d (--ingest.max-line-bytes)", len(body), w.p.opts.Limits.MaxLineBytes)
	}
	at := int64(r.log.Timestamp())
	if at != logs.TimeNano[i] {
		if err := w.checkTime(at); err != nil {
			return false, err
		}
	}
	newAttrs := false
	if need&attributePart != 0 {
		if newAttrs, err = r.readAttrs(w, i); err != nil {
			return false, err
		}
	}
	stream := logs.Stream[i]
	if need&resourcePart != 0 {
		attrs := len(r.labels)
		if stream, err = r.readStream(w, i); err != nil {
			return false, err
		}
		r.labels = r.labels[:attrs]
	}
	if newAttrs {
		if err := w.setAttrs(i, r.labels); err != nil {
			return false, err
		}
	}
	level := levelAfter(r.log, logs.Level[i])
	trace, span := [16]byte(r.log.TraceID()), [8]byte(r.log.SpanID())
	changed = newAttrs || stream != logs.Stream[i] || body != logs.Body[i] || at != logs.TimeNano[i] || level != logs.Level[i] ||
		trace != logs.TraceID[i] || span != logs.SpanID[i]
	logs.Stream[i], logs.Body[i], logs.TimeNano[i], logs.Level[i] = stream, body, at, level
	logs.TraceID[i], logs.SpanID[i] = trace, span
	return changed, nil
}

// checkTime refuses a time that ingest would have refused.
func (w *run) checkTime(at int64) error {
	l := &w.p.opts.Limits
	if lo, hi := w.started.Add(-l.MaxAge).UnixNano(), w.started.Add(l.MaxFuture).UnixNano(); at < lo || at > hi {
		return fmt.Errorf("the time %s lies outside the window from %s behind to %s ahead of the server's clock",
			time.Unix(0, at).UTC().Format(time.RFC3339), l.MaxAge, l.MaxFuture)
	}
	return nil
}

// readAttrs leaves the record's attributes in r.labels and reports whether they differ from the row's.
func (r *record) readAttrs(w *run, i int) (changed bool, err error) {
	r.labels = r.labels[:0]
	if err := r.flatten("", r.log.Attributes(), 0); err != nil {
		return false, err
	}
	limits, old := &w.p.opts.Limits, w.attrs(i)
	if len(r.labels) > limits.MaxAttrs && len(r.labels) > len(old) {
		return false, fmt.Errorf("the record would have %d attributes; the limit is %d. Remove some with keep_keys or delete_key", len(r.labels), limits.MaxAttrs)
	}
	same := len(old) == len(r.labels)
	for k := range r.labels {
		l := &r.labels[k]
		if len(l.Name) > limits.MaxLabelNameBytes {
			return false, fmt.Errorf("an attribute name has %d bytes; the limit is %d", len(l.Name), limits.MaxLabelNameBytes)
		}
		same = same && *l == old[k]
	}
	if !same {
		seamark.SortLabels(r.labels) // the order of a map in a statement is another one each time
	}
	return !same, nil
}

// flatten appends a map's values to r.labels: maps under dotted names, lists as JSON, as the decoders of structured
// records do. Of two values under one name the first stays.
func (r *record) flatten(prefix string, m pcommon.Map, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	for k, v := range m.All() {
		name := prefix + k
		switch v.Type() {
		case pcommon.ValueTypeEmpty:
			continue
		case pcommon.ValueTypeMap:
			if err := r.flatten(name+".", v.Map(), depth+1); err != nil {
				return err
			}
			continue
		}
		if name == "" {
			return errors.New("an attribute has an empty name")
		}
		if !r.has(name) {
			r.labels = append(r.labels, seamark.Label{Name: name, Value: textOf(v)})
		}
		if len(r.labels) > maxFlat {
			return fmt.Errorf("the record has more than %d values", maxFlat)
		}
	}
	return nil
}

// maxFlat bounds the work of looking for a name among the others.
const maxFlat = 1024

func (r *record) has(name string) bool {
	for k := range r.labels {
		if r.labels[k].Name == name {
			return true
		}
	}
	return false
}

// textOf returns a value as text: what is no text becomes JSON.
func textOf(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeStr {
		return v.Str()
	}
	return v.AsString()
}

// readStream returns the stream that the record's resource names.
func (r *record) readStream(w *run, i int) (uint32, error) {
	logs, start := &w.batch.Logs, len(r.labels)
	old := logs.Streams[logs.Stream[i]].Labels
	m := r.resource.Resource().Attributes()
	same := m.Len() == len(old)
	for k, v := range m.All() {
		l := seamark.Label{Name: k, Value: textOf(v)}
		at := len(r.labels) - start
		same = same && at < len(old) && l == old[at]
		r.labels = append(r.labels, l)
	}
	if same {
		return logs.Stream[i], nil
	}
	r.stream = nil
	return w.streamOf(r.labels[start:])
}

// The severity numbers of the levels (OpenTelemetry logs data model).
func severityOf(l seamark.Level) plog.SeverityNumber {
	switch l {
	case seamark.LevelTrace:
		return plog.SeverityNumberTrace
	case seamark.LevelDebug:
		return plog.SeverityNumberDebug
	case seamark.LevelInfo:
		return plog.SeverityNumberInfo
	case seamark.LevelWarn:
		return plog.SeverityNumberWarn
	case seamark.LevelError:
		return plog.SeverityNumberError
	case seamark.LevelCritical:
		return plog.SeverityNumberFatal
	}
	return plog.SeverityNumberUnspecified
}

// severityText is the level's name, empty for a record without one.
func severityText(l seamark.Level) string {
	if l == seamark.LevelUnknown {
		return ""
	}
	return l.String()
}

// levelAfter returns the level that a record asks for: by its number when that was changed, else by its text.
func levelAfter(log plog.LogRecord, old seamark.Level) seamark.Level {
	if n := log.SeverityNumber(); n != severityOf(old) {
		return seamark.LevelOfSeverity(int32(n))
	}
	if t := log.SeverityText(); t != severityText(old) {
		return seamark.ParseLevel(t)
	}
	return old
}
