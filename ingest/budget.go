package ingest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// budget bounds the memory of all requests under way together. A request asks before it takes memory and waits a moment
// when there is none; then it is told to come back. Without it enough parallel requests, each within its own limit, take
// all memory.
type budget struct {
	sem  *semaphore.Weighted
	max  int64
	wait time.Duration

	mu      sync.Mutex // guards garbage, and is held while it is collected
	garbage int64      // bytes of large buffers that were given back since the last collection
}

func newBudget(maxBytes int64, wait time.Duration) *budget {
	return &budget{sem: semaphore.NewWeighted(maxBytes), max: maxBytes, wait: wait}
}

// claim is what one request holds of the budget.
type claim struct {
	budget *budget
	ctx    context.Context
	held   int64
	large  int64 // part of held that no pool keeps
}

func (b *budget) claim(ctx context.Context) *claim { return &claim{budget: b, ctx: ctx} }

// grow asks for n more bytes.
func (c *claim) grow(n int64) error {
	if c.held+n > c.budget.max {
		return seamark.Errorf(seamark.TooLarge, "seamark-body-memory",
			"The request needs more than the %d bytes that all requests may hold together (--ingest.max-inflight-bytes). Send smaller batches.", c.budget.max)
	}
	if !c.budget.sem.TryAcquire(n) {
		ctx, cancel := context.WithTimeout(c.ctx, c.budget.wait)
		defer cancel()
		if err := c.budget.sem.Acquire(ctx, n); err != nil {
			return seamark.Wrap(err, seamark.Unavailable, "seamark-ingest-busy", "Too much is being ingested at once. Retry shortly.")
		}
	}
	c.held += n
	if n > maxKeptBytes {
		c.large += n
	}
	return nil
}

// release gives everything back.
func (c *claim) release() {
	c.budget.collect(c.large)
	c.budget.sem.Release(c.held)
	c.held, c.large = 0, 0
}

// collect makes the memory of large buffers free before their share of the budget is: the collector would let garbage grow
// to the size of all that lives, so that a wave of large bodies took several times the budget. Buffers of common size are
// pooled and cost nothing here.
func (b *budget) collect(large int64) {
	if large == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.garbage += large; b.garbage >= b.max/4 {
		runtime.GC()
		b.garbage = 0
	}
}
