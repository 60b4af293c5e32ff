package api

import (
	"context"
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
}

// EventFilter selects events that happened last inside Range. Empty fields select everything; Limit 0 is the lister's own.
type EventFilter struct {
	Range                                          seamark.TimeRange
	Cluster, Namespace, Kind, Object, Reason, Type string
	Text                                           string
	Limit                                          int
}

// EventLister is what the event route needs: the events that match, newest first, and whether there are more.
type EventLister interface {
	ListEvents(ctx context.Context, tenant seamark.TenantID, f EventFilter) (list []seamark.Event, truncated bool, err error)
}

// defaultEventRange is what the route shows when the caller names no start.
const defaultEventRange = time.Hour

// eventList is the answer of the event route.
type eventList struct {
	Items     []Event `json:"items"`
	Truncated bool    `json:"truncated"`
}

// EventRoutes returns the routes for Kubernetes events.
func EventRoutes(lister EventLister, now func() time.Time) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/events", Permission: "data:read",
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			filter, err := parseEventFilter(r.URL.Query(), now())
			if err != nil {
				return err
			}
			list, truncated, err := lister.ListEvents(r.Context(), r.Tenant(), filter)
			if err != nil {
				return err
			}
			answer := eventList{Items: make([]Event, len(list)), Truncated: truncated}
			for i := range list {
				answer.Items[i] = eventOf(&list[i])
			}
			return httpx.WriteJSON(w, http.StatusOK, answer)
		},
	}}
}

func eventOf(e *seamark.Event) Event {
	return Event{
		Cluster: e.Cluster, UID: e.UID, Namespace: e.Namespace, Kind: e.Kind, Object: e.Object, Type: e.Type, Reason: e.Reason,
		Message: e.Message, Source: e.Source, Node: e.Node, Count: e.Count, First: e.First.UTC(), Last: e.Last.UTC(),
	}
}

func parseEventFilter(q url.Values, now time.Time) (EventFilter, error) {
	f := EventFilter{
		Cluster: q.Get("cluster"), Namespace: q.Get("namespace"), Kind: q.Get("kind"), Object: q.Get("object"), Reason: q.Get("reason"),
		Type: q.Get("type"), Text: q.Get("q"),
	}
	var err error
	if f.Range.End, err = timeParameter(q, "end", now); err != nil {
		return f, err
	}
	if f.Range.Start, err = timeParameter(q, "start", f.Range.End.Add(-defaultEventRange)); err != nil {
		return f, err
	}
	if text := q.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 {
			return f, seamark.Errorf(seamark.Invalid, "seamark-events-limit", "The limit %q is not a number from 1 up.", text)
		}
	}
	return f, nil
}
