package alerting

import (
	"context"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// settledAfter is how many good evaluations a rule with a `for` needs after a takeover until what it does not mention has ended: the
// second restores its state, the third fires.
const settledAfter = 3

// carried are alerts that an earlier holder's rules had raised. A new rules manager does not know them, so nobody would tell of their
// end before their time is over, which is minutes.
type carried struct {
	alerts map[model.Fingerprint]alertDoc
	good   map[string]int // evaluations without a fault since the takeover, by group
}

// mentioned notes that a rule speaks of an alert again.
func (f *forwarder) mentioned(id model.Fingerprint) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.carried.alerts, id)
}

// carriedBy returns the alerts that wait for a rule of the group, after one more of its evaluations. It is empty soon after a takeover.
func (f *forwarder) carriedBy(g *rules.Group) map[model.Fingerprint]alertDoc {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.carried.alerts) == 0 {
		return nil
	}
	key := rules.GroupKey(g.File(), g.Name())
	names := map[string]bool{}
	for _, r := range g.AlertingRules() {
		if r.Health() != rules.HealthGood {
			f.carried.good[key] = 0
			return nil
		}
		names[r.Name()] = true
	}
	f.carried.good[key]++
	waiting := map[model.Fingerprint]alertDoc{}
	for id, doc := range f.carried.alerts {
		if names[string(doc.Labels[model.AlertNameLabel])] {
			waiting[id] = doc
		}
	}
	return waiting
}

// goodFor reports whether a group was evaluated so often since the takeover that its rule mentions all that is active.
func (f *forwarder) goodFor(g *rules.Group, r *rules.AlertingRule) bool {
	need := 1
	if r.HoldDuration() > 0 {
		need = settledAfter
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return r.KeepFiringFor() == 0 && f.carried.good[rules.GroupKey(g.File(), g.Name())] >= need
}

// settle tells the end of alerts that were carried over and that no rule of their name mentions any more.
func (t *tenant) settle(ctx context.Context, evaluated *rules.Group) {
	waiting := t.forward.carriedBy(evaluated)
	if len(waiting) == 0 {
		return
	}
	for _, g := range t.manager.RuleGroups() {
		for _, r := range g.AlertingRules() {
			t.keepActive(g, r, waiting)
		}
	}
	now := t.service.opts.Now()
	for id, doc := range waiting {
		b := labels.NewScratchBuilder(len(doc.Labels))
		for name, value := range doc.Labels {
			b.Add(string(name), string(value))
		}
		b.Sort()
		t.forward.mentioned(id)
		t.forward.end(ctx, &rules.Alert{
			State: rules.StateInactive, Labels: b.Labels(), Annotations: annotationsOf(&doc), ActiveAt: doc.StartsAt, FiredAt: doc.StartsAt,
			ResolvedAt: now, LastSentAt: now, ValidUntil: now,
		})
	}
}

// keepActive takes from waiting what a rule still has, or may yet have.
func (t *tenant) keepActive(g *rules.Group, r *rules.AlertingRule, waiting map[model.Fingerprint]alertDoc) {
	settled := t.forward.goodFor(g, r)
	for id, doc := range waiting {
		if string(doc.Labels[model.AlertNameLabel]) == r.Name() && !settled {
			delete(waiting, id)
		}
	}
	for _, a := range r.ActiveAlerts() {
		delete(waiting, labelSet(a.Labels).Fingerprint())
	}
}

func annotationsOf(doc *alertDoc) labels.Labels {
	list := map[string]string{}
	for name, value := range doc.Annotations {
		list[string(name)] = string(value)
	}
	return labels.FromMap(list)
}

// end hands over the end of one alert, unless it was mentioned meanwhile.
func (f *forwarder) end(ctx context.Context, a *rules.Alert) {
	f.mu.Lock()
	k, known := f.known[labelSet(a.Labels).Fingerprint()]
	f.mu.Unlock()
	if known && k.doc.ResolvedAt.IsZero() {
		f.notify(ctx, "", a)
	}
}

// carry keeps what was restored in mind until rules have spoken.
func (f *forwarder) carry(id model.Fingerprint, doc alertDoc) {
	if doc.Rule && doc.ResolvedAt.IsZero() {
		f.carried.alerts[id] = doc
	}
}
