package overload

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

const (
	ingestNodes = 3
	liveTokens  = 50 // that push at any time
	// loadPause is between the pushes of one token to one node, and probePause while the token is about to be revoked: the
	// figures are as fine as that.
	loadPause  = 500 * time.Millisecond
	probePause = 5 * time.Millisecond
	// maxRevocation is the promise for 99 of 100 revocations, and maxRevocationShared what no revocation may take on a machine
	// that is shared.
	maxRevocation       = 250 * time.Millisecond
	maxRevocationShared = time.Second
)

func revocations() int {
	if full() {
		return 200
	}
	return 60
}

// fleet is several ingest nodes on one bus, and the directory that all of them watch.
type fleet struct {
	t         *testing.T
	nodes     []*harness.Server
	directory *tenant.Directory
	tenant    seamark.TenantID
	client    *http.Client
	sent      atomic.Int64
	accepted  atomic.Int64
	odd       sync.Map // answers that are neither taken nor refused, with their first text
}

func newFleet(t *testing.T) *fleet {
	bus, engine := harness.StartNATS(t, t.TempDir()), harness.StartEngine(t, t.TempDir())
	f := &fleet{t: t, client: newClient(t, ingestNodes*liveTokens)}
	for range ingestNodes {
		f.nodes = append(f.nodes, harness.Serve(t, t.TempDir(), append([]string{"ingest", "--nats.url", bus.URL}, engine.Flags()...)...))
	}
	nc, err := nats.Connect(bus.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if f.directory, err = tenant.Open(t.Context(), tenant.Options{JS: js, Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.directory.Close(context.WithoutCancel(t.Context())) })
	made, err := f.directory.CreateTenant(t.Context(), tenant.TenantSpec{Slug: "fleet", Name: "Fleet"})
	if err != nil {
		t.Fatal(err)
	}
	f.tenant = made.ID
	return f
}

// makeTokens makes n tokens, two to a cluster, which is as many as one may have, and waits until every node knows the last.
func (f *fleet) makeTokens(n int) []*token {
	f.t.Helper()
	var list []*token
	var cluster tenant.Cluster
	for i := range n {
		var err error
		if i%2 == 0 {
			if cluster, err = f.directory.CreateCluster(f.t.Context(), f.tenant, tenant.ClusterSpec{Name: "c" + strconv.Itoa(i)}); err != nil {
				f.t.Fatal(err)
			}
		}
		made, secret, err := f.directory.CreateToken(f.t.Context(), f.tenant, tenant.TokenSpec{Kind: seamark.IngestToken, Name: "t" + strconv.Itoa(i), Cluster: cluster.ID})
		if err != nil {
			f.t.Fatal(err)
		}
		one := &token{keyID: made.KeyID, secret: secret, probed: make(chan struct{})}
		one.lanes = make([]lane, ingestNodes)
		list = append(list, one)
	}
	for _, node := range f.nodes {
		testkit.Eventually(f.t, time.Minute, func() error {
			answer, err := pushLines(f.client, node.URL, list[n-1].secret, lines("warm", node.URL, 1))
			if err == nil && answer.Status != http.StatusNoContent {
				err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
			}
			return err
		})
	}
	return list
}

// token is a token under load.
type token struct {
	keyID, secret string
	probed        chan struct{} // closed when its lanes are to push as often as they can
	lanes         []lane
	wait          sync.WaitGroup
}

// lane is one token's pushes to one node.
type lane struct {
	probes               atomic.Int64 // pushes that were answered since the token is probed
	lastBegun, lastTaken time.Time    // begin and end of the last push that was taken
	refused              time.Time    // end of the first that was not
	again                int          // pushes that were taken after one was refused
}

// start begins to push with a token to every node, until it is refused there.
func (f *fleet) start(ctx context.Context, one *token) {
	for i := range one.lanes {
		one.wait.Go(func() { f.drive(ctx, one, i) })
	}
}

// drive pushes to one node until the token is refused, and a few times more: a refusal must be the end.
func (f *fleet) drive(ctx context.Context, one *token, node int) {
	const more = 5
	l := &one.lanes[node]
	for n, refused := 0, 0; refused <= more && ctx.Err() == nil; n++ {
		begin := time.Now()
		answer, err := pushLines(f.client, f.nodes[node].URL, one.secret, lines("load", one.keyID+"-"+strconv.Itoa(node)+"-"+strconv.Itoa(n), 5))
		end := time.Now()
		f.sent.Add(1)
		switch {
		case err != nil:
			f.odd.Store("no answer", err.Error())
		case answer.Status == http.StatusNoContent:
			f.accepted.Add(1)
			l.lastBegun, l.lastTaken = begin, end
			if refused > 0 {
				l.again++
			}
		case answer.Status == http.StatusUnauthorized:
			if refused == 0 {
				l.refused = end
			}
			refused++
		default:
			f.odd.Store(answer.Status, string(answer.Body))
		}
		pause := loadPause
		select {
		case <-one.probed:
			l.probes.Add(1)
			pause = probePause
		default:
		}
		select {
		case <-time.After(pause):
		case <-onlyOnce(one.probed, pause):
		case <-ctx.Done():
		}
	}
}

// onlyOnce wakes a lane that rests between two pushes of normal load when its token begins to be probed.
func onlyOnce(probed chan struct{}, pause time.Duration) chan struct{} {
	if pause == probePause {
		return nil
	}
	return probed
}

// figures are what revocations took on each node from their acknowledgement on, and what the acknowledgement took.
type figures struct{ begun, taken, refused, call []time.Duration }

// revoke ends a token while it is pushed with, and measures until when each node has taken its pushes.
func (f *fleet) revoke(one *token, all *figures) {
	f.t.Helper()
	close(one.probed)
	testkit.Eventually(f.t, time.Minute, func() error {
		for i := range one.lanes {
			if one.lanes[i].probes.Load() < 3 {
				return fmt.Errorf("node %d is not probed yet", i)
			}
		}
		return nil
	})
	asked := time.Now()
	if err := f.directory.RevokeToken(f.t.Context(), f.tenant, one.keyID); err != nil {
		f.t.Fatal(err)
	}
	acked := time.Now()
	all.call = append(all.call, acked.Sub(asked))
	one.wait.Wait()
	for i := range one.lanes {
		l := &one.lanes[i]
		all.begun = append(all.begun, max(0, l.lastBegun.Sub(acked)))
		all.taken = append(all.taken, max(0, l.lastTaken.Sub(acked)))
		all.refused = append(all.refused, max(0, l.refused.Sub(acked)))
		if l.again > 0 {
			f.t.Errorf("node %d took %d pushes after it had refused one", i, l.again)
		}
	}
}

// TestRevokedTokenUnderLoad revokes one token after the other while all of them push to every node.
func TestRevokedTokenUnderLoad(t *testing.T) {
	f := newFleet(t)
	n := revocations()
	tokens := f.makeTokens(liveTokens + n)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begin := time.Now()
	for _, one := range tokens[:liveTokens] {
		f.start(ctx, one)
	}
	var all figures
	for i := range n {
		f.revoke(tokens[i], &all)
		f.start(ctx, tokens[liveTokens+i]) // so that as many push as before
	}
	took := time.Since(begin)
	cancel()
	for _, one := range tokens[n:] {
		one.wait.Wait()
	}
	f.odd.Range(func(status, text any) bool {
		t.Errorf("an answer was %v: %v", status, text)
		return true
	})
	begun, taken, refused := distributionOf(all.begun), distributionOf(all.taken), distributionOf(all.refused)
	verdict(t, map[string]any{
		"test": t.Name(), "nodes": ingestNodes, "tokens": liveTokens, "revocations": n, "pushes_per_second": float64(f.sent.Load()) / took.Seconds(),
		"last_taken_push_sent_ms": begun, "last_taken_push_answered_ms": taken, "first_refusal_ms": refused,
		"acknowledged_ms": distributionOf(all.call),
		"promise_p99_ms":  maxRevocation.Milliseconds(), "kept": begun.P99 <= float64(maxRevocation.Milliseconds()),
	})
	// What was on its way when the token ended may finish, however long the disk takes: a push counts by when it was sent.
	if begun.Max > float64(maxRevocationShared.Milliseconds()) {
		t.Errorf("a node took a push that was sent %.0f ms after its token's revocation was acknowledged; at most %s is fine anywhere", begun.Max, maxRevocationShared)
	}
	if full() && begun.P99 > float64(maxRevocation.Milliseconds()) {
		t.Errorf("99 of 100 revocations hold after %.0f ms; the promise is %s", begun.P99, maxRevocation)
	}
}
