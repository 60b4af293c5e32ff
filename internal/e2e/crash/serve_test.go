package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// rig is one data folder that servers come and go on, under load.
type rig struct {
	t      *testing.T
	rnd    *rand.Rand
	dir    string
	flags  []string
	server *harness.Server
	fleet  *fleet
}

// rigOptions are what differs between rigs.
type rigOptions struct {
	dir   string // "" makes one
	flags []string
	loses float64 // share of answers that get lost on their way

	accounts int // tenants that push; 0 for two
}

func newRig(t *testing.T, o rigOptions) *rig {
	t.Helper()
	r := &rig{t: t, rnd: testkit.Seed(t), dir: o.dir, flags: o.flags}
	if r.dir == "" {
		r.dir = t.TempDir()
	}
	r.server = harness.Serve(t, r.dir, append([]string{"serve"}, r.flags...)...)
	admin := r.server.Admin(t)
	accounts := make([]*harness.Account, max(o.accounts, 2))
	for i := range accounts {
		accounts[i] = harness.NewAccount(admin, fmt.Sprint("account-", i+1))
	}
	r.fleet = newFleet(t, r.rnd, accounts...)
	if o.loses > 0 {
		r.fleet.proxy = newProxy(t, r.rnd, o.loses)
	}
	r.fleet.start(r.server)
	return r
}

// restart starts a server on the same folder and points the load to it.
func (r *rig) restart() {
	r.t.Helper()
	r.server = harness.Serve(r.t, r.dir, append([]string{"serve"}, r.flags...)...)
	r.fleet.aim(r.server)
}

// restartUnder is restart with the server as the last arguments of a command.
func (r *rig) restartUnder(command ...string) {
	r.t.Helper()
	s := harness.LaunchUnder(r.t, command, r.dir, append([]string{"serve"}, r.flags...)...)
	if err := s.WaitReady(2 * time.Minute); err != nil {
		r.t.Fatal(err)
	}
	r.server = &s.Server
	r.fleet.aim(r.server)
}

// some is a number of acknowledgements after which the next crash comes.
func (r *rig) some() int64 { return int64(5 + r.rnd.IntN(150)) }

// settle ends the load and holds what is stored against the ledger: through the API, then in the tables themselves.
func (r *rig) settle() {
	r.t.Helper()
	r.fleet.end()
	r.fleet.check(r.server)
	r.waitQueue()
	r.waitCounts()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.server.Terminate(ctx); err != nil {
		r.t.Errorf("the server did not stop in order: %v", err)
	}
	r.fleet.inspect(harness.StartEngine(r.t, filepath.Join(r.dir, "clickhouse")))
}

// TestKillServer kills everything at once: ingest, queue, writer and engine.
func TestKillServer(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	n := cycles(t, 2)
	for range n {
		r.fleet.pushes(r.some())
		r.server.Kill()
		r.restart()
	}
	r.fleet.pushes(10)
	r.settle()
	r.fleet.verdict(n, nil)
}

// TestKillEngine kills ClickHouse alone. The server starts it again, and ingest goes on meanwhile.
func TestKillEngine(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	n := cycles(t, 2)
	for i := range n {
		r.fleet.pushes(r.some())
		if i%2 == 0 {
			r.waitStored() // else the engine may die while it starts
		}
		pid := childOf(t, r.server.Pid())
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, time.Minute, func() error {
			if now, err := harness.EngineOf(r.server.Pid()); err != nil || now == pid {
				return fmt.Errorf("engine %d has no successor: %w", pid, err)
			}
			return nil
		})
	}
	r.fleet.pushes(10)
	r.settle()
	r.fleet.verdict(n, nil)
}

// waitQueue waits until the writer has nothing left to store. A server that stops leaves what waits for the next one.
func (r *rig) waitQueue() {
	r.t.Helper()
	testkit.Eventually(r.t, 2*time.Minute, func() error {
		n, err := r.server.Metric(context.Background(), "seamark_writer_queue_messages", "")
		if err == nil && n > 0 {
			err = fmt.Errorf("%.0f messages wait to be stored", n)
		}
		return err
	})
}

// waitCounts waits until all lines are counted by their patterns.
func (r *rig) waitCounts() {
	r.t.Helper()
	testkit.Eventually(r.t, 2*time.Minute, func() error {
		n, err := r.server.Metric(context.Background(), "seamark_writer_late_messages", "")
		if err == nil && n > 0 {
			err = fmt.Errorf("the counts of %.0f messages wait to be stored", n)
		}
		return err
	})
}

// waitStored waits until the writer has stored a batch more than now.
func (r *rig) waitStored() {
	r.t.Helper()
	batches := func() float64 {
		n, err := r.server.Metric(context.Background(), "seamark_writer_batches_total", "")
		if err != nil {
			r.t.Fatal(err)
		}
		return n
	}
	before := batches()
	testkit.Eventually(r.t, time.Minute, func() error {
		if now := batches(); now <= before {
			return fmt.Errorf("the writer stands at %.0f batches", now)
		}
		return nil
	})
}

// TestKillAtStep kills the server at each step of the writer's protocol, also while it recovers from the kill before.
func TestKillAtStep(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{})
	r.killAt("before-intent", "after-intent", "between-inserts", "before-checkpoint", "after-checkpoint")
}

// TestKillBeforeCounts does the same where counts of patterns come after their lines: batches are crowded, because they are many.
func TestKillBeforeCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t, rigOptions{flags: []string{"--bus.shards", "1", "--writer.max-batch-age", "20ms", "--writer.max-counts-age", "1s"}, accounts: 4})
	r.killAt("after-intent", "counts-before-intent", "counts-after-intent", "counts-between-inserts", "counts-before-checkpoint")
}

// killAt kills the server at each of some steps, and gives the verdict.
func (r *rig) killAt(steps ...string) {
	r.t.Helper()
	n := cycles(r.t, 1)
	r.server.Kill()
	for range n {
		for _, step := range steps {
			at := 1 + r.rnd.IntN(4)
			s := harness.Launch(r.t, r.dir, slices.Concat([]string{"serve", "--debug.failpoint", fmt.Sprintf("%s:%d", step, at)}, r.flags)...)
			if err := s.WaitReady(time.Minute); err == nil { // else it died before, which is as good
				r.fleet.aim(&s.Server)
			}
			select {
			case <-s.Done():
			case <-time.After(time.Minute):
				r.t.Fatalf("the server passed %s fewer than %d times", step, at)
			}
		}
	}
	r.restart()
	r.fleet.pushes(10)
	r.settle()
	r.fleet.verdict(n*len(steps), nil)
}

// childOf returns the pid of a server's engine.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	pid, err := harness.EngineOf(parent)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
