package app

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	prompromql "github.com/prometheus/prometheus/promql"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/audit"
	"github.com/seamarkhq/seamark/querier/events"
	"github.com/seamarkhq/seamark/querier/logpatterns"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// suspectRoutes returns the route for suspects.
func (a *App) suspectRoutes() ([]httpx.Route, error) {
	finder, err := suspects.New(suspects.Options{Source: suspectSource{a}, Limits: a.opts.Query.Suspects})
	if err != nil {
		return nil, err
	}
	return api.SuspectRoutes(suspectAPI{finder}), nil
}

// suspectSource is what suspects are found in: each question is a query of its own. It implements suspects.Source.
type suspectSource struct{ app *App }

// ask runs one question under the tenant's budgets.
func (s suspectSource) ask(ctx context.Context, scope seamark.Scope, language, text string, want admit.Want, run func(context.Context) error) error { //nolint:revive // whose, what, at what cost, and how
	request := admit.Request{Tenant: scope.Tenant, Class: admit.AdHocQuery, Language: language, Text: text, Source: "suspects"}
	return s.app.work(withReader(ctx, reader{language: language}), request, want, run)
}

// Events implements suspects.Source.
func (s suspectSource) Events(ctx context.Context, scope seamark.Scope, q suspects.EventQuery) (list []seamark.Event, err error) {
	f := events.Filter{Range: q.Range}
	if q.Cluster != "" {
		f.Is = map[string][]string{"cluster": {q.Cluster}}
	}
	err = s.ask(ctx, scope, "events", "suspects", wants(q.Range, seamark.Events), func(ctx context.Context) error {
		list, _, err = eventAPI{s.app.events, s.app.turns}.within(scope).List(ctx, scope.Tenant, f, q.Limit)
		return err
	})
	return list, err
}

// Writes implements suspects.Source.
func (s suspectSource) Writes(ctx context.Context, scope seamark.Scope, q suspects.WriteQuery) (list []suspects.Write, err error) {
	f := audit.Filter{Range: q.Range, Class: store.AuditWrites.String(), Is: map[string][]string{store.AuditResource.String(): q.Resources}}
	if q.Cluster != "" {
		f.Is[store.AuditCluster.String()] = []string{q.Cluster}
	}
	err = s.ask(ctx, scope, "audit", "suspects", wants(q.Range, seamark.Logs), func(ctx context.Context) error {
		found, err := auditAPI{s.app.audit, s.app.turns}.within(scope).List(ctx, scope.Tenant, audit.ListQuery{Filter: f, Limit: q.Limit})
		for i := range found.Records {
			r := &found.Records[i]
			if code, err := strconv.Atoi(r.Field(store.AuditCode)); err == nil && code >= 400 {
				continue // it changed nothing
			}
			list = append(list, suspects.Write{
				Time: r.Time.UTC(), Cluster: r.Field(store.AuditCluster), Namespace: r.Field(store.AuditNamespace), Resource: r.Field(store.AuditResource),
				Subresource: r.Field(store.AuditSubresource), Name: r.Field(store.AuditName), Verb: r.Field(store.AuditVerb), User: r.Field(store.AuditUser),
				UserAgent: r.Field(store.AuditUserAgent),
			})
		}
		return err
	})
	return list, err
}

// Patterns implements suspects.Source.
func (s suspectSource) Patterns(ctx context.Context, scope seamark.Scope, q suspects.PatternQuery) (list []suspects.Pattern, err error) {
	selector := ""
	switch {
	case q.Cluster != "" && q.Namespace != "":
		selector = fmt.Sprintf("{%s=%q, %s=%q}", seamark.ClusterLabel, q.Cluster, seamark.NamespaceLabel, q.Namespace)
	case q.Cluster != "":
		selector = fmt.Sprintf("{%s=%q}", seamark.ClusterLabel, q.Cluster)
	case q.Namespace != "":
		selector = fmt.Sprintf("{%s=%q}", seamark.NamespaceLabel, q.Namespace)
	}
	err = s.ask(ctx, scope, "logql", selector, light, func(ctx context.Context) error {
		for _, order := range []logpatterns.Order{logpatterns.Fresh, logpatterns.Spiking} {
			found, err := s.app.patterns.Find(ctx, scope, logpatterns.Query{Selector: selector, Range: q.Range, Before: q.Before, Order: order, Limit: q.Limit})
			if err != nil {
				return err
			}
			for i := range found.Patterns {
				p := &found.Patterns[i]
				list = append(list, suspects.Pattern{
					ID: p.ID, Text: p.Text, Groups: p.Groups, Levels: patternLevels(p), Lines: p.Lines, Before: p.Comparison.Lines, Score: p.Comparison.Score,
					New: order == logpatterns.Fresh, First: p.First, Reason: p.Comparison.Reason,
				})
			}
		}
		return nil
	})
	return list, err
}

// Series implements suspects.Source.
func (s suspectSource) Series(ctx context.Context, scope seamark.Scope, q suspects.SeriesQuery) (list []suspects.Series, err error) {
	want := s.app.metrics().want(scope.Tenant, q.Expr, q.Start, q.End, q.Step, 0)
	err = s.ask(ctx, scope, "promql", q.Expr, want, func(ctx context.Context) error {
		query, result, err := narrowMetrics(s.app.promql, scope).Range(ctx, scope.Tenant, q.Expr, q.Start, q.End, q.Step, nil)
		if err != nil {
			return err
		}
		defer query.Close()
		matrix, _ := result.Value.(prompromql.Matrix)
		if len(matrix) > q.Limit {
			return seamark.Errorf(seamark.Unprocessable, "seamark-suspects-series", "there are more than %d series of it (--query.max-suspect-rows).", q.Limit)
		}
		for i := range matrix {
			list = append(list, suspectSeries(&matrix[i], &q))
		}
		return nil
	})
	return list, err
}

func suspectSeries(from *prompromql.Series, q *suspects.SeriesQuery) suspects.Series {
	to := suspects.Series{Labels: from.Metric.Map(), Start: q.Start, Step: q.Step, Values: make([]float64, int(q.End.Sub(q.Start)/q.Step)+1)}
	for i := range to.Values {
		to.Values[i] = math.NaN()
	}
	for _, p := range from.Floats {
		if at := int(time.UnixMilli(p.T).Sub(q.Start) / q.Step); at >= 0 && at < len(to.Values) {
			to.Values[at] = p.F
		}
	}
	return to
}

// suspectAPI shows suspects in the API's words. It implements api.SuspectFinder.
type suspectAPI struct{ finder *suspects.Finder }

// FindSuspects implements api.SuspectFinder.
func (s suspectAPI) FindSuspects(ctx context.Context, scope seamark.Scope, q api.SuspectQuery) (*api.SuspectAnswer, error) {
	found, err := s.finder.Find(ctx, scope, suspects.Query(q))
	if err != nil {
		return nil, err
	}
	a := &api.SuspectAnswer{
		Start: found.Range.Start.UTC(), End: found.Range.End.UTC(), Considered: found.Considered, Missing: append([]string{}, found.Missing...),
		Items: make([]api.Suspect, len(found.Suspects)),
	}
	for i := range found.Suspects {
		f := &found.Suspects[i]
		one := api.Suspect{
			Kind: string(f.Kind), Score: f.Score, Time: f.Time.UTC(), Cluster: f.Cluster, Namespace: f.Namespace, Object: f.Object, Summary: f.Summary,
			Relation: string(f.Relation), Evidence: make([]api.SuspectEvidence, len(f.Evidence)),
		}
		for k, e := range f.Evidence {
			e.Time = e.Time.UTC()
			one.Evidence[k] = api.SuspectEvidence(e)
		}
		a.Items[i] = one
	}
	return a, nil
}
