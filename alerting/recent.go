package alerting

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/alerting/overlay"
)

// recentWindow is how long samples are held: longer than the writer of a platform that works takes to store them, and no longer than
// alerts of groups that read themselves are worth the memory.
const recentWindow = 2 * time.Minute

// recent holds what the groups of a tenant have recorded in the last evaluations, ALERTS included, for groups in which a rule reads
// what the group records. Such a rule sees at once what rules before it have recorded, as Prometheus promises, although that is on
// its way over the bus.
type recent struct {
	parser    parser.Parser
	queryable storage.Queryable
	over      func(q storage.Queryable) rules.QueryFunc // nil: everything is read from the store

	mu     sync.Mutex // guards groups
	groups map[string]*overlay.Overlay
}

func newRecent(queryable storage.Queryable, over func(q storage.Queryable) rules.QueryFunc) *recent {
	return &recent{parser: newParser(), queryable: queryable, over: over, groups: map[string]*overlay.Overlay{}}
}

// replace takes the groups over that run from now on; what groups that stay have recorded is kept.
func (r *recent) replace(groups []RuleGroup) {
	if r.over == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.groups
	r.groups = map[string]*overlay.Overlay{}
	for i := range groups {
		g := &groups[i]
		if g.Language != PromQL || !r.readsItself(g) {
			continue
		}
		key := rules.GroupKey(g.Namespace, g.Group.Name)
		if r.groups[key] = old[key]; r.groups[key] == nil {
			r.groups[key] = overlay.New(r.queryable, math.MaxInt64)
		}
	}
}

// readsItself reports whether a rule of the group may select what the group records.
func (r *recent) readsItself(g *RuleGroup) bool {
	made := overlay.New(nil, math.MaxInt64)
	for _, rule := range g.Group.Rules {
		if rule.Record != "" {
			made.Name(rule.Record)
		} else {
			made.Name(alertMetric)
			made.Name(alertForStateMetric)
		}
	}
	return slices.ContainsFunc(g.Group.Rules, func(rule rulefmt.Rule) bool {
		expr, err := r.parser.ParseExpr(rule.Expr)
		return err == nil && made.Concerns(expr)
	})
}

// The series that the rules manager makes of alerts.
const (
	alertMetric         = "ALERTS"
	alertForStateMetric = "ALERTS_FOR_STATE"
)

// note adds samples that a group has recorded.
func (r *recent) note(ctx context.Context, samples []Sample) {
	held := r.of(ctx)
	if held == nil || len(samples) == 0 {
		return
	}
	held.Trim(samples[0].TimeMilli - recentWindow.Milliseconds())
	for i := range samples {
		held.Add(samples[i].Labels, samples[i].TimeMilli, samples[i].Value)
	}
}

// queryFunc returns query for expressions that do not concern what was just recorded, and a query over both for those that do.
func (r *recent) queryFunc(query rules.QueryFunc) rules.QueryFunc {
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if held := r.of(ctx); held != nil {
			if parsed, err := r.parser.ParseExpr(expr); err == nil && held.Concerns(parsed) {
				return r.over(held)(ctx, expr, at)
			}
		}
		return query(ctx, expr, at)
	}
}

// of returns what the group that ctx evaluates has recorded; nil where no rule of it reads that.
func (r *recent) of(ctx context.Context) *overlay.Overlay {
	file, name := originOf(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.groups[rules.GroupKey(namespaceOf(file), name)]
}
