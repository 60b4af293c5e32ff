package crud

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// TestAttributePath leads from the API's JSON pointers to attributes, or to the nearest around them.
func TestAttributePath(t *testing.T) {
	rule := types.ObjectType{AttrTypes: map[string]attr.Type{"expr": types.StringType}}
	root := types.ObjectType{AttrTypes: map[string]attr.Type{
		"name": types.StringType, "rules": types.ListType{ElemType: rule}, "labels": types.MapType{ElemType: types.StringType}, "tags": types.SetType{ElemType: types.StringType},
	}}
	rename := map[string]string{"/group": "", "/spec": "/name"}
	for _, c := range []struct {
		pointer, path, rest string
		ok                  bool
	}{
		{"/name", "name", "", true},
		{"/rules/1/expr", "rules[1].expr", "", true},
		{"/group/rules/1/expr", "rules[1].expr", "", true},
		{"/rules/1/for", "rules[1]", "/for", true},
		{"/rules/x", "rules", "/x", true},
		{"/labels/a~1b", `labels["a/b"]`, "", true},
		{"/tags/0", "tags", "/0", true},
		{"/spec/title", "name", "/title", true},
		{"/other", "", "/other", false},
		{"", "", "", false},
	} {
		at, rest, ok := attributePath(root, renamed(c.pointer, rename))
		if at.String() != c.path || rest != c.rest || ok != c.ok {
			t.Errorf("%s leads to %q, %q, %t; want %q, %q, %t", c.pointer, at, rest, ok, c.path, c.rest, c.ok)
		}
	}
}

func TestImportParts(t *testing.T) {
	spec := Spec[struct{}]{Key: []string{"namespace", "name"}}
	got, err := spec.parts("team/shop/errors")
	if err != nil || got["namespace"] != "team/shop" || got["name"] != "errors" {
		t.Errorf("got %v, %v", got, err)
	}
	for _, id := range []string{"errors", "/errors", "team/", ""} {
		if got, err := spec.parts(id); err == nil {
			t.Errorf("%q is taken as %v", id, got)
		}
	}
}
