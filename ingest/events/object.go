package events

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxEvents bounds the events of one request. An event takes twenty times its shortest JSON in memory; without the limit
// one request could take all of it. Senders post one event, or a list of some thousands when they start.
const maxEvents = 100_000

// object is an Event of core/v1 or events.k8s.io/v1, whichever of their fields it has.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
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

	Count           int64 `json:"count"`
	DeprecatedCount int64 `json:"deprecatedCount"`
	Series          struct {
		Count            int64     `json:"count"`
		LastObservedTime timestamp `json:"lastObservedTime"`
	} `json:"series"`

	ClusterName string `json:"clusterName"` // kubernetes-event-exporter
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

// DecodeObjects appends the events of body to b; now stands in for times that an event does not tell. An event that
// cannot be read is counted in b.Rejected while the others are kept. The error is a *seamark.Error: Invalid
// seamark-body-json when body is not JSON of that shape, TooLarge seamark-events-limit when it holds too many; b then
// holds a part of the request and must not be used.
func DecodeObjects(body []byte, now time.Time, b *seamark.Batch) error {
	d := objectDecoder{body: body, json: json.NewDecoder(bytes.NewReader(body)), now: now, batch: b}
	for more := true; more; {
		var err error
		if more, err = d.value(); err != nil {
			return err
		}
	}
	if d.events == 0 && !d.listed {
		return d.broken(io.ErrUnexpectedEOF)
	}
	return nil
}

// objectDecoder walks a body. It reads list items one by one, so that a long list is not held twice.
type objectDecoder struct {
	body   []byte
	json   *json.Decoder
	now    time.Time
	batch  *seamark.Batch
	events int
	listed bool // there was a list, if an empty one
}

// value reads one event, list or array and says whether there was one.
func (d *objectDecoder) value() (more bool, err error) {
	token, err := d.json.Token()
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, d.broken(err)
	case token == json.Delim('['):
		return true, d.items()
	case token == json.Delim('{'):
		return true, d.object(d.json.InputOffset() - 1)
	}
	return false, seamark.Errorf(seamark.Invalid, "seamark-body-json",
		"The body has %.40v before byte %d where a Kubernetes event, a list or an array of events is due.", token, d.json.InputOffset())
}

// items reads the rest of an array of events.
func (d *objectDecoder) items() error {
	d.listed = true
	for d.json.More() {
		var raw json.RawMessage
		if err := d.json.Decode(&raw); err != nil {
			return d.broken(err)
		}
		if err := d.event(raw, d.json.InputOffset()-int64(len(raw))); err != nil {
			return err
		}
	}
	_, err := d.json.Token()
	return d.broken(err)
}

// object reads the rest of an object that began at start: a List when it has items, else an event.
func (d *objectDecoder) object(start int64) error {
	list := false
	for d.json.More() {
		key, err := d.json.Token()
		if err != nil {
			return d.broken(err)
		}
		if key == "items" && d.nextIsArray() {
			list = true
			if _, err := d.json.Token(); err != nil {
				return d.broken(err)
			}
			if err := d.items(); err != nil {
				return err
			}
			continue
		}
		var skipped json.RawMessage
		if err := d.json.Decode(&skipped); err != nil {
			return d.broken(err)
		}
	}
	if _, err := d.json.Token(); err != nil {
		return d.broken(err)
	}
	if list {
		return nil
	}
	return d.event(d.body[start:d.json.InputOffset()], start)
}

// nextIsArray looks behind a key and its colon.
func (d *objectDecoder) nextIsArray() bool {
	rest := bytes.TrimLeft(d.body[d.json.InputOffset():], ": \t\r\n")
	return len(rest) > 0 && rest[0] == '['
}

// event reads one event that begins at byte offset of the body.
func (d *objectDecoder) event(raw []byte, offset int64) error {
	d.events++
	if d.events > maxEvents {
		return tooMany()
	}
	var o object
	if err := json.Unmarshal(raw, &o); err != nil {
		what := "is malformed"
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
			what = "has a " + e.Value + " in field " + clip(e.Field) + ", which is of another type"
		} else if e, ok := errors.AsType[*timestampError](err); ok {
			what = e.Error()
		}
		d.refuse("seamark-event-malformed", what, offset)
		return nil
	}
	switch {
	case o.Kind != "" && o.Kind != "Event":
		d.refuse("seamark-event-kind", "is of kind "+clip(o.Kind)+", not Event", offset)
	case o.Reason == "" && o.Message == "" && o.Note == "":
		d.refuse("seamark-event-empty", "has neither a reason nor a message", offset)
	default:
		if err := d.batch.Reserve(seamark.EventBytes); err != nil {
			return err
		}
		d.batch.Events = append(d.batch.Events, o.event(d.now))
	}
	return nil
}

func (d *objectDecoder) refuse(reason, what string, offset int64) {
	detail := ""
	if !slices.ContainsFunc(d.batch.Rejected.Reasons, func(r seamark.Rejection) bool { return r.Reason == reason }) {
		detail = sentence(d.events, offset, what) // kept from the first of its reason alone
	}
	d.batch.Rejected.Add(seamark.Events, 1, reason, detail)
}

// broken is the fault of a body that is not JSON; nil for nil.
func (d *objectDecoder) broken(err error) error {
	if err == nil {
		return nil
	}
	return seamark.Wrap(err, seamark.Invalid, "seamark-body-json",
		"The body is not JSON of Kubernetes events: it breaks behind byte %d of %d.", d.json.InputOffset(), len(d.body))
}

// event brings o to the one shape. Clusters before 1.19 and their clients write core/v1 fields, later ones series,
// eventTime and reporting*; many write both, with zeroes or nulls in what they do not use.
func (o *object) event(now time.Time) seamark.Event {
	about := o.InvolvedObject
	if about == (reference{}) {
		about = o.Regarding
	}
	e := seamark.Event{
		Cluster: o.ClusterName, UID: o.Metadata.UID, Version: o.Metadata.ResourceVersion,
		Namespace: about.Namespace, Kind: about.Kind, Object: about.Name,
		Type: o.Type, Reason: o.Reason, Message: cmp.Or(o.Message, o.Note),
		Source: cmp.Or(o.Source.Component, o.DeprecatedSource.Component, o.ReportingController, o.ReportingComponent),
		Node:   cmp.Or(o.Source.Host, o.DeprecatedSource.Host),
		Count:  countOf(max(o.Count, o.DeprecatedCount, o.Series.Count)),
	}
	if e.Node == "" {
		// Components that are not bound to a node write "<component>-<host>".
		e.Node = strings.TrimPrefix(o.ReportingInstance, e.Source+"-")
	}
	created := o.Metadata.CreationTimestamp
	e.First = firstTime(o.FirstTimestamp, o.DeprecatedFirstTimestamp, o.EventTime, created, o.LastTimestamp, o.DeprecatedLastTimestamp)
	e.Last = firstTime(o.Series.LastObservedTime, o.LastTimestamp, o.DeprecatedLastTimestamp, o.EventTime, timestamp(e.First))
	finish(&e, now)
	return e
}
