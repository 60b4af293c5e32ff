package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/alerting/receivers"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/events"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

// What a notification carries of an alert's surroundings.
const (
	evidencePast   = time.Hour        // of the sparkline
	evidencePoints = 30               // of the sparkline
	evidenceBefore = 15 * time.Minute // how long before the alert began lines and events are looked for
	evidenceMost   = 24 * time.Hour   // the longest range that is looked at
	evidenceLines  = 5                // lines, and events
	evidenceBytes  = 300              // of one line
)

// evidence collects what helps whoever is told of an alert: its rule's value and threshold, lines and Warning events of the same
// workload, and links. Each part is a query of class rules, so that notifications take nothing from people; a part that fails or
// comes late is left out.
func (a *App) evidence(console *url.URL) func(context.Context, seamark.TenantID, *model.Alert) (receivers.Evidence, error) {
	return func(ctx context.Context, tenant seamark.TenantID, alert *model.Alert) (receivers.Evidence, error) {
		s := surroundings{app: a, tenant: tenant, alert: alert, now: a.opts.Now(), console: console}
		var e receivers.Evidence
		var wait sync.WaitGroup
		failed := make([]error, 3)
		wait.Go(func() { failed[0] = s.series(ctx, &e) })
		wait.Go(func() { e.Logs, failed[1] = s.lines(ctx) })
		wait.Go(func() { e.Events, failed[2] = s.events(ctx) })
		wait.Wait()
		e.Links = s.links()
		return e, errors.Join(failed...)
	}
}

// surroundings is an alert and where to look for its evidence.
type surroundings struct {
	app     *App
	tenant  seamark.TenantID
	alert   *model.Alert
	now     time.Time
	console *url.URL
}

func (s *surroundings) label(names ...model.LabelName) string {
	for _, name := range names {
		if v := s.alert.Labels[name]; v != "" {
			return string(v)
		}
	}
	return ""
}

// workload returns the alert's pod, or the name that its pods' begin with.
func (s *surroundings) workload() (pod, prefix string) {
	return s.label("pod", "kubernetes_pod_name"), s.label("deployment", "statefulset", "daemonset", "job_name", "workload")
}

// span is the range that lines and events are looked for in.
func (s *surroundings) span() seamark.TimeRange {
	start := s.alert.StartsAt.Add(-evidenceBefore)
	if earliest := s.now.Add(-evidenceMost); start.Before(earliest) {
		start = earliest
	}
	return seamark.TimeRange{Start: start, End: s.now}
}

// query runs one part as a query of its own.
func (s *surroundings) query(ctx context.Context, language, text string, want admit.Want, run func(context.Context) error) error {
	r := admit.Request{Tenant: s.tenant, Class: admit.RuleQuery, Language: language, Text: text, Source: "notification:" + s.alert.Name()}
	return s.app.work(ctx, r, want, run)
}

// expression returns the rule's expression, "" where the alert has none in PromQL.
func (s *surroundings) expression() string {
	u, err := url.Parse(s.alert.GeneratorURL)
	if err != nil {
		return ""
	}
	return u.Query().Get("g0.expr")
}

// comparison takes `value > 0.9` apart. What is no comparison with a number has no threshold.
func comparison(p parser.Parser, text string) (value, threshold string) {
	expr, err := p.ParseExpr(text)
	if err != nil {
		return "", ""
	}
	for {
		inner, ok := expr.(*parser.ParenExpr)
		if !ok {
			break
		}
		expr = inner.Expr
	}
	b, ok := expr.(*parser.BinaryExpr)
	if !ok || !b.Op.IsComparisonOperator() || b.ReturnBool {
		return text, ""
	}
	if _, ok := b.RHS.(*parser.NumberLiteral); !ok {
		return text, ""
	}
	return b.LHS.String(), b.Op.String() + " " + b.RHS.String()
}

// series reads the last hour of what the rule compares.
func (s *surroundings) series(ctx context.Context, e *receivers.Evidence) error {
	text, threshold := comparison(s.app.promql.Parser(), s.expression())
	if text == "" {
		return nil
	}
	start, step := s.now.Add(-evidencePast), evidencePast/evidencePoints
	want := s.app.metrics().want(s.tenant, text, start, s.now, step, 0)
	return s.query(ctx, "promql", text, want, func(ctx context.Context) error {
		q, result, err := s.app.promql.Range(ctx, s.tenant, text, start, s.now, step, promql.NewPrometheusQueryOpts(false, 0))
		if err != nil {
			return err
		}
		defer q.Close()
		matrix, err := result.Matrix()
		if err != nil {
			return err
		}
		for _, series := range matrix {
			if s.isOf(series.Metric) && len(series.Floats) > 0 {
				e.Value, e.Threshold = strconv.FormatFloat(series.Floats[len(series.Floats)-1].F, 'g', 4, 64), threshold
				e.Sparkline = sparkline(series.Floats)
				return nil
			}
		}
		return nil
	})
}

// isOf reports whether a series' labels are all the alert's.
func (s *surroundings) isOf(l labels.Labels) bool {
	same := true
	l.Range(func(l labels.Label) {
		same = same && (l.Name == model.MetricNameLabel || string(s.alert.Labels[model.LabelName(l.Name)]) == l.Value)
	})
	return same
}

// sparkline draws values in eight heights; a line that does not move is drawn in the lowest.
func sparkline(points []promql.FPoint) string {
	heights := []rune("▁▂▃▄▅▆▇█")
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if !math.IsNaN(p.F) && !math.IsInf(p.F, 0) {
			low, high = min(low, p.F), max(high, p.F)
		}
	}
	var line strings.Builder
	for _, p := range points {
		at := 0.0
		if high > low {
			at = (p.F - low) / (high - low) * float64(len(heights)-1)
		}
		switch {
		case math.IsNaN(p.F):
			line.WriteRune(' ')
		default:
			line.WriteRune(heights[int(max(0, min(at, float64(len(heights)-1))))])
		}
	}
	return line.String()
}

// selector returns the stream selector of the alert's workload, "" when nothing smaller than a namespace is known of it and it
// has no namespace either.
func (s *surroundings) selector() string {
	var parts []string
	for _, name := range []model.LabelName{"cluster", "namespace", "container"} {
		if v := s.label(name); v != "" {
			parts = append(parts, string(name)+"="+strconv.Quote(v))
		}
	}
	pod, prefix := s.workload()
	switch {
	case pod != "":
		parts = append(parts, "pod="+strconv.Quote(pod))
	case prefix != "":
		parts = append(parts, "pod=~"+strconv.Quote(regexp.QuoteMeta(prefix)+"-.+"))
	case s.label("namespace") == "":
		return ""
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// offending is what a line says when something is wrong.
const offending = ` |~ "(?i)(error|fatal|panic|exception|failed|refused|timeout|no space left|out of memory|oom)"`

// lines returns the newest offending lines of the alert's workload.
func (s *surroundings) lines(ctx context.Context) ([]string, error) {
	selector := s.selector()
	if selector == "" {
		return nil, nil
	}
	r := s.span()
	q := api.LogQuery{Query: selector + offending, Start: r.Start, End: r.End, Limit: evidenceLines}
	want := logAPI{s.app.logql, s.app.turns, s.app.narrowLogRows}.want(seamark.Scope{Tenant: s.tenant}, &q)
	var entries []logqlengine.Entry
	err := s.query(ctx, "logql", q.Query, want, func(ctx context.Context) error {
		found, err := s.app.logql.Query(ctx, s.tenant, logqlengine.Params{Query: q.Query, Start: q.Start, End: q.End, Limit: q.Limit})
		if err != nil {
			return err
		}
		for _, stream := range found.Streams {
			entries = append(entries, stream.Entries...)
		}
		return nil
	})
	slices.SortFunc(entries, func(a, b logqlengine.Entry) int { return cmp.Compare(b.Time, a.Time) })
	list := make([]string, 0, evidenceLines)
	for _, e := range entries[:min(len(entries), evidenceLines)] {
		list = append(list, time.Unix(0, e.Time).UTC().Format(time.TimeOnly)+" "+cut(strings.TrimSpace(e.Line), evidenceBytes))
	}
	return list, err
}

// events returns the newest Warning events of the alert's workload.
func (s *surroundings) events(ctx context.Context) ([]string, error) {
	pod, prefix := s.workload()
	object := cmp.Or(pod, s.label("node", "persistentvolumeclaim"))
	if object == "" && prefix == "" && s.label("namespace") == "" {
		return nil, nil
	}
	f := events.Filter{Range: s.span(), Is: map[string][]string{"type": {"Warning"}}}
	for field, value := range map[string]string{"cluster": s.label("cluster"), "namespace": s.label("namespace"), "object": object} {
		if value != "" {
			f.Is[field] = []string{value}
		}
	}
	most := evidenceLines
	if object == "" && prefix != "" {
		most *= 10 // the objects of other workloads are taken out below
	}
	var found []seamark.Event
	err := s.query(ctx, "events", "Warning events of "+s.alert.Name(), wants(f.Range, seamark.Events), func(ctx context.Context) (err error) {
		found, _, err = s.app.events.List(ctx, s.tenant, f, most)
		return err
	})
	list := make([]string, 0, evidenceLines)
	for i := range found {
		e := &found[i]
		if object == "" && prefix != "" && e.Object != prefix && !strings.HasPrefix(e.Object, prefix+"-") {
			continue
		}
		if list = append(list, cut(fmt.Sprintf("%s %s %s/%s (x%d): %s", e.Last.UTC().Format(time.TimeOnly), e.Reason, e.Kind, e.Object, e.Count, e.Message), evidenceBytes)); len(list) == evidenceLines {
			break
		}
	}
	return list, err
}

// links leads to the pages of the console that show the same.
func (s *surroundings) links() []receivers.Link {
	span := s.span()
	page := func(name string, values map[string]string) string {
		q := url.Values{"from": {span.Start.UTC().Format(time.RFC3339)}, "to": {span.End.UTC().Format(time.RFC3339)}}
		for key, value := range values {
			if value != "" {
				q.Set(key, value)
			}
		}
		u := s.console.JoinPath(name)
		u.RawQuery = q.Encode()
		return u.String()
	}
	alert := s.console.JoinPath("alerts")
	alert.RawQuery = url.Values{"alert": {s.alert.Fingerprint().String()}}.Encode()
	list := []receivers.Link{{Text: "Alert", URL: alert.String()}}
	if expr := s.expression(); expr != "" && !strings.Contains(expr, "\x00") {
		list = append(list, receivers.Link{Text: "Metrics", URL: page("metrics", map[string]string{"q": expr})})
	}
	if selector := s.selector(); selector != "" {
		pod, _ := s.workload()
		list = append(list,
			receivers.Link{Text: "Logs", URL: page("logs", map[string]string{"q": selector})},
			receivers.Link{Text: "Events", URL: page("events", map[string]string{"cluster": s.label("cluster"), "namespace": s.label("namespace"), "object": pod, "type": "Warning"})},
		)
	}
	return list
}
