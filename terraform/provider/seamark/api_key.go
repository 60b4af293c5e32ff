package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type apiKey struct {
	ID             types.String `tfsdk:"id" json:"-" answer:"id"`
	Prefix         types.String `tfsdk:"prefix" json:"-"`
	Name           *string      `tfsdk:"name" json:"name"`
	Description    *string      `tfsdk:"description" json:"description,omitempty"`
	Role           *string      `tfsdk:"role" json:"role,omitempty"`
	Permissions    []string     `tfsdk:"permissions" json:"permissions,omitempty"`
	Restriction    *restriction `tfsdk:"restriction" json:"restriction,omitempty"`
	ExpiresAt      *string      `tfsdk:"expires_at" json:"expires_at,omitempty" same:"time"`
	CreatedAt      types.String `tfsdk:"created_at" json:"-" answer:"created_at"`
	Rotation       *string      `tfsdk:"rotation" json:"-"`
	OverlapSeconds *int64       `tfsdk:"overlap_seconds" json:"-"`
	delivery
}

func apiKeyKind() crud.Kind {
	narrow := restrictionAttribute("The part of the tenant that it sees; all unless told.")
	narrow.PlanModifiers = []planmodifier.Object{objectplanmodifier.RequiresReplace()}
	return &crud.Spec[apiKey]{
		Name:    "api_key",
		Summary: "An API key of a machine.",
		Text: deliveryText + "\n\nA key cannot be changed but for its secret: `rotation` gives it a new one under the same id, and the one before is good for " +
			"`overlap_seconds` more. It holds no more than the provider's own key or token.",
		Key:    []string{"id"},
		Hidden: deliveryHidden("rotation", "overlap_seconds"),
		Attributes: deliveryAttributes(map[string]schema.Attribute{
			"id":              shown("Opaque id, which is a part of the key."),
			"prefix":          shown("How the key begins, for scanners and logs. It is no secret."),
			"name":            required("What it is for.", fixed),
			"description":     optional("For people.", fixed),
			"role":            optional("A built-in role, or one of the tenant's own.", fixed),
			"permissions":     fixedTexts("Names as `GET /api/v1/permissions` lists them, in place of a role."),
			"restriction":     narrow,
			"expires_at":      optional("When it ends (RFC 3339); never unless told.", instant, fixed),
			"created_at":      shown("When it was made."),
			"rotation":        optional("Any text; another one gives the key a new secret."),
			"overlap_seconds": number("How long the secret before is good after a rotation, at most 30 days; 0 ends it at once."),
		}),
		Check:  append(deliveryChecks(), resourcevalidator.ExactlyOneOf(path.MatchRoot("role"), path.MatchRoot("permissions"))),
		Create: createAPIKey,
		Read: func(ctx context.Context, a *crud.Access, m *apiKey) error {
			key, err := a.FindKey(ctx, m.ID.ValueString())
			if err == nil && key.RevokedAt != nil {
				return absent("The API key %s was revoked.", key.ID)
			}
			return m.show(key, err)
		},
		Update: updateAPIKey,
		Delete: func(ctx context.Context, a *crud.Access, m *apiKey) error {
			return a.DeleteKey(ctx, m.ID.ValueString())
		},
	}
}

func createAPIKey(ctx context.Context, a *crud.Access, m *apiKey) error {
	if err := m.open(); err != nil {
		return err
	}
	var body client.KeyCreation
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	made, err := a.CreateKey(ctx, body)
	if err != nil {
		return err
	}
	a.Made()
	if err := m.show(made, nil); err != nil {
		return err
	}
	return m.deliver(made.Secret)
}

func updateAPIKey(ctx context.Context, a *crud.Access, m, prior *apiKey) error {
	if prior.imported() || equalText(m.Rotation, prior.Rotation) && !m.moved(&prior.delivery) {
		m.SealedSecret = prior.SealedSecret
		return nil
	}
	if err := m.open(); err != nil {
		return err
	}
	made, err := a.RotateKey(ctx, m.ID.ValueString(), client.Rotation{OverlapSeconds: seconds(m.OverlapSeconds)})
	if err != nil {
		return err
	}
	return m.deliver(made.Secret)
}

// show fills the model with what the server tells of a key.
func (m *apiKey) show(key any, err error) error {
	if err := crud.Into(m)(key, err); err != nil {
		return err
	}
	m.Prefix = types.StringValue("smk_api_" + m.ID.ValueString())
	return nil
}
