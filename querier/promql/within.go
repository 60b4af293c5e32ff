package promql

import "github.com/seamarkhq/seamark/internal/seamark"

// Within returns the engine for who may read only a part of a tenant: it reads through what narrow makes of its store, and
// shares everything else. A restriction that narrows nothing gives the engine itself. Nobody closes what Within returns.
func (e *Engine) Within(only *seamark.Restriction, narrow func(Store, *seamark.Restriction) Store) *Engine {
	if !only.Narrows() {
		return e
	}
	part := *e
	part.only, part.opts.Store = only, narrow(e.opts.Store, only)
	return &part
}
