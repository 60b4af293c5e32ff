package tenant

import (
	"context"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestRestEndsWhenTheStoreIsBack asks for a new watcher while one that failed again and again rests for long.
func TestRestEndsWhenTheStoreIsBack(t *testing.T) {
	w := &watch{restart: make(chan struct{}, 1), timing: watchTiming{reconnectJitter: time.Millisecond}}
	w.requestRestart()
	done := make(chan error, 1)
	go func() { done <- w.rest(t.Context(), time.Hour) }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Error("it rests although a watcher was asked for")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.rest(ended, time.Hour); err == nil {
		t.Error("it rested on after its end")
	}
}

// TestBeatsAreNeverMuchOlderThanTheirInterval looks when the next look at a beat of each age is.
func TestBeatsAreNeverMuchOlderThanTheirInterval(t *testing.T) {
	clock := testkit.NewClock(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC))
	w := &watch{now: clock.Now, timing: watchTiming{beat: time.Second}}
	for _, old := range []time.Duration{0, 100 * time.Millisecond, 790 * time.Millisecond, 810 * time.Millisecond, time.Second, time.Hour} {
		w.beatAt.Store(clock.Now().Add(-old).UnixNano())
		for range 100 {
			wait := w.untilBeat(false)
			if wait < 100*time.Millisecond || old < 800*time.Millisecond && old+wait > time.Second {
				t.Fatalf("a beat that is %s old is looked at again after %s", old, wait)
			}
		}
	}
	w.beatAt.Store(clock.Now().Add(time.Hour).UnixNano())
	if wait := w.untilBeat(false); wait > time.Second {
		t.Errorf("a beat of the future is looked at after %s", wait)
	}
	if wait := w.untilBeat(true); wait != 250*time.Millisecond {
		t.Errorf("a store that is away is tried again after %s, want 250ms", wait)
	}
}
