package admit

import (
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// budget is what a tenant's queries have read, on this node and elsewhere.
type budget struct {
	level     float64 // bytes that are left of the minute's; below zero it is a debt
	at        time.Time
	day       int64 // since 1970, of today
	today     uint64
	elsewhere uint64 // on other nodes, today
}

const dayLength = 24 * time.Hour

func dayOf(now time.Time) int64 { return now.Unix() / int64(dayLength/time.Second) }

// take counts what was read.
func (b *budget) take(now time.Time, bytes uint64) {
	b.turn(now)
	b.today += bytes
	b.level -= float64(bytes)
}

// turn begins a new day.
func (b *budget) turn(now time.Time) {
	if day := dayOf(now); day != b.day {
		b.day, b.today, b.elsewhere = day, 0, 0
	}
}

// fill gives back what has become free since the last time. A minute's bytes may be read at once, and what was read beyond is
// paid for by waiting.
func (b *budget) fill(now time.Time, perMinute float64) {
	if b.at.IsZero() {
		b.level += perMinute
	} else if passed := now.Sub(b.at); passed > 0 {
		b.level += perMinute * passed.Minutes()
	}
	b.level, b.at = min(b.level, perMinute), now
}

// excess is a budget that is used up.
type excess struct {
	field string
	limit int64
	used  float64
	ends  time.Duration
}

// excess returns the budget that the tenant is over, the one that lasts longest first; nil when there is none. Of the limits this
// node has its part.
func (b *budget) excess(now time.Time, l *Limits, nodes int) *excess {
	b.turn(now)
	if limit := l.QueryBytesPerDay; limit > 0 && b.today+b.elsewhere >= uint64(limit) {
		next := time.Unix((b.day+1)*int64(dayLength/time.Second), 0)
		return &excess{"query_bytes_per_day", limit, float64(b.today + b.elsewhere), next.Sub(now)}
	}
	limit := l.QueryBytesPerMinute
	if limit <= 0 {
		b.level, b.at = 0, time.Time{}
		return nil
	}
	part := float64(limit) / float64(max(nodes, 1))
	b.fill(now, part)
	if b.level > 0 {
		return nil
	}
	minutes := (1 - b.level) / part
	wait := time.Duration(math.Min(minutes, 24*60) * float64(time.Minute))
	return &excess{"query_bytes_per_minute", limit, part - b.level, wait}
}

// checkBudget refuses a query of a tenant that has read more than its budget, unless it reads the last minutes alone: over says
// that it does, and waits behind others. Rules are counted and never refused: alerts must not fall silent because somebody has
// searched too much.
func (q *Query) checkBudget(want *Want) (over bool, err error) {
	a, now := q.owner, q.owner.opts.Now()
	if q.Request.Class == RuleQuery {
		return false, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tenantLocked(q.Request.Tenant)
	e := t.budget.excess(now, &q.limits, a.opts.Nodes())
	switch {
	case e == nil || want.Light:
		return false, nil
	case want.recent(now):
		return true, nil
	}
	return false, q.overBudget(e)
}

// Spent is what a tenant's queries have read on this node today, UTC.
func (a *Admission) Spent() map[seamark.TenantID]uint64 {
	now := a.opts.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	spent := map[seamark.TenantID]uint64{}
	for id, t := range a.tenants {
		if t.budget.turn(now); t.budget.today > 0 {
			spent[id] = t.budget.today
		}
	}
	return spent
}

// Learn takes what tenants' queries have read on other nodes today, and before this process on this one.
func (a *Admission) Learn(day int64, elsewhere map[seamark.TenantID]uint64) {
	now := a.opts.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if day != dayOf(now) {
		return
	}
	for id, bytes := range elsewhere {
		t := a.tenantLocked(id)
		t.budget.turn(now)
		t.budget.elsewhere = bytes
	}
}
