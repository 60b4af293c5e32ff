package lokipush_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/loki/pkg/push"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lifted is one line and what the decoder must make of its text and metadata.
var lifted = []struct {
	name   string
	labels map[string]string
	line   string
	attrs  push.LabelsAdapter
	want   row // without labels and time
}{
	{name: "plain", line: "hello", want: row{Body: "hello"}},
	{name: "empty line", line: "", want: row{}},
	{name: "escapes", line: "a\tb\n\"c\"\\/\u00e9\U0001f600\x7f<&>", want: row{Body: "a\tb\n\"c\"\\/\u00e9\U0001f600\x7f<&>"}},
	{name: "attributes stay in order", line: "x", attrs: push.LabelsAdapter{{Name: "a", Value: "1"}, {Name: "b", Value: ""}},
		want: row{Body: "x", Attrs: []seamark.Label{{Name: "a", Value: "1"}, {Name: "b"}}}},
	{name: "ids have columns", line: "x", attrs: push.LabelsAdapter{{Name: "k", Value: "v"}, {Name: "span_id", Value: spanID}, {Name: "trace_id", Value: traceID}},
		want: row{Body: "x", Trace: traceID, Span: spanID, Attrs: []seamark.Label{{Name: "k", Value: "v"}}}},
	{name: "ids in capitals", line: "x", attrs: push.LabelsAdapter{{Name: "spanID", Value: "00F067AA0BA902B7"}, {Name: "traceID", Value: traceID}},
		want: row{Body: "x", Trace: traceID, Span: spanID}},
	{name: "malformed ids stay", line: "x", attrs: push.LabelsAdapter{{Name: "SpanId", Value: "7"}, {Name: "TraceId", Value: traceID[1:]}},
		want: row{Body: "x", Attrs: []seamark.Label{{Name: "SpanId", Value: "7"}, {Name: "TraceId", Value: traceID[1:]}}}},
	{name: "level told", line: "level=error", attrs: push.LabelsAdapter{{Name: "level", Value: "WARN"}},
		want: row{Body: "level=error", Level: seamark.LevelWarn, Attrs: []seamark.Label{{Name: "level", Value: "WARN"}}}},
	{name: "detected level", line: "level=error", attrs: push.LabelsAdapter{{Name: "detected_level", Value: "debug"}},
		want: row{Body: "level=error", Level: seamark.LevelDebug}},
	{name: "level beats detected level", line: "x", attrs: push.LabelsAdapter{{Name: "detected_level", Value: "debug"}, {Name: "severity", Value: "fatal"}},
		want: row{Body: "x", Level: seamark.LevelCritical, Attrs: []seamark.Label{{Name: "severity", Value: "fatal"}}}},
	{name: "detected unknown", line: "level=error", attrs: push.LabelsAdapter{{Name: "detected_level", Value: "unknown"}},
		want: row{Body: "level=error", Level: seamark.LevelError}},
	{name: "level of the stream", labels: map[string]string{"app": "a", "level": "warning"}, line: "level=error",
		want: row{Body: "level=error", Level: seamark.LevelWarn}},
	{name: "metadata beats the stream", labels: map[string]string{"severity": "info"}, line: "x", attrs: push.LabelsAdapter{{Name: "detected_level", Value: "trace"}},
		want: row{Body: "x", Level: seamark.LevelTrace}},
	{name: "stream tells nonsense", labels: map[string]string{"level": "7"}, line: "level=error", want: row{Body: "level=error", Level: seamark.LevelError}},
	{name: "level and trace of the line", line: `{"level":"info","trace_id":"` + traceID + `"}`,
		want: row{Body: `{"level":"info","trace_id":"` + traceID + `"}`, Level: seamark.LevelInfo, Trace: traceID}},
	{name: "trace told beats the line", line: `trace_id=00000000000000000000000000000001`, attrs: push.LabelsAdapter{{Name: "trace_id", Value: traceID}},
		want: row{Body: `trace_id=00000000000000000000000000000001`, Trace: traceID}},
}

func TestDecodeLifts(t *testing.T) {
	d := lokipush.New()
	for _, c := range lifted {
		t.Run(c.name, func(t *testing.T) {
			labels := c.labels
			if labels == nil {
				labels = map[string]string{"app": "a"}
			}
			r := &push.PushRequest{Streams: []push.Stream{{Labels: "{", Entries: []push.Entry{{Timestamp: time.Unix(5, 7), Line: c.line, StructuredMetadata: c.attrs}}}}}
			var sorted []seamark.Label
			for name, value := range labels {
				r.Streams[0].Labels += fmt.Sprintf("%s=%q,", name, value)
				sorted = append(sorted, seamark.Label{Name: name, Value: value})
			}
			seamark.SortLabels(sorted)
			r.Streams[0].Labels += "}"
			want := c.want
			want.Labels, want.Time = fmt.Sprintf("%q", sorted), 5_000_000_007
			proto, text, cat := marshal(t, r), asJSON(t, r, []map[string]string{labels}), catalogtest.New()
			var b seamark.Batch
			for range 2 {
				b.Reset()
				if err := d.DecodeProto(proto, cat, &b, options); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]row{want}, rowsOf(t, &b)); diff != "" {
					t.Fatalf("protobuf (-want +got):\n%s", diff)
				}
				b.Reset()
				if err := d.DecodeJSON(bytes.Clone(text), cat, &b, options); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]row{want}, rowsOf(t, &b)); diff != "" {
					t.Fatalf("JSON (-want +got):\n%s", diff)
				}
			}
			if cat.Len() != 1 || cat.Creates() != 2 {
				t.Errorf("%d series in %d creates, want one that both forms made once each", cat.Len(), cat.Creates())
			}
		})
	}
}

// TestDecodeForms decodes one large request in both forms, twice each into one batch.
func TestDecodeForms(t *testing.T) {
	r, labels := request(1000)
	proto, text := marshal(t, r), asJSON(t, r, labels)
	cat, d := catalogtest.New(), lokipush.New()
	want := wantRows(t, r)
	var b seamark.Batch
	for range 2 {
		b.Reset()
		if err := d.DecodeProto(proto, cat, &b, lokipush.Options{Now: now, NoDetection: true}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, rowsOf(t, &b)); diff != "" {
			t.Fatalf("protobuf (-want +got):\n%s", diff)
		}
		b.Reset()
		if err := d.DecodeJSON(bytes.Clone(text), cat, &b, lokipush.Options{Now: now, NoDetection: true}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, rowsOf(t, &b)); diff != "" {
			t.Fatalf("JSON (-want +got):\n%s", diff)
		}
	}
	if cat.Len() != 10 || cat.Creates() != 20 {
		t.Errorf("%d series in %d creates, want 10 in 20", cat.Len(), cat.Creates())
	}
}

// TestDecodeSameStreamTwice writes one stream in three spellings; the batch must name it once.
func TestDecodeSameStreamTwice(t *testing.T) {
	entries := []push.Entry{{Timestamp: time.Unix(1, 0), Line: "x"}}
	r := &push.PushRequest{Streams: []push.Stream{
		{Labels: `{a="1",b="2"}`, Entries: entries}, {Labels: `{c="3"}`, Entries: entries},
		{Labels: `{b="2", a="1"}`, Entries: entries}, {Labels: `{a="1",b="2"}`, Entries: entries},
	}}
	var b seamark.Batch
	cat, d := catalogtest.New(), lokipush.New()
	for range 2 { // the second call adds to the batch of the first
		if err := d.DecodeProto(marshal(t, r), cat, &b, options); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]uint32{0, 1, 0, 0, 0, 1, 0, 0}, b.Logs.Stream); diff != "" || len(b.Logs.Streams) != 2 {
		t.Fatalf("%d streams; rows (-want +got):\n%s", len(b.Logs.Streams), diff)
	}
}

func TestDecodeWithoutTime(t *testing.T) {
	var b seamark.Batch
	d := lokipush.New()
	proto := marshal(t, &push.PushRequest{Streams: []push.Stream{{Labels: `{a="1"}`, Entries: []push.Entry{{Timestamp: time.Unix(0, 0), Line: "x"}}}}})
	bare := "\x0a\x0e\x0a\x07{a=\"1\"}\x12\x03\x12\x01x" // no timestamp at all
	if err := errors.Join(d.DecodeProto(proto, accepting{}, &b, options), d.DecodeProto([]byte(bare), accepting{}, &b, options),
		d.DecodeJSON([]byte(`{"streams":[{"stream":{"a":"1"},"values":[["0","x"],["","x"],[0,"x"]]}]}`), accepting{}, &b, options)); err != nil {
		t.Fatal(err)
	}
	at := now.UnixNano()
	if diff := cmp.Diff([]int64{at, at, at, at, at}, b.Logs.TimeNano); diff != "" {
		t.Fatalf("times (-want +got):\n%s", diff)
	}
}

// TestDecodeRejectsManyAttributes: a line with more pairs than the limit is refused in both forms, its neighbour kept, and the
// pairs that have columns of their own count, too.
func TestDecodeRejectsManyAttributes(t *testing.T) {
	pairs := func(names ...string) (list push.LabelsAdapter) {
		for _, name := range names {
			list = append(list, push.LabelAdapter{Name: name, Value: traceID})
		}
		return list
	}
	r := &push.PushRequest{Streams: []push.Stream{{Labels: `{a="1"}`, Entries: []push.Entry{
		{Timestamp: now, Line: "many", StructuredMetadata: pairs("x", "y", "trace_id")}, {Timestamp: now, Line: "two", StructuredMetadata: pairs("x", "trace_id")},
	}}}}
	o := options
	o.MaxAttrs = 2
	for form, decode := range map[string]func(b *seamark.Batch) error{
		"protobuf": func(b *seamark.Batch) error { return lokipush.New().DecodeProto(marshal(t, r), accepting{}, b, o) },
		"json": func(b *seamark.Batch) error {
			return lokipush.New().DecodeJSON(asJSON(t, r, []map[string]string{{"a": "1"}}), accepting{}, b, o)
		},
	} {
		t.Run(form, func(t *testing.T) {
			var b seamark.Batch
			if err := decode(&b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"two"}, b.Logs.Body); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			want := []seamark.Rejection{{Reason: "seamark-attributes-limit", Count: 1, Detail: "A line has 3 pairs of structured metadata; the limit is 2 (--ingest.max-attrs)."}}
			if diff := cmp.Diff(want, b.Rejected.Reasons); diff != "" {
				t.Errorf("refusals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRejectsStreams(t *testing.T) {
	entries := []push.Entry{{Timestamp: time.Unix(1, 0), Line: "x"}, {Timestamp: time.Unix(2, 0), Line: "y"}}
	r := &push.PushRequest{Streams: []push.Stream{
		{Labels: `{a="1"}`, Entries: entries}, {Labels: `{}`, Entries: entries}, {Labels: `{b=1}`, Entries: entries},
		{Labels: ``, Entries: entries}, {Labels: `{}`}, {Labels: `{c="3"}`, Entries: entries[:1]},
	}}
	json := `{"streams":[{"stream":{"a":"1"},"values":[["1","x"],["2","y"]]},{"stream":{},"values":[["1","x"],["2","y"]]},
		{"stream":{"a":{"b":"c"}},"values":[["1","x"],["2","y"]]},{"values":[["1","x"],["2","y"]]},{"stream":{},"values":[]},
		{"values":[["1","x"]],"stream":{"c":"3"}}]}`
	for form, decode := range map[string]func(*seamark.Batch) error{
		"protobuf": func(b *seamark.Batch) error {
			return lokipush.New().DecodeProto(marshal(t, r), catalogtest.New(), b, options)
		},
		"JSON": func(b *seamark.Batch) error {
			return lokipush.New().DecodeJSON([]byte(json), catalogtest.New(), b, options)
		},
	} {
		t.Run(form, func(t *testing.T) {
			var b seamark.Batch
			if err := decode(&b); err != nil {
				t.Fatal(err)
			}
			counts := map[string]int{}
			for _, r := range b.Rejected.Reasons {
				counts[r.Reason] = r.Count
			}
			want := map[string]int{"seamark-labels-empty": 2, "seamark-stream-labels": 4}
			if form == "JSON" {
				want = map[string]int{"seamark-labels-empty": 4, "seamark-stream-labels": 2}
			}
			if diff := cmp.Diff(want, counts); diff != "" || b.Rejected.Logs != 6 || b.Logs.Len() != 3 {
				t.Errorf("kept %d, rejected %d (-want +got):\n%s", b.Logs.Len(), b.Rejected.Logs, diff)
			}
		})
	}
}

// TestDecodeCatalogFailure keeps apart what the sender did wrong and what failed on our side.
func TestDecodeCatalogFailure(t *testing.T) {
	broken := errors.New("broken")
	r, labels := request(10)
	if err := lokipush.New().DecodeProto(marshal(t, r), failing{broken}, new(seamark.Batch), options); !errors.Is(err, broken) {
		t.Errorf("protobuf: got %v, want the catalogue's own error", err)
	}
	if err := lokipush.New().DecodeJSON(asJSON(t, r, labels), failing{broken}, new(seamark.Batch), options); !errors.Is(err, broken) {
		t.Errorf("JSON: got %v, want the catalogue's own error", err)
	}
}

// TestDecodeAllocatesNothingPerLine guards the steady state: known streams, columns of the last request's size. The
// bound leaves room for making the scratch memory anew, because a sync.Pool may drop it, and does so under -race.
func TestDecodeAllocatesNothingPerLine(t *testing.T) {
	r, labels := request(100)
	proto, text := marshal(t, r), asJSON(t, r, labels)
	cat, d := catalogtest.New(), lokipush.New()
	var b seamark.Batch
	scratch := bytes.Clone(text)
	for form, decode := range map[string]func() error{
		"protobuf": func() error { return d.DecodeProto(proto, cat, &b, options) },
		"JSON":     func() error { copy(scratch, text); return d.DecodeJSON(scratch, cat, &b, options) },
	} {
		if allocs := testing.AllocsPerRun(50, func() {
			b.Reset()
			if err := decode(); err != nil {
				t.Fatal(err)
			}
		}); allocs >= 10 {
			t.Errorf("%s: a warm decode of 100 lines allocates %v times", form, allocs)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r, labels := request(1000)
	proto, text := marshal(b, r), asJSON(b, r, labels)
	cat, d := catalogtest.New(), lokipush.New()
	scratch := bytes.Clone(text)
	for _, o := range []lokipush.Options{{Now: now, NoDetection: true}, {Now: now}} {
		name := "detection"
		if o.NoDetection {
			name = "plain"
		}
		b.Run("protobuf/"+name, func(b *testing.B) {
			run(b, len(proto), func(batch *seamark.Batch) error { return d.DecodeProto(proto, cat, batch, o) })
		})
		b.Run("JSON/"+name, func(b *testing.B) {
			run(b, len(text), func(batch *seamark.Batch) error {
				copy(scratch, text) // decoding uses it up
				return d.DecodeJSON(scratch, cat, batch, o)
			})
		})
	}
}

func run(b *testing.B, size int, decode func(*seamark.Batch) error) {
	b.Helper()
	var batch seamark.Batch
	if err := decode(&batch); err != nil { // warms catalogue and columns
		b.Fatal(err)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		batch.Reset()
		if err := decode(&batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(batch.Rows()), "ns/row")
}
