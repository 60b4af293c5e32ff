package backtest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/alerting/overlay"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// groupSamples is what the group's rules record during the backtest.
type groupSamples struct {
	kept    bool // some rule reads them
	overlay *overlay.Overlay
}

func newGroupSamples(x *run) *groupSamples {
	g := &groupSamples{overlay: overlay.New(x.source.Queryable(x.Tenant), timestamp.FromTime(x.first.Add(-x.Offset)))}
	for _, r := range x.Group.Rules {
		if r.Record != "" {
			g.overlay.Name(r.Record)
		} else {
			g.overlay.Name("ALERTS")
			g.overlay.Name("ALERTS_FOR_STATE")
		}
	}
	return g
}

// testedRule is one rule of the group with what has become of it.
type testedRule struct {
	*run
	rule     rules.Rule
	expr     string
	how      manner
	fetched  []promql.Vector // by step; nil where each step asks for itself
	matrix   promql.Matrix   // what was fetched or asked for, for the graph
	index    map[uint64]int  // series of matrix by hash, where it is built step by step
	before   map[uint64]labels.Labels
	open     map[uint64]*Firing
	waiting  map[uint64]bool // alerts that are pending
	result   RuleReport
	finished []Firing
}

func newTestedRule(x *run, r *rulefmt.Rule, how manner) *testedRule {
	t := &testedRule{
		run: x, rule: x.newRule(r, queryText(r.Expr)), expr: r.Expr, how: how, index: map[uint64]int{},
		open: map[uint64]*Firing{}, waiting: map[uint64]bool{},
	}
	t.result = RuleReport{Name: r.Alert + r.Record, Recording: r.Record != "", Expr: r.Expr}
	return t
}

// prefetch asks for all steps at once where that gives the same.
func (t *testedRule) prefetch(ctx context.Context) (err error) {
	if t.how == single {
		if total := t.steps; total > t.limits.Evaluations {
			t.left = 0
			return placed(t.spend(), t.rule.Name())
		}
		return nil
	}
	r := seamark.TimeRange{Start: t.at(0).Add(-t.Offset), End: t.at(t.steps - 1).Add(-t.Offset)}
	if t.how == layered {
		t.matrix, err = t.source.RangeOver(ctx, t.group.overlay, t.expr, r, t.Interval)
	} else {
		t.matrix, err = t.source.Range(ctx, Query{t.Tenant, t.Language, t.expr}, r, t.Interval)
	}
	if err != nil {
		return placed(err, t.rule.Name())
	}
	t.fetched = make([]promql.Vector, t.steps)
	start := timestamp.FromTime(r.Start)
	for _, s := range t.matrix {
		for _, p := range s.Floats {
			t.place(p.T-start, promql.Sample{Metric: s.Metric, T: p.T, F: p.F})
		}
		for _, p := range s.Histograms {
			t.place(p.T-start, promql.Sample{Metric: s.Metric, T: p.T, H: p.H})
		}
	}
	return nil
}

// place puts a sample into its step.
func (t *testedRule) place(after int64, s promql.Sample) {
	if step := int(after / t.Interval.Milliseconds()); step >= 0 && step < len(t.fetched) {
		t.fetched[step] = append(t.fetched[step], s)
	}
}

// release gives back what only the evaluation needs.
func (t *testedRule) release() { t.fetched, t.before = nil, nil }

// eval evaluates one step. An error ends the backtest; what fails for the rule alone is counted, as its health would show it.
func (t *testedRule) eval(ctx context.Context, step int) error {
	ts := t.at(step)
	var fatal error
	query := func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		if expr == t.expr && t.how != single && at.Equal(ts.Add(-t.Offset)) {
			return slices.Clone(t.fetched[step]), nil
		}
		v, err := t.ask(ctx, expr, at)
		if err != nil && fatal == nil && (seamark.KindOf(err) != seamark.Unprocessable || expr == t.expr) {
			fatal = err
		}
		return v, err
	}
	vector, err := t.rule.Eval(ctx, t.Offset, ts, query, t.ExternalURL, t.Group.Limit)
	if fatal != nil {
		return placed(fatal, t.rule.Name())
	}
	if err != nil {
		if t.result.Failures++; t.result.Failure == "" {
			t.result.Failure = err.Error()
		}
	}
	if alert, ok := t.rule.(*rules.AlertingRule); ok {
		t.follow(alert, step)
	}
	if err == nil && t.group.kept {
		t.record(vector, ts.Add(-t.Offset))
	}
	return nil
}

// ask makes a query of its own.
func (t *testedRule) ask(ctx context.Context, expr string, at time.Time) (v promql.Vector, err error) {
	if err := t.spend(); err != nil {
		return nil, err
	}
	if t.Language == "logql" {
		return t.source.Instant(ctx, Query{t.Tenant, t.Language, expr}, at)
	}
	if v, err = t.source.InstantOver(ctx, t.group.overlay, expr, at); err == nil && expr == t.expr {
		t.graph(v)
	}
	return v, err
}

// graph keeps what an evaluation gave, where no range query did.
func (t *testedRule) graph(v promql.Vector) {
	for _, s := range v {
		if s.H != nil {
			continue
		}
		key := s.Metric.Hash()
		at, known := t.index[key]
		if !known {
			at = len(t.matrix)
			t.index[key] = at
			t.matrix = append(t.matrix, promql.Series{Metric: s.Metric})
		}
		t.matrix[at].Floats = append(t.matrix[at].Floats, promql.FPoint{T: s.T, F: s.F})
	}
}

// record lays what the rule recorded over the store, and ends series that it does not give any more, as the rules manager does.
func (t *testedRule) record(v promql.Vector, at time.Time) {
	milli := timestamp.FromTime(at)
	now := make(map[uint64]labels.Labels, len(v))
	for _, s := range v {
		if s.H != nil {
			continue
		}
		now[s.Metric.Hash()] = s.Metric
		t.group.overlay.Add(s.Metric, s.T, s.F)
	}
	for key, ls := range t.before {
		if _, still := now[key]; !still {
			t.group.overlay.Add(ls, milli, math.Float64frombits(value.StaleNaN))
		}
	}
	t.before = now
}

// follow notes which alerts began and ended to fire.
func (t *testedRule) follow(rule *rules.AlertingRule, step int) {
	ts, counts := t.at(step), step >= t.skip
	firing, waiting := map[uint64]bool{}, map[uint64]bool{}
	rule.ForEachActiveAlert(func(a *rules.Alert) {
		key := a.Labels.Hash()
		switch a.State {
		case rules.StatePending:
			waiting[key] = true
		case rules.StateFiring:
			firing[key] = true
			t.fires(key, a, ts)
		}
	})
	for key, f := range t.open {
		if !firing[key] {
			f.End = ts
			delete(t.open, key)
			if counts {
				t.finished = append(t.finished, *f)
			}
		}
	}
	for key := range t.waiting {
		if counts && !waiting[key] && !firing[key] {
			t.result.Pending++
		}
	}
	t.waiting = waiting
	if counts && step > t.skip && len(firing) > 0 {
		t.result.FiringTime += t.Interval
	}
}

func (t *testedRule) fires(key uint64, a *rules.Alert, ts time.Time) {
	f := t.open[key]
	if f == nil {
		f = &Firing{Labels: a.Labels, Active: a.ActiveAt, Start: a.FiredAt, Peak: a.Value, PeakAt: ts}
		t.open[key] = f
	}
	f.Annotations = a.Annotations
	if a.Value > f.Peak || math.IsNaN(f.Peak) {
		f.Peak, f.PeakAt = a.Value, ts
	}
}

func (t *testedRule) report() RuleReport {
	r := t.result
	r.Stepwise = t.how == single
	all := t.finished
	for _, f := range t.open {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Firing) int {
		return cmp.Or(a.Start.Compare(b.Start), labels.Compare(a.Labels, b.Labels))
	})
	r.Fired, r.Firings = len(all), all[:min(len(all), t.limits.Firings)]
	r.SeriesTotal, r.Series = t.largest()
	if alert, ok := t.rule.(*rules.AlertingRule); ok {
		r.Active = t.active(alert)
	}
	return r
}

func (t *testedRule) active(rule *rules.AlertingRule) []Active {
	var list []Active
	for _, a := range rule.ActiveAlerts() {
		list = append(list, Active{Labels: a.Labels, Annotations: a.Annotations, Firing: a.State == rules.StateFiring, Since: a.ActiveAt, Value: a.Value})
	}
	slices.SortFunc(list, func(a, b Active) int { return labels.Compare(a.Labels, b.Labels) })
	return list[:min(len(list), t.limits.Firings)]
}

// largest returns the series of the expression with the largest values, within the range.
func (t *testedRule) largest() (total int, list []promql.Series) {
	from := timestamp.FromTime(t.at(t.skip).Add(-t.Offset))
	for _, s := range t.matrix {
		at, _ := slices.BinarySearchFunc(s.Floats, from, func(p promql.FPoint, t int64) int { return cmp.Compare(p.T, t) })
		if s.Floats = s.Floats[at:]; len(s.Floats) > 0 {
			list = append(list, s)
		}
	}
	peak := func(s promql.Series) float64 {
		most := math.Inf(-1)
		for _, p := range s.Floats {
			most = max(most, p.F)
		}
		return most
	}
	slices.SortStableFunc(list, func(a, b promql.Series) int {
		return cmp.Or(cmp.Compare(peak(b), peak(a)), labels.Compare(a.Metric, b.Metric))
	})
	return len(list), list[:min(len(list), t.limits.Series)]
}
