package app

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestRetentionSelectorsNameSomething: a rule by a selector that names nothing would delete all that a tenant has.
func TestRetentionSelectorsNameSomething(t *testing.T) {
	for _, text := range []string{`{}`, ` { } `, `{app=""}`, `{app!="web"}`, `{app=~".*"}`, `{app!~".+"}`, `{app=~"web|"}`, `{app="web"`, `x y`} {
		if list, err := parseSelector(text); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s: got %v, %v; want a refusal", text, list, err)
		}
	}
	for text, want := range map[string]int{`{app="web"}`: 1, `{app=~".+",level!="error"}`: 2, `up`: 1, `{app!=""}`: 1} {
		if list, err := parseSelector(text); err != nil || len(list) != want {
			t.Errorf("%s: got %v, %v; want %d matchers", text, list, err, want)
		}
	}
}
