package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/querier/bound"
)

// turns admits queries of all languages, and bounds their time.
type turns struct {
	gate    *bound.Gate
	timeout time.Duration
}

// begin waits for the query's turn and returns its context, whose time has begun with the wait. Unless it fails, done ends the
// query.
func (t turns) begin(ctx context.Context) (within context.Context, done func(), err error) {
	within, cancel := context.WithTimeout(ctx, t.timeout)
	if err := t.gate.Enter(within); err != nil {
		cancel()
		return nil, nil, err
	}
	return within, func() { cancel(); t.gate.Leave() }, nil
}
