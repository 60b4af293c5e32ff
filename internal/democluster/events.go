package democluster

import (
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Types and components of events.
const (
	normal  = corev1.EventTypeNormal
	warning = corev1.EventTypeWarning

	kubelet       = "kubelet"
	kernelMonitor = "kernel-monitor" // of node-problem-detector, as the next
	healthChecker = "health-checker"
	scheduler     = "default-scheduler"
	replicaSetter = "replicaset-controller"
	deployer      = "deployment-controller"
)

// sameEventFor is how long an event that is told again counts up instead of becoming another, as long as etcd keeps it.
const sameEventFor = time.Hour

// exportedEvent is an event as kubernetes-event-exporter posts it.
type exportedEvent struct {
	corev1.Event
	InvolvedObject exportedObject `json:"involvedObject"`
	ClusterName    string         `json:"clusterName,omitempty"`
}

// exportedObject is the reference with the labels that the exporter looks up.
type exportedObject struct {
	corev1.ObjectReference
	Labels map[string]string `json:"labels,omitempty"`
}

// eventKey is what makes two events the same.
type eventKey struct {
	object, reason, message string
}

// eventBook keeps the cluster's events as the API server does.
type eventBook struct {
	known    map[eventKey]*exportedEvent
	fresh    []exportedEvent
	revision int
}

func (b *eventBook) take() []exportedEvent {
	fresh := b.fresh
	b.fresh = nil
	return fresh
}

// podEvent tells an event about a pod.
func (w *world) podEvent(p *pod, typ, reason, message, component string) {
	o := exportedObject{
		ObjectReference: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: p.workload.namespace, Name: p.name, UID: types.UID(p.uid)},
		Labels:          map[string]string{"app": p.workload.name},
	}
	source := corev1.EventSource{Component: component}
	if component == kubelet {
		o.FieldPath = "spec.containers{" + p.workload.container + "}"
		if p.node != nil {
			source.Host = p.node.name
		}
	}
	w.event(o, source, typ, reason, message)
}

// nodeEvent tells an event about a node; like the real ones it stands in namespace default.
func (w *world) nodeEvent(n *node, typ, reason, message, component string) {
	o := exportedObject{ObjectReference: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: n.name, UID: types.UID(n.uid)}}
	w.event(o, corev1.EventSource{Component: component, Host: n.name}, typ, reason, message)
}

// workloadEvent tells what the controllers did to a Deployment or its ReplicaSet.
func (w *world) workloadEvent(l *workload, objectKind, reason, message string) {
	component := deployer
	ref := corev1.ObjectReference{APIVersion: "apps/v1", Kind: objectKind, Namespace: l.namespace, Name: l.name, UID: types.UID(l.uid)}
	if objectKind == "ReplicaSet" {
		component = replicaSetter
		ref.Name += "-" + l.hash
		ref.UID = types.UID(l.uid[:len(l.uid)-5] + hex5(l.hash))
	}
	w.event(exportedObject{ObjectReference: ref, Labels: map[string]string{"app": l.name}}, corev1.EventSource{Component: component}, normal, reason, message)
}

// hex5 makes five hexadecimal digits of a hash, so that each ReplicaSet of a Deployment has an id of its own.
func hex5(hash string) string {
	n := uint32(0)
	for _, c := range hash {
		n = n*31 + uint32(c)
	}
	return fmt.Sprintf("%05x", n&0xfffff)
}

// event records that something happened, now. What is known from the last hour is counted up under its uid.
func (w *world) event(o exportedObject, source corev1.EventSource, typ, reason, message string) {
	b := &w.events
	if b.known == nil {
		b.known, b.revision = make(map[eventKey]*exportedEvent), 400_000
	}
	b.revision += 1 + w.rand.IntN(40)
	now := metav1.NewTime(w.at.UTC())
	key := eventKey{object: string(o.UID), reason: reason, message: message}
	e := b.known[key]
	if e == nil || e.CreationTimestamp.Add(sameEventFor).Before(w.at) {
		e = w.newEvent(o, source, now)
		e.Type, e.Reason, e.Message = typ, reason, message
		if reason == "Scheduled" {
			e.Action = "Binding"
		}
		b.known[key] = e
	} else {
		e.again(now)
	}
	e.ResourceVersion = strconv.Itoa(b.revision)
	b.fresh = append(b.fresh, *e)
	b.forget(w.at)
}

// again counts the event up, in the way of the API it was made with.
func (e *exportedEvent) again(now metav1.Time) {
	if e.EventTime.IsZero() {
		e.Count, e.LastTimestamp = e.Count+1, now
		return
	}
	count := int32(2)
	if e.Series != nil {
		count = e.Series.Count + 1
	}
	e.Series = &corev1.EventSeries{Count: count, LastObservedTime: metav1.NewMicroTime(now.Time)}
}

func (w *world) newEvent(o exportedObject, source corev1.EventSource, now metav1.Time) *exportedEvent {
	e := &exportedEvent{InvolvedObject: o, ClusterName: w.cluster}
	e.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Event"}
	e.ObjectMeta = metav1.ObjectMeta{
		Name: fmt.Sprintf("%s.%x", o.Name, w.moment().UnixNano()), Namespace: o.Namespace, UID: types.UID(newUID(w.rand)), CreationTimestamp: now,
	}
	if o.Namespace == "" {
		e.Namespace = "default"
	}
	e.ReportingController = source.Component
	if source.Component == scheduler { // it uses the newer API, which has no count and no first and last time
		e.EventTime, e.ReportingInstance, e.Action = metav1.NewMicroTime(now.Time), scheduler+"-"+w.nodes[0].name, "Scheduling"
		return e
	}
	e.Source, e.ReportingInstance = source, source.Host
	e.FirstTimestamp, e.LastTimestamp, e.Count = now, now, 1
	return e
}

// maxKnownEvents bounds what the book remembers; a demo may run for weeks.
const maxKnownEvents = 2000

func (b *eventBook) forget(at time.Time) {
	if len(b.known) < maxKnownEvents {
		return
	}
	for key, e := range b.known {
		if e.CreationTimestamp.Add(sameEventFor).Before(at) {
			delete(b.known, key)
		}
	}
}
