package events

import "github.com/seamarkhq/seamark/internal/seamark"

// Within returns the searcher for who may read only a part of a tenant: it reads through what narrow makes of its
// store. A restriction that narrows nothing gives the searcher itself.
func (s *Searcher) Within(only *seamark.Restriction, narrow func(Store, *seamark.Restriction) Store) *Searcher {
	if !only.Narrows() {
		return s
	}
	part := *s
	part.opts.Store = narrow(s.opts.Store, only)
	return &part
}
