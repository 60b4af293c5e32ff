package app

import (
	"bytes"
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/alerting/backtest"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logql"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	prommetrics "github.com/seamarkhq/seamark/querier/promql"
)

// setRules gives the alerting role what evaluates expressions.
func (a *App) setRules(o *alerting.Options) {
	o.Query = func(t seamark.TenantID) rules.QueryFunc {
		return a.ruleFunc(t, a.promql.QueryFunc(t))
	}
	o.QueryOver = func(t seamark.TenantID, q storage.Queryable) rules.QueryFunc {
		return a.ruleFunc(t, func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
			return a.promql.InstantOver(ctx, q, expr, at)
		})
	}
	o.QueryLogs = func(t seamark.TenantID) rules.QueryFunc {
		return func(ctx context.Context, expr string, at time.Time) (vector promql.Vector, err error) {
			request := admit.Request{Tenant: t, Class: admit.RuleQuery, Language: "logql", Text: expr, Source: ruleSource(ctx)}
			err = a.work(ruleContext(ctx), request, a.wantLogs(t, expr, seamark.TimeRange{Start: at, End: at}), func(ctx context.Context) error {
				vector, err = a.ruleLogs(ctx, t, expr, at)
				return err
			})
			return vector, err
		}
	}
	o.CheckLogs = checkLogRule
	o.Queryable = a.promql.Queryable
}

// ruleContext is the context of the reads of rules and detectors.
func ruleContext(ctx context.Context) context.Context {
	return withReader(seamark.Unattended(ctx), reader{language: "rules"})
}

// ruleFunc makes each evaluation of a rule a query of its own.
func (a *App) ruleFunc(t seamark.TenantID, query rules.QueryFunc) rules.QueryFunc {
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		return a.evaluateRule(ruleContext(ctx), t, query, expr, at)
	}
}

// checkLogRule refuses what is no LogQL, and what gives lines where numbers are needed. The message has the position.
func checkLogRule(expr string) (line, column int, err error) {
	parsed, err := logql.Parse(expr)
	if err != nil {
		return 0, 0, err
	}
	if _, lines := parsed.(*logql.LogQuery); lines {
		return 1, 1, seamark.Errorf(seamark.Invalid, "seamark-rule-type",
			`the expression gives lines, and a rule needs numbers: count them, as in sum(count_over_time({app="api"}[5m]))`)
	}
	return 0, 0, nil
}

// wantLogs returns what a LogQL expression reads.
func (a *App) wantLogs(t seamark.TenantID, expr string, r seamark.TimeRange) admit.Want {
	return logAPI{a.logql, a.turns, a.narrowLogRows}.want(seamark.Scope{Tenant: t}, &api.LogQuery{Query: expr, Start: r.Start, End: r.End})
}

// ruleLogs evaluates a rule over logs at one moment.
func (a *App) ruleLogs(ctx context.Context, t seamark.TenantID, expr string, at time.Time) (promql.Vector, error) {
	result, err := a.logql.Query(ctx, t, logqlengine.Params{Query: expr, Start: at, End: at})
	if err != nil {
		return nil, err
	}
	vector := make(promql.Vector, 0, len(result.Series))
	for _, s := range result.Series {
		for _, p := range s.Points {
			vector = append(vector, promql.Sample{Metric: metricLabels(s.Labels), T: at.UnixMilli(), F: p.Value})
		}
	}
	return vector, nil
}

func metricLabels(list []seamark.Label) labels.Labels {
	b := labels.NewScratchBuilder(len(list))
	for _, l := range list {
		b.Add(l.Name, l.Value)
	}
	b.Sort()
	return b.Labels()
}

// backtestSource reads for backtests, within the query of their request. It implements backtest.Source.
type backtestSource struct{ *App }

// Queryable implements backtest.Source.
func (s backtestSource) Queryable(t seamark.TenantID) storage.Queryable { return s.promql.Queryable(t) }

// Instant implements backtest.Source.
func (s backtestSource) Instant(ctx context.Context, q backtest.Query, at time.Time) (promql.Vector, error) {
	ctx, done, err := s.begin(ctx, q, seamark.TimeRange{Start: at, End: at}, 0)
	if err != nil {
		return nil, err
	}
	defer done()
	if q.Language == alerting.LogQL {
		return s.ruleLogs(ctx, q.Tenant, q.Expr, at)
	}
	return s.promql.QueryFunc(q.Tenant)(ctx, q.Expr, at)
}

// Range implements backtest.Source.
func (s backtestSource) Range(ctx context.Context, q backtest.Query, r seamark.TimeRange, step time.Duration) (promql.Matrix, error) {
	ctx, done, err := s.begin(ctx, q, r, step)
	if err != nil {
		return nil, err
	}
	defer done()
	if q.Language != alerting.LogQL {
		return s.promql.RuleRange(ctx, q.Tenant, q.Expr, r, step)
	}
	result, err := s.logql.Query(ctx, q.Tenant, logqlengine.Params{Query: q.Expr, Start: r.Start, End: r.End, Step: step})
	if err != nil {
		return nil, err
	}
	matrix := make(promql.Matrix, len(result.Series))
	for i, series := range result.Series {
		matrix[i] = promql.Series{Metric: metricLabels(series.Labels), Floats: make([]promql.FPoint, len(series.Points))}
		for k, p := range series.Points {
			matrix[i].Floats[k] = promql.FPoint{T: p.Time / int64(time.Millisecond), F: p.Value}
		}
	}
	return matrix, nil
}

// InstantOver implements backtest.Source. Its queries are part of the backtest's, which has waited for its place by then.
func (s backtestSource) InstantOver(ctx context.Context, data storage.Queryable, expr string, at time.Time) (promql.Vector, error) {
	return s.promql.InstantOver(ctx, data, expr, at)
}

// RangeOver implements backtest.Source.
func (s backtestSource) RangeOver(ctx context.Context, data storage.Queryable, expr string, r seamark.TimeRange, step time.Duration) (promql.Matrix, error) {
	return s.promql.RangeOver(ctx, data, expr, r, step)
}

// begin waits for a place for one of a backtest's queries.
func (s backtestSource) begin(ctx context.Context, q backtest.Query, r seamark.TimeRange, step time.Duration) (context.Context, func(), error) {
	want := s.metrics().want(q.Tenant, q.Expr, r.Start, r.End, step, prommetrics.DefaultLookbackDelta)
	if q.Language == alerting.LogQL {
		want = s.wantLogs(q.Tenant, q.Expr, r)
	}
	return s.turns.begin(ctx, want)
}

// ruleAPI shows rule groups, their tests and packs in the API's words. It implements api.RuleGroups and api.RulePacks.
type ruleAPI struct {
	*alerting.Service
	tester   *backtest.Tester
	interval time.Duration // of groups that name none
	delay    time.Duration // of groups that name no offset
	external *url.URL
}

// ruleRoutes returns the routes of rules.
func (a *App) ruleRoutes() ([]httpx.Route, error) {
	tester, err := backtest.New(backtest.Options{Source: backtestSource{a}, Limits: a.opts.Alerting.Backtest})
	if err != nil {
		return nil, err
	}
	external, err := a.externalURL()
	if err != nil {
		return nil, err
	}
	r := ruleAPI{a.alerting, tester, a.opts.Alerting.EvaluationInterval, a.opts.Alerting.EvaluationDelay, external}
	routes := append(api.RuleRoutes(a.alerting, a.alerting), api.RuleGroupRoutes(r, a.opts.Now)...)
	routes = append(routes, a.metered("rules", api.RuleTestRoutes(r, a.opts.Now))...)
	return append(routes, api.RulePackRoutes(r)...), nil
}

func groupOf(g *alerting.RuleGroup) api.RuleGroup {
	return api.RuleGroup{Namespace: g.Namespace, Language: g.Language, Group: g.Group, Pack: g.Pack, Revision: g.Revision}
}

// ListGroups implements api.RuleGroups.
func (r ruleAPI) ListGroups(ctx context.Context, t seamark.TenantID) ([]api.RuleGroup, error) {
	found, err := r.Service.ListGroups(ctx, t)
	if err != nil {
		return nil, err
	}
	list := make([]api.RuleGroup, len(found))
	for i := range found {
		list[i] = groupOf(&found[i])
	}
	return list, nil
}

// SaveGroup implements api.RuleGroups.
func (r ruleAPI) SaveGroup(ctx context.Context, t seamark.TenantID, name string, d api.RuleDraft, revision *uint64) (api.RuleGroup, error) {
	g := alerting.RuleGroup{Namespace: d.Namespace, Language: d.Language, Group: rulefmt.RuleGroup{Name: name}}
	saved, err := r.Service.SaveGroup(ctx, t, g, d.Document, revision)
	return groupOf(&saved), err
}

// DeleteGroup implements api.RuleGroups.
func (r ruleAPI) DeleteGroup(ctx context.Context, t seamark.TenantID, namespace, name string, revision *uint64) error {
	return r.Service.DeleteGroup(ctx, t, alerting.RuleGroup{Namespace: namespace, Group: rulefmt.RuleGroup{Name: name}}, revision)
}

// CheckGroup implements api.RuleGroups.
func (r ruleAPI) CheckGroup(_ context.Context, t seamark.TenantID, d api.RuleDraft) ([]api.RuleFault, error) {
	_, faults, err := r.Service.CheckGroup(t, d.Namespace, d.Language, d.Document)
	list := make([]api.RuleFault, len(faults))
	for i, f := range faults {
		list[i] = api.RuleFault{
			Pointer: f.Pointer, Rule: f.Rule, Name: f.Name, Line: f.Line, Column: f.Column, ExprLine: f.ExprLine, ExprColumn: f.ExprColumn, Message: f.Message,
		}
	}
	return list, err
}

// TestGroup implements api.RuleGroups.
func (r ruleAPI) TestGroup(ctx context.Context, t seamark.TenantID, test api.RuleTest) (*api.RuleTestReport, error) {
	group, err := r.ParseGroup(test.Language, test.Document)
	if err != nil {
		return nil, err
	}
	request := &backtest.Request{
		Tenant: t, Language: test.Language, Group: group, Range: test.Range, Interval: test.Interval, Offset: r.delay, ExternalURL: r.external,
	}
	if request.Interval == 0 {
		request.Interval = time.Duration(group.Interval)
	}
	if request.Interval == 0 {
		request.Interval = r.interval
	}
	if group.QueryOffset != nil {
		request.Offset = time.Duration(*group.QueryOffset)
	}
	report, err := r.tester.Run(ctx, request)
	if err != nil {
		return nil, err
	}
	return reportOf(report), nil
}

func reportOf(r *backtest.Report) *api.RuleTestReport {
	out := &api.RuleTestReport{
		Start: r.Start.UTC(), End: r.End.UTC(), Interval: r.Interval.String(), Evaluations: r.Steps, WarmUpSeconds: r.WarmUp.Seconds(), Rules: []api.RuleTestResult{},
	}
	for i := range r.Rules {
		out.Rules = append(out.Rules, resultOf(&r.Rules[i]))
	}
	return out
}

func resultOf(r *backtest.RuleReport) api.RuleTestResult {
	out := api.RuleTestResult{
		Name: r.Name, Type: "alerting", Query: r.Expr, Stepwise: r.Stepwise, Fired: r.Fired, OnlyPending: r.Pending, FiringSeconds: r.FiringTime.Seconds(),
		Failures: r.Failures, Failure: r.Failure, SeriesTotal: r.SeriesTotal,
		Firings: []api.RuleTestFiring{}, Active: []api.RuleTestActive{}, Series: []api.RuleTestSeries{},
	}
	if r.Recording {
		out.Type = "recording"
	}
	for _, f := range r.Firings {
		firing := api.RuleTestFiring{
			Labels: f.Labels.Map(), Annotations: f.Annotations.Map(), ActiveAt: f.Active.UTC(), Start: f.Start.UTC(), Peak: api.RuleTestValue(f.Peak), PeakAt: f.PeakAt.UTC(),
		}
		if !f.End.IsZero() {
			end := f.End.UTC()
			firing.End = &end
		}
		out.Firings = append(out.Firings, firing)
	}
	for _, a := range r.Active {
		state := map[bool]string{true: "firing", false: "pending"}[a.Firing]
		out.Active = append(out.Active, api.RuleTestActive{
			Labels: a.Labels.Map(), Annotations: a.Annotations.Map(), State: state, ActiveAt: a.Since.UTC(), Value: api.RuleTestValue(a.Value),
		})
	}
	for _, s := range r.Series {
		points := make([]api.RuleTestPoint, len(s.Floats))
		for i, p := range s.Floats {
			points[i] = api.RuleTestPoint{Time: time.UnixMilli(p.T), Value: p.F}
		}
		out.Series = append(out.Series, api.RuleTestSeries{Labels: s.Metric.Map(), Points: points})
	}
	return out
}

// ListPacks implements api.RulePacks.
func (r ruleAPI) ListPacks(ctx context.Context, t seamark.TenantID) ([]api.RulePack, error) {
	found, err := r.Service.ListPacks(ctx, t)
	if err != nil {
		return nil, err
	}
	list := make([]api.RulePack, len(found))
	for i := range found {
		list[i] = packOf(&found[i])
	}
	return list, nil
}

func packOf(p *alerting.PackState) api.RulePack {
	out := api.RulePack{
		Name: p.Name, Title: p.Title, Description: p.Description, Version: p.Version, Needs: p.Needs, Enabled: p.Enabled,
		Parameters: maps.Clone(p.Chosen), Known: []api.RulePackParameter{}, Groups: []string{}, Alerts: []api.RulePackAlert{}, Revision: p.Revision,
	}
	if out.Parameters == nil {
		out.Parameters = map[string]string{}
	}
	for _, x := range p.Parameters {
		out.Known = append(out.Known, api.RulePackParameter{Name: x.Name, Kind: x.Kind, Default: x.Default, Help: x.Help, Min: x.Min, Max: x.Max})
	}
	for _, g := range p.Groups {
		out.Groups = append(out.Groups, g.Name)
		for _, rule := range g.Rules {
			known := slices.ContainsFunc(out.Alerts, func(a api.RulePackAlert) bool { return a.Name == rule.Alert })
			if rule.Alert != "" && !known {
				out.Alerts = append(out.Alerts, api.RulePackAlert{
					Name: rule.Alert, Severity: rule.Labels["severity"], Language: g.Language, Runbook: "/api/v1/alerting/packs/" + p.Name + "/runbooks/" + rule.Alert,
				})
			}
		}
	}
	return out
}

// SavePack implements api.RulePacks.
func (r ruleAPI) SavePack(ctx context.Context, t seamark.TenantID, name string, parameters map[string]string, revision *uint64) (api.RulePack, error) {
	saved, err := r.Service.SavePack(ctx, t, name, parameters, revision)
	return packOf(&saved), err
}

// PackFile implements api.RulePacks: rules.yaml has the groups over metrics, logs.yaml those over logs, tests.yaml the pack's tests.
func (r ruleAPI) PackFile(ctx context.Context, t seamark.TenantID, name, file string) ([]byte, error) {
	p, err := r.FindPack(ctx, t, name)
	if err != nil {
		return nil, err
	}
	if file == "tests.yaml" {
		return p.Tests()
	}
	language, known := map[string]string{"rules.yaml": alerting.PromQL, "logs.yaml": alerting.LogQL}[file]
	if !known {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-pack-file", "A pack has the files rules.yaml, logs.yaml and tests.yaml, and no %q.", file)
	}
	groups, err := p.Render(p.Chosen, nil)
	if err != nil {
		return nil, err
	}
	out := rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{}}
	for _, g := range groups {
		if g.Language == language {
			out.Groups = append(out.Groups, g.RuleGroup)
		}
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err = enc.Encode(out)
	return b.Bytes(), err
}
