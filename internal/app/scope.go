package app

import (
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/audit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/logexplore"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/promql"
	"github.com/seamarkhq/seamark/querier/scoped"
)

// Who is restricted to a part of a tenant reads through engines that package scoped has narrowed; for all others these are
// the engines themselves.

func narrowMetrics(e *promql.Engine, scope seamark.Scope) *promql.Engine {
	return e.Within(scope.Only, scoped.Metrics)
}

func narrowLogs(e *logqlengine.Engine, scope seamark.Scope) *logqlengine.Engine {
	return e.Within(scope.Only, scoped.Logs)
}

func (l logExplorerAPI) within(scope seamark.Scope) *logexplore.Explorer {
	return l.explorer.Within(scope.Only, scoped.Explored, narrowLogs(l.engine, scope))
}

func (e eventAPI) within(scope seamark.Scope) *events.Searcher {
	return e.searcher.Within(scope.Only, scoped.Events)
}

func (a auditAPI) within(scope seamark.Scope) *audit.Searcher {
	return a.searcher.Within(scope.Only, scoped.Audit)
}
