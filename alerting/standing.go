package alerting

import "github.com/seamarkhq/seamark/internal/seamark"

// Standing is what a tenant's place in its life means for its rules.
type Standing uint8

// The standings.
const (
	Running Standing = iota
	Paused           // no rule is evaluated and nobody is notified; rules, silences and state stay
	Gone             // nothing runs, and nothing is written any more
)

func (s *Service) standing(id seamark.TenantID) Standing {
	if s.opts.Standing == nil {
		return Running
	}
	return s.opts.Standing(id)
}

// Touch tells that a tenant's standing may have changed. It returns at once. A tenant without rules, receivers and state has
// nothing to run, and is not started for this.
func (s *Service) Touch(id seamark.TenantID) {
	s.mu.Lock()
	known := s.tenants[id] != nil || s.stored[id] != nil
	s.mu.Unlock()
	if known || s.rules.has(id) || s.configs.has(id) {
		s.touch(id)
	}
}

// dismiss ends what runs for a tenant, and returns when it has ended.
func (s *Service) dismiss(id seamark.TenantID) {
	s.mu.Lock()
	t := s.tenants[id]
	delete(s.tenants, id)
	delete(s.stored, id)
	s.metrics.tenants.Set(float64(len(s.tenants)))
	s.mu.Unlock()
	if t != nil {
		t.cancel()
		<-t.done
	}
}
