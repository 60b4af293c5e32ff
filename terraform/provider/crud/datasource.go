package crud

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/seamarkhq/seamark/api/client"
)

// dataSourceOf reads what a Spec describes and changes nothing.
type dataSourceOf[M any] struct {
	spec   *Spec[M]
	server *Server
}

var _ datasource.DataSourceWithConfigure = (*dataSourceOf[struct{}])(nil)

func (d *dataSourceOf[M]) Metadata(_ context.Context, _ datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = d.spec.Title()
}

// lookup are the attributes by which it finds.
func (s *Spec[M]) lookup() (names []string, alternatives bool) {
	if s.Single {
		return nil, false
	}
	if len(s.Lookup) > 0 {
		return s.Lookup, len(s.Lookup) > 1
	}
	return s.Key, false
}

func (d *dataSourceOf[M]) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	names, alternatives := d.spec.lookup()
	resp.Schema.Description = "Reads what the resource of this name describes: " + d.spec.Summary
	resp.Schema.MarkdownDescription = resp.Schema.Description
	if alternatives {
		resp.Schema.MarkdownDescription += " Exactly one of `" + strings.Join(names, "`, `") + "` says which."
	}
	resp.Schema.Attributes = computed(d.spec.Attributes)
	for _, name := range d.spec.Hidden {
		delete(resp.Schema.Attributes, name)
	}
	if d.spec.Single {
		return
	}
	for _, name := range names {
		resp.Schema.Attributes[name] = given(resp.Schema.Attributes[name], alternatives)
	}
}

func (d *dataSourceOf[M]) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	d.server, _ = req.ProviderData.(*Server)
}

func (d *dataSourceOf[M]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m M
	names, alternatives := d.spec.lookup()
	fields := fieldsOf(&m)
	told := 0
	for _, name := range names {
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(name), fields[name].Addr().Interface())...)
		if !isNothing(fields[name]) {
			told++
		}
	}
	if alternatives && told != 1 {
		resp.Diagnostics.AddError("It is not clear which "+d.spec.Title()+" is meant",
			fmt.Sprintf("Exactly one of %s says which; %d do.", strings.Join(names, ", "), told))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	find := d.spec.Find
	if find == nil {
		find = d.spec.Read
	}
	a := &Access{Client: d.server.Client, server: d.server}
	if err := find(ctx, a, &m); err != nil {
		d.fail(&resp.Diagnostics, err)
		return
	}
	for _, field := range fields {
		if on, ok := field.Addr().Interface().(**bool); ok && *on == nil {
			*on = new(false) // in a resource null is "not said"; here it would be a third value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(resp.State.Schema.GetAttributes())) {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), fields[name].Interface())...)
	}
}

func (d *dataSourceOf[M]) fail(diags *diag.Diagnostics, err error) {
	if client.IsNotFound(err) {
		diags.AddError("There is no such "+d.spec.Title(), err.Error())
		return
	}
	explain(diags, &fault{verb: "read", title: d.spec.Title(), root: d.spec.schema().Type(), rename: d.spec.Rename}, err)
}

// fieldsOf returns a model's fields by the names of their attributes.
func fieldsOf[M any](m *M) map[string]reflect.Value {
	v := reflect.ValueOf(m).Elem()
	fields := map[string]reflect.Value{}
	for _, f := range reflect.VisibleFields(v.Type()) {
		if name := f.Tag.Get("tfsdk"); name != "" && name != "-" {
			fields[name] = v.FieldByIndex(f.Index)
		}
	}
	return fields
}
