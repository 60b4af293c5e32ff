package events_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// containerRecord is what Fluent Bit sends of a container's line, the record that is most common.
const containerRecord = `{"date":1795213881.372776,"log":"10.0.3.7 - - [20/Nov/2026:22:31:21 +0000] \"POST /api/v1/orders HTTP/1.1\" 201 512 \"-\" \"okhttp/4.12.0\"","stream":"stdout","time":"2026-11-20T22:31:21.372776Z",` +
	`"kubernetes":{"pod_name":"web-5475d4dc89-94rz6","namespace_name":"prod","pod_id":"9b2e91aa-6619-4d1c-bb04-0e7ceb60fcf2","labels":{"app":"web","pod-template-hash":"5475d4dc89"},` +
	`"host":"node-7","container_name":"app","docker_id":"f77d955b69b04cce9c4a0360d0c71cb5","container_image":"registry.example.org/shop/web:1.4.2"}}`

func TestRecordsThatAreNoEvents(t *testing.T) {
	const event = `{"metadata":{"uid":"u","resourceVersion":"1"},"involvedObject":{"kind":"Pod"},"reason":"R","eventTime":"2026-11-20T22:00:00Z"}`
	if _, ok := events.FromRecord([]byte(event)); !ok {
		t.Fatal("the event that is changed below is none")
	}
	for what, record := range map[string]string{
		"a container's line": containerRecord, "nothing": "", "text": "V", "a V at the end": `{"log":"V`, "no version": strings.Replace(event, "resourceV", "v", 1),
		"about nothing": strings.Replace(event, `{"kind":"Pod"}`, `{}`, 1), "no reason": strings.Replace(event, `"R"`, `""`, 1),
		"another kind": strings.Replace(event, `"reason"`, `"kind":"Pod","reason"`, 1), "nameless": strings.Replace(event, `"uid":"u",`, "", 1),
		"no time": strings.Replace(event, "eventTime", "nonce", 1), "a bad time": strings.Replace(event, "2026", "MMXX", 1),
		"an event inside a line": `{"log":"` + strings.ReplaceAll(event, `"`, `\"`) + `"}`, "an event in text": "got " + event,
		"a mistyped field": strings.Replace(event, `"R"`, `7`, 1),
	} {
		if e, ok := events.FromRecord([]byte(record)); ok {
			t.Errorf("%s: became %+v", what, e)
		}
	}
}

// TestRecordSharesNoMemory holds what the decoders that call it rely on: their buffers are used again.
func TestRecordSharesNoMemory(t *testing.T) {
	raw := []byte(recorded(t, "events-corev1.json")[0])
	e, ok := events.FromRecord(raw)
	before := events.LogBody(nil, &e)
	clear(raw)
	if after := events.LogBody(nil, &e); !ok || !bytes.Equal(after, before) {
		t.Errorf("the event changed with the record: %s, then %s", before, after)
	}
}

func FuzzFromRecord(f *testing.F) {
	for _, raw := range recorded(f, "events-corev1.json")[:3] {
		f.Add([]byte(raw))
		f.Add([]byte(`{"type":"ADDED","object":` + string(raw) + `}`))
	}
	f.Add([]byte(recorded(f, "events-eventsv1.json")[1]))
	f.Add([]byte(containerRecord))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, ok := events.FromRecord(raw)
		if !ok {
			return
		}
		b := &seamark.Batch{Events: []seamark.Event{e}}
		checkEvents(t, b, nil)
		// What is an event among records is the same event where events are due.
		direct := new(seamark.Batch)
		if err := events.DecodeObjects(raw, now, direct); err != nil || len(direct.Events) != 1 || direct.Events[0] != e {
			t.Fatalf("as a record %+v, as an event %+v, %v", e, direct.Events, err)
		}
	})
}

// FuzzLayout takes whatever objects apart.
func FuzzLayout(f *testing.F) {
	f.Add([]byte(`{"details":{"reason":"R","kind":"Pod","count":"3"},"object":{"name":"n"}}`))
	f.Add([]byte(`{"type":"KernelDeadlock","status":"True","transition":"2026-11-20T22:31:21Z","reason":"DockerHung","node":"n"}`))
	f.Add([]byte(`{"kind":"Node","metadata":{"name":"n"},"status":{"conditions":[{"type":"Ready","status":"False"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b, again := new(seamark.Batch), new(seamark.Batch)
		checkEvents(t, b, events.DecodeObjects(body, now, b))
		_ = events.DecodeObjects(body, now, again) // has the error that was checked above
		for i := range b.Events {
			if b.Events[i] != again.Events[i] {
				t.Fatalf("the same body gave %+v, then %+v", b.Events[i], again.Events[i])
			}
		}
	})
}

func BenchmarkFromRecordNoEvent(b *testing.B) {
	raw := []byte(containerRecord)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := events.FromRecord(raw); ok {
			b.Fatal("a container's line is no event")
		}
	}
}

func BenchmarkFromRecordEvent(b *testing.B) {
	raw := []byte(recorded(b, "events-corev1.json")[1])
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := events.FromRecord(raw); !ok {
			b.Fatal("the event was not seen")
		}
	}
}

func BenchmarkDecodeObjects(b *testing.B) {
	body := read(b, "events-corev1.json")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	batch := new(seamark.Batch)
	for b.Loop() {
		batch.Reset()
		if err := events.DecodeObjects(body, now, batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(batch.Events))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecodeEventer(b *testing.B) {
	body := render(b, ourTemplate, kubeEvent("Back-off restarting failed container"))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	batch := new(seamark.Batch)
	for b.Loop() {
		batch.Reset()
		if err := events.DecodeEventer(body, now, batch); err != nil {
			b.Fatal(err)
		}
	}
}
