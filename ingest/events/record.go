package events

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// FromRecord returns the event that a log record is: agents also forward events over protocols that carry logs, as Fluent
// Bit's kubernetes_events input does with any output. raw is one JSON object. It is an event when it has metadata,
// involvedObject or regarding, and reason as the API server writes them, alone or inside a watch's wrapper; other records,
// a deletion and an event that tells no time among them, stay log lines. The event shares no memory with raw.
//
// It is called for every record, so a record that is none costs a search for one byte.
func FromRecord(raw []byte) (seamark.Event, bool) {
	if !looksLikeEvent(raw) {
		return seamark.Event{}, false
	}
	return readRecord(raw)
}

// looksLikeEvent is right about most records that are no events. Whatever the API server gives out has a resourceVersion,
// log lines hardly have a V; searching for a whole key would take ten times as long.
func looksLikeEvent(raw []byte) bool {
	const before, after = `"resource`, `Version"`
	for from := 0; ; {
		at := bytes.IndexByte(raw[from:], 'V')
		if at < 0 {
			return false
		}
		at += from
		from = at + 1
		if at >= len(before) && string(raw[at-len(before):at]) == before && bytes.HasPrefix(raw[at:], []byte(after)) {
			break
		}
	}
	return bytes.Contains(raw, []byte(`"reason"`)) &&
		(bytes.Contains(raw, []byte(`"involvedObject"`)) || bytes.Contains(raw, []byte(`"regarding"`)))
}

func readRecord(raw []byte) (seamark.Event, bool) {
	var o object
	err := json.Unmarshal(raw, &o)
	if err == nil && o.watched() {
		if o.Type != "ADDED" && o.Type != "MODIFIED" {
			return seamark.Event{}, false
		}
		raw, o = o.Object, object{}
		err = json.Unmarshal(raw, &o)
	}
	about := o.about()
	switch {
	case err != nil, o.Kind != "" && o.Kind != "Event", o.Reason == "",
		o.Metadata.UID == "" && o.Metadata.Name == "", about.Kind == "" && about.Name == "":
		return seamark.Event{}, false
	}
	if o.first().IsZero() && recordTime(o.Date, o.At).IsZero() {
		return seamark.Event{}, false
	}
	return o.event(time.Time{}), true
}
