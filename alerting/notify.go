package alerting

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/strutil"
)

// forwarder hands a tenant's alerts from the rules manager to its Alertmanager, in process, and records when one begins
// or ends.
type forwarder struct {
	to  *alertmanager
	now func() time.Time

	mu      sync.Mutex // guards the fields below
	known   map[model.Fingerprint]knownAlert
	carried carried
}

// knownAlert is a stored alert with the time at which Alertmanager takes it as ended unless it hears of it again.
type knownAlert struct {
	doc    alertDoc
	endsAt time.Time
}

func newForwarder(to *alertmanager, now func() time.Time) *forwarder {
	f := &forwarder{
		to: to, now: now, known: map[model.Fingerprint]knownAlert{}, carried: carried{map[model.Fingerprint]alertDoc{}, map[string]int{}},
	}
	for rest, entry := range to.journal.snapshot() {
		if kind(rest) != alertState {
			continue
		}
		if doc, err := decodeAlert(entry.body); err == nil {
			f.known[doc.Labels.Fingerprint()] = knownAlert{doc, doc.restored(now()).EndsAt}
			f.carry(doc.Labels.Fingerprint(), doc)
		}
	}
	return f
}

// notify implements rules.NotifyFunc.
func (f *forwarder) notify(ctx context.Context, expr string, alerts ...*rules.Alert) {
	if len(alerts) == 0 {
		return
	}
	now := f.now()
	out := make([]*alert.Alert, 0, len(alerts))
	for _, from := range alerts {
		to := &alert.Alert{
			Alert: model.Alert{
				Labels:      labelSet(from.Labels),
				Annotations: labelSet(from.Annotations),
				StartsAt:    from.FiredAt,
				EndsAt:      from.ValidUntil,
			},
			UpdatedAt: now,
		}
		if f.to.externalURL != nil {
			to.GeneratorURL = f.to.externalURL.String()
			if expr != "" {
				to.GeneratorURL += strutil.TableLinkForExpression(expr)
			}
		}
		if !from.ResolvedAt.IsZero() {
			to.EndsAt = from.ResolvedAt
		}
		if err := to.Validate(); err != nil {
			f.to.logger.Warn("alert is not valid and is left out", "labels", to.Labels, "err", err)
			continue
		}
		out = append(out, to)
		f.mentioned(to.Fingerprint())
		f.record(to, from.ResolvedAt, expr != "")
	}
	if err := f.to.alerts.Put(ctx, out...); err != nil {
		f.to.logger.Error("alerts not handed over", "err", err)
	}
}

// record stores an alert when it begins, begins again or ends, not each time it is repeated.
func (f *forwarder) record(a *alert.Alert, resolvedAt time.Time, byRule bool) {
	doc := alertDoc{
		Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, ResolvedAt: resolvedAt, GeneratorURL: a.GeneratorURL,
		ValidFor: a.EndsAt.Sub(a.UpdatedAt), Rule: byRule,
	}
	id := a.Fingerprint()
	f.mu.Lock()
	was, known := f.known[id]
	same := known && was.doc.ResolvedAt.Equal(doc.ResolvedAt)
	if same {
		doc = was.doc
	}
	f.known[id] = knownAlert{doc, a.EndsAt}
	f.mu.Unlock()
	if !same {
		f.store(id, &doc)
	}
}

// sweep records the end of alerts that nobody mentions any more, because their rule was removed: Alertmanager calls them
// resolved when their time is over, and a process that takes over must not raise them again. It forgets what ended long ago.
func (f *forwarder) sweep() {
	now := f.now()
	ended := map[model.Fingerprint]alertDoc{}
	f.mu.Lock()
	for id, k := range f.known {
		switch expires := k.doc.expires(); {
		case !expires.IsZero() && expires.Before(now):
			delete(f.known, id)
		case k.doc.ResolvedAt.IsZero() && k.endsAt.Before(now):
			k.doc.ResolvedAt = k.endsAt
			f.known[id] = k
			ended[id] = k.doc
		}
	}
	f.mu.Unlock()
	for id, doc := range ended {
		f.store(id, &doc)
	}
}

func (f *forwarder) store(id model.Fingerprint, doc *alertDoc) {
	body, err := json.Marshal(doc)
	if err != nil {
		f.to.logger.Error("alert cannot be recorded", "err", err)
		return
	}
	f.to.journal.record(alertState+"."+id.String(), body, doc.expires())
}

func labelSet(l labels.Labels) model.LabelSet {
	set := make(model.LabelSet, l.Len())
	l.Range(func(l labels.Label) {
		if l.Value != "" {
			set[model.LabelName(l.Name)] = model.LabelValue(l.Value)
		}
	})
	return set
}
