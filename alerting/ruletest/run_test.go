package ruletest_test

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/alerting/ruletest"
)

const testedRules = `
name: g
rules:
  - {record: 'up:sum', expr: sum by (job) (up)}
  - {alert: Down, expr: 'up:sum == 0', for: 2m, labels: {severity: page}, annotations: {summary: '{{ $labels.job }} is down'}}
`

// TestRun runs tests that hold and tests that do not: a runner that finds no fault proves nothing.
func TestRun(t *testing.T) {
	var group rulefmt.RuleGroup
	if err := yaml.Unmarshal([]byte(testedRules), &group); err != nil {
		t.Fatal(err)
	}
	const head = "rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series: [{series: 'up{job=\"a\"}', values: '1x3 0x10'}]\n"
	const alert = "        exp_alerts: [{exp_labels: {severity: page, job: a}, exp_annotations: {summary: a is down}}]\n"
	for _, tt := range []struct{ name, checks, fault string }{
		{"fires", "    alert_rule_test:\n      - eval_time: 7m\n        alertname: Down\n" + alert, ""},
		{"pends", "    alert_rule_test:\n      - eval_time: 5m\n        alertname: Down\n", ""},
		{"expression", "    promql_expr_test: [{expr: 'up:sum + 1', eval_time: 2m, exp_samples: [{labels: '{job=\"a\"}', value: 2}]}]\n", ""},
		{"too early", "    alert_rule_test:\n      - eval_time: 5m\n        alertname: Down\n" + alert, "alertname Down at 5m"},
		{"nothing expected", "    alert_rule_test:\n      - eval_time: 7m\n        alertname: Down\n", "got  [{"},
		{"other annotation", "    alert_rule_test:\n      - eval_time: 7m\n        alertname: Down\n" + strings.Replace(alert, "is down", "is up", 1), "want [{"},
		{"no such alert", "    alert_rule_test:\n      - eval_time: 7m\n        alertname: Dwon\n", "alertname Dwon"},
		{"other value", "    promql_expr_test: [{expr: 'up:sum', eval_time: 2m, exp_samples: [{labels: 'up:sum{job=\"a\"}', value: 2}]}]\n", "got  [{"},
	} {
		file, err := ruletest.Parse([]byte(head + tt.checks))
		if err != nil {
			t.Fatal(err)
		}
		faults := ruletest.Run(t.Context(), file, ruletest.Options{Groups: []rulefmt.RuleGroup{group}})
		switch {
		case tt.fault == "" && len(faults) > 0:
			t.Errorf("%s: %v", tt.name, faults)
		case tt.fault != "" && (len(faults) != 1 || !strings.Contains(faults[0].Error(), tt.fault)):
			t.Errorf("%s: %v, want a fault with %q", tt.name, faults, tt.fault)
		}
	}
	if _, err := ruletest.Parse([]byte("tests: []\nnonsense: 1\n")); err == nil {
		t.Error("an unknown field is taken")
	}
}
