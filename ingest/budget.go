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
	garbage int64      // bytes that were given back since the last collection
}

func newBudget(maxBytes int64, wait time.Duration) *budget {
	return &budget{sem: semaphore.NewWeighted(maxBytes), max: maxBytes, wait: wait}
}

// claim is what one request holds of the budget.
type claim struct {
	budget *budget
	ctx    context.Context
	held   int64
	fresh  int64 // part of held that was allocated for this request
	rows   int64 // part of held that the batch's rows take
}

func (b *budget) claim(ctx context.Context) *claim { return &claim{budget: b, ctx: ctx} }

// grow asks for n more bytes, to be allocated.
func (c *claim) grow(n int64) error {
	err := c.hold(n)
	if err == nil {
		c.fresh += n
	}
	return err
}

// Claim implements seamark.Claimer for the rows of a batch.
func (c *claim) Claim(n int64) error {
	err := c.hold(n)
	if err == nil {
		c.rows += n
	}
	return err
}

// hold asks for n bytes that are there already, kept from a request before.
func (c *claim) hold(n int64) error {
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
	return nil
}

// release gives everything back.
func (c *claim) release() {
	garbage := c.fresh
	if c.rows > maxKeptBytes {
		garbage += c.rows
	}
	c.budget.collect(garbage)
	c.budget.sem.Release(c.held)
	c.held, c.fresh, c.rows = 0, 0, 0
}

// collect makes a request's memory free before its share of the budget is: the collector would let garbage grow to the size
// of all that lives, so that a wave of large bodies took several times the budget. Requests of common size work in memory
// that is kept, and cost nothing here.
func (b *budget) collect(garbage int64) {
	if garbage == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.garbage += garbage; b.garbage >= b.max/4 {
		runtime.GC()
		b.garbage = 0
	}
}
