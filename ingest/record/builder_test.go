package record_test

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// flush flushes one record into a batch of its own.
func flush(tb testing.TB, b *record.Builder) row {
	tb.Helper()
	var batch seamark.Batch
	if err := b.Flush(catalogtest.New(), &batch); err != nil {
		tb.Fatal(err)
	}
	return rowsOf(tb, &batch)[0]
}

func TestWhatTheProtocolTellsComesFirst(t *testing.T) {
	b := newBuilder()
	b.SetDefault("node", "edge")
	b.SetDefault("service_name", "sshd")
	b.SetDefault("facility", "auth")
	b.SetTime(7)
	b.SetLevel("2")
	if err := b.AddJSON("", []byte(`{"message":"inner","level":"debug","time":"2026-07-25T17:20:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	b.SetBody("outer")
	b.SetLevel("no such level")
	want := row{Labels: set("service_name", "sshd", "node", "edge"), Time: 7, Level: seamark.LevelCritical, Body: "outer",
		Attrs: set("message", "inner", "level", "debug", "time", "2026-07-25T17:20:00Z", "facility", "auth")}
	if diff := cmp.Diff(want, flush(t, b)); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	b.Add("msg", "next")
	if diff := cmp.Diff(row{Labels: stream(), Time: now.UnixNano(), Body: "next"}, flush(t, b)); diff != "" {
		t.Fatalf("the next record has something of the last one, -want +got:\n%s", diff)
	}
}

func TestFieldsGoBeforeDefaults(t *testing.T) {
	b := newBuilder()
	b.SetDefault("service_name", "default")
	b.SetDefault("pod", "default")
	b.Add("kubernetes.container_name", "api")
	b.Add("k8s.pod.name", "real")
	got := flush(t, b)
	if diff := cmp.Diff(set("service_name", "api", "pod", "real", "container", "api"), got.Labels); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestBetterSpellingWinsInAnyOrder(t *testing.T) {
	fields := [][2]string{{"pod_name", "third"}, {"k8s.pod.name", "first"}, {"pod", "fourth"}, {"kubernetes.pod", "second"},
		{"ts", "1785000001"}, {"@timestamp", "1785000000"}, {"lvl", "debug"}, {"level", "error"}, {"msg", "b"}, {"message", "a"}}
	want := row{Labels: stream("pod", "first"), Time: 1785000000000000000, Level: seamark.LevelError, Body: "a",
		Attrs: set("pod_name", "third", "pod", "fourth", "kubernetes_pod", "second", "ts", "1785000001", "lvl", "debug", "level", "error", "msg", "b")}
	for range len(fields) {
		b := newBuilder()
		for _, f := range fields {
			b.Add(f[0], f[1])
		}
		if diff := cmp.Diff(want, flush(t, b)); diff != "" {
			t.Fatalf("%v -want +got:\n%s", fields, diff)
		}
		fields = append(fields[1:], fields[0])
	}
}

func TestAddWithoutMessageMakesJSON(t *testing.T) {
	b := newBuilder()
	b.Add("a.b", "x\"\\\n\xff")
	b.Add("n", "1")
	want := row{Labels: stream(), Time: now.UnixNano(), Body: "{\"a.b\":\"x\\\"\\\\\\u000a\uFFFD\",\"n\":\"1\"}", Attrs: set("a_b", "x\"\\\n\uFFFD", "n", "1")}
	if diff := cmp.Diff(want, flush(t, b)); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func TestAttributesOverTheLimitAreCounted(t *testing.T) {
	b := record.New(record.Options{Now: now, MaxAttrs: 3})
	for i := range 5 {
		b.Add("f"+strconv.Itoa(i), "v")
	}
	b.Add("message", "m")
	b.Add(strings.Repeat("x", 600), "v")
	got := flush(t, b)
	if diff := cmp.Diff(set("f0", "v", "f1", "v", "_dropped_attributes", "4"), got.Attrs); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	for i := range 3 {
		b.Add("f"+strconv.Itoa(i), "v")
	}
	if got := flush(t, b); len(got.Attrs) != 3 || got.Attrs["_dropped_attributes"] != "" {
		t.Fatalf("got %v, want the three attributes that are allowed", got.Attrs)
	}
}

func TestIDs(t *testing.T) {
	b := newBuilder()
	b.Add("traceID", "1-5759e988-bd862e3fe1be46a994272793")
	b.Add("dd.trace_id", strings.ToUpper(traceID))
	b.Add("trace.id", "00000000000000000000000000000001")
	b.Add("span_id", "12")
	b.Add("SpanId", spanID)
	b.Add("msg", "x")
	got := flush(t, b)
	want := set("traceID", "1-5759e988-bd862e3fe1be46a994272793", "trace_id", "00000000000000000000000000000001", "span_id", "12")
	if got.Trace != traceID || got.Span != spanID || !maps.Equal(got.Attrs, want) {
		t.Fatalf("got %+v, want trace %s, span %s, attributes %v", got, traceID, spanID, want)
	}
}

func TestDetection(t *testing.T) {
	body := `level=warn trace_id=` + traceID
	b := newBuilder()
	b.Add("message", body)
	if got := flush(t, b); got.Level != seamark.LevelWarn || got.Trace != traceID {
		t.Fatalf("got %+v, want level and trace id of the line", got)
	}
	b.Begin(record.Options{Now: now, NoDetection: true})
	b.Add("message", body)
	if got := flush(t, b); got.Level != seamark.LevelUnknown || got.Trace != "" {
		t.Fatalf("got %+v, want nothing of the line", got)
	}
}

type failing struct{ err error }

func (failing) Find(uint64) *seamark.Series { return nil }
func (f failing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, f.err
}

func TestFlushTellsWhoseFaultItIs(t *testing.T) {
	refusal := seamark.Errorf(seamark.Invalid, "seamark-label-value", "Too long.")
	for _, c := range []struct {
		err     error
		refused bool
	}{{refusal, true}, {seamark.Errorf(seamark.RateLimited, "seamark-quota-streams", "Too many."), false}, {errors.New("broken"), false}} {
		var batch seamark.Batch
		b := newBuilder()
		b.Add("msg", "x")
		err := b.Flush(failing{c.err}, &batch)
		if e, refused := record.Refused(err); refused != c.refused || !errors.Is(err, c.err) || refused && e != refusal || batch.Logs.Len() != 0 {
			t.Errorf("got %v, refused %t, %d rows; want %v, %t, none", err, refused, batch.Logs.Len(), c.err, c.refused)
		}
	}
}

type noMemory struct{ asked int64 }

func (m *noMemory) Claim(n int64) error {
	m.asked += n
	return seamark.Errorf(seamark.Unavailable, "seamark-memory-short", "No memory.")
}

func TestFlushAsksForMemory(t *testing.T) {
	m := &noMemory{}
	batch := seamark.Batch{Claim: m}
	b := newBuilder()
	b.Add("msg", "x")
	if err := b.Flush(catalogtest.New(), &batch); seamark.KindOf(err) != seamark.Unavailable || m.asked == 0 || batch.Logs.Len() != 0 {
		t.Fatalf("got %v with %d bytes asked for, want the claimer's error and no row", err, m.asked)
	}
}

func TestStreamsStandOnceInEachBatch(t *testing.T) {
	cat, b, batch := catalogtest.New(), newBuilder(), &seamark.Batch{}
	for round := range 3 {
		for i := range 6 {
			b.Add("k8s.pod.name", "p"+strconv.Itoa((i+round)%3))
			b.Add("msg", "x")
			if err := b.Flush(cat, batch); err != nil {
				t.Fatal(err)
			}
		}
		if len(batch.Logs.Streams) != 3 {
			t.Fatalf("round %d: got %d streams, want 3", round, len(batch.Logs.Streams))
		}
		for i, r := range rowsOf(t, batch) {
			if want := "p" + strconv.Itoa((i+round)%3); r.Labels["pod"] != want {
				t.Fatalf("round %d row %d: got pod %s, want %s", round, i, r.Labels["pod"], want)
			}
		}
		if batch.Reset(); round == 1 {
			b.Release()
			b.Begin(record.Options{Now: now})
		}
	}
	if cat.Creates() != 3 {
		t.Fatalf("got %d creates, want 3: a known stream's labels are not made again", cat.Creates())
	}
}

func TestMapping(t *testing.T) {
	format, err := record.ParseTimeFormat("02/01/2006 15:04:05")
	if err != nil {
		t.Fatal(err)
	}
	m := &record.Mapping{Message: "a.text", Time: "when", TimeFormat: format, Level: "sev", Labels: []record.LabelField{{"who", "service_name"}, {"env", "environment"}}}
	if err := m.Check(); err != nil {
		t.Fatal(err)
	}
	b := newBuilder()
	raw := []byte(`{"a":{"text":"line"},"message":"other","when":"25/07/2026 17:20:00","time":5,"sev":"err","who":"w","env":"e","service":"s"}`)
	want := row{Labels: set("service_name", "w", "environment", "e"), Time: 1785000000000000000, Level: seamark.LevelError, Body: "line",
		Attrs: set("message", "other", "time", "5", "sev", "err", "service", "s")}
	for range 2 {
		b.Begin(record.Options{Now: now, Mapping: m})
		if err := b.AddJSON("", raw); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, flush(t, b)); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
	b.Begin(record.Options{Now: now})
	if err := b.AddJSON("", raw); err != nil {
		t.Fatal(err)
	}
	if got := flush(t, b); got.Body != "other" || got.Labels["service_name"] != "s" {
		t.Fatalf("got %+v, want no trace of the last request's mapping", got)
	}
}

func TestMappingIsChecked(t *testing.T) {
	for _, labels := range [][]record.LabelField{
		make([]record.LabelField, 9), {{"a", ""}}, {{"", "a"}}, {{"a", "b-c"}}, {{"a", "x"}, {"b", "x"}}, {{"a", "x"}, {"a", "y"}}, {{strings.Repeat("a", 600), "x"}},
	} {
		m := record.Mapping{Labels: labels}
		expectError(t, m.Check(), "seamark-mapping-labels", "field mapping")
	}
	_, err := record.ParseTimeFormat("%Y-%m-%d")
	expectError(t, err, "seamark-mapping-time", "use auto")
}

func TestTimeFormats(t *testing.T) {
	for name, text := range map[string]string{"": "1785000000.5", "rfc3339": "2026-07-25T17:20:00.5Z", "unix": "1785000000.5", "UNIX_MS": "1785000000500",
		"unix_us": "1785000000500000", "unix_ns": "1785000000500000000", time.RFC850: "Saturday, 25-Jul-26 17:20:00 UTC", "2006-01-02 15:04:05.0": "2026-07-25 17:20:00.5"} {
		f, err := record.ParseTimeFormat(name)
		if name == time.RFC850 { // has no year of four digits
			expectError(t, err, "seamark-mapping-time", "unknown")
			continue
		}
		got, ok := f.Parse(text)
		if err != nil || !ok || got != 1785000000500000000 {
			t.Errorf("%s of %q: got %d, %t, %v", name, text, got, ok, err)
		}
		if got, ok := f.Parse("soon"); ok {
			t.Errorf("%s of soon: got %d, want none", name, got)
		}
	}
	f, _ := record.ParseTimeFormat("unix")
	if got, ok := f.Parse("12"); !ok || got != 12e9 {
		t.Errorf("12 s told as such: got %d, %t", got, ok)
	}
}

func TestTextIsNoName(t *testing.T) {
	text := strings.Repeat("x", 1025)
	b := newBuilder()
	b.Add("service", text)
	b.Add("msg", "m")
	if got := flush(t, b); got.Labels["service_name"] != "unknown_service" || got.Attrs["service"] != text {
		t.Fatalf("got labels %v", got.Labels)
	}
	b.Begin(record.Options{Now: now, Mapping: &record.Mapping{Labels: []record.LabelField{{Path: "service", Label: "service_name"}}}})
	b.Add("service", text)
	if got := flush(t, b); got.Labels["service_name"] != text {
		t.Fatalf("got labels %v, want what the mapping asks for", got.Labels)
	}
}
