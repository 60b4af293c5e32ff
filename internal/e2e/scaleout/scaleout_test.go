package scaleout

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestScaleOut takes away one node of each kind, as a crash does.
func TestScaleOut(t *testing.T) {
	soak(t, func(c *course) {
		c.load.catchesUp()
		victims := map[string]int{"writer": c.r.storing()} // of the others any
		for _, n := range c.r.losses() {
			if n.number == victims[n.role] {
				c.lose(n)
			}
		}
	})
}

// TestScaleOutEveryNode takes away every node, as a crash does, and then restarts each in order, as an upgrade does.
func TestScaleOutEveryNode(t *testing.T) {
	soak(t, func(c *course) {
		for _, n := range c.r.losses() {
			c.lose(n)
		}
		for _, n := range c.r.losses() {
			if n.ends != nil {
				c.restart(n)
			}
		}
	})
}

// course is a run of losses under load.
type course struct {
	r    *region
	load *load
}

// soak runs losses under load, and holds the store against what was acknowledged.
func soak(t *testing.T, losses func(c *course)) {
	t.Helper()
	rnd := testkit.Seed(t)
	c := &course{r: newRegion(t)}
	begun := time.Now()
	c.load = newLoad(c.r, rnd)
	c.load.goesOn()
	c.r.alertsHeld()
	losses(c)
	c.load.end()
	c.load.judge(t)
	c.load.queried(t)
	c.judgeGaps(t)
	t.Logf("the losses took %s", time.Since(begun).Round(time.Second))
}

// lose kills a node, sees that the others go on without it, and brings it back.
func (c *course) lose(n loss) {
	c.r.t.Helper()
	begun := time.Now()
	n.kill()
	if n.role == "alerting" {
		c.r.alertsHeld()
	}
	c.load.goesOn()
	if n.role == "writer" {
		c.load.catchesUp() // the other writer takes over
	}
	away := time.Since(begun)
	n.back()
	c.returned(n)
	c.r.t.Logf("%s: killed, away for %s, back after %s", n.String(), away.Round(100*time.Millisecond), time.Since(begun).Round(100*time.Millisecond))
}

// restart ends a node in order and starts it again, as an upgrade does.
func (c *course) restart(n loss) {
	c.r.t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(c.r.t.Context(), within)
	defer cancel()
	if err := n.ends(ctx); err != nil {
		c.r.t.Errorf("%s after SIGTERM: %v; want exit code 0", n.String(), err)
	}
	n.back()
	c.returned(n)
	c.r.t.Logf("%s: restarted in %s", n.String(), time.Since(begun).Round(100*time.Millisecond))
}

// returned sees that all is as before a loss.
func (c *course) returned(n loss) {
	c.r.t.Helper()
	c.load.aim()
	if n.role == "alerting" {
		c.r.alertsHeld()
	}
	c.load.goesOn()
}

// judgeGaps wants every query answered by one querier or the other, but while ClickHouse is away: both read from it.
func (c *course) judgeGaps(t *testing.T) {
	t.Helper()
	if c.load.answers.Load() == 0 {
		t.Error("no query was answered")
	}
	ends := c.r.engineEnds()
	t.Logf("ClickHouse ended %d times", len(ends))
	for _, g := range c.load.gaps {
		if !slices.ContainsFunc(ends, func(at time.Time) bool {
			return g.ended.After(at.Add(-engineDies)) && g.begun.Before(at.Add(engineStarts))
		}) {
			t.Errorf("no querier answered from %s to %s: %v", g.begun.Format(time.StampMilli), g.ended.Format(time.StampMilli), g.err)
		}
	}
}
