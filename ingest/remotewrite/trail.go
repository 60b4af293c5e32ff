package remotewrite

import (
	"sync"

	"github.com/cespare/xxhash/v2"

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
	key        uint64
	series     *seamark.Series
	labelBytes uint32 // of the labels as 1.0 sends them; 0 in 2.0
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

// foresee returns the next entry of the trail when message, a TimeSeries of 1.0, begins with its labels; nil when it does
// not. It spares the walk over the labels to find their end. What follows the labels is not looked at.
func (s *state) foresee(message []byte) *entry {
	if s.run == nil || s.at >= len(s.run.entries) {
		return nil
	}
	e := &s.run.entries[s.at]
	if n := int(e.labelBytes); n == 0 || n >= len(message) || xxhash.Sum64(message[:n])^keySpace != e.key {
		return nil
	}
	return e
}

// follow takes the entry that foresee returned, and returns its series.
func (s *state) follow(e *entry) *seamark.Series {
	s.at++
	s.trail = append(s.trail, *e)
	return e.series
}

// find returns the series under key, foreseen or from the catalogue; nil when it is new.
func (s *state) find(key uint64, labelBytes int) *seamark.Series {
	if s.trails == nil {
		return s.cat.Find(key)
	}
	if s.run != nil {
		ahead := s.run.entries[s.at:]
		for i := range min(lookAhead, len(ahead)) {
			if ahead[i].key == key {
				s.at += i
				return s.follow(&ahead[i])
			}
		}
	}
	series := s.cat.Find(key)
	if series == nil {
		return nil
	}
	s.missed(key, series, labelBytes)
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

// create interns s.labels, without the replica, under key.
func (s *state) create(key uint64, labelBytes int) (*seamark.Series, error) {
	kept := s.labels[:0]
	for _, l := range s.labels {
		if l.Name != replicaLabel {
			kept = append(kept, l)
		}
	}
	series, err := s.cat.Create(key, seamark.MetricSeries, kept)
	if err == nil && s.trails != nil {
		s.missed(key, series, labelBytes)
	}
	return series, err
}

// missed notes a series that was not foreseen.
func (s *state) missed(key uint64, series *seamark.Series, labelBytes int) {
	s.misses++
	s.trail = append(s.trail, entry{key, series, uint32(labelBytes)})
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
