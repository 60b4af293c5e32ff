// Package bound is what the query languages share to keep one request from harming others: a gate that few queries pass at a
// time, and the check of how many things a request asks for. It knows no language and no store.
package bound

import (
	"context"
	"errors"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Patience bounds how long Enter waits: less than the time after which browsers and proxies give up.
const Patience = 30 * time.Second

// Gate bounds the queries of all tenants that run at once. It is safe for concurrent use.
type Gate struct{ turns chan struct{} }

// NewGate returns a gate with so many places, at least one.
func NewGate(places int) *Gate { return &Gate{make(chan struct{}, max(places, 1))} }

// Wait waits for a place, which Leave gives back. It fails with the context's error alone.
func (g *Gate) Wait(ctx context.Context) error {
	select {
	case g.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Enter is Wait with patience and in the customer's words: it fails with kind Unavailable when no place comes free in time,
// and with Canceled when the caller goes away.
func (g *Gate) Enter(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	begin := time.Now()
	err := g.Wait(patient)
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return seamark.Wrap(err, seamark.Canceled, "seamark-query-canceled", "The query was cancelled.")
	}
	return seamark.Wrap(err, seamark.Unavailable, "seamark-query-busy",
		"%d queries run already, the limit of all tenants (--query.max-concurrent), and none ended within %s. Try again.",
		cap(g.turns), time.Since(begin).Round(time.Millisecond))
}

// Leave gives a place back.
func (g *Gate) Leave() { <-g.turns }
