package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type plan struct {
	Name  *string `tfsdk:"name" json:"name"`
	Title *string `tfsdk:"title" json:"title"`
	Quota *limits `tfsdk:"quota" json:"quota"`
}

func planKind() crud.Kind {
	return &crud.Spec[plan]{
		Name:    "plan",
		Summary: "A plan: limits that many tenants have; for operators.",
		Text:    "A tenant has the plan that its `seamark_tenant` names. What is set for the tenant itself goes before it.",
		Key:     []string{"name"},
		Attributes: map[string]schema.Attribute{
			"name":  required("Lower-case letters, digits and inner hyphens.", fixed),
			"title": required("For people."),
			"quota": schema.SingleNestedAttribute{
				Required: true, MarkdownDescription: "The limits; what is left out is the platform's.", Attributes: limitAttributes(nil),
			},
		},
		Create: func(ctx context.Context, a *crud.Access, m *plan) error {
			return savePlan(ctx, a, m, a.Keep(), client.IfAbsent())
		},
		Read: func(ctx context.Context, a *crud.Access, m *plan) error {
			return crud.Into(m)(a.FindPlan(ctx, crud.Text(m.Name), a.Keep()))
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *plan) error { return savePlan(ctx, a, m, a.IfSame()...) },
		Delete: func(ctx context.Context, a *crud.Access, m *plan) error {
			return a.DeletePlan(ctx, crud.Text(m.Name), a.IfSame()...)
		},
	}
}

func savePlan(ctx context.Context, a *crud.Access, m *plan, options ...client.CallOption) error {
	return crud.Send(m, func(body client.PlanSpec) (*client.Plan, error) {
		return a.UpdatePlan(ctx, crud.Text(m.Name), body, options...)
	})
}
