package alerts_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// The cases of prometheus/compliance's alert generator, told in our own words: its specification's life of an alert, what the
// two APIs and the series ALERTS show of it at each moment, and what the Alertmanager behind it hears. The public suite takes 15 s
// for a sample and an hour for all; here a sample and an evaluation take a second.

// every is the interval of groups and of samples.
const every = time.Second

// stage is a value that a series has for some time.
type stage struct {
	value float64
	lasts time.Duration
}

// script plays series: each has its stages one after the other, with a sample every second, and none after the last.
func script(t *testing.T, x *inprocess.Tenant, series map[string][]stage) {
	t.Helper()
	var longest time.Duration
	for _, stages := range series {
		total := time.Duration(0)
		for _, s := range stages {
			total += s.lasts
		}
		longest = max(longest, total)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < longest; <-tick.C {
		w := &prompb.WriteRequest{}
		for name, stages := range series {
			if v, ok := valueAt(stages, time.Since(began)); ok {
				w.Timeseries = append(w.Timeseries, prompb.TimeSeries{Labels: labelsOf(name), Samples: []prompb.Sample{{Value: v, Timestamp: time.Now().UnixMilli()}}})
			}
		}
		body, err := w.Marshal()
		if err != nil {
			t.Error(err)
			return
		}
		x.Post(t, x.Ingest, "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, body)), http.StatusNoContent)
	}
}

func valueAt(stages []stage, at time.Duration) (float64, bool) {
	for _, s := range stages {
		if at < s.lasts {
			return s.value, true
		}
		at -= s.lasts
	}
	return 0, false
}

// labelsOf reads name{a=b,c=d}.
func labelsOf(text string) []prompb.Label {
	name, rest, _ := strings.Cut(strings.TrimSuffix(text, "}"), "{")
	list := []prompb.Label{{Name: "__name__", Value: name}}
	for pair := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(pair, "=")
		list = append(list, prompb.Label{Name: k, Value: v})
	}
	slices.SortFunc(list, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// shownAlert is an alert in the answers of both APIs.
type shownAlert struct {
	State       string
	Value       string
	ActiveAt    time.Time
	Labels      map[string]string
	Annotations map[string]string
}

type shownRule struct {
	Type, Name, Query, State, Health, LastError string
	Duration, EvaluationTime                    float64
	LastEvaluation                              time.Time
	Labels, Annotations                         map[string]string
	Alerts                                      []shownAlert
}

// moment is what the rules API shows at once.
type moment struct {
	seen  time.Time
	rules map[string]shownRule
}

func look(t *testing.T, x *inprocess.Tenant) moment {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Name           string
				Interval       float64
				LastEvaluation time.Time
				Rules          []shownRule
			}
		}
	}
	x.Get(t, "/prometheus/api/v1/rules", nil, &answer)
	m := moment{seen: time.Now(), rules: map[string]shownRule{}}
	for _, g := range answer.Data.Groups {
		if g.Interval != every.Seconds() {
			t.Errorf("group %s has the interval %v", g.Name, g.Interval)
		}
		for _, r := range g.Rules {
			m.rules[r.Name] = r
		}
	}
	return m
}

// watch looks at the rules while play runs, and returns all that it saw.
func watch(t *testing.T, x *inprocess.Tenant, play func()) []moment {
	t.Helper()
	played := make(chan struct{})
	go func() { defer close(played); play() }()
	var seen []moment
	tick := time.NewTicker(every / 4)
	defer tick.Stop()
	for {
		seen = append(seen, look(t, x))
		checkAlertsAPI(t, x)
		select {
		case <-played:
			return append(seen, look(t, x))
		case <-tick.C:
		}
	}
}

// checkAlertsAPI wants the alerts API to be of the same form as the rules API; they are two requests, so that an evaluation may lie
// between them.
func checkAlertsAPI(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	var answer struct {
		Data struct{ Alerts []shownAlert }
	}
	x.Get(t, "/prometheus/api/v1/alerts", nil, &answer)
	for _, a := range answer.Data.Alerts {
		if a.State != "pending" && a.State != "firing" || a.ActiveAt.IsZero() || a.Labels["alertname"] == "" || a.Value == "" {
			t.Errorf("alerts API: %+v", a)
		}
	}
}

// lives returns the distinct states of a rule's alert with its value, in their order.
func lives(seen []moment, rule string, of func(shownAlert) bool) []string {
	var list []string
	for _, m := range seen {
		r, known := m.rules[rule]
		if !known || r.State == "unknown" {
			continue
		}
		now := "inactive"
		for _, a := range r.Alerts {
			if of == nil || of(a) {
				now = a.State + " " + a.Value
			}
		}
		if len(list) == 0 || list[len(list)-1] != now {
			list = append(list, now)
		}
	}
	return list
}

// holds fails unless the states came in this order. Where a state lasts no longer than an evaluation and a look, it may be missed;
// no other may come between.
func holds(t *testing.T, rule string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", rule, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

func saveGroupYAML(t *testing.T, x *inprocess.Tenant, body string) {
	t.Helper()
	x.Post(t, x.Admin, "/prometheus/config/v1/rules/nodes", "application/yaml", body, http.StatusAccepted)
	testkit.Eventually(t, within, func() error {
		if len(look(t, x).rules) == 0 {
			return fmt.Errorf("the rules do not run yet")
		}
		return nil
	})
}

// TestCompliancePendingFiringResolved has an alert pend, fire and end, and do so again. Its annotations follow the value at once; the
// time since which it is active stays, and is a new one the second time.
func TestCompliancePendingFiringResolved(t *testing.T) {
	t.Parallel()
	x, h := newTenant(t, "compliance-life"), newHook(t)
	if answer := saveReceiver(t, x, h.URL); answer.Status != http.StatusCreated {
		t.Fatalf("save the receiver: %d %s", answer.Status, answer.Body)
	}
	defer removeRules(t, x)
	saveGroupYAML(t, x, `
name: life
interval: 1s
rules:
  - alert: SimpleAlert
    expr: 'load{case="life"} > 10'
    for: 6s
    labels: {foo: bar, rulegroup: life}
    annotations: {description: SimpleAlert is firing, summary: 'The value is {{$value}} {{.Value}}'}
`)
	seen := watch(t, x, func() {
		script(t, x, map[string][]stage{"load{case=life}": {
			{3, 3 * every}, {9, 3 * every}, {11, 4 * every}, {15, 9 * every}, {19, 5 * every}, {9, 6 * every}, {15, 12 * every}, {8, 5 * every},
		}})
	})
	holds(t, "SimpleAlert", lives(seen, "SimpleAlert", nil), []string{
		"inactive", "pending 1.1e+01", "pending 1.5e+01", "firing 1.5e+01", "firing 1.9e+01", "inactive", "pending 1.5e+01", "firing 1.5e+01", "inactive",
	})
	var active []time.Time
	for _, m := range seen {
		r := m.rules["SimpleAlert"]
		checkRule(t, &r)
		for _, a := range r.Alerts {
			v := map[string]string{"1.1e+01": "11", "1.5e+01": "15", "1.9e+01": "19"}[a.Value]
			if a.Annotations["summary"] != "The value is "+v+" "+v || a.Annotations["description"] != "SimpleAlert is firing" {
				t.Errorf("value %s has annotations %v", a.Value, a.Annotations)
			}
			if len(a.Labels) != 5 || a.Labels["foo"] != "bar" || a.Labels["rulegroup"] != "life" || a.Labels["case"] != "life" {
				t.Errorf("labels = %v", a.Labels)
			}
			if !slices.ContainsFunc(active, a.ActiveAt.Equal) {
				active = append(active, a.ActiveAt)
			}
		}
	}
	if len(active) != 2 {
		t.Fatalf("the alert was active since %v, want two times", active)
	}
	checkNotified(t, h, active)
	checkSeries(t, x)
}

// checkRule compares a rule with its configuration.
func checkRule(t *testing.T, r *shownRule) {
	t.Helper()
	if r.Name == "" {
		return // the API does not show it yet
	}
	if r.Type != "alerting" || r.Query != `load{case="life"} > 10` || r.Duration != 6 || r.Labels["foo"] != "bar" || r.Annotations["summary"] != "The value is {{$value}} {{.Value}}" {
		t.Errorf("rule = %+v", r)
	}
	if r.Health != "ok" && r.Health != "unknown" || r.LastError != "" || !slices.Contains([]string{"inactive", "pending", "firing", "unknown"}, r.State) {
		t.Errorf("rule's state = %+v", r)
	}
}

// checkNotified wants the receiver to have heard of both times: the beginning at the evaluation at which `for` had passed, and the end.
func checkNotified(t *testing.T, h *hook, active []time.Time) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		resolved := 0
		for _, n := range h.got {
			if n.Status == "resolved" {
				resolved++
			}
		}
		if resolved < 2 {
			return fmt.Errorf("the receiver heard %d ends: %+v", resolved, h.got)
		}
		return nil
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.got {
		a := n.Alerts[0]
		fired := slices.ContainsFunc(active, func(since time.Time) bool {
			waited := a.StartsAt.Sub(since)
			return waited >= 6*time.Second && waited < 6*time.Second+2*every
		})
		if !fired {
			t.Errorf("the alert that is active since %v is said to have fired at %s; `for` is 6 s", active, a.StartsAt)
		}
		if a.Status == "resolved" && !a.EndsAt.After(a.StartsAt) {
			t.Errorf("it ended at %s, before it began at %s", a.EndsAt, a.StartsAt)
		}
	}
}

// checkSeries looks at what the alert has left as the tenant's series: states with the alert's labels alone, 1 while they last.
func checkSeries(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := vector(t, x, `max by (alertstate) (max_over_time(ALERTS{alertname="SimpleAlert", foo="bar", rulegroup="life", case="life"}[5m]))`, "alertstate")
		if len(got) != 2 || got["pending"] != "1" || got["firing"] != "1" {
			return fmt.Errorf("ALERTS: %v, want 1 for pending and firing", got)
		}
		if left := vector(t, x, `ALERTS{alertname="SimpleAlert"}`, "alertstate"); len(left) != 0 {
			return fmt.Errorf("ALERTS of an alert that has ended: %v", left)
		}
		return nil
	})
}

// TestCompliancePendingResolved has an alert that ends before it fires, of which nobody hears, and one that never begins.
func TestCompliancePendingResolved(t *testing.T) {
	t.Parallel()
	x, h := newTenant(t, "compliance-pending"), newHook(t)
	if answer := saveReceiver(t, x, h.URL); answer.Status != http.StatusCreated {
		t.Fatalf("save the receiver: %d %s", answer.Status, answer.Body)
	}
	defer removeRules(t, x)
	saveGroupYAML(t, x, `
name: pending
interval: 1s
rules:
  - {alert: PendingAlert, expr: 'load{case="pending"} > 10', for: 20s, labels: {foo: bar}}
  - {alert: InactiveAlert, expr: 'load{case="pending"} > 99', for: 20s}
`)
	seen := watch(t, x, func() {
		script(t, x, map[string][]stage{"load{case=pending}": {{3, 3 * every}, {11, 6 * every}, {9, 5 * every}}})
	})
	holds(t, "PendingAlert", lives(seen, "PendingAlert", nil), []string{"inactive", "pending 1.1e+01", "inactive"})
	holds(t, "InactiveAlert", lives(seen, "InactiveAlert", nil), []string{"inactive"})
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.got) != 0 {
		t.Errorf("the receiver heard %+v of alerts that never fired", h.got)
	}
}

// TestComplianceZeroAndSmallFor has an alert that fires at its first evaluation, and one whose `for` is shorter than the interval, which
// fires at its second one. Templates have all functions, `query` too.
func TestComplianceZeroAndSmallFor(t *testing.T) {
	t.Parallel()
	x := newTenant(t, "compliance-zero")
	defer removeRules(t, x)
	saveGroupYAML(t, x, `
name: zero
interval: 1s
rules:
  - alert: ZeroFor
    expr: 'load{case="zero"} > 10'
    annotations:
      numbers: '{{humanize 1048576.0}} {{humanize1024 1048576.0}} {{humanizeDuration 135.3563}} {{humanizePercentage 0.959}} {{humanizeTimestamp 1643114203.0}}'
      asked: '{{ define "t" }}Args are: {{.arg0}} {{.arg1}} {{.arg2}}. {{ with query "said{case=''template''}" }}first:{{ . | sortByLabel "id" | first | label "id" }},{{ range sortByLabel "id" . }}{{ . | label "id" }}:{{ . | value }},{{ end }}{{ end }}{{ end }}{{ template "t" (args "foo" "bar" 99) }}'
  - alert: SmallFor
    expr: 'load{case="zero"} > 13'
    for: 500ms
    annotations:
      words: '{{title "this part"}} {{toUpper "is testing"}} {{toLower "THE STRINGS"}}. {{ stripPort "[::1]:6006"}} {{ stripPort "127.0.0.1:4004"}}. {{parseDuration "2h10m15s"}}. {{if match "[0-9]+" "1234"}}{{reReplaceAll "r.*d" "replaced" "rpld text"}}{{end}}.'
`)
	seen := watch(t, x, func() {
		script(t, x, map[string][]stage{
			"load{case=zero}":          {{3, 3 * every}, {15, 6 * every}, {9, 5 * every}, {12, 6 * every}, {9, 4 * every}},
			"said{case=template,id=1}": {{10, 20 * every}}, "said{case=template,id=2}": {{20, 20 * every}},
		})
	})
	holds(t, "ZeroFor", lives(seen, "ZeroFor", nil), []string{"inactive", "firing 1.5e+01", "inactive", "firing 1.2e+01", "inactive"})
	small := lives(seen, "SmallFor", nil)
	holds(t, "SmallFor", small, []string{"inactive", "pending 1.5e+01", "firing 1.5e+01", "inactive"})
	asked := false
	for _, m := range seen {
		for _, a := range m.rules["ZeroFor"].Alerts {
			if got := a.Annotations["numbers"]; got != "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC" {
				t.Errorf("numbers = %q", got)
			}
			asked = asked || a.Annotations["asked"] == "Args are: foo bar 99. first:1,1:10,2:20,"
		}
		for _, a := range m.rules["SmallFor"].Alerts {
			if got := a.Annotations["words"]; got != "This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text." {
				t.Errorf("words = %q", got)
			}
		}
	}
	if !asked {
		t.Errorf("no annotation has what its template asked for")
	}
}

// TestComplianceOrder has a rule that reads the alerts of the rule before it, in the same evaluation, while a second alert of that one
// comes and goes. Templates see the labels of the expression's result, not those that the rule puts over them.
func TestComplianceOrder(t *testing.T) {
	t.Parallel()
	x := newTenant(t, "compliance-order")
	defer removeRules(t, x)
	saveGroupYAML(t, x, `
name: order
interval: 1s
rules:
  - alert: Rule1
    expr: 'load{case="order"} > 10'
    for: 4s
    labels: {foo: bar, rulegroup: order}
  - alert: Rule2
    expr: '(ALERTS{alertstate="firing", alertname="Rule1", foo="bar", variant="one"} + ignoring(variant) ALERTS{alertstate="firing", alertname="Rule1", foo="bar", variant="two"}) == 2'
    labels: {foo: baz, ba_dum: tss}
    annotations: {description: 'Based on ALERTS. Old alertname was {{$labels.alertname}}. foo was {{.Labels.foo}}.'}
`)
	seen := watch(t, x, func() {
		script(t, x, map[string][]stage{
			"load{case=order,variant=one}": {{1, 2 * every}, {11, 18 * every}, {9, 4 * every}},
			"load{case=order,variant=two}": {{1, 6 * every}, {11, 14 * every}, {9, 4 * every}},
		})
	})
	variant := func(name string) func(shownAlert) bool {
		return func(a shownAlert) bool { return a.Labels["variant"] == name }
	}
	holds(t, "Rule1 of one", lives(seen, "Rule1", variant("one")), []string{"inactive", "pending 1.1e+01", "firing 1.1e+01", "inactive"})
	holds(t, "Rule1 of two", lives(seen, "Rule1", variant("two")), []string{"inactive", "pending 1.1e+01", "firing 1.1e+01", "inactive"})
	holds(t, "Rule2", lives(seen, "Rule2", nil), []string{"inactive", "firing 2e+00", "inactive"})
	var began, followed time.Time
	for _, m := range seen {
		for _, a := range m.rules["Rule1"].Alerts {
			if a.Labels["variant"] == "two" {
				began = a.ActiveAt
			}
		}
		for _, a := range m.rules["Rule2"].Alerts {
			followed = a.ActiveAt
			if a.Labels["foo"] != "baz" || a.Labels["ba_dum"] != "tss" || a.Annotations["description"] != "Based on ALERTS. Old alertname was Rule1. foo was bar." {
				t.Errorf("Rule2: %+v", a)
			}
		}
	}
	if got := followed.Sub(began); got != 4*time.Second {
		t.Errorf("the second rule saw the alerts of the first one %s after they began to pend; want 4 s, the evaluation at which they fired", got)
	}
}

// TestComplianceSameLabels has a rule two of whose alerts would have the same labels: it fails, sends nothing, and says so.
func TestComplianceSameLabels(t *testing.T) {
	t.Parallel()
	x := newTenant(t, "compliance-same")
	defer removeRules(t, x)
	saveGroupYAML(t, x, `
name: same
interval: 1s
rules:
  - {alert: Same, expr: 'load{case="same"} > 10', labels: {variant: all}}
`)
	both := map[string][]stage{"load{case=same,variant=one}": {{11, 3 * every}}, "load{case=same,variant=two}": {{11, 3 * every}}}
	script(t, x, both)
	testkit.Eventually(t, within, func() error {
		r := look(t, x).rules["Same"]
		if r.Health != "err" || r.LastError == "" || len(r.Alerts) != 0 {
			return fmt.Errorf("rule = %+v, want the fault and no alert", r)
		}
		return nil
	})
	var alerts []json.RawMessage
	x.Get(t, "/alertmanager/api/v2/alerts", url.Values{}, &alerts)
	if len(alerts) != 0 {
		t.Errorf("the Alertmanager heard of %s", alerts)
	}
}
