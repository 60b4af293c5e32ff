// Package detect evaluates the tenants' detectors: it asks for what their series were, are and report, has package insight judge
// it, keeps where each alert stands over restarts and hands alerts to the tenant's Alertmanager. Everything it reads comes through
// Source, so that a preview of the past and the scoring of seeded incidents run this code and no other. It imports no querier and
// no api; app wires it.
package detect

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Source is what detectors read. All of it is a tenant's own data, asked for as class rule under the tenant's budgets. The caller
// owns what is returned. Implementations are safe for concurrent use.
type Source interface {
	// Range evaluates an expression at every step of a range.
	Range(ctx context.Context, tenant seamark.TenantID, q RangeQuery) ([]insight.Series, error)
	// Patterns returns the templates of log lines that changed between two ranges, the surest change first.
	Patterns(ctx context.Context, tenant seamark.TenantID, q PatternQuery) ([]Pattern, error)
	// Arrivals counts, for what reports a signal, in which steps it did: values above zero.
	Arrivals(ctx context.Context, tenant seamark.TenantID, q ArrivalQuery) ([]insight.Series, error)
}

// RangeQuery asks for the values of an expression.
type RangeQuery struct {
	Language, Expr string
	Start, End     time.Time // both included
	Step           time.Duration
	Limit          int // of series: with more of them the query fails
}

// PatternQuery asks for changes of templates.
type PatternQuery struct {
	Selector      string // of streams; "" is all
	Change        string // new, vanished or spiking
	Range, Before seamark.TimeRange
	Limit         int
}

// Pattern is a template that changed.
type Pattern struct {
	ID            uint64
	Text          string
	Groups        []string // of streams that it came from
	Levels        []string
	Lines, Before uint64
	Expected      float64 // lines, had the rate not changed
	Ratio         float64 // of the rates; 0 where it did not come before
	Reason        string  // a sentence
}

// ArrivalQuery asks when a signal arrived.
type ArrivalQuery struct {
	Signal     string
	Selector   string // of series or streams, in braces; "" is the signal's own
	By         []string
	Start, End time.Time
	Step       time.Duration
	Limit      int
}
