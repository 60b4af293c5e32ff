package crash

import (
	"context"
	"strings"
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
	n := cycles(t, 4)
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
