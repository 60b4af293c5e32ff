package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// eventFake answers with its parts and remembers what was asked.
type eventFake struct {
	page     api.EventPage
	facets   api.EventFacets
	series   api.EventSeries
	trend    api.EventTrend
	timeline api.EventTimeline
	err      error

	tenant   seamark.TenantID
	filter   api.EventFilter
	limit    int
	problems bool
	asked    any
}

func (f *eventFake) ListEvents(_ context.Context, scope seamark.Scope, filter api.EventFilter, limit int, problems bool) (api.EventPage, error) {
	f.tenant, f.filter, f.limit, f.problems = scope.Tenant, filter, limit, problems
	return f.page, f.err
}

func (f *eventFake) EventFacets(_ context.Context, scope seamark.Scope, filter api.EventFilter, limit int) (*api.EventFacets, error) {
	f.tenant, f.filter, f.limit = scope.Tenant, filter, limit
	return &f.facets, f.err
}

func (f *eventFake) EventSeries(_ context.Context, scope seamark.Scope, q api.EventSeriesQuery) (*api.EventSeries, error) {
	f.tenant, f.asked = scope.Tenant, q
	return &f.series, f.err
}

func (f *eventFake) EventTrend(_ context.Context, scope seamark.Scope, q api.EventTrendQuery) (*api.EventTrend, error) {
	f.tenant, f.asked = scope.Tenant, q
	return &f.trend, f.err
}

func (f *eventFake) EventTimeline(_ context.Context, scope seamark.Scope, q api.EventTimelineQuery) (*api.EventTimeline, error) {
	f.tenant, f.asked = scope.Tenant, q
	return &f.timeline, f.err
}

func eventsNow() time.Time { return time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC) }

// getRoute asks one of some routes with a query token.
func getRoute(t *testing.T, routes []httpx.Route, target string) *httptest.ResponseRecorder {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: routes, Verifier: promVerifier{}, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.Header.Set("Authorization", "Bearer smk_x")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func getEvents(t *testing.T, f *eventFake, rest string) *httptest.ResponseRecorder {
	t.Helper()
	return getRoute(t, api.EventRoutes(f, eventsNow), "/api/v1/events"+rest)
}

func someEvent() seamark.Event {
	return seamark.Event{
		Cluster: "prod", UID: "u", Namespace: "shop", Kind: "Pod", Object: "cart-1", Type: "Warning", Reason: "BackOff", Message: "Back-off",
		Source: "kubelet", Node: "n1", Count: 3, First: eventsNow().In(time.FixedZone("x", 3600)), Last: eventsNow(),
	}
}

const someEventJSON = `{"cluster":"prod","uid":"u","namespace":"shop","kind":"Pod","object":"cart-1","type":"Warning","reason":"BackOff",
	"message":"Back-off","source":"kubelet","node":"n1","count":3,"first":"2026-05-17T12:00:00Z","last":"2026-05-17T12:00:00Z"`

func TestEventsAnswer(t *testing.T) {
	f := &eventFake{page: api.EventPage{Truncated: true, Events: []seamark.Event{someEvent()}}}
	w := getEvents(t, f, "")
	require.Equal(t, http.StatusOK, w.Code)
	var answer struct {
		NextCursor string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	require.NotEmpty(t, answer.NextCursor)
	require.JSONEq(t, `{"items":[`+someEventJSON+`}],"truncated":true,"next_cursor":"`+answer.NextCursor+`"}`, w.Body.String())
	require.Equal(t, promTenant, f.tenant)
	require.Nil(t, f.filter.After)
	require.Equal(t, http.StatusOK, getEvents(t, f, "?limit=7&cursor="+answer.NextCursor).Code)
	last := someEvent()
	after := f.filter.After
	require.NotNil(t, after)
	require.Equal(t, []any{last.UID, last.Namespace, last.Cluster}, []any{after.UID, after.Namespace, after.Cluster})
	require.True(t, last.Last.Equal(after.Last) && last.First.Equal(after.First))
	require.Equal(t, http.StatusBadRequest, getEvents(t, f, "?q=other&cursor="+answer.NextCursor).Code, "a cursor belongs to its filter")
	require.Equal(t, `{"items":[],"truncated":false}`+"\n", getEvents(t, &eventFake{}, "").Body.String())
}

func TestEventsShowNodeProblems(t *testing.T) {
	until := eventsNow()
	f := &eventFake{page: api.EventPage{
		Events: []seamark.Event{someEvent(), someEvent()},
		Problems: [][]api.NodeProblem{nil, {
			{Node: "n1", Condition: "DiskPressure", Reason: "R", Message: "M", Source: "S", Since: eventsNow()},
			{Node: "n1", Condition: "Ready", Since: eventsNow(), Until: &until},
		}},
	}}
	w := getEvents(t, f, "?node_problems=true")
	require.True(t, f.problems)
	require.JSONEq(t, `{"items":[`+someEventJSON+`,"node_problems":[]},`+someEventJSON+`,"node_problems":[
		{"node":"n1","condition":"DiskPressure","reason":"R","message":"M","source":"S","since":"2026-05-17T12:00:00Z","until":null},
		{"node":"n1","condition":"Ready","reason":"","message":"","source":"","since":"2026-05-17T12:00:00Z","until":"2026-05-17T12:00:00Z"}]}],"truncated":false}`, w.Body.String())
}

func TestEventsParameters(t *testing.T) {
	f := &eventFake{}
	getEvents(t, f, "")
	require.Equal(t, api.EventFilter{Range: seamark.TimeRange{Start: eventsNow().Add(-time.Hour), End: eventsNow()}, Is: map[string][]string{}, Not: map[string][]string{}}, f.filter)
	getEvents(t, f, "?end=1000")
	require.Equal(t, seamark.TimeRange{Start: time.Unix(1000-3600, 0).UTC(), End: time.Unix(1000, 0).UTC()}, f.filter.Range)
	for _, route := range []string{"", "/facets"} {
		getEvents(t, f, route+"?start=2026-05-17T10:00:00Z&end=2026-05-17T11:00:00Z&cluster=c&cluster=d&namespace=n&kind=k&object=o&reason=&not_reason=r&type=t&uid=u&source=s&node=h&q=some+text&limit=5000")
		require.Equal(t, api.EventFilter{
			Range: seamark.TimeRange{Start: eventsNow().Add(-2 * time.Hour), End: eventsNow().Add(-time.Hour)}, Text: "some text",
			Is: map[string][]string{
				"cluster": {"c", "d"}, "namespace": {"n"}, "kind": {"k"}, "object": {"o"}, "type": {"t"}, "uid": {"u"}, "source": {"s"}, "node": {"h"},
			},
			Not: map[string][]string{"reason": {"r"}},
		}, f.filter)
		require.Equal(t, 5000, f.limit)
	}
}

func TestEventFacetsAnswer(t *testing.T) {
	f := &eventFake{facets: api.EventFacets{Events: 3, Fields: []api.EventFacet{{Field: "kind", Entries: 2, Values: []api.EventFacetValue{{"Pod", 2}}}, {Field: "node"}}}}
	require.JSONEq(t, `{"events":3,"fields":[{"field":"kind","entries":2,"values":[{"value":"Pod","events":2}]},{"field":"node","entries":0,"values":[]}]}`,
		getEvents(t, f, "/facets").Body.String())
}

func TestEventSeriesAnswer(t *testing.T) {
	f := &eventFake{series: api.EventSeries{Start: eventsNow(), Step: 60, Total: 3, Entries: 1, Items: []api.EventSeriesValue{{"BackOff", 3, []uint64{1, 2}}}}}
	w := getEvents(t, f, "/series?by=reason&step=1m&limit=2")
	require.JSONEq(t, `{"start":"2026-05-17T12:00:00Z","step":60,"total":3,"entries":1,"items":[{"value":"BackOff","total":3,"counts":[1,2]}]}`, w.Body.String())
	q := f.asked.(api.EventSeriesQuery)
	require.Equal(t, "reason", q.By)
	require.Equal(t, time.Minute, q.Step)
	require.Equal(t, 2, q.Limit)
}

func TestEventTrendAnswer(t *testing.T) {
	f := &eventFake{trend: api.EventTrend{
		Entries: 5, Total: api.EventTrendCount{Occurrences: 7, OccurrencesBefore: 10, Events: 2, EventsBefore: 3},
		List: []api.EventTrendValue{{"new", api.EventTrendCount{Occurrences: 2, Events: 1}}, {"less", api.EventTrendCount{Occurrences: 5, OccurrencesBefore: 10, Events: 1, EventsBefore: 3}}},
	}}
	w := getEvents(t, f, "/trend?compare=yesterday")
	require.JSONEq(t, `{"period":{"start":"2026-05-17T11:00:00Z","end":"2026-05-17T12:00:00Z"},"before":{"start":"2026-05-16T11:00:00Z","end":"2026-05-16T12:00:00Z"},
		"by":"reason","entries":5,"total":{"occurrences":7,"occurrences_before":10,"difference":-3,"ratio":0.7,"events":2,"events_before":3},"items":[
		{"value":"new","occurrences":2,"occurrences_before":0,"difference":2,"ratio":null,"events":1,"events_before":0},
		{"value":"less","occurrences":5,"occurrences_before":10,"difference":-5,"ratio":0.5,"events":1,"events_before":3}]}`, w.Body.String())
	for compare, want := range map[string]seamark.TimeRange{
		"":                              {Start: eventsNow().Add(-2 * time.Hour), End: eventsNow().Add(-time.Hour)},
		"compare=preceding":             {Start: eventsNow().Add(-2 * time.Hour), End: eventsNow().Add(-time.Hour)},
		"compare=last_week&by=node":     {Start: eventsNow().Add(-169 * time.Hour), End: eventsNow().Add(-168 * time.Hour)},
		"compare=2026-05-17T09:00:00Z":  {Start: eventsNow().Add(-6 * time.Hour), End: eventsNow().Add(-3 * time.Hour)},
		"compare=1779008400&by=cluster": {Start: eventsNow().Add(-6 * time.Hour), End: eventsNow().Add(-3 * time.Hour)},
	} {
		require.Equal(t, http.StatusOK, getEvents(t, f, "/trend?"+compare).Code)
		q := f.asked.(api.EventTrendQuery)
		require.Equal(t, want, q.Before, compare)
		require.Equal(t, q.Before.Duration(), q.Filter.Range.Duration())
	}
}

func TestEventTimelineAnswer(t *testing.T) {
	f := &eventFake{timeline: api.EventTimeline{
		Owners:    []api.EventOwner{{Kind: "ReplicaSet", Object: "cart", Known: "event", Message: "Created pod: cart-1"}},
		EventPage: api.EventPage{Events: []seamark.Event{someEvent()}, Problems: [][]api.NodeProblem{nil}},
	}}
	w := getEvents(t, f, "/timeline?cluster=c&namespace=n&kind=Pod&object=cart-1&limit=3")
	require.JSONEq(t, `{"owners":[{"kind":"ReplicaSet","object":"cart","known":"event","message":"Created pod: cart-1"}],"items":[`+someEventJSON+`,"node_problems":[]}],"truncated":false}`, w.Body.String())
	require.Equal(t, api.EventTimelineQuery{
		Range: seamark.TimeRange{Start: eventsNow().Add(-24 * time.Hour), End: eventsNow()}, Cluster: "c", Namespace: "n", Kind: "Pod", Object: "cart-1", Limit: 3,
	}, f.asked)
}

func TestEventsFaults(t *testing.T) {
	for _, query := range []string{
		"?start=x", "?end=x", "?limit=x", "?limit=0", "?limit=-1", "?node_problems=x", "/facets?limit=x", "/series?step=x", "/series?step=-1", "/series?end=x",
		"/trend?compare=x", "/trend?compare=2026-05-17T13:00:00Z", "/trend?compare=2026-05-17T09:00:00Z&start=2026-05-17T09:00:00Z", "/trend?limit=x", "/timeline?start=x", "/timeline?limit=x",
	} {
		w := getEvents(t, &eventFake{}, query)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
	for _, route := range []string{"", "/facets", "/series", "/trend", "/timeline"} {
		w := getEvents(t, &eventFake{err: seamark.Errorf(seamark.Unavailable, "seamark-store-away", "Away.")}, route)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Contains(t, w.Body.String(), `"seamark-store-away"`)
	}
}
