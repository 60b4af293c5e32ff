package pipeline

import (
	"fmt"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// routeAction moves records to other streams by setting stream labels to constants. A transform step sets them from a
// record's values.
type routeAction struct {
	labels []seamark.Label
}

func (c *compiler) compileRoute(s *Step) action {
	a := &routeAction{}
	if len(s.Stream) == 0 || len(s.Stream) > maxStreamLabels {
		c.fault("stream", -1, 0, fmt.Errorf("a route step sets 1 to %d stream labels; this one sets %d", maxStreamLabels, len(s.Stream)))
		return a
	}
	for _, name := range sortedKeys(s.Stream) {
		switch {
		case !isIdentifier(name) || len(name) > c.limits.MaxLabelNameBytes:
			c.fault("stream", -1, 0, fmt.Errorf("the label name %.40q must match [a-zA-Z_][a-zA-Z0-9_]*", name))
		case len(s.Stream[name]) > c.limits.MaxLabelValueBytes:
			c.fault("stream", -1, 0, fmt.Errorf("the value of label %q has %d bytes; the limit is %d", name, len(s.Stream[name]), c.limits.MaxLabelValueBytes))
		}
		a.labels = append(a.labels, seamark.Label{Name: name, Value: s.Stream[name]})
	}
	return a
}

// apply implements action.
func (a *routeAction) apply(w *run, i int) (bool, error) {
	l := &w.batch.Logs
	from := l.Stream[i]
	if w.lastRoute.action != a || w.lastRoute.from != from { // records of one stream mostly stand together
		to, err := w.routed(a, from)
		if err != nil {
			return false, err
		}
		w.lastRoute, w.lastTo = route{a, from}, to
	}
	l.Stream[i] = w.lastTo
	return w.lastTo != from, nil
}

// route is one stream and the step that moves its records.
type route struct {
	action *routeAction
	from   uint32
}

// routed returns where a step moves the records of a stream; the answer is worked out once per stream and batch.
func (w *run) routed(a *routeAction, from uint32) (uint32, error) {
	if to, ok := w.routes[route{a, from}]; ok {
		return to, nil
	}
	labels := w.copied(w.batch.Logs.Streams[from].Labels)
	for _, l := range a.labels {
		at := slices.IndexFunc(labels, func(have seamark.Label) bool { return have.Name == l.Name })
		if at < 0 {
			labels = append(labels, l)
			continue
		}
		labels[at].Value = l.Value
	}
	labels = slices.DeleteFunc(labels, func(l seamark.Label) bool { return l.Value == "" })
	w.labels = labels
	if slices.Equal(labels, w.batch.Logs.Streams[from].Labels) {
		w.routes[route{a, from}] = from
		return from, nil
	}
	to, err := w.streamOf(labels)
	if err != nil {
		return 0, err
	}
	w.routes[route{a, from}] = to
	return to, nil
}
