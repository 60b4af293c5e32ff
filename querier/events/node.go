package events

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// conditionSource is the source of events that ingest makes of a node's conditions.
	conditionSource = "node-condition"
	// conditionMemory is how far back the last change of a condition is looked for.
	conditionMemory = 30 * 24 * time.Hour
	// warningMemory is how long a warning about a node that is no condition stands beside other events.
	warningMemory = 10 * time.Minute
	// maxNodes bounds the nodes of which problems are looked for, maxNodeEvents what is told about them.
	maxNodes      = 100
	maxNodeEvents = 5000
)

// NodeProblem is what was wrong with a node at some time.
type NodeProblem struct {
	Node      string
	Condition string // its type, such as MemoryPressure; "" for a warning that is no condition
	Reason    string
	Message   string
	Source    string
	Since     time.Time
	Until     time.Time // when the condition ended; zero while it holds as far as is known, and for warnings
}

// nodeID tells nodes of clusters apart.
type nodeID struct{ cluster, node string }

// nodeOf returns the node that an event is about or was reported by.
func nodeOf(e *seamark.Event) nodeID {
	if e.Kind == "Node" {
		return nodeID{e.Cluster, e.Object}
	}
	return nodeID{e.Cluster, e.Node}
}

// NodeProblems returns for each event the problems that its node had when the event happened last: conditions that were
// bad then, and warnings about the node of the ten minutes before. The node is the one that reported the event, or the
// node that the event is about; an event without one has no problems. At most 100 nodes are looked at.
func (s *Searcher) NodeProblems(ctx context.Context, tenant seamark.TenantID, list []seamark.Event) ([][]NodeProblem, error) {
	problems := make([][]NodeProblem, len(list))
	about, err := s.nodeEvents(ctx, tenant, list)
	if err != nil || len(about) == 0 {
		return problems, err
	}
	for i := range list {
		problems[i] = problemsAt(about[nodeOf(&list[i])], &list[i])
	}
	return problems, nil
}

// nodeEvents returns what was told about the nodes of some events, oldest first.
func (s *Searcher) nodeEvents(ctx context.Context, tenant seamark.TenantID, list []seamark.Event) (map[nodeID][]seamark.Event, error) {
	var nodes []string
	var first, last time.Time
	for i := range list {
		node := nodeOf(&list[i]).node
		if node == "" || len(nodes) == maxNodes && !slices.Contains(nodes, node) {
			continue
		}
		if len(nodes) == 0 || list[i].Last.Before(first) {
			first = list[i].Last
		}
		if list[i].Last.After(last) {
			last = list[i].Last
		}
		if !slices.Contains(nodes, node) {
			nodes = append(nodes, node)
		}
	}
	if len(nodes) == 0 {
		return nil, nil
	}
	base := []store.EventCondition{{Field: store.EventKind, Values: []string{"Node"}}, {Field: store.EventObject, Values: nodes}}
	about := map[nodeID][]seamark.Event{}
	for _, ask := range []struct {
		memory time.Duration
		what   store.EventCondition
	}{
		{conditionMemory, store.EventCondition{Field: store.EventSource, Values: []string{conditionSource}}},
		{warningMemory, store.EventCondition{Field: store.EventType, Values: []string{"Warning"}}},
	} {
		found, err := s.opts.Store.ListEvents(ctx, tenant, store.EventsQuery{Limit: maxNodeEvents, EventFilter: store.EventFilter{
			// Until the end of a condition that held at the last event, as far as it is known, a day on.
			Range: seamark.TimeRange{Start: first.Add(-ask.memory), End: last.Add(24 * time.Hour)}, Conditions: append(slices.Clone(base), ask.what),
		}})
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if ask.memory == conditionMemory || e.Source != conditionSource {
				about[nodeOf(&e)] = append(about[nodeOf(&e)], e)
			}
		}
	}
	for _, told := range about {
		slices.SortStableFunc(told, func(a, b seamark.Event) int { return a.First.Compare(b.First) })
	}
	return about, nil
}

// problemsAt picks what was wrong when e happened last, out of what was told about its node, oldest first.
func problemsAt(about []seamark.Event, e *seamark.Event) []NodeProblem {
	state := map[string]NodeProblem{} // by condition
	var list []NodeProblem
	for i := range about {
		told := &about[i]
		p := NodeProblem{Node: told.Object, Reason: told.Reason, Message: told.Message, Source: told.Source, Since: told.First}
		condition, ok := conditionOf(told)
		switch {
		case told.UID == e.UID: // an event is no problem of its own
			delete(state, condition)
		case ok && !told.First.After(e.Last):
			p.Condition = condition
			delete(state, condition)
			if told.Type == "Warning" {
				state[condition] = p
			}
		case ok:
			if p, held := state[condition]; held && p.Until.IsZero() {
				p.Until = told.First
				state[condition] = p
			}
		case !told.First.After(e.Last) && !told.Last.Before(e.Last.Add(-warningMemory)):
			list = append(list, p)
		}
	}
	for _, p := range state {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b NodeProblem) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Condition, b.Condition), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Message, b.Message))
	})
	return list
}

// conditionOf returns the type of the condition that an event was made of, which its message begins with.
func conditionOf(e *seamark.Event) (string, bool) {
	if e.Source != conditionSource {
		return "", false
	}
	rest, ok := strings.CutPrefix(e.Message, "Condition ")
	if !ok {
		return "", false
	}
	condition, _, ok := strings.Cut(rest, " is ")
	return condition, ok
}
