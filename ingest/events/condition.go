package events

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// condition is a condition of a node: of the node's status (core/v1 NodeCondition), or as node-problem-detector's own
// page /conditions lists its problems, which has no more than its node's address to tell the node.
type condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Reason             string    `json:"reason"`
	Message            string    `json:"message"`
	LastTransitionTime timestamp `json:"lastTransitionTime"`
	Transition         timestamp `json:"transition"`
}

// The limits of a node; nodes have about ten conditions and 50 images. Without the first a status of empty conditions
// would take fifty times its size in memory, without the second one node would be thousands of events.
const (
	maxStatusBytes = 256 << 10
	maxConditions  = 64
)

// conditionSource is the component of events that were made of conditions.
const conditionSource = "node-condition"

// appendNode appends the conditions of a node as events. An unchanged condition is the same event each time its node is
// sent, because it has the time of its last change.
func appendNode(list []seamark.Event, o *object, now time.Time) ([]seamark.Event, *refusal) {
	if len(o.Status) > maxStatusBytes {
		return list, &refusal{"seamark-event-malformed", fmt.Sprintf("is a node with a status of %d bytes; the limit is %d", len(o.Status), maxStatusBytes)}
	}
	var status struct {
		Conditions []condition `json:"conditions"`
	}
	if err := json.Unmarshal(o.Status, &status); err != nil {
		return list, malformed(err)
	}
	if len(status.Conditions) == 0 {
		return list, &refusal{"seamark-event-kind", "is a node without conditions, not an Event"}
	}
	for _, c := range status.Conditions[:min(len(status.Conditions), maxConditions)] {
		list = append(list, c.event(o.Metadata.Name, now))
	}
	return list, nil
}

// conditionOf reads raw, of which o is what an event would have, as a condition that stands alone.
func (o *object) conditionOf(raw []byte) (c condition, ok bool) {
	switch string(o.Status) {
	case `"True"`, `"False"`, `"Unknown"`:
		err := json.Unmarshal(raw, &c)
		return c, err == nil && c.Type != ""
	}
	return c, false
}

// event brings a condition of node to the shape of events.
func (c *condition) event(node string, now time.Time) seamark.Event {
	e := seamark.Event{
		Kind: "Node", Object: node, Node: node, Type: "Normal", Reason: cmp.Or(c.Reason, c.Type), Source: conditionSource, Count: 1,
		Message: "Condition " + c.Type + " is " + c.Status, First: firstTime(c.LastTransitionTime, c.Transition),
	}
	if c.Message != "" {
		e.Message += ": " + c.Message
	}
	// Ready is the one condition that is good when it is true.
	if good := map[bool]string{true: "True", false: "False"}[c.Type == "Ready"]; c.Status != good {
		e.Type = "Warning"
	}
	e.Last = e.First
	finish(&e, now)
	return e
}
