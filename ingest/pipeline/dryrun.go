package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// MaxDryRecords bounds the records of a dry run. Without it a dry run is a way to use the node as a calculator.
const MaxDryRecords = 100

// DryRun is a pipeline and records to try it on.
type DryRun struct {
	Pipeline Definition  `json:"pipeline"` // runs whether it is enabled or not
	Records  []DryRecord `json:"records"`
}

// DryRecord is one log record as people write it.
type DryRecord struct {
	Labels map[string]string `json:"labels"` // stream labels
	Level  string            `json:"level,omitempty"`
	Time   time.Time         `json:"time"` // now when it is left out
	Body   string            `json:"body"`
	Attrs  map[string]string `json:"attrs,omitempty"`
}

// DryReport is what a dry run did.
type DryReport struct {
	Records []DryTrace  `json:"records"`
	Metrics []DrySample `json:"metrics"` // what metric steps would write
}

// DryTrace is the way of one record through the steps.
type DryTrace struct {
	Steps  []DryStep  `json:"steps"`            // until it was removed
	Result *DryRecord `json:"result,omitempty"` // what would be stored; absent when a step removed it
}

// DryStep is what one step did with a record. Before and After are there when it changed it.
type DryStep struct {
	Step    string     `json:"step"`
	Kind    Kind       `json:"kind"`
	Changed bool       `json:"changed"`
	Dropped bool       `json:"dropped"`
	Error   string     `json:"error,omitempty"`
	Before  *DryRecord `json:"before,omitempty"`
	After   *DryRecord `json:"after,omitempty"`
}

// DrySample is one metric sample.
type DrySample struct {
	Labels map[string]string `json:"labels"`
	Time   time.Time         `json:"time"`
	Value  float64           `json:"value"`
}

// Try runs a dry run: the same code that ingest runs, on records that go nowhere. cat is used up by it: hand over one that
// nobody else has. Errors are of kind Invalid.
func Try(ctx context.Context, o Options, dry *DryRun, cat seamark.Catalog) (DryReport, error) {
	o.setDefaults()
	definition := dry.Pipeline
	definition.Enabled = true
	p, err := Compile(o, definition)
	if err != nil {
		return DryReport{}, inDryRun(err)
	}
	if len(dry.Records) == 0 || len(dry.Records) > MaxDryRecords {
		return DryReport{}, seamark.Errorf(seamark.Invalid, "seamark-pipeline-records", "A dry run takes 1 to %d records; this one has %d.", MaxDryRecords, len(dry.Records))
	}
	var b seamark.Batch
	for i := range dry.Records {
		if err := appendRecord(&b, cat, &dry.Records[i], o); err != nil {
			return DryReport{}, seamark.Wrap(err, seamark.Invalid, "seamark-pipeline-records", "Record %d cannot be used: %s.", i, strings.TrimSuffix(err.Error(), "."))
		}
	}
	t := &tracer{traces: make([]DryTrace, len(dry.Records)), errors: map[int]string{}}
	for i := range t.traces {
		t.traces[i].Steps = []DryStep{} // a list in JSON, whatever happens
	}
	if err := p.apply(ctx, cat, &b, t); err != nil {
		return DryReport{}, err
	}
	report := DryReport{Records: t.traces, Metrics: samplesOf(&b.Samples)}
	kept := 0
	for i := range t.traces {
		if n := len(t.traces[i].Steps); n == 0 || !t.traces[i].Steps[n-1].Dropped {
			result := rowOf(&b.Logs, b.Logs.AttrsOf(kept), kept)
			t.traces[i].Result = &result
			kept++
		}
	}
	return report, nil
}

// inDryRun points faults into the document of a dry run, which has one pipeline.
func inDryRun(err error) error {
	if e, ok := errors.AsType[*seamark.Error](err); ok {
		for i := range e.Fields {
			e.Fields[i].Pointer = "/pipeline" + strings.TrimPrefix(e.Fields[i].Pointer, "/pipelines/0")
		}
	}
	return err
}

// Unmarshal reads a dry run from JSON. Unknown fields are refused.
func (d *DryRun) Unmarshal(body []byte) error {
	dec := strictDecoder(body)
	if err := dec.Decode(d); err != nil {
		return seamark.Errorf(seamark.Invalid, "seamark-pipeline-json", "The dry run is not the JSON document this takes, near byte %d: %s.", dec.InputOffset(), err)
	}
	return nil
}

func appendRecord(b *seamark.Batch, cat seamark.Catalog, r *DryRecord, o Options) error {
	if len(r.Body) > o.Limits.MaxLineBytes || len(r.Attrs) > o.Limits.MaxAttrs {
		return fmt.Errorf("it has %d bytes and %d attributes; the limits are %d and %d",
			len(r.Body), len(r.Attrs), o.Limits.MaxLineBytes, o.Limits.MaxAttrs)
	}
	w := newRun() // for its keys of label sets
	labels := labelsOf(r.Labels)
	series, err := cat.Create(w.keyOf(labels, uint64(seamark.LogStream)), seamark.LogStream, labels)
	if err != nil {
		return err
	}
	at := r.Time
	if at.IsZero() {
		at = o.Now()
	}
	b.Logs.Append(&seamark.LogRow{
		Stream: b.Logs.AddStream(series), TimeNano: at.UnixNano(), Level: seamark.ParseLevel(r.Level), Body: r.Body, Attrs: labelsOf(r.Attrs),
	})
	return nil
}

func labelsOf(m map[string]string) []seamark.Label {
	list := make([]seamark.Label, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, seamark.Label{Name: name, Value: m[name]})
	}
	return list
}

func mapOf(labels []seamark.Label) map[string]string {
	m := make(map[string]string, len(labels))
	for _, l := range labels {
		m[l.Name] = l.Value
	}
	return m
}

func rowOf(l *seamark.LogRows, attrs []seamark.Label, i int) DryRecord {
	return DryRecord{
		Labels: mapOf(l.Streams[l.Stream[i]].Labels), Level: severityText(l.Level[i]), Time: time.Unix(0, l.TimeNano[i]).UTC(),
		Body: l.Body[i], Attrs: mapOf(attrs),
	}
}

func samplesOf(s *seamark.SampleRows) []DrySample {
	list := make([]DrySample, 0, s.Len())
	for i := range s.TimeMilli {
		list = append(list, DrySample{
			Labels: mapOf(s.Series[s.SeriesRef[i]].Labels), Time: time.UnixMilli(s.TimeMilli[i]).UTC(), Value: s.Value[i],
		})
	}
	return list
}

// tracer notes what each step does with each record. It implements observer.
type tracer struct {
	traces []DryTrace
	seen   []DryRecord // as the step at work found them
	errors map[int]string
}

func (t *tracer) before(w *run, _ *step) {
	clear(t.errors)
	t.seen = t.seen[:0]
	for i := range w.batch.Logs.TimeNano {
		t.seen = append(t.seen, rowOf(&w.batch.Logs, w.attrs(i), i))
	}
}

func (t *tracer) failed(i int, err error) { t.errors[i] = err.Error() }

func (t *tracer) after(w *run, s *step) {
	for i := range t.traces {
		steps := &t.traces[i].Steps
		if n := len(*steps); n > 0 && (*steps)[n-1].Dropped {
			continue
		}
		done := DryStep{Step: s.name, Kind: s.kind, Dropped: w.dropped(i), Error: t.errors[i]}
		now := rowOf(&w.batch.Logs, w.attrs(i), i)
		if !sameRecord(&t.seen[i], &now) {
			before := t.seen[i]
			done.Changed, done.Before, done.After = true, &before, &now
		}
		*steps = append(*steps, done)
	}
}

func sameRecord(a, b *DryRecord) bool {
	return a.Body == b.Body && a.Level == b.Level && a.Time.Equal(b.Time) && maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Attrs, b.Attrs)
}
