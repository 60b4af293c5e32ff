package modules

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// folders are all modules and their examples.
func folders(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, pattern := range []string{"../*/versions.tf", "../*/examples/*/main.tf"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found {
			list = append(list, filepath.Dir(name))
		}
	}
	if len(list) < 3 {
		t.Fatalf("found %v; two modules and an example are wanted at least", list)
	}
	return list
}

// each runs a check on every module and example.
func each(t *testing.T, check func(t *testing.T, m *module)) {
	t.Helper()
	for _, folder := range folders(t) {
		t.Run(strings.TrimPrefix(folder, "../"), func(t *testing.T) {
			m, err := load(folder)
			if err != nil {
				t.Fatal(err)
			}
			check(t, m)
		})
	}
}

// TestReferences wants that whatever is named is declared.
func TestReferences(t *testing.T) {
	each(t, func(t *testing.T, m *module) {
		declared := m.declared()
		for _, fault := range unresolved(m, declared) {
			t.Error(fault)
		}
		for _, b := range m.of("module") {
			checkCall(t, m, b)
		}
	})
}

func unresolved(m *module, declared map[string]bool) (faults []string) {
	for _, r := range m.references() {
		if !declared[r.address] {
			faults = append(faults, fmt.Sprintf("%s: %s is declared nowhere", r.at, r.address))
		}
	}
	return faults
}

// TestUnresolvedIsFound wants that the check finds what it is for.
func TestUnresolvedIsFound(t *testing.T) {
	text := `
		resource "a_b" "c" {
			name  = var.x
			more  = [for v in local.list : v.name]
			other = { for k, v in data.d_e.f : k => v }
			self  = a_b.c[0].id
			lifecycle { ignore_changes = [name] }
		}`
	file, faults := hclsyntax.ParseConfig([]byte(text), "t.tf", hcl.InitialPos)
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	body, _ := file.Body.(*hclsyntax.Body)
	m := &module{blocks: body.Blocks}
	var got []string
	for _, f := range unresolved(m, m.declared()) {
		_, what, _ := strings.Cut(f, ": ")
		got = append(got, what)
	}
	slices.Sort(got)
	want := []string{"data.d_e.f is declared nowhere", "local.list is declared nowhere", "var.x is declared nowhere"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// checkCall holds the arguments of a call against the called module's variables, and what is asked of it against its outputs.
func checkCall(t *testing.T, m *module, call *hclsyntax.Block) {
	t.Helper()
	source, _ := attribute(call, "source").Value(nil)
	if source.IsNull() || source.Type() != cty.String || !strings.HasPrefix(source.AsString(), ".") {
		t.Fatalf("%s: the module's source is no folder of this repository", call.DefRange())
	}
	called, err := load(filepath.Join(m.folder, source.AsString()))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"source": true, "providers": true, "depends_on": true, "count": true, "for_each": true}
	for _, v := range called.of("variable") {
		known[v.Labels[0]] = true
		if attribute(v, "default") == nil && attribute(call, v.Labels[0]) == nil {
			t.Errorf("%s: variable %s has to be set", call.DefRange(), v.Labels[0])
		}
	}
	for name, a := range call.Body.Attributes {
		if !known[name] {
			t.Errorf("%s: the module has no variable %s", a.SrcRange, name)
		}
	}
	outputs := map[string]bool{}
	for _, o := range called.of("output") {
		outputs[o.Labels[0]] = true
	}
	for _, r := range m.references() {
		if r.address == "module."+call.Labels[0] && len(r.path) > 0 && !outputs[r.path[0]] {
			t.Errorf("%s: the module has no output %s", r.at, r.path[0])
		}
	}
}

// TestVariablesAndOutputs wants a sentence on each, a type, and a use.
func TestVariablesAndOutputs(t *testing.T) {
	each(t, func(t *testing.T, m *module) {
		used := map[string]bool{}
		for _, r := range m.references() {
			used[r.address] = true
		}
		for _, kind := range []string{"variable", "output"} {
			for _, b := range m.of(kind) {
				text := attribute(b, "description")
				if text == nil {
					t.Errorf("%s: %s %s has no description", b.DefRange(), kind, b.Labels[0])
					continue
				}
				if v, faults := text.Value(nil); faults.HasErrors() || !strings.ContainsAny(v.AsString(), ".?") {
					t.Errorf("%s: the description of %s %s is no sentence", b.DefRange(), kind, b.Labels[0])
				}
			}
		}
		for _, v := range m.of("variable") {
			if attribute(v, "type") == nil {
				t.Errorf("%s: variable %s has no type", v.DefRange(), v.Labels[0])
			}
			if !usedOutside(m, v, "var."+v.Labels[0]) {
				t.Errorf("%s: variable %s is used nowhere", v.DefRange(), v.Labels[0])
			}
		}
		for name, at := range m.locals {
			if !used["local."+name] {
				t.Errorf("%s: local %s is used nowhere", at, name)
			}
		}
	})
}

// usedOutside reports whether an address is named outside the block that declares it, whose validation may name it, too.
func usedOutside(m *module, declaring *hclsyntax.Block, address string) bool {
	return slices.ContainsFunc(m.blocks, func(b *hclsyntax.Block) bool {
		return b != declaring && slices.ContainsFunc(bodyReferences(b.Body), func(r reference) bool { return r.address == address })
	})
}

// TestData wants that every data source and every random value is used: the others are calls for nothing.
func TestData(t *testing.T) {
	each(t, func(t *testing.T, m *module) {
		for _, kind := range []string{"data", "ephemeral"} {
			for _, b := range m.of(kind) {
				if address := kind + "." + strings.Join(b.Labels, "."); !usedOutside(m, b, address) {
					t.Errorf("%s: %s is used nowhere", b.DefRange(), address)
				}
			}
		}
	})
}

// secretNames begin or end the names of what nobody may read in a state.
var secretNames = regexp.MustCompile(`(^|_)(password|private_key|root_key|dsn|token)$`)

// TestSecrets wants variables of secrets ephemeral, and secrets written by write-only arguments alone.
func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, m *module) {
		for _, v := range m.of("variable") {
			if !secretNames.MatchString(v.Labels[0]) {
				continue
			}
			for _, flag := range []string{"sensitive", "ephemeral"} {
				if e := attribute(v, flag); e == nil || !isTrue(e) {
					t.Errorf("%s: variable %s is not %s", v.DefRange(), v.Labels[0], flag)
				}
			}
		}
		for _, b := range append(m.of("resource"), m.of("data")...) {
			walk(b.Body, func(a *hclsyntax.Attribute) {
				switch a.Name {
				case "secret_string", "secret_binary", "password", "master_password", "auth_token":
					t.Errorf("%s: %s is kept in the state; use its write-only form", a.SrcRange, a.Name)
				}
			})
		}
	})
}

func isTrue(e hclsyntax.Expression) bool {
	v, faults := e.Value(nil)
	return !faults.HasErrors() && v.Type() == cty.Bool && v.True()
}

func walk(body *hclsyntax.Body, visit func(*hclsyntax.Attribute)) {
	for _, a := range body.Attributes {
		visit(a)
	}
	for _, b := range body.Blocks {
		walk(b.Body, visit)
	}
}

// fixed is what must not stand in a module: accounts, regions, partitions, keys and machine images.
var fixed = map[string]*regexp.Regexp{
	"an account":       regexp.MustCompile(`\b\d{12}\b`),
	"a region":         regexp.MustCompile(`\b(us|eu|ap|sa|ca|me|af|cn|il)-(gov-)?(north|south|east|west|central|northeast|southeast|northwest|southwest)+-\d\b`),
	"a partition":      regexp.MustCompile(`arn:aws[a-z-]*:`),
	"an access key":    regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
	"a private key":    regexp.MustCompile(`BEGIN [A-Z ]*PRIVATE KEY`),
	"a token":          regexp.MustCompile(`smk_[a-z]+_[0-9A-Za-z]{8,}`),
	"a machine image":  regexp.MustCompile(`\bami-[0-9a-f]{8,}\b`),
	"an open password": regexp.MustCompile(`://[a-z]+:[^$@{<]+@`),
}

// TestNothingFixed reads the files' text. Examples may name a region: somebody has to.
func TestNothingFixed(t *testing.T) {
	each(t, func(t *testing.T, m *module) {
		for name, text := range m.files {
			for what, pattern := range fixed {
				if what == "a region" && strings.Contains(name, "examples") {
					continue
				}
				for i, line := range bytes.Split(text, []byte("\n")) {
					if found := pattern.Find(line); found != nil {
						t.Errorf("%s:%d has %s: %s", name, i+1, what, found)
					}
				}
			}
		}
	})
}

// TestTemplates gives each template exactly what it names.
func TestTemplates(t *testing.T) {
	seen := 0
	each(t, func(t *testing.T, m *module) {
		for _, b := range m.blocks {
			walk(b.Body, func(a *hclsyntax.Attribute) {
				_ = hclsyntax.VisitAll(a.Expr, func(n hclsyntax.Node) hcl.Diagnostics {
					if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "templatefile" {
						seen++
						checkTemplate(t, m, call)
					}
					return nil
				})
			})
		}
	})
	if seen < 3 {
		t.Errorf("found %d templates; the AWS module has three", seen)
	}
}

func checkTemplate(t *testing.T, m *module, call *hclsyntax.FunctionCallExpr) {
	t.Helper()
	path, faults := call.Args[0].Value(&hcl.EvalContext{Variables: map[string]cty.Value{
		"path": cty.ObjectVal(map[string]cty.Value{"module": cty.StringVal(m.folder)}),
	}})
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	text := read(t, path.AsString())
	template, faults := hclsyntax.ParseTemplate(text, path.AsString(), hcl.InitialPos)
	if faults.HasErrors() {
		t.Fatal(faults)
	}
	given := map[string]bool{}
	object, ok := call.Args[1].(*hclsyntax.ObjectConsExpr)
	if !ok {
		t.Fatalf("%s: a template is given no object", call.Range())
	}
	for _, item := range object.Items {
		given[hcl.ExprAsKeyword(item.KeyExpr)] = true
	}
	named := map[string]bool{}
	for _, v := range template.Variables() {
		named[v.RootName()] = true
		if !given[v.RootName()] {
			t.Errorf("%s: %s wants %s", call.Range(), path.AsString(), v.RootName())
		}
	}
	for name := range given {
		if !named[name] {
			t.Errorf("%s: %s has no use for %s", call.Range(), path.AsString(), name)
		}
	}
}
