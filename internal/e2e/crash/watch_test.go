package crash

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// watch sees every answer that the senders get.
type watch struct {
	mu   sync.Mutex // guards since and seen
	mark time.Time
	seen map[int]*answers // by status; 0 is a connection that broke
}

// answers are those of one status.
type answers struct {
	took    []time.Duration
	slowest time.Duration
	sample  string // body of the slowest
	hasty   int    // 503 without Retry-After
}

func (n answers) count() int { return len(n.took) }

// within returns the time that a share of the answers took at most.
func (n answers) within(share float64) time.Duration {
	if len(n.took) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(n.took))[int(share*float64(len(n.took)-1))]
}

// restart forgets what was seen. Answers to requests that were under way then are not counted either.
func (w *watch) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mark, w.seen = time.Now(), map[int]*answers{}
}

// note adds an answer.
func (w *watch) note(a *harness.Answer, err error, begin time.Time, took time.Duration) {
	status, sample, hasty := 0, "", false
	if err != nil {
		sample = err.Error()
	} else {
		status, sample = a.Status, string(a.Body[:min(len(a.Body), 200)])
		hasty = a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") == ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil || begin.Before(w.mark) {
		return
	}
	n := w.seen[status]
	if n == nil {
		n = &answers{}
		w.seen[status] = n
	}
	n.took = append(n.took, took)
	if took >= n.slowest {
		n.slowest, n.sample = took, sample
	}
	if hasty {
		n.hasty++
	}
}

// snapshot returns what was seen since the restart.
func (w *watch) snapshot() sightings {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := sightings{}
	for status, n := range w.seen {
		list[status] = answers{slices.Clone(n.took), n.slowest, n.sample, n.hasty}
	}
	return list
}

// sightings are answers by status.
type sightings map[int]answers

// String lists them.
func (s sightings) String() string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(s)) {
		n := s[status]
		parts = append(parts, fmt.Sprintf("%d: %d answers, 9 of 10 within %s, slowest %s %q", status, n.count(),
			n.within(.9).Round(time.Millisecond), n.slowest.Round(time.Millisecond), n.sample))
	}
	return strings.Join(parts, "; ")
}

// good counts the answers of success.
func (s sightings) good() int {
	return s[http.StatusOK].count() + s[http.StatusNoContent].count() + s[http.StatusAccepted].count()
}

const (
	// atOnce bounds nine of ten answers; the rest is left to a machine that does other things too.
	atOnce = time.Second
	// acknowledged is the bus's own time-out: an answer after it is one that waited for something that did not come.
	acknowledged = 5 * time.Second
)

// only fails the test for answers of other statuses, for slow ones, and for a 503 that does not say when to come back.
func (s sightings) only(t *testing.T, statuses ...int) {
	t.Helper()
	for status, n := range s {
		if !slices.Contains(statuses, status) || n.within(.9) > atOnce || n.slowest >= acknowledged || n.hasty > 0 {
			t.Errorf("answers %s; want only %v, at once, and Retry-After with 503", s, statuses)
			return
		}
	}
}
