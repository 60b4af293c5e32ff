package suspects

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// reasons weighs what the reasons of events say about a cause. Those that are not here weigh by their type.
var reasons = map[string]struct {
	kind   Kind
	weight float64
}{
	"ScalingReplicaSet": {Deploy, 0.85}, "SuccessfulRescale": {Event, 0.6}, "SuccessfulCreate": {Event, 0.25}, "SuccessfulDelete": {Event, 0.25},
	"NodeNotReady": {NodeProblem, 0.95}, "NodeHasDiskPressure": {NodeProblem, 0.9}, "NodeHasInsufficientMemory": {NodeProblem, 0.9},
	"NodeHasInsufficientPID": {NodeProblem, 0.9}, "SystemOOM": {NodeProblem, 0.9}, "OOMKilling": {NodeProblem, 0.75}, "Rebooted": {NodeProblem, 0.95},
	"KernelDeadlock": {NodeProblem, 0.95}, "TaskHung": {NodeProblem, 0.95}, "ReadonlyFilesystem": {NodeProblem, 0.95}, "DockerHung": {NodeProblem, 0.95},
	"KubeletIsDown": {NodeProblem, 0.95}, "NTPProblem": {NodeProblem, 0.8}, "NodeNotSchedulable": {NodeProblem, 0.8}, "EvictionThresholdMet": {NodeProblem, 0.85},
	"FreeDiskSpaceFailed": {NodeProblem, 0.85}, "ImageGCFailed": {NodeProblem, 0.7}, "DiskSlow": {NodeProblem, 0.95}, "IOHang": {NodeProblem, 0.95},
	"FailedCreate": {Event, 0.7}, "Evicted": {Event, 0.75}, "Preempted": {Event, 0.8}, "FailedScheduling": {Event, 0.65}, "FailedMount": {Event, 0.65},
	"OOMKilled": {Event, 0.6}, "BackOff": {Event, 0.5}, "Failed": {Event, 0.55}, "ErrImagePull": {Event, 0.6}, "Unhealthy": {Event, 0.35},
	"Killing": {Event, 0.3}, "Pulled": {Event, 0.1}, "Pulling": {Event, 0.1}, "Created": {Event, 0.1}, "Started": {Event, 0.1}, "Scheduled": {Event, 0.1},
	"Completed": {Event, 0.15}, "SawCompletedJob": {Event, 0.1}, "LeaderElection": {Event, 0.3},
}

// The weights of other reasons.
const (
	warningWeight = 0.55
	normalWeight  = 0.15
)

// events observes what Kubernetes told.
func (h *hunt) events(ctx context.Context) ([]observation, error) {
	ask := EventQuery{Cluster: h.alert.cluster, Range: h.around, Limit: h.finder.opts.MaxRows}
	found, err := h.finder.opts.Source.Events(ctx, h.scope, ask)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	ask.Range = seamark.TimeRange{Start: h.around.Start.Add(-routine), End: h.around.Start}
	earlier, err := h.finder.opts.Source.Events(ctx, h.scope, ask)
	if err != nil {
		return nil, err
	}
	often := map[string]int{}
	for i := range earlier {
		often[eventKey(&earlier[i])]++
	}
	list := make([]observation, 0, len(found))
	for i := range found {
		list = append(list, h.event(&found[i], often[eventKey(&found[i])]))
	}
	return list, nil
}

func eventKey(e *seamark.Event) string {
	return strings.Join([]string{e.Cluster, e.Namespace, workloadOf(e.Object), e.Reason}, "\x00")
}

func (h *hunt) event(e *seamark.Event, often int) observation {
	known, ok := reasons[e.Reason]
	if !ok {
		known.kind, known.weight = Event, normalWeight
		if e.Type == "Warning" {
			known.weight = warningWeight
		}
	}
	at, name := e.First, e.Object
	weight := known.weight * rare(often)
	if at.Before(h.around.Start) { // it goes on since before
		at = e.Last
		weight *= 0.4
	}
	p := place{cluster: e.Cluster, namespace: e.Namespace, node: e.Node}
	switch e.Kind {
	case "Node":
		p.node, p.namespace = e.Object, ""
		if known.kind == Event && e.Type == "Warning" {
			known.kind = NodeProblem
		}
	case "Pod", "ReplicaSet", "Job":
		name = workloadOf(e.Object)
		p.workload = name
	default:
		p.workload = name
	}
	relation := h.alert.to(&p)
	times := ""
	if e.Count > 1 {
		times = fmt.Sprintf(", %d times", e.Count)
	}
	return observation{
		kind: known.kind, cluster: e.Cluster, namespace: e.Namespace, object: objectName(e.Kind, name), relation: relation,
		key: objectKey(e.Cluster, e.Namespace, e.Kind, name),
		Evidence: Evidence{
			Source: "events", Time: at, Weight: weight * h.near(at) * relation.weight(),
			Text: fmt.Sprintf("%s %s of %s %s%s, %s: %s", e.Type, e.Reason, e.Kind, qualified(e.Namespace, e.Object), times, h.when(at), clip(e.Message)),
		},
	}
}

// objectName names an object by the workload that it belongs to.
func objectName(kind, name string) string {
	switch kind {
	case "Pod", "ReplicaSet":
		return "Deployment " + name
	}
	return kind + " " + name
}

func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// patterns observes log lines that are new or come more often.
func (h *hunt) patterns(ctx context.Context) ([]observation, error) {
	lasts := h.q.Window / 4
	ask := PatternQuery{
		Cluster: h.alert.cluster, Namespace: h.alert.namespace, Limit: h.finder.opts.MaxRows,
		// Lines are counted by whole minutes: two ranges that meet inside of one would overlap.
		Range: seamark.TimeRange{Start: h.q.Start.Add(-lasts).Truncate(time.Minute), End: h.around.End},
	}
	ask.Before = seamark.TimeRange{Start: h.around.Start.Add(-h.q.Window), End: ask.Range.Start}
	found, err := h.finder.opts.Source.Patterns(ctx, h.scope, ask)
	if err != nil {
		return nil, err
	}
	list := make([]observation, 0, len(found))
	for i := range found {
		list = append(list, h.pattern(&found[i]))
	}
	return list, nil
}

func (h *hunt) pattern(p *Pattern) observation {
	at, word, weight := h.q.Start, "comes more often", 0.55
	if p.New {
		at, word, weight = p.First, "is new", 0.75
	}
	where := place{cluster: h.alert.cluster}
	if len(p.Groups) > 0 {
		where.namespace, where.workload, _ = strings.Cut(p.Groups[0], "/")
	}
	relation := h.alert.to(&where)
	near := 1.0
	if p.New {
		near = h.near(at)
	}
	bad := 0.5 // of lines that nobody calls errors
	for _, level := range p.Levels {
		if level == "error" || level == "fatal" || level == "warn" {
			bad = 1
		}
	}
	o := observation{
		kind: LogPattern, cluster: h.alert.cluster, namespace: where.namespace, object: clip(p.Text), relation: relation,
		key: fmt.Sprintf("pattern\x00%x", p.ID),
	}
	o.Evidence = Evidence{
		Source: "logs", Time: at, Weight: weight * bad * saturate(p.Score, 6) * near * relation.weight(),
		Text: fmt.Sprintf("The log pattern %q of %s %s. %s", clip(p.Text), strings.Join(p.Groups[:min(len(p.Groups), 3)], ", "), word, p.Reason),
	}
	return o
}

// saturate brings a strength to 0 to 1; at its scale it is 0.63.
func saturate(v, scale float64) float64 { return 1 - math.Exp(-math.Abs(v)/scale) }
