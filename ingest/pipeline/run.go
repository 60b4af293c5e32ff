package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ErrorAttribute is the attribute of a record that a step failed on: the step's name and the cause.
const ErrorAttribute = "_pipeline_error"

const (
	// maxNewStreams bounds the streams that one batch may be moved to. Without it a label from a request id makes a stream
	// of each record.
	maxNewStreams = 1000
	// maxKeptLabels is what a run keeps of its memory for attributes; more is left to the collector.
	maxKeptLabels = 1 << 16
	// maxCauseBytes is what is kept of an error's text.
	maxCauseBytes = 256
)

// run is one batch on its way through the steps. Steps work on the batch's columns in place; removed rows and attributes,
// which stand packed in the batch, are kept aside and settled once at the end.
type run struct {
	p       *Pipeline
	ctx     context.Context
	cat     seamark.Catalog
	batch   *seamark.Batch
	record  *record
	started time.Time
	spent   bool  // the time budget for OTTL is used up
	over    error // why no step but built-in redaction goes on; see tick
	work    int   // bytes since the last look at the clock
	failed  error // ends the batch: there is no memory for its rows
	digest  *xxhash.Digest

	gone    []bool            // per row, whether a step removed it; nil while none is
	removed int               // rows in gone
	own     []uint32          // per row: 1 + its index in sets, 0 for the batch's own attributes; nil while none differ
	sets    [][]seamark.Label // attributes that differ, parts of arena
	arena   []seamark.Label
	spare   []seamark.Label // memory for the settled attributes, swapped with the batch's
	ends    []uint32

	routes     map[route]uint32 // where steps move the records of streams
	lastRoute  route            // the last answer of routes, and what it was
	lastTo     uint32
	refs       map[*seamark.Series]uint32 // the batch's streams that rows were moved to
	newStreams int
	labels     []seamark.Label // scratch
	text       []byte          // scratch
	metrics    metricTally
	tally      []tally  // per step
	current    int      // number of the step at work
	observer   observer // nil outside dry runs
}

func newRun() *run {
	return &run{record: newRecord(), digest: xxhash.New(), refs: map[*seamark.Series]uint32{}, routes: map[route]uint32{}, metrics: newMetricTally()}
}

// begin readies the run for a batch.
func (w *run) begin(ctx context.Context, p *Pipeline, cat seamark.Catalog, b *seamark.Batch) {
	w.p, w.ctx, w.cat, w.batch, w.started = p, ctx, cat, b, p.opts.Now()
	w.tally = append(w.tally[:0], make([]tally, len(p.steps))...)
	w.record.open()
}

// end lets go of the batch and keeps the memory.
func (w *run) end() {
	w.record.close()
	clear(w.sets)
	clear(w.arena)
	clear(w.spare)
	clear(w.refs)
	clear(w.routes)
	clear(w.labels[:cap(w.labels)])
	w.metrics.reset()
	*w = run{
		record: w.record, digest: w.digest, sets: w.sets[:0], arena: w.arena[:0], spare: w.spare[:0], ends: w.ends[:0],
		refs: w.refs, routes: w.routes, labels: w.labels[:0], text: w.text[:0], metrics: w.metrics, tally: w.tally,
	}
	if cap(w.arena) > maxKeptLabels || cap(w.spare) > maxKeptLabels {
		w.arena, w.spare = nil, nil
	}
}

// dropped reports whether row i was removed.
func (w *run) dropped(i int) bool { return len(w.gone) > 0 && w.gone[i] }

func (w *run) drop(i int) {
	if w.gone == nil {
		w.gone = make([]bool, w.batch.Logs.Len())
	}
	w.gone[i] = true
	w.removed++
}

// attrs returns the attributes of row i as they are by now.
func (w *run) attrs(i int) []seamark.Label {
	if len(w.own) > 0 && w.own[i] != 0 {
		return w.sets[w.own[i]-1]
	}
	return w.batch.Logs.AttrsOf(i)
}

// setAttrs replaces the attributes of row i by a copy of attrs.
func (w *run) setAttrs(i int, attrs []seamark.Label) error {
	bytes := 0
	for _, l := range attrs {
		bytes += seamark.LabelBytes + len(l.Value)
	}
	if err := w.reserve(bytes); err != nil {
		return err
	}
	start := len(w.arena)
	w.arena = append(w.arena, attrs...)
	set := w.arena[start:len(w.arena):len(w.arena)]
	if w.own == nil {
		w.own = make([]uint32, w.batch.Logs.Len())
	}
	if at := w.own[i]; at != 0 {
		w.sets[at-1] = set
		return nil
	}
	w.sets = append(w.sets, set)
	w.own[i] = uint32(len(w.sets))
	return nil
}

// copied returns a copy of attrs in scratch memory.
func (w *run) copied(attrs []seamark.Label) []seamark.Label {
	w.labels = append(w.labels[:0], attrs...)
	return w.labels
}

// reserve asks for memory; an error ends the batch, and the sender tries again.
func (w *run) reserve(bytes int) error {
	if err := w.batch.Reserve(bytes); err != nil {
		w.failed = err
		return err
	}
	return nil
}

// fail notes on row i why a step could not do its work.
func (w *run) fail(i int, s *step, cause error) {
	attrs := w.attrs(i)
	for k := range attrs {
		if attrs[k].Name == ErrorAttribute {
			return // the first failure is the one to look at
		}
	}
	text := cause.Error()
	if len(text) > maxCauseBytes {
		text = text[:maxCauseBytes] + "..."
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	w.labels = append(append(w.labels[:0], attrs...), seamark.Label{Name: ErrorAttribute, Value: s.name + ": " + text})
	_ = w.setAttrs(i, w.labels) // its only error is in w.failed
}

// settle brings the batch's columns to what the steps decided. A batch without removed rows and changed attributes stays
// as it is.
func (w *run) settle() {
	if w.removed == 0 && w.own == nil {
		return
	}
	l := &w.batch.Logs
	packed, to := w.spare[:0], 0
	w.ends = w.ends[:0]
	for i := range l.TimeNano {
		if w.dropped(i) {
			continue
		}
		packed = append(packed, w.attrs(i)...)
		if to != i {
			l.Stream[to], l.TimeNano[to], l.Level[to], l.Body[to] = l.Stream[i], l.TimeNano[i], l.Level[i], l.Body[i]
			l.TraceID[to], l.SpanID[to] = l.TraceID[i], l.SpanID[i]
		}
		w.ends = append(w.ends, uint32(len(packed)))
		to++
	}
	clear(l.Body[to:])
	copy(l.AttrEnd, w.ends)
	l.Stream, l.TimeNano, l.Level, l.Body = l.Stream[:to], l.TimeNano[:to], l.Level[:to], l.Body[:to]
	l.TraceID, l.SpanID, l.AttrEnd = l.TraceID[:to], l.SpanID[:to], l.AttrEnd[:to]
	l.Attrs, w.spare = packed, l.Attrs
}

// pipelineKeys sets the keys under which moved streams are interned apart from the decoders' keys.
const pipelineKeys = 0x9e3779b97f4a7c15

// keyOf returns the key that a label set is interned under.
func (w *run) keyOf(labels []seamark.Label, kind uint64) uint64 {
	w.digest.ResetWithSeed(pipelineKeys ^ kind)
	for _, l := range labels {
		_, _ = w.digest.WriteString(l.Name)
		_, _ = w.digest.Write([]byte{0xff})
		_, _ = w.digest.WriteString(l.Value)
		_, _ = w.digest.Write([]byte{0xfe})
	}
	return w.digest.Sum64()
}

// streamOf returns the batch's number of the stream with the given labels, which it may change.
func (w *run) streamOf(labels []seamark.Label) (uint32, error) {
	seamark.SortLabels(labels)
	key := w.keyOf(labels, uint64(seamark.LogStream))
	series := w.cat.Find(key)
	if series == nil {
		var err error
		if series, err = w.cat.Create(key, seamark.LogStream, labels); err != nil {
			return 0, err
		}
	}
	if ref, ok := w.refs[series]; ok {
		return ref, nil
	}
	if w.newStreams++; w.newStreams > maxNewStreams {
		return 0, fmt.Errorf("the batch would be spread over more than %d streams. Use attributes for what has many values", maxNewStreams)
	}
	if err := w.reserve(seamark.SeriesBytes); err != nil {
		return 0, err
	}
	ref := w.batch.Logs.AddStream(series)
	w.refs[series] = ref
	return ref, nil
}
