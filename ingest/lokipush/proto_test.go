package lokipush_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/level"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// officialLabels parses a label set as Loki does, sorted by name and without the empty values that no catalogue keeps.
func officialLabels(text string) ([]seamark.Label, error) {
	set, err := parser.NewParser(parser.Options{}).ParseMetric(text)
	if err != nil {
		return nil, err
	}
	var list []seamark.Label
	set.Range(func(l labels.Label) {
		if l.Value != "" {
			list = append(list, seamark.Label{Name: l.Name, Value: l.Value})
		}
	})
	seamark.SortLabels(list)
	return list, nil
}

const mostSeconds = math.MaxInt64/int64(time.Second) - 1

// wantRows says what a request holds without looking at the text of its lines. Lines at times that nanoseconds cannot
// hold are left out.
func wantRows(tb testing.TB, r *push.PushRequest) []row {
	tb.Helper()
	var rows []row
	for _, s := range r.Streams {
		if len(s.Entries) == 0 {
			continue
		}
		set, err := officialLabels(s.Labels)
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range s.Entries {
			if sec := e.Timestamp.Unix(); sec < -mostSeconds || sec > mostSeconds {
				continue
			}
			want := row{Labels: fmt.Sprintf("%q", set), Time: e.Timestamp.UnixNano(), Body: e.Line}
			if want.Time == 0 {
				want.Time = now.UnixNano()
			}
			told, detected, ofStream := seamark.LevelUnknown, seamark.LevelUnknown, seamark.LevelUnknown
			for _, l := range set {
				if (l.Name == "level" || l.Name == "severity") && ofStream == seamark.LevelUnknown {
					ofStream = seamark.ParseLevel(l.Value)
				}
			}
			for _, a := range e.StructuredMetadata {
				switch a.Name {
				case "trace_id", "traceID", "TraceId", "traceId":
					if id, ok := level.ParseTraceID(a.Value); ok {
						want.Trace = fmt.Sprintf("%x", id)
						continue
					}
				case "span_id", "spanID", "SpanId", "spanId":
					if id, ok := level.ParseSpanID(a.Value); ok {
						want.Span = fmt.Sprintf("%x", id)
						continue
					}
				case "level", "severity", "severity_text":
					if l := seamark.ParseLevel(a.Value); l != seamark.LevelUnknown {
						told = l
					}
				case "detected_level":
					detected = seamark.ParseLevel(a.Value)
					continue
				}
				want.Attrs = append(want.Attrs, seamark.Label{Name: a.Name, Value: a.Value})
			}
			for _, l := range []seamark.Level{told, detected, ofStream} {
				if want.Level == seamark.LevelUnknown {
					want.Level = l
				}
			}
			rows = append(rows, want)
		}
	}
	return rows
}

func TestDecodeProtoTimes(t *testing.T) {
	times := []time.Time{time.Unix(1, 0), time.Unix(0, 1), time.Unix(-1, 999_999_999), time.Unix(1_785_000_000, 999_999_999),
		time.Unix(mostSeconds, 999_999_999), time.Unix(-mostSeconds, 0)}
	r := &push.PushRequest{Streams: []push.Stream{{Labels: `{a="1"}`}}}
	for _, at := range times {
		r.Streams[0].Entries = append(r.Streams[0].Entries, push.Entry{Timestamp: at, Line: at.String()})
	}
	for _, bad := range []time.Time{time.Unix(mostSeconds+1, 0), time.Unix(-mostSeconds-1, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		r.Streams[0].Entries = append(r.Streams[0].Entries, push.Entry{Timestamp: bad, Line: "refused"})
	}
	var b seamark.Batch
	if err := lokipush.New().DecodeProto(marshal(t, r), accepting{}, &b, options); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRows(t, r), rowsOf(t, &b)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if len(b.Rejected.Reasons) != 1 || b.Rejected.Logs != 3 || b.Rejected.Reasons[0].Reason != "seamark-line-timestamp" {
		t.Fatalf("rejected %+v, want 3 lines for their timestamps", b.Rejected)
	}
}

// TestDecodeProtoOrder sends what no library writes but protobuf allows: labels last and twice, fields in reverse.
func TestDecodeProtoOrder(t *testing.T) {
	entry := "\x12\x01x" + "\x0a\x06\x10\x07\x08\x05\x18\x00" // line, then nanos before seconds, then an unknown field
	stream := "\x12" + string(rune(len(entry))) + entry + "\x0a\x07{b=\"2\"}" + "\x18\x05" + "\x0a\x07{a=\"1\"}"
	body := "\x12\x01f" + "\x0a" + string(rune(len(stream))) + stream
	var official push.PushRequest
	if err := official.Unmarshal([]byte(body)); err != nil {
		t.Fatal(err)
	}
	var b seamark.Batch
	if err := lokipush.New().DecodeProto([]byte(body), accepting{}, &b, options); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantRows(t, &official), rowsOf(t, &b)); diff != "" || b.Logs.TimeNano[0] != 5_000_000_007 {
		t.Fatalf("(-official +ours):\n%s", diff)
	}
}

// labelled is a body with one stream of a label set (in bytes 2 to 10) and the given fields.
func labelled(fields string) string {
	stream := "\x0a\x07{a=\"1\"}" + fields
	return "\x0a" + string(rune(len(stream))) + stream
}

func TestDecodeProtoMalformed(t *testing.T) {
	for name, c := range map[string]struct{ body, message string }{
		"text":               {"no protobuf", "PushRequest is malformed at byte 0 of 11"},
		"stream as number":   {"\x08\x01", "PushRequest.streams is malformed at byte 0"},
		"labels as number":   {"\x0a\x02\x08\x01", "Stream is malformed at byte 2"},
		"cut stream":         {"\x0a\x02\x12\x05", "Stream is malformed at byte 2"},
		"cut entry":          {labelled("\x12\x02\x12\x05"), "Entry is malformed at byte 13"},
		"line as number":     {labelled("\x12\x02\x10\x05"), "Entry is malformed at byte 13"},
		"cut time":           {labelled("\x12\x03\x0a\x01\x08"), "Timestamp is malformed at byte 15"},
		"seconds as string":  {labelled("\x12\x04\x0a\x02\x0a\x00"), "Timestamp is malformed at byte 15"},
		"cut metadata":       {labelled("\x12\x03\x1a\x01\x0a"), "Entry.structuredMetadata is malformed at byte 15"},
		"metadata as number": {labelled("\x12\x04\x1a\x02\x08\x01"), "Entry.structuredMetadata is malformed at byte 15"},
	} {
		t.Run(name, func(t *testing.T) {
			err := lokipush.New().DecodeProto([]byte(c.body), accepting{}, new(seamark.Batch), options)
			expectError(t, err, "seamark-body-protobuf", c.message)
		})
	}
}

func FuzzDecodeProto(f *testing.F) {
	r, _ := request(12)
	f.Add(marshal(f, r))
	for _, c := range lifted {
		f.Add(marshal(f, &push.PushRequest{Streams: []push.Stream{{Labels: `{a="1", level='warn'}`, Hash: 7,
			Entries: []push.Entry{{Timestamp: now, Line: c.line, StructuredMetadata: c.attrs, Parsed: c.attrs}}}}}))
	}
	d, strict := lokipush.New(), catalogtest.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		var b, detected seamark.Batch
		err := d.DecodeProto(body, accepting{}, &b, lokipush.Options{Now: now, NoDetection: true})
		if err != nil && seamark.KindOf(err) != seamark.Invalid {
			t.Fatalf("got %v", err)
		}
		rows := rowsOf(t, &b)
		for range 2 {
			detected.Reset()
			if strictErr := d.DecodeProto(body, strict, &detected, options); strictErr != nil && err == nil {
				t.Fatalf("got %v with a strict catalogue only", strictErr)
			}
			rowsOf(t, &detected)
		}
		var official push.PushRequest
		if err != nil || official.Unmarshal(body) != nil {
			return
		}
		sent := 0
		for _, s := range official.Streams {
			sent += len(s.Entries)
			set, err := officialLabels(s.Labels)
			if len(s.Entries) > 0 && (err != nil || len(set) == 0) || hasZeroTime(s) {
				return // label texts have their own differential fuzz test; a missing time is year 1 there and now here
			}
			if again, err := lokipush.ParseLabels(nil, s.Labels); err != nil || repeats(again) {
				return
			}
		}
		if got := detected.Logs.Len() + detected.Rejected.Logs; got != sent {
			t.Fatalf("kept and rejected %d lines, sent %d", got, sent)
		}
		if diff := cmp.Diff(wantRows(t, &official), rows); diff != "" {
			t.Fatalf("(-official +ours):\n%s", diff)
		}
	})
}

func hasZeroTime(s push.Stream) bool {
	for _, e := range s.Entries {
		if e.Timestamp.IsZero() {
			return true
		}
	}
	return false
}
