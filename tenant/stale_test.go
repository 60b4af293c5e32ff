package tenant_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// flagOf returns nil once the directory says that it is stale, or that it is not.
func flagOf(d *tenant.Directory, want bool) error {
	if d.Stale() != want {
		return fmt.Errorf("stale is %t, want %t", !want, want)
	}
	return nil
}

// TestStaleAfterThreeLooks stops the store and lets the clock go on.
func TestStaleAfterThreeLooks(t *testing.T) {
	n := newFragileNATS(t)
	clock := testkit.NewClock(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))
	d := openDirectory(t, n.connect(t), withClock(clock))
	n.stop()
	clock.Advance(750 * time.Millisecond)
	if d.Stale() {
		t.Error("it is stale after 750ms, so one slow answer would flag it")
	}
	clock.Advance(time.Millisecond)
	if !d.Stale() {
		t.Error("it is not stale after 751ms")
	}
	n.start(t, n.folder)
	eventually(t, func() error { return flagOf(d, false) })
	clock.Advance(700 * time.Millisecond)
	eventually(t, func() error { // looks count from when they were asked
		if d.Stale() {
			t.Error("it became stale while the store answers")
		}
		if age := d.Freshness(); age > 0 {
			return fmt.Errorf("freshness is %s", age)
		}
		return nil
	})
}

// TestSilentWatchIsStale takes the consumer of one bucket after the other away behind the client's back. The store goes on to
// answer, so only the change that does not come tells.
func TestSilentWatchIsStale(t *testing.T) {
	n := testkit.NATS(t)
	for _, bucket := range []string{"tenants", "clusters", "tokens", "users", "sessions", "keys"} {
		t.Run(bucket, func(t *testing.T) {
			js := jetStream(t, n)
			d := openDirectory(t, js, func(o *tenant.Options) { o.BeatInterval, o.StallTimeout = time.Hour, time.Hour }) // so that looks alone tell
			eventually(t, func() error { return flagOf(d, false) })
			stream, err := js.Stream(t.Context(), "KV_seamark_"+bucket)
			if err != nil {
				t.Fatal(err)
			}
			for name := range stream.ConsumerNames(t.Context()).Name() {
				if err := stream.DeleteConsumer(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
			putRaw(t, js, bucket, "beat", "not heard")
			eventually(t, func() error { return flagOf(d, true) })
		})
	}
}
