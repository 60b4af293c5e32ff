// Package packs_test runs the unit tests of the rule packs: those over metrics with Prometheus' engine, those over logs with the
// product's own, over lines in memory.
package packs_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/alerting/packs"
	"github.com/seamarkhq/seamark/alerting/ruletest"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql"
	logqlengine "github.com/seamarkhq/seamark/querier/logql/engine"
)

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// logEpoch is where the tests' time begins for lines: the store's days begin after 1970.
var logEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestPacks runs each pack's tests.
func TestPacks(t *testing.T) {
	for _, p := range load(t) {
		t.Run(p.Name, func(t *testing.T) {
			file, options := prepare(t, &p)
			for _, fault := range ruletest.Run(t.Context(), file, options) {
				t.Error(fault)
			}
			checkComplete(t, &p, file)
		})
	}
}

func load(t *testing.T) []packs.Pack {
	t.Helper()
	list, err := packs.Load()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// prepare returns a pack's tests and what they run with: the pack as a tenant has it that chose nothing.
func prepare(t *testing.T, p *packs.Pack) (*ruletest.File, ruletest.Options) {
	t.Helper()
	text, err := p.Tests()
	if err != nil {
		t.Fatal(err)
	}
	file, err := ruletest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	groups, err := p.Render(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var o ruletest.Options
	for _, g := range groups {
		o.Groups = append(o.Groups, g.RuleGroup)
		if g.Language == "logql" {
			o.Logs, o.Parse = logs, func(text string) (parser.Expr, error) {
				if _, err := logql.Parse(text); err != nil {
					return nil, err
				}
				return expression{text: text}, nil
			}
		}
	}
	return file, o
}

// checkComplete wants of each alert a runbook, texts, a severity, the label cluster, a test in which it fires, and one in which it
// does not.
func checkComplete(t *testing.T, p *packs.Pack, file *ruletest.File) {
	t.Helper()
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, c := range file.Tests {
		for _, a := range c.Alerts {
			fires[a.AlertName] = fires[a.AlertName] || len(a.Alerts) > 0
			quiet[a.AlertName] = quiet[a.AlertName] || len(a.Alerts) == 0
			for _, want := range a.Alerts {
				if want.Labels["cluster"] == "" {
					t.Errorf("%s fires without the label cluster", a.AlertName)
				}
			}
		}
	}
	for _, g := range p.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			if !fires[r.Alert] || !quiet[r.Alert] {
				t.Errorf("%s: fires in a test: %t, does not in another: %t", r.Alert, fires[r.Alert], quiet[r.Alert])
			}
			if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("%s lacks a severity, a summary or a description", r.Alert)
			}
			if book, ok := p.Runbook(r.Alert); !ok || !strings.Contains(book, "**Then.**") {
				t.Errorf("%s has no runbook that ends with what to do", r.Alert)
			}
		}
	}
}

// expression is a LogQL expression where Prometheus' rules hold one of PromQL.
type expression struct {
	parser.Expr
	text string
}

// String implements parser.Node.
func (e expression) String() string { return e.text }

// logs evaluates LogQL over a test's streams with the product's engine.
func logs(streams []ruletest.Stream) (rules.QueryFunc, error) {
	rows, err := stored(streams)
	if err != nil {
		return nil, err
	}
	engine, err := logqlengine.New(logqlengine.Options{Storage: rows, NoPushdown: true})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
		result, err := engine.Query(ctx, tenant, logqlengine.Params{Query: query, Start: logEpoch.Add(at.Sub(time.Unix(0, 0))), End: logEpoch.Add(at.Sub(time.Unix(0, 0)))})
		if err != nil {
			return nil, err
		}
		var v promql.Vector
		for _, s := range result.Series {
			b := labels.NewScratchBuilder(len(s.Labels))
			for _, l := range s.Labels {
				b.Add(l.Name, l.Value)
			}
			b.Sort()
			v = append(v, promql.Sample{Metric: b.Labels(), T: at.UnixMilli(), F: s.Points[0].Value})
		}
		return v, nil
	}, nil
}

// stored brings streams to the form in which the engine reads them, over the one in which they are stored.
func stored(streams []ruletest.Stream) (*logmem.Rows, error) {
	b := &seamark.Batch{}
	for i, s := range streams {
		matchers, err := logql.ParseMatchers(s.Stream)
		if err != nil {
			return nil, err
		}
		series := &seamark.Series{Kind: seamark.LogStream, FP: uint64(i + 1), Name: "x/y"}
		for _, m := range matchers {
			if m.Value != "" {
				series.Labels = append(series.Labels, seamark.Label{Name: m.Name, Value: m.Value})
			}
		}
		slices.SortFunc(series.Labels, func(a, b seamark.Label) int { return strings.Compare(a.Name, b.Name) })
		ref := b.Logs.AddStream(series)
		for _, l := range s.Lines {
			for k := range max(1, l.Repeat) {
				at := logEpoch.Add(time.Duration(l.At) + time.Duration(k)*time.Duration(l.Every))
				row := seamark.LogRow{Stream: ref, TimeNano: at.UnixNano(), Body: l.Line}
				for name, value := range l.Metadata {
					row.Attrs = append(row.Attrs, seamark.Label{Name: name, Value: value})
				}
				b.Logs.Append(&row)
			}
		}
	}
	return decoded(b)
}

func decoded(b *seamark.Batch) (*logmem.Rows, error) {
	encoded, err := store.NewEncoder().Encode(b, logEpoch)
	if err != nil {
		return nil, err
	}
	rows := logmem.New()
	var streams []store.LogStream
	var block *store.LogBlock
	for i := range encoded.Segments {
		switch segment := &encoded.Segments[i]; segment.Table {
		case store.TableSeries:
			more, err := store.DecodeLogStreams(segment)
			if err != nil {
				return nil, err
			}
			streams = append(streams, more...)
		case store.TableLogs:
			if block, err = store.DecodeLogs(segment); err != nil {
				return nil, err
			}
		}
	}
	if block == nil {
		return nil, errors.New("the test has no lines")
	}
	rows.Set(streams, block)
	return rows, nil
}

// TestParameters renders a pack with what a tenant chose, and refuses what does not fit.
func TestParameters(t *testing.T) {
	list := load(t)
	at := slices.IndexFunc(list, func(p packs.Pack) bool { return p.Name == "nodes" })
	p := &list[at]
	groups, err := p.Render(map[string]string{"disk_free_percent": "3", "load_per_cpu": "not a number"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	find := func(alert string) rulefmt.Rule {
		i := slices.IndexFunc(groups[0].Rules, func(r rulefmt.Rule) bool { return r.Alert == alert })
		return groups[0].Rules[i]
	}
	if r := find("NodeDiskFilling"); !strings.HasSuffix(r.Expr, "< 3") || !strings.Contains(r.Annotations["description"], "Less than 3 %") {
		t.Errorf("chosen: %+v", r)
	}
	if r := find("NodeOverloaded"); !strings.HasSuffix(r.Expr, "> 3") {
		t.Errorf("a value that does not fit any more: %q, want the default", r.Expr)
	}
	for name, value := range map[string]string{"disk_free_percent": "99", "load_per_cpu": "NaN", "memory_free_percent": "", "unknown": "1"} {
		if err := p.Check(map[string]string{name: value}); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s=%q: %v, want Invalid", name, value, err)
		}
	}
	events := list[slices.IndexFunc(list, func(p packs.Pack) bool { return p.Name == "events" })]
	for _, value := range []string{`a"} or {x="`, "a`b", "${other}", `\`} {
		if err := events.Check(map[string]string{"namespaces": value}); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("namespaces=%q: %v, want Invalid", value, err)
		}
	}
}
