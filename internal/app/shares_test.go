package app

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestSharesTellWhoCrowds has one tenant take most of two processors, alone and beside another, and stop.
func TestSharesTellWhoCrowds(t *testing.T) {
	const small, big = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV"), seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	now := time.Unix(1_800_000_000, 0)
	s := newShares(2, func() time.Time { return now })
	work := func(seconds int, beside bool) {
		for range 10 * seconds {
			now = now.Add(100 * time.Millisecond)
			s.take(big, 150_000)
			if beside {
				s.take(small, 5_000)
			}
		}
	}
	if s.crowds(big) {
		t.Error("a tenant that has taken nothing crowds")
	}
	if work(20, false); s.crowds(big) {
		t.Error("a tenant that is alone crowds")
	}
	if work(10, true); !s.crowds(big) || s.crowds(small) {
		t.Errorf("beside another: the big one %v, want true; the small one %v, want false", s.crowds(big), s.crowds(small))
	}
	if now = now.Add(30 * time.Second); s.crowds(big) {
		t.Error("it still crowds half a minute after its end")
	}
}

// TestScanCrowdsSoon has a tenant begin to take one of two processors beside a small one.
func TestScanCrowdsSoon(t *testing.T) {
	const small, big = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV"), seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	now := time.Unix(1_800_000_000, 0)
	s, begin := newShares(2, func() time.Time { return now }), now
	for !s.crowds(big) && now.Sub(begin) < time.Minute {
		now = now.Add(100 * time.Millisecond)
		s.take(big, 100_000)
		s.take(small, 5_000)
	}
	if took := now.Sub(begin); took < time.Second || took > 3*time.Second {
		t.Errorf("it crowds after %v, want after 1 s to 3 s", took)
	}
}

// TestEqualsDoNotCrowd has two tenants take as much as they can, beside one that takes little.
func TestEqualsDoNotCrowd(t *testing.T) {
	const one, other = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV"), seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
	now := time.Unix(1_800_000_000, 0)
	s := newShares(2, func() time.Time { return now })
	for range 100 {
		now = now.Add(100 * time.Millisecond)
		s.take(one, 100_000)
		s.take(other, 95_000)
	}
	if s.crowds(one) || s.crowds(other) {
		t.Errorf("of two equals: %v and %v, want neither", s.crowds(one), s.crowds(other))
	}
}
