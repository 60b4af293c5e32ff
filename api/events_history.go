package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// EventFacets counts events by the values of their fields.
type EventFacets struct {
	Events uint64       `json:"events"` // that match the whole filter
	Fields []EventFacet `json:"fields"`
}

// EventFacet is a field's values among the events that match the rest of the filter, the most frequent first.
type EventFacet struct {
	Field   string            `json:"field"`
	Entries uint64            `json:"entries"` // how many values there are; the list may be cut
	Values  []EventFacetValue `json:"values"`
}

// EventFacetValue is a value and the number of its events.
type EventFacetValue struct {
	Value  string `json:"value"`
	Events uint64 `json:"events"`
}

// EventSeriesQuery asks for occurrences over time.
type EventSeriesQuery struct {
	Filter EventFilter
	By     string        // a field; "" counts all together
	Step   time.Duration // 0 leaves it to the searcher
	Limit  int
}

// EventSeries is occurrences over time, the most frequent values first.
type EventSeries struct {
	Start   time.Time          `json:"start"` // of the first bucket
	Step    float64            `json:"step"`  // seconds
	Total   uint64             `json:"total"` // occurrences of all values
	Entries uint64             `json:"entries"`
	Items   []EventSeriesValue `json:"items"`
}

// EventSeriesValue is the occurrences of one value in each bucket.
type EventSeriesValue struct {
	Value  string   `json:"value"`
	Total  uint64   `json:"total"`
	Counts []uint64 `json:"counts"`
}

// EventTrendQuery asks what happened in the filter's range beside what happened before.
type EventTrendQuery struct {
	Filter EventFilter
	Before seamark.TimeRange
	By     string // a field; "" is the reason
	Limit  int
}

// EventTrend compares two time ranges, the largest difference first.
type EventTrend struct {
	Entries uint64
	Total   EventTrendCount
	List    []EventTrendValue
}

// EventTrendValue compares one value.
type EventTrendValue struct {
	Value string
	EventTrendCount
}

// EventTrendCount is occurrences, and the different events they are of, in both ranges.
type EventTrendCount struct{ Occurrences, OccurrencesBefore, Events, EventsBefore uint64 }

type (
	eventTrendAnswer struct {
		Period  timePeriod       `json:"period"`
		Before  timePeriod       `json:"before"`
		By      string           `json:"by"`
		Entries uint64           `json:"entries"`
		Total   eventTrendCount  `json:"total"`
		Items   []eventTrendItem `json:"items"`
	}
	timePeriod struct {
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	}
	eventTrendItem struct {
		Value string `json:"value"`
		eventTrendCount
	}
	eventTrendCount struct {
		Occurrences       uint64   `json:"occurrences"`
		OccurrencesBefore uint64   `json:"occurrences_before"`
		Difference        int64    `json:"difference"`
		Ratio             *float64 `json:"ratio"` // null where there was nothing before
		Events            uint64   `json:"events"`
		EventsBefore      uint64   `json:"events_before"`
	}
)

func (a *eventAPI) facets(w http.ResponseWriter, r *httpx.Request) error {
	filter, limit, err := parseEventFilter(r.URL.Query(), a.now())
	if err != nil {
		return err
	}
	facets, err := a.searcher.EventFacets(r.Context(), r.Scope(), filter, limit)
	if err != nil {
		return err
	}
	for i := range facets.Fields {
		facets.Fields[i].Values = orEmpty(facets.Fields[i].Values)
	}
	return httpx.WriteJSON(w, http.StatusOK, facets)
}

func (a *eventAPI) series(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	q := EventSeriesQuery{By: form.Get("by")}
	var err error
	if q.Filter, q.Limit, err = parseEventFilter(form, a.now()); err != nil {
		return err
	}
	if text := form.Get("step"); text != "" {
		if q.Step, err = parseDuration(text); err == nil && q.Step <= 0 {
			err = errors.New("it is not positive")
		}
		if err != nil {
			return invalidParameter("step", err)
		}
	}
	series, err := a.searcher.EventSeries(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	series.Items = orEmpty(series.Items)
	return httpx.WriteJSON(w, http.StatusOK, series)
}

func (a *eventAPI) trend(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	q := EventTrendQuery{By: form.Get("by")}
	if q.By == "" {
		q.By = "reason"
	}
	var err error
	if q.Filter, q.Limit, err = parseEventFilter(form, a.now()); err != nil {
		return err
	}
	if err := q.parseCompare(form); err != nil {
		return err
	}
	trend, err := a.searcher.EventTrend(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	answer := eventTrendAnswer{
		Period: timePeriod{q.Filter.Range.Start.UTC(), q.Filter.Range.End.UTC()}, Before: timePeriod{q.Before.Start.UTC(), q.Before.End.UTC()},
		By: q.By, Entries: trend.Entries, Total: eventTrendCountOf(trend.Total), Items: make([]eventTrendItem, len(trend.List)),
	}
	for i, v := range trend.List {
		answer.Items[i] = eventTrendItem{v.Value, eventTrendCountOf(v.EventTrendCount)}
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}

func eventTrendCountOf(c EventTrendCount) eventTrendCount {
	out := eventTrendCount{
		Occurrences: c.Occurrences, OccurrencesBefore: c.OccurrencesBefore, Difference: int64(c.Occurrences) - int64(c.OccurrencesBefore),
		Events: c.Events, EventsBefore: c.EventsBefore,
	}
	if c.OccurrencesBefore > 0 {
		ratio := float64(c.Occurrences) / float64(c.OccurrencesBefore)
		out.Ratio = &ratio
	}
	return out
}

// parseCompare reads what the range is compared with: the same time of yesterday or of last week, the time just before
// it, or a release: then what came after it up to the range's end, with as long before it.
func (q *EventTrendQuery) parseCompare(form url.Values) error {
	r := &q.Filter.Range
	back := func(d time.Duration) { q.Before = seamark.TimeRange{Start: r.Start.Add(-d), End: r.End.Add(-d)} }
	switch text := form.Get("compare"); text {
	case "", "preceding":
		back(r.Duration())
	case "yesterday":
		back(day)
	case "last_week":
		back(7 * day)
	default:
		release, err := parseTime(text)
		if err != nil {
			return invalidParameter("compare", errors.New("it is none of preceding, yesterday, last_week, and no time"))
		}
		if form.Get("start") != "" {
			return invalidParameter("compare", errors.New("a release stands beside a start; the release is the start"))
		}
		r.Start = release
		if !r.End.After(release) {
			return invalidParameter("compare", fmt.Errorf("the release at %s is not before the end %s", release.UTC().Format(time.RFC3339), r.End.UTC().Format(time.RFC3339)))
		}
		back(r.Duration())
	}
	return nil
}

// EventTimelineQuery asks for what happened to one object and to what it belongs to.
type EventTimelineQuery struct {
	Range                            seamark.TimeRange
	Cluster, Namespace, Kind, Object string
	Limit                            int
}

// EventOwner is an object above another: of which an event names the object below, in Message, or whose name begins its
// name.
type EventOwner struct {
	Kind    string `json:"kind"`
	Object  string `json:"object"`
	Known   string `json:"known"` // "event" or "name"
	Message string `json:"message"`
}

// EventTimeline is the events of an object and its owners, newest first.
type EventTimeline struct {
	Owners []EventOwner // nearest first
	EventPage
}

// eventTimelineAnswer is the answer of the timeline route.
type eventTimelineAnswer struct {
	Owners []EventOwner `json:"owners"`
	eventList
}

// defaultTimelineRange is what a timeline shows when the caller names no start.
const defaultTimelineRange = day

func (a *eventAPI) timeline(w http.ResponseWriter, r *httpx.Request) error {
	form := r.URL.Query()
	q := EventTimelineQuery{Cluster: form.Get("cluster"), Namespace: form.Get("namespace"), Kind: form.Get("kind"), Object: form.Get("object")}
	var err error
	if q.Range, err = parseRange(form, a.now(), defaultTimelineRange); err != nil {
		return err
	}
	if q.Limit, err = parseItemLimit(form, "seamark-events-limit"); err != nil {
		return err
	}
	t, err := a.searcher.EventTimeline(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	answer := eventTimelineAnswer{Owners: orEmpty(t.Owners), eventList: eventList{Items: eventsOf(t.Events), Truncated: t.Truncated}}
	for i := range t.Problems {
		list := orEmpty(t.Problems[i])
		answer.Items[i].NodeProblems = &list
	}
	return httpx.WriteJSON(w, http.StatusOK, answer)
}
