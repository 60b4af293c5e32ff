package quota

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestBucket(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var b bucket
	if b.take(1 << 40); b.wait(now) != 0 {
		t.Fatal("a bucket without a limit made somebody wait")
	}
	b.set(now, 10, 100)
	b.take(99)
	if got := b.wait(now); got != 0 {
		t.Fatalf("got a wait of %s with one left, want none", got)
	}
	b.take(51) // 50 in debt
	if got, want := b.wait(now), 5100*time.Millisecond; got != want {
		t.Fatalf("got a wait of %s, want %s", got, want)
	}
	if got := b.wait(now.Add(5100 * time.Millisecond)); got != 0 {
		t.Fatalf("got a wait of %s after the time that was told, want none", got)
	}
	if b.take(-1000); b.level != 100 {
		t.Fatalf("got a level of %v after giving back too much, want the burst of 100", b.level)
	}
	b.take(1 << 40)
	if got := b.wait(now.Add(5100 * time.Millisecond)); got != maxRetryAfter {
		t.Fatalf("got a wait of %s in deep debt, want at most %s", got, maxRetryAfter)
	}
}

// TestBucketKeepsItsRate sends requests of any size as soon as they are let in: over a long time the rate holds.
func TestBucketKeepsItsRate(t *testing.T) {
	r := testkit.Seed(t)
	for range 50 {
		rate, burst := 10+r.Float64()*1000, 10+r.Float64()*10_000
		passed, largest := sendGreedily(r, rate, burst)
		const seconds = 3600
		if most := rate*seconds + burst + largest; passed > most || passed < rate*seconds*0.9 {
			t.Errorf("rate %.0f, burst %.0f: %.0f passed in an hour, want %.0f to %.0f", rate, burst, passed, rate*seconds, most)
		}
	}
}

func sendGreedily(r *rand.Rand, rate, burst float64) (passed, largest float64) {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var b bucket
	b.set(start, rate, burst)
	for now := start; now.Before(start.Add(time.Hour)); {
		if wait := b.wait(now); wait > 0 {
			now = now.Add(wait)
			continue
		}
		n := r.Int64N(int64(3 * burst))
		b.take(n)
		passed, largest = passed+float64(n), max(largest, float64(n))
	}
	return passed, largest
}

// TestBucketClockSetBack makes time run backwards: nothing is added, and nothing is lost for ever.
func TestBucketClockSetBack(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var b bucket
	b.set(now, 10, 100)
	b.take(200)
	if got, want := b.wait(now.Add(-time.Hour)), b.wait(now.Add(-time.Hour)); got != want || got != 10100*time.Millisecond {
		t.Fatalf("got %s and %s, want 10.1s", got, want)
	}
	if got := b.wait(now.Add(-time.Hour + 11*time.Second)); got != 0 {
		t.Fatalf("got a wait of %s, want none by the new time", got)
	}
}

func TestSketch(t *testing.T) {
	r := testkit.Seed(t)
	for _, n := range []int{0, 1, 100, 2000, 5000, 20_000, 150_000} {
		var both, one, two sketch
		for i := range n {
			fp := r.Uint64()
			if both.add(fp); i%3 != 0 {
				one.add(fp)
			}
			if i%3 != 1 {
				two.add(fp)
			}
		}
		if !one.merge(two[:]) || one != both {
			t.Fatalf("%d: the union of two sketches is not the sketch of the union", n)
		}
		if got := float64(both.estimate()); got < float64(n)*0.88-1 || got > float64(n)*1.12+1 {
			t.Errorf("got an estimate of %.0f of %d, want within 12 %%", got, n)
		}
	}
	var s sketch
	if s.merge([]byte("short")) {
		t.Error("a text that is no sketch was merged")
	}
}
