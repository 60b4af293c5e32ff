package bus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const (
	testShards  = 12
	shardsTTL   = time.Second
	shardsLimit = time.Minute // of a condition, on a machine under heavy load
)

// sharer is a process that shares shards and works on what it holds.
type sharer struct {
	*Shards
	conn *nats.Conn
	stop context.CancelFunc
	done chan struct{}

	mu   sync.Mutex // guards held and most
	held map[int]*Claim
	took int
}

func startSharer(t *testing.T, server *engine.NATS, owner string) *sharer {
	t.Helper()
	conn, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	x := &sharer{conn: conn, done: make(chan struct{}), held: map[int]*Claim{}}
	x.Shards, err = OpenShards(t.Context(), ShardsOptions{
		JS: js, Bucket: "test_shards", Count: testShards, Owner: owner, TTL: shardsTTL, Take: x.take, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	go func() { defer close(x.done); _ = x.Run(ctx) }()
	t.Cleanup(func() { stop(); <-x.done })
	return x
}

func (x *sharer) take(claims []*Claim) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range claims {
		x.held[c.Shard] = c
		x.took++
		context.AfterFunc(c.Context(), func() {
			x.mu.Lock()
			delete(x.held, c.Shard)
			x.mu.Unlock()
			c.Release()
		})
	}
}

// holding counts the shards that are held at this moment.
func (x *sharer) holding() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, c := range x.held {
		if c.Holds() {
			n++
		}
	}
	return n
}

// share waits until processes hold so many shards each.
func share(t *testing.T, want map[*sharer]int) {
	t.Helper()
	testkit.Eventually(t, shardsLimit, func() error {
		for x, n := range want {
			if got := x.holding(); got != n {
				return fmt.Errorf("%s holds %d shards, want %d", x.opts.Owner, got, n)
			}
		}
		return nil
	})
}

func TestShardsAreSharedEvenlyAndTakenOver(t *testing.T) {
	server := testkit.NATS(t)
	one := startSharer(t, server, "one")
	share(t, map[*sharer]int{one: 12})
	two := startSharer(t, server, "two")
	share(t, map[*sharer]int{one: 6, two: 6})
	three := startSharer(t, server, "three")
	share(t, map[*sharer]int{one: 4, two: 4, three: 4})
	if two.took > 6 || three.took > 4 {
		t.Errorf("two took %d shards and three %d: some went back and forth", two.took, three.took)
	}
	one.conn.Close() // all that others see of a crash
	share(t, map[*sharer]int{one: 0, two: 6, three: 6})
	two.stop()
	share(t, map[*sharer]int{two: 0, three: 12})
}

// TestShardsOfOneThatWasStopped has a process believe nothing after a time in which it did not run, whatever others have done.
func TestShardsOfOneThatWasStopped(t *testing.T) {
	server := testkit.NATS(t)
	one := startSharer(t, server, "one")
	share(t, map[*sharer]int{one: 12})
	one.mu.Lock()
	claim := one.held[3]
	one.mu.Unlock()
	one.beating.Lock() // its beats stand still, as everything would
	two := startSharer(t, server, "two")
	share(t, map[*sharer]int{two: 12})
	if claim.Holds() {
		t.Error("two processes hold a shard")
	}
	one.beating.Unlock()
	share(t, map[*sharer]int{one: 6, two: 6})
	if claim.Holds() {
		t.Error("a lost claim came back")
	}
}

func TestShardsAreTakenAgainAfterARestart(t *testing.T) {
	server := testkit.NATS(t)
	one := startSharer(t, server, "one")
	share(t, map[*sharer]int{one: 12})
	one.conn.Close()
	begun := time.Now()
	again := startSharer(t, server, "one")
	share(t, map[*sharer]int{again: 12})
	t.Logf("taken again after %s", time.Since(begun).Round(time.Millisecond))
}

func TestMovesOfShards(t *testing.T) {
	for name, x := range map[string]struct {
		counts map[string]int
		want   []move
	}{
		"even":                   {map[string]int{"a": 4, "b": 4, "c": 4}, nil},
		"one more is kept":       {map[string]int{"a": 7, "b": 5}, []move{{"a", "b", 1}}},
		"a new one":              {map[string]int{"a": 6, "b": 6, "c": 0}, []move{{"a", "c", 2}, {"b", "c", 2}}},
		"two new ones":           {map[string]int{"a": 12, "b": 0, "c": 0}, []move{{"a", "c", 4}, {"a", "b", 4}}},
		"what does not divide":   {map[string]int{"a": 3, "b": 3, "c": 2, "d": 2, "e": 2}, nil},
		"who has most keeps one": {map[string]int{"a": 2, "b": 4, "c": 2, "d": 2, "e": 2}, []move{{"b", "a", 1}}},
	} {
		total := 0
		for _, n := range x.counts {
			total += n
		}
		v := &view{total: total, counts: x.counts}
		got := v.moves()
		if diff := cmp.Diff(x.want, got, cmp.AllowUnexported(move{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
