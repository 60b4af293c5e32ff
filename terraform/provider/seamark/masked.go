package seamark

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

// secretMask is what the server shows in place of a secret.
const secretMask = "<secret>"

// placeholderText is what the documentation of each YAML with secrets says.
const placeholderText = "Secrets do not stand in it: write `<secret:name>`, and the value under `name` in `secrets_wo`. That is write-only: Terraform does not see when it " +
	"changes; change `secrets_wo_version` with it."

// placeholder is where a secret goes.
func placeholder() *regexp.Regexp { return regexp.MustCompile(`<secret:([A-Za-z0-9_.-]+)>`) }

// unmasked puts secrets into a YAML document.
func unmasked(text string, secrets map[string]string) (*yaml.Node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return nil, &crud.FieldFault{Path: path.Root("config"), Summary: "The configuration is not YAML", Detail: err.Error()}
	}
	if len(document.Content) == 0 {
		return nil, &crud.FieldFault{Path: path.Root("config"), Summary: "The configuration is empty", Detail: "Write what it should be."}
	}
	missing := map[string]bool{}
	form := placeholder()
	var visit func(*yaml.Node)
	visit = func(node *yaml.Node) {
		if node.Kind == yaml.ScalarNode && form.MatchString(node.Value) {
			node.SetString(form.ReplaceAllStringFunc(node.Value, func(found string) string {
				name := form.FindStringSubmatch(found)[1]
				value, ok := secrets[name]
				if !ok {
					missing[name] = true
				}
				return value
			}))
		}
		for _, child := range node.Content {
			visit(child)
		}
	}
	visit(&document)
	if len(missing) > 0 {
		var names []string
		for name := range missing {
			names = append(names, name)
		}
		slices.Sort(names)
		return nil, &crud.FieldFault{
			Path: path.Root("secrets_wo"), Summary: "A secret has no value",
			Detail: "The configuration asks for " + strings.Join(names, ", ") + ", which secrets_wo does not have.",
		}
	}
	return document.Content[0], nil
}

// sameMasked reports whether a document as it is written is what the server shows, which masks secrets.
func sameMasked(shown, written string) bool {
	var x, y any
	if yaml.Unmarshal([]byte(shown), &x) != nil || yaml.Unmarshal([]byte(written), &y) != nil {
		return false
	}
	_, same := masked(x, y, "")
	return same
}

// masked compares what the server shows with what is written, and returns where it masks what is no placeholder there.
func masked(shown, written any, at string) (plain []string, same bool) {
	switch shown := shown.(type) {
	case map[string]any:
		w, ok := written.(map[string]any)
		if !ok || len(w) != len(shown) {
			return nil, false
		}
		for name, value := range shown {
			other, ok := w[name]
			if !ok {
				return nil, false
			}
			below, equal := masked(value, other, at+"/"+name)
			if !equal {
				return nil, false
			}
			plain = append(plain, below...)
		}
		return plain, true
	case []any:
		w, ok := written.([]any)
		if !ok || len(w) != len(shown) {
			return nil, false
		}
		for i, value := range shown {
			below, equal := masked(value, w[i], fmt.Sprintf("%s/%d", at, i))
			if !equal {
				return nil, false
			}
			plain = append(plain, below...)
		}
		return plain, true
	}
	text := fmt.Sprint(written)
	if shown == secretMask {
		if text != secretMask && !placeholder().MatchString(text) {
			plain = []string{at}
		}
		return plain, true
	}
	return nil, fmt.Sprint(shown) == text
}

// warnOfPlain tells where a secret stands in the configuration itself, and so in state and plan.
func warnOfPlain(a *crud.Access, shown, written any) {
	plain, _ := masked(shown, written, "")
	if len(plain) == 0 {
		return
	}
	slices.Sort(plain)
	a.Warn(path.Root("config"), "A secret stands in the configuration",
		"The server treats "+strings.Join(plain, ", ")+" as secret, and Terraform keeps it in its state as it is written. Write <secret:name> there, and the value in secrets_wo.")
}
