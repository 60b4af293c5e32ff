package clients_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// exportedEvent is what kubernetes-event-exporter's webhook sends: the event with its cluster's name and the involved
// object's labels, annotations and owners.
type exportedEvent struct {
	corev1.Event   `json:",inline"`
	ClusterName    string         `json:"clusterName"`
	InvolvedObject exportedObject `json:"involvedObject"`
}

type exportedObject struct {
	corev1.ObjectReference `json:",inline"`
	Labels                 map[string]string       `json:"labels,omitempty"`
	Annotations            map[string]string       `json:"annotations,omitempty"`
	OwnerReferences        []metav1.OwnerReference `json:"ownerReferences,omitempty"`
	Deleted                bool                    `json:"deleted"`
}

// listedEvent is an event as /api/v1/events shows it.
type listedEvent struct {
	Cluster, UID, Namespace, Kind, Object, Type, Reason, Message, Source, Node string
	Count                                                                      uint32
	First, Last                                                                time.Time
}

func listEvents(t *testing.T, x *inprocess.Tenant, filter url.Values) []listedEvent {
	t.Helper()
	var got struct {
		Items     []listedEvent
		Truncated bool
	}
	x.Get(t, "/api/v1/events", filter, &got)
	return got.Items
}

func backOff(first, last time.Time, count int32, version string) corev1.Event {
	return corev1.Event{
		TypeMeta:       metav1.TypeMeta{Kind: "Event", APIVersion: "v1"},
		ObjectMeta:     metav1.ObjectMeta{Name: "web-0.17c1", Namespace: "prod", UID: "0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d", ResourceVersion: version},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "prod", Name: "web-0", FieldPath: "spec.containers{app}"},
		Reason:         "BackOff", Message: `Back-off restarting failed container "app" in pod web-0_prod`, Type: corev1.EventTypeWarning,
		Source: corev1.EventSource{Component: "kubelet", Host: "node-1"}, Count: count,
		FirstTimestamp: metav1.NewTime(first), LastTimestamp: metav1.NewTime(last), ReportingController: "kubelet", ReportingInstance: "node-1",
	}
}

func sendEvent(t *testing.T, x *inprocess.Tenant, e any) {
	t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/api/v1/push/events", "application/json", string(body), http.StatusOK)
}

func TestKubernetesEventExporter(t *testing.T) {
	x := newTenant(t, "event-exporter")
	first := time.Now().Add(-20 * time.Minute).Truncate(time.Second).UTC()
	last := first.Add(5 * time.Minute)
	send := func(count int32, last time.Time, version string) {
		e := exportedEvent{Event: backOff(first, last, count, version), ClusterName: "named-by-exporter"}
		e.InvolvedObject = exportedObject{ObjectReference: e.Event.InvolvedObject, Labels: map[string]string{"app": "web"}}
		sendEvent(t, x, &e)
	}
	send(1, first, "100")
	send(4, last, "160")
	send(1, first, "100") // the exporter restarts and sends what it sent
	pulled := backOff(first, first, 0, "90")
	pulled.UID, pulled.Type, pulled.Reason, pulled.Message = "11111111-2222-4333-8444-555555555555", corev1.EventTypeNormal, "Pulled", "Image pulled"
	pulled.InvolvedObject.Name, pulled.Namespace, pulled.InvolvedObject.Namespace = "api-1", "dev", "dev"
	sendEvent(t, x, &pulled)
	want := []listedEvent{
		{
			Cluster: "named-by-exporter", UID: "0b8f7c52-8a0d-4a57-9f0e-0d6f1c2b3a4d", Namespace: "prod", Kind: "Pod", Object: "web-0",
			Type: "Warning", Reason: "BackOff", Message: `Back-off restarting failed container "app" in pod web-0_prod`, Source: "kubelet",
			Node: "node-1", Count: 4, First: first, Last: last,
		},
		{
			Cluster: "eu-1", UID: string(pulled.UID), Namespace: "dev", Kind: "Pod", Object: "api-1", Type: "Normal", Reason: "Pulled",
			Message: "Image pulled", Source: "kubelet", Node: "node-1", Count: 1, First: first, Last: first,
		},
	}
	awaitEvents(t, x, want)
	send(9, last.Add(time.Minute), "201")
	want[0].Count, want[0].Last = 9, last.Add(time.Minute)
	awaitEvents(t, x, want)
	checkEventFilters(t, x, want)
	// Each update is a log line, too: three different ones, and the repetition of the first.
	got := linesOf(readLogs(t, x, `{signal="events", namespace="prod"} | json | reason="BackOff"`, first.Add(-time.Minute), time.Now()))
	if len(got) < 3 {
		t.Errorf("got %d log lines of the event, want one for each of its updates: %q", len(got), got)
	}
}

func awaitEvents(t *testing.T, x *inprocess.Tenant, want []listedEvent) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, listEvents(t, x, nil)); diff != "" {
			return errors.New("events (-sent +read):\n" + diff)
		}
		return nil
	})
}

func checkEventFilters(t *testing.T, x *inprocess.Tenant, all []listedEvent) {
	t.Helper()
	warning, normal := all[:1], all[1:]
	rfc := func(at time.Time) string { return at.Format(time.RFC3339) }
	for query, want := range map[string][]listedEvent{
		"namespace=prod": warning, "type=Normal": normal, "reason=BackOff": warning, "kind=Pod": all, "kind=Node": {},
		"object=api-1": normal, "q=restarting+failed": warning, "q=IMAGE": normal, "cluster=eu-1": normal, "cluster=named-by-exporter": warning,
		"namespace=prod&type=Normal": {}, "q=%25": {}, "limit=1": warning,
		"end=" + rfc(all[1].Last.Add(time.Minute)): normal, "start=" + rfc(all[1].Last.Add(time.Second)): warning,
	} {
		filter, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, listEvents(t, x, filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// eventerTemplate is the default body of kube-eventer's webhook sink: nothing in it is escaped.
const eventerTemplate = `
{
	"EventType": "{{ .Type }}",
	"EventKind": "{{ .InvolvedObject.Kind }}",
	"EventReason": "{{ .Reason }}",
	"EventTime": "{{ .EventTime }}",
	"EventMessage": "{{ .Message }}"
}`

func TestKubeEventer(t *testing.T) {
	x := newTenant(t, "kube-eventer")
	at := time.Now().Add(-5 * time.Minute).Truncate(time.Microsecond)
	page, err := template.New("body").Parse(eventerTemplate)
	if err != nil {
		t.Fatal(err)
	}
	send := func(method string, e *corev1.Event) {
		var body strings.Builder
		if err := page.Execute(&body, e); err != nil {
			t.Fatal(err)
		}
		if answer := x.Do(t, x.Ingest, method, "/api/v1/push/kube-eventer", nil, body.String()); answer.Status != http.StatusOK {
			t.Fatalf("%s: got %d %s; for kube-eventer only 200 is a success", method, answer.Status, answer.Body)
		}
	}
	quoted := backOff(at, at, 1, "1")
	quoted.EventTime = metav1.NewMicroTime(at)
	drained := quoted
	drained.Type, drained.Reason, drained.InvolvedObject.Kind, drained.Message = "Normal", "Drain", "Node", "line one\nline two, with \\ and {}"
	drained.EventTime = metav1.NewMicroTime(at.Add(-time.Minute))
	send(http.MethodGet, &quoted) // its default method
	send(http.MethodGet, &quoted) // and again, as after a restart
	send(http.MethodPost, &drained)
	testkit.Eventually(t, within, func() error {
		got := listEvents(t, x, nil)
		for i := range got {
			got[i].UID = "" // made by the server: kube-eventer tells none
		}
		want := []listedEvent{
			{Cluster: "eu-1", Kind: "Pod", Type: "Warning", Reason: "BackOff", Message: quoted.Message, Count: 1, First: at.UTC(), Last: at.UTC()},
			{Cluster: "eu-1", Kind: "Node", Type: "Normal", Reason: "Drain", Message: drained.Message, Count: 1, First: at.Add(-time.Minute).UTC(), Last: at.Add(-time.Minute).UTC()},
		}
		// The store keeps milliseconds.
		if diff := cmp.Diff(want, got, cmp.Comparer(sameMilli)); diff != "" {
			return errors.New("events (-sent +read):\n" + diff)
		}
		return nil
	})
}

func sameMilli(a, b time.Time) bool { return a.UnixMilli() == b.UnixMilli() }

// TestEventsKeepGood is the rule for partly bad lists: good events are stored, and the sender is told what is wrong.
func TestEventsKeepGood(t *testing.T) {
	x := newTenant(t, "events-partial")
	at := time.Now().Add(-5 * time.Minute).Truncate(time.Second).UTC()
	old := backOff(at.AddDate(-1, 0, 0), at.AddDate(-1, 0, 0), 1, "1")
	old.UID = "99999999-2222-4333-8444-555555555555"
	body, err := json.Marshal(corev1.EventList{TypeMeta: metav1.TypeMeta{Kind: "EventList", APIVersion: "v1"}, Items: []corev1.Event{backOff(at, at, 1, "1"), old}})
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/api/v1/push/events", "application/json", string(body), http.StatusBadRequest)
	testkit.Eventually(t, within, func() error {
		if got := listEvents(t, x, nil); len(got) != 1 || !got[0].Last.Equal(at) {
			return fmt.Errorf("got %v, want the one event inside the window", got)
		}
		return nil
	})
}
