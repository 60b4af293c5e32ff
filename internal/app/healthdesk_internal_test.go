package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// healthBench is a desk and processes that it hears of, over a real NATS.
type healthBench struct {
	clock *testkit.Clock
	desk  *healthDesk
	nc    *nats.Conn
}

func newHealthBench(t *testing.T) *healthBench {
	t.Helper()
	nc, err := testkit.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b := &healthBench{clock: testkit.NewClock(healthNow), nc: nc}
	b.desk = &healthDesk{
		nc: nc, now: b.clock.Now, log: slog.New(slog.DiscardHandler), nodes: map[string]heardNode{},
		engines: func(context.Context) []doctor.Finding { return nil },
		queue:   func(context.Context) (queueLook, error) { return queueLook{}, nil },
	}
	sub, err := nc.Subscribe(beatSubject, b.desk.hear)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	return b
}

// start starts a process that tells of itself; stop ends it in order.
func (b *healthBench) start(t *testing.T, name string) (stop func()) {
	t.Helper()
	a := &App{}
	teller := &healthTeller{nc: b.nc, now: b.clock.Now, log: slog.New(slog.DiscardHandler), self: nodeBeat{Node: name, Version: "1"}, look: func(_ context.Context, r *nodeReport) { r.Level = doctor.OK }}
	if err := a.tellHealth(teller); err != nil {
		t.Fatal(err)
	}
	a.log = teller.log
	stop = func() { _ = a.Stop(context.Background()) }
	t.Cleanup(stop)
	testkit.Eventually(t, time.Minute, func() error {
		if _, ok := b.desk.known()[name]; !ok {
			return fmt.Errorf("%s is not heard of", name)
		}
		return nil
	})
	return stop
}

func TestHealthDeskHearsOfProcesses(t *testing.T) {
	b := newHealthBench(t)
	stop := b.start(t, "one")
	b.start(t, "two")
	nodes, err := b.desk.gather(t.Context())
	if err != nil || len(nodes) != 2 || nodes["one"].Report == nil || nodes["two"].Report == nil {
		t.Fatalf("asked all: %+v, %v; want answers of one and two", nodes, err)
	}
	stop()
	testkit.Eventually(t, time.Minute, func() error {
		if _, ok := b.desk.known()["one"]; ok {
			return errors.New("a process that has ended in order is still known")
		}
		return nil
	})
}

// TestHealthDeskShowsTheSilent has a process that dies without a word: it is shown for a while without an answer, and then forgotten.
func TestHealthDeskShowsTheSilent(t *testing.T) {
	b := newHealthBench(t)
	b.desk.nodes["dead"] = heardNode{nodeBeat: nodeBeat{Node: "dead", Roles: []string{"writer"}}, At: b.clock.Now()}
	b.clock.Advance(silentAfter + time.Second)
	got, err := b.desk.Health(t.Context())
	if err != nil || len(got.Nodes) != 1 || got.Nodes[0].State != "silent" || got.Level != "failure" {
		t.Fatalf("got %+v, %v; want a silent node and a failure", got, err)
	}
	again, err := b.desk.Health(t.Context())
	if err != nil || again != got {
		t.Errorf("asked again at once: %p, %v; want the same answer %p", again, err, got)
	}
	b.clock.Advance(forgetSilentAfter)
	got, err = b.desk.Health(t.Context())
	if err != nil || len(got.Nodes) != 0 {
		t.Errorf("later: %+v, %v; want that it is forgotten", got.Nodes, err)
	}
}
