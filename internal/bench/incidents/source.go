package incidents

import (
	"context"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logpatterns"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// Tenant is whose worlds they are.
const Tenant seamark.TenantID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

// value returns what a series of a family has at a time.
func (w *World) value(family string, s *series, t time.Time) float64 {
	v := s.course.at(t)
	if math.IsNaN(v) {
		return v
	}
	return w.apply(family, s, t, v)
}

// telemetry is what the product reads of a world. It implements detect.Source, suspects.Source, logpatterns.Storage and
// logpatterns.Streams.
type telemetry struct {
	*World
	families map[string]string // of expressions
	finder   *logpatterns.Finder
}

func newTelemetry(w *World) (*telemetry, error) {
	t := &telemetry{World: w, families: map[string]string{}}
	for _, p := range pack() {
		t.families[p.spec.Expr] = p.family
	}
	var err error
	t.finder, err = logpatterns.New(logpatterns.Options{Storage: t, Streams: t})
	return t, err
}

// Range implements detect.Source.
func (t *telemetry) Range(_ context.Context, _ seamark.TenantID, q detect.RangeQuery) ([]insight.Series, error) {
	family := t.families[q.Expr]
	var list []insight.Series
	for _, s := range t.family(family) {
		g := insight.NewGrid(q.Start, q.End, q.Step)
		for i := range g.Values {
			g.Values[i] = t.value(family, &s, g.Time(i))
		}
		if g.Present() > 0 {
			list = append(list, insight.Series{Labels: s.labels, Grid: g})
		}
	}
	return list, nil
}

// Arrivals implements detect.Source: every node's agent reports each minute.
func (t *telemetry) Arrivals(_ context.Context, _ seamark.TenantID, q detect.ArrivalQuery) ([]insight.Series, error) {
	var list []insight.Series
	for _, s := range t.family("targets") {
		g := insight.NewGrid(q.Start, q.End, q.Step)
		for i := range g.Values {
			g.Values[i] = t.value("targets", &s, g.Time(i))
			if !math.IsNaN(g.Values[i]) {
				g.Values[i] = t.apply("arrivals", &s, g.Time(i), 1)
			}
		}
		if g.Present() > 0 {
			list = append(list, insight.Series{Labels: s.labels, Grid: g})
		}
	}
	return list, nil
}

// changed asks the product's finder of patterns.
func (t *telemetry) changed(ctx context.Context, q logpatterns.Query) ([]logpatterns.Pattern, error) {
	a, err := t.finder.Find(ctx, seamark.Scope{Tenant: Tenant}, q)
	if err != nil {
		return nil, err
	}
	return a.Patterns, nil
}

func levels(p *logpatterns.Pattern) []string {
	var list []string
	for _, l := range p.Levels {
		list = append(list, l.Level)
	}
	return list
}

// detectSource and suspectSource tell the two sources apart, which have a method of one name.
type (
	detectSource  struct{ *telemetry }
	suspectSource struct{ *telemetry }
)

// Patterns implements detect.Source.
func (d detectSource) Patterns(ctx context.Context, _ seamark.TenantID, q detect.PatternQuery) ([]detect.Pattern, error) {
	found, err := d.changed(ctx, logpatterns.Query{Selector: q.Selector, Range: q.Range, Before: q.Before, Order: logpatterns.Order(q.Change), Limit: q.Limit})
	list := make([]detect.Pattern, len(found))
	for i := range found {
		p := &found[i]
		list[i] = detect.Pattern{
			ID: p.ID, Text: p.Text, Groups: p.Groups, Levels: levels(p), Lines: p.Lines, Before: p.Comparison.Lines, Expected: p.Comparison.Expected,
			Ratio: p.Comparison.Ratio, Reason: p.Comparison.Reason,
		}
	}
	return list, err
}

// Patterns implements suspects.Source.
func (s suspectSource) Patterns(ctx context.Context, _ seamark.Scope, q suspects.PatternQuery) ([]suspects.Pattern, error) {
	var list []suspects.Pattern
	selector := ""
	if q.Namespace != "" {
		selector = `{namespace="` + q.Namespace + `"}`
	}
	for _, order := range []logpatterns.Order{logpatterns.Fresh, logpatterns.Spiking} {
		found, err := s.changed(ctx, logpatterns.Query{Selector: selector, Range: q.Range, Before: q.Before, Order: order, Limit: q.Limit})
		if err != nil {
			return nil, err
		}
		for i := range found {
			p := &found[i]
			list = append(list, suspects.Pattern{
				ID: p.ID, Text: p.Text, Groups: p.Groups, Levels: levels(p), Lines: p.Lines, Before: p.Comparison.Lines, Score: p.Comparison.Score,
				New: order == logpatterns.Fresh, First: p.First, Reason: p.Comparison.Reason,
			})
		}
	}
	return list, nil
}

// LogStreams implements logpatterns.Streams.
func (t *telemetry) LogStreams(_ context.Context, _ seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	var list []store.LogStream
	for i := range t.Services {
		s := &t.Services[i]
		if slices.ContainsFunc(q.Matchers, func(m store.LogMatcher) bool { return m.Name == seamark.NamespaceLabel && m.Value != s.Namespace }) {
			continue
		}
		list = append(list, store.LogStream{FP: hashText(s.Name), Group: s.Namespace + "/" + s.Name})
	}
	return list, nil
}

// LogPatterns implements logpatterns.Storage.
func (t *telemetry) LogPatterns(_ context.Context, _ seamark.TenantID, q store.PatternsQuery) ([]store.LogPattern, error) {
	all := t.usualPatterns()
	if t.Incident != nil {
		all = append(all, t.Incident.patterns...)
	}
	var list []store.LogPattern
	for i := range all {
		p := &all[i]
		if !q.All && !slices.ContainsFunc(q.Streams, func(s store.LogStream) bool { return s.Group == p.group }) {
			continue
		}
		one := store.LogPattern{
			ID: hashText(p.text + p.group), Text: p.text, Groups: []string{p.group}, Lines: p.lines(t.Seed, q.Range), Before: p.lines(t.Seed, q.Before),
			First: q.Range.Start, Last: q.Range.End,
		}
		if p.from.After(one.First) {
			one.First = p.from
		}
		one.Levels = []store.PatternLevel{{Level: p.level, Lines: one.Lines}}
		if one.Lines+one.Before > 0 {
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b store.LogPattern) int { return int(b.Lines) - int(a.Lines) })
	return list, nil
}

// LogPatternSeries implements logpatterns.Storage.
func (t *telemetry) LogPatternSeries(context.Context, seamark.TenantID, store.PatternSeriesQuery) ([]store.PatternPoint, error) {
	return nil, nil
}

// newestFirst orders by time and cuts.
func newestFirst[T any](list []T, at func(*T) time.Time, r seamark.TimeRange, limit int) []T {
	list = slices.DeleteFunc(list, func(one T) bool { t := at(&one); return t.Before(r.Start) || !t.Before(r.End) })
	slices.SortStableFunc(list, func(a, b T) int { return at(&b).Compare(at(&a)) })
	return list[:min(len(list), limit)]
}

// Events implements suspects.Source.
func (t *telemetry) Events(_ context.Context, _ seamark.Scope, q suspects.EventQuery) ([]seamark.Event, error) {
	list := t.decoyEvents(q.Range)
	if t.Incident != nil {
		list = append(list, t.Incident.events...)
	}
	return newestFirst(list, func(e *seamark.Event) time.Time { return e.Last }, q.Range, q.Limit), nil
}

// Writes implements suspects.Source.
func (t *telemetry) Writes(_ context.Context, _ seamark.Scope, q suspects.WriteQuery) ([]suspects.Write, error) {
	list := t.decoyWrites(q.Range)
	if t.Incident != nil {
		list = append(list, t.Incident.writes...)
	}
	return newestFirst(list, func(w *suspects.Write) time.Time { return w.Time }, q.Range, q.Limit), nil
}

// probes are the families behind the probes' names, as far as this world has them.
var probes = []struct{ prefix, family string }{
	{"CPU of pods", "podcpu"}, {"memory of pods", "podmemory"}, {"disk writes of pods", "podwrites"}, {"CPU of nodes", "nodecpu"},
	{"disk time of nodes", "nodeio"}, {"requests of services", "requests"}, {"latency of services", "latency"}, {"API requests by client", "clients"},
	{"fsync time of etcd", "fsync"}, {"latency of calls", "calls"}, {suspects.NodesProbe, "podcpu"},
}

var matcher = regexp.MustCompile(`(namespace|node|client|pod)=(~?)"([^"]*)"`)

// Series implements suspects.Source: it reads of the expression what it selects.
func (t *telemetry) Series(_ context.Context, _ seamark.Scope, q suspects.SeriesQuery) ([]suspects.Series, error) {
	family := ""
	for _, p := range probes {
		if strings.HasPrefix(q.Name, p.prefix) {
			family = p.family
		}
	}
	matchers := matcher.FindAllStringSubmatch(q.Expr, -1)
	var list []suspects.Series
	for _, s := range t.family(family) {
		if slices.ContainsFunc(matchers, func(m []string) bool {
			if m[2] == "" {
				return s.labels[m[1]] != m[3]
			}
			return !regexp.MustCompile("^(?:" + strings.ReplaceAll(m[3], `\\`, `\`) + ")$").MatchString(s.labels[m[1]])
		}) {
			continue
		}
		one := suspects.Series{Labels: s.labels, Start: q.Start, Step: q.Step}
		for at := q.Start; !at.After(q.End); at = at.Add(q.Step) {
			one.Values = append(one.Values, t.value(family, &s, at))
		}
		list = append(list, one)
	}
	return list, nil
}
