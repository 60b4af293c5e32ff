package promql

import (
	"context"
	"errors"
	"time"
)

type patienceKey struct{}

// WithPatience returns a context whose queries may run for d instead of Options.Timeout: nobody waits for them.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

// maxPatience bounds what any context asks for; Prometheus' engine wants to know.
const maxPatience = 24 * time.Hour

// timeout is how long a query of ctx may run.
func (e *Engine) timeout(ctx context.Context) time.Duration {
	if d, ok := ctx.Value(patienceKey{}).(time.Duration); ok {
		return min(d, maxPatience)
	}
	return e.opts.Timeout
}

// ErrPanic is in the chain of an error that stands for a panic while a query was evaluated.
var ErrPanic = errors.New("promql: panic in a query")
