package quota_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/ingest/quota"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestAdmitKeepsToBytesAndRows(t *testing.T) {
	for _, c := range []struct {
		name        string
		limits      quota.Limits
		bytes, rows int
		id, words   string
	}{
		{"bytes", quota.Limits{BytesPerSecond: 1000, BytesBurst: 5000}, 1000, 1, "seamark-quota-bytes", "bytes_per_second"},
		{"rows", quota.Limits{RowsPerSecond: 10, RowsBurst: 50}, 100, 10, "seamark-quota-rows", "rows_per_second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			l := w.node(t, "n1", c.limits)
			for i := range 5 {
				if err := l.Admit(prod, seamark.Logs, c.bytes, c.rows); err != nil {
					t.Fatalf("request %d of the burst: %v", i+1, err)
				}
			}
			e := wantRefusal(t, l.Admit(prod, seamark.Logs, c.bytes, c.rows), c.id)
			for _, words := range []string{"The tenant", c.words, "PUT /api/v1/tenants/" + string(tenantA) + "/quotas", "--quota." + strings.ReplaceAll(c.words, "_", "-")} {
				if !strings.Contains(e.Message, words) {
					t.Errorf("the message %q does not say %q", e.Message, words)
				}
			}
			wantRefusal(t, l.Check(prod, seamark.Logs), c.id)
			w.clock.Advance(e.RetryAfter)
			if err := l.Check(prod, seamark.Logs); err != nil {
				t.Errorf("after the time that was told: %v", err)
			}
			other := prod
			other.Tenant = tenantB
			if err := l.Admit(other, seamark.Logs, c.bytes, c.rows); err != nil {
				t.Errorf("another tenant was refused: %v", err)
			}
		})
	}
}

// TestLargeRequestPassesOnce sends more than the burst at once: it is taken, and paid for with waiting.
func TestLargeRequestPassesOnce(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{BytesPerSecond: 1000, BytesBurst: 1000})
	if err := l.Admit(prod, seamark.Logs, 31_000, 1); err != nil {
		t.Fatal(err)
	}
	e := wantRefusal(t, l.Check(prod, seamark.Logs), "seamark-quota-bytes")
	if e.RetryAfter < 30*time.Second || e.RetryAfter > 31*time.Second {
		t.Errorf("got a wait of %s, want 30 s", e.RetryAfter)
	}
}

func TestRefund(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{BytesPerSecond: 1000, BytesBurst: 1000, DailyBytes: 3000})
	for range 20 {
		if err := l.Admit(prod, seamark.Logs, 1000, 1); err != nil {
			t.Fatal(err)
		}
		l.Refund(prod, 1000, 1)
	}
}

// TestClusterLimit bounds one cluster, and its tenant's other cluster goes on.
func TestClusterLimit(t *testing.T) {
	w := newWorld()
	w.setCluster(quota.Limits{RowsPerSecond: 10})
	l := w.node(t, "n1", quota.Limits{RowsPerSecond: 1000})
	if err := l.Admit(prod, seamark.Metrics, 1, 10); err != nil {
		t.Fatal(err)
	}
	e := wantRefusal(t, l.Admit(prod, seamark.Metrics, 1, 1), "seamark-quota-rows")
	if !strings.Contains(e.Message, `The cluster "prod"`) || !strings.Contains(e.Message, "PUT /api/v1/clusters/"+string(clusterA)+"/quotas") {
		t.Errorf("the message %q does not say whose limit it is and who raises it", e.Message)
	}
	other := prod
	other.Cluster = clusterB
	if err := l.Admit(other, seamark.Metrics, 1, 10); err != nil {
		t.Errorf("the other cluster was refused: %v", err)
	}
}

// TestChangedLimitHolds raises and lowers limits: they hold after the next refresh.
func TestChangedLimitHolds(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{RowsPerSecond: 10})
	if err := l.Admit(prod, seamark.Logs, 1, 100); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, l.Check(prod, seamark.Logs), "seamark-quota-rows")
	w.setTenant(quota.Limits{RowsPerSecond: 1000, MaxLineBytes: 77})
	w.clock.Advance(time.Second)
	refresh(t, l)
	w.clock.Advance(100 * time.Millisecond) // what is owed is paid at the new rate
	if err := l.Check(prod, seamark.Logs); err != nil {
		t.Errorf("after the limit was raised: %v", err)
	}
	if got := l.Limits(prod).MaxLineBytes; got != 77 {
		t.Errorf("got a line limit of %d, want the 77 that was set", got)
	}
}

// TestChangeHoldsFromTheNextRequest lowers limits without a refresh in between.
func TestChangeHoldsFromTheNextRequest(t *testing.T) {
	w := newWorld()
	l := w.node(t, "n1", quota.Limits{})
	admit := func() error {
		if err := l.Check(prod, seamark.Logs); err != nil {
			return err
		}
		return l.Admit(prod, seamark.Logs, 1, 100)
	}
	for range 3 {
		if err := admit(); err != nil {
			t.Fatal(err)
		}
	}
	w.setTenant(quota.Limits{MaxLineBytes: 77})
	w.setCluster(quota.Limits{RowsPerSecond: 1})
	if got := l.Limits(prod).MaxLineBytes; got != 77 {
		t.Errorf("got a line limit of %d, want the 77 that was set", got)
	}
	if err := admit(); err != nil {
		t.Errorf("the request that runs into debt: %v", err)
	}
	wantRefusal(t, admit(), "seamark-quota-rows")
	w.setCluster(quota.Limits{})
	if err := admit(); err != nil {
		t.Errorf("after the limit was taken away: %v", err)
	}
}

func TestRequestLimits(t *testing.T) {
	w := newWorld()
	w.setTenant(quota.Limits{MaxLabels: 100, MaxAgeSeconds: 3600})
	w.setCluster(quota.Limits{MaxLabels: 10, MaxAgeSeconds: 7200, MaxAttrs: 5})
	l := w.node(t, "n1", quota.Limits{})
	want := seamark.DefaultLimits()
	want.MaxLabels, want.MaxAge, want.MaxAttrs = 10, time.Hour, 5
	if got := l.Limits(prod); got != want {
		t.Errorf("got %+v, want the cluster's where they are narrower, the tenant's, and the default: %+v", got, want)
	}
	other := prod
	other.Cluster = ""
	want.MaxLabels, want.MaxAttrs = 100, seamark.DefaultLimits().MaxAttrs
	if got := l.Limits(other); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestNodesShareOneLimit floods one node of three, then all: what they take together is the limit, not three times it.
func TestNodesShareOneLimit(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{RowsPerSecond: 1000, RowsBurst: 1000}
	nodes := []*quota.Limiter{w.node(t, "n1", limits), w.node(t, "n2", limits), w.node(t, "n3", limits)}
	taken := make([]int, 3)
	flood := func(which ...int) func() {
		return func() {
			for _, i := range which {
				if nodes[i].Admit(prod, seamark.Logs, 1000, 20) == nil {
					taken[i] += 20
				}
			}
		}
	}
	w.run(t, 10*time.Second, nodes, flood(0))
	clear(taken)
	w.run(t, 20*time.Second, nodes, flood(0))
	if taken[0] < 19_000 || taken[0] > 20_100 {
		t.Errorf("one node with all the demand took %d rows in 20 s, want the whole limit of 20000", taken[0])
	}
	w.run(t, 5*time.Second, nodes, flood(0, 1, 2))
	clear(taken)
	w.run(t, 20*time.Second, nodes, flood(0, 1, 2))
	sum := taken[0] + taken[1] + taken[2]
	if sum < 19_000 || sum > 20_200 {
		t.Errorf("three nodes took %v rows in 20 s, want 20000 together", taken)
	}
	for i, n := range taken {
		if n < 4_000 {
			t.Errorf("node %d took %d rows in 20 s, want about a third of 20000", i, n)
		}
	}
}

// TestDeadNodesPartIsTaken stops a node without a word: within five seconds the other has the whole limit.
func TestDeadNodesPartIsTaken(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{RowsPerSecond: 1000, RowsBurst: 1000}
	one, two := w.node(t, "n1", limits), w.node(t, "n2", limits)
	taken := 0
	flood := func() {
		for _, n := range []*quota.Limiter{one, two} {
			if n.Admit(prod, seamark.Logs, 1, 10) == nil {
				taken += 10
			}
		}
	}
	w.run(t, 10*time.Second, []*quota.Limiter{one, two}, flood)
	alone := func() {
		if one.Admit(prod, seamark.Logs, 1, 20) == nil {
			taken += 20
		}
	}
	w.run(t, 6*time.Second, []*quota.Limiter{one}, alone)
	taken = 0
	w.run(t, 10*time.Second, []*quota.Limiter{one}, alone)
	if taken < 9_800 || taken > 10_200 {
		t.Errorf("the node that is left took %d rows in 10 s, want 10000", taken)
	}
}

// TestClosedNodesPartIsTaken stops a node in order: the other has the whole limit after its next refresh but one.
func TestClosedNodesPartIsTaken(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{RowsPerSecond: 1000, RowsBurst: 1000}
	one, two := w.node(t, "n1", limits), w.node(t, "n2", limits)
	w.run(t, 5*time.Second, []*quota.Limiter{one, two}, func() {
		_, _ = one.Admit(prod, seamark.Logs, 1, 10), two.Admit(prod, seamark.Logs, 1, 10)
	})
	if err := two.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken := 0
	alone := func() {
		if one.Admit(prod, seamark.Logs, 1, 20) == nil {
			taken += 20
		}
	}
	w.run(t, 2*time.Second, []*quota.Limiter{one}, alone)
	taken = 0
	w.run(t, 5*time.Second, []*quota.Limiter{one}, alone)
	if taken < 4_900 || taken > 5_100 {
		t.Errorf("the node that is left took %d rows in 5 s, want 5000", taken)
	}
}

// TestRestartedNodeHasItsPartAtOnce kills the only node and starts it again.
func TestRestartedNodeHasItsPartAtOnce(t *testing.T) {
	w := newWorld()
	limits := quota.Limits{RowsPerSecond: 1000, RowsBurst: 1000}
	first := w.node(t, "n1", limits)
	w.run(t, 3*time.Second, []*quota.Limiter{first}, func() { _ = first.Admit(prod, seamark.Logs, 1, 20) })
	again := w.node(t, "n1", limits)
	if err := again.Admit(prod, seamark.Logs, 1, 999); err != nil {
		t.Fatal(err)
	}
	if err := again.Check(prod, seamark.Logs); err != nil {
		t.Errorf("the whole limit is not the only node's: %v", err)
	}
}

// TestStoreAway makes the documents unreachable: the node goes on with the part it had.
func TestStoreAway(t *testing.T) {
	w := newWorld()
	docs := newMemory[quota.Presence]()
	w.presence = docs
	l := w.node(t, "n1", quota.Limits{RowsPerSecond: 1000})
	docs.fail(errors.New("no answer"))
	if err := l.Refresh(t.Context()); err == nil {
		t.Fatal("the refresh did not tell that it failed")
	}
	if err := l.Admit(prod, seamark.Logs, 1, 1000); err != nil {
		t.Errorf("refused while the documents are away: %v", err)
	}
	wantRefusal(t, l.Check(prod, seamark.Logs), "seamark-quota-rows")
	docs.fail(nil)
	refresh(t, l)
}

// TestBucketMadeAnew loses all documents under running nodes: they find new slots and share again.
func TestBucketMadeAnew(t *testing.T) {
	w := newWorld()
	docs := newMemory[quota.Presence]()
	w.presence = docs
	limits := quota.Limits{RowsPerSecond: 1000, RowsBurst: 1000}
	nodes := []*quota.Limiter{w.node(t, "n1", limits), w.node(t, "n2", limits), w.node(t, "n3", limits)}
	docs.wipe()
	for range 4 {
		w.clock.Advance(time.Second)
		for _, n := range nodes {
			_ = n.Refresh(t.Context()) // those that had a slot learn first that it is gone
		}
	}
	taken := 0
	flood := func() {
		for _, n := range nodes {
			if n.Admit(prod, seamark.Logs, 1, 20) == nil {
				taken += 20
			}
		}
	}
	w.run(t, 5*time.Second, nodes, flood)
	taken = 0
	w.run(t, 10*time.Second, nodes, flood)
	if taken < 9_500 || taken > 10_200 {
		t.Errorf("three nodes took %d rows in 10 s, want 10000 together", taken)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := quota.Options{
		Node: "n", Presence: newMemory[quota.Presence](), Usage: newMemory[quota.Usage](), Now: time.Now,
		Set:    func(seamark.TenantID, seamark.ClusterID) (a, b quota.Limits) { return a, b },
		Logger: slog.New(slog.DiscardHandler),
	}
	for name, change := range map[string]func(*quota.Options){
		"no node":          func(o *quota.Options) { o.Node = "" },
		"no documents":     func(o *quota.Options) { o.Presence = nil },
		"no clock":         func(o *quota.Options) { o.Now = nil },
		"slow refresh":     func(o *quota.Options) { o.Refresh = 3 * time.Second },
		"negative default": func(o *quota.Options) { o.Defaults.RowsPerSecond = -1 },
	} {
		o := good
		o.Registerer = prometheus.NewRegistry()
		change(&o)
		if _, err := quota.New(t.Context(), o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
