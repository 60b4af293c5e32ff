package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type tenant struct {
	ID            types.String `tfsdk:"id" json:"-" answer:"id"`
	Slug          *string      `tfsdk:"slug" json:"slug"`
	Name          types.String `tfsdk:"name" json:"-" answer:"name"`
	Shard         types.Int64  `tfsdk:"shard" json:"-" answer:"shard"`
	Plan          *string      `tfsdk:"plan" json:"-"`
	Suspended     *bool        `tfsdk:"suspended" json:"-"`
	DeletionGrace *string      `tfsdk:"deletion_grace" json:"-"`
	CreatedAt     types.String `tfsdk:"created_at" json:"-" answer:"created_at"`
}

// States of a tenant.
const (
	stateSuspended = "suspended"
	stateDeleting  = "deleting"
)

func tenantKind() crud.Kind {
	return &crud.Spec[tenant]{
		Name:    "tenant",
		Summary: "A tenant; for operators.",
		Text: "Destroying it ends its credentials at once, and purges all of its data when the grace is over; until then an operator can restore it. Protect it by " +
			"`lifecycle { prevent_destroy = true }`. It leaves its plan then. Its first owner comes in by an invitation, which operators make.",
		Key: []string{"id"}, Lookup: []string{"id", "slug"},
		Hidden: []string{"deletion_grace"},
		Attributes: map[string]schema.Attribute{
			"id":             shown("Opaque id."),
			"slug":           required("Short name: lower-case letters, digits and dashes; unique. Another one makes another tenant, and ends this one.", fixed),
			"name":           optional("Name for people; the slug unless told. It cannot be changed.", unchangeable),
			"shard":          placement("The ClickHouse shard that its data is on, counted from 1; the one with the fewest tenants unless told. It cannot be changed."),
			"plan":           optional("Name of the plan that it has; none unless told."),
			"suspended":      schema.BoolAttribute{Optional: true, MarkdownDescription: "Whether its credentials are refused. Its data stays, and its rules stand still."},
			"deletion_grace": optional("How long it can be restored when it was destroyed, such as `72h`; `0s` purges at once. The installation's own unless told."),
			"created_at":     shown("When it was made."),
		},
		Create: createTenant,
		Read: func(ctx context.Context, a *crud.Access, m *tenant) error {
			found, err := a.FindTenant(ctx, m.ID.ValueString(), a.Keep())
			return m.show(ctx, a, found, err)
		},
		Update: func(ctx context.Context, a *crud.Access, m, prior *tenant) error {
			return m.settle(ctx, a, prior)
		},
		Delete: deleteTenant,
		Find:   lookupTenant,
	}
}

func createTenant(ctx context.Context, a *crud.Access, m *tenant) error {
	var body client.TenantSpec
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	if !m.Name.IsUnknown() {
		body.Name = m.Name.ValueStringPointer()
	}
	if !m.Shard.IsUnknown() && !m.Shard.IsNull() {
		body.Shard = new(int(m.Shard.ValueInt64()))
	}
	made, err := a.CreateTenant(ctx, body, a.Keep())
	if err != nil {
		return err
	}
	a.Made()
	if err := crud.Into(m)(made, nil); err != nil {
		return err
	}
	return m.settle(ctx, a, &tenant{})
}

// deleteTenant begins the end of the tenant. It leaves its plan, which could not be destroyed in the same run else.
func deleteTenant(ctx context.Context, a *crud.Access, m *tenant) error {
	if m.Plan != nil {
		if _, err := a.SetTenantPlan(ctx, m.ID.ValueString(), client.TenantPlan{}); err != nil {
			return err
		}
	}
	_, err := a.DeleteTenant(ctx, m.ID.ValueString(), &client.DeleteTenantParams{Grace: m.DeletionGrace}, a.IfSame()...)
	return err
}

// settle gives the tenant the plan and the state that it should have.
func (m *tenant) settle(ctx context.Context, a *crud.Access, prior *tenant) error {
	id := m.ID.ValueString()
	if crud.Text(m.Plan) != crud.Text(prior.Plan) {
		if _, err := a.SetTenantPlan(ctx, id, client.TenantPlan{Plan: crud.Text(m.Plan)}); err != nil {
			return err
		}
	}
	if isSet(m.Suspended) != isSet(prior.Suspended) {
		change := a.ResumeTenant
		if isSet(m.Suspended) {
			change = a.SuspendTenant
		}
		if _, err := change(ctx, id, a.Keep()); err != nil {
			return err
		}
	}
	return nil
}

func isSet(b *bool) bool { return b != nil && *b }

func (m *tenant) show(ctx context.Context, a *crud.Access, found *client.Tenant, err error) error {
	if err != nil {
		return err
	}
	if found.State == stateDeleting {
		return absent("The tenant %s is being deleted.", found.Slug)
	}
	if suspended := found.State == stateSuspended; suspended != isSet(m.Suspended) {
		m.Suspended = &suspended
	}
	quotas, err := a.FindTenantQuotas(ctx, found.ID)
	if err != nil {
		return err
	}
	if quotas.Plan != crud.Text(m.Plan) {
		m.Plan = &quotas.Plan
		if quotas.Plan == "" {
			m.Plan = nil
		}
	}
	return crud.Into(m)(found, nil)
}

// lookupTenant finds a tenant by its id or its slug.
func lookupTenant(ctx context.Context, a *crud.Access, m *tenant) error {
	if !m.ID.IsNull() {
		found, err := a.FindTenant(ctx, m.ID.ValueString())
		return m.show(ctx, a, found, err)
	}
	found, err := first(ctx, "tenant of this slug", func(ctx context.Context, cursor *string) ([]client.Tenant, string, error) {
		page, err := a.ListTenants(ctx, &client.ListTenantsParams{Cursor: cursor, Limit: new(pageLimit)})
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	}, func(t *client.Tenant) bool { return t.Slug == crud.Text(m.Slug) })
	return m.show(ctx, a, found, err)
}
