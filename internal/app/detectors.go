package app

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	prompromql "github.com/prometheus/prometheus/promql"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/logpatterns"
	"github.com/seamarkhq/seamark/querier/logql"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/promql"
)

// openDetectors makes what keeps and evaluates detectors.
func (a *App) openDetectors(ctx context.Context) error {
	var err error
	a.detectors, err = detect.Open(ctx, detect.Options{
		JS: a.js, Replicas: a.opts.NATS.Replicas, Limits: a.opts.Alerting.Detectors, Source: detectSource{a}, Parse: parseDetector, Raise: a.raiseDetected,
		Runs:   func(id seamark.TenantID) bool { return a.standing(id) == alerting.Running },
		Logger: a.log, Registerer: a.registry, Now: a.opts.Now,
	})
	if err != nil {
		return err
	}
	a.background("detectors", a.detectors.Run)
	return nil
}

// parseDetector refuses what detectors cannot evaluate.
func parseDetector(language, text string) error {
	switch language {
	case detect.PromQL:
		if _, err := promql.NewParser().ParseExpr(text); err != nil {
			return seamark.Errorf(seamark.Invalid, "seamark-detector-invalid", "The expression is no PromQL: %s.", err)
		}
		return nil
	case detect.LogQL:
		expr, err := logql.Parse(text)
		if err != nil {
			return err
		}
		if _, lines := expr.(*logql.LogQuery); lines {
			return seamark.Errorf(seamark.Invalid, "seamark-detector-invalid", "The LogQL expression gives lines; a detector needs numbers, such as rate(... [5m]).")
		}
		return nil
	}
	if _, err := logql.ParseMatchers(text); err != nil {
		return err
	}
	if _, err := promql.NewParser().ParseExpr(text); err != nil { // one that any series could match, such as {}
		return seamark.Errorf(seamark.Invalid, "seamark-detector-invalid", "The selector selects no series: %s. Name a label and its value, or leave the selector out to mean all.", err)
	}
	return nil
}

// raiseDetected hands the alerts of detectors to the tenant's Alertmanager.
func (a *App) raiseDetected(ctx context.Context, id seamark.TenantID, alerts []detect.Alert, lasts time.Duration) error {
	var firing, ended []alerting.Raised
	for i := range alerts {
		one := alerting.Raised{Labels: alerts[i].Labels, Annotations: alerts[i].Annotations}
		if alerts[i].Ended {
			ended = append(ended, one)
		} else {
			firing = append(firing, one)
		}
	}
	if err := a.alerting.Raise(ctx, id, firing, lasts); err != nil {
		return err
	}
	if len(ended) > 0 {
		if err := a.alerting.Resolve(ctx, id, ended); err != nil {
			return err
		}
	}
	if len(firing)+len(ended) == 0 {
		return nil
	}
	now := a.opts.Now().UnixMilli()
	samples := append(alertSamples(firing, now, 1), alertSamples(ended, now, math.Float64frombits(value.StaleNaN))...)
	return a.publishSamples(ctx, id, samples)
}

// alertSamples writes alerts that fire as the series that rules' alerts have, Prometheus' ALERTS.
func alertSamples(alerts []alerting.Raised, at int64, v float64) []alerting.Sample {
	list := make([]alerting.Sample, len(alerts))
	for i := range alerts {
		b := labels.NewBuilder(labels.FromMap(alerts[i].Labels))
		b.Set(seamark.MetricNameLabel, "ALERTS").Set("alertstate", "firing")
		list[i] = alerting.Sample{Labels: b.Labels(), TimeMilli: at, Value: v}
	}
	return list
}

// detectSource is what detectors read: each question is a query of class rule. It implements detect.Source.
type detectSource struct{ app *App }

// ask runs one question under the tenant's budgets.
func (d detectSource) ask(ctx context.Context, id seamark.TenantID, language, text string, want admit.Want, run func(context.Context) error) error { //nolint:revive // whose, what, at what cost, and how
	request := admit.Request{Tenant: id, Class: admit.RuleQuery, Language: language, Text: text, Source: "detector"}
	return d.app.work(ruleContext(ctx), request, want, run)
}

// Range implements detect.Source.
func (d detectSource) Range(ctx context.Context, id seamark.TenantID, q detect.RangeQuery) ([]insight.Series, error) {
	if q.Language == detect.LogQL {
		return d.logs(ctx, id, q.Expr, &q)
	}
	return d.metrics(ctx, id, &q)
}

func tooManySeries(limit int) error {
	return seamark.Errorf(seamark.Unprocessable, "seamark-detector-series",
		"The detector's question gives more than the limit of %d series. Aggregate it, or raise --alerting.detector-series.", limit)
}

func (d detectSource) metrics(ctx context.Context, id seamark.TenantID, q *detect.RangeQuery) ([]insight.Series, error) {
	var list []insight.Series
	want := d.app.metrics().want(id, q.Expr, q.Start, q.End, q.Step, 0)
	err := d.ask(ctx, id, "promql", q.Expr, want, func(ctx context.Context) error {
		query, result, err := d.app.promql.Range(ctx, id, q.Expr, q.Start, q.End, q.Step, nil)
		if err != nil {
			return err
		}
		defer query.Close()
		matrix, ok := result.Value.(prompromql.Matrix)
		if !ok {
			return seamark.Errorf(seamark.Unprocessable, "seamark-detector-type", "The detector's expression gives a %s; it must give numbers over time.", result.Value.Type())
		}
		if len(matrix) > q.Limit {
			return tooManySeries(q.Limit)
		}
		for i := range matrix {
			told := matrix[i].Metric.Map()
			delete(told, seamark.MetricNameLabel)
			one := insight.Series{Labels: told, Grid: insight.NewGrid(q.Start, q.End, q.Step)}
			for _, p := range matrix[i].Floats {
				one.Set(time.UnixMilli(p.T).UTC(), p.F)
			}
			list = append(list, one)
		}
		return nil
	})
	return list, err
}

func (d detectSource) logs(ctx context.Context, id seamark.TenantID, expr string, q *detect.RangeQuery) ([]insight.Series, error) {
	var list []insight.Series
	want := d.app.wantLogs(id, expr, seamark.TimeRange{Start: q.Start, End: q.End})
	err := d.ask(ctx, id, "logql", expr, want, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, d.app.opts.Query.Timeout)
		defer cancel()
		params := logqlengine.Params{Query: expr, Start: q.Start, End: q.End, Step: q.Step}
		if q.Start.Equal(q.End) {
			params.End = q.End.Add(time.Nanosecond)
		}
		result, err := d.app.logql.Query(ctx, id, params)
		if err != nil {
			return err
		}
		if len(result.Series) > q.Limit {
			return tooManySeries(q.Limit)
		}
		for _, s := range result.Series {
			one := insight.Series{Labels: map[string]string{}, Grid: insight.NewGrid(q.Start, q.End, q.Step)}
			for _, l := range s.Labels {
				one.Labels[l.Name] = l.Value
			}
			for _, p := range s.Points {
				one.Set(time.Unix(0, p.Time).UTC(), p.Value)
			}
			list = append(list, one)
		}
		return nil
	})
	return list, err
}

// Patterns implements detect.Source.
func (d detectSource) Patterns(ctx context.Context, id seamark.TenantID, q detect.PatternQuery) ([]detect.Pattern, error) {
	var list []detect.Pattern
	err := d.ask(ctx, id, "logql", "patterns"+q.Selector, light, func(ctx context.Context) error {
		found, err := d.app.patterns.Find(ctx, seamark.Scope{Tenant: id}, logpatterns.Query{
			Selector: q.Selector, Range: q.Range, Before: q.Before, Order: logpatterns.Order(q.Change), Limit: q.Limit,
		})
		if err != nil {
			return err
		}
		for i := range found.Patterns {
			p := &found.Patterns[i]
			list = append(list, detect.Pattern{
				ID: p.ID, Text: p.Text, Groups: p.Groups, Levels: patternLevels(p), Lines: p.Lines, Before: p.Comparison.Lines, Expected: p.Comparison.Expected,
				Ratio: p.Comparison.Ratio, Reason: p.Comparison.Reason,
			})
		}
		return nil
	})
	return list, err
}

func patternLevels(p *logpatterns.Pattern) []string {
	list := make([]string, len(p.Levels))
	for i, l := range p.Levels {
		list[i] = l.Level
	}
	return list
}

// arriving selects the metrics that tell of arrival where a detector names none: one series of each thing that reports, of the senders
// that there are.
const arriving = `{__name__=~"up|target_info|kube_node_info|node_uname_info|machine_cpu_cores|k8s_node_condition_ready"}`

// Arrivals implements detect.Source.
func (d detectSource) Arrivals(ctx context.Context, id seamark.TenantID, q detect.ArrivalQuery) ([]insight.Series, error) {
	by, ask := strings.Join(q.By, ", "), detect.RangeQuery{Language: detect.PromQL, Start: q.Start, End: q.End, Step: q.Step, Limit: q.Limit}
	switch q.Signal {
	case "metrics":
		selector := q.Selector
		if selector == "" {
			selector = arriving
		}
		ask.Expr = fmt.Sprintf("count by (%s) (last_over_time(%s[%ds]))", by, selector, max(int64(q.Step/time.Second), 60))
		return d.metrics(ctx, id, &ask)
	case "logs":
		selector := q.Selector
		if selector == "" {
			selector = "{" + seamark.ClusterLabel + `=~".+"}`
		}
		expr := fmt.Sprintf("sum by (%s) (count_over_time(%s[%ds]))", by, selector, int64(q.Step/time.Second))
		return d.logs(ctx, id, expr, &ask)
	}
	return d.eventArrivals(ctx, id, &q)
}

func (d detectSource) eventArrivals(ctx context.Context, id seamark.TenantID, q *detect.ArrivalQuery) ([]insight.Series, error) {
	if !slices.Equal(q.By, []string{seamark.ClusterLabel}) {
		return nil, seamark.Errorf(seamark.Unprocessable, "seamark-detector-events", "Events are told apart by their cluster alone; leave out other labels in by, or the signal events.")
	}
	var list []insight.Series
	r := seamark.TimeRange{Start: q.Start, End: q.End}
	err := d.ask(ctx, id, "events", "arrivals", wants(r, seamark.Events), func(ctx context.Context) error {
		found, step, err := d.app.events.Series(ctx, id, events.SeriesQuery{Filter: events.Filter{Range: r}, By: "cluster", Step: q.Step, Limit: q.Limit})
		if err != nil {
			return err
		}
		for _, s := range found.Series {
			one := insight.Series{Labels: map[string]string{seamark.ClusterLabel: s.Value}, Grid: insight.NewGrid(q.Start, q.End, step)}
			for i, n := range s.Counts {
				one.Set(q.Start.Add(time.Duration(i)*step), float64(n))
			}
			list = append(list, one)
		}
		return nil
	})
	return list, err
}

// detectorRoutes returns the routes for detectors. Creating one twice needs answers that are kept, which the API's role has.
func (a *App) detectorRoutes() []httpx.Route {
	routes := api.DetectorRoutes(detectorAPI{a.detectors}, a.opts.Now)
	for i := range routes {
		routes[i].Creates = routes[i].Creates && a.replays != nil
	}
	return routes
}

// detectorAPI shows detectors in the API's words. It implements api.Detectors.
type detectorAPI struct{ keeper *detect.Keeper }

func specOf(f *api.DetectorFields) detect.Spec {
	return detect.Spec{
		Name: f.Name, Kind: f.Kind, Disabled: f.Disabled, Labels: f.Labels, Annotations: f.Annotations, Interval: f.Interval, For: f.For, Expr: f.Expr,
		Language: f.Language, Unit: f.Unit, Direction: f.Direction, History: f.History, Sensitivity: f.Sensitivity, Threshold: f.Threshold, Horizon: f.Horizon,
		Confidence: f.Confidence, Selector: f.Selector, Window: f.Window, Compare: f.Compare, MinLines: f.MinLines, Silence: f.Silence, Forget: f.Forget,
		Changes: f.Changes, Levels: f.Levels, Signals: f.Signals, By: f.By,
	}
}

func detectorOf(k *detect.Kept) api.Detector {
	s := &k.Spec
	return api.Detector{
		ID: k.ID, Created: k.Created, Updated: k.Updated,
		DetectorFields: api.DetectorFields{
			Name: s.Name, Kind: s.Kind, Disabled: s.Disabled, Labels: s.Labels, Annotations: s.Annotations, Interval: s.Interval, For: s.For, Expr: s.Expr,
			Language: s.Language, Unit: s.Unit, Direction: s.Direction, History: s.History, Sensitivity: s.Sensitivity, Threshold: s.Threshold, Horizon: s.Horizon,
			Confidence: s.Confidence, Selector: s.Selector, Window: s.Window, Compare: s.Compare, MinLines: s.MinLines, Silence: s.Silence, Forget: s.Forget,
			Changes: s.Changes, Levels: s.Levels, Signals: s.Signals, By: s.By,
		},
	}
}

func detectorStatusOf(k *detect.Kept) api.DetectorStatus {
	h := &k.Health
	status := api.DetectorStatus{
		ID: k.ID, Name: k.Name, State: h.State, Took: h.Took.Seconds(), Error: h.Fault, Series: h.Series, Learning: h.Learning, Firing: h.Firing,
		Alerts: []api.DetectorAlert{},
	}
	if !h.Looked.IsZero() {
		status.Evaluated = &h.Looked
	}
	d := detect.Detector{ID: k.ID, Spec: k.Spec}
	for _, alert := range k.Alerts {
		since := alert.Since
		if alert.Phase == insight.Firing {
			since = alert.Fired
		}
		status.Alerts = append(status.Alerts, api.DetectorAlert{
			State: string(alert.Phase), Labels: d.AlertLabels(alert.Labels), Since: since.UTC(), Value: alert.Value, Explanation: alert.Explanation,
		})
	}
	return status
}

// ListDetectors implements api.Detectors.
func (d detectorAPI) ListDetectors(_ context.Context, id seamark.TenantID) ([]api.Detector, []api.DetectorStatus, error) {
	found := d.keeper.List(id)
	list, status := make([]api.Detector, len(found)), make([]api.DetectorStatus, len(found))
	for i := range found {
		list[i], status[i] = detectorOf(&found[i]), detectorStatusOf(&found[i])
	}
	return list, status, nil
}

// CreateDetector implements api.Detectors.
func (d detectorAPI) CreateDetector(ctx context.Context, id seamark.TenantID, f api.DetectorFields) (api.Detector, error) {
	made, err := d.keeper.Create(ctx, id, specOf(&f))
	return detectorOf(&made), err
}

func detectorCheckOf(check api.DetectorCheck) func(detect.Kept) error {
	return func(k detect.Kept) error { return check(detectorOf(&k)) }
}

// UpdateDetector implements api.Detectors.
func (d detectorAPI) UpdateDetector(ctx context.Context, id seamark.TenantID, detector string, f api.DetectorFields, check api.DetectorCheck) (api.Detector, error) {
	changed, err := d.keeper.Update(ctx, id, detector, specOf(&f), detectorCheckOf(check))
	return detectorOf(&changed), err
}

// DeleteDetector implements api.Detectors.
func (d detectorAPI) DeleteDetector(ctx context.Context, id seamark.TenantID, detector string, check api.DetectorCheck) error {
	return d.keeper.Delete(ctx, id, detector, detectorCheckOf(check))
}

// PreviewDetector implements api.Detectors.
func (d detectorAPI) PreviewDetector(ctx context.Context, id seamark.TenantID, f api.DetectorFields, r seamark.TimeRange) (*api.DetectorPreview, error) {
	p, err := d.keeper.Preview(ctx, id, specOf(&f), r)
	if err != nil {
		return nil, err
	}
	out := &api.DetectorPreview{
		Step: int64(p.Step / time.Second), Truncated: p.Truncated, Watched: p.Watched, Learning: p.Learning,
		Series: []api.DetectorPreviewSeries{}, Alerts: []api.DetectorPreviewAlert{},
	}
	for _, s := range p.Series {
		one := api.DetectorPreviewSeries{Labels: s.Labels, Points: make([]api.DetectorPoint, 0, len(s.Points))}
		for _, point := range s.Points {
			if !math.IsNaN(point.Value) && !math.IsInf(point.Value, 0) {
				one.Points = append(one.Points, api.DetectorPoint(point))
			}
		}
		out.Series = append(out.Series, one)
	}
	for _, alert := range p.Alerts {
		one := api.DetectorPreviewAlert{Labels: alert.Labels, Start: alert.Start, Explanation: alert.Explanation}
		if !alert.End.IsZero() {
			one.End = &alert.End
		}
		out.Alerts = append(out.Alerts, one)
	}
	return out, nil
}
