package events_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestLogBody(t *testing.T) {
	at := time.Date(2026, 11, 20, 22, 31, 21, 500_000_000, time.FixedZone("CST", 8*3600))
	e := seamark.Event{
		Cluster: "eu", UID: "u", Namespace: "prod", Kind: "Pod", Object: "web-0", Type: "Warning", Reason: "BackOff",
		Message: "say \"hi\" <b>\n\xff", Source: "kubelet", Node: "n1", Count: 3, First: at, Last: at.Add(time.Second), Version: "7",
	}
	const want = `x{"cluster":"eu","namespace":"prod","kind":"Pod","name":"web-0","type":"Warning","reason":"BackOff",` +
		`"message":"say \"hi\" <b>\n\ufffd","source":"kubelet","node":"n1","count":3,` +
		`"first":"2026-11-20T14:31:21.5Z","last":"2026-11-20T14:31:22.5Z"}`
	if got := string(events.LogBody([]byte("x"), &e)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	const bare = `{"kind":"","name":"","type":"","reason":"R","message":"","count":1,"first":"0001-01-01T00:00:00Z","last":"0001-01-01T00:00:00Z"}`
	e = seamark.Event{Reason: "R", Count: 1, Last: time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if got := string(events.LogBody(nil, &e)); got != bare {
		t.Errorf("got  %s\nwant %s", got, bare)
	}
}

func TestLevel(t *testing.T) {
	got := make(map[string]seamark.Level)
	for _, word := range []string{"Warning", "Normal", "warning", "Error", "", "Odd"} {
		got[word] = events.Level(&seamark.Event{Type: word})
	}
	want := map[string]seamark.Level{
		"Warning": seamark.LevelWarn, "Normal": seamark.LevelInfo, "warning": seamark.LevelWarn, "Error": seamark.LevelError,
		"": seamark.LevelUnknown, "Odd": seamark.LevelUnknown,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// checkEvents is what holds for every event that a decoder lets through.
func checkEvents(t *testing.T, b *seamark.Batch, err error) {
	if err != nil && seamark.KindOf(err) != seamark.Invalid {
		t.Fatalf("error %v of kind %s", err, seamark.KindOf(err))
	}
	if b.Logs.Len() != 0 || b.Samples.Len() != 0 {
		t.Fatal("an event became something else")
	}
	for i := range b.Events {
		e := &b.Events[i]
		if e.UID == "" || e.Count < 1 || e.First.IsZero() || e.Last.Before(e.First) || len(e.Message) > 32<<10 || len(e.Reason) > 1<<10 {
			t.Fatalf("event %+v", e)
		}
		var body map[string]any
		if err := json.Unmarshal(events.LogBody(nil, e), &body); err != nil || body["reason"] != e.Reason || body["message"] != e.Message {
			t.Fatalf("log body of %+v: %v, %v", e, err, body)
		}
	}
}
