package events_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// defaultTemplate has the shape of kube-eventer's default body, where a comma is missing.
const defaultTemplate = `{
	"EventType": "{{ .Type }}",
	"EventKind": "{{ .InvolvedObject.Kind }}"
	"EventReason": "{{ .Reason }}",
	"EventTime": "{{ .LastTimestamp }}",
	"EventMessage": "{{ .Message }}"
}`

// ourTemplate is the one of the package comment.
const ourTemplate = `{
  "EventType": {{ printf "%q" .Type }},
  "EventKind": {{ printf "%q" .InvolvedObject.Kind }},
  "EventNamespace": {{ printf "%q" .InvolvedObject.Namespace }},
  "EventName": {{ printf "%q" .InvolvedObject.Name }},
  "EventUID": {{ printf "%q" .UID }},
  "EventVersion": {{ printf "%q" .ResourceVersion }},
  "EventReason": {{ printf "%q" .Reason }},
  "EventSource": {{ printf "%q" (or .Source.Component .ReportingController) }},
  "EventNode": {{ printf "%q" (or .Source.Host .ReportingInstance) }},
  "EventCount": {{ .Count }},
  "EventFirstTime": "{{ .FirstTimestamp }}",
  "EventLastTime": "{{ .LastTimestamp }}",
  "EventTime": "{{ .EventTime }}",
  {{ with .Series }}"EventSeriesCount": {{ .Count }}, "EventSeriesTime": "{{ .LastObservedTime }}",{{ end }}
  "EventMessage": {{ printf "%q" .Message }}
}`

func kubeEvent(message string) *corev1.Event {
	at := time.Date(2026, 11, 20, 22, 31, 21, 0, time.FixedZone("CST", 8*3600))
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{UID: "8fdf8be9-ceb8", ResourceVersion: "42"},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "prod", Name: "web-0"},
		Type:           "Warning", Reason: "BackOff", Message: message, Count: 3,
		Source:         corev1.EventSource{Component: "kubelet", Host: "node-7"},
		FirstTimestamp: metav1.NewTime(at.Add(-time.Minute)), LastTimestamp: metav1.NewTime(at),
	}
}

func render(t testing.TB, text string, e *corev1.Event) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := template.Must(template.New("").Parse(text)).Execute(&buf, e); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func decodeEventer(t *testing.T, body []byte) seamark.Event {
	t.Helper()
	b := new(seamark.Batch)
	if err := events.DecodeEventer(body, now, b); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if len(b.Events) != 1 {
		t.Fatalf("%s: %d events, rejected %+v", body, len(b.Events), b.Rejected)
	}
	return b.Events[0]
}

// messages are what pods really say, and what somebody could make them say.
func messages() []string {
	return []string{
		"", "plain", `Liveness probe failed: {"status":"down"}`, "two\nlines\tand \"quotes\"", `ends with a quote"`, `C:\new\table`,
		`"}`, `}`, `","EventNamespace":"kube-system`, `x", "EventReason": "Fake`, `x","EventMessage":"y"}`, "käse \u2028 \x01 <&>", `back\`, `"`,
	}
}

func TestEventerTemplates(t *testing.T) {
	last := time.Date(2026, 11, 20, 14, 31, 21, 0, time.UTC)
	for _, message := range messages() {
		got := decodeEventer(t, render(t, defaultTemplate, kubeEvent(message)))
		want := seamark.Event{
			UID: got.UID, Kind: "Pod", Type: "Warning", Reason: "BackOff", Message: message, Count: 1, First: last, Last: last,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("default template, %q, -want +got:\n%s", message, diff)
		}
		want = seamark.Event{
			UID: "8fdf8be9-ceb8", Namespace: "prod", Kind: "Pod", Object: "web-0", Type: "Warning", Reason: "BackOff", Message: message,
			Source: "kubelet", Node: "node-7", Count: 3, First: last.Add(-time.Minute), Last: last, Version: "42",
		}
		if diff := cmp.Diff(want, decodeEventer(t, render(t, ourTemplate, kubeEvent(message)))); diff != "" {
			t.Errorf("our template, %q, -want +got:\n%s", message, diff)
		}
	}
}

func TestEventerOtherOrder(t *testing.T) {
	body := `{"EventMessage" : "say "hi", ok" , "EventType":"Normal","EventKind":"Node","Custom":"\"x","EventReason":"R","Other":null,
		"EventTime":"2026-11-20T22:31:21Z","EventCount":"9"}` + "\n"
	got := decodeEventer(t, []byte(body))
	at := time.Date(2026, 11, 20, 22, 31, 21, 0, time.UTC)
	want := seamark.Event{UID: got.UID, Kind: "Node", Type: "Normal", Reason: "R", Message: `say "hi", ok`, Count: 9, First: at, Last: at}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventerTimes(t *testing.T) {
	local := time.Date(2026, 3, 4, 5, 6, 7, 890_000_000, time.FixedZone("CST", 8*3600))
	for text, want := range map[string]time.Time{
		local.String():                    local,
		local.String() + " m=+0.004":      local,
		"2026-03-04 05:06:07 +0000 UTC":   time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		"2026-03-04 05:06:07 +0545 +0545": time.Date(2026, 3, 3, 23, 21, 7, 0, time.UTC),
		"2026-03-04T05:06:07.5Z":          time.Date(2026, 3, 4, 5, 6, 7, 500_000_000, time.UTC),
		"0001-01-01 00:00:00 +0000 UTC":   now,
		"<nil>":                           now,
		"":                                now,
		" 2026-03-04 05:06:07.123456 +0000 UTC m=+1.500 ": time.Date(2026, 3, 4, 5, 6, 7, 123_456_000, time.UTC),
	} {
		got := decodeEventer(t, fmt.Appendf(nil, `{"EventReason":"R","EventTime":%q,"EventMessage":"m"}`, text))
		if !got.First.Equal(want) || !got.Last.Equal(want) {
			t.Errorf("%q: got %s to %s, want %s", text, got.First, got.Last, want)
		}
	}
}

func TestEventerRefusals(t *testing.T) {
	for body, id := range map[string]string{
		`{"EventReason":"R","EventTime":"noon","EventMessage":"m"}`: "seamark-event-malformed",
		`{}`: "seamark-event-empty", `{"EventType":"Normal","EventMessage":""}`: "seamark-event-empty",
	} {
		b := new(seamark.Batch)
		if err := events.DecodeEventer([]byte(body), now, b); err != nil {
			t.Fatal(err)
		}
		if len(b.Events) != 0 || b.Rejected.Events != 1 || b.Rejected.Reasons[0].Reason != id {
			t.Errorf("%s: %d events, rejected %+v, want %s", body, len(b.Events), b.Rejected, id)
		}
	}
	for body, says := range map[string]string{
		"": "byte 0 of 0 the opening brace", "[]": "brace", `{EventType}`: "byte 1 of 11 a quoted key", `{"EventType" "x"}`: "colon",
		`{"EventType":"x`: "end of a value", `{"EventReason":"R","EventMessage":"no end`: "end of a value", `{"EventMessage":"}`: "end of a value",
		`{} {}`: "byte 3 of 5 the end of the body", `{"EventCount":`: "end of a value", `{"EventType":"x",`: "quoted key",
	} {
		err := events.DecodeEventer([]byte(body), now, new(seamark.Batch))
		e, ok := errors.AsType[*seamark.Error](err)
		if !ok || e.Kind != seamark.Invalid || e.ID != "seamark-body-eventer" || !strings.Contains(e.Message, says) {
			t.Errorf("%q: got %v, want seamark-body-eventer with %q", body, err, says)
		}
	}
}
