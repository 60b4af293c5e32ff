package tenant

import (
	"testing"
	"time"
)

// TestProgressCountsWhenTheWatchIsThere plays looks and deliveries in the orders in which they can come.
func TestProgressCountsWhenTheWatchIsThere(t *testing.T) {
	made := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	bucketAt := func(seq uint64) bucketState { return bucketState{created: made, lastSeq: seq} }
	var p progress
	expect := func(after string, want int64) {
		t.Helper()
		if got := p.seenAt.Load(); got != want {
			t.Errorf("after %s: known at %d, want %d", after, got, want)
		}
	}
	if !p.follow(made) || p.follow(made) {
		t.Error("only the first bucket is another one")
	}
	p.note(bucketAt(5), 10)
	expect("a look before the replay", 0)
	p.reach(5)
	expect("the replay", 10)
	p.note(bucketAt(5), 20)
	expect("a look at what is known", 20)
	p.note(bucketAt(7), 30)
	p.note(bucketAt(9), 40)
	p.reach(6)
	expect("a part of what a look found", 20)
	p.reach(7)
	expect("all of what the first look found", 30)
	p.reach(12)
	expect("all of what the second look found, and more", 40)
	p.reach(3)
	p.note(bucketAt(12), 50)
	expect("a revision that comes late", 50)
	p.note(bucketAt(12), 45)
	expect("an answer that comes late", 50)

	other := bucketState{created: made.Add(time.Hour), lastSeq: 1}
	if p.note(other, 60) {
		t.Error("a look at another bucket is taken for one at ours")
	}
	expect("a look at another bucket", 50)
	p.note(bucketAt(20), 70)
	if !p.follow(other.created) || !p.note(other, 80) {
		t.Error("the new bucket is not followed")
	}
	expect("a new bucket whose state did not come yet", 50)
	p.reach(20) // of the new bucket, so the look at the old one must not count, and that at the new one does
	expect("the state of the new bucket", 80)
}

// TestProgressRemembersFewLooks lets a watch be behind for long.
func TestProgressRemembersFewLooks(t *testing.T) {
	var p progress
	p.follow(time.Unix(1, 0))
	for i := range 10 * maxMarks {
		p.note(bucketState{created: time.Unix(1, 0), lastSeq: uint64(i) + 1}, int64(i)+1)
	}
	if got := len(p.marks); got != maxMarks {
		t.Errorf("%d looks are remembered, want %d", got, maxMarks)
	}
	p.reach(maxMarks)
	if got := p.seenAt.Load(); got != maxMarks || len(p.marks) != 0 {
		t.Errorf("known at %d with %d looks left, want %d and none", got, len(p.marks), maxMarks)
	}
}
