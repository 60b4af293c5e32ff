package seamark

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

// required is a text that the user writes.
func required(about string, more ...func(*schema.StringAttribute)) schema.StringAttribute {
	a := schema.StringAttribute{Required: true, MarkdownDescription: about}
	return with(a, more)
}

// optional is a text that the user may leave out.
func optional(about string, more ...func(*schema.StringAttribute)) schema.StringAttribute {
	a := schema.StringAttribute{Optional: true, MarkdownDescription: about}
	return with(a, more)
}

// shown is a text that the server says, and that stays through changes.
func shown(about string) schema.StringAttribute {
	return schema.StringAttribute{
		Computed: true, MarkdownDescription: about,
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

func with(a schema.StringAttribute, more []func(*schema.StringAttribute)) schema.StringAttribute {
	for _, change := range more {
		change(&a)
	}
	return a
}

// fixed has a change of the attribute make the thing anew.
func fixed(a *schema.StringAttribute) {
	a.PlanModifiers = append(a.PlanModifiers, stringplanmodifier.RequiresReplace())
}

// unchangeable has the server say the attribute where the user does not, and refuses a change of it.
func unchangeable(a *schema.StringAttribute) {
	a.Computed = true
	a.PlanModifiers = append(a.PlanModifiers, stringplanmodifier.UseStateForUnknown(), refuseChange{})
}

// otherwise is the value of an attribute that is left out.
func otherwise(value string) func(*schema.StringAttribute) {
	return func(a *schema.StringAttribute) { a.Computed, a.Default = true, stringdefault.StaticString(value) }
}

// among are the values that an attribute takes.
func among(values ...string) func(*schema.StringAttribute) {
	return func(a *schema.StringAttribute) { a.Validators = append(a.Validators, stringvalidator.OneOf(values...)) }
}

// instant has an attribute be a time, whose zone is no change. It goes before fixed.
func instant(a *schema.StringAttribute) {
	a.Validators = append(a.Validators, timeValidator{})
	meaning(crud.SameTime)(a)
}

// meaning keeps what the state has of an attribute while what is written means the same.
func meaning(same func(a, b string) bool) func(*schema.StringAttribute) {
	return func(a *schema.StringAttribute) { a.PlanModifiers = append(a.PlanModifiers, sameMeaning{same}) }
}

// number is a count that the user may leave out.
func number(about string) schema.Int64Attribute {
	return schema.Int64Attribute{Optional: true, MarkdownDescription: about}
}

// placement is a number from 1 that the user may leave to the server, once and for all.
func placement(about string) schema.Int64Attribute {
	a := number(about)
	a.Computed, a.Validators = true, []validator.Int64{int64validator.AtLeast(1)}
	a.PlanModifiers = []planmodifier.Int64{int64planmodifier.UseStateForUnknown(), refuseChange{}}
	return a
}

// texts is a set of texts that the user may leave out.
func texts(about string) schema.SetAttribute {
	return schema.SetAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: about}
}

// fixedTexts is a set whose change makes the thing anew.
func fixedTexts(about string) schema.SetAttribute {
	a := texts(about)
	a.PlanModifiers = []planmodifier.Set{setplanmodifier.RequiresReplace()}
	return a
}

// table is a map of texts that the user may leave out.
func table(about string) schema.MapAttribute {
	return schema.MapAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: about}
}

// secretTexts is a write-only map of secrets; secretsVersion says when they are to be sent again.
func secretTexts(about string) schema.MapAttribute {
	return schema.MapAttribute{
		ElementType: types.StringType, Optional: true, Sensitive: true, WriteOnly: true,
		MarkdownDescription: about + " Write-only: it is in no state and no plan. Terraform does not see when it changes; change `secrets_wo_version` with it.",
	}
}

// secretsVersion belongs to secretTexts.
func secretsVersion() schema.StringAttribute {
	return optional("Any text that changes when `secrets_wo` does, such as a number or the version of a secret in a vault.")
}

// restriction is the part of a tenant that somebody sees.
func restrictionAttribute(about string) schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		Optional: true, MarkdownDescription: about,
		Attributes: map[string]schema.Attribute{
			"clusters":   texts("Names of clusters; all unless told."),
			"namespaces": texts("Names of Kubernetes namespaces; all unless told."),
		},
	}
}

// restriction is that in a model.
type restriction struct {
	Clusters   []string `tfsdk:"clusters" json:"clusters,omitempty"`
	Namespaces []string `tfsdk:"namespaces" json:"namespaces,omitempty"`
}

// timeValidator takes times in the form of RFC 3339.
type timeValidator struct{}

func (timeValidator) Description(context.Context) string {
	return "a time in the form of RFC 3339, such as 2030-01-31T12:00:00Z"
}

func (v timeValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v timeValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if _, err := time.Parse(time.RFC3339, req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "This is no time", "It must be "+v.Description(ctx)+": "+err.Error())
	}
}

// sameMeaning plans no change where two texts differ and mean the same.
type sameMeaning struct{ same func(a, b string) bool }

func (sameMeaning) Description(context.Context) string {
	return "Texts that mean the same are no change."
}

func (m sameMeaning) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

func (m sameMeaning) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.IsNull() || req.PlanValue.IsNull() || req.PlanValue.IsUnknown() {
		return
	}
	if m.same(req.StateValue.ValueString(), req.PlanValue.ValueString()) {
		resp.PlanValue = req.StateValue
	}
}

// refuseChange plans no change of what the API cannot change, where to make the thing anew would lose too much.
type refuseChange struct{}

func (refuseChange) Description(context.Context) string { return "It cannot be changed." }

func (m refuseChange) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

func (refuseChange) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	refuse(&resp.Diagnostics, req.Path, req.StateValue, req.ConfigValue, req.PlanValue)
}

func (refuseChange) PlanModifyInt64(_ context.Context, req planmodifier.Int64Request, resp *planmodifier.Int64Response) {
	refuse(&resp.Diagnostics, req.Path, req.StateValue, req.ConfigValue, req.PlanValue)
}

// refuse finds fault with a plan in which an attribute has another value than the state.
func refuse(faults *diag.Diagnostics, at path.Path, state, config, plan attr.Value) {
	if state.IsNull() || config.IsNull() || plan.Equal(state) {
		return
	}
	faults.AddAttributeError(at, "This cannot be changed",
		"It is "+state.String()+" as long as the thing lives. Leave it so, or make another one under another resource.")
}
