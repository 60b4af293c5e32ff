package ingest

import (
	"testing"
	"time"
)

func TestPacerLendsAndIsPaidBack(t *testing.T) {
	p, now := newPacer(100), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	wait := func(want time.Duration) {
		t.Helper()
		if got := p.wait(now); max(got, 0) != want {
			t.Fatalf("the budget is spent for %s, want %s", got, want)
		}
	}
	wait(0)
	p.spend(50, now) // of the credit of 100
	wait(0)
	p.spend(250, now)
	wait(2 * time.Second)
	p.spend(100, now)
	wait(3 * time.Second)
	p.rest(2*time.Second, false, now)
	wait(3 * time.Second)
	p.rest(8*time.Second, false, now)
	wait(4 * time.Second)
	p.rest(2*time.Second, true, now)
	wait(4 * time.Second)
	p.spend(1000, now)
	wait(5 * time.Second)
	now = now.Add(time.Hour)
	p.rest(time.Hour, false, now)
	wait(5 * time.Second)
	now = now.Add(time.Hour)
	p.spend(101, now)
	wait(10 * time.Millisecond)
	if got := p.cost(200); got != 2*time.Second {
		t.Errorf("200 inserts take %s of the budget, want 2 s", got)
	}
}
