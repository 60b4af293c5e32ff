package samplecache

import (
	"context"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	// maxWait bounds how long a query waits for a refresh before it asks the store. A server that takes so long for a look at its
	// parts is busy; queries that gave up sooner would make it busier.
	maxWait = time.Second
	// changePause is how long announcements are gathered at least before one refresh covers them all, changePauseMost how
	// long at most while nobody asks. Between them a tenant waits for a third of the time since its last query: one that a
	// dashboard asks for every half minute is not refreshed every second in between.
	changePause     = time.Second
	changePauseMost = 15 * time.Second
	// hotFor is how long after its last query a tenant is refreshed in the background when a change is announced.
	hotFor = 5 * time.Minute
	// refreshTimeout bounds a refresh. Without it one that hangs holds its tenant to the store for ever.
	refreshTimeout = time.Minute
)

// freshness decides when a tenant is refreshed. Refreshes run one at a time, in a goroutine that ends when there is nothing
// more to do.
type freshness struct {
	mu        sync.Mutex // guards the fields below; no other lock but the cache's is taken while it is held
	listed    bool       // a refresh has succeeded
	checkedAt time.Time  // when the last refresh that succeeded began
	wanted    uint64     // rises with each wish for a refresh
	settled   uint64     // the wishes up to here were met, or failed
	met       uint64     // the wishes up to here were met
	running   bool
	gathering bool          // a refresh begins shortly, for all announcements until then
	ended     chan struct{} // closed when a refresh ends, and renewed
	queriedAt time.Time     // by somebody who is there, and asks again
	dirtyAt   time.Time     // the first announcement that no refresh covers; zero when there is none
	lateAt    time.Time     // the first announcement since the refresh under way began
}

// fresh waits, but not long, until the tenant shows what was announced a grace ago. It returns why it does not, or "".
func (t *tenant) fresh(ctx context.Context) (reason string) {
	f, now := &t.freshness, t.cache.opts.Now()
	f.mu.Lock()
	if !seamark.IsUnattended(ctx) {
		f.queriedAt = now
	}
	if t.freshLocked(now) {
		f.mu.Unlock()
		return ""
	}
	wish := t.wishLocked()
	f.mu.Unlock()
	return t.wait(ctx, wish)
}

func (t *tenant) freshLocked(now time.Time) bool {
	f := &t.freshness
	return f.listed && now.Sub(f.checkedAt) < t.cache.opts.Refresh && (f.dirtyAt.IsZero() || now.Sub(f.dirtyAt) < t.cache.opts.Grace)
}

// wishLocked asks for a refresh that begins after now and returns the wish's number.
func (t *tenant) wishLocked() uint64 {
	f := &t.freshness
	f.wanted++
	if !f.running {
		f.running = t.cache.launch(t.run)
	}
	return f.wanted
}

// wait waits until the wish is settled.
func (t *tenant) wait(ctx context.Context, wish uint64) (reason string) {
	f := &t.freshness
	timer := time.NewTimer(t.cache.maxWait * seamark.Patience(ctx))
	defer timer.Stop()
	for {
		f.mu.Lock()
		met, settled, running, ended := f.met >= wish, f.settled >= wish, f.running, f.ended
		f.mu.Unlock()
		switch {
		case met: // however long it took: it began after the query did
			return ""
		case settled || !running:
			return "failure"
		}
		select {
		case <-ended:
		case <-timer.C:
			return "wait"
		case <-ctx.Done():
			return "wait"
		}
	}
}

// changed notes an announcement. A tenant that nobody queries is refreshed by its next query.
func (t *tenant) changed() {
	f, now := &t.freshness, t.cache.opts.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.listed && !f.running {
		return // the first query begins with a refresh
	}
	if f.dirtyAt.IsZero() {
		f.dirtyAt = now
	}
	if f.lateAt.IsZero() {
		f.lateAt = now
	}
	idle := now.Sub(f.queriedAt)
	if f.gathering || idle >= hotFor {
		return
	}
	f.gathering = true
	pause := min(max(idle/3, changePause), changePauseMost)
	time.AfterFunc(max(0, pause-now.Sub(f.checkedAt)), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.gathering = false; !f.dirtyAt.IsZero() {
			t.wishLocked()
		}
	})
}

// run refreshes until every wish is settled.
func (t *tenant) run() {
	f, m := &t.freshness, &t.cache.metrics
	for {
		now := t.cache.opts.Now()
		f.mu.Lock()
		wish := f.wanted
		f.lateAt = time.Time{}
		f.mu.Unlock()

		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.cache.ctx, refreshTimeout)
		err := t.refresh(ctx)
		cancel()
		m.refreshes.Inc()
		m.refreshSecond.Observe(time.Since(begin).Seconds())
		if t.settle(wish, now, err) {
			return
		}
	}
}

// settle notes a refresh's end and reports whether it was the last one for now.
func (t *tenant) settle(wish uint64, began time.Time, err error) (done bool) {
	f := &t.freshness
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		t.cache.metrics.failures.Inc()
		t.cache.opts.Logger.Debug("sample cache not refreshed", "tenant", t.id, "err", err)
		f.settled = f.wanted // whoever waits asks the store
	} else {
		f.settled, f.met, f.listed, f.checkedAt, f.dirtyAt = wish, wish, true, began, f.lateAt
	}
	close(f.ended)
	f.ended = make(chan struct{})
	f.running = f.settled < f.wanted
	return !f.running
}
