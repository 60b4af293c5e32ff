package alerting

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const goodGroup = `name: pods
interval: 1m
limit: 100
labels:
  team: infra
rules:
  - alert: CrashLooping
    expr: rate(kube_pod_container_status_restarts_total[5m]) > 0
    for: 5m
    keep_firing_for: 1m
    labels:
      severity: critical
    annotations:
      summary: '{{ $labels.pod }} restarts'
  - record: pod:restarts:rate5m
    expr: rate(kube_pod_container_status_restarts_total[5m])
`

func TestRuleGroupRoundTrip(t *testing.T) {
	group, err := ParseRuleGroup([]byte(goodGroup), nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err := yaml.Marshal(group)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseRuleGroup(out, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(group, again, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if group.Rules[0].For != model.Duration(5*time.Minute) || group.Labels["team"] != "infra" {
		t.Errorf("group = %+v", group)
	}
	asJSON := `{"name":"j","rules":[{"record":"a:b","expr":"up"}]}`
	if _, err := ParseRuleGroup([]byte(asJSON), nil); err != nil {
		t.Errorf("JSON: %v", err)
	}
}

func TestRuleGroupRefusedWithPosition(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"empty", "", "empty"},
		{"not yaml", "name: [", "line 1"},
		{"no name", "rules: []", "needs a name"},
		{"semicolon", "name: a;b\nrules: []", "semicolon"},
		{"long name", "name: " + strings.Repeat("a", 300), "the limit is 256"},
		{"unknown field", "name: g\ncolour: red\nrules: []", `2:1: group "g": field colour not found`},
		{"two documents", "name: g\n---\nname: h\n", "second YAML document"},
		{"expression", "name: g\nrules:\n  - alert: A\n    expr: rate(x[5m\n", `4:11: group "g", rule 1, "A": could not parse expression`},
		{"second rule", "name: g\nrules:\n  - record: a:b\n    expr: up\n  - record: c:d\n    expr: sum(\n", `6:11: group "g", rule 2, "c:d"`},
		{"no expression", "name: g\nrules:\n  - alert: A\n", "field 'expr' must be set"},
		{"alert and record", "name: g\nrules:\n  - alert: A\n    record: a:b\n    expr: up\n", "only one of 'record' and 'alert'"},
		{"for of a record", "name: g\nrules:\n  - record: a:b\n    expr: up\n    for: 5m\n", "invalid field 'for'"},
		{"template", "name: g\nrules:\n  - alert: A\n    expr: up\n    annotations: {s: '{{ .Nope'}\n", `annotation "s"`},
		{"duration", "name: g\ninterval: soon\nrules: []\n", "not a valid duration"},
		{"label name", "name: g\nrules:\n  - alert: A\n    expr: up\n    labels: {__name__: x}\n", "invalid label name"},
		{"group label", "name: g\nlabels: {__name__: x}\nrules: []\n", `group label "__name__"`},
	}
	for _, tt := range tests {
		_, err := ParseRuleGroup([]byte(tt.body), nil)
		if err == nil || seamark.KindOf(err) != seamark.Invalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an Invalid error with %q", tt.name, err, tt.want)
		}
	}
}

// TestRuleGroupTellsAllFaults has several faults in one document, which are told at once, each with its place: in the document and
// in the expression.
func TestRuleGroupTellsAllFaults(t *testing.T) {
	const body = `name: g
interval: soon
rules:
  - alert: A
    expr: |
      sum(up)
        + rate(up[5m
    for: [1]
  - record: a:b
    expr: up[5m]
    annotations: {a: b}
  - alert: B
    expr: up
    labels: {team: '{{ .Nope'}
    colour: red
  - alert: C
    expr: sum(up
`
	_, faults := CheckRuleGroup([]byte(body), nil)
	type place struct {
		pointer                                  string
		rule, line, column, exprLine, exprColumn int
	}
	var got []place
	for _, f := range faults {
		if f.Group != "g" || f.Message == "" {
			t.Errorf("fault %+v names no group or no reason", f)
		}
		got = append(got, place{f.Pointer, f.Rule, f.Line, f.Column, f.ExprLine, f.ExprColumn})
	}
	want := []place{
		{"/interval", 0, 2, 11, 0, 0},
		{"/rules/0/for", 1, 8, 10, 0, 0},
		{"/rules/1/expr", 2, 10, 11, 1, 1},
		{"/rules/1/annotations", 2, 11, 18, 0, 0},
		{"/rules/2/colour", 3, 15, 5, 0, 0},
		{"/rules/3/expr", 4, 17, 11, 1, 7},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(place{})); diff != "" {
		t.Errorf("faults differ (-want +got):\n%s", diff)
	}
	_, err := ParseRuleGroup([]byte(body), nil)
	if e, ok := errors.AsType[*seamark.Error](err); !ok || len(e.Fields) != len(want) {
		t.Errorf("the error names %v, want all %d faults", err, len(want))
	}
}

func TestRuleKeyRoundTrip(t *testing.T) {
	for _, name := range []string{"a", "a.b", "a/b *>", "имя", strings.Repeat("x", maxNameBytes)} {
		ns, group, err := parseRuleKey(ruleKey(name, name+"!"))
		if err != nil || ns != name || group != name+"!" {
			t.Errorf("round trip of %q = %q, %q, %v", name, ns, group, err)
		}
	}
}

func FuzzRuleGroup(f *testing.F) {
	f.Add([]byte(goodGroup))
	f.Add([]byte("name: g\nrules:\n  - alert: A\n    expr: up\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		group, err := ParseRuleGroup(body, nil)
		if err != nil {
			if seamark.KindOf(err) != seamark.Invalid {
				t.Fatalf("%v is of kind %v, want Invalid", err, seamark.KindOf(err))
			}
			return
		}
		out, err := yaml.Marshal(group)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRuleGroup(out, nil)
		if err != nil {
			t.Fatalf("%q does not read back: %v", out, err)
		}
		if diff := cmp.Diff(group, again, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}
