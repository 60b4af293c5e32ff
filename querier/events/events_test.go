package events_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/events"
)

const tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// recorder answers from its lists and remembers what was asked.
type recorder struct {
	list   []seamark.Event
	owners map[string][]store.EventOwner // by the name asked for
	err    error
	tenant seamark.TenantID
	lists  []store.EventsQuery
	facets store.EventFacetsQuery
	series store.EventSeriesQuery
	trend  store.EventTrendQuery
}

// ListEvents implements events.Store: the events of the list that the conditions and the range leave.
func (r *recorder) ListEvents(_ context.Context, tenant seamark.TenantID, q store.EventsQuery) ([]seamark.Event, error) {
	r.tenant, r.lists = tenant, append(r.lists, q)
	var found []seamark.Event
	for _, e := range r.list {
		ok := !e.Last.Before(q.Range.Start) && e.Last.Before(q.Range.End)
		for _, c := range q.Conditions {
			value := map[store.EventField]string{
				store.EventCluster: e.Cluster, store.EventNamespace: e.Namespace, store.EventKind: e.Kind, store.EventObject: e.Object, store.EventType: e.Type, store.EventSource: e.Source,
			}[c.Field]
			ok = ok && strings.Contains("\xff"+strings.Join(c.Values, "\xff")+"\xff", "\xff"+value+"\xff") != c.Not
		}
		if ok && len(found) < q.Limit {
			found = append(found, e)
		}
	}
	return found, r.err
}

func (r *recorder) EventFacets(_ context.Context, tenant seamark.TenantID, q store.EventFacetsQuery) (*store.EventFacets, error) {
	r.tenant, r.facets = tenant, q
	return &store.EventFacets{}, r.err
}

func (r *recorder) EventSeries(_ context.Context, tenant seamark.TenantID, q store.EventSeriesQuery) (*store.EventSeriesList, error) {
	r.tenant, r.series = tenant, q
	return &store.EventSeriesList{}, r.err
}

func (r *recorder) EventTrend(_ context.Context, tenant seamark.TenantID, q store.EventTrendQuery) (*store.EventTrend, error) {
	r.tenant, r.trend = tenant, q
	return &store.EventTrend{}, r.err
}

func (r *recorder) EventOwners(_ context.Context, _ seamark.TenantID, q store.EventOwnersQuery) ([]store.EventOwner, error) {
	return r.owners[q.Name], r.err
}

var end = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func lastHour() seamark.TimeRange { return seamark.TimeRange{Start: end.Add(-time.Hour), End: end} }

func searcher(t testing.TB, s events.Store) *events.Searcher {
	t.Helper()
	o := events.Options{Limits: events.DefaultLimits()}
	o.Store = s
	found, err := events.New(o)
	require.NoError(t, err)
	return found
}

func TestListAsksForTheFilter(t *testing.T) {
	r := &recorder{}
	_, _, err := searcher(t, r).List(t.Context(), tenantA, events.Filter{
		Range: lastHour(), Is: map[string][]string{"uid": {"ABC"}, "cluster": {"a", "b"}}, Not: map[string][]string{"node": {"n1"}},
		Text: ` back-off -"two \"words\"" -quick `,
	}, 7)
	require.NoError(t, err)
	require.Equal(t, tenantA, r.tenant)
	require.Equal(t, []store.EventsQuery{{Limit: 8, EventFilter: store.EventFilter{
		Range: lastHour(),
		Conditions: []store.EventCondition{
			{Field: store.EventCluster, Values: []string{"a", "b"}}, {Field: store.EventUID, Values: []string{"abc"}}, {Field: store.EventNode, Not: true, Values: []string{"n1"}},
		},
		Terms: []store.EventTerm{{Text: "back-off"}, {Text: `two "words"`, Not: true}, {Text: "quick", Not: true}},
	}}}, r.lists)
}

func TestListTruncates(t *testing.T) {
	for count, want := range map[int]struct {
		n         int
		truncated bool
	}{0: {0, false}, 200: {200, false}, 201: {200, true}, 999: {200, true}} {
		r := &recorder{list: make([]seamark.Event, count)}
		for i := range r.list {
			r.list[i].Last = lastHour().Start
		}
		list, truncated, err := searcher(t, r).List(t.Context(), tenantA, events.Filter{Range: lastHour()}, 0)
		require.NoError(t, err)
		require.Len(t, list, want.n)
		require.Equal(t, want.truncated, truncated)
	}
}

// TestRefusals asks for what is out of bounds; no fault reaches the store.
func TestRefusals(t *testing.T) {
	good := func(change func(*events.Filter)) events.Filter {
		f := events.Filter{Range: lastHour()}
		change(&f)
		return f
	}
	list := func(f events.Filter, limit int) func(*events.Searcher) error {
		return func(s *events.Searcher) error {
			_, _, err := s.List(context.Background(), tenantA, f, limit)
			return err
		}
	}
	series := func(q events.SeriesQuery) func(*events.Searcher) error {
		return func(s *events.Searcher) error {
			_, _, err := s.Series(context.Background(), tenantA, q)
			return err
		}
	}
	plain := events.Filter{Range: lastHour()}
	long := events.Filter{Range: seamark.TimeRange{Start: end.Add(-32 * 24 * time.Hour), End: end}}
	for i, c := range []struct {
		id  string
		ask func(*events.Searcher) error
	}{
		{"seamark-range-backwards", list(events.Filter{Range: seamark.TimeRange{Start: end, End: end}}, 0)},
		{"seamark-events-limit", list(plain, 5001)},
		{"seamark-events-limit", list(plain, -1)},
		{"seamark-events-text", list(good(func(f *events.Filter) { f.Text = strings.Repeat("x", 1025) }), 0)},
		{"seamark-events-text", list(good(func(f *events.Filter) { f.Is = map[string][]string{"kind": {strings.Repeat("x", 1025)}} }), 0)},
		{"seamark-events-terms", list(good(func(f *events.Filter) { f.Text = strings.Repeat("x ", 17) }), 0)},
		{"seamark-events-quote", list(good(func(f *events.Filter) { f.Text = `x "y` }), 0)},
		{"seamark-events-field", list(good(func(f *events.Filter) { f.Not = map[string][]string{"message": {"x"}} }), 0)},
		{"seamark-events-values", list(good(func(f *events.Filter) { f.Is = map[string][]string{"object": make([]string, 101)} }), 0)},
		{"seamark-events-uid", series(events.SeriesQuery{Filter: good(func(f *events.Filter) { f.Is = map[string][]string{"uid": {"x"}} })})},
		{"seamark-events-field", series(events.SeriesQuery{Filter: plain, By: "uid"})},
		{"seamark-events-step", series(events.SeriesQuery{Filter: plain, Step: time.Millisecond})},
		{"seamark-events-step", series(events.SeriesQuery{Filter: plain, Step: time.Second + 1})},
		{"seamark-events-points", series(events.SeriesQuery{Filter: events.Filter{Range: seamark.TimeRange{Start: end.Add(-11_001 * time.Second), End: end}}, Step: time.Second})},
		{"seamark-events-history", series(events.SeriesQuery{Filter: long})},
		{"seamark-events-limit", series(events.SeriesQuery{Filter: plain, Limit: 1001})},
		{"seamark-range-backwards", func(s *events.Searcher) error {
			_, err := s.Trend(context.Background(), tenantA, events.TrendQuery{Filter: plain})
			return err
		}},
		{"seamark-events-history", func(s *events.Searcher) error {
			r := seamark.TimeRange{Start: end.Add(-16 * 24 * time.Hour), End: end}
			_, err := s.Trend(context.Background(), tenantA, events.TrendQuery{Filter: events.Filter{Range: r}, Before: r})
			return err
		}},
		{"seamark-events-field", func(s *events.Searcher) error {
			_, err := s.Trend(context.Background(), tenantA, events.TrendQuery{Filter: plain, Before: lastHour(), By: "x"})
			return err
		}},
		{"seamark-events-object", func(s *events.Searcher) error {
			_, err := s.Timeline(context.Background(), tenantA, events.TimelineQuery{Range: lastHour(), Kind: "Pod", Object: "x"})
			return err
		}},
		{"seamark-events-limit", func(s *events.Searcher) error {
			_, err := s.Facets(context.Background(), tenantA, plain, 1001)
			return err
		}},
	} {
		r := &recorder{}
		e, ok := errors.AsType[*seamark.Error](c.ask(searcher(t, r)))
		require.True(t, ok, "case %d: %s", i, c.id)
		require.Equal(t, seamark.Invalid, e.Kind)
		require.Equal(t, c.id, e.ID, "case %d", i)
		require.Zero(t, r.tenant, "case %d reached the store", i)
	}
	for flag, ask := range map[string]func(*events.Searcher) error{
		"query.max-events": list(plain, 5001), "query.max-event-values": series(events.SeriesQuery{Filter: plain, By: "kind", Limit: 1001}),
		"query.max-event-history": series(events.SeriesQuery{Filter: long}),
		"query.max-event-points":  series(events.SeriesQuery{Filter: events.Filter{Range: seamark.TimeRange{Start: end.Add(-11_001 * time.Second), End: end}}, Step: time.Second}),
	} {
		require.ErrorContains(t, ask(searcher(t, &recorder{})), "(--"+flag+")")
	}
	failed := errors.New("away")
	require.ErrorIs(t, list(plain, 0)(searcher(t, &recorder{err: failed})), failed)
}

func TestSeriesChoosesAStep(t *testing.T) {
	for span, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, time.Minute: time.Second, time.Hour: time.Minute, 6 * time.Hour: 10 * time.Minute, 24 * time.Hour: 30 * time.Minute,
		7 * 24 * time.Hour: 3 * time.Hour, 30 * 24 * time.Hour: 12 * time.Hour,
	} {
		r := &recorder{}
		_, step, err := searcher(t, r).Series(t.Context(), tenantA, events.SeriesQuery{Filter: events.Filter{Range: seamark.TimeRange{Start: end.Add(-span), End: end}}, By: "kind"})
		require.NoError(t, err)
		require.Equal(t, want, step, span)
		require.Equal(t, store.EventKind, r.series.By)
	}
}

func TestDefaults(t *testing.T) {
	r, f := &recorder{}, events.Filter{Range: lastHour()}
	s := searcher(t, r)
	_, err := s.Trend(t.Context(), tenantA, events.TrendQuery{Filter: f, Before: lastHour()})
	require.NoError(t, err)
	require.Equal(t, store.EventTrendQuery{EventFilter: store.EventFilter{Range: lastHour()}, Before: lastHour(), By: store.EventReason, Limit: 50}, r.trend)
	_, _, err = s.Series(t.Context(), tenantA, events.SeriesQuery{Filter: f})
	require.NoError(t, err)
	require.Equal(t, store.EventSeriesQuery{EventFilter: store.EventFilter{Range: lastHour()}, Whole: true, Step: time.Minute, Limit: 10}, r.series)
	_, err = s.Facets(t.Context(), tenantA, f, 0)
	require.NoError(t, err)
	require.Equal(t, 20, r.facets.Limit)
}

func TestTimelineFollowsOwners(t *testing.T) {
	const pod, set = "web-5475d4dc89-94rz6", "web-5475d4dc89"
	at := func(kind, object string, minute int) seamark.Event {
		return seamark.Event{Cluster: "c", Namespace: "shop", Kind: kind, Object: object, Last: lastHour().Start.Add(time.Duration(minute) * time.Minute)}
	}
	r := &recorder{
		list: []seamark.Event{at("Pod", pod, 9), at("ReplicaSet", set, 8), at("Deployment", "web", 10), at("Deployment", "other", 7), at("Pod", pod, 3)},
		owners: map[string][]store.EventOwner{
			pod: {{Kind: "Job", Name: "web-5475d4dc8"}, {Kind: "ReplicaSet", Name: set}, {Kind: "ReplicaSet", Name: "web"}},
			set: {{Kind: "Deployment", Name: "web", Message: "Scaled up replica set " + set}},
		},
	}
	q := events.TimelineQuery{Range: lastHour(), Cluster: "c", Namespace: "shop", Kind: "Pod", Object: pod}
	got, err := searcher(t, r).Timeline(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Equal(t, []events.Owner{{"ReplicaSet", set, ""}, {"Deployment", "web", "Scaled up replica set " + set}}, got.Owners)
	require.Equal(t, []seamark.Event{r.list[2], r.list[0], r.list[1], r.list[4]}, got.Events)
	require.False(t, got.Truncated)
	q.Limit = 2
	got, err = searcher(t, r).Timeline(t.Context(), tenantA, q)
	require.NoError(t, err)
	require.Equal(t, r.list[2:3], got.Events[:1])
	require.Len(t, got.Events, 2)
	require.True(t, got.Truncated)
}

// TestNamesTellOwners has owners that no event names.
func TestNamesTellOwners(t *testing.T) {
	for _, c := range []struct {
		kind, object, owner, name string
		want                      bool
	}{
		{"Pod", "web-0", "StatefulSet", "web", true},
		{"Pod", "web-x", "StatefulSet", "web", false},
		{"Pod", "agent-94rz6", "DaemonSet", "agent", true},
		{"Pod", "agent-aeiou", "DaemonSet", "agent", false},
		{"Pod", "agent-94rz", "DaemonSet", "agent", false},
		{"Pod", "tick-29920236-ss455", "Job", "tick-29920236", true},
		{"Job", "tick-29920236", "CronJob", "tick", true},
		{"ReplicaSet", "web-5475d4dc89", "Deployment", "web", true},
		{"ReplicaSet", "web-5475d4dc89", "Deployment", "web-5475d4dc89", false},
	} {
		r := &recorder{owners: map[string][]store.EventOwner{c.object: {{Kind: c.owner, Name: c.name}}}}
		got, err := searcher(t, r).Timeline(t.Context(), tenantA, events.TimelineQuery{Range: lastHour(), Cluster: "c", Kind: c.kind, Object: c.object})
		require.NoError(t, err)
		require.Equal(t, c.want, len(got.Owners) == 1, "%+v", c)
	}
}

func TestNodeProblems(t *testing.T) {
	uid := 0
	told := func(source, kind, message string, first, last int) seamark.Event {
		uid++
		at := func(minute int) time.Time { return end.Add(time.Duration(minute) * time.Minute) }
		return seamark.Event{Cluster: "c", UID: fmt.Sprint(uid), Kind: "Node", Object: "n1", Node: "n1", Type: kind, Reason: "R", Message: message, Source: source, First: at(first), Last: at(last)}
	}
	list := []seamark.Event{
		told("node-condition", "Warning", "Condition MemoryPressure is True: low", -600, -600),
		told("node-condition", "Normal", "Condition MemoryPressure is False: fine", 10, 10),
		told("node-condition", "Warning", "Condition DiskPressure is True", -900, -900),
		told("node-condition", "Normal", "Condition DiskPressure is False", -700, -700),
		told("node-condition", "Warning", "Condition Ready is False", 5, 5),
		told("kernel-monitor", "Warning", "OOM killed", -90, -8),
		told("kernel-monitor", "Warning", "too old", -90, -11),
		told("kubelet", "Normal", "Starting", -1, -1),
	}
	pod := seamark.Event{Cluster: "c", UID: "pod", Kind: "Pod", Object: "p", Node: "n1", Last: end}
	elsewhere := pod
	elsewhere.Cluster = "d"
	lost := seamark.Event{Cluster: "c", UID: "lost", Kind: "Pod", Object: "p", Last: end}
	got, err := searcher(t, &recorder{list: list}).NodeProblems(t.Context(), tenantA, []seamark.Event{pod, elsewhere, lost, list[0]})
	require.NoError(t, err)
	require.Equal(t, [][]events.NodeProblem{{
		{Node: "n1", Condition: "MemoryPressure", Reason: "R", Message: "Condition MemoryPressure is True: low", Source: "node-condition", Since: list[0].First, Until: list[1].First},
		{Node: "n1", Reason: "R", Message: "OOM killed", Source: "kernel-monitor", Since: list[5].First},
	}, nil, nil, nil}, got)
	got, err = searcher(t, &recorder{list: list}).NodeProblems(t.Context(), tenantA, []seamark.Event{lost})
	require.NoError(t, err)
	require.Equal(t, [][]events.NodeProblem{nil}, got)
}

func TestNewChecksItsOptions(t *testing.T) {
	_, err := events.New(events.Options{Limits: events.DefaultLimits()})
	require.Error(t, err)
	_, err = events.New(events.Options{Store: &recorder{}})
	require.Error(t, err)
}

// FuzzText reads any text: a fault is Invalid, and no term is empty or larger than the text.
func FuzzText(f *testing.F) {
	for _, seed := range []string{``, `a b`, `-a "b c" -"d"`, `"a\"b\\"`, `"`, `-`, `--a`, `""`, "\u00a0-\u00a0x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &recorder{}
		_, _, err := searcher(t, r).List(t.Context(), tenantA, events.Filter{Range: lastHour(), Text: text}, 0)
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatal(err)
			}
			return
		}
		size := 0
		for _, term := range r.lists[0].Terms {
			if term.Text == "" {
				t.Fatal("a term is empty")
			}
			size += len(term.Text)
		}
		if size > len(text) {
			t.Fatalf("terms of %d bytes from a text of %d", size, len(text))
		}
	})
}
