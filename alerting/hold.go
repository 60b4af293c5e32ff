package alerting

import (
	"context"
	"time"

	"github.com/prometheus/prometheus/rules"
)

const (
	// usualDelay is how long what is acknowledged may take to be stored without any rule waiting for it: batches are gathered for
	// about a second, and on a busy node for some.
	usualDelay = 5 * time.Second
	// holdLook is how often a group that waits looks again.
	holdLook = 250 * time.Millisecond
)

// awaitLate waits, but not for ever, until what was acknowledged before the moment that a group looks at is stored. It returns
// false when the group is not to be evaluated any more.
func (t *tenant) awaitLate(ctx context.Context, g *rules.Group, at time.Time) bool {
	o := &t.service.opts
	if o.Behind == nil || !t.late(g, at) {
		return true
	}
	longest := min(o.MaxHold, g.Interval()/2)
	if longest <= 0 {
		return true
	}
	t.service.metrics.holds.Inc()
	limit, look := time.NewTimer(longest), time.NewTicker(holdLook)
	defer limit.Stop()
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-limit.C:
			t.service.metrics.holdsEnded.Inc()
			return true
		case <-look.C:
			if !t.late(g, at) {
				return true
			}
		}
	}
}

// late reports whether something may be under way that came before the moment that a group looks at.
func (t *tenant) late(g *rules.Group, at time.Time) bool {
	return t.service.opts.Behind(t.id) > time.Since(at)+g.QueryOffset()+usualDelay
}
