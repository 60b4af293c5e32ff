package quota

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// idleAfter is how long a scope without requests is kept: longer than a series stays active.
const idleAfter = 2 * time.Hour

// Refresh shares the limits anew: it reads what the other nodes say, takes what its part shrinks to at once, tells the
// others, and takes what its part grows to once they can know. An error leaves the parts as they are, or smaller. Run
// calls it; tests call it by their own clock.
func (l *Limiter) Refresh(ctx context.Context) error {
	l.refreshing.Lock()
	defer l.refreshing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	now := l.opts.Now()
	scopes := l.turn(now)
	err := l.board.read(ctx, now)
	if err == nil {
		err = l.share(ctx, now, scopes, l.look(now))
	}
	if err == nil && now.Sub(l.flushed) >= l.opts.Flush {
		err = l.flush(ctx, now, scopes)
	}
	if err != nil {
		l.metrics.failures.Inc()
	}
	return err
}

// turn closes the interval since the last refresh: rates, the day, the epoch, limits that were changed, scopes that are
// not used any more. It returns the scopes in use, tenants before their clusters.
func (l *Limiter) turn(now time.Time) []*scope {
	passed := now.Sub(l.last)
	l.last = now
	newDay := l.usage.turn(now)
	epoch := epochOf(now)
	newEpoch := l.epoch.Swap(epoch) != epoch
	scopes := l.list()
	for _, s := range scopes {
		l.configure(s, now)
		if newEpoch {
			s.expireActive(epoch)
		}
		s.mu.Lock()
		s.asked.tick(passed)
		s.taken.tick(passed)
		if newDay {
			s.today, s.elsewhere = 0, 0
		}
		s.mu.Unlock()
	}
	return slices.DeleteFunc(scopes, func(s *scope) bool { return l.drop(s, now) })
}

// list returns the scopes, tenants first.
func (l *Limiter) list() []*scope {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.SortedFunc(maps.Values(l.scopes), func(a, b *scope) int {
		switch {
		case a.parent == nil && b.parent != nil:
			return -1
		case a.parent != nil && b.parent == nil:
			return 1
		}
		return 0
	})
}

// drop forgets a scope that nobody has used for long. What it has sent today stays in the account. A tenant outlives its
// clusters, because their requests wake it, too.
func (l *Limiter) drop(s *scope, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.last) < idleAfter {
		return false
	}
	if s.parent == nil {
		for _, other := range l.scopes {
			if other.parent == s {
				return false
			}
		}
	}
	if s.today > 0 {
		l.usage.base[s.key.String()] += s.today
		s.today = 0
	}
	delete(l.scopes, s.key)
	return true
}

// look makes what was read of the other nodes known to requests.
func (l *Limiter) look(now time.Time) *view {
	others := l.board.others(now)
	v := &view{nodes: len(others) + 1, stakes: map[string][]Stake{}}
	for _, other := range others {
		for key, s := range other.Scopes {
			v.stakes[key] = append(v.stakes[key], s)
		}
	}
	l.view.Store(v)
	l.metrics.nodes.Set(float64(v.nodes))
	return v
}

// share settles every scope's share with the other nodes.
func (l *Limiter) share(ctx context.Context, now time.Time, scopes []*scope, v *view) error {
	told, grown, parts := map[string]Stake{}, map[*scope]float64{}, partsOf(scopes)
	for _, s := range scopes {
		key := s.key.String()
		others := v.stakes[key]
		mine, grows := s.settle(now, others, v.nodes)
		if grows {
			grown[s] = mine.Share
		}
		s.settleActive(&mine, others, parts[s], v.nodes)
		if mine.Demand > 0 || mine.Share > 0 || mine.Active != [2]int64{} {
			told[key] = mine
		}
	}
	taken, err := l.board.publish(ctx, now, told)
	if err != nil {
		return err
	}
	if taken {
		l.usage.leave()
		l.flushed = time.Time{} // the new slot's account is read at once
	}
	for s, share := range grown {
		s.use(now, share)
	}
	return nil
}

// partsOf maps each scope to those whose sets make up its own: a tenant's are its clusters'.
func partsOf(scopes []*scope) map[*scope][]*scope {
	parts := make(map[*scope][]*scope, len(scopes))
	for _, s := range scopes {
		parts[s] = append(parts[s], s)
		if s.parent != nil {
			parts[s.parent] = append(parts[s.parent], s)
		}
	}
	return parts
}

// settle computes the scope's next share. A smaller one holds at once; a larger one waits until the others can know of it.
func (s *scope) settle(now time.Time, others []Stake, nodes int) (told Stake, grows bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.elseAsked = load{}
	for i := range others {
		s.elseAsked.bytes.rate += float64(others[i].Asked[0])
		s.elseAsked.rows.rate += float64(others[i].Asked[1])
	}
	demand := s.demandLocked()
	next := 0.0 // a quiet scope holds nothing, and starts with firstShare
	if s.asked.requests.rate > 0 {
		next = nextShare(stake{demand, s.share}, stakesOf(others), nodes)
	}
	if s.woken && nodes > 1 {
		next = min(next, s.share) // all nodes may have woken at once, and none has told the others yet
	}
	s.woken = false
	if grows = next > s.share; !grows {
		s.share = next
		if next > 0 {
			s.retuneLocked(now)
		}
	}
	whole := func(l *load) [2]int64 { return [2]int64{int64(l.bytes.rate), int64(l.rows.rate)} }
	return Stake{Demand: demand, Share: next, Asked: whole(&s.asked), Taken: whole(&s.taken)}, grows
}

// settleActive tells how many series and streams are active here, and works out how many new ones may come until the next
// refresh. The same series may be active at several nodes, so near the limit sketches tell how many there are in all.
func (s *scope) settleActive(mine *Stake, others []Stake, sets []*scope, nodes int) {
	part := mine.Share
	if part == 0 {
		part = 1 / float64(nodes) // a quiet node may be asked before it refreshes again
	}
	root := s.root()
	root.gateMu.Lock()
	defer root.gateMu.Unlock()
	for what := range kinds {
		g := &s.gates[what]
		mine.Active[what] = g.count
		most, all := g.count, g.count
		for i := range others {
			most, all = max(most, others[i].Active[what]), all+others[i].Active[what]
		}
		g.shared = g.limit > 0 && all > g.count
		if !g.shared {
			continue
		}
		if all > g.limit/2 {
			var own sketch
			for _, set := range sets {
				set.sets[what].mergeInto(&own)
			}
			mine.setSketch(what, own[:])
			all = max(most, union(own, others, what))
		}
		g.grant = int64(float64(max(0, g.limit-all)) * part)
	}
}

func (s *Stake) setSketch(what kind, text []byte) {
	if what == series {
		s.Sketch = slices.Clone(text)
		return
	}
	s.Sketch2 = slices.Clone(text)
}

// union estimates how many different ones all nodes have together. A node that has not sent its sketch yet counts whole.
func union(own sketch, others []Stake, what kind) int64 {
	apart := int64(0)
	for i := range others {
		if !own.merge(others[i].sketchOf(what)) {
			apart += others[i].Active[what]
		}
	}
	return own.estimate() + apart
}

// Settle writes the day's account without learning the others', for a process that may be stopped before its next refresh.
func (l *Limiter) Settle(ctx context.Context) error {
	l.refreshing.Lock()
	defer l.refreshing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	return l.usage.write(ctx, l.countToday())
}

// flush writes the day's account and learns the others'.
func (l *Limiter) flush(ctx context.Context, now time.Time, scopes []*scope) error {
	if l.board.mine < 0 {
		return errors.New("quota: no slot to write the day's bytes to")
	}
	if err := l.usage.sync(ctx, l.countToday(), len(l.board.rows), l.board.mine); err != nil {
		return err
	}
	l.flushed = now
	for _, s := range scopes {
		elsewhere := l.usage.at(s.key)
		s.mu.Lock()
		s.elsewhere = elsewhere
		s.mu.Unlock()
	}
	return nil
}

// countToday returns what this process has admitted today.
func (l *Limiter) countToday() map[string]int64 {
	own := map[string]int64{}
	for _, s := range l.list() {
		s.mu.Lock()
		if s.today > 0 {
			own[s.key.String()] = s.today
		}
		s.mu.Unlock()
	}
	return own
}
