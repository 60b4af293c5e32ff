package listen

import (
	"context"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// memory bounds what all connections hold together.
type memory struct {
	sem  *semaphore.Weighted
	max  int64
	wait time.Duration

	mu      sync.Mutex // guards garbage, and is held while it is collected
	garbage int64      // bytes that were dropped since the last collection
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

// release gives back what was claimed for memory that is kept, such as a batch's.
func (m *memory) release(n int64) { m.sem.Release(n) }

// drop gives back what was claimed for memory that nothing refers to any more, and makes it free before others may claim it:
// the collector would let garbage grow to the size of all that lives, so that a few hostile senders took several times the
// bound. Buffers of common size are dropped when a connection ends, a few KiB each, and cost nothing here.
func (m *memory) drop(n int64) {
	m.collect(n)
	m.sem.Release(n)
}

func (m *memory) collect(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.garbage += n; m.garbage >= m.max/4 {
		runtime.GC()
		m.garbage = 0
	}
}

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
