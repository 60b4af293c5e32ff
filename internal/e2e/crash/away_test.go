package crash

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// awayFor is ten minutes at a scale of 1:40. What the scale leaves out is the insert's own time-out, which a refused
// connection never meets; TestEngineFrozen meets it where there is time for it.
const awayFor = 15 * time.Second

// outside is a server with an engine of its own beside it.
type outside struct {
	engine *harness.Engine
	server *harness.Server
	fleet  *fleet
}

// newOutside starts them; the server's data folder is dir.
func newOutside(t *testing.T, dir string, flags ...string) *outside {
	t.Helper()
	rnd := testkit.Seed(t)
	o := &outside{engine: harness.StartEngine(t, t.TempDir())}
	o.server = harness.Serve(t, dir, append(append([]string{"serve"}, o.engine.Flags()...), flags...)...)
	admin := o.server.Admin(t)
	o.fleet = newFleet(t, rnd, harness.NewAccount(admin, "one"), harness.NewAccount(admin, "two"))
	o.fleet.start(o.server)
	return o
}

// settle ends the load and holds what is stored against the ledger.
func (o *outside) settle(t *testing.T) {
	t.Helper()
	o.fleet.end()
	o.fleet.check(o.server)
	o.fleet.inspect(o.engine)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := o.server.Terminate(ctx); err != nil {
		t.Errorf("the server did not stop in order: %v", err)
	}
}

// takeEngine kills the engine and keeps its supervisor from starting it again, until the returned function is called.
func (o *outside) takeEngine(t *testing.T) (giveBack func()) {
	t.Helper()
	pid := childOf(t, o.engine.Pid())
	testkit.Freeze(t, o.engine.Pid())
	signalTo(t, pid, syscall.SIGKILL)
	return func() { signalTo(t, o.engine.Pid(), syscall.SIGCONT) }
}

// TestEngineAway takes ClickHouse away under load. Ingest answers as before, the queue takes it all, and the store catches
// up by itself, faster than rows come in.
func TestEngineAway(t *testing.T) {
	t.Parallel()
	o := newOutside(t, t.TempDir())
	o.fleet.pushes(100)
	n := cycles(t, 1)
	var first *catchUp
	for i := range n {
		away := awayFor
		if i > 0 {
			away /= 5 // the first time is the long one
		}
		giveBack := o.takeEngine(t)
		o.fleet.watch.restart()
		before, began := o.fleet.pushed.Load(), time.Now()
		o.fleet.during(away)
		seen := o.fleet.watch.snapshot()
		seen.only(t, http.StatusOK, http.StatusNoContent)
		c := &catchUp{Away: time.Since(began).Seconds(), Behind: (o.fleet.pushed.Load() - before) * batchRows}
		giveBack()
		o.await(t, c)
		if first == nil {
			first = c
			t.Logf("answers while away: %s", seen)
		}
	}
	o.settle(t)
	o.fleet.verdict(n, map[string]any{"catch_up": first})
}

// catchUp is how the store came back. Rates are rows per second; the store's is counted from its first row on.
type catchUp struct {
	Away    float64 `json:"away_seconds"`
	Behind  int64   `json:"rows_behind"`
	Resumed float64 `json:"resumed_after_seconds"`
	Took    float64 `json:"caught_up_after_seconds"`
	Arrive  float64 `json:"arriving_per_second"`
	Stored  float64 `json:"stored_per_second"`
}

// await waits until all that was acknowledged while the engine was away is stored.
func (o *outside) await(t *testing.T, c *catchUp) {
	t.Helper()
	conn := openEngine(t, o.engine)
	defer func() { _ = conn.Close() }()
	want, begin := o.fleet.pushed.Load()*batchRows, time.Now()
	var start, now int64
	var resumed time.Time
	testkit.Eventually(t, time.Minute, func() error {
		n, err := o.fleet.rows(conn)
		switch {
		case err != nil:
			return err
		case start == 0:
			start = n
		case resumed.IsZero() && n > start:
			resumed = time.Now()
			c.Resumed = resumed.Sub(begin).Seconds()
		}
		if now = n; now < want {
			return fmt.Errorf("%d of %d rows are stored", now, want)
		}
		return nil
	})
	c.Took = time.Since(begin).Seconds()
	c.Arrive = float64(c.Behind) / c.Away
	c.Stored = float64(now-start) / max(c.Took-c.Resumed, 0.1) // a poll's pause at least
	if c.Stored < 2*c.Arrive {
		t.Errorf("%+v; want the store to catch up at twice the rate of what arrives", c)
	}
}

// TestEngineFrozen stops ClickHouse without ending it: connections stay and nothing is answered. In long runs it stays
// frozen past the insert's time-out of a minute, so that inserts end in doubt while the engine still holds them.
func TestEngineFrozen(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	r.fleet.pushes(100)
	n := cycles(t, 1)
	for i := range n {
		frozen := awayFor / 3
		if i == 0 && n >= 20 {
			frozen = 75 * time.Second
		}
		pid := childOf(t, r.server.Pid())
		testkit.Freeze(t, pid)
		r.fleet.watch.restart()
		r.fleet.during(frozen)
		r.fleet.watch.snapshot().only(t, http.StatusOK, http.StatusNoContent)
		signalTo(t, pid, syscall.SIGCONT)
		r.waitStored()
	}
	r.settle()
	r.fleet.verdict(n, nil)
}

// during keeps the load on for a while, which must not stand still meanwhile.
func (f *fleet) during(d time.Duration) {
	f.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		f.pushes(20)
	}
}
