// Package scaleout runs Seamark as a region does, on one machine: three NATS servers that replicate everything three times, two shards of
// ClickHouse with a tenant on each, and two of each role. It takes every node away and brings it back, one at a time, under load, and
// counts what was acknowledged.
package scaleout

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	replicas = 3 // of NATS
	each     = 2 // of each role
	shards   = 2 // of ClickHouse, each with a tenant
	// alertingShards is how many parts the tenants' alerts are divided into.
	alertingShards = 32
	// within bounds what a node's loss or return may take on a machine that is shared.
	within = 90 * time.Second
)

// roles that store and read.
var roles = []string{"ingest", "writer", "querier", "alerting"}

// node is a process of a role, which keeps its folder over its restarts.
type node struct {
	*harness.Server
	role, folder string
}

// region is the whole installation.
type region struct {
	t        *testing.T
	nats     *harness.NATSCluster
	engines  []*harness.Engine // of the shards
	flags    []string
	nodes    map[string][]*node
	accounts []*harness.Account // one on each shard
}

func newRegion(t *testing.T) *region {
	t.Helper()
	r := &region{t: t, nats: harness.StartNATSCluster(t, replicas), engines: harness.StartShards(t, shards), nodes: map[string][]*node{}}
	r.natsHealthy()
	r.flags = append([]string{"--nats.url", r.nats.URL(), "--nats.replicas", fmt.Sprint(replicas), "--bus.shards", "2"}, harness.ShardFlags(r.engines)...)
	var all []*node
	for _, role := range roles {
		for range each {
			n := &node{role: role, folder: t.TempDir()}
			all, r.nodes[role] = append(all, n), append(r.nodes[role], n)
		}
	}
	r.start(all...) // whoever is first makes the streams and buckets
	admin := func(out any, args ...string) {
		t.Helper()
		harness.Admin(t, t.TempDir(), out, append(args, "--nats.url", r.nats.URL(), "--nats.replicas", fmt.Sprint(replicas))...)
	}
	for i := range shards {
		account := harness.NewAccount(admin, fmt.Sprintf("tenant-%d", i+1))
		if account.Shard != i+1 {
			t.Fatalf("%s is on shard %d of ClickHouse, want %d, which has the fewest tenants", account.Slug, account.Shard, i+1)
		}
		r.accounts = append(r.accounts, account)
	}
	return r
}

// start starts nodes on their folders, all at once, and waits until they are ready.
func (r *region) start(nodes ...*node) {
	r.t.Helper()
	launched := make([]*harness.Launched, len(nodes))
	for i, n := range nodes {
		launched[i] = harness.Launch(r.t, n.folder, append([]string{n.role}, r.flags...)...)
	}
	for i, n := range nodes {
		if err := launched[i].WaitReady(within); err != nil {
			r.t.Fatalf("%s: %v", n.role, err)
		}
		n.Server = &launched[i].Server
	}
}

func (r *region) natsHealthy() {
	r.t.Helper()
	testkit.Eventually(r.t, within, func() error { return r.nats.Healthy(r.t.Context()) })
}

// loss is the way that one node goes and comes back.
type loss struct {
	role       string
	number     int // among those of its role
	kill, back func()
	ends       func(ctx context.Context) error // in order; nil where only kill is known
}

// String names the node.
func (l *loss) String() string { return fmt.Sprintf("%s-%d", l.role, l.number) }

// losses lists every node, kind by kind.
func (r *region) losses() (list []loss) {
	for i := range replicas {
		list = append(list, loss{
			role: "nats", number: i, kill: func() { r.nats.Node(i).Kill() }, back: func() { r.nats.Restart(i); r.natsHealthy() },
			ends: func(ctx context.Context) error { return r.nats.Node(i).Terminate(ctx) },
		})
	}
	for _, role := range roles {
		for i, n := range r.nodes[role] {
			list = append(list, loss{
				role: role, number: i, kill: func() { n.Kill() }, back: func() { r.start(n) },
				ends: func(ctx context.Context) error { return n.Terminate(ctx) },
			})
		}
	}
	for i := range r.engines {
		list = append(list, loss{role: storeRole, number: i, kill: func() { r.killEngine(i) }, back: func() { r.engineBack(i) }})
	}
	return list
}

// storeRole is the role of losses that are a shard's: everything of its tenant is away then, and nothing of another's.
const storeRole = "clickhouse"

// killEngine kills a shard's ClickHouse. What looks after it, and would start it again, stands still until it is to be back.
func (r *region) killEngine(shard int) {
	r.t.Helper()
	pid, err := harness.EngineOf(r.engines[shard].Pid())
	if err != nil {
		r.t.Fatal(err)
	}
	testkit.Freeze(r.t, r.engines[shard].Pid())
	r.signal(pid, syscall.SIGKILL)
}

func (r *region) signal(pid int, s syscall.Signal) {
	r.t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		r.t.Fatal(err)
	}
}

const (
	// engineDies is how long an engine that ends by itself says why before it is gone; it answers nothing meanwhile.
	engineDies = 10 * time.Second
	// engineStarts is until it answers again.
	engineStarts = 10 * time.Second
)

// engineEnds reads from the log of what looks after a shard's ClickHouse when it ended. Beside our own kills that can be the kill of one of its
// clients: the embedded engine, which stands in for a server here, ends when a connection is reset (engine.DialClickHouse).
func (r *region) engineEnds(shard int) (ends []time.Time) {
	r.t.Helper()
	for line := range strings.Lines(r.engines[shard].Log()) {
		if !strings.Contains(line, "ClickHouse engine ended") {
			continue
		}
		const form = "2006/01/02 15:04:05"
		at, err := time.ParseInLocation(form, line[:len(form)], time.Local)
		if err != nil {
			r.t.Fatal(err)
		}
		ends = append(ends, at)
	}
	return ends
}

// engineBack has a shard's ClickHouse started again, and waits until it answers.
func (r *region) engineBack(shard int) {
	r.t.Helper()
	r.signal(r.engines[shard].Pid(), syscall.SIGCONT)
	testkit.Eventually(r.t, within, func() error {
		a, err := harness.Do(r.t.Context(), http.DefaultClient, &harness.Request{Method: http.MethodGet, URL: "http://" + r.engines[shard].HTTP + "/ping"})
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("status %d", a.Status)
		}
		return err
	})
}

// storing returns the number of the writer that has stored most lines: the one whose end has to be noticed.
func (r *region) storing() int {
	r.t.Helper()
	busiest, most := -1, 0.0
	for i, n := range r.nodes["writer"] {
		rows, err := n.Metric(r.t.Context(), "seamark_writer_rows_total", `signal="logs"`)
		if err != nil {
			r.t.Fatal(err)
		}
		if rows > most {
			busiest, most = i, rows
		}
	}
	if busiest < 0 {
		r.t.Fatal("no writer has stored a line")
	}
	return busiest
}

// alertsHeld waits until the alerting nodes that run hold all parts of the tenants together.
func (r *region) alertsHeld() {
	r.t.Helper()
	testkit.Eventually(r.t, within, func() error {
		sum := 0.0
		for _, n := range r.nodes["alerting"] {
			held, err := n.Metric(r.t.Context(), "seamark_alerting_shards", "")
			if err == nil { // one that is away holds none
				sum += held
			}
		}
		if sum != alertingShards {
			return fmt.Errorf("the alerting nodes hold %v of %d parts", sum, alertingShards)
		}
		return nil
	})
}
