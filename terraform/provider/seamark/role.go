package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type role struct {
	Name        *string  `tfsdk:"name" json:"name"`
	Description *string  `tfsdk:"description" json:"description,omitempty"`
	Permissions []string `tfsdk:"permissions" json:"permissions"`
}

func roleKind() crud.Kind {
	return &crud.Spec[role]{
		Name:    "role",
		Summary: "A role of the tenant's own: a name for permissions.",
		Text:    "It is deleted when nobody has it. Nobody gives permissions that they do not hold.",
		Key:     []string{"name"},
		Attributes: map[string]schema.Attribute{
			"name":        required("Lower-case letters, digits and hyphens, at most 40.", fixed),
			"description": optional("For people."),
			"permissions": schema.SetAttribute{
				ElementType: types.StringType, Required: true, MarkdownDescription: "Names as `GET /api/v1/permissions` lists them, such as `data:read`.",
			},
		},
		Create: func(ctx context.Context, a *crud.Access, m *role) error {
			return crud.Send(m, func(body client.RoleCreation) (*client.Role, error) { return a.CreateRole(ctx, body, a.Keep()) })
		},
		Read: func(ctx context.Context, a *crud.Access, m *role) error {
			return crud.Into(m)(a.FindRole(ctx, crud.Text(m.Name), a.Keep()))
		},
		Update: func(ctx context.Context, a *crud.Access, m, _ *role) error {
			return crud.Send(m, func(body client.RoleChange) (*client.Role, error) {
				return a.UpdateRole(ctx, crud.Text(m.Name), body, a.IfSame()...)
			})
		},
		Delete: func(ctx context.Context, a *crud.Access, m *role) error {
			return a.DeleteRole(ctx, crud.Text(m.Name), a.IfSame()...)
		},
	}
}
