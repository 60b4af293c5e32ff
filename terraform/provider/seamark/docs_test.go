package seamark_test

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	data "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/seamarkhq/seamark/terraform/provider/crud"
	"github.com/seamarkhq/seamark/terraform/provider/seamark"
)

var update = flag.Bool("update", false, "write the documentation")

// Folders beside the package.
const (
	docs     = "../docs"
	examples = "../examples"
)

// TestDocs holds the documentation, in the form of Terraform's registry, against the schemas. With -update it writes it.
func TestDocs(t *testing.T) {
	pages := pagesOf(t)
	if *update {
		if err := os.RemoveAll(docs); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			file := filepath.Join(docs, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for name, want := range pages {
		if got, err := os.ReadFile(filepath.Join(docs, name)); err != nil || string(got) != want {
			t.Errorf("docs/%s is not what the schemas say (%v): go test ./seamark -run '^TestDocs$' -update", name, err)
		}
	}
	if err := filepath.WalkDir(docs, func(file string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(docs, file)
		if err == nil && !entry.IsDir() && pages[filepath.ToSlash(name)] == "" {
			t.Errorf("docs/%s is of nothing that the provider has", name)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// pagesOf returns all pages by their path.
func pagesOf(t *testing.T) map[string]string {
	t.Helper()
	ctx := t.Context()
	p := seamark.New(seamark.Options{})
	var settings provider.SchemaResponse
	p.Schema(ctx, provider.SchemaRequest{}, &settings)
	pages := map[string]string{"index.md": page("seamark Provider", "Seamark Provider", settings.Schema.MarkdownDescription, example(t, "provider/provider.tf"), attributes(settings.Schema.Attributes))}
	for _, kind := range seamark.Kinds() {
		name := strings.TrimPrefix(kind.Title(), "seamark_")
		var made resource.SchemaResponse
		kind.Resource().Schema(ctx, resource.SchemaRequest{}, &made)
		pages["resources/"+name+".md"] = page(kind.Title()+" Resource", kind.Title()+" (Resource)", made.Schema.MarkdownDescription,
			example(t, "resources/"+kind.Title()+"/resource.tf"), attributes(made.Schema.Attributes), importing(kind))
		var read datasource.SchemaResponse
		kind.DataSource().Schema(ctx, datasource.SchemaRequest{}, &read)
		pages["data-sources/"+name+".md"] = page(kind.Title()+" Data Source", kind.Title()+" (Data Source)", read.Schema.MarkdownDescription,
			example(t, "data-sources/"+kind.Title()+"/data-source.tf"), attributes(read.Schema.Attributes))
	}
	for _, newOne := range p.(provider.ProviderWithEphemeralResources).EphemeralResources(ctx) {
		one := newOne()
		var about ephemeral.MetadataResponse
		var opened ephemeral.SchemaResponse
		one.Metadata(ctx, ephemeral.MetadataRequest{}, &about)
		one.Schema(ctx, ephemeral.SchemaRequest{}, &opened)
		pages["ephemeral-resources/"+strings.TrimPrefix(about.TypeName, "seamark_")+".md"] = page(about.TypeName+" Ephemeral Resource", about.TypeName+" (Ephemeral Resource)",
			opened.Schema.MarkdownDescription, example(t, "ephemeral-resources/"+about.TypeName+"/ephemeral-resource.tf"), attributes(opened.Schema.Attributes))
	}
	for _, newOne := range p.(provider.ProviderWithFunctions).Functions(ctx) {
		name, text := functionPage(ctx, t, newOne())
		pages["functions/"+name+".md"] = text
	}
	return pages
}

// page joins the parts of a page.
func page(title, heading, about string, parts ...string) string {
	summary, _, _ := strings.Cut(about, "\n")
	head := fmt.Sprintf("---\npage_title: %q\ndescription: |-\n  %s\n---\n\n<!-- Generated from the schemas by TestDocs. -->\n\n# %s\n\n%s\n", title, summary, heading, about)
	for _, part := range parts {
		if part != "" {
			head += "\n" + part
		}
	}
	return head
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(examples, name))
	if err != nil {
		t.Errorf("there is no example: %v", err)
	}
	return "## Example Usage\n\n```terraform\n" + strings.TrimSpace(string(text)) + "\n```\n"
}

func importing(kind crud.Kind) string {
	return fmt.Sprintf("## Import\n\nThe id is %#q.\n\n```terraform\nimport {\n  to = %s.it\n  id = %q\n}\n```\n", kind.KeyForm(), kind.Title(), kind.KeyForm())
}

func functionPage(ctx context.Context, t *testing.T, f function.Function) (name, text string) {
	t.Helper()
	var about function.MetadataResponse
	var defined function.DefinitionResponse
	f.Metadata(ctx, function.MetadataRequest{}, &about)
	f.Definition(ctx, function.DefinitionRequest{}, &defined)
	arguments, names := "## Arguments\n\n", []string{}
	for _, p := range defined.Definition.Parameters {
		names = append(names, p.GetName()+" string")
		arguments += fmt.Sprintf("1. %#q (String) %s\n", p.GetName(), p.GetMarkdownDescription())
	}
	signature := fmt.Sprintf("## Signature\n\n```text\n%s(%s) string\n```\n", about.Name, strings.Join(names, ", "))
	return about.Name, page(about.Name+" Function", "function: "+about.Name, defined.Definition.MarkdownDescription, example(t, "functions/"+about.Name+"/function.tf"), signature, arguments)
}

// described is what every attribute of every schema tells.
type described interface {
	IsRequired() bool
	IsOptional() bool
	IsSensitive() bool
	IsWriteOnly() bool
	GetMarkdownDescription() string
	GetType() attr.Type
}

// attributes lists a schema's attributes by who sets them.
func attributes[A described](all map[string]A) string {
	text := "## Schema\n"
	for _, group := range []struct {
		title string
		has   func(described) bool
	}{
		{"Required", func(a described) bool { return a.IsRequired() }},
		{"Optional", func(a described) bool { return a.IsOptional() }},
		{"Read-Only", func(a described) bool { return !a.IsRequired() && !a.IsOptional() }},
	} {
		lines := ""
		for _, name := range sortedNames(all) {
			if group.has(all[name]) {
				lines += line(name, all[name], 0)
			}
		}
		if lines != "" {
			text += "\n### " + group.title + "\n\n" + lines
		}
	}
	return text
}

func sortedNames[A any](all map[string]A) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// line is one attribute, with those that are nested in it below.
func line(name string, a described, depth int) string {
	notes := typeName(a.GetType())
	if a.IsWriteOnly() {
		notes += ", Write-only"
	}
	if a.IsSensitive() {
		notes += ", Sensitive"
	}
	if depth > 0 && a.IsRequired() {
		notes += ", Required"
	}
	text := strings.Repeat("  ", depth) + fmt.Sprintf("- %#q (%s) %s\n", name, notes, a.GetMarkdownDescription())
	switch a := a.(type) {
	case schema.SingleNestedAttribute:
		text += nested(a.Attributes, depth)
	case schema.ListNestedAttribute:
		text += nested(a.NestedObject.Attributes, depth)
	case data.SingleNestedAttribute:
		text += nested(a.Attributes, depth)
	case data.ListNestedAttribute:
		text += nested(a.NestedObject.Attributes, depth)
	}
	return text
}

func nested[A described](all map[string]A, depth int) string {
	text := ""
	for _, name := range sortedNames(all) {
		text += line(name, all[name], depth+1)
	}
	return text
}

func typeName(t attr.Type) string {
	switch t := t.(type) {
	case basetypes.ListType:
		return "List of " + typeName(t.ElemType)
	case basetypes.SetType:
		return "Set of " + typeName(t.ElemType)
	case basetypes.MapType:
		return "Map of " + typeName(t.ElemType)
	case basetypes.ObjectType:
		return "Object"
	case basetypes.BoolType:
		return "Boolean"
	case basetypes.Int64Type, basetypes.Float64Type:
		return "Number"
	}
	return "String"
}
