package events_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var now = time.Date(2026, 11, 21, 1, 2, 3, 4, time.UTC)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decodeObjects(t *testing.T, body string) *seamark.Batch {
	t.Helper()
	b := new(seamark.Batch)
	if err := events.DecodeObjects([]byte(body), now, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// older and newer return the earliest and the latest of the times that are told.
func older(times ...time.Time) (t time.Time) {
	for _, x := range times {
		if !x.IsZero() && (t.IsZero() || x.Before(t)) {
			t = x
		}
	}
	return t.UTC()
}

func newer(times ...time.Time) (t time.Time) {
	for _, x := range times {
		if x.After(t) {
			t = x
		}
	}
	return t.UTC()
}

// wantCore reads recorded events with the official types. In them the first time told is the earliest, the last the
// latest, but for creationTimestamp, which has no fraction of a second.
func wantCore(t *testing.T, body []byte) []seamark.Event {
	t.Helper()
	var list corev1.EventList
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	var want []seamark.Event
	for _, k := range list.Items {
		e := seamark.Event{
			UID: string(k.UID), Namespace: k.InvolvedObject.Namespace, Kind: k.InvolvedObject.Kind, Object: k.InvolvedObject.Name,
			Type: k.Type, Reason: k.Reason, Message: k.Message, Source: k.Source.Component, Node: k.Source.Host,
			Count: uint32(max(1, k.Count)), Version: k.ResourceVersion,
			First: older(k.FirstTimestamp.Time, k.EventTime.Time), Last: newer(k.LastTimestamp.Time, k.EventTime.Time),
		}
		if e.Source == "" {
			e.Source = k.ReportingController
			e.Node = strings.TrimPrefix(k.ReportingInstance, e.Source+"-")
		}
		if k.Series != nil {
			e.Count, e.Last = uint32(k.Series.Count), k.Series.LastObservedTime.UTC()
		}
		want = append(want, e)
	}
	return want
}

func wantEventsV1(t *testing.T, body []byte) []seamark.Event {
	t.Helper()
	var list eventsv1.EventList
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	var want []seamark.Event
	for _, k := range list.Items {
		e := seamark.Event{
			UID: string(k.UID), Namespace: k.Regarding.Namespace, Kind: k.Regarding.Kind, Object: k.Regarding.Name,
			Type: k.Type, Reason: k.Reason, Message: k.Note, Source: k.DeprecatedSource.Component, Node: k.DeprecatedSource.Host,
			Count: uint32(max(1, k.DeprecatedCount)), Version: k.ResourceVersion,
			First: older(k.DeprecatedFirstTimestamp.Time, k.EventTime.Time), Last: newer(k.DeprecatedLastTimestamp.Time, k.EventTime.Time),
		}
		if e.Source == "" {
			e.Source = k.ReportingController
			e.Node = strings.TrimPrefix(k.ReportingInstance, e.Source+"-")
		}
		if k.Series != nil {
			e.Count, e.Last = uint32(k.Series.Count), k.Series.LastObservedTime.UTC()
		}
		want = append(want, e)
	}
	return want
}

func TestRecordedEvents(t *testing.T) {
	for name, want := range map[string]func(*testing.T, []byte) []seamark.Event{
		"events-corev1.json": wantCore, "events-eventsv1.json": wantEventsV1,
	} {
		body := read(t, name)
		all := want(t, body)
		var list struct{ Items []json.RawMessage }
		if err := json.Unmarshal(body, &list); err != nil {
			t.Fatal(err)
		}
		array, err := json.Marshal(list.Items)
		if err != nil {
			t.Fatal(err)
		}
		var lines, kindList strings.Builder
		for _, item := range list.Items {
			lines.Write(item)
			lines.WriteString("\n")
		}
		kindList.WriteString(`{"items":` + string(array) + `,"kind":"EventList"}`)
		b := new(seamark.Batch)
		for form, text := range map[string]string{
			"List": string(body), "array": string(array), "one after the other": lines.String(), "EventList": kindList.String(),
		} {
			for range 2 { // the second time on a used batch
				b.Reset()
				if err := events.DecodeObjects([]byte(text), now, b); err != nil {
					t.Fatalf("%s as %s: %v", name, form, err)
				}
				if diff := cmp.Diff(all, b.Events); diff != "" || b.Rejected.Rows() != 0 {
					t.Errorf("%s as %s: rejected %+v, -want +got:\n%s", name, form, b.Rejected, diff)
				}
			}
		}
	}
}

func TestExporterEvent(t *testing.T) {
	b := decodeObjects(t, string(read(t, "exporter.json")))
	want := []seamark.Event{{
		Cluster: "eu-1", UID: "8fdf8be9-ceb8-4245-886f-77a044d99b29", Namespace: "prod", Kind: "Pod", Object: "web-0",
		Type: "Warning", Reason: "BackOff", Message: "Back-off restarting failed container", Source: "kubelet", Node: "node-7",
		Count: 12, Version: "2426", First: time.Date(2026, 11, 20, 22, 31, 21, 0, time.UTC),
		Last: time.Date(2026, 11, 20, 23, 5, 49, 0, time.UTC),
	}}
	if diff := cmp.Diff(want, b.Events); diff != "" {
		t.Error(diff)
	}
}

func TestDerivedFields(t *testing.T) {
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	cases := []struct {
		name, body  string
		count       uint32
		first, last time.Time
		node        string
	}{
		{"nothing told", `{"reason":"R"}`, 1, now, now, ""},
		{"nulls", `{"reason":"R","firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"series":null,"count":null}`, 1, now, now, ""},
		{"creation only", `{"reason":"R","metadata":{"creationTimestamp":"2026-01-02T03:04:05Z"}}`, 1,
			at("2026-01-02T03:04:05Z"), at("2026-01-02T03:04:05Z"), ""},
		{"last only", `{"reason":"R","lastTimestamp":"2026-01-02T03:04:05+01:00","count":-4}`, 1,
			at("2026-01-02T02:04:05Z"), at("2026-01-02T02:04:05Z"), ""},
		{"series", `{"reason":"R","eventTime":"2026-01-02T03:04:05.123456Z","series":{"count":7,"lastObservedTime":"2026-01-02T04:00:00.5Z"}}`, 7,
			at("2026-01-02T03:04:05.123456Z"), at("2026-01-02T04:00:00.5Z"), ""},
		{"runs backwards", `{"reason":"R","firstTimestamp":"2026-01-02T03:00:00Z","lastTimestamp":"2026-01-01T00:00:00Z"}`, 1,
			at("2026-01-02T03:00:00Z"), at("2026-01-02T03:00:00Z"), ""},
		{"huge count", `{"reason":"R","count":99999999999}`, 4294967295, now, now, ""},
		{"kubelet's instance", `{"reason":"R","reportingComponent":"kubelet","reportingInstance":"node-1"}`, 1, now, now, "node-1"},
		{"scheduler's instance", `{"reason":"R","reportingController":"default-scheduler","reportingInstance":"default-scheduler-vm"}`, 1, now, now, "vm"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decodeObjects(t, c.body)
			if len(b.Events) != 1 {
				t.Fatalf("%d events, rejected %+v", len(b.Events), b.Rejected)
			}
			e := b.Events[0]
			if e.Count != c.count || !e.First.Equal(c.first) || !e.Last.Equal(c.last) || e.Node != c.node {
				t.Errorf("got count %d, %s to %s, node %q", e.Count, e.First, e.Last, e.Node)
			}
		})
	}
}

// TestDerivedUID is what deduplication rests on: the same event has the same uid whenever it is sent.
func TestDerivedUID(t *testing.T) {
	uid := func(body string, at time.Time) string {
		b := new(seamark.Batch)
		if err := events.DecodeObjects([]byte(body), at, b); err != nil || len(b.Events) != 1 {
			t.Fatalf("%s: %v, %+v", body, err, b.Rejected)
		}
		return b.Events[0].UID
	}
	base := `{"reason":"R","type":"Normal","message":"M","involvedObject":{"kind":"Pod","name":"p","namespace":"n"},"firstTimestamp":"2026-01-02T03:00:00Z","count":%}`
	first := uid(strings.Replace(base, "%", "1", 1), now)
	if again := uid(strings.Replace(base, "%", "2", 1), now.Add(time.Hour)); again != first {
		t.Errorf("uid %s became %s with another count", first, again)
	}
	if form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`); !form.MatchString(first) {
		t.Errorf("uid %s is no UUID of version 8", first)
	}
	for _, change := range [][2]string{{`"R"`, `"S"`}, {`"Normal"`, `"Warning"`}, {`"M"`, `"N"`}, {`"Pod"`, `"Job"`}, {`"p"`, `"q"`}, {`"n"`, `"m"`}, {"03:00", "03:01"}} {
		if other := uid(strings.Replace(strings.Replace(base, "%", "1", 1), change[0], change[1], 1), now); other == first {
			t.Errorf("uid stays the same with %s", change[1])
		}
	}
	if a, b := uid(`{"reason":"R"}`, now), uid(`{"reason":"R"}`, now.Add(time.Hour)); a != b {
		t.Errorf("an event without a time has uid %s, then %s", a, b)
	}
}

func TestBadEventsAmongGood(t *testing.T) {
	const good = `{"reason":"Good"}`
	cases := map[string]struct{ event, id, says string }{
		"kind":         {`{"apiVersion":"v1","kind":"Pod","reason":"R"}`, "seamark-event-kind", `"Pod"`},
		"empty":        {`{}`, "seamark-event-empty", "Event 2 of the request, at byte 19"},
		"null":         {`null`, "seamark-event-empty", "reason"},
		"not an event": {`7`, "seamark-event-malformed", "malformed"},
		"wrong type":   {`{"reason":7}`, "seamark-event-malformed", "number in field \"reason\""},
		"bad time":     {`{"reason":"R","eventTime":"yesterday"}`, "seamark-event-malformed", `"yesterday"`},
		"no time":      {`{"reason":"R","eventTime":{}}`, "seamark-event-malformed", "RFC 3339"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := decodeObjects(t, "["+good+","+c.event+","+good+"]")
			if len(b.Events) != 2 || b.Rejected.Events != 1 {
				t.Fatalf("%d events, rejected %+v", len(b.Events), b.Rejected)
			}
			if r := b.Rejected.Reasons[0]; r.Reason != c.id || !strings.Contains(r.Detail, c.says) {
				t.Errorf("got %+v, want %s with %q", r, c.id, c.says)
			}
		})
	}
}

func TestBrokenBodies(t *testing.T) {
	for body, says := range map[string]string{
		"": "byte 0 of 0", "  ": "byte", `{"reason":`: "of 10", `[{"reason":"R"}`: "of 15", `{"items":[{"reason":"R"},]}`: "byte 25 of 27",
		`"text"`: "byte 6", "[]]": "byte 2 of 3", "nonsense": "byte 0",
	} {
		err := events.DecodeObjects([]byte(body), now, new(seamark.Batch))
		e, ok := errors.AsType[*seamark.Error](err)
		if !ok || e.Kind != seamark.Invalid || e.ID != "seamark-body-json" || !strings.Contains(e.Message, says) {
			t.Errorf("%q: got %v, want seamark-body-json with %q", body, err, says)
		}
	}
	if b := decodeObjects(t, `{"kind":"List","items":[]}`); b.Rows() != 0 {
		t.Errorf("an empty list has %d rows", b.Rows())
	}
}

func TestTooManyEvents(t *testing.T) {
	body := "[" + strings.Repeat("0,", 100_000) + "0]"
	err := events.DecodeObjects([]byte(body), now, new(seamark.Batch))
	if seamark.KindOf(err) != seamark.TooLarge {
		t.Errorf("got %v", err)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	body, err := json.Marshal(map[string]any{"reason": strings.Repeat("r", 2000), "message": strings.Repeat("é", 20_000)})
	if err != nil {
		t.Fatal(err)
	}
	e := decodeObjects(t, string(body)).Events[0]
	if e.Reason != strings.Repeat("r", 1024) || e.Message != strings.Repeat("é", 16384) {
		t.Errorf("reason has %d bytes, message %d", len(e.Reason), len(e.Message))
	}
	if e = decodeObjects(t, `{"reason":"x`+strings.Repeat("é", 600)+`"}`).Events[0]; e.Reason != "x"+strings.Repeat("é", 511) {
		t.Errorf("the reason was cut inside a character: %d bytes", len(e.Reason))
	}
}
