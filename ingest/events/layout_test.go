package events_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestLayouts reads one event in shapes that kubernetes-event-exporter's layout, its sinks and other templates give it.
func TestLayouts(t *testing.T) {
	first := time.Date(2026, 11, 20, 22, 31, 21, 0, time.UTC)
	last := time.Date(2026, 11, 20, 23, 5, 49, 0, time.UTC)
	want := seamark.Event{
		Cluster: "eu-1", UID: "8fdf8be9", Namespace: "prod", Kind: "Pod", Object: "web-0", Type: "Warning", Reason: "BackOff",
		Message: "Back-off restarting", Source: "kubelet", Node: "node-7", Count: 12, First: first, Last: last,
	}
	for name, body := range map[string]string{
		"details": `{"region":"us-west-2","eventType":"kubernetes-event","cluster":"eu-1","details":{"message":"Back-off restarting","reason":"BackOff",
			"type":"Warning","count":"12","kind":"Pod","name":"web-0","namespace":"prod","component":"kubelet","host":"node-7","uid":"8fdf8be9",
			"labels":"{\"app\":\"web\"}","firstTimestamp":"2026-11-20 22:31:21 +0000 UTC","lastTimestamp":"2026-11-20 23:05:49 +0000 UTC"}}`,
		"flat": `{"cluster_name":"eu-1","message":"Back-off restarting","reason":"BackOff","type":"Warning","count":12,"kind":"Pod","name":"web-0",
			"namespace":"prod","component":"kubelet","host":"node-7","event_uid":"8fdf8be9","first_seen":"2026-11-20T22:31:21Z","last_seen":"2026-11-20T23:05:49Z"}`,
		"dotted": `{"clusterName":"eu-1","message":"Back-off restarting","reason":"BackOff","type":"Warning","count":12,"involvedObject.kind":"Pod",
			"involvedObject.name":"web-0","involvedObject.uid":"9b2e","involvedObject.namespace":"prod","source.component":"kubelet","source.host":"node-7",
			"metadata.uid":"8fdf8be9","metadata.name":"web-0.18","firstTimestamp":"2026-11-20T22:31:21Z","lastTimestamp":"2026-11-20T23:05:49Z"}`,
		"snake": `{"cluster":{"name":"eu-1"},"msg":"Back-off restarting","reason":"BackOff","level":"Warning","count":12.0,"involved_object":{"kind":"Pod","name":"web-0",
			"namespace":"prod","labels":{"kind":"x","name":"y"}},"source":"kubelet","node":"node-7","uid":"8fdf8be9","count":"12",
			"first_timestamp":1795213881,"last_timestamp":"1795215949000"}`,
		"EventTypeAndSo": `{"EventType":"Warning","EventReason":"BackOff","EventMessage":"Back-off restarting","EventKind":"Pod","EventName":"web-0","EventNamespace":"prod",
			"EventSource":"kubelet","EventNode":"node-7","EventCount":12,"EventUID":"8fdf8be9","clusterName":"eu-1","EventFirstTime":"2026-11-20T22:31:21Z","EventLastTime":"2026-11-20T23:05:49Z"}`,
		"object": `{"cluster":"eu-1","object":{"kind":"Pod","name":"web-0","namespace":"prod","uid":"9b2e"},"reason":"BackOff","message":"Back-off restarting","type":"Warning",
			"count":12,"source":{"component":"kubelet","host":"node-7"},"metadata":{"uid":"8fdf8be9","name":"web-0.18"},"firstTimestamp":"2026-11-20T22:31:21Z","lastTimestamp":"2026-11-20T23:05:49Z"}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := decodeObjects(t, body)
			if diff := cmp.Diff([]seamark.Event{want}, b.Events); diff != "" || b.Rejected.Rows() != 0 {
				t.Errorf("rejected %+v, -want +got:\n%s", b.Rejected, diff)
			}
		})
	}
}

// TestLargeObjects keeps one object of a body from taking many times its size.
func TestLargeObjects(t *testing.T) {
	wide := `{"reason":"R","kind":"Pod"` + strings.Repeat(`,"a":0`, 50_000) + `}`
	b := decodeObjects(t, wide)
	if len(b.Events) != 1 || b.Events[0].Reason != "R" || b.Events[0].Kind != "" {
		t.Errorf("a wide object: %+v, rejected %+v", b.Events, b.Rejected)
	}
	node := `{"kind":"Node","status":{"conditions":[` + strings.Repeat(`{},`, 100_000) + `{}]}}`
	b = decodeObjects(t, node)
	if len(b.Events) != 0 || b.Rejected.Events != 1 || !strings.Contains(b.Rejected.Reasons[0].Detail, "the limit is 262144") {
		t.Errorf("a node: %d events, rejected %+v", len(b.Events), b.Rejected)
	}
	node = `{"kind":"Node","status":{"conditions":[` + strings.Repeat(`{"type":"T"},`, 100) + `{}]}}`
	if b = decodeObjects(t, node); len(b.Events) != 64 {
		t.Errorf("a node of 101 conditions is %d events", len(b.Events))
	}
}

func TestTimesOfSenders(t *testing.T) {
	at := time.Date(2026, 11, 20, 22, 31, 21, 372_776_000, time.UTC)
	for text, want := range map[string]time.Time{
		`1795213881.372776`:             at,
		`"1795213881.372776"`:           at,
		`1795213881`:                    at.Truncate(time.Second),
		`1795213881372`:                 at.Truncate(time.Millisecond),
		`1795213881372.776`:             at,
		`1795213881372776`:              at,
		`1795213881372776000`:           at,
		`"2026-11-20T22:31:21.372776Z"`: at,
		`"2026-11-20 22:31:21.372776"`:  at,
		`-1`:                            now,
		`0`:                             now,
		`1e9`:                           now,
		`"soon"`:                        now,
		`[]`:                            now,
	} {
		// The record's time stands in where the event tells none; it is never a fault.
		e := decodeObjects(t, `{"reason":"R","date":`+text+`}`).Events[0]
		if !e.First.Equal(want) || !e.Last.Equal(want) {
			t.Errorf("date %s: got %s to %s, want %s", text, e.First, e.Last, want)
		}
	}
	e := decodeObjects(t, `{"reason":"R","eventTime":1795213881.372776,"@timestamp":"2020-01-01T00:00:00Z"}`).Events[0]
	if !e.First.Equal(at) {
		t.Errorf("eventTime as a number: got %s, want %s", e.First, at)
	}
	if e := decodeObjects(t, `{"reason":"R","@timestamp":"2026-11-20T22:31:21.372776Z"}`).Events[0]; !e.First.Equal(at) {
		t.Errorf("@timestamp: got %s, want %s", e.First, at)
	}
}

func TestConditions(t *testing.T) {
	const changed = "2026-11-20T22:31:21Z"
	at := time.Date(2026, 11, 20, 22, 31, 21, 0, time.UTC)
	condition := func(kind, reason, message string) seamark.Event {
		return seamark.Event{
			Kind: "Node", Object: "node-7", Node: "node-7", Type: kind, Reason: reason, Message: message, Source: "node-condition",
			Count: 1, First: at, Last: at,
		}
	}
	const node = `{"kind":"Node","apiVersion":"v1","metadata":{"name":"node-7","uid":"3555"},"spec":{},"status":{"conditions":[
		{"type":"KernelDeadlock","status":"True","lastHeartbeatTime":"%","lastTransitionTime":"` + changed + `","reason":"DockerHung","message":"task docker:7 blocked"},
		{"type":"Ready","status":"True","lastHeartbeatTime":"%","lastTransitionTime":"` + changed + `","reason":"KubeletReady","message":"kubelet is posting ready status"},
		{"type":"Ready","status":"Unknown","lastTransitionTime":"` + changed + `","reason":"NodeStatusUnknown"},
		{"type":"DiskPressure","status":"False","lastTransitionTime":"` + changed + `"}]}}`
	wantNode := []seamark.Event{
		condition("Warning", "DockerHung", "Condition KernelDeadlock is True: task docker:7 blocked"),
		condition("Normal", "KubeletReady", "Condition Ready is True: kubelet is posting ready status"),
		condition("Warning", "NodeStatusUnknown", "Condition Ready is Unknown"),
		condition("Normal", "DiskPressure", "Condition DiskPressure is False"),
	}
	// The detector's own page names no node; whoever forwards it can.
	const problem = `[{"type":"KernelDeadlock","status":"True","transition":"` + changed + `","reason":"DockerHung","message":"task docker:7 blocked",
		"taintEnabled":false,"taintKey":"","node":"node-7"}]`
	for name, c := range map[string]struct {
		body string
		want []seamark.Event
	}{
		"node": {node, wantNode}, "watch": {`{"type":"MODIFIED","object":` + node + `}`, wantNode},
		"list": {`{"kind":"List","items":[` + node + `]}`, wantNode}, "/conditions": {problem, wantNode[:1]},
	} {
		t.Run(name, func(t *testing.T) {
			b := decodeObjects(t, c.body)
			again := decodeObjects(t, c.body)
			uids := make(map[string]bool)
			for i := range b.Events {
				if b.Events[i].UID != again.Events[i].UID || uids[b.Events[i].UID] {
					t.Errorf("condition %d has uid %s, then %s", i, b.Events[i].UID, again.Events[i].UID)
				}
				uids[b.Events[i].UID] = true
				b.Events[i].UID = ""
			}
			if diff := cmp.Diff(c.want, b.Events); diff != "" || b.Rejected.Rows() != 0 {
				t.Errorf("rejected %+v, -want +got:\n%s", b.Rejected, diff)
			}
		})
	}
	for body, id := range map[string]string{
		`{"kind":"Node","status":{}}`: "seamark-event-kind", `{"kind":"Node","status":7}`: "seamark-event-malformed",
	} {
		if b := decodeObjects(t, body); b.Rows() != 0 || b.Rejected.Events != 1 || b.Rejected.Reasons[0].Reason != id {
			t.Errorf("%s: %d events, rejected %+v, want %s", body, len(b.Events), b.Rejected, id)
		}
	}
}
