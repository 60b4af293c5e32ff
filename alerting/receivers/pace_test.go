package receivers

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestPaceKeepsEveryWindow sends a burst and counts what would fall into any window.
func TestPaceKeepsEveryWindow(t *testing.T) {
	for _, kind := range Kinds() {
		now := testNow
		p := NewPace(func() time.Time { return now })
		var sent []time.Time
		p.wait = func(_ context.Context, d time.Duration) error { now = now.Add(d); return nil }
		for i := range 300 {
			if f := p.enter(t.Context(), "x", ratesOf(kind)); f != nil {
				t.Fatalf("%s: message %d: %v", kind, i, f)
			}
			sent = append(sent, now)
		}
		for _, r := range ratesOf(kind) {
			for i := r.Count; i < len(sent); i++ {
				if gap := sent[i].Sub(sent[i-r.Count]); gap < r.Per {
					t.Fatalf("%s: %d messages within %s, want at most %d in %s", kind, r.Count+1, gap, r.Count, r.Per)
				}
			}
		}
	}
}

func TestPaceTellsAtOnceWhatDoesNotFit(t *testing.T) {
	p := NewPace(func() time.Time { return testNow })
	p.wait = func(context.Context, time.Duration) error { t.Error("it waited"); return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	rates := []Rate{{1, time.Minute}}
	if f := p.enter(ctx, "x", rates); f != nil {
		t.Fatal(f)
	}
	f := p.enter(ctx, "x", rates)
	if f == nil || f.Retry || f.RetryAfter != time.Minute {
		t.Fatalf("got %+v, want a failure until the next flush", f)
	}
	if f := p.enter(ctx, "y", rates); f != nil {
		t.Errorf("another target waits, too: %v", f)
	}
	// The turn that was not taken is free for who can wait.
	if d, ok := p.reserve(t.Context(), "x", rates); !ok || d != time.Minute {
		t.Errorf("the next turn is in %s, %v, want one minute", d, ok)
	}
}

func TestPaceForgetsQuietTargets(t *testing.T) {
	now := testNow
	p := NewPace(func() time.Time { return now })
	for i := range maxTargets + 10 {
		now = now.Add(time.Second)
		if f := p.enter(t.Context(), fmt.Sprint(i), ratesOf("slack")); f != nil {
			t.Fatal(f)
		}
	}
	if n := len(p.targets); n > maxTargets {
		t.Errorf("%d targets are remembered, want at most %d", n, maxTargets)
	}
}

func TestTake(t *testing.T) {
	now := testNow
	p := NewPace(func() time.Time { return now })
	for i := range 3 {
		if got := p.Take("x", 2, time.Minute); got != (i < 2) {
			t.Errorf("turn %d: %v", i, got)
		}
	}
	now = now.Add(time.Minute)
	if !p.Take("x", 2, time.Minute) {
		t.Error("no turn after a minute")
	}
}
