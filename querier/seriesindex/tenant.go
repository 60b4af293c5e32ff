package seriesindex

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// tenantIndex is one tenant's index of one kind of series and what keeps it fresh. Refreshes run one at a time, in a goroutine that ends when
// there is nothing more to do.
type tenantIndex struct {
	index *Index
	key   key

	// Guarded by the index's lock.
	bytes   int64
	usedAt  time.Time
	dropped bool

	builder *builder // of the refresh under way

	mu        sync.Mutex // guards the fields below
	shown     *snapshot  // nil until the first refresh
	checkedAt time.Time  // when the last refresh that succeeded began
	wanted    uint64     // rises with each wish for a refresh
	settled   uint64     // the wishes up to here were met, or failed
	running   bool
	gathering bool          // a refresh begins shortly, for all announcements until then
	ended     chan struct{} // closed when a refresh ends, and renewed
	pending   []dayRange    // asked for since the last refresh began
	asked     map[int32]time.Time
	queriedAt time.Time // by somebody who is there, and asks again
	dirtyAt   time.Time // the first announcement that no refresh covers; zero when there is none
	lateAt    time.Time // the first announcement since the refresh under way began
	outrunAt  time.Time // when the store last answered in the index's place
	refused   time.Time // until when the tenant is the store's
	narrow    time.Time // until when days that are not loaded are the store's
}

func newTenantIndex(x *Index, k key) *tenantIndex {
	return &tenantIndex{index: x, key: k, ended: make(chan struct{}), asked: map[int32]time.Time{}}
}

// snapshot returns a state of the tenant's index that is fresh and has the days, or nil and why there is none.
func (x *Index) snapshot(ctx context.Context, k key, days dayRange) (s *snapshot, reason string) {
	t := x.tenant(k)
	if t == nil {
		return nil, "closed"
	}
	now := x.opts.Now()
	t.mu.Lock()
	if !seamark.IsUnattended(ctx) {
		t.queriedAt = now
	}
	if now.Before(t.refused) {
		t.mu.Unlock()
		return nil, "size"
	}
	if s = t.freshLocked(now, days); s != nil {
		t.mu.Unlock()
		return s, ""
	}
	if now.Before(t.narrow) && t.shown != nil && !t.shown.covers(days) {
		t.mu.Unlock()
		return nil, "size"
	}
	t.pending = append(t.pending, days)
	wish := t.wishLocked()
	t.mu.Unlock()
	return t.wait(ctx, wish, days, now)
}

// freshLocked returns the shown snapshot when it answers for the days, and notes that its weeks are asked for.
func (t *tenantIndex) freshLocked(now time.Time, days dayRange) *snapshot {
	switch {
	case t.shown == nil || !t.shown.covers(days):
		return nil
	case now.Sub(t.checkedAt) >= t.index.opts.Refresh:
		return nil
	case t.checkedAt.Before(t.outrunAt):
		return nil
	case !t.dirtyAt.IsZero() && now.Sub(t.dirtyAt) >= changeGrace:
		return nil
	}
	t.touchLocked(now, days)
	return t.shown
}

func (t *tenantIndex) touchLocked(now time.Time, days dayRange) {
	for week := range t.shown.weeks {
		if days.holds(week) {
			t.asked[week] = now
		}
	}
}

// wishLocked asks for a refresh that begins after now and returns the wish's number.
func (t *tenantIndex) wishLocked() uint64 {
	t.wanted++
	if !t.running {
		t.running = t.index.launch(t.run)
	}
	return t.wanted
}

// wait waits until the wish is settled, but not long. A refresh that began after the query did is fresh enough for it, whatever
// was announced while it ran: else a busy server, whose refreshes are slow, would get every query.
func (t *tenantIndex) wait(ctx context.Context, wish uint64, days dayRange, asked time.Time) (*snapshot, string) {
	timer := time.NewTimer(t.index.maxWait * seamark.Patience(ctx))
	defer timer.Stop()
	for {
		t.mu.Lock()
		settled, running, ended := t.settled >= wish, t.running, t.ended
		var s *snapshot
		if settled && t.shown != nil && t.shown.covers(days) && !t.checkedAt.Before(asked) {
			s = t.shown
			t.touchLocked(asked, days)
		}
		t.mu.Unlock()
		switch {
		case s != nil:
			return s, ""
		case settled || !running:
			return nil, "failure"
		}
		select {
		case <-ended:
		case <-timer.C:
			return nil, "wait"
		case <-ctx.Done():
			return nil, "wait"
		}
	}
}

// changed notes an announcement. A tenant that nobody queries is refreshed by its next query.
func (t *tenantIndex) changed() {
	now := t.index.opts.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shown == nil && !t.running {
		return // the first query reads everything
	}
	if t.dirtyAt.IsZero() {
		t.dirtyAt = now
	}
	if t.lateAt.IsZero() {
		t.lateAt = now
	}
	if now.Sub(t.queriedAt) < hotFor && !t.gathering {
		t.gathering = true
		time.AfterFunc(changePause, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.gathering = false
			t.wishLocked()
		})
	}
}

// run refreshes until every wish is settled.
func (t *tenantIndex) run() {
	for {
		now := t.index.opts.Now()
		t.mu.Lock()
		wish, pending := t.wanted, t.pending
		t.pending, t.lateAt = nil, time.Time{}
		idle := t.idleLocked(now)
		t.mu.Unlock()

		begin := time.Now()
		shown, err := t.refresh(pending, idle)
		t.index.metrics.refreshes.Inc()
		t.index.metrics.seconds.Observe(time.Since(begin).Seconds())
		if err == nil && !t.index.account(t, shown.bytes) {
			err = errDropped
		}
		if t.settle(wish, now, shown, err) {
			return
		}
	}
}

var errDropped = errors.New("the tenant's index was dropped meanwhile")

// settle shows a refresh's result and reports whether it was the last one for now.
func (t *tenantIndex) settle(wish uint64, began time.Time, shown *snapshot, err error) (done bool) {
	x := t.index
	if err != nil {
		x.metrics.failures.Inc()
		x.opts.Logger.Debug("series index not refreshed", "tenant", t.key.tenant, "err", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled = wish
	switch {
	case err == nil:
		t.shown, t.checkedAt, t.dirtyAt = shown, began, t.lateAt
		for week := range shown.weeks {
			if _, ok := t.asked[week]; !ok {
				t.asked[week] = began
			}
		}
	case errors.Is(err, errTooLarge) || errors.Is(err, errNameless):
		x.opts.Logger.Info("a tenant's series are looked up in the store", "tenant", t.key.tenant, "for", refuseFor, "err", err)
		t.refused, t.shown, t.builder = began.Add(refuseFor), nil, nil
		t.settled = t.wanted
		x.account(t, 0)
	default:
		t.settled = t.wanted // whoever waits asks the store
	}
	close(t.ended)
	t.ended = make(chan struct{})
	t.running = t.settled < t.wanted
	return !t.running
}

// idleLocked returns the loaded weeks that nobody has asked for in a long time.
func (t *tenantIndex) idleLocked(now time.Time) []int32 {
	var list []int32
	for week, at := range t.asked {
		if now.Sub(at) >= idleAfter {
			list = append(list, week)
			delete(t.asked, week)
		}
	}
	return list
}

// refresh reads what is new, and the weeks of the days that were asked for.
func (t *tenantIndex) refresh(pending []dayRange, idle []int32) (*snapshot, error) {
	x := t.index
	ctx, cancel := context.WithTimeout(x.ctx, refreshTimeout)
	defer cancel()
	parts, err := x.source.ListSeriesIndexParts(ctx, t.key.tenant)
	if err != nil {
		return nil, err
	}
	present := presentWeeks(parts)
	weeks := t.weeksToHave(present, pending, idle)
	if b := t.builder; b == nil || b.stale(parts) || slices.ContainsFunc(b.loaded(), func(w int32) bool { return !slices.Contains(weeks, w) }) {
		t.builder = newBuilder(t.key.kind, x.opts.MaxBytes/tenantShare)
	}
	shown, err := t.readAll(ctx, weeks, present, parts)
	if errors.Is(err, errTooLarge) && len(weeks) > 1 {
		// Long ranges are the store's for a while, so that the short ones of every day stay fast.
		t.mu.Lock()
		t.narrow = x.opts.Now().Add(refuseFor)
		t.mu.Unlock()
		t.builder = newBuilder(t.key.kind, x.opts.MaxBytes/tenantShare)
		return t.readAll(ctx, weeks[len(weeks)-1:], present, parts)
	}
	return shown, err
}

// readAll brings the weeks up to the listing.
func (t *tenantIndex) readAll(ctx context.Context, weeks, present []int32, parts []store.SeriesIndexPart) (*snapshot, error) {
	for _, monday := range weeks {
		if err := t.read(ctx, monday, parts); err != nil {
			return nil, err
		}
	}
	shown := t.builder.publish(present)
	if shown.bytes > t.builder.maxBytes {
		return nil, errTooLarge
	}
	return shown, nil
}

// presentWeeks returns the weeks that the store has, in order.
func presentWeeks(parts []store.SeriesIndexPart) []int32 {
	list := make([]int32, len(parts))
	for i, p := range parts {
		list[i] = p.Week
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// weeksToHave returns the weeks of the store that are loaded and not idle, or asked for.
func (t *tenantIndex) weeksToHave(present []int32, pending []dayRange, idle []int32) []int32 {
	var list []int32
	for _, week := range present {
		wanted := t.builder != nil && t.builder.weeks[week] != nil && !slices.Contains(idle, week)
		if wanted || slices.ContainsFunc(pending, func(d dayRange) bool { return d.holds(week) }) {
			list = append(list, week)
		}
	}
	return list
}

// read brings one week up to the listing.
func (t *tenantIndex) read(ctx context.Context, monday int32, parts []store.SeriesIndexPart) error {
	b, q, newest := t.builder, store.SeriesIndexQuery{Kind: t.key.kind, Week: monday, After: -1}, int64(-1)
	for _, p := range parts {
		if p.Week == monday {
			newest = max(newest, p.MaxBlock)
		}
	}
	switch w := b.weeks[monday]; {
	case w == nil:
		t.index.metrics.loads.Inc()
	case w.mark >= newest:
		b.end(monday, nil, parts)
		return nil
	default:
		q.After = w.mark
	}
	c := b.begin(monday)
	if err := t.index.source.ScanSeriesIndex(ctx, t.key.tenant, q, c.add); err != nil {
		return err
	}
	b.end(monday, c, parts)
	return nil
}
