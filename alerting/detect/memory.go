package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
)

// Standing is where one alert of a detector stands.
type Standing struct {
	insight.Track
	Labels      map[string]string `json:"labels"`
	Explanation string            `json:"explanation,omitempty"`
	Value       string            `json:"value,omitempty"`
}

// State is what a detector knows from one evaluation to the next. It survives restarts.
type State struct {
	Looked time.Time            `json:"looked,omitzero"` // time that was evaluated last
	Alerts map[string]*Standing `json:"alerts,omitempty"`
}

// clone returns a copy that an evaluation may change.
func (s *State) clone() *State {
	c := &State{Looked: s.Looked, Alerts: make(map[string]*Standing, len(s.Alerts))}
	for key, a := range s.Alerts {
		one := *a
		c.Alerts[key] = &one
	}
	return c
}

// of returns the standing of what has the labels.
func (s *State) of(labels map[string]string) *Standing {
	key := keyOf(labels)
	if found := s.Alerts[key]; found != nil {
		return found
	}
	found := &Standing{Labels: labels}
	if s.Alerts == nil {
		s.Alerts = map[string]*Standing{}
	}
	s.Alerts[key] = found
	return found
}

// firing counts the alerts that fire.
func (s *State) firing() int {
	n := 0
	for _, a := range s.Alerts {
		if a.Phase == insight.Firing {
			n++
		}
	}
	return n
}

// keyOf is a short name of a label set.
func keyOf(labels map[string]string) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		h.Write([]byte(name))
		h.Write([]byte{0})
		h.Write([]byte(labels[name]))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// models caches what was learned from history, by detector. It is safe for concurrent use.
type models struct {
	mu   sync.Mutex // guards byID
	byID map[string]*learned
}

// learned is what one detector learned. It does not change.
type learned struct {
	revision  uint64
	at        time.Time
	baselines map[string]*insight.Baseline
	arrivals  []insight.Series
	newest    map[string]time.Time // of arrivals
}

func (m *models) find(id string, revision uint64, at time.Time, fresh time.Duration) *learned {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.byID[id]
	if found == nil || found.revision != revision || at.Before(found.at) || at.Sub(found.at) >= fresh {
		return nil
	}
	return found
}

func (m *models) keep(id string, one *learned) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byID == nil {
		m.byID = map[string]*learned{}
	}
	m.byID[id] = one
}

// retain forgets all detectors but those that are named.
func (m *models) retain(live map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.byID, func(id string, _ *learned) bool { return !live[id] })
}
