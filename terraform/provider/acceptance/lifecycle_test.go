package acceptance_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// resourceCase is the life of one resource. All cases of a workspace live together, so that Terraform runs some ten times and not
// some ten times for each.
type resourceCase struct {
	address string // such as seamark_cluster.it
	// create and update are the resource's block before and after a change; both may speak of other cases' resources.
	create, update string
	// action is what the change does: update, or replace for what cannot be changed.
	action string
	// prepare makes what the resource finds; nil for nothing.
	prepare func(t *testing.T, w *world)
	// drift changes the thing behind Terraform's back.
	drift func(t *testing.T, w *world, state map[string]any)
	// importID makes the id of the resource's attributes; nil takes the attribute id.
	importID func(state map[string]any) string
	// written are attributes that only the configuration has, so that an import sets them again and nothing else.
	written []string
	// loose are attributes that say the same in other words in a data source, and after an import.
	loose []string
	// data is the block of the data source that finds the thing; empty without one.
	data string
	// gone tells what the server has of the thing when it is destroyed; nil or 404 when nothing.
	gone func(t *testing.T, w *world, state map[string]any) error
}

// live takes the cases through all that can happen to them.
func live(t *testing.T, w *world, token string, cases []resourceCase, secrets func(folder string) []string) {
	t.Helper()
	ws := w.workspace(t, token)
	for _, c := range cases {
		if c.prepare != nil {
			c.prepare(t, w)
		}
	}
	ws.write(t, "keys.tf", fmt.Sprintf("locals {\n  public_key = %q\n}\n", w.publicKey))
	step := func(what string, blocks func(c *resourceCase) string) {
		var text strings.Builder
		for i := range cases {
			text.WriteString(blocks(&cases[i]) + "\n")
		}
		ws.write(t, "main.tf", text.String())
		t.Log(what)
	}
	step("create", func(c *resourceCase) string { return c.create })
	ws.must(t, "validate", "-no-color")
	wantActions(t, "create", ws.plan(t), cases, func(*resourceCase) string { return "create" })
	ws.apply(t)
	ws.wantNoChange(t, "creating")

	step("update", func(c *resourceCase) string { return c.update })
	wantActions(t, "update", ws.plan(t), cases, func(c *resourceCase) string { return c.action })
	ws.apply(t)
	ws.wantNoChange(t, "updating")

	t.Log("drift")
	state := ws.attributes(t)
	for _, c := range cases {
		c.drift(t, w, state[c.address])
	}
	found := ws.plan(t)
	for _, c := range cases {
		if _, ok := found[c.address]; !ok {
			t.Errorf("%s was changed by others, and the plan does not show it", c.address)
		}
	}
	ws.apply(t)
	ws.wantNoChange(t, "the repair of what others changed")

	reading(t, ws, cases)
	importing(t, ws, cases)
	ending(t, w, ws, cases)
	ws.wantNoSecret(t, append(secrets(ws.folder), token)...)
}

// wantActions fails the test unless the plan does with each case what it should.
func wantActions(t *testing.T, step string, plan map[string]change, cases []resourceCase, want func(c *resourceCase) string) {
	t.Helper()
	for i := range cases {
		c := &cases[i]
		got := strings.Join(plan[c.address].Change.Actions, " ")
		if strings.Contains(got, " ") {
			got = "replace"
		}
		if got != want(c) {
			t.Errorf("%s: the plan for %s is %q, want %q", step, c.address, got, want(c))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// reading finds everything by data sources, which tell what the resources tell.
func reading(t *testing.T, ws *workspace, cases []resourceCase) {
	t.Helper()
	t.Log("data sources")
	var text strings.Builder
	for _, c := range cases {
		text.WriteString(c.data + "\n")
	}
	ws.write(t, "data.tf", text.String())
	ws.plan(t)
	ws.apply(t)
	all := ws.attributes(t)
	for _, c := range cases {
		if c.data == "" {
			continue
		}
		read := all["data."+c.address]
		if len(read) == 0 {
			t.Errorf("the state has no data.%s", c.address)
		}
		for name, value := range read {
			want := all[c.address][name]
			notSaid := want == nil && value == false
			if !notSaid && jsonText(want) != jsonText(value) && !slices.Contains(c.loose, name) {
				t.Errorf("data.%s.%s is %s, and the resource says %s", c.address, name, jsonText(value), jsonText(want))
			}
		}
	}
	ws.write(t, "data.tf", "")
}

// importing forgets everything and takes it over again.
func importing(t *testing.T, ws *workspace, cases []resourceCase) {
	t.Helper()
	t.Log("import")
	all := ws.attributes(t)
	var text strings.Builder
	addresses := []string{"state", "rm"}
	for _, c := range cases {
		id := fmt.Sprint(all[c.address]["id"])
		if c.importID != nil {
			id = c.importID(all[c.address])
		}
		fmt.Fprintf(&text, "import {\n  to = %s\n  id = %q\n}\n", c.address, id)
		addresses = append(addresses, c.address)
	}
	ws.must(t, addresses...)
	ws.write(t, "imports.tf", text.String())
	plan := ws.plan(t)
	for _, c := range cases {
		imported := plan[c.address]
		if imported.Change.Importing == nil {
			if len(c.written) > 0 {
				t.Errorf("%s is not imported", c.address)
			}
			continue // it is imported without any change
		}
		for name, after := range imported.Change.After {
			if before := imported.Change.Before[name]; jsonText(before) != jsonText(after) && !slices.Contains(c.written, name) && !slices.Contains(c.loose, name) {
				t.Errorf("the import of %s changes %s from %s to %s", c.address, name, jsonText(before), jsonText(after))
			}
		}
	}
	ws.apply(t)
	ws.wantNoChange(t, "importing")
	now := ws.attributes(t)
	for _, c := range cases {
		if jsonText(now[c.address]["id"]) != jsonText(all[c.address]["id"]) {
			t.Errorf("%s was imported as %s, want %s", c.address, jsonText(now[c.address]["id"]), jsonText(all[c.address]["id"]))
		}
	}
	ws.write(t, "imports.tf", "")
}

// ending destroys everything, and the server then has none of it.
func ending(t *testing.T, w *world, ws *workspace, cases []resourceCase) {
	t.Helper()
	t.Log("destroy")
	all := ws.attributes(t)
	ws.must(t, "destroy", "-auto-approve", "-input=false", "-no-color")
	for _, c := range cases {
		if err := c.gone(t, w, all[c.address]); err != nil {
			t.Errorf("%s is destroyed: %v", c.address, err)
		}
	}
	if left := ws.attributes(t); len(left) > 0 {
		t.Errorf("the state still has %d resources", len(left))
	}
}

// keyed returns a function that joins attributes to an import id.
func keyed(names ...string) func(map[string]any) string {
	return func(state map[string]any) string {
		var parts []string
		for _, name := range names {
			parts = append(parts, fmt.Sprint(state[name]))
		}
		return strings.Join(parts, "/")
	}
}

// secretPath is where a resource writes its secret.
func secretPath(folder, name string) string { return filepath.Join(folder, name+".secret") }
