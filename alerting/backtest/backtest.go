// Package backtest evaluates a rule group over stored history, as the rules manager would have: the alerts' states come from the
// same code, Prometheus' own, one step after the other. What it reads is handed in. Package app imports it.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Source evaluates expressions over a tenant's stored data. Callers own what it returns.
type Source interface {
	// Instant and Range evaluate an expression of a language, promql or logql.
	Instant(ctx context.Context, q Query, at time.Time) (promql.Vector, error)
	Range(ctx context.Context, q Query, r seamark.TimeRange, step time.Duration) (promql.Matrix, error)
	// InstantOver and RangeOver evaluate PromQL over data, which reads through Queryable.
	InstantOver(ctx context.Context, data storage.Queryable, expr string, at time.Time) (promql.Vector, error)
	RangeOver(ctx context.Context, data storage.Queryable, expr string, r seamark.TimeRange, step time.Duration) (promql.Matrix, error)
	// Queryable reads the tenant's series.
	Queryable(tenant seamark.TenantID) storage.Queryable
}

// Query is an expression and whose data it reads.
type Query struct {
	Tenant   seamark.TenantID
	Language string // promql or logql
	Expr     string
}

// Limits bounds one backtest.
type Limits struct {
	// Steps bounds the evaluations of a rule that are read by one range query. It is the bound of range queries, too.
	Steps int
	// Evaluations bounds those that are queries of their own: of rules that read what the group itself records later, and of
	// templates. Without it a month of a small interval is tens of thousands of queries.
	Evaluations int
	// Series and Firings bound what is answered of one rule; counts stay exact.
	Series, Firings int
}

// DefaultLimits returns the limits of a server that sets none.
func DefaultLimits() Limits {
	return Limits{Steps: 11_000, Evaluations: 1500, Series: 50, Firings: 500}
}

// Options configures a Tester.
type Options struct {
	Source Source
	Limits Limits
}

// Tester runs backtests. It is safe for concurrent use.
type Tester struct{ opts Options }

// New makes a Tester.
func New(o Options) (*Tester, error) {
	l := o.Limits
	if o.Source == nil || l.Steps < 1 || l.Evaluations < 1 || l.Series < 1 || l.Firings < 1 {
		return nil, errors.New("backtest: Source and positive Limits are required")
	}
	return &Tester{o}, nil
}

// Request is one backtest, or a dry run where Range has one moment.
type Request struct {
	Tenant   seamark.TenantID
	Language string
	Group    rulefmt.RuleGroup // valid
	Range    seamark.TimeRange
	// Interval is how often the rules are evaluated; Offset how far behind that time expressions are.
	Interval, Offset time.Duration
	// ExternalURL is for templates; nil is none.
	ExternalURL *url.URL
}

// Report is what the group would have done.
type Report struct {
	Start, End time.Time // of the range: the first and the last evaluation that counts
	Interval   time.Duration
	Steps      int           // evaluations within the range
	WarmUp     time.Duration // that was evaluated before the range, for alerts that were pending when it began
	Rules      []RuleReport
}

// RuleReport is what one rule would have done.
type RuleReport struct {
	Name      string
	Recording bool
	Expr      string
	// Stepwise says that each evaluation was a query of its own.
	Stepwise bool
	// Fired counts all firings, Pending alerts that ended before they fired.
	Fired, Pending int
	FiringTime     time.Duration // in which at least one alert fired
	Firings        []Firing      // the first of them, by start
	// Active are the alerts at the end of the range.
	Active []Active
	// Failures counts evaluations that failed, and Failure is the first one's reason.
	Failures int
	Failure  string
	// SeriesTotal counts the series of the expression; Series are those with the largest values.
	SeriesTotal int
	Series      []promql.Series
}

// Firing is one time an alert fired.
type Firing struct {
	Labels, Annotations labels.Labels
	Active              time.Time // since when the condition held
	Start, End          time.Time // End is zero while it fires at the end of the range
	Peak                float64   // the largest value while it was active
	PeakAt              time.Time
}

// Active is an alert at the end of the range.
type Active struct {
	Labels, Annotations labels.Labels
	Firing              bool // else pending
	Since               time.Time
	Value               float64
}

// Run evaluates the group over the range. Errors are of kind Invalid for a range of too many steps, and what the source says.
func (t *Tester) Run(ctx context.Context, r *Request) (*Report, error) {
	run, err := t.newRun(r)
	if err != nil {
		return nil, err
	}
	if err := run.evaluate(ctx); err != nil {
		return nil, err
	}
	return run.report(), nil
}

// run is one backtest under way.
type run struct {
	*Request
	source Source
	limits Limits
	warmUp time.Duration
	first  time.Time // evaluation, the warm-up's included
	steps  int       // evaluations from first on
	skip   int       // of them before the range
	rules  []*testedRule
	group  *groupSamples
	left   int // queries of their own that may still be made
}

func (t *Tester) newRun(r *Request) (*run, error) {
	if err := r.Range.Validate(); err != nil && !r.Range.Start.Equal(r.Range.End) { // one moment is a dry run
		return nil, err
	}
	if r.Interval <= 0 {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-backtest-interval", "The interval %s must be longer than zero.", r.Interval)
	}
	x := &run{Request: r, source: t.opts.Source, limits: t.opts.Limits, left: t.opts.Limits.Evaluations}
	inRange := int64(r.Range.End.Sub(r.Range.Start)/r.Interval) + 1
	if inRange > int64(x.limits.Steps) {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-backtest-steps",
			"A range of %s in steps of %s has %d evaluations of each rule, %d more than the limit of %d for every tenant (--alerting.backtest-max-steps). Ask for a larger interval or a shorter range.",
			r.Range.End.Sub(r.Range.Start), r.Interval, inRange, inRange-int64(x.limits.Steps), x.limits.Steps)
	}
	hold := time.Duration(0)
	for _, rule := range r.Group.Rules {
		hold = max(hold, time.Duration(rule.For)+time.Duration(rule.KeepFiringFor))
	}
	x.skip = min(int((hold+r.Interval-1)/r.Interval), x.limits.Steps-int(inRange))
	x.warmUp = time.Duration(x.skip) * r.Interval
	x.first, x.steps = r.Range.Start.Add(-x.warmUp), int(inRange)+x.skip
	if err := x.plan(); err != nil {
		return nil, err
	}
	return x, nil
}

// at returns the time of an evaluation.
func (x *run) at(step int) time.Time { return x.first.Add(time.Duration(step) * x.Interval) }

// evaluate runs all rules over all steps. Rules that only read what stands before them in the group run one after the other over
// the whole range; else the group runs step by step, as it does in life.
func (x *run) evaluate(ctx context.Context) error {
	if !x.stepwise() {
		for _, rule := range x.rules {
			if err := rule.prefetch(ctx); err != nil {
				return err
			}
			for step := range x.steps {
				if err := rule.eval(ctx, step); err != nil {
					return err
				}
			}
			rule.release()
		}
		return nil
	}
	for _, rule := range x.rules {
		if err := rule.prefetch(ctx); err != nil {
			return err
		}
	}
	for step := range x.steps {
		for _, rule := range x.rules {
			if err := rule.eval(ctx, step); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *run) report() *Report {
	r := &Report{Start: x.Range.Start, End: x.at(x.steps - 1), Interval: x.Interval, Steps: x.steps - x.skip, WarmUp: x.warmUp}
	for _, rule := range x.rules {
		r.Rules = append(r.Rules, rule.report())
	}
	return r
}

// spend counts a query of its own.
func (x *run) spend() error {
	if x.left--; x.left < 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-backtest-evaluations",
			"The backtest needs more than %d queries of their own, the limit for every tenant (--alerting.backtest-max-evaluations): "+
				"a rule reads what its group records itself, or a template asks. Ask for a larger interval or a shorter range.", x.limits.Evaluations)
	}
	return nil
}

// newRule returns the rules manager's own rule.
func (x *run) newRule(r *rulefmt.Rule, expr queryText) rules.Rule {
	ls := rules.FromMaps(x.Group.Labels, r.Labels)
	if r.Record != "" {
		return rules.NewRecordingRule(r.Record, expr, ls)
	}
	external := ""
	if x.ExternalURL != nil {
		external = x.ExternalURL.String()
	}
	return rules.NewAlertingRule(r.Alert, expr, time.Duration(r.For), time.Duration(r.KeepFiringFor), ls, labels.FromMap(r.Annotations),
		labels.EmptyLabels(), external, true, slog.New(slog.DiscardHandler))
}

// placed says which rule an error is about.
func placed(err error, name string) error {
	if known, ok := errors.AsType[*seamark.Error](err); ok {
		said := *known
		said.Message = fmt.Sprintf("Rule %q: %s", name, known.Message)
		return &said
	}
	return fmt.Errorf("rule %q: %w", name, err)
}
