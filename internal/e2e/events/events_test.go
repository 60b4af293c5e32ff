package events_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// told is a state of an event as its API server tells it; minutes are before now.
type told struct {
	uid                                  int
	kind, object, reason, message, level string
	count, first, last                   int
}

func (w *world) body(t *testing.T, list ...told) []byte {
	t.Helper()
	at := func(minutes int) string { return w.now.Add(-time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
	var items []any
	for _, e := range list {
		namespace := "shop"
		if e.kind == "Node" {
			namespace = ""
		}
		items = append(items, map[string]any{
			"metadata":       map[string]any{"uid": fmt.Sprintf("00000000-0000-0000-0000-%012d", e.uid), "name": fmt.Sprint("e", e.uid)},
			"involvedObject": map[string]any{"kind": e.kind, "name": e.object, "namespace": namespace},
			"reason":         e.reason, "message": e.message, "type": e.level, "count": e.count, "firstTimestamp": at(e.first), "lastTimestamp": at(e.last),
			"source": map[string]any{"component": "kubelet", "host": "n1"},
		})
	}
	body, err := json.Marshal(map[string]any{"kind": "List", "apiVersion": "v1", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const (
	pod  = "web-5475d4dc89-94rz6"
	set  = "web-5475d4dc89"
	ours = "acme"
)

// sendEvents pushes states of events as an agent does that starts again twice and watches meanwhile.
func (w *world) sendEvents(t *testing.T) {
	t.Helper()
	backoff := func(count, last int) told {
		return told{1, "Pod", pod, "BackOff", `Back-off restarting failed container "web"`, "Warning", count, 100, last}
	}
	created := told{2, "ReplicaSet", set, "SuccessfulCreate", "Created pod: " + pod, "Normal", 1, 101, 101}
	scaled := told{3, "Deployment", "web", "ScalingReplicaSet", "Scaled up replica set " + set + " from 0 to 1", "Normal", 1, 102, 102}
	pulled := told{4, "Pod", pod, "Pulled", "Container image is there", "Normal", 1, 30, 30}
	yesterday := told{5, "Pod", "old-1", "BackOff", "Back-off", "Warning", 4, 24*60 + 40, 24*60 + 30}
	for _, list := range [][]told{
		{yesterday, scaled, created, backoff(1, 100)},
		{backoff(3, 90)},
		{scaled, created, backoff(3, 90), yesterday}, // it starts again
		{backoff(10, 20), pulled},
		{backoff(8, 50)}, // a late one
		{pulled, backoff(10, 20), scaled, created},
	} {
		w.push(t, "/api/v1/push/events", w.body(t, list...))
	}
	w.push(t, "/api/v1/push/events", fmt.Appendf(nil, `{"kind":"Node","metadata":{"name":"n1"},"status":{"conditions":[
		{"type":"DiskPressure","status":"True","reason":"KubeletHasDiskPressure","message":"full","lastTransitionTime":%q}]}}`, w.ago(25*time.Minute)))
}

type listed struct {
	Items []struct {
		Object, Reason string
		Count          int
		First, Last    time.Time
		NodeProblems   []struct{ Node, Condition, Reason string } `json:"node_problems"`
	}
	Owners    []struct{ Kind, Object, Known string }
	Truncated bool
}

// lines returns one line for each event.
func (l *listed) lines(now time.Time) []string {
	var out []string
	for _, e := range l.Items {
		out = append(out, fmt.Sprintf("%s %s %d %.0f-%.0f", e.Object, e.Reason, e.Count, now.Sub(e.First).Minutes(), now.Sub(e.Last).Minutes()))
	}
	return out
}

// TestEvents sends states of events again and again, and reads each event once.
func TestEvents(t *testing.T) {
	w := newWorld(t)
	w.sendEvents(t)
	want := []string{pod + " BackOff 10 100-20", "n1 KubeletHasDiskPressure 1 25-25", pod + " Pulled 1 30-30", set + " SuccessfulCreate 1 101-101", "web ScalingReplicaSet 1 102-102"}
	testkit.Eventually(t, within, func() error {
		var list listed
		var series counted
		if err := w.get(t, &list, "/api/v1/events", "start", w.ago(2*time.Hour)); err != nil {
			return err
		}
		if diff := cmp.Diff(want, list.lines(w.now)); diff != "" {
			return fmt.Errorf("list (-want +got):\n%s", diff)
		}
		err := w.get(t, &series, "/api/v1/events/series", "start", w.ago(2*24*time.Hour))
		if err == nil && series.Total != 18 {
			err = fmt.Errorf("%d occurrences", series.Total)
		}
		return err
	})
	for query, count := range map[[2]string]int{
		{"q", `back-off "failed container"`}: 1, {"q", `-back-off -scaled`}: 3, {"kind", "Pod"}: 2, {"not_kind", "Pod"}: 3, {"type", "Warning"}: 2,
		{"node", "n1"}: 5, {"uid", "00000000-0000-0000-0000-000000000001"}: 1, {"cluster", "other"}: 0, {"namespace", "shop"}: 4, {"source", "node-condition"}: 1,
	} {
		var list listed
		w.must(t, &list, "/api/v1/events", query[0], query[1], "start", w.ago(2*time.Hour))
		if len(list.Items) != count {
			t.Errorf("%v: got %v, want %d", query, list.lines(w.now), count)
		}
	}
	w.testFacets(t)
	w.testOccurrences(t)
	w.testTimeline(t)
}

func (w *world) testFacets(t *testing.T) {
	t.Helper()
	var facets struct {
		Events int
		Fields []struct {
			Field   string
			Entries int
			Values  []struct {
				Value  string
				Events int
			}
		}
	}
	w.must(t, &facets, "/api/v1/events/facets", "start", w.ago(2*time.Hour), "kind", "Pod")
	got := fmt.Sprint(facets.Events)
	for _, f := range facets.Fields {
		if f.Field == "kind" || f.Field == "reason" {
			got += fmt.Sprint(" ", f.Field, f.Values)
		}
	}
	if want := "2 kind[{Pod 2} {Deployment 1} {Node 1} {ReplicaSet 1}] reason[{BackOff 1} {Pulled 1}]"; got != want {
		t.Errorf("facets: got %s, want %s", got, want)
	}
}

type counted struct {
	Total int
	Items []struct {
		Value  string
		Total  int
		Counts []int
	}
}

type trending struct {
	Total struct{ Occurrences int }
	Items []struct {
		Value                   string
		Occurrences, Difference int
		OccurrencesBefore       int `json:"occurrences_before"`
		Ratio                   *float64
	}
}

// testOccurrences counts what each update added: BackOff rose to 1, 3, 8 and 10, 100, 90, 50 and 20 minutes ago.
func (w *world) testOccurrences(t *testing.T) {
	t.Helper()
	var series counted
	w.must(t, &series, "/api/v1/events/series", "start", w.ago(110*time.Minute), "end", w.ago(0), "step", "30m", "by", "reason", "object", pod)
	if want := "[{BackOff 10 [3 0 5 2]} {Pulled 1 [0 0 1 0]}]"; fmt.Sprint(series.Items) != want {
		t.Errorf("series: got %v, want %s", series.Items, want)
	}
	for _, c := range []struct {
		pairs []string
		want  string
	}{
		{[]string{"start", w.ago(time.Hour), "end", w.ago(0), "reason", "BackOff"}, "BackOff 7 3 4"},
		{[]string{"start", w.ago(time.Hour), "end", w.ago(0), "reason", "BackOff", "compare", "yesterday"}, "BackOff 7 4 3"},
		{[]string{"end", w.ago(0), "compare", w.ago(55 * time.Minute), "reason", "BackOff"}, "BackOff 7 3 4"},
		{[]string{"start", w.ago(time.Hour), "end", w.ago(0), "compare", "last_week", "by", "kind", "type", "Warning"}, "Pod 7 0 7 Node 1 0 1"},
	} {
		var trend trending
		w.must(t, &trend, "/api/v1/events/trend", c.pairs...)
		got := ""
		for _, i := range trend.Items {
			got += fmt.Sprintf(" %s %d %d %d", i.Value, i.Occurrences, i.OccurrencesBefore, i.Difference)
			if (i.Ratio == nil) != (i.OccurrencesBefore == 0) {
				t.Errorf("%v: ratio %v", c.pairs, i.Ratio)
			}
		}
		if got != " "+c.want {
			t.Errorf("%v: got%s, want %s", c.pairs, got, c.want)
		}
	}
}

func (w *world) testTimeline(t *testing.T) {
	t.Helper()
	var timeline listed
	w.must(t, &timeline, "/api/v1/events/timeline", "cluster", ours, "namespace", "shop", "kind", "Pod", "object", pod)
	if got, want := fmt.Sprint(timeline.Owners), "[{ReplicaSet "+set+" event} {Deployment web event}]"; got != want {
		t.Errorf("owners: got %s, want %s", got, want)
	}
	if diff := cmp.Diff([]string{pod + " BackOff 10 100-20", pod + " Pulled 1 30-30", set + " SuccessfulCreate 1 101-101", "web ScalingReplicaSet 1 102-102"}, timeline.lines(w.now)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(timeline.Items[0].NodeProblems, timeline.Items[1].NodeProblems); got != "[{n1 DiskPressure KubeletHasDiskPressure}] []" {
		t.Errorf("problems of nodes: got %s", got)
	}
}
