package events_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// recorded returns the events of a recorded list as their sender wrote them.
func recorded(t testing.TB, name string) []json.RawMessage {
	t.Helper()
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(read(t, name), &list); err != nil {
		t.Fatal(err)
	}
	return list.Items
}

// with returns the object with more members in front.
func with(object []byte, members string) string {
	return "{" + members + "," + string(bytes.TrimPrefix(object, []byte("{")))
}

// TestSendersAgree is what upserts rest on: the same event is the same row whoever forwards it, and in whatever shape.
func TestSendersAgree(t *testing.T) {
	for _, raw := range recorded(t, "events-corev1.json") {
		want := decodeObjects(t, string(raw)).Events
		compact := new(bytes.Buffer)
		if err := json.Compact(compact, raw); err != nil {
			t.Fatal(err)
		}
		wrapped := `{"type":"MODIFIED","object":` + string(raw) + `}`
		for sender, body := range map[string]string{
			"watch, added":              `{"type":"ADDED","object":` + string(raw) + `}`,
			"watch, modified":           wrapped,
			"kubectl get -w":            string(raw) + "\n",
			"Fluent Bit, json":          "[" + with(raw, `"date":1763677879.372776`) + "]",
			"Fluent Bit, json_lines":    with(compact.Bytes(), `"date":"2026-11-20T22:31:19.372776Z"`) + "\n",
			"Fluent Bit, java_sql":      "[" + with(raw, `"date":"2026-11-20 22:31:19.372776"`) + "]",
			"Fluent Bit, date is noise": "[" + with(raw, `"date":{}`) + "]",
			"Elasticsearch sender":      with(raw, `"@timestamp":"2026-11-20T22:31:19.372Z"`),
			"text counts":               strings.Replace(compact.String(), `"count":7`, `"count":"7"`, 1),
		} {
			if diff := cmp.Diff(want, decodeObjects(t, body).Events); diff != "" {
				t.Errorf("%s, -want +got:\n%s", sender, diff)
			}
		}
		for _, record := range []string{string(raw), wrapped, with(compact.Bytes(), `"date":1.5`)} {
			got, ok := events.FromRecord([]byte(record))
			if diff := cmp.Diff(want[0], got); !ok || diff != "" {
				t.Errorf("as a log record: %t, -want +got:\n%s", ok, diff)
			}
		}
		var k corev1.Event
		if err := json.Unmarshal(raw, &k); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[0], decodeEventer(t, render(t, ourTemplate, &k))); diff != "" {
			t.Errorf("kube-eventer, -want +got:\n%s", diff)
		}
	}
}

// TestShapesAgree compares the two API groups' shapes of one event, of which each update has one.
func TestShapesAgree(t *testing.T) {
	byUID := make(map[string]seamark.Event)
	for _, raw := range recorded(t, "events-corev1.json") {
		e := decodeObjects(t, string(raw)).Events[0]
		byUID[e.UID] = e
	}
	shared := 0
	for _, raw := range recorded(t, "events-eventsv1.json") {
		got := decodeObjects(t, string(raw)).Events[0]
		want, ok := byUID[got.UID]
		if !ok {
			continue
		}
		shared++
		// What makes the row must agree even if one was recorded some updates later.
		if got.Namespace != want.Namespace || !got.First.Equal(want.First) || got.Source != want.Source || got.Node != want.Node {
			t.Errorf("core/v1 %+v\nevents/v1 %+v", want, got)
		}
	}
	if shared < 10 {
		t.Errorf("only %d events are in both recordings", shared)
	}
}

// TestUpdatesRise holds that a later update of an event has a later time or a higher count, by which the store keeps it in
// whatever order they come.
func TestUpdatesRise(t *testing.T) {
	const core = `{"metadata":{"uid":"u"},"reason":"R","firstTimestamp":"2026-11-20T22:00:00Z","lastTimestamp":"2026-11-20T22:%s:00Z","count":%d}`
	const series = `{"metadata":{"uid":"u"},"reason":"R","eventTime":"2026-11-20T22:00:00.5Z","series":{"count":%d,"lastObservedTime":"2026-11-20T22:%s:00.1Z"}}`
	for _, body := range []string{
		fmt.Sprintf(core, "01", 1) + fmt.Sprintf(core, "02", 2) + fmt.Sprintf(core, "02", 3),
		fmt.Sprintf(series, 2, "01") + fmt.Sprintf(series, 3, "02") + fmt.Sprintf(series, 4, "02"),
	} {
		list := decodeObjects(t, body).Events
		for i := 1; i < len(list); i++ {
			before, after := list[i-1], list[i]
			if after.UID != before.UID || !after.First.Equal(before.First) {
				t.Errorf("%+v is another row than %+v", after, before)
			}
			if after.Last.Before(before.Last) || after.Last.Equal(before.Last) && after.Count <= before.Count {
				t.Errorf("%+v is no later than %+v", after, before)
			}
		}
	}
}

func TestWatchTellsNoEvent(t *testing.T) {
	const event = `{"metadata":{"uid":"u","resourceVersion":"1"},"involvedObject":{"kind":"Pod"},"reason":"R","eventTime":"2026-11-20T22:00:00Z"}`
	for _, word := range []string{"DELETED", "BOOKMARK"} {
		wrapped := `{"type":"` + word + `","object":` + event + `}`
		if b := decodeObjects(t, wrapped); b.Rows() != 0 || b.Rejected.Rows() != 0 {
			t.Errorf("%s: %d events, rejected %+v", word, len(b.Events), b.Rejected)
		}
		if e, ok := events.FromRecord([]byte(wrapped)); ok {
			t.Errorf("%s: a log record became %+v", word, e)
		}
	}
	b := decodeObjects(t, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old resource version","reason":"Expired","code":410}}`)
	if b.Rows() != 0 || b.Rejected.Events != 1 || b.Rejected.Reasons[0].Reason != "seamark-event-kind" {
		t.Errorf("an error of the watch: %d events, rejected %+v", len(b.Events), b.Rejected)
	}
}

// TestNodeProblemDetector reads a temporary problem as the detector's exporter writes it: the object is the node, and has
// the node's name as uid.
func TestNodeProblemDetector(t *testing.T) {
	const body = `{"kind":"Event","apiVersion":"v1","metadata":{"name":"node-7.18e9","namespace":"default","uid":"3555bd52-0438-4e17-817e-f17251f008b9","resourceVersion":"77"},
		"involvedObject":{"kind":"Node","name":"node-7","uid":"node-7"},"reason":"TaskHung","message":"task docker:7 blocked for more than 120 seconds.",
		"source":{"component":"kernel-monitor","host":"node-7"},"firstTimestamp":"2026-11-20T22:31:21Z","lastTimestamp":"2026-11-20T22:31:21Z","count":1,
		"type":"Warning","eventTime":null,"reportingComponent":"kernel-monitor","reportingInstance":"node-7"}`
	at := time.Date(2026, 11, 20, 22, 31, 21, 0, time.UTC)
	want := []seamark.Event{{
		UID: "3555bd52-0438-4e17-817e-f17251f008b9", Kind: "Node", Object: "node-7", Type: "Warning", Reason: "TaskHung",
		Message: "task docker:7 blocked for more than 120 seconds.", Source: "kernel-monitor", Node: "node-7", Count: 1, First: at, Last: at, Version: "77",
	}}
	if diff := cmp.Diff(want, decodeObjects(t, body).Events); diff != "" {
		t.Error(diff)
	}
}

// TestTemplateIsDocumented keeps the template that is recommended the one that is tested.
func TestTemplateIsDocumented(t *testing.T) {
	for name, indent := range map[string]string{"doc.go": "//\t", "../../docs/protocols.md": "    "} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := indent + strings.ReplaceAll(ourTemplate, "\n", "\n"+indent)
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not have the template of this test:\n%s", name, want)
		}
	}
}
