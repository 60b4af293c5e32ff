package remotewrite

import (
	"sync"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// trails remembers the series of past requests in the order in which they came. Senders repeat their series in the same
// order at every scrape, so the series behind the one that was found last is mostly the next one: it lies next in memory,
// while the catalogue takes a lock and looks in a map that no cache holds.
//
// A trail is cut where a request ended, and the next scrape's requests begin and end elsewhere; so a request may enter a
// run in its middle, at the keys that are landmarks, and leave it at its end.
type trails struct {
	most int // entries

	mu        sync.RWMutex // guards what follows
	landmarks map[landmark]place
	runs      []*run // oldest first
	entries   int
}

// run is the series of one request. It does not change.
type run struct {
	cat     seamark.Catalog
	entries []entry
}

type entry struct {
	key    uint64
	series *seamark.Series
}

// landmark is a key in a catalogue. The catalogue is a part of it because tenants may send the same labels, and one's
// series must never stand for another's.
type landmark struct {
	cat seamark.Catalog
	key uint64
}

// place is an entry of a run.
type place struct {
	run *run
	at  int
}

const (
	// One key of landmarkEvery is a landmark. Without a landmark for every key, entering a run takes as many look-ups on
	// average; with one, the landmarks would cost as much memory and as many cache misses as the catalogue.
	landmarkEvery = 16
	// lookAhead is how many series may be missing from a run before it is left: those of a pod that is gone.
	lookAhead = 8
	// A request is remembered when it has as many series, and when more than one in rememberMisses was not foreseen.
	rememberSeries, rememberMisses = 2 * landmarkEvery, 8
)

func isLandmark(key uint64) bool { return key%landmarkEvery == 0 }

// walk is one request's way along the trails.
type walk struct {
	run    *run
	at     int // the next entry of run
	misses int
}

// find returns the series under key, foreseen or from the catalogue; nil when it is new.
func (s *state) find(key uint64) *seamark.Series {
	if s.trails == nil {
		return s.cat.Find(key)
	}
	if w := &s.walk; w.run != nil {
		ahead := w.run.entries[w.at:]
		for i := range min(lookAhead, len(ahead)) {
			if ahead[i].key == key {
				w.at += i + 1
				s.trail = append(s.trail, ahead[i])
				return ahead[i].series
			}
		}
	}
	s.misses++
	series := s.cat.Find(key)
	if series == nil {
		return nil
	}
	s.trail = append(s.trail, entry{key, series})
	if isLandmark(key) {
		s.trails.mu.RLock()
		p, known := s.trails.landmarks[landmark{s.cat, key}]
		s.trails.mu.RUnlock()
		if known {
			s.run, s.at = p.run, p.at+1
		}
	}
	return series
}

// remember adds the request's series as a run, when there was none to foresee them, and forgets the oldest runs beyond
// the limit.
func (t *trails) remember(cat seamark.Catalog, trail []entry, misses int) {
	if len(trail) < rememberSeries || len(trail) > t.most || misses <= len(trail)/rememberMisses {
		return
	}
	added := &run{cat, append(make([]entry, 0, len(trail)), trail...)}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, e := range added.entries {
		if isLandmark(e.key) {
			t.landmarks[landmark{cat, e.key}] = place{added, i}
		}
	}
	t.runs, t.entries = append(t.runs, added), t.entries+len(added.entries)
	for t.entries > t.most {
		t.forgetLocked(t.runs[0])
		t.runs[0] = nil
		t.runs = t.runs[1:]
	}
}

func (t *trails) forgetLocked(r *run) {
	for _, e := range r.entries {
		if key := (landmark{r.cat, e.key}); isLandmark(e.key) && t.landmarks[key].run == r {
			delete(t.landmarks, key)
		}
	}
	t.entries -= len(r.entries)
}
