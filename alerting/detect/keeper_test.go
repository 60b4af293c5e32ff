package detect_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const patience = time.Minute

// pager keeps what was raised.
type pager struct {
	mu      sync.Mutex // guards the fields below
	said    []string
	standby bool
}

func (p *pager) raise(_ context.Context, tenant seamark.TenantID, alerts []detect.Alert, _ time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.standby {
		return seamark.Errorf(seamark.Unavailable, "seamark-alerting-standby", "Another process does.")
	}
	for _, a := range alerts {
		word := fmt.Sprintf("%s %s ended=%v", tenant[len(tenant)-1:], a.Labels["alertname"], a.Ended)
		if len(p.said) == 0 || p.said[len(p.said)-1] != word {
			p.said = append(p.said, word)
		}
	}
	return nil
}

func (p *pager) heard(words ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.said, words) {
		return fmt.Errorf("heard %q, want %q", p.said, words)
	}
	return nil
}

// open starts a keeper; it ends with the returned function, and with the test.
func open(t *testing.T, js jetstream.JetStream, f *fakeSource, p *pager, clock *testkit.Clock) (*detect.Keeper, func()) {
	t.Helper()
	limits := detect.DefaultLimits()
	limits.PerTenant = 2
	k, err := detect.Open(t.Context(), detect.Options{
		JS: js, Source: f, Limits: limits, Parse: noParse, Raise: p.raise, Runs: func(seamark.TenantID) bool { return true },
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = k.Run(ctx)
	}()
	stop := sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return k, stop
}

func cpuSpec(name string) detect.Spec {
	return detect.Spec{Name: name, Kind: detect.Anomaly, Expr: "cpu", For: 60}
}

// TestKeeper takes a detector through its life: it is made, rings, survives a restart while it rings, and ends with its deletion.
func TestKeeper(t *testing.T) {
	js, clock, p := testkit.JetStream(t), testkit.NewClock(noon), &pager{}
	f := &fakeSource{value: func(t time.Time) float64 {
		if t.After(noon.Add(time.Minute)) {
			return 95
		}
		return wave(t)
	}}
	k, stop := open(t, js, f, p, clock)
	made, err := k.Create(t.Context(), tenantA, cpuSpec("CPU"))
	if err != nil {
		t.Fatal(err)
	}
	// forward advances the clock by a minute once the time before was evaluated.
	forward := func() {
		t.Helper()
		testkit.Eventually(t, patience, func() error {
			got, err := k.Find(tenantA, made.ID)
			if err == nil && clock.Now().Sub(got.Health.Looked) >= time.Minute {
				clock.Advance(time.Second) // it is due a part of its interval later
				err = fmt.Errorf("looked at %s, it is %s: %s", got.Health.Looked, clock.Now(), got.Health.State)
			}
			return err
		})
		clock.Advance(time.Minute)
	}
	testkit.Eventually(t, patience, func() error {
		forward()
		return p.heard("V CPU ended=false")
	})
	got, err := k.Find(tenantA, made.ID)
	if err != nil || got.Health.State != "ok" || got.Health.Firing != 1 || len(got.Alerts) != 1 || got.Alerts[0].Explanation == "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	fired := got.Alerts[0].Fired
	stop()

	k, _ = open(t, js, f, p, clock)
	testkit.Eventually(t, patience, func() error {
		var err error
		if got, err = k.Find(tenantA, made.ID); err == nil && len(got.Alerts) != 1 {
			err = fmt.Errorf("got %+v", got)
		}
		return err
	})
	forward()
	forward()
	if got, err = k.Find(tenantA, made.ID); err != nil || len(got.Alerts) != 1 || !got.Alerts[0].Fired.Equal(fired) {
		t.Errorf("after a restart got %+v, %v, want the alert of %s", got, err, fired)
	}
	if err := k.Delete(t.Context(), tenantA, made.ID, nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error { return p.heard("V CPU ended=false", "V CPU ended=true") })
	if _, err := k.Find(tenantA, made.ID); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("a deleted detector: got %v", err)
	}
}

// TestFaultsAreShown has the source fail: the tenant sees why, and no more than is its business.
func TestFaultsAreShown(t *testing.T) {
	js, clock := testkit.JetStream(t), testkit.NewClock(noon)
	f := &fakeSource{value: wave}
	k, _ := open(t, js, f, &pager{}, clock)
	for fault, want := range map[error]string{
		errAway: "The evaluation failed for a reason of our own, which was logged.",
		seamark.Errorf(seamark.Unprocessable, "seamark-detector-series", "There are too many series."): "There are too many series.",
	} {
		f.fail(fault)
		made, err := k.Create(t.Context(), tenantA, cpuSpec("CPU"))
		if err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, patience, func() error {
			clock.Advance(time.Second)
			got, err := k.Find(tenantA, made.ID)
			if err == nil && (got.Health.State != "failing" || got.Health.Fault != want) {
				err = fmt.Errorf("got %+v, want %q", got.Health, want)
			}
			return err
		})
		if err := k.Delete(t.Context(), tenantA, made.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeeperRefuses(t *testing.T) {
	k, _ := open(t, testkit.JetStream(t), &fakeSource{value: wave}, &pager{standby: true}, testkit.NewClock(noon))
	made, err := k.Create(t.Context(), tenantA, cpuSpec("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Find(tenantB, made.ID); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("another tenant's detector: got %v", err)
	}
	if err := k.Delete(t.Context(), tenantB, made.ID, nil); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("another tenant's detector, deleted: got %v", err)
	}
	if _, err := k.Create(t.Context(), tenantA, cpuSpec("one")); seamark.KindOf(err) != seamark.Conflict {
		t.Errorf("a second of the name: got %v", err)
	}
	if _, err := k.Create(t.Context(), tenantA, cpuSpec("two")); err != nil {
		t.Error(err)
	}
	if _, err := k.Create(t.Context(), tenantA, cpuSpec("three")); seamark.KindOf(err) != seamark.Unprocessable {
		t.Errorf("one more than the limit: got %v", err)
	}
	stale := errors.New("stale")
	if _, err := k.Update(t.Context(), tenantA, made.ID, cpuSpec("changed"), func(detect.Kept) error { return stale }); !errors.Is(err, stale) {
		t.Errorf("a condition that does not hold: got %v", err)
	}
	got, err := k.Update(t.Context(), tenantA, made.ID, cpuSpec("changed"), nil)
	if err != nil || got.Name != "changed" || got.Health.State != "waiting" {
		t.Errorf("got %+v, %v", got, err)
	}
	if list := k.List(tenantA); len(list) != 2 || list[0].Name != "changed" || len(k.List(tenantB)) != 0 {
		t.Errorf("got %+v", list)
	}
}
