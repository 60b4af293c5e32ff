package suspects_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/suspects"
)

const tenant seamark.TenantID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

var start = time.Date(2026, time.March, 4, 14, 0, 0, 0, time.UTC)

// fakeSource answers with what it holds.
type fakeSource struct {
	events   []seamark.Event
	writes   []suspects.Write
	patterns []suspects.Pattern
	series   map[string][]suspects.Series // by the probe's name
	fault    error

	mu       sync.Mutex // guards the fields below
	under    int
	most     int
	deadline bool
}

// visit counts the questions that are under way.
func (f *fakeSource) visit(ctx context.Context) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.under++
	f.most = max(f.most, f.under)
	_, f.deadline = ctx.Deadline()
	return func() {
		f.mu.Lock()
		f.under--
		f.mu.Unlock()
	}
}

func (f *fakeSource) Events(ctx context.Context, _ seamark.Scope, q suspects.EventQuery) ([]seamark.Event, error) {
	defer f.visit(ctx)()
	var list []seamark.Event
	for _, e := range f.events {
		if !e.Last.Before(q.Range.Start) && e.Last.Before(q.Range.End) {
			list = append(list, e)
		}
	}
	return list, f.fault
}

func (f *fakeSource) Writes(ctx context.Context, _ seamark.Scope, q suspects.WriteQuery) ([]suspects.Write, error) {
	defer f.visit(ctx)()
	var list []suspects.Write
	for _, w := range f.writes {
		if !w.Time.Before(q.Range.Start) && w.Time.Before(q.Range.End) {
			list = append(list, w)
		}
	}
	return list, f.fault
}

func (f *fakeSource) Patterns(ctx context.Context, _ seamark.Scope, q suspects.PatternQuery) ([]suspects.Pattern, error) {
	defer f.visit(ctx)()
	if q.Range.Start.Before(q.Before.End) {
		return nil, errors.New("the ranges overlap")
	}
	return f.patterns, f.fault
}

func (f *fakeSource) Series(ctx context.Context, _ seamark.Scope, q suspects.SeriesQuery) ([]suspects.Series, error) {
	defer f.visit(ctx)()
	return f.series[q.Name], f.fault
}

func find(t *testing.T, f *fakeSource, labels map[string]string) *suspects.Answer {
	t.Helper()
	finder, err := suspects.New(suspects.Options{Source: f, Limits: suspects.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := finder.Find(t.Context(), seamark.Scope{Tenant: tenant}, suspects.Query{Labels: labels, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func write(before time.Duration, namespace, resource, name, user string) suspects.Write {
	return suspects.Write{Time: start.Add(-before), Cluster: "eu", Namespace: namespace, Resource: resource, Name: name, Verb: "patch", User: user, UserAgent: "kubectl"}
}

var checkout = map[string]string{"cluster": "eu", "namespace": "shop", "service": "checkout", "alertname": "Errors"}

func TestCloserAndNearerWeighsMore(t *testing.T) {
	a := find(t, &fakeSource{writes: []suspects.Write{
		write(100*time.Minute, "shop", "deployments", "checkout", "ann"),
		write(5*time.Minute, "shop", "configmaps", "checkout-config", "ann"),
		write(5*time.Minute, "shop", "deployments", "cart", "ann"),
		write(5*time.Minute, "media", "deployments", "encoder", "ann"),
		write(-9*time.Minute, "shop", "deployments", "frontend", "ann"),
		{Time: start.Add(-time.Minute), Cluster: "us", Namespace: "shop", Resource: "deployments", Name: "checkout", Verb: "patch", User: "ann"},
	}}, checkout)
	var got []string
	for _, s := range a.Suspects {
		got = append(got, s.Object+"@"+s.Cluster)
	}
	want := "ConfigMap checkout-config@eu, Deployment cart@eu, Deployment encoder@eu, Deployment checkout@eu, Deployment frontend@eu, Deployment checkout@us"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if a.Suspects[0].Relation != suspects.SameWorkload || a.Suspects[0].Kind != suspects.Config || a.Suspects[5].Score != 0 {
		t.Errorf("got %+v and %+v", a.Suspects[0], a.Suspects[5])
	}
}

func TestRoutineIsNoSuspect(t *testing.T) {
	f := &fakeSource{writes: []suspects.Write{write(10*time.Minute, "shop", "deployments", "cart", "ann")}}
	for i := range 30 {
		f.writes = append(f.writes, write(time.Duration(3+i*40)*time.Minute, "shop", "deployments", "checkout", "robot"))
	}
	if a := find(t, f, checkout); a.Suspects[0].Object != "Deployment cart" {
		t.Errorf("the first suspect is %+v, not what happened once", a.Suspects[0])
	}
}

// TestOneObjectIsOneSuspect puts a deploy's record, its replica set's and its pod's events together.
func TestOneObjectIsOneSuspect(t *testing.T) {
	event := func(kind, object, reason string) seamark.Event {
		at := start.Add(-4 * time.Minute)
		return seamark.Event{Cluster: "eu", Namespace: "shop", Kind: kind, Object: object, Type: "Warning", Reason: reason, Count: 3, First: at, Last: at, Message: "words"}
	}
	a := find(t, &fakeSource{
		writes: []suspects.Write{write(5*time.Minute, "shop", "deployments", "checkout", "ann")},
		events: []seamark.Event{event("Deployment", "checkout", "ScalingReplicaSet"), event("Pod", "checkout-5d9c7b6f88-abcde", "BackOff"), event("ReplicaSet", "checkout-5d9c7b6f88", "FailedCreate")},
	}, checkout)
	if len(a.Suspects) != 1 {
		t.Fatalf("got %d suspects: %+v", len(a.Suspects), a.Suspects)
	}
	s := a.Suspects[0]
	if s.Object != "Deployment checkout" || s.Kind != suspects.Deploy || len(s.Evidence) != 4 || s.Score < s.Evidence[0].Weight || s.Score > 1 {
		t.Errorf("got %+v", s)
	}
	if want := "ann patched Deployment shop/checkout with kubectl, 5 min before the start."; s.Summary != want {
		t.Errorf("got %q, want %q", s.Summary, want)
	}
}

// TestShifts holds a metric that left its course against one that did not, and a neighbour on the node against the victim.
func TestShifts(t *testing.T) {
	course := func(pod, namespace string, factor float64) suspects.Series {
		s := suspects.Series{Labels: map[string]string{"cluster": "eu", "namespace": namespace, "pod": pod, "node": "n1"}, Start: start.Add(-2 * time.Hour), Step: time.Minute}
		for i := range 131 {
			v := 1 + 0.05*math.Sin(float64(i)*1.7)
			if i > 110 {
				v *= factor
			}
			if i%13 == 4 {
				v = math.NaN()
			}
			s.Values = append(s.Values, v)
		}
		return s
	}
	f := &fakeSource{series: map[string][]suspects.Series{
		suspects.NodesProbe:       {{Labels: map[string]string{"node": "n1"}}},
		"CPU of pods on the node": {course("encoder-5d9c7b6f88-abcde", "media", 6), course("quiet-5d9c7b6f88-abcde", "media", 1), course("checkout-5d9c7b6f88-abcde", "shop", 3)},
	}}
	a := find(t, f, checkout)
	if len(a.Suspects) != 2 || a.Suspects[0].Object != "Deployment encoder" || a.Suspects[0].Relation != suspects.SameNode || a.Suspects[1].Object != "Deployment checkout" {
		t.Fatalf("got %+v", a.Suspects)
	}
	if at := a.Suspects[0].Time; at.Before(start.Add(-14*time.Minute)) || at.After(start.Add(-8*time.Minute)) {
		t.Errorf("the shift began at %s", at)
	}
	if text := a.Suspects[0].Summary; !strings.Contains(text, "went from ") || !strings.Contains(text, "standard deviations") {
		t.Errorf("the summary is %q", text)
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	f := &fakeSource{}
	find(t, f, checkout)
	if f.most > suspects.DefaultLimits().Parallel || !f.deadline {
		t.Errorf("%d questions at a time, with a deadline: %v", f.most, f.deadline)
	}
}

// TestWhatIsMissingIsTold fails all questions but one kind.
func TestWhatIsMissingIsTold(t *testing.T) {
	finder, err := suspects.New(suspects.Options{Source: partly{&fakeSource{}}, Limits: suspects.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	q := suspects.Query{Labels: checkout, Start: start}
	a, err := finder.Find(t.Context(), seamark.Scope{Tenant: tenant}, q)
	if err != nil || len(a.Missing) != 1 || a.Missing[0] != "Kubernetes events: The tenant reads too much." {
		t.Errorf("got %+v, %v", a, err)
	}
	finder, err = suspects.New(suspects.Options{Source: &fakeSource{fault: errors.New("away")}, Limits: suspects.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := finder.Find(t.Context(), seamark.Scope{Tenant: tenant}, q); err == nil {
		t.Error("an answer although nothing was answered")
	}
}

// partly refuses events.
type partly struct{ *fakeSource }

func (partly) Events(context.Context, seamark.Scope, suspects.EventQuery) ([]seamark.Event, error) {
	return nil, seamark.Errorf(seamark.RateLimited, "seamark-query-budget", "The tenant reads too much.")
}

func TestQueryOutOfBounds(t *testing.T) {
	finder, err := suspects.New(suspects.Options{Source: &fakeSource{}, Limits: suspects.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]suspects.Query{
		"no start": {}, "a window of a day": {Start: start, Window: 24 * time.Hour}, "too many": {Start: start, Limit: 1000},
		"a long label": {Start: start, Labels: map[string]string{"a": strings.Repeat("x", 2000)}},
	} {
		if _, err := finder.Find(t.Context(), seamark.Scope{Tenant: tenant}, q); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s: got %v, want an invalid query", name, err)
		}
	}
	if _, err := finder.Find(t.Context(), seamark.Scope{}, suspects.Query{Start: start}); err == nil {
		t.Error("a search without a tenant")
	}
}
