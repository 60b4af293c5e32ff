package quota

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"
)

// Usage is what was taken on one day over one presence slot: who takes the slot over goes on counting where the last one
// ended, so that the sum over all slots is the day's, whichever nodes come and go.
type Usage struct {
	Day   string           `json:"day"`   // of UTC, 2006-01-02
	Bytes map[string]int64 `json:"bytes"` // by tenant and by tenant and cluster, as in Presence
}

func usageKey(n int) string { return "usage." + strconv.Itoa(n) }

func dayOf(now time.Time) string { return now.UTC().Format(time.DateOnly) }

// usage keeps the day's account. What was admitted since the last flush, some seconds, is lost when the process is killed.
type usage struct {
	docs Docs[Usage]

	day      string
	slot     int // that base belongs to; -1 while there is none
	revision uint64
	base     map[string]int64 // what our slot had before this process counted, and what scopes that were dropped had
	flushed  map[string]int64 // base and own counts as they were written last

	mu        sync.RWMutex     // guards elsewhere, which requests read
	elsewhere map[string]int64 // base and the other slots
}

// at returns what others, or this node in an earlier life, have counted today.
func (u *usage) at(key scopeKey) int64 {
	u.mu.RLock()
	defer u.mu.RUnlock()
	return u.elsewhere[key.String()]
}

// turn begins a new day and reports whether it did.
func (u *usage) turn(now time.Time) bool {
	day := dayOf(now)
	if u.day == day {
		return false
	}
	u.day, u.base, u.flushed = day, map[string]int64{}, nil
	u.mu.Lock()
	u.elsewhere = map[string]int64{}
	u.mu.Unlock()
	return true
}

// sync reads the account of all slots and writes that of ours. own is what this process has counted today; slots is how
// many there are, mine which is ours, -1 for none.
func (u *usage) sync(ctx context.Context, own map[string]int64, slots, mine int) error {
	if u.slot != mine {
		u.leave()
	}
	sum := map[string]int64{}
	for n := range slots {
		doc, revision, err := u.docs.Find(ctx, usageKey(n))
		if err != nil {
			return fmt.Errorf("read usage: %w", err)
		}
		if doc.Day != u.day {
			doc.Bytes = nil
		}
		if n != mine {
			add(sum, doc.Bytes)
			continue
		}
		if u.slot != mine {
			add(u.base, doc.Bytes)
			u.slot, u.flushed = mine, maps.Clone(u.base)
		}
		u.revision = revision
	}
	add(sum, u.base)
	u.mu.Lock()
	u.elsewhere = sum
	u.mu.Unlock()
	return u.write(ctx, own)
}

func (u *usage) write(ctx context.Context, own map[string]int64) error {
	if u.slot < 0 {
		return nil
	}
	total := maps.Clone(u.base)
	add(total, own)
	if maps.Equal(total, u.flushed) {
		return nil
	}
	revision, err := u.docs.Save(ctx, usageKey(u.slot), Usage{Day: u.day, Bytes: total}, u.revision)
	if err != nil {
		return fmt.Errorf("write usage: %w", err)
	}
	u.revision, u.flushed = revision, total
	return nil
}

// leave forgets a slot that is another node's now: what was written there goes on being counted there, so only what came
// since is still ours to write.
func (u *usage) leave() {
	if u.slot < 0 {
		return
	}
	for key, written := range u.flushed {
		u.base[key] -= written
	}
	u.slot, u.flushed = -1, nil
}

func add(to, from map[string]int64) {
	for key, n := range from {
		to[key] += n
	}
}
