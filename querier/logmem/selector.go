package logmem

import (
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Selector tells the streams that satisfy matchers from others, as the store does. It is safe for concurrent use.
type Selector struct {
	matchers []store.LogMatcher
	exprs    exprs
}

// NewSelector compiles the matchers; the error is of kind Invalid for a regular expression that is none.
func NewSelector(matchers []store.LogMatcher) (*Selector, error) {
	s := &Selector{matchers: matchers, exprs: exprs{}}
	for _, m := range matchers {
		if _, err := s.exprs.holds(m.Op, "", m.Value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Matches reports whether a stream with these labels is selected.
func (s *Selector) Matches(labels []seamark.Label) bool {
	matches, err := s.exprs.matches(labels, s.matchers)
	return matches && err == nil // NewSelector has compiled them all
}
