package otlp

import (
	"encoding/json"
	"time"

	"github.com/seamarkhq/seamark/ingest/events"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// The attributes that the collector's k8s_events receiver gives a record and its resource, and the one by which its
// k8sobjects receiver names the kind of object in the body.
const (
	keyEventReason  = "k8s.event.reason"
	keyEventUID     = "k8s.event.uid"
	keyEventCount   = "k8s.event.count"
	keyEventStart   = "k8s.event.start_time"
	keyEventSource  = "k8s.event.source" // receivers before 2022
	keyObjectKind   = "k8s.object.kind"
	keyObjectName   = "k8s.object.name"
	keyNamespace    = "k8s.namespace.name"
	keyResourceName = "k8s.resource.name"
)

// kubeEvent is what a record's attributes tell of a Kubernetes event.
type kubeEvent struct {
	reason, uid, start, source, namespace, resource string
	count                                           int64
}

// take remembers an attribute that belongs to an event. Every attribute of every record comes by, so the way out is short.
func (e *kubeEvent) take(key, text string, val *value) {
	if len(key) < len(keyEventUID) || key[0] != 'k' {
		return
	}
	switch key {
	case keyEventReason:
		e.reason = text
	case keyEventUID:
		e.uid = text
	case keyEventCount:
		if val.kind == valueInt {
			e.count = int64(val.num)
		}
	case keyEventStart:
		e.start = text
	case keyEventSource:
		e.source = text
	case keyNamespace:
		e.namespace = text
	case keyResourceName:
		e.resource = text
	}
}

// kubernetesEvent appends the Kubernetes event that a record is, and says whether it is one. Its JSON goes through the
// reader of all other senders of events, so that the same event is the same row whoever forwards it.
func (d *logsDecoder) kubernetesEvent(rec *record) (bool, error) {
	var object []byte
	var err error
	switch {
	case rec.kube.reason != "":
		object, err = d.eventOfAttributes(rec)
	case rec.kube.resource == "events" && rec.body.kind == valueMap:
		object, err = d.eventOfBody(&rec.body)
	}
	if object == nil || err != nil {
		return false, err
	}
	if len(d.batch.Events) >= d.limits.MaxRows {
		return true, d.limits.exceeded()
	}
	if err := d.batch.Reserve(seamark.EventBytes + len(object)); err != nil {
		return true, err
	}
	if err := d.readResource(); err != nil {
		return true, err
	}
	first := len(d.batch.Events)
	err = events.DecodeObjects(object, d.req.Now, d.batch)
	if fault, ok := rejection(err); ok {
		d.batch.Rejected.Add(seamark.Events, 1, fault.ID, fault.Message)
		err = nil
	}
	for i := range d.batch.Events[first:] {
		if ev := &d.batch.Events[first+i]; ev.Cluster == "" {
			ev.Cluster = d.resource.cluster
		}
	}
	return true, err
}

// eventObject is the part of a core/v1 Event that the k8s_events receiver passes on.
type eventObject struct {
	Metadata struct {
		UID string `json:"uid,omitempty"`
	} `json:"metadata"`
	InvolvedObject struct {
		Kind      string `json:"kind,omitempty"`
		Namespace string `json:"namespace,omitempty"`
		Name      string `json:"name,omitempty"`
	} `json:"involvedObject"`
	Source struct {
		Component string `json:"component,omitempty"`
		Host      string `json:"host,omitempty"`
	} `json:"source"`
	Type           string    `json:"type,omitempty"`
	Reason         string    `json:"reason"`
	Message        string    `json:"message,omitempty"`
	Count          int64     `json:"count,omitempty"`
	FirstTimestamp string    `json:"firstTimestamp,omitempty"`
	LastTimestamp  time.Time `json:"lastTimestamp"`
}

// eventOfAttributes makes the JSON of an event that the k8s_events receiver took apart: the object it is about stands in
// the resource, its message in the body, its type in the severity.
func (d *logsDecoder) eventOfAttributes(rec *record) ([]byte, error) {
	if err := d.readResource(); err != nil {
		return nil, err
	}
	message, err := d.text(&rec.body)
	if err != nil {
		return nil, err
	}
	var e eventObject
	e.Metadata.UID = rec.kube.uid
	e.InvolvedObject.Kind = d.resource.other(keyObjectKind)
	e.InvolvedObject.Name = d.resource.other(keyObjectName)
	if e.InvolvedObject.Namespace = rec.kube.namespace; e.InvolvedObject.Namespace == "" {
		e.InvolvedObject.Namespace = d.resource.namespace
	}
	if e.Source.Component = rec.kube.source; e.Source.Component == "" {
		e.Source.Component = d.resource.other(keyEventSource)
	}
	e.Source.Host = d.resource.node
	e.Type, e.Reason, e.Message, e.Count = rec.severityText, rec.kube.reason, message, rec.kube.count
	e.FirstTimestamp = rec.kube.start
	e.LastTimestamp = time.Unix(0, d.recordTime(rec)).UTC()
	return json.Marshal(&e)
}

// eventOfBody makes the JSON of an event that the k8sobjects receiver sent: the object itself when it lists, the object
// with what happened to it when it watches. nil means that it tells no occurrence, as when an old event is deleted; such
// a record stays a log line.
func (d *logsDecoder) eventOfBody(body *value) ([]byte, error) {
	var change, object value
	err := d.eachOf("KeyValueList", body.raw, 1, func(data []byte) error {
		var a attribute
		if err := d.parseAttribute(data, &a); err != nil {
			return err
		}
		switch a.key {
		case "type":
			change = a.val
		case "object":
			object = a.val
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if object.kind != valueMap {
		object = *body
	} else if change.str != "ADDED" && change.str != "MODIFIED" {
		return nil, nil
	}
	return d.appendJSON(nil, &object, 0)
}

// other returns the value of an attribute that has no field of its own, "" when there is none.
func (r *resourceAttrs) other(key string) string {
	for i := range r.rest {
		if r.rest[i].key == key {
			return r.rest[i].value
		}
	}
	return ""
}
