package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Event is one Kubernetes event as the API shows it.
type Event struct {
	Cluster   string    `json:"cluster"`
	UID       string    `json:"uid"`
	Namespace string    `json:"namespace"` // empty for objects of the whole cluster
	Kind      string    `json:"kind"`
	Object    string    `json:"object"`
	Type      string    `json:"type"`
	Reason    string    `json:"reason"`
	Message   string    `json:"message"`
	Source    string    `json:"source"`
	Node      string    `json:"node"`
	Count     uint32    `json:"count"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	// NodeProblems is there when they were asked for.
	NodeProblems *[]NodeProblem `json:"node_problems,omitempty"`
}

// NodeProblem is what was wrong with an event's node when the event happened last.
type NodeProblem struct {
	Node      string     `json:"node"`
	Condition string     `json:"condition"` // empty for a warning that is no condition
	Reason    string     `json:"reason"`
	Message   string     `json:"message"`
	Source    string     `json:"source"`
	Since     time.Time  `json:"since"`
	Until     *time.Time `json:"until"` // null while it holds as far as is known, and for warnings
}

// EventFilter selects events of Range. Is and Not hold values by field, of which the event's must be one, or none; Text is
// words and "quoted phrases", with a dash before those that must not be there. Empty fields select everything.
type EventFilter struct {
	Range   seamark.TimeRange
	Is, Not map[string][]string
	Text    string
	// After is the last event of the page before, of which its place in the list's order is known; nil for the first page.
	After *seamark.Event
}

// EventSearcher is what the event routes need. A limit of 0 is the searcher's own. Errors are of kind Invalid for what is
// out of bounds.
type EventSearcher interface {
	// ListEvents returns the events that match, newest first, and whether there are more. Its problems, when asked for, are
	// one list for each event.
	ListEvents(ctx context.Context, scope seamark.Scope, f EventFilter, limit int, problems bool) (EventPage, error)
	EventFacets(ctx context.Context, scope seamark.Scope, f EventFilter, limit int) (*EventFacets, error)
	EventSeries(ctx context.Context, scope seamark.Scope, q EventSeriesQuery) (*EventSeries, error)
	EventTrend(ctx context.Context, scope seamark.Scope, q EventTrendQuery) (*EventTrend, error)
	EventTimeline(ctx context.Context, scope seamark.Scope, q EventTimelineQuery) (*EventTimeline, error)
}

// EventPage is one list of events.
type EventPage struct {
	Events    []seamark.Event
	Problems  [][]NodeProblem
	Truncated bool
}

// defaultEventRange is what the routes show when the caller names no start.
const defaultEventRange = time.Hour

// eventFields are the fields that a filter may name.
var eventFields = [...]string{"cluster", "namespace", "kind", "object", "reason", "type", "source", "node", "uid"}

// eventList is the answer of the event route.
type eventList struct {
	Items      []Event `json:"items"`
	Truncated  bool    `json:"truncated"`
	NextCursor string  `json:"next_cursor,omitempty"`
}

// eventPlace is an event's place in the order of a list, as a cursor carries it.
type eventPlace struct {
	Last      int64  `json:"t"` // milliseconds
	Namespace string `json:"n"`
	Cluster   string `json:"c"`
	First     int64  `json:"f"` // milliseconds
	UID       string `json:"u"`
}

// eventAfter reads a cursor's position.
func eventAfter(position string) (*seamark.Event, error) {
	if position == "" {
		return nil, nil
	}
	var p eventPlace
	if err := json.Unmarshal([]byte(position), &p); err != nil {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-page-cursor", "Parameter cursor is not one of this list.")
	}
	return &seamark.Event{Last: time.UnixMilli(p.Last), Namespace: p.Namespace, Cluster: p.Cluster, First: time.UnixMilli(p.First), UID: p.UID}, nil
}

// eventPosition is the inverse of eventAfter.
func eventPosition(e *seamark.Event) (string, error) {
	text, err := json.Marshal(eventPlace{e.Last.UnixMilli(), e.Namespace, e.Cluster, e.First.UnixMilli(), e.UID})
	return string(text), err
}

// EventRoutes returns the routes for Kubernetes events.
func EventRoutes(searcher EventSearcher, now func() time.Time) []httpx.Route {
	a := &eventAPI{searcher, now}
	route := func(path string, handler httpx.Handler) httpx.Route {
		return httpx.Route{Method: http.MethodGet, Path: "/api/v1/events" + path, Permission: "data:read", HonoursScope: true, Handler: handler}
	}
	return []httpx.Route{
		route("", a.list), route("/facets", a.facets), route("/series", a.series), route("/trend", a.trend), route("/timeline", a.timeline),
	}
}

type eventAPI struct {
	searcher EventSearcher
	now      func() time.Time
}

func (a *eventAPI) list(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	filter, limit, err := parseEventFilter(form, a.now())
	if err != nil {
		return err
	}
	after, err := r.PageAfter()
	if err != nil {
		return err
	}
	if filter.After, err = eventAfter(after.After); err != nil {
		return err
	}
	problems := false
	if text := form.Get("node_problems"); text != "" {
		if problems, err = strconv.ParseBool(text); err != nil {
			return seamark.Errorf(seamark.Invalid, "seamark-parameter-invalid", "The parameter \"node_problems\" is %q; it must be true or false.", clipText(text))
		}
	}
	page, err := a.searcher.ListEvents(r.Context(), r.Scope(), filter, limit, problems)
	if err != nil {
		return err
	}
	answer := eventList{Items: eventsOf(page.Events), Truncated: page.Truncated}
	for i := range page.Problems {
		list := orEmpty(page.Problems[i])
		answer.Items[i].NodeProblems = &list
	}
	if n := len(page.Events); page.Truncated && n > 0 {
		position, err := eventPosition(&page.Events[n-1])
		if err != nil {
			return err
		}
		answer.NextCursor = after.Cursor(position)
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

func eventsOf(list []seamark.Event) []Event {
	out := make([]Event, len(list))
	for i := range list {
		e := &list[i]
		out[i] = Event{
			Cluster: e.Cluster, UID: e.UID, Namespace: e.Namespace, Kind: e.Kind, Object: e.Object, Type: e.Type, Reason: e.Reason,
			Message: e.Message, Source: e.Source, Node: e.Node, Count: e.Count, First: e.First.UTC(), Last: e.Last.UTC(),
		}
	}
	return out
}

// parseEventFilter reads what all event routes but the timeline share.
func parseEventFilter(form url.Values, now time.Time) (f EventFilter, limit int, err error) {
	f = EventFilter{Is: map[string][]string{}, Not: map[string][]string{}, Text: form.Get("q")}
	for _, field := range eventFields {
		setFilter(f.Is, field, form[field])
		setFilter(f.Not, field, form["not_"+field])
	}
	if f.Range, err = parseRange(form, now, defaultEventRange); err != nil {
		return f, 0, err
	}
	limit, err = parseItemLimit(form, "seamark-events-limit")
	return f, limit, err
}

// setFilter keeps the values that are not empty: a form that was not filled in sends empty ones.
func setFilter(into map[string][]string, field string, values []string) {
	for _, v := range values {
		if v != "" {
			into[field] = append(into[field], v)
		}
	}
}

// parseRange reads start and end, of which now and the standard length are the defaults.
func parseRange(form url.Values, now time.Time, standard time.Duration) (r seamark.TimeRange, err error) {
	if r.End, err = timeParameter(form, "end", now); err != nil {
		return r, err
	}
	r.Start, err = timeParameter(form, "start", r.End.Add(-standard))
	return r, err
}

// parseItemLimit reads a limit, 0 when there is none; id is that of its fault.
func parseItemLimit(form url.Values, id string) (int, error) {
	text := form.Get("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 {
		return 0, seamark.Errorf(seamark.Invalid, id, "The limit %q is not a number from 1 up.", clipText(text))
	}
	return limit, nil
}
