package events

import (
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// object is an Event of core/v1 or events.k8s.io/v1, whichever of their fields it has; with them a watch's wrapper around
// one, and what tells the other things that senders mean by an event from it.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name              string    `json:"name"`
		UID               string    `json:"uid"`
		ResourceVersion   string    `json:"resourceVersion"`
		CreationTimestamp timestamp `json:"creationTimestamp"`
	} `json:"metadata"`
	InvolvedObject reference `json:"involvedObject"` // core/v1
	Regarding      reference `json:"regarding"`      // events.k8s.io/v1

	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Note    string `json:"note"`

	Source              source `json:"source"`
	DeprecatedSource    source `json:"deprecatedSource"`
	ReportingComponent  string `json:"reportingComponent"`
	ReportingController string `json:"reportingController"`
	ReportingInstance   string `json:"reportingInstance"`

	EventTime                timestamp `json:"eventTime"`
	FirstTimestamp           timestamp `json:"firstTimestamp"`
	LastTimestamp            timestamp `json:"lastTimestamp"`
	DeprecatedFirstTimestamp timestamp `json:"deprecatedFirstTimestamp"`
	DeprecatedLastTimestamp  timestamp `json:"deprecatedLastTimestamp"`

	Count           number `json:"count"`
	DeprecatedCount number `json:"deprecatedCount"`
	Series          struct {
		Count            number    `json:"count"`
		LastObservedTime timestamp `json:"lastObservedTime"`
	} `json:"series"`

	ClusterName string `json:"clusterName"` // kubernetes-event-exporter

	// Date and At are the time of the record around the event, of Fluent Bit and of Elasticsearch's senders. They are read
	// only where the event tells no time, so that a repetition has the same one.
	Date json.RawMessage `json:"date"`
	At   json.RawMessage `json:"@timestamp"`

	Object json.RawMessage `json:"object"` // of a watch
	Status json.RawMessage `json:"status"` // of a node, or of a condition of one
}

type reference struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

type source struct {
	Component string `json:"component"`
	Host      string `json:"host"`
}

// number is a count, which templates write as a string. What is no number is not told: no event is lost for its count.
type number int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	if i, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64); err == nil {
		*n = number(i)
	}
	return nil
}

// refusal is why something is no event.
type refusal struct{ id, what string }

// appendEvents appends what raw tells: an event, or the conditions of a node. It appends nothing, and refuses nothing,
// when raw is a watch's word that no event is about to happen.
func appendEvents(list []seamark.Event, raw []byte, now time.Time) ([]seamark.Event, *refusal) {
	var o object
	err := json.Unmarshal(raw, &o)
	if o.watched() {
		if o.Type == "DELETED" || o.Type == "BOOKMARK" {
			return list, nil
		}
		raw, o = o.Object, object{}
		err = json.Unmarshal(raw, &o)
	}
	// A field of another type is a sender's layout; what can be read of it was read.
	mistyped, _ := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case err != nil && mistyped == nil:
		return list, malformed(err)
	case o.Kind == "Node" && len(o.Status) > 0:
		return appendNode(list, &o, now)
	case o.Kind != "" && o.Kind != "Event" && o.APIVersion != "":
		return list, &refusal{"seamark-event-kind", "is of kind " + clip(o.Kind) + ", not Event"}
	}
	if o.about() == (reference{}) || mistyped != nil {
		told := layoutOf(raw)
		if c, ok := o.conditionOf(raw); ok {
			return append(list, c.event(told.find(hostKeys), now)), nil
		}
		o.fill(told)
	}
	switch {
	case mistyped != nil && o.Reason == "":
		return list, malformed(mistyped)
	case o.Reason == "" && o.Message == "" && o.Note == "":
		return list, &refusal{"seamark-event-empty", "has neither a reason nor a message"}
	}
	return append(list, o.event(now)), nil
}

// malformed says what is wrong with an event that cannot be read.
func malformed(err error) *refusal {
	what := "is malformed"
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		what = "has a " + e.Value + " in field " + clip(e.Field) + ", which is of another type"
	} else if e, ok := errors.AsType[*timestampError](err); ok {
		what = e.Error()
	}
	return &refusal{"seamark-event-malformed", what}
}

// watched reports whether o is a watch's wrapper around an object (metav1.WatchEvent).
func (o *object) watched() bool {
	if len(o.Object) == 0 || o.Object[0] != '{' {
		return false
	}
	switch o.Type {
	case "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR":
		return true
	}
	return false
}

// about is the object that the event is about.
func (o *object) about() reference {
	if o.InvolvedObject != (reference{}) {
		return o.InvolvedObject
	}
	return o.Regarding
}

// event brings o to the one shape. Clusters before 1.19 and their clients write core/v1 fields, later ones series,
// eventTime and reporting*; many write both, with zeroes or nulls in what they do not use.
//
// The store keeps one row for a uid, a namespace and a first time, the one of the latest time and highest count. So both
// times come from fields that mean the same in all shapes of one event, and never from a sender's clock if the event has
// any of its own.
func (o *object) event(now time.Time) seamark.Event {
	about := o.about()
	e := seamark.Event{
		Cluster: o.ClusterName, UID: o.Metadata.UID, Version: o.Metadata.ResourceVersion,
		Namespace: about.Namespace, Kind: about.Kind, Object: about.Name,
		Type: o.Type, Reason: o.Reason, Message: cmp.Or(o.Message, o.Note),
		Source: o.component(),
		Node:   cmp.Or(o.Source.Host, o.DeprecatedSource.Host),
		Count:  countOf(int64(max(o.Count, o.DeprecatedCount, o.Series.Count))),
	}
	if e.Node == "" {
		// Components that are not bound to a node write "<component>-<host>".
		e.Node = strings.TrimPrefix(o.ReportingInstance, e.Source+"-")
	}
	e.First = o.first()
	if e.First.IsZero() {
		e.First = recordTime(o.Date, o.At)
	}
	e.Last = firstTime(o.Series.LastObservedTime, o.LastTimestamp, o.DeprecatedLastTimestamp, o.EventTime, timestamp(e.First))
	finish(&e, now)
	return e
}

// first is when the event first happened, zero when it does not tell.
func (o *object) first() time.Time {
	return firstTime(o.FirstTimestamp, o.DeprecatedFirstTimestamp, o.EventTime, o.Metadata.CreationTimestamp,
		o.LastTimestamp, o.DeprecatedLastTimestamp)
}

// component is what reported the event.
func (o *object) component() string {
	return cmp.Or(o.Source.Component, o.DeprecatedSource.Component, o.ReportingController, o.ReportingComponent)
}
