package quota

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// scopeKey names what a limit belongs to: a tenant, or with a cluster that cluster.
type scopeKey struct {
	tenant  seamark.TenantID
	cluster seamark.ClusterID
}

// String returns the key as it stands in documents.
func (k scopeKey) String() string {
	if k.cluster == "" {
		return string(k.tenant)
	}
	return string(k.tenant) + "." + string(k.cluster)
}

// scope is what this node knows of the use of one tenant or one cluster.
type scope struct {
	key    scopeKey
	name   string // the cluster's, for messages
	parent *scope // the tenant of a cluster, nil of a tenant

	sets   [kinds]activeSet
	gateMu sync.Mutex  // guards gates of the scope and, in a tenant, of its clusters; taken before a set's lock
	gates  [kinds]gate // guarded by the tenant's gateMu

	changes atomic.Uint64 // Options.Changes when the limits were taken over

	mu        sync.Mutex // guards what follows; a tenant's is taken before its cluster's
	set       Limits     // as set, for the limits of one request
	limits    Limits
	share     float64 // of the limits, that this node may use; 0 until a request comes
	woken     bool    // share is a first one, that the others have not been told of
	bytes     bucket
	rows      bucket
	asked     load  // what senders tried
	taken     load  // what was admitted
	elseAsked load  // what senders tried at other nodes
	today     int64 // bytes admitted here since the day or the process began
	elsewhere int64 // bytes of the day that others have noted, or this node before it was restarted
	last      time.Time
}

// load is a rate of bytes and of rows, and the size of a request in the mean.
type load struct {
	bytes, rows, requests meter
}

func (l *load) add(bytes, rows int64) {
	l.bytes.add(bytes)
	l.rows.add(rows)
	l.requests.add(1)
}

func (l *load) tick(passed time.Duration) {
	l.bytes.tick(passed)
	l.rows.tick(passed)
	l.requests.tick(passed)
}

// root returns the scope of the tenant.
func (s *scope) root() *scope {
	if s.parent != nil {
		return s.parent
	}
	return s
}

// configure takes over what was set.
func (s *scope) configure(now time.Time, set, limits Limits) {
	s.mu.Lock()
	s.set, s.limits = set, limits
	s.retuneLocked(now)
	s.mu.Unlock()
	root := s.root()
	root.gateMu.Lock()
	s.gates[series].limit, s.gates[streams].limit = limits.ActiveSeries, limits.ActiveStreams
	root.gateMu.Unlock()
}

// retuneLocked brings the buckets to the limits and the share. The caller holds mu.
func (s *scope) retuneLocked(now time.Time) {
	l := &s.limits
	s.bytes.set(now, s.share*float64(l.BytesPerSecond), s.share*float64(l.BytesBurst))
	s.rows.set(now, s.share*float64(l.RowsPerSecond), s.share*float64(l.RowsBurst))
}

// use makes share the part of the limits that this node uses.
func (s *scope) use(now time.Time, share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share = share
	s.retuneLocked(now)
}

// wakeLocked gives a scope that had been quiet its first share. The caller holds mu.
func (s *scope) wakeLocked(now time.Time, first func(scopeKey) float64) {
	s.last = now
	if s.share == 0 {
		s.share, s.woken = first(s.key), true
		s.retuneLocked(now)
	}
}

// demandLocked returns what senders ask for as a part of the limit. The caller holds mu.
func (s *scope) demandLocked() float64 {
	part := func(rate float64, limit int64) float64 {
		if limit == 0 {
			return 0
		}
		return rate / float64(limit)
	}
	return max(part(s.asked.bytes.rate, s.limits.BytesPerSecond), part(s.asked.rows.rate, s.limits.RowsPerSecond))
}

// refusal is a limit that does not let a request pass.
type refusal struct {
	scope *scope
	limit limitName
	rate  float64 // of what is limited, at all nodes together
	most  int64
	wait  time.Duration
}

// limitName names a limit as it stands in the API; its flag has hyphens.
type limitName string

const (
	bytesLimit limitName = "bytes_per_second"
	rowsLimit  limitName = "rows_per_second"
	dailyLimit limitName = "daily_bytes"
)

// refusalLocked returns what does not let a request pass now, or nil. The caller holds mu.
func (s *scope) refusalLocked(now time.Time) *refusal {
	if most := s.limits.DailyBytes; most > 0 && s.today+s.elsewhere >= most {
		midnight := now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
		return &refusal{s, dailyLimit, float64(s.today + s.elsewhere), most, min(maxRetryAfter, midnight.Sub(now))}
	}
	if wait := s.bytes.wait(now); wait > 0 {
		return &refusal{s, bytesLimit, s.asked.bytes.rate + s.elseAsked.bytes.rate, s.limits.BytesPerSecond, wait}
	}
	if wait := s.rows.wait(now); wait > 0 {
		return &refusal{s, rowsLimit, s.asked.rows.rate + s.elseAsked.rows.rate, s.limits.RowsPerSecond, wait}
	}
	return nil
}

// takeLocked charges a request, or with negative numbers gives it back. The caller holds mu.
func (s *scope) takeLocked(bytes, rows int64) {
	s.bytes.take(bytes)
	s.rows.take(rows)
	s.today = max(0, s.today+bytes)
	s.taken.bytes.add(bytes)
	s.taken.rows.add(rows)
}
