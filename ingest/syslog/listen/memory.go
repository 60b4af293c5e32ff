package listen

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// memory bounds what all connections hold together.
type memory struct {
	sem  *semaphore.Weighted
	max  int64
	wait time.Duration
}

func newMemory(maxBytes int64, wait time.Duration) *memory {
	return &memory{sem: semaphore.NewWeighted(maxBytes), max: maxBytes, wait: wait}
}

// claim asks for n bytes and waits a while when there are none. Two connections may each wait for what the other holds:
// the end of the wait is what resolves that.
func (m *memory) claim(ctx context.Context, n int64) error {
	if m.sem.TryAcquire(n) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.wait)
	defer cancel()
	if err := m.sem.Acquire(ctx, n); err != nil {
		return seamark.Wrap(err, seamark.Unavailable, "seamark-stream-memory",
			"All connections together hold the %d bytes they may, and none came free within %s. Connect again shortly.", m.max, m.wait)
	}
	return nil
}

// tryClaim asks for n bytes that are useful and not needed.
func (m *memory) tryClaim(n int64) bool { return m.sem.TryAcquire(n) }

func (m *memory) release(n int64) { m.sem.Release(n) }

// rowClaim is a connection's claim for the rows of its batch. It implements seamark.Claimer.
type rowClaim struct {
	ctx    context.Context
	memory *memory
	held   int64
}

// Claim implements seamark.Claimer.
func (r *rowClaim) Claim(n int64) error {
	err := r.memory.claim(r.ctx, n)
	if err == nil {
		r.held += n
	}
	return err
}

func (r *rowClaim) release() {
	r.memory.release(r.held)
	r.held = 0
}
