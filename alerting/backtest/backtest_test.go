package backtest_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/alerting/backtest"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAA")

// engine is Prometheus' engine over one storage. It implements backtest.Source.
type engine struct {
	*promql.Engine
	data storage.Queryable
}

func newEngine() *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e7, Timeout: time.Minute, Logger: slog.New(slog.DiscardHandler), EnableAtModifier: true, EnableNegativeOffset: true,
		Parser: parser.NewParser(parser.Options{EnableExperimentalFunctions: true}),
	})
}

func (e engine) Queryable(seamark.TenantID) storage.Queryable { return e.data }

func (e engine) Instant(ctx context.Context, q backtest.Query, at time.Time) (promql.Vector, error) {
	return e.InstantOver(ctx, e.data, q.Expr, at)
}

func (e engine) Range(ctx context.Context, q backtest.Query, r seamark.TimeRange, step time.Duration) (promql.Matrix, error) {
	return e.RangeOver(ctx, e.data, q.Expr, r, step)
}

func (e engine) InstantOver(ctx context.Context, data storage.Queryable, expr string, at time.Time) (promql.Vector, error) {
	return rules.EngineQueryFunc(e.Engine, data)(ctx, expr, at)
}

func (e engine) RangeOver(ctx context.Context, data storage.Queryable, expr string, r seamark.TimeRange, step time.Duration) (promql.Matrix, error) {
	q, err := e.NewRangeQuery(ctx, data, nil, expr, r.Start, r.End, step)
	if err != nil {
		return nil, err
	}
	result := q.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	return result.Matrix()
}

var epoch = time.Unix(0, 0).UTC()

// begin is when the tests' ranges begin, after the data.
const begin = 10 * time.Minute

// story is what a rule did at one step: the states of its alerts with their values.
type story []string

// replay evaluates a group as the rules manager does, over storage that takes what it records, and returns the firings of each alert.
// It begins with the backtest's warm-up and tells what ended within its range.
func replay(t *testing.T, load string, group rulefmt.RuleGroup, report *backtest.Report, offset time.Duration) map[string]story {
	t.Helper()
	interval := report.Interval
	data := promqltest.LoadedStorage(t, load)
	t.Cleanup(func() { _ = data.Close() })
	e := newEngine()
	list := make([]rules.Rule, 0, len(group.Rules))
	p := parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
	for _, r := range group.Rules {
		expr, err := p.ParseExpr(r.Expr)
		if err != nil {
			t.Fatal(err)
		}
		if r.Record != "" {
			list = append(list, rules.NewRecordingRule(r.Record, expr, labels.FromMap(r.Labels)))
			continue
		}
		list = append(list, rules.NewAlertingRule(r.Alert, expr, time.Duration(r.For), time.Duration(r.KeepFiringFor), labels.FromMap(r.Labels),
			labels.FromMap(r.Annotations), labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler)))
	}
	g := rules.NewGroup(rules.GroupOptions{
		Name: group.Name, File: "f", Interval: interval, Limit: group.Limit, Rules: list, QueryOffset: &offset,
		Opts: &rules.ManagerOptions{
			QueryFunc: rules.EngineQueryFunc(e, data), Appendable: data, Context: t.Context(), Logger: slog.New(slog.DiscardHandler),
			NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
		},
	})
	firing := map[string]string{} // alert: since when
	done := map[string]story{}
	for ts := report.Start.Add(-report.WarmUp); !ts.After(report.End); ts = ts.Add(interval) {
		g.Eval(t.Context(), ts)
		now := map[string]bool{}
		for _, rule := range g.AlertingRules() {
			for _, a := range rule.ActiveAlerts() {
				key := a.Labels.String()
				if a.State == rules.StateFiring {
					now[key] = true
					if firing[key] == "" {
						firing[key] = clock(a.FiredAt)
					}
				}
			}
		}
		for key, since := range firing {
			if !now[key] {
				if !ts.Before(report.Start) {
					done[key] = append(done[key], since+"-"+clock(ts))
				}
				delete(firing, key)
			}
		}
	}
	for key, since := range firing {
		done[key] = append(done[key], since+"-")
	}
	return done
}

func clock(t time.Time) string { return t.UTC().Sub(epoch).String() }

func tested(t *testing.T, load string, group rulefmt.RuleGroup, steps int, interval, offset time.Duration) (*backtest.Report, map[string]story) {
	t.Helper()
	data := promqltest.LoadedStorage(t, load)
	t.Cleanup(func() { _ = data.Close() })
	tester, err := backtest.New(backtest.Options{Source: engine{newEngine(), data}, Limits: backtest.DefaultLimits()})
	if err != nil {
		t.Fatal(err)
	}
	report, err := tester.Run(t.Context(), &backtest.Request{
		Tenant: tenant, Language: "promql", Group: group, Interval: interval, Offset: offset,
		Range: seamark.TimeRange{Start: epoch.Add(begin), End: epoch.Add(begin + time.Duration(steps-1)*interval)},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]story{}
	for _, r := range report.Rules {
		if r.Failures > 0 {
			t.Logf("%s failed %d times: %s", r.Name, r.Failures, r.Failure)
		}
		for _, f := range r.Firings {
			key := f.Labels.String()
			end := ""
			if !f.End.IsZero() {
				end = clock(f.End)
			}
			got[key] = append(got[key], clock(f.Start)+"-"+end)
		}
	}
	return report, got
}

func parseGroup(t *testing.T, text string) rulefmt.RuleGroup {
	t.Helper()
	var g rulefmt.RuleGroup
	if err := yaml.Unmarshal([]byte(text), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// randomLoad makes series that come, go, jump and stay, as promqltest's load command wants them.
func randomLoad(random *rand.Rand) string {
	var b strings.Builder
	b.WriteString("load 15s\n")
	for i := range 6 {
		fmt.Fprintf(&b, "  queue{pod=\"p%d\"} ", i)
		for range 60 {
			switch n := random.IntN(10); {
			case n < 5:
				fmt.Fprintf(&b, "%dx%d ", random.IntN(20), random.IntN(12))
			case n < 7:
				fmt.Fprintf(&b, "_x%d ", 1+random.IntN(30))
			case n < 8:
				b.WriteString("stale ")
			default:
				fmt.Fprintf(&b, "%d+%dx%d ", random.IntN(10), random.IntN(3), random.IntN(10))
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The groups of the differential test: what only reads the store, what reads what stands before it in the group, and what reads
// its own past.
var groups = map[string]string{
	"for and keep": `
name: g
rules:
  - {alert: High, expr: queue > 9, for: 1m}
  - {alert: Kept, expr: queue > 12, for: 30s, keep_firing_for: 2m}
  - {alert: Now, expr: 'avg_over_time(queue[2m]) > 10'}
  - {alert: Gone, expr: 'absent(queue{pod="p3"})', for: 1m}
  - {alert: Labelled, expr: 'sum(queue) > 40', labels: {size: '{{ if gt $value 60.0 }}large{{ else }}small{{ end }}'}}`,
	"recorded before": `
name: g
rules:
  - {record: 'queue:sum', expr: sum(queue)}
  - {record: 'queue:max5', expr: 'max_over_time(queue:sum[5m])'}
  - {record: 'pod:high', expr: 'queue > 10', labels: {kind: high}}
  - {alert: Sum, expr: 'queue:sum > 45', for: 1m}
  - {alert: Old, expr: 'queue:max5 offset 2m > 55', for: 30s}
  - {alert: Stale, expr: 'count(pod:high) > 1', for: 30s}
  - {alert: Meta, expr: 'count(ALERTS{alertname="Stale", alertstate="firing"}) > 0'}`,
	"own past": `
name: g
rules:
  - {record: grows, expr: '(grows or vector(0)) + 1'}
  - {alert: Grown, expr: 'grows % 40 > 20', for: 30s}
  - {alert: Again, expr: 'queue > 10 unless on (pod) ALERTS{alertname="Again", alertstate="firing"} offset 5m', for: 15s}`,
	"anything by name": `
name: g
rules:
  - {record: a, expr: 'count({__name__=~"queue|b"})'}
  - {record: b, expr: 'a > 3'}
  - {alert: Many, expr: 'b > 4', for: 30s}`,
	"bounds of the range": `
name: g
rules:
  - {alert: End, expr: 'queue @ end() > 10', for: 30s}`,
	"limit": `
name: g
limit: 3
rules:
  - {alert: Many, expr: queue > 8, for: 15s}`,
	"asking template": `
name: g
rules:
  - {alert: Sum, expr: 'sum(queue) > 50', for: 1m, labels: {most: '{{ with query "max(queue)" }}{{ . | first | value }}{{ end }}'}}`,
}

// TestBacktestEqualsReplay compares backtests with the rules manager's own group over the same data, step by step.
func TestBacktestEqualsReplay(t *testing.T) {
	random := testkit.Seed(t)
	const steps = 240
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		group := parseGroup(t, groups[name])
		fired := 0
		for round := range 3 {
			load, interval, offset := randomLoad(random), 30*time.Second, time.Duration(round)*20*time.Second
			report, got := tested(t, load, group, steps, interval, offset)
			want := replay(t, load, group, report, offset)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, offset %s: the rules manager and the backtest differ (-manager +backtest):\n%s\n%s", name, offset, diff, load)
			}
			fired += len(want)
		}
		if fired == 0 {
			t.Errorf("%s: nothing fired in any round, so nothing was compared", name)
		}
	}
}

const down = `
name: g
rules:
  - {alert: Down, expr: up == 0, for: 2m, annotations: {summary: '{{ $labels.pod }} is down'}}
  - {alert: Slow, expr: lag > 5}`

// TestBacktestReport checks what a report says: counts, times, peak and the series for a graph.
func TestBacktestReport(t *testing.T) {
	const load = `load 1m
  up{pod="a"} 1x20 0x5 1x20 0x1 1x40
  up{pod="b"} 1x90
  lag{pod="a"} 1x30 6 7 9 8 1x50`
	report, _ := tested(t, load, parseGroup(t, down), 70, time.Minute, 0)
	if report.Steps != 70 || report.WarmUp != 2*time.Minute || len(report.Rules) != 2 {
		t.Fatalf("report = %+v", report)
	}
	r := report.Rules[0]
	if r.Fired != 1 || r.Pending != 1 || r.FiringTime != 4*time.Minute || r.SeriesTotal != 1 || len(r.Series[0].Floats) != 8 {
		t.Errorf("Down: %+v", r)
	}
	f := r.Firings[0]
	if clock(f.Active) != "21m0s" || clock(f.Start) != "23m0s" || clock(f.End) != "27m0s" || f.Annotations.Get("summary") != "a is down" {
		t.Errorf("firing = %+v", f)
	}
	if f := report.Rules[1].Firings[0]; f.Peak != 9 || clock(f.PeakAt) != "33m0s" || clock(f.Start) != "31m0s" || clock(f.End) != "35m0s" {
		t.Errorf("peak: %+v", f)
	}
}

// TestDryRun evaluates one moment: what was pending for long enough before it fires at it.
func TestDryRun(t *testing.T) {
	const load = `load 1m
  up{pod="a"} 1x5 0x60
  up{pod="b"} 1x9 0x60`
	report, _ := tested(t, load, parseGroup(t, "name: g\nrules:\n  - {alert: Down, expr: up == 0, for: 3m}\n"), 1, time.Minute, 0)
	if report.Steps != 1 || !report.Start.Equal(report.End) || len(report.Rules[0].Active) != 2 {
		t.Fatalf("report = %+v", report)
	}
	for i, firing := range []bool{true, false} {
		if a := report.Rules[0].Active[i]; a.Firing != firing || a.Labels.Get("alertname") != "Down" {
			t.Errorf("alert %d = %+v, want firing %t", i, a, firing)
		}
	}
}

// TestBacktestLimits asks for more than the limits allow.
func TestBacktestLimits(t *testing.T) {
	data := promqltest.LoadedStorage(t, "load 1m\n  queue 1x100")
	t.Cleanup(func() { _ = data.Close() })
	tester, err := backtest.New(backtest.Options{Source: engine{newEngine(), data}, Limits: backtest.Limits{Steps: 100, Evaluations: 10, Series: 1, Firings: 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		group      string
		span, step time.Duration
		kind       seamark.Kind
		want       string
	}{
		{groups["for and keep"], 200 * time.Minute, time.Minute, seamark.Invalid, "201 evaluations of each rule, 101 more than the limit of 100"},
		{groups["own past"], 50 * time.Minute, time.Minute, seamark.Invalid, `Rule "grows": The backtest needs more than 10 queries`},
		{groups["for and keep"], time.Minute, 0, seamark.Invalid, "must be longer than zero"},
		{groups["for and keep"], -time.Minute, time.Minute, seamark.Invalid, ""},
	} {
		_, err := tester.Run(t.Context(), &backtest.Request{
			Tenant: tenant, Language: "promql", Group: parseGroup(t, tt.group), Interval: tt.step,
			Range: seamark.TimeRange{Start: epoch, End: epoch.Add(tt.span)},
		})
		if err == nil || seamark.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s in steps of %s: %v, want %v with %q", tt.span, tt.step, err, tt.kind, tt.want)
		}
	}
}
