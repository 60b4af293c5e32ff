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
// for a sample and an hour for all; here a sample and an evaluation take a second, and a value stays until it is shown what comes of
// it, so that a slow machine only takes longer.

// every is the interval of groups and of samples.
const every = time.Second

// step is values that series have, a sample every second, until the rules show what comes of them.
type step struct {
	values map[string]float64
	until  []state
}

// state is what a rule shows of its alert, or of the one that has a variant: inactive, or its state with its value.
type state struct{ rule, variant, shown string }

// play goes through steps, and returns all that the rules showed meanwhile.
func play(t *testing.T, x *inprocess.Tenant, steps []step) (seen []moment) {
	t.Helper()
	for _, s := range steps {
		var pushed time.Time
		testkit.Eventually(t, within, func() error {
			if time.Since(pushed) >= every {
				pushed = time.Now()
				pushValues(t, x, s.values)
			}
			now := look(t, x)
			seen = append(seen, now)
			checkAlertsAPI(t, x)
			for _, want := range s.until {
				if got := now.of(want.rule, want.variant); got != want.shown {
					return fmt.Errorf("with %v %s %s is %q, want %q", s.values, want.rule, want.variant, got, want.shown)
				}
			}
			return nil
		})
	}
	return seen
}

// pushValues pushes a sample of now of each series.
func pushValues(t *testing.T, x *inprocess.Tenant, values map[string]float64) {
	t.Helper()
	w := &prompb.WriteRequest{}
	for name, v := range values {
		w.Timeseries = append(w.Timeseries, prompb.TimeSeries{Labels: labelsOf(name), Samples: []prompb.Sample{{Value: v, Timestamp: time.Now().UnixMilli()}}})
	}
	body, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, body)), http.StatusNoContent)
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

// of returns what a rule shows of its alert; nothing before its first evaluation.
func (m *moment) of(rule, variant string) string {
	r, known := m.rules[rule]
	if !known || r.State == "unknown" {
		return ""
	}
	shown := "inactive"
	for _, a := range r.Alerts {
		if variant == "" || a.Labels["variant"] == variant {
			shown = a.State + " " + a.Value
		}
	}
	return shown
}

// lives returns the distinct states of a rule's alert with its value, in their order.
func lives(seen []moment, rule, variant string) []string {
	var list []string
	for _, m := range seen {
		if now := m.of(rule, variant); now != "" {
			list = append(list, now)
		}
	}
	return slices.Compact(list)
}

// holds fails unless the states came in this order, and no other between them.
func holds(t *testing.T, rule string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", rule, strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// saveGroupYAML saves a group, and waits until it is no longer new: Prometheus writes the series ALERTS from the third evaluation on, after it
// has looked for what they were before.
func saveGroupYAML(t *testing.T, x *inprocess.Tenant, body string) {
	t.Helper()
	x.Post(t, x.Admin, "/prometheus/config/v1/rules/nodes", "application/yaml", body, http.StatusAccepted)
	evaluated := map[string]map[time.Time]bool{} // when each rule was, as far as it was seen
	testkit.Eventually(t, within, func() error {
		for name, r := range look(t, x).rules {
			if evaluated[name] == nil {
				evaluated[name] = map[time.Time]bool{}
			}
			if !r.LastEvaluation.IsZero() {
				evaluated[name][r.LastEvaluation] = true
			}
		}
		for name, times := range evaluated {
			if len(times) < 4 {
				return fmt.Errorf("%s was seen evaluated %d times", name, len(times))
			}
		}
		if len(evaluated) == 0 {
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
    for: 12s
    labels: {foo: bar, rulegroup: life}
    annotations: {description: SimpleAlert is firing, summary: 'The value is {{$value}} {{.Value}}'}
`)
	load := func(v float64, shown string) step {
		return step{map[string]float64{"load{case=life}": v}, []state{{"SimpleAlert", "", shown}}}
	}
	seen := play(t, x, []step{
		load(3, "inactive"), load(9, "inactive"), load(11, "pending 1.1e+01"), load(15, "pending 1.5e+01"), load(15, "firing 1.5e+01"), load(19, "firing 1.9e+01"),
		load(9, "inactive"), load(15, "pending 1.5e+01"), load(15, "firing 1.5e+01"), load(8, "inactive"),
	})
	holds(t, "SimpleAlert", lives(seen, "SimpleAlert", ""), []string{
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
	checkSeries(t, x)
	checkNotified(t, h, active, evaluations(t, x, `alertname="SimpleAlert"`))
}

// checkRule compares a rule with its configuration.
func checkRule(t *testing.T, r *shownRule) {
	t.Helper()
	if r.Name == "" {
		return // the API does not show it yet
	}
	if r.Type != "alerting" || r.Query != `load{case="life"} > 10` || r.Duration != 12 || r.Labels["foo"] != "bar" || r.Annotations["summary"] != "The value is {{$value}} {{.Value}}" {
		t.Errorf("rule = %+v", r)
	}
	if r.Health != "ok" && r.Health != "unknown" || r.LastError != "" || !slices.Contains([]string{"inactive", "pending", "firing", "unknown"}, r.State) {
		t.Errorf("rule's state = %+v", r)
	}
}

// checkNotified wants the receiver to have heard of both times: the beginning at the first evaluation at which `for` had passed, and the
// end.
func checkNotified(t *testing.T, h *hook, active []time.Time, at map[string][]time.Time) {
	t.Helper()
	var got []notification
	testkit.Eventually(t, within, func() error {
		h.mu.Lock()
		defer h.mu.Unlock()
		got = slices.Clone(h.got)
		if ends := slices.DeleteFunc(slices.Clone(got), func(n notification) bool { return n.Status != "resolved" }); len(ends) < 2 {
			return fmt.Errorf("the receiver heard %d ends: %+v", len(ends), got)
		}
		return nil
	})
	for _, n := range got {
		a := n.Alerts[0]
		if !slices.ContainsFunc(active, func(since time.Time) bool { return inMillis(a.StartsAt).Equal(firstAfter(at["firing"], since)) }) {
			t.Errorf("the alert that is active since %v is said to have fired at %s; it was firing at %v", active, a.StartsAt, at["firing"])
		}
		if a.Status == "resolved" && !a.EndsAt.After(a.StartsAt) {
			t.Errorf("it ended at %s, before it began at %s", a.EndsAt, a.StartsAt)
		}
	}
	for _, since := range active {
		due, fired := inMillis(since).Add(12*time.Second), firstAfter(at["firing"], since)
		if late := firstAfter(at["pending"], due); fired.Before(due) || !late.IsZero() && late.Before(fired) {
			t.Errorf("the alert that is active since %s fired at %s and was pending at %s; `for` is 12 s", since, fired, late)
		}
	}
}

// checkSeries looks at what the alert has left as the tenant's series: states with the alert's labels alone, 1 while they last.
func checkSeries(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		got := vector(t, x, `max by (alertstate) (max_over_time(ALERTS{alertname="SimpleAlert", foo="bar", rulegroup="life", case="life"}[1h]))`, "alertstate")
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
  - {alert: PendingAlert, expr: 'load{case="pending"} > 10', for: 5m, labels: {foo: bar}}
  - {alert: InactiveAlert, expr: 'load{case="pending"} > 99', for: 5m}
`)
	load := func(v float64, shown string) step {
		return step{map[string]float64{"load{case=pending}": v}, []state{{"PendingAlert", "", shown}, {"InactiveAlert", "", "inactive"}}}
	}
	seen := play(t, x, []step{load(3, "inactive"), load(11, "pending 1.1e+01"), load(9, "inactive")})
	holds(t, "PendingAlert", lives(seen, "PendingAlert", ""), []string{"inactive", "pending 1.1e+01", "inactive"})
	holds(t, "InactiveAlert", lives(seen, "InactiveAlert", ""), []string{"inactive"})
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
	load := func(v float64, zero, small string) step {
		return step{
			map[string]float64{"load{case=zero}": v, "said{case=template,id=1}": 10, "said{case=template,id=2}": 20},
			[]state{{"ZeroFor", "", zero}, {"SmallFor", "", small}},
		}
	}
	seen := play(t, x, []step{
		load(3, "inactive", "inactive"), load(15, "firing 1.5e+01", "firing 1.5e+01"), load(9, "inactive", "inactive"), load(12, "firing 1.2e+01", "inactive"),
		load(9, "inactive", "inactive"),
	})
	holds(t, "ZeroFor", lives(seen, "ZeroFor", ""), []string{"inactive", "firing 1.5e+01", "inactive", "firing 1.2e+01", "inactive"})
	// Between two evaluations it may be looked at or not.
	small := slices.DeleteFunc(lives(seen, "SmallFor", ""), func(shown string) bool { return shown == "pending 1.5e+01" })
	holds(t, "SmallFor", small, []string{"inactive", "firing 1.5e+01", "inactive"})
	testkit.Eventually(t, within, func() error {
		at := evaluations(t, x, `alertname="SmallFor"`)
		if len(at["pending"]) != 1 || len(at["firing"]) == 0 || !at["firing"][0].After(at["pending"][0]) {
			return fmt.Errorf("SmallFor was pending at %v and firing at %v, want one evaluation and those after it", at["pending"], at["firing"])
		}
		return nil
	})
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
    for: 10s
    labels: {foo: bar, rulegroup: order}
  - alert: Rule2
    expr: '(ALERTS{alertstate="firing", alertname="Rule1", foo="bar", variant="one"} + ignoring(variant) ALERTS{alertstate="firing", alertname="Rule1", foo="bar", variant="two"}) == 2'
    labels: {foo: baz, ba_dum: tss}
    annotations: {description: 'Based on ALERTS. Old alertname was {{$labels.alertname}}. foo was {{.Labels.foo}}.'}
`)
	load := func(one, two float64, until ...state) step {
		return step{map[string]float64{"load{case=order,variant=one}": one, "load{case=order,variant=two}": two}, until}
	}
	both := func(shown string) []state { return []state{{"Rule1", "one", shown}, {"Rule1", "two", shown}} }
	seen := play(t, x, []step{
		load(1, 1, append(both("inactive"), state{"Rule2", "", "inactive"})...),
		load(11, 1, state{"Rule1", "one", "pending 1.1e+01"}), load(11, 11, state{"Rule1", "two", "pending 1.1e+01"}),
		load(11, 11, append(both("firing 1.1e+01"), state{"Rule2", "", "firing 2e+00"})...), load(9, 9, append(both("inactive"), state{"Rule2", "", "inactive"})...),
	})
	holds(t, "Rule1 of one", lives(seen, "Rule1", "one"), []string{"inactive", "pending 1.1e+01", "firing 1.1e+01", "inactive"})
	holds(t, "Rule1 of two", lives(seen, "Rule1", "two"), []string{"inactive", "pending 1.1e+01", "firing 1.1e+01", "inactive"})
	holds(t, "Rule2", lives(seen, "Rule2", ""), []string{"inactive", "firing 2e+00", "inactive"})
	var followed time.Time
	for _, m := range seen {
		for _, a := range m.rules["Rule2"].Alerts {
			followed = a.ActiveAt
			if a.Labels["foo"] != "baz" || a.Labels["ba_dum"] != "tss" || a.Annotations["description"] != "Based on ALERTS. Old alertname was Rule1. foo was bar." {
				t.Errorf("Rule2: %+v", a)
			}
		}
	}
	testkit.Eventually(t, within, func() error {
		if fired := evaluations(t, x, `alertname="Rule1",variant="two"`)["firing"]; len(fired) == 0 || !fired[0].Equal(inMillis(followed)) {
			return fmt.Errorf("the second rule saw the alerts of the first one at %s; they fired at %v, which is when", followed, fired)
		}
		return nil
	})
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
	pushValues(t, x, map[string]float64{"load{case=same,variant=one}": 11, "load{case=same,variant=two}": 11})
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
