package scaleout

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// nobody is no shard.
const nobody = -1

// TestScaleOut takes away one node of each kind and each shard of ClickHouse, as a crash does.
func TestScaleOut(t *testing.T) {
	soak(t, func(c *course) {
		c.load.catchesUp(nobody)
		victims := map[string]int{"writer": c.r.storing()} // of the others any
		for _, n := range c.r.losses() {
			if n.role == storeRole || n.number == victims[n.role] {
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
	r        *region
	load     *load
	absences []absence
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
	switch n.role {
	case "writer":
		c.load.catchesUp(nobody) // the other writer takes over
	case storeRole:
		c.load.answersBut(n.number)
		c.load.catchesUp(n.number)
	}
	away := time.Since(begun)
	n.back()
	if n.role == storeRole {
		c.absences = append(c.absences, absence{n.number, begun, time.Now()})
	}
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

// absence is a time in which a shard's ClickHouse was away by our hand.
type absence struct {
	shard      int
	from, till time.Time
}

// judgeGaps wants every query answered by one querier or the other, but while the tenant's shard of ClickHouse is away: both read from it.
func (c *course) judgeGaps(t *testing.T) {
	t.Helper()
	for shard := range shards {
		if c.load.answers[shard].Load() == 0 {
			t.Errorf("no query of the tenant on shard %d was answered", shard+1)
		}
		for _, at := range c.r.engineEnds(shard) {
			c.absences = append(c.absences, absence{shard, at, at})
		}
	}
	t.Logf("shards of ClickHouse were away %d times", len(c.absences))
	for _, g := range c.load.gaps {
		if !slices.ContainsFunc(c.absences, func(a absence) bool {
			return a.shard == g.shard && g.ended.After(a.from.Add(-engineDies)) && g.begun.Before(a.till.Add(engineStarts))
		}) {
			t.Errorf("no querier answered the tenant on shard %d from %s to %s: %v", g.shard+1, g.begun.Format(time.StampMilli), g.ended.Format(time.StampMilli), g.err)
		}
	}
}
