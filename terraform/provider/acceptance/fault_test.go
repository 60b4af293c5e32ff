package acceptance_test

import (
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// wantFault applies a configuration, which has to fail with all of the words.
func wantFault(t *testing.T, ws *workspace, config string, words ...string) {
	t.Helper()
	ws.write(t, "main.tf", config)
	_, bad, code := ws.run(t, "apply", "-auto-approve", "-input=false", "-no-color")
	said := unwrapped(bad)
	if code == 0 {
		t.Errorf("the configuration was applied, want a fault with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("the fault does not say %q:\n%s", word, bad)
		}
	}
}

// unwrapped takes the frame and the ends of lines out of what Terraform says.
func unwrapped(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(text)), " ")
}

// testFaults has the server's faults told at the line that they are about, with its advice and what to quote.
func testFaults(t *testing.T, w *world) {
	for name, c := range map[string]struct {
		config string
		words  []string
	}{
		"field of a nested object": {
			"resource \"seamark_dashboard\" \"it\" {\n  spec = jsonencode({ version = 1, title = \"\", panels = [] })\n}\n",
			[]string{"on main.tf line 2", "spec/title: ", "request "},
		},
		"unknown field": {
			"resource \"seamark_dashboard\" \"it\" {\n  spec = jsonencode({ version = 1, titel = \"x\", panels = [] })\n}\n",
			[]string{"on main.tf line 2", "titel"},
		},
		"rule by its place in the YAML": {
			"resource \"seamark_rule_group\" \"it\" {\n  namespace = \"a\"\n  name      = \"g\"\n  yaml      = \"name: g\\nrules:\\n- alert: A\\n  expr: rate(up[5m\\n\"\n}\n",
			[]string{"on main.tf line 4", "4:", "alert"},
		},
		"all faults of a nested list": {
			"resource \"seamark_rule_group\" \"it\" {\n  namespace = \"a\"\n  name      = \"g\"\n  rules = [\n    { alert = \"A\", expr = \"up\", for = \"soon\" },\n    { alert = \"B\", expr = \"rate(up[5m\" },\n  ]\n}\n",
			[]string{"rules[0].for: ", "rules[1].expr: "},
		},
		"expression of one rule": {
			"resource \"seamark_rule_group\" \"it\" {\n  namespace = \"a\"\n  name      = \"g\"\n  rules = [\n    { alert = \"A\", expr = \"up\" },\n    { alert = \"B\", expr = \"rate(up[5m\" },\n  ]\n}\n",
			[]string{"on main.tf line 4", "rules[1].expr: ", "\"B\"", "seamark-rule"},
		},
		"a secret without a value": {
			"resource \"seamark_receiver\" \"it\" {\n  name   = \"ops\"\n  config = \"slack_configs: [{api_url: '<secret:slack>', channel: '#x'}]\"\n}\n",
			[]string{"A secret has no value", "slack"},
		},
		"a token for nobody": {
			"resource \"seamark_cluster_token\" \"it\" {\n  cluster_id = \"x\"\n}\n", []string{"seal_to", "secret_file"},
		},
		"a key that is too short": {
			"resource \"seamark_api_key\" \"it\" {\n  name    = \"k\"\n  role    = \"viewer\"\n  seal_to = \"no key\"\n}\n", []string{"not a public key in PEM"},
		},
		"an unknown role": {
			"resource \"seamark_api_key\" \"it\" {\n  name        = \"k\"\n  role        = \"emperor\"\n  secret_file = \"x.secret\"\n}\n", []string{"emperor", "seamark-"},
		},
		"what belongs to operators": {
			"resource \"seamark_tenant\" \"it\" {\n  slug = \"x\"\n}\n", []string{"Cannot create seamark_tenant", "Forbidden"},
		},
		"no time": {
			"resource \"seamark_silence\" \"it\" {\n  matchers = [{ name = \"a\", value = \"b\" }]\n  ends_at  = \"tomorrow\"\n  comment  = \"c\"\n}\n", []string{"on main.tf line 3", "RFC 3339"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantFault(t, w.workspace(t, w.adminToken), c.config, c.words...)
		})
	}
}

// testProviderFaults tells what is wrong with the provider's own settings.
func testProviderFaults(t *testing.T, w *world) {
	const config = "resource \"seamark_cluster\" \"it\" {\n  name = \"prod\"\n}\n"
	wantFault(t, w.workspace(t, ""), config, "The provider has no token", "SEAMARK_TOKEN")
	wantFault(t, w.workspaceAt(t, "", w.adminToken), config, "The provider has no endpoint", "SEAMARK_URL")
	wantFault(t, w.workspace(t, "smk_admin_aaaaaaaaaaaa_"+strings.Repeat("b", 36)), config, "The Seamark server refuses the provider's token", w.URL)
	wantFault(t, w.workspaceAt(t, "http://127.0.0.1:9", w.adminToken), config, "There is no Seamark server that answers")
	wantFault(t, w.workspace(t, w.adminToken), "provider \"seamark\" {\n  ca_file = \"missing.pem\"\n}\n"+config, "The file with certificates cannot be read", "on main.tf line 2")
}

// testConflict applies a plan that was made before somebody else changed the thing: nothing is lost, and the words say what to do.
func testConflict(t *testing.T, w *world) {
	ws := w.workspace(t, w.adminToken)
	query := func(text string) string {
		return "resource \"seamark_saved_query\" \"it\" {\n  name     = \"q\"\n  language = \"promql\"\n  query    = \"" + text + "\"\n}\n"
	}
	ws.write(t, "main.tf", query("up"))
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	id := text(ws.attributes(t)["seamark_saved_query.it"], "id")
	ws.write(t, "main.tf", query("sum(up)"))
	ws.plan(t)
	visibility := client.QueryVisibility("tenant")
	if _, err := w.admin.UpdateSavedQuery(t.Context(), id, client.SavedQuerySpec{Name: "theirs", Language: "promql", Query: "up == 0", Visibility: &visibility}); err != nil {
		t.Fatal(err)
	}
	_, bad, code := ws.run(t, "apply", "-input=false", "-no-color", planFile)
	if code == 0 || !strings.Contains(unwrapped(bad), "changed by somebody else") || !strings.Contains(unwrapped(bad), "Plan again") {
		t.Errorf("the apply ended with %d:\n%s", code, bad)
	}
	now, err := w.admin.FindSavedQuery(t.Context(), id)
	if err != nil || now.Name != "theirs" {
		t.Errorf("their change is lost: %+v, %v", now, err)
	}
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	ws.wantNoChange(t, "a new plan")
	// What is gone when it is destroyed is no fault.
	if err := w.admin.DeleteSavedQuery(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ws.must(t, "destroy", "-refresh=false", "-auto-approve", "-input=false", "-no-color")
}

// testRefusedChange plans no other name and no other shard for a tenant, which would end it.
func testRefusedChange(t *testing.T, w *world) {
	ws := w.workspace(t, w.operatorToken)
	ws.write(t, "main.tf", "resource \"seamark_tenant\" \"it\" {\n  slug = \"initech\"\n}\n")
	ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	wantFault(t, ws, "resource \"seamark_tenant\" \"it\" {\n  slug = \"initech\"\n  name = \"Other\"\n}\n", "This cannot be changed", "on main.tf line 3")
	if shard := text(ws.attributes(t)["seamark_tenant.it"], "shard"); shard != "1" {
		t.Errorf("the tenant that was not told a shard is on %s, want 1", shard)
	}
	wantFault(t, ws, "resource \"seamark_tenant\" \"it\" {\n  slug  = \"initech\"\n  shard = 2\n}\n", "This cannot be changed", "on main.tf line 3")
	wantFault(t, w.workspace(t, w.operatorToken), "resource \"seamark_tenant\" \"it\" {\n  slug  = \"hooli\"\n  shard = 7\n}\n", "this installation has 1 ClickHouse shards")
	wantFault(t, w.workspace(t, w.operatorToken), "resource \"seamark_tenant\" \"it\" {\n  slug  = \"hooli\"\n  shard = 0\n}\n", "on main.tf line 3", "at least 1")
}

// testPlainSecret warns of a secret that stands in the configuration itself.
func testPlainSecret(t *testing.T, w *world) {
	ws := w.workspace(t, w.adminToken)
	ws.write(t, "main.tf", "resource \"seamark_receiver\" \"it\" {\n  name   = \"ops\"\n  config = \"pagerduty_configs: [{routing_key: written-in-plain}]\"\n}\n")
	out := ws.must(t, "apply", "-auto-approve", "-input=false", "-no-color")
	if !strings.Contains(unwrapped(out), "A secret stands in the configuration") || !strings.Contains(unwrapped(out), "/pagerduty_configs/0/routing_key") {
		t.Errorf("there is no warning:\n%s", out)
	}
	ws.wantNoChange(t, "a secret in plain")
}
