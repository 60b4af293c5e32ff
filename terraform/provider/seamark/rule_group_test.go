package seamark

import "testing"

func TestSameRules(t *testing.T) {
	const stored = `{"name":"g","interval":"1m","rules":[{"alert":"A","expr":"up","for":"5m"}]}`
	for name, c := range map[string]struct {
		written string
		same    bool
	}{
		"other units and comments": {"# all\nname: g\ninterval: 60s\nrules:\n- {alert: A, expr: up, for: 300s, labels: {}}\n", true},
		"without its name":         {"interval: 1m\nrules: [{alert: A, expr: up, for: 5m}]\n", true},
		"another expression":       {"name: g\ninterval: 1m\nrules: [{alert: A, expr: down, for: 5m}]\n", false},
		"one rule more":            {"name: g\ninterval: 1m\nrules: [{alert: A, expr: up, for: 5m}, {record: b, expr: up}]\n", false},
		"no YAML":                  {"[", false},
	} {
		if got := sameRules(c.written, stored); got != c.same {
			t.Errorf("%s: got %t, want %t", name, got, c.same)
		}
	}
}
