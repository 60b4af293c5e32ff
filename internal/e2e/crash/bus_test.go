package crash

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestBusRestart kills an outside NATS under load, again and again. What it had acknowledged is on its disk; what was on
// its way is answered with 503, or not at all, and repeated.
func TestBusRestart(t *testing.T) {
	t.Parallel()
	rnd, dir := testkit.Seed(t), t.TempDir()
	nats, engine := harness.StartNATS(t, dir), harness.StartEngine(t, t.TempDir())
	address := newRelay(t, hostOf(nats.URL))
	flags := append([]string{"serve", "--nats.url", "nats://" + address.addr()}, engine.Flags()...)
	server := harness.Serve(t, t.TempDir(), flags...)
	admin := func(out any, args ...string) {
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", nats.URL)...)
	}
	f := newFleet(t, rnd, harness.NewAccount(admin, "one"), harness.NewAccount(admin, "two"))
	f.start(server)
	n := cycles(t, 2)
	var slowest time.Duration
	for range n {
		f.pushes(int64(20 + rnd.IntN(200)))
		nats.Kill()
		killed := time.Now()
		nats = harness.StartNATS(t, dir)
		address.aim(hostOf(nats.URL))
		f.pushes(1)
		slowest = max(slowest, time.Since(killed))
	}
	f.pushes(50)
	f.end()
	f.check(server)
	f.inspect(engine)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Terminate(ctx); err != nil {
		t.Errorf("the server did not stop in order: %v", err)
	}
	f.verdict(n, map[string]any{"slowest_return_seconds": slowest.Seconds()})
}

func hostOf(url string) string { return strings.TrimPrefix(url, "nats://") }

// TestBusFrozen stops an outside NATS without ending it, while many senders push at once. Each is told to come back within
// twice the acknowledgement's time-out, however many wait; nothing is lost or stored twice when the server goes on and
// takes what had reached its socket before.
func TestBusFrozen(t *testing.T) {
	t.Parallel()
	rnd := testkit.Seed(t)
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	server := harness.Serve(t, t.TempDir(), append([]string{"serve", "--bus.shards", "1", "--nats.url", bus.URL}, engine.Flags()...)...)
	admin := func(out any, args ...string) {
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", bus.URL)...)
	}
	const crowd = 10
	var accounts []*harness.Account
	for i := range crowd {
		accounts = append(accounts, harness.NewAccount(admin, "crowd-"+strconv.Itoa(i)))
	}
	f := newFleet(t, rnd, accounts...)
	f.start(server)
	n := cycles(t, 1)
	for range n {
		f.pushes(10 * crowd)
		testkit.Freeze(t, bus.Pid())
		f.watch.restart()
		testkit.Eventually(t, 2*time.Minute, func() error {
			if seen := f.watch.snapshot(); seen[http.StatusServiceUnavailable].count() < 4*crowd {
				return fmt.Errorf("answers %s; want refusals", seen)
			}
			return nil
		})
		seen := f.watch.snapshot()
		t.Logf("answers while the bus is frozen: %s", seen)
		if slowest := seen[http.StatusServiceUnavailable].slowest; slowest > 2*acknowledged+2*time.Second || seen[0].count() > 0 {
			t.Errorf("answers %s; want each within twice the acknowledgement's time-out of %s", seen, acknowledged)
		}
		signalTo(t, bus.Pid(), syscall.SIGCONT)
	}
	f.pushes(10 * crowd)
	f.end()
	f.inspect(engine)
	f.verdict(n, nil)
}

func signalTo(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}
