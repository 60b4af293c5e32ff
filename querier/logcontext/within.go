package logcontext

import "github.com/seamarkhq/seamark/internal/seamark"

// Within returns the reader for who may read only a part of a tenant: it reads through what narrow makes of its storage. A
// restriction that narrows nothing gives the reader itself.
func (r *Reader) Within(only *seamark.Restriction, narrow func(Storage, *seamark.Restriction) Storage) *Reader {
	if !only.Narrows() {
		return r
	}
	part := *r
	part.opts.Storage = narrow(r.opts.Storage, only)
	return &part
}
