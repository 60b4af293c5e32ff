package ruletest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

// Options is what tests are run with.
type Options struct {
	Groups []rulefmt.RuleGroup
	// Logs makes what evaluates expressions in LogQL over streams; nil runs rules over metrics. The tests' time begins at 1970.
	Logs func(streams []Stream) (rules.QueryFunc, error)
	// Parse reads a rule's expression where Logs is set.
	Parse func(text string) (parser.Expr, error)
	// Seen, where it is set, hears which alerts fire, in place of a comparison: it writes expectations.
	Seen func(c *Case, check *AlertCheck, firing []Alert)
}

// Run runs all tests of a file and returns what does not hold, one text each.
func Run(ctx context.Context, f *File, o Options) []error {
	var faults []error
	for i := range f.Tests {
		c := &f.Tests[i]
		if err := runCase(ctx, f, c, &o); err != nil {
			faults = append(faults, fmt.Errorf("test %d %q: %w", i+1, c.Name, err))
		}
	}
	return faults
}

// runner is one test under way.
type runner struct {
	*Options
	file   *File
	test   *Case
	data   *promqltest.LazyLoader
	query  rules.QueryFunc
	groups []*rules.Group
	faults []error
}

func runCase(ctx context.Context, f *File, c *Case, o *Options) (err error) {
	var load strings.Builder
	fmt.Fprintf(&load, "load %s\n", c.Interval)
	for _, s := range c.InputSeries {
		fmt.Fprintf(&load, "  %s %s\n", s.Series, s.Values)
	}
	r := &runner{Options: o, file: f, test: c}
	if r.data, err = promqltest.NewLazyLoader(load.String(), promqltest.LazyLoaderOpts{EnableAtModifier: true, EnableNegativeOffset: true}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.data.Close()) }()
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.evaluate(ctx)
	return errors.Join(r.faults...)
}

// prepare makes the groups as the rules manager would.
func (r *runner) prepare(ctx context.Context) (err error) {
	r.query = rules.EngineQueryFunc(r.data.QueryEngine(), r.data.Storage())
	parse := parser.NewParser(parser.Options{EnableExperimentalFunctions: true}).ParseExpr
	if r.Logs != nil {
		if r.query, err = r.Logs(r.test.InputStreams); err != nil {
			return err
		}
		parse = r.Parse
	}
	opts := &rules.ManagerOptions{
		QueryFunc: r.query, Appendable: r.data.Storage(), Context: ctx, Logger: slog.New(slog.DiscardHandler),
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	}
	for _, group := range r.Groups {
		var list []rules.Rule
		for _, rule := range group.Rules {
			expr, err := parse(rule.Expr)
			if err != nil {
				return fmt.Errorf("group %s, %s%s: %w", group.Name, rule.Alert, rule.Record, err)
			}
			ls := rules.FromMaps(group.Labels, rule.Labels)
			if rule.Record != "" {
				list = append(list, rules.NewRecordingRule(rule.Record, expr, ls))
				continue
			}
			list = append(list, rules.NewAlertingRule(rule.Alert, expr, time.Duration(rule.For), time.Duration(rule.KeepFiringFor), ls,
				labels.FromMap(rule.Annotations), labels.EmptyLabels(), "", true, opts.Logger))
		}
		interval := r.file.EvaluationInterval
		if group.Interval != 0 {
			interval = group.Interval
		}
		r.groups = append(r.groups, rules.NewGroup(rules.GroupOptions{
			Name: group.Name, File: "test", Interval: time.Duration(interval), Limit: group.Limit, Rules: list, Opts: opts,
		}))
	}
	return nil
}

// evaluate evaluates the groups at each interval up to the last check, and checks in between, as promtool does.
func (r *runner) evaluate(ctx context.Context) {
	last := model.Duration(0)
	checks := map[model.Duration][]*AlertCheck{}
	for i := range r.test.Alerts {
		a := &r.test.Alerts[i]
		checks[a.EvalTime] = append(checks[a.EvalTime], a)
		last = max(last, a.EvalTime)
	}
	for _, e := range r.test.Exprs {
		last = max(last, e.EvalTime)
	}
	epoch := time.Unix(0, 0).UTC()
	waiting := slices.Sorted(maps.Keys(checks))
	interval := time.Duration(r.file.EvaluationInterval)
	for at := time.Duration(0); at <= time.Duration(last); at += interval {
		r.data.WithSamplesTill(epoch.Add(at), func(err error) { r.fault(err) })
		for _, g := range r.groups {
			g.Eval(ctx, epoch.Add(at))
			for _, rule := range g.Rules() {
				if err := rule.LastError(); err != nil {
					r.fault(fmt.Errorf("at %s: rule %s: %w", at, rule.Name(), err))
				}
			}
		}
		for len(waiting) > 0 && time.Duration(waiting[0]) < at+interval {
			for _, check := range checks[waiting[0]] {
				r.checkAlerts(check)
			}
			waiting = waiting[1:]
		}
	}
	for i := range r.test.Exprs {
		r.checkExpr(ctx, &r.test.Exprs[i], epoch)
	}
}

func (r *runner) fault(err error) {
	if err != nil {
		r.faults = append(r.faults, err)
	}
}

func (r *runner) checkAlerts(check *AlertCheck) {
	var firing []Alert
	known := false
	for _, g := range r.groups {
		for _, rule := range g.AlertingRules() {
			if rule.Name() != check.AlertName {
				continue
			}
			known = true
			for _, a := range rule.ActiveAlerts() {
				if a.State != rules.StateFiring {
					continue
				}
				ls := a.Labels.Map()
				delete(ls, labels.AlertName)
				firing = append(firing, Alert{ls, a.Annotations.Map()})
			}
		}
	}
	slices.SortFunc(firing, func(a, b Alert) int { return strings.Compare(a.String(), b.String()) })
	if r.Seen != nil {
		r.Seen(r.test, check, firing)
		return
	}
	want := slices.Clone(check.Alerts)
	slices.SortFunc(want, func(a, b Alert) int { return strings.Compare(a.String(), b.String()) })
	same := slices.EqualFunc(want, firing, func(a, b Alert) bool { return a.String() == b.String() })
	if !known || !same {
		r.fault(fmt.Errorf("alertname %s at %s:\n  want %v\n  got  %v", check.AlertName, check.EvalTime, want, firing))
	}
}

// String prints an alert with its labels and annotations in order.
func (a Alert) String() string {
	return labels.FromMap(a.Labels).String() + " " + labels.FromMap(a.Annotations).String()
}

func (r *runner) checkExpr(ctx context.Context, check *ExprCheck, epoch time.Time) {
	got, err := r.query(ctx, check.Expr, epoch.Add(time.Duration(check.EvalTime)))
	if err != nil {
		r.fault(fmt.Errorf("expr %q at %s: %w", check.Expr, check.EvalTime, err))
		return
	}
	want := make([]string, len(check.Samples))
	for i, s := range check.Samples {
		ls, err := parser.NewParser(parser.Options{}).ParseMetric(s.Labels)
		if err != nil {
			r.fault(fmt.Errorf("labels %q: %w", s.Labels, err))
			return
		}
		want[i] = sampleText(ls, s.Value, r.file.FuzzyCompare)
	}
	have := make([]string, len(got))
	for i, s := range got {
		have[i] = sampleText(s.Metric, s.F, r.file.FuzzyCompare)
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		r.fault(fmt.Errorf("expr %q at %s:\n  want %v\n  got  %v", check.Expr, check.EvalTime, want, have))
	}
}

func sampleText(ls labels.Labels, v float64, fuzzy bool) string {
	if fuzzy && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return fmt.Sprintf("%s %.12g", ls, v)
	}
	return fmt.Sprintf("%s %v", ls, promql.FPoint{F: v}.F)
}
