package seamark

import (
	"errors"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

func TestSameMasked(t *testing.T) {
	const shown = "route: {receiver: ops}\nreceivers:\n  - name: ops\n    slack_configs: [{api_url: <secret>, send_resolved: true}]\n"
	for name, c := range map[string]struct {
		written string
		same    bool
	}{
		"a placeholder":   {"receivers: [{name: ops, slack_configs: [{api_url: 'https://x/<secret:slack>', send_resolved: true}]}]\nroute: {receiver: ops}", true},
		"a mask":          {shown, true},
		"another field":   {strings.Replace(shown, "true", "false", 1), false},
		"one field more":  {shown + "templates: [a]\n", false},
		"one list longer": {shown + "  - name: other\n", false},
		"no YAML":         {"{", false},
	} {
		if got := sameMasked(shown, c.written); got != c.same {
			t.Errorf("%s: got %t, want %t", name, got, c.same)
		}
	}
}

// TestUnmasked puts secrets in as text, whatever they hold.
func TestUnmasked(t *testing.T) {
	secrets := map[string]string{"a": "x: [1]\n\"y\" # z", "b": "B"}
	node, err := unmasked("one: <secret:a>\ntwo: 'https://h/<secret:b>/<secret:b>'\nthree: 3\n", secrets)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got["one"] != secrets["a"] || got["two"] != "https://h/B/B" || got["three"] != 3 {
		t.Errorf("got %v", got)
	}
	for text, want := range map[string]string{"a: <secret:c>": "asks for c,", "": "Write what", "a: [": "yaml"} {
		_, err := unmasked(text, secrets)
		if fault, ok := errors.AsType[*crud.FieldFault](err); !ok || !strings.Contains(fault.Detail, want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}
