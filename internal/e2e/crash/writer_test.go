package crash

import (
	"context"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestKillWriter kills the writer's process while the engine lives on: what the engine has received of an insert at that
// moment may be nothing, a part, or everything without an answer. Two writers share the shards, so that the survivor of
// one and the successor of the other both meet open intents.
func TestKillWriter(t *testing.T) {
	t.Parallel()
	rnd := testkit.Seed(t)
	nats, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	flags := append([]string{"--nats.url", nats.URL, "--bus.shards", "1"}, engine.Flags()...) // one shard has many inserts: counts of patterns wait
	ingest := harness.Serve(t, t.TempDir(), append([]string{"ingest"}, flags...)...)
	admin := func(out any, args ...string) {
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", nats.URL)...)
	}
	f := newFleet(t, rnd, harness.NewAccount(admin, "one"), harness.NewAccount(admin, "two"))

	dirs := []string{t.TempDir(), t.TempDir()}
	writers := make([]*harness.Server, len(dirs))
	start := func(i int) {
		writers[i] = harness.Serve(t, dirs[i], append([]string{"writer", "--writer.max-batch-age", "20ms", "--writer.max-counts-age", "1s"}, flags...)...)
	}
	for i := range writers {
		start(i)
	}
	f.start(ingest)
	n := 2 * cycles(t, 2)
	for range n {
		f.pushes(int64(1 + rnd.IntN(60)))
		i := rnd.IntN(len(writers))
		writers[i].Kill()
		start(i)
	}
	f.pushes(10)
	f.end()
	f.inspect(engine)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, w := range append(writers, ingest) {
		if err := w.Terminate(ctx); err != nil {
			t.Errorf("a role did not stop in order: %v", err)
		}
	}
	f.verdict(n, nil)
}
