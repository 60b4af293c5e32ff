package crud

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/seamarkhq/seamark/api/client"
)

// resourceOf is Terraform's side of a Spec.
type resourceOf[M any] struct {
	spec   *Spec[M]
	server *Server
}

// These are what Terraform asks of a resource beyond the least.
var (
	_ resource.ResourceWithConfigure        = (*resourceOf[struct{}])(nil)
	_ resource.ResourceWithImportState      = (*resourceOf[struct{}])(nil)
	_ resource.ResourceWithConfigValidators = (*resourceOf[struct{}])(nil)
	_ resource.ResourceWithModifyPlan       = (*resourceOf[struct{}])(nil)
)

func (r *resourceOf[M]) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = r.spec.Title()
}

func (r *resourceOf[M]) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.spec.schema()
}

func (r *resourceOf[M]) ConfigValidators(context.Context) []resource.ConfigValidator {
	return r.spec.Check
}

// Configure is called without data before the provider itself is configured.
func (r *resourceOf[M]) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	r.server, _ = req.ProviderData.(*Server)
}

// tagKey is where the ETag stands in what Terraform keeps of a resource beside its attributes.
const tagKey = "etag"

// private is where that is read and written.
type private interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

func (r *resourceOf[M]) access() *Access { return &Access{Client: r.server.Client, server: r.server} }

// accessTo is access to a thing that Terraform knows.
func (r *resourceOf[M]) accessTo(ctx context.Context, kept privateReader) (*Access, diag.Diagnostics) {
	a := r.access()
	value, diags := kept.GetKey(ctx, tagKey)
	if len(value) > 0 {
		_ = json.Unmarshal(value, &a.tag) // of another form it is of another version of this provider: no condition then
	}
	return a, diags
}

// keep stores the version that the operation has seen last.
func keep(ctx context.Context, a *Access, to private) diag.Diagnostics {
	tag := a.meta.ETag
	if tag == "" {
		tag = a.tag // nothing was sent
	}
	value, err := json.Marshal(tag)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("The ETag cannot be kept", err.Error())}
	}
	return to.SetKey(ctx, tagKey, value)
}

func (r *resourceOf[M]) fail(diags *diag.Diagnostics, verb string, err error) {
	explain(diags, &fault{verb: verb, title: r.spec.Title(), root: r.spec.schema().Type(), rename: r.spec.Rename}, err)
}

// ModifyPlan plans no change where all that is written means what the state says. The framework has already marked what the server
// says as unknown then, because the texts differ.
func (r *resourceOf[M]) ModifyPlan(_ context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.State.Raw.IsNull() || req.Plan.Raw.IsNull() || req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	var state, plan, config map[string]tftypes.Value
	for _, part := range []struct {
		of tftypes.Value
		to *map[string]tftypes.Value
	}{{req.State.Raw, &state}, {req.Plan.Raw, &plan}, {req.Config.Raw, &config}} {
		if err := part.of.As(part.to); err != nil {
			resp.Diagnostics.AddError("The plan cannot be compared with the state", err.Error())
			return
		}
	}
	for name, planned := range plan {
		leftToServer := !planned.IsKnown() && config[name].IsNull()
		if !leftToServer && !planned.Equal(state[name]) {
			return
		}
	}
	resp.Plan.Raw = req.State.Raw
}

func (r *resourceOf[M]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.spec.Secrets != nil {
		r.spec.Secrets(&m, &config)
	}
	a := r.access()
	if err := r.spec.Create(ctx, a, &m); err != nil {
		r.fail(&resp.Diagnostics, "create", err)
		if !a.made {
			return
		}
	}
	resp.Diagnostics.Append(a.warned...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(keep(ctx, a, resp.Private)...)
}

func (r *resourceOf[M]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m M
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	a := r.access()
	if err := r.spec.Read(ctx, a, &m); err != nil {
		if client.IsNotFound(err) {
			resp.State.RemoveResource(ctx)
			return
		}
		r.fail(&resp.Diagnostics, "read", err)
		return
	}
	resp.Diagnostics.Append(a.warned...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(keep(ctx, a, resp.Private)...)
}

func (r *resourceOf[M]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, prior, config M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	a, diags := r.accessTo(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.spec.Secrets != nil {
		r.spec.Secrets(&m, &config)
	}
	if err := r.spec.Update(ctx, a, &m, &prior); err != nil {
		r.fail(&resp.Diagnostics, "update", err)
		return
	}
	resp.Diagnostics.Append(a.warned...)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	resp.Diagnostics.Append(keep(ctx, a, resp.Private)...)
}

func (r *resourceOf[M]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m M
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	a, diags := r.accessTo(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.spec.Delete(ctx, a, &m); err != nil && !client.IsNotFound(err) {
		r.fail(&resp.Diagnostics, "delete", err)
	}
}

func (r *resourceOf[M]) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	values, err := r.spec.parts(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("The import id is not one of a "+r.spec.Title(), err.Error())
		return
	}
	for name, value := range values {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(name), value)...)
	}
}

// parts takes an import id apart.
func (s *Spec[M]) parts(id string) (map[string]string, error) {
	if s.Import != nil {
		return s.Import(id)
	}
	if s.Single {
		return map[string]string{"id": s.Name}, nil
	}
	values := map[string]string{}
	for i := len(s.Key) - 1; i >= 0; i-- {
		value := id
		if i > 0 {
			cut := strings.LastIndexByte(id, '/')
			if cut < 0 {
				return nil, fmt.Errorf("%q has fewer parts than %s", id, s.KeyForm())
			}
			id, value = id[:cut], id[cut+1:]
		}
		if value == "" {
			return nil, fmt.Errorf("the part %s of %s is empty", s.Key[i], s.KeyForm())
		}
		values[s.Key[i]] = value
	}
	return values, nil
}
