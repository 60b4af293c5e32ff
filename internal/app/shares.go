package app

import (
	"math"
	"sync"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// shares is what each tenant's statements have taken of ClickHouse's processors in the last seconds, as this node has seen it. It
// tells who crowds others out without an estimate of what a statement will take.
type shares struct {
	now     func() time.Time
	most    float64 // processors beyond which a tenant crowds out others
	mu      sync.Mutex
	tenants map[seamark.TenantID]share
}

type share struct {
	seconds float64 // of processors, decayed to at
	at      time.Time
}

const (
	// shareMemory is how long what was taken counts: long enough that a dashboard that is opened is none who crowds, short enough to see
	// a scan as one within three seconds.
	shareMemory = 5 * time.Second
	// crowdedShare is the part of the processors that one tenant may take beside others before it stands behind them.
	crowdedShare = 0.2
	// evenShare is how many times the active tenants' mean that is: tenants that all take much stand behind nobody.
	evenShare = 1.25
	// activeShare is the part from which on a tenant is one of the others.
	activeShare = 0.002
	// maxShares bounds what is remembered; the idle are forgotten first.
	maxShares = 10_000
)

func newShares(cpus int, now func() time.Time) *shares {
	return &shares{now: now, most: crowdedShare * float64(cpus), tenants: map[seamark.TenantID]share{}}
}

// take notes processor time of a tenant.
func (s *shares) take(tenant seamark.TenantID, micros uint64) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tenants) >= maxShares {
		for id, t := range s.tenants {
			if now.Sub(t.at) > shareMemory {
				delete(s.tenants, id)
			}
		}
	}
	s.tenants[tenant] = share{s.tenants[tenant].decayed(now) + float64(micros)/1e6, now}
}

func (s share) decayed(now time.Time) float64 {
	if s.at.IsZero() {
		return 0
	}
	return s.seconds * math.Exp(-float64(now.Sub(s.at))/float64(shareMemory))
}

// part is how many processors the tenant has had over shareMemory.
func (s share) part(now time.Time) float64 { return s.decayed(now) / shareMemory.Seconds() }

// crowds reports whether the tenant takes more than its part, and more than others who are there.
func (s *shares) crowds(tenant seamark.TenantID) bool {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.tenants[tenant].part(now)
	if own < s.most {
		return false
	}
	all, active := 0.0, 0
	for _, t := range s.tenants {
		if part := t.part(now); part > activeShare {
			all += part
			active++
		}
	}
	return active > 1 && own > evenShare*all/float64(active)
}
