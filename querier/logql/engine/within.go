package engine

import "github.com/seamarkhq/seamark/internal/seamark"

// Within returns the engine for who may read only a part of a tenant: it reads through what narrow makes of its
// storage. A restriction that narrows nothing gives the engine itself.
func (e *Engine) Within(only *seamark.Restriction, narrow func(Storage, *seamark.Restriction) Storage) *Engine {
	if !only.Narrows() {
		return e
	}
	part := *e
	part.opts.Storage = narrow(e.opts.Storage, only)
	return &part
}
