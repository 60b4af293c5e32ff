package ingest

import (
	"sync"
	"time"
)

// pacer is the budget of inserts that the shards of a writer share. It lends: a batch is never cut for the budget, the next
// one waits. It is safe for concurrent use.
type pacer struct {
	each time.Duration // of the budget that one insert takes
	mu   sync.Mutex    // guards free
	free time.Time     // when what was lent is paid back
}

const (
	// pacerCredit is how much of the budget that nobody used is kept.
	pacerCredit = time.Second
	// pacerDebt bounds how long a batch of very many inserts makes the next one wait.
	pacerDebt = 5 * time.Second
)

func newPacer(perSecond float64) *pacer {
	return &pacer{each: time.Duration(float64(time.Second) / perSecond)}
}

// cost returns the share of the budget that n inserts take.
func (p *pacer) cost(n int) time.Duration { return time.Duration(n) * p.each }

// wait returns how long the budget is spent from now, or less than nothing.
func (p *pacer) wait(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.free.Sub(now)
}

// spend takes n inserts from the budget.
func (p *pacer) spend(n int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if oldest := now.Add(-pacerCredit); p.free.Before(oldest) {
		p.free = oldest
	}
	p.free = p.free.Add(p.cost(n))
	if most := now.Add(pacerDebt); p.free.After(most) {
		p.free = most
	}
}

// rest has the budget spent for half as long as a batch took to insert, so that inserts take two thirds of the time at most:
// a server that is slow, because others need its cores, gets fewer and larger ones. Behind a crowded batch it is twice as long
// instead, because what small inserts cost does not depend on their rows.
func (p *pacer) rest(took time.Duration, crowded bool, now time.Time) {
	pause := took / 2
	if crowded {
		pause = 2 * took
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := now.Add(min(pause, pacerDebt)); p.free.Before(until) {
		p.free = until
	}
}
