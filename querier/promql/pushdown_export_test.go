package promql

import "github.com/prometheus/prometheus/promql"

// NewPushdown puts the pushdown before any engine that drops names at the end of a query.
func NewPushdown(engine promql.QueryEngine, maxSamples int) promql.QueryEngine {
	return &pushdown{engine: engine, maxSamples: maxSamples, workers: 2, delayedNames: true}
}

// Pushed reports whether a part of the query was answered by package grid.
func Pushed(q promql.Query) bool {
	if shared, ok := q.(*sharedQuery); ok {
		q = shared.Query
	}
	r, ok := q.(*rewrittenQuery)
	return ok && !r.fellBack
}

// Users returns how many callers wait for executions that are under way.
func Users(e *Engine) int {
	e.flights.mu.Lock()
	defer e.flights.mu.Unlock()
	n := 0
	for _, one := range e.flights.byKey {
		n += one.users
	}
	return n
}
