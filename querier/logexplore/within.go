package logexplore

import "github.com/seamarkhq/seamark/internal/seamark"

// Within returns the explorer for who may read only a part of a tenant: it reads through what narrow makes of its storage,
// and asks a querier that is narrowed in the same way. A restriction that narrows nothing gives the explorer itself.
func (e *Explorer) Within(only *seamark.Restriction, narrow func(Storage, *seamark.Restriction) Storage, narrowed Querier) *Explorer {
	if !only.Narrows() {
		return e
	}
	part := *e
	part.opts.Storage, part.opts.Engine = narrow(e.opts.Storage, only), narrowed
	return &part
}
