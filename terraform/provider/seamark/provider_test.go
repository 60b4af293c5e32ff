package seamark_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/seamarkhq/seamark/terraform/provider/seamark"
)

// TestSchemas has the framework check every schema, and every attribute have a description.
func TestSchemas(t *testing.T) {
	for _, kind := range seamark.Kinds() {
		var made resource.SchemaResponse
		kind.Resource().Schema(t.Context(), resource.SchemaRequest{}, &made)
		if diags := made.Schema.ValidateImplementation(t.Context()); diags.HasError() {
			t.Errorf("the resource %s: %v", kind.Title(), diags)
		}
		for name, a := range made.Schema.Attributes {
			if a.GetMarkdownDescription() == "" {
				t.Errorf("%s.%s has no description", kind.Title(), name)
			}
		}
		var read datasource.SchemaResponse
		kind.DataSource().Schema(t.Context(), datasource.SchemaRequest{}, &read)
		if diags := read.Schema.ValidateImplementation(t.Context()); diags.HasError() {
			t.Errorf("the data source %s: %v", kind.Title(), diags)
		}
	}
}
