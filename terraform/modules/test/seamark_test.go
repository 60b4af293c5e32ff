package modules

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func read(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestSettingsAreFlags holds every environment variable of the product that a module sets against the command line's own list.
func TestSettingsAreFlags(t *testing.T) {
	flags := string(read(t, "../../../docs/flags.md"))
	setting := regexp.MustCompile(`\bSEAMARK_[A-Z0-9_]+\b`)
	seen := 0
	each(t, func(t *testing.T, m *module) {
		for name, text := range m.files {
			for _, found := range setting.FindAllString(string(text), -1) {
				seen++
				if found != "SEAMARK_" && !strings.Contains(flags, "`"+found) && !strings.Contains(flags, " "+found) {
					t.Errorf("%s sets %s, which is no flag's", name, found)
				}
			}
		}
	})
	if seen < 10 {
		t.Errorf("found %d settings; the AWS module has more", seen)
	}
}

// TestChartValues holds the values that modules give to charts against the charts' schemas.
func TestChartValues(t *testing.T) {
	agent, err := load("../cluster-agent")
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := load("../aws")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		chart string
		in    []*hclsyntax.Block
		least int // values that are given
	}{
		{"seamark-agent", agent.of("resource"), 4}, {"seamark", cloud.of("output"), 5},
	} {
		var schema map[string]any
		if err := json.Unmarshal(read(t, "../../../deploy/helm", tc.chart, "values.schema.json"), &schema); err != nil {
			t.Fatal(err)
		}
		given := 0
		for _, b := range tc.in {
			walk(b.Body, func(a *hclsyntax.Attribute) {
				_ = hclsyntax.VisitAll(a.Expr, func(n hclsyntax.Node) hcl.Diagnostics {
					if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "yamlencode" {
						object, _ := call.Args[0].(*hclsyntax.ObjectConsExpr)
						given += len(object.Items)
						checkValues(t, tc.chart, object, schema, schema)
					}
					return nil
				})
			})
		}
		if given < tc.least {
			t.Errorf("%s is given %d values, want %d", tc.chart, given, tc.least)
		}
	}
}

// checkValues wants each key of an object among a schema's properties.
func checkValues(t *testing.T, path string, object *hclsyntax.ObjectConsExpr, schema, root map[string]any) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		schema = root
		for _, step := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
			schema, _ = schema[step].(map[string]any)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for _, item := range object.Items {
		key := hcl.ExprAsKeyword(item.KeyExpr)
		below, known := properties[key].(map[string]any)
		if !known {
			if additional, _ := schema["additionalProperties"].(map[string]any); additional != nil || len(properties) == 0 {
				continue // a map of the user's own keys
			}
			t.Errorf("%s: the chart has no value %s.%s", item.KeyExpr.Range(), path, key)
			continue
		}
		if nested, ok := item.ValueExpr.(*hclsyntax.ObjectConsExpr); ok {
			checkValues(t, path+"."+key, nested, below, root)
		}
	}
}

// TestReadmesListAll wants each variable and output of the AWS module in its README.
func TestReadmesListAll(t *testing.T) {
	m, err := load("../aws")
	if err != nil {
		t.Fatal(err)
	}
	text := string(read(t, "../aws/README.md"))
	var missing []string
	for _, b := range slices.Concat(m.of("variable"), m.of("output")) {
		if !strings.Contains(text, "`"+b.Labels[0]+"`") {
			missing = append(missing, b.Type+" "+b.Labels[0])
		}
	}
	if len(missing) > 0 {
		t.Errorf("README.md does not tell of %s", strings.Join(missing, ", "))
	}
}
