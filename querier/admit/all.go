package admit

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// ListAll returns the queries of all tenants that wait or run on this node, the oldest first. It is for operators, and for what
// looks for the query that an engine died of.
func (a *Admission) ListAll() []Info {
	a.mu.Lock()
	tenants := slices.Collect(maps.Keys(a.tenants))
	a.mu.Unlock()
	var list []Info
	for _, id := range tenants {
		list = append(list, a.List(id)...)
	}
	slices.SortFunc(list, func(x, y Info) int { return cmp.Or(x.Begun.Compare(y.Begun), cmp.Compare(x.ID, y.ID)) })
	return list
}

// forJob returns the limits of a background job: what it may read and how long it may run is its own, and its answer is kept in a
// place with a limit of its own.
func forJob(l Limits) Limits {
	l.QueryMaxBytes, l.QueryMaxSeconds = l.QueryJobBytes, l.QueryJobSeconds
	l.QueryMaxRows, l.QueryMaxResultBytes = 0, 0
	return l
}

// Estimate returns what the query is expected to read; zero while that is not known.
func (q *Query) Estimate() Estimate {
	if q == nil {
		return Estimate{}
	}
	q.owner.mu.Lock()
	defer q.owner.mu.Unlock()
	return q.state.estimate
}

// CancelBy is Cancel in somebody's name, which the query's caller is told.
func (a *Admission) CancelBy(tenant seamark.TenantID, id, by string) bool {
	a.mu.Lock()
	t := a.tenants[tenant]
	var q *Query
	if t != nil {
		q = t.queries[id]
	}
	a.mu.Unlock()
	if q == nil {
		return false
	}
	q.fail(seamark.Errorf(seamark.Canceled, "seamark-query-canceled", "The query was cancelled by %s.", by))
	return true
}
