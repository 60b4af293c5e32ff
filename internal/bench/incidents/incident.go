package incidents

import (
	"math/rand/v2"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// Incident is one seeded incident and its known cause.
type Incident struct {
	Kind       string
	Start, End time.Time
	Causes     []Cause // any of which names it
	effects    []effect
	events     []seamark.Event
	writes     []suspects.Write
	patterns   []pattern
}

// Cause is what suspects should find.
type Cause struct {
	Namespace, Object string // Object as suspects name it; for patterns a part of the text
}

// maker makes an incident at a time; r is for its sizes.
type maker struct {
	kind string
	make func(b *builder)
}

// builder collects the parts of an incident.
type builder struct {
	*Incident
	w *World
	r *rand.Rand
	s *Service // that it is about
}

// between draws a size.
func (b *builder) between(low, high float64) float64 { return low + (high-low)*b.r.Float64() }

func (b *builder) at(before time.Duration) time.Time { return b.Start.Add(-before) }

func (b *builder) effect(e effect) { b.effects = append(b.effects, e) }

func (b *builder) cause(namespace, object string) {
	b.Causes = append(b.Causes, Cause{namespace, object})
}

// write adds a change in the audit log, by a person.
func (b *builder) write(at time.Time, verb, resource, namespace, name string) {
	b.writes = append(b.writes, suspects.Write{
		Time: at, Cluster: Cluster, Namespace: namespace, Resource: resource, Name: name, Verb: verb,
		User: [...]string{"anna@example.com", "ben@example.com", "system:serviceaccount:argocd:argocd"}[b.r.IntN(3)], UserAgent: "kubectl/v1.34",
	})
}

// event adds an event of Kubernetes: kind, reason, namespace, object and message. A kind that begins with + is told as normal.
func (b *builder) event(at time.Time, told ...string) {
	kind, reason, namespace, object, message := told[0], told[1], told[2], told[3], told[4]
	typ := "Warning"
	if kind[0] == '+' {
		typ, kind = "Normal", kind[1:]
	}
	e := seamark.Event{
		Cluster: Cluster, Namespace: namespace, Kind: kind, Object: object, Type: typ, Reason: reason, Message: message, Count: 1, First: at, Last: at, UID: reason + object + at.String(),
	}
	if kind == "Pod" {
		e.Node = b.nodeOf(object)
	}
	b.events = append(b.events, e)
}

func (b *builder) nodeOf(pod string) string {
	for i := range b.w.Services {
		for k, node := range b.w.Services[i].Nodes {
			if b.w.Services[i].Pod(k) == pod {
				return node
			}
		}
	}
	return ""
}

// rollout is a deploy: the write, the events of its replica sets and pods.
func (b *builder) rollout(s *Service, at time.Time) {
	b.write(at, "patch", "deployments", s.Namespace, s.Name)
	b.event(at.Add(2*time.Second), "+Deployment", "ScalingReplicaSet", s.Namespace, s.Name, "Scaled up replica set "+s.Name+"-5d9c7b6f88 to 1")
	b.event(at.Add(3*time.Second), "+ReplicaSet", "SuccessfulCreate", s.Namespace, s.Name+"-5d9c7b6f88", "Created pod: "+s.Name+"-5d9c7b6f88-abcde")
	b.event(at.Add(20*time.Second), "+Pod", "Started", s.Namespace, s.Pod(0), "Started container "+s.Name)
}

// pattern adds log lines of an incident.
func (b *builder) pattern(s *Service, text, level string, perMinute float64, after time.Duration) {
	b.patterns = append(b.patterns, pattern{text: text, level: level, group: s.Namespace + "/" + s.Name, perMinute: perMinute, from: b.Start.Add(after), until: b.End})
}

// NewIncident puts the incident of a kind into the world of a seed, on one of the days of its fourth week.
func NewIncident(seed uint64, kind int) *World {
	w := NewWorld(seed)
	all := makers()
	m := all[kind%len(all)]
	r := rand.New(rand.NewPCG(seed, uint64(kind)*7919+13))
	start := Epoch().Add(21*24*time.Hour + time.Duration(r.IntN(5*24*60))*time.Minute)
	var web []*Service
	for i := range w.Services {
		if s := &w.Services[i]; s.web && s.Namespace != "ingress-nginx" {
			web = append(web, s)
		}
	}
	b := &builder{Incident: &Incident{Kind: m.kind, Start: start, End: start.Add(2 * time.Hour)}, w: w, r: r, s: web[r.IntN(len(web))]}
	m.make(b)
	b.decoys(web)
	w.Incident = b.Incident
	return w
}

// decoys are what else happened shortly before, to others: a deploy in the same namespace, one elsewhere, and a configuration that
// changes nothing.
func (b *builder) decoys(web []*Service) {
	var same, others []*Service
	for _, s := range web {
		switch {
		case s.Namespace == b.s.Namespace && s.Name != b.s.Name:
			same = append(same, s)
		case s.Namespace != b.s.Namespace:
			others = append(others, s)
		}
	}
	if len(same) > 0 {
		b.rollout(same[b.r.IntN(len(same))], b.at(b.minutes(3, 25)))
	}
	other := others[b.r.IntN(len(others))]
	b.rollout(other, b.at(b.minutes(1, 30)))
	b.write(b.at(b.minutes(1, 30)), "update", "configmaps", other.Namespace, other.Name+"-theme")
	b.event(b.at(b.minutes(1, 20)), "Node", "FreeDiskSpaceFailed", "", b.w.Nodes[b.r.IntN(len(b.w.Nodes))], "failed to garbage collect required amount of images")
}

// Kinds lists the kinds of incidents.
func Kinds() []string {
	var names []string
	for _, m := range makers() {
		names = append(names, m.kind)
	}
	return names
}
