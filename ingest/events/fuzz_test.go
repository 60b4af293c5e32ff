package events_test

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// item returns the i-th event of a recorded list, which is a better seed than the whole list.
func item(f *testing.F, name string, i int) []byte {
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(read(f, name), &list); err != nil {
		f.Fatal(err)
	}
	return list.Items[i]
}

func FuzzCoreV1(f *testing.F) {
	f.Add(item(f, "events-corev1.json", 0))
	f.Add(item(f, "events-corev1.json", 11))
	f.Add(read(f, "exporter.json"))
	f.Add([]byte(`{"kind":"List","items":[{"reason":"R"},null,{"message":"m"}]}`))
	f.Add([]byte(`[{"reason":"R"}] {"reason":"S"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := new(seamark.Batch)
		err := events.DecodeObjects(body, now, b)
		checkEvents(t, b, err)
		var k corev1.Event
		if err != nil || len(b.Events) != 1 || b.Rejected.Events > 0 || json.Unmarshal(body, &k) != nil || k.Message == "" || len(k.Message) > 1<<10 {
			return
		}
		if e := b.Events[0]; k.Reason != "" && len(k.Reason) <= 1<<10 && (e.Reason != k.Reason || e.Message != k.Message) {
			t.Fatalf("got reason %q, message %q; k8s.io/api has %q, %q", e.Reason, e.Message, k.Reason, k.Message)
		}
	})
}

func FuzzEventsV1(f *testing.F) {
	f.Add(item(f, "events-eventsv1.json", 0))
	f.Add(item(f, "events-eventsv1.json", 1))
	f.Add(item(f, "events-eventsv1.json", 10))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := new(seamark.Batch)
		err := events.DecodeObjects(body, now, b)
		checkEvents(t, b, err)
		var k eventsv1.Event
		if err != nil || len(b.Events) != 1 || b.Rejected.Events > 0 || json.Unmarshal(body, &k) != nil || k.Regarding.Name == "" {
			return
		}
		var core corev1.Event
		if json.Unmarshal(body, &core) != nil || core.InvolvedObject != (corev1.ObjectReference{}) || len(k.Regarding.Name) > 1<<10 {
			return
		}
		if e := b.Events[0]; e.Object != k.Regarding.Name {
			t.Fatalf("got object %q, k8s.io/api has %q", e.Object, k.Regarding.Name)
		}
	})
}

func FuzzEventer(f *testing.F) {
	for _, message := range messages() {
		f.Add(render(f, defaultTemplate, kubeEvent(message)))
	}
	f.Add(render(f, ourTemplate, kubeEvent("m \"q\" \x00")))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := new(seamark.Batch)
		checkEvents(t, b, events.DecodeEventer(body, now, b))
	})
}

// FuzzEventerMessage puts any message through both templates and wants it back.
func FuzzEventerMessage(f *testing.F) {
	for _, message := range messages() {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message string) {
		valid := string([]rune(message)) // the decoder replaces what is not UTF-8
		if len(message) > 8<<10 {
			return
		}
		for _, text := range []string{defaultTemplate, ourTemplate} {
			if e := decodeEventer(t, render(t, text, kubeEvent(valid))); e.Message != valid || e.Reason != "BackOff" || e.Kind != "Pod" {
				t.Fatalf("message %q came back as %q with reason %q", valid, e.Message, e.Reason)
			}
		}
	})
}
