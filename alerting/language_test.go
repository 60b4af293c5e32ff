package alerting

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/model/timestamp"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// withLogs gives a process rules over logs, whose expressions are looked up as those over metrics are.
func withLogs(w *world) func(*Options) {
	return func(o *Options) {
		o.QueryLogs = func(t seamark.TenantID) rules.QueryFunc { return w.query(t) }
		o.CheckLogs = func(expr string) (line, column int, err error) {
			if strings.HasPrefix(expr, "{") || strings.Contains(expr, "count_over_time") {
				return 0, 0, nil
			}
			return 1, 2, errors.New("no LogQL")
		}
	}
}

const logsDown = `sum(count_over_time({app="a"} |= "down" [1m])) > 0`

// TestLogRules keeps groups of both languages apart, and evaluates each in its own.
func TestLogRules(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, logsDown, labels.FromStrings("pod", "a"))
	w.set(tenantA, "down", labels.FromStrings("pod", "b"))
	p := w.start(t, "one", withLogs(w))
	p.leads(t)
	p.saveGroup(t, tenantA, "ns", alertGroup("Metrics", "down", "0s"))
	body := fmt.Sprintf("name: logs\nrules:\n  - alert: Logs\n    expr: '%s'\n", logsDown)
	if err := p.SaveRuleGroup(t.Context(), tenantA, "ns", LogQL, []byte(body)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		var firing []string
		groups, err := p.RuleGroups(t.Context(), tenantA)
		for _, g := range groups {
			for _, r := range g.AlertingRules() {
				if err := r.LastError(); err != nil {
					t.Fatalf("rule %s: %v", r.Name(), err)
				}
				for _, a := range r.ActiveAlerts() {
					firing = append(firing, a.Labels.Get("alertname")+" "+a.Labels.Get("pod")+" "+r.Query().String())
				}
			}
		}
		slices.Sort(firing)
		if want := []string{"Logs a " + logsDown, "Metrics b down"}; err == nil && !slices.Equal(firing, want) {
			return fmt.Errorf("firing %q, want %q", firing, want)
		}
		return err
	})
	for language, want := range map[string]string{PromQL: "metrics", LogQL: "logs"} {
		list, err := p.ListRuleGroups(t.Context(), tenantA, language)
		if err != nil || len(list["ns"]) != 1 || list["ns"][0].Name != want {
			t.Errorf("groups in %s: %v, %v", language, list, err)
		}
	}
	if err := p.SaveRuleGroup(t.Context(), tenantA, "ns", PromQL, []byte("name: logs\nrules: []\n")); seamark.KindOf(err) != seamark.Conflict {
		t.Errorf("a group in another language under a name that is taken: %v, want Conflict", err)
	}
	if err := p.SaveRuleGroup(t.Context(), tenantA, "ns", LogQL, []byte("name: bad\nrules:\n  - {alert: A, expr: up}\n")); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("PromQL in a LogQL group: %v, want Invalid", err)
	}
	if err := p.DeleteRuleNamespace(t.Context(), tenantA, "ns", LogQL); err != nil {
		t.Fatal(err)
	}
	if list, err := p.ListRuleGroups(t.Context(), tenantA, PromQL); err != nil || len(list["ns"]) != 1 {
		t.Errorf("deleting the groups over logs left %v of those over metrics, %v", list, err)
	}
}

// TestGroupConditions changes and deletes groups on the condition of their revision, and keeps packs' namespaces to packs.
func TestGroupConditions(t *testing.T) {
	w := newWorld(t)
	p := w.start(t, "one")
	p.leads(t)
	none, group := uint64(0), RuleGroup{Namespace: "ns", Language: PromQL}
	body := []byte("name: g\nrules:\n  - {record: 'a:b', expr: up}\n")
	saved, err := p.SaveGroup(t.Context(), tenantA, group, body, &none)
	if err != nil || saved.Revision == 0 {
		t.Fatalf("create: %+v, %v", saved, err)
	}
	if _, err := p.SaveGroup(t.Context(), tenantA, group, body, &none); seamark.KindOf(err) != seamark.Conflict {
		t.Errorf("create again: %v, want Conflict", err)
	}
	changed, err := p.SaveGroup(t.Context(), tenantA, group, body, &saved.Revision)
	if err != nil || changed.Revision <= saved.Revision {
		t.Errorf("change: %+v, %v", changed, err)
	}
	if err := p.DeleteGroup(t.Context(), tenantA, changed, &saved.Revision); seamark.KindOf(err) != seamark.Conflict {
		t.Errorf("delete an old revision: %v, want Conflict", err)
	}
	if err := p.DeleteGroup(t.Context(), tenantA, changed, &changed.Revision); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		body, want string
	}{
		{"name: g\ninterval: 1ms\nrules: []\n", "shortest interval"},
		{"name: g\nquery_offset: 2h\nrules: []\n", "behind the clock"},
		{"name: g\nrules:\n" + strings.Repeat("  - {record: 'a:b', expr: up}\n", 21), "21 rules, 1 more than the limit of 20"},
		{"name: g\nrules: []\n#" + strings.Repeat("x", 256<<10), "more than the limit of 262144"},
	} {
		if _, err := p.SaveGroup(t.Context(), tenantA, group, []byte(tt.body), nil); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40q: %v, want %q", tt.body, err, tt.want)
		}
	}
	group.Namespace = "seamark/nodes"
	if _, err := p.SaveGroup(t.Context(), tenantA, group, body, nil); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("a group in a pack's namespace: %v, want Invalid", err)
	}
}

// TestPackOnAndOff switches a pack on with a parameter: its groups run, are in no ruler's configuration, and end with it.
func TestPackOnAndOff(t *testing.T) {
	w := newWorld(t)
	p := w.start(t, "one")
	p.leads(t)
	if _, err := p.SavePack(t.Context(), tenantA, "nodes", map[string]string{"disk_free_percent": "200"}, nil); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("a parameter that does not fit: %v, want Invalid", err)
	}
	state, err := p.SavePack(t.Context(), tenantA, "nodes", map[string]string{"disk_free_percent": "7"}, nil)
	if err != nil || state.Revision == 0 {
		t.Fatalf("switch on: %+v, %v", state, err)
	}
	running := func() (n int, err error) {
		groups, err := p.RuleGroups(t.Context(), tenantA)
		for _, g := range groups {
			if NamespaceOf(g) == "seamark/nodes" {
				n++
			}
		}
		return n, err
	}
	testkit.Eventually(t, patience, func() error {
		if n, err := running(); err != nil || n != 1 {
			return fmt.Errorf("%d groups of the pack run, %w", n, err)
		}
		return nil
	})
	groups, err := p.ListGroups(t.Context(), tenantA)
	if err != nil || len(groups) != 1 || groups[0].Pack != "nodes" || !slices.ContainsFunc(groups[0].Group.Rules, func(r rulefmt.Rule) bool { return strings.HasSuffix(r.Expr, "< 7") }) {
		t.Errorf("groups: %+v, %v", groups, err)
	}
	if list, err := p.ListRuleGroups(t.Context(), tenantA, PromQL); err != nil || len(list) != 0 {
		t.Errorf("the ruler's configuration has %v, %v", list, err)
	}
	if err := p.DeletePack(t.Context(), tenantA, "nodes", nil); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, patience, func() error {
		if n, err := running(); err != nil || n != 0 {
			return fmt.Errorf("%d groups of the pack still run, %w", n, err)
		}
		return nil
	})
	if err := p.DeletePack(t.Context(), tenantA, "nodes", nil); seamark.KindOf(err) != seamark.NotFound {
		t.Errorf("switch off again: %v, want NotFound", err)
	}
}

// TestLateSampleWithinDelay has samples that come 200 ms late. A rule that fires where a sample is missing fires for nothing when it
// is evaluated at once, and never with a delay that is longer.
func TestLateSampleWithinDelay(t *testing.T) {
	const late = 200 * time.Millisecond
	for delay, want := range map[time.Duration]bool{0: true, 4 * late: false} {
		w := newWorld(t)
		var evaluations atomic.Int64
		p := w.start(t, "one", func(o *Options) {
			o.EvaluationDelay = delay
			o.Query = func(seamark.TenantID) rules.QueryFunc {
				return func(_ context.Context, _ string, at time.Time) (promql.Vector, error) {
					evaluations.Add(1)
					if time.Since(at) > late {
						return nil, nil // the sample of that time has come
					}
					return promql.Vector{{Metric: labels.FromStrings("pod", "a"), T: timestamp.FromTime(at), F: 1}}, nil
				}
			}
		})
		p.leads(t)
		p.saveGroup(t, tenantA, "ns", alertGroup("Silent", "absent(up)", "0s"))
		testkit.Eventually(t, patience, func() error {
			if n := evaluations.Load(); n < 8 {
				return fmt.Errorf("%d evaluations", n)
			}
			return nil
		})
		if fired := slices.ContainsFunc(w.publishedSeries(tenantA), func(s string) bool { return strings.Contains(s, "ALERTS") }); fired != want {
			t.Errorf("with a delay of %s the alert fired: %t, want %t", delay, fired, want)
		}
	}
}

// TestVanishedSeriesEnds has a recording rule lose a series: its end is written, so that queries do not see it for minutes more.
func TestVanishedSeriesEnds(t *testing.T) {
	w := newWorld(t)
	w.set(tenantA, "up", labels.FromStrings("pod", "a"), labels.FromStrings("pod", "b"))
	p := w.start(t, "one")
	p.leads(t)
	p.saveGroup(t, tenantA, "ns", "name: g\nrules:\n  - {record: 'pod:up', expr: up}\n")
	last := func(pod string) (found bool, v float64) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, s := range w.published[tenantA] {
			if s.Labels.Get("pod") == pod {
				found, v = true, s.Value
			}
		}
		return found, v
	}
	testkit.Eventually(t, patience, func() error {
		if found, v := last("b"); !found || v != 1 {
			return errors.New("nothing is recorded yet")
		}
		return nil
	})
	w.set(tenantA, "up", labels.FromStrings("pod", "a"))
	testkit.Eventually(t, patience, func() error {
		if _, v := last("b"); math.Float64bits(v) != value.StaleNaN {
			return fmt.Errorf("the last sample of the series is %v, want a stale marker", v)
		}
		return nil
	})
	if _, v := last("a"); v != 1 {
		t.Errorf("the other series has %v", v)
	}
}
