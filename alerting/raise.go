package alerting

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Raised is an alert that comes from no rule: the platform tells a tenant of something.
type Raised struct{ Labels, Annotations map[string]string }

// Raise hands alerts to the tenant's Alertmanager, which routes, groups and silences them as any others. Each lasts for the given time
// unless it is raised again. The error is of kind Unavailable where another process evaluates; raising nothing asks for that alone.
func (s *Service) Raise(ctx context.Context, id seamark.TenantID, alerts []Raised, lasts time.Duration) error {
	return s.tell(ctx, id, alerts, func(a *rules.Alert) { a.ValidUntil = a.LastSentAt.Add(lasts) })
}

// Resolve tells that alerts that were raised have ended. Its errors are Raise's.
func (s *Service) Resolve(ctx context.Context, id seamark.TenantID, alerts []Raised) error {
	return s.tell(ctx, id, alerts, func(a *rules.Alert) {
		a.State, a.ResolvedAt, a.ValidUntil = rules.StateInactive, a.LastSentAt, a.LastSentAt
	})
}

func (s *Service) tell(ctx context.Context, id seamark.TenantID, alerts []Raised, ends func(*rules.Alert)) error {
	t, err := s.tenant(id, len(alerts) > 0)
	if err != nil || t == nil {
		return err
	}
	now := s.opts.Now()
	list := make([]*rules.Alert, len(alerts))
	for i, a := range alerts {
		list[i] = &rules.Alert{
			State: rules.StateFiring, Labels: labels.FromMap(a.Labels), Annotations: labels.FromMap(a.Annotations),
			ActiveAt: now, FiredAt: t.forward.since(labels.FromMap(a.Labels), now), LastSentAt: now,
		}
		ends(list[i])
	}
	t.forward.notify(ctx, "", list...)
	return nil
}

// since returns when an alert that is active began; now for one that is not.
func (f *forwarder) since(l labels.Labels, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, known := f.known[labelSet(l).Fingerprint()]
	if !known || !k.doc.ResolvedAt.IsZero() {
		return now
	}
	return k.doc.StartsAt
}
