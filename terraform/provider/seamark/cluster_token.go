package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type clusterToken struct {
	ID             types.String `tfsdk:"id" json:"-" answer:"id"`
	Prefix         types.String `tfsdk:"prefix" json:"-"`
	ClusterID      *string      `tfsdk:"cluster_id" json:"cluster_id"`
	Name           *string      `tfsdk:"name" json:"name,omitempty"`
	Signals        []string     `tfsdk:"signals" json:"signals,omitempty"`
	ExpiresAt      *string      `tfsdk:"expires_at" json:"expires_at,omitempty" same:"time"`
	CreatedAt      types.String `tfsdk:"created_at" json:"-" answer:"created_at"`
	Rotation       *string      `tfsdk:"rotation" json:"-"`
	OverlapSeconds *int64       `tfsdk:"overlap_seconds" json:"-"`
	delivery
}

// signalKinds is how many signals there are. The server lists them all of a token that was not told less.
const signalKinds = 4

func clusterTokenKind() crud.Kind {
	return &crud.Spec[clusterToken]{
		Name:    "cluster_token",
		Summary: "A token with which the agents of a cluster push.",
		Text: deliveryText + "\n\nA cluster has two live tokens at most: one in use and one to rotate to. Change `rotation` for a new secret under the same id; " +
			"the one before is good for `overlap_seconds` more. For a push within one run of Terraform there is the ephemeral resource of this name. " +
			"After an import nothing is rotated until `rotation` changes once more.",
		Key:    []string{"id"},
		Hidden: deliveryHidden("rotation", "overlap_seconds"),
		Attributes: deliveryAttributes(map[string]schema.Attribute{
			"id":              shown("Opaque id, which is a part of the token."),
			"prefix":          shown("How the token begins, for scanners and logs. It is no secret."),
			"cluster_id":      required("The cluster whose data it pushes.", fixed),
			"name":            optional("What it is for.", fixed),
			"signals":         fixedTexts("What it may push: `logs`, `metrics`, `events`, `traces`. All unless told."),
			"expires_at":      optional("When it ends (RFC 3339); never unless told.", instant, fixed),
			"created_at":      shown("When it was made."),
			"rotation":        optional("Any text; another one gives the token a new secret."),
			"overlap_seconds": number("How long the secret before is good after a rotation, at most 30 days; 0 ends it at once."),
		}),
		Check:  deliveryChecks(),
		Create: createClusterToken,
		Read: func(ctx context.Context, a *crud.Access, m *clusterToken) error {
			token, err := findToken(ctx, a, m.ID.ValueString())
			if err != nil {
				return err
			}
			return m.show(token)
		},
		Update: updateClusterToken,
		Delete: func(ctx context.Context, a *crud.Access, m *clusterToken) error {
			return a.DeleteToken(ctx, m.ID.ValueString())
		},
	}
}

func createClusterToken(ctx context.Context, a *crud.Access, m *clusterToken) error {
	if err := m.open(); err != nil {
		return err
	}
	body := client.TokenCreation{Kind: client.TokenCreationKindIngest}
	if err := crud.Body(m, &body); err != nil {
		return err
	}
	made, err := a.CreateToken(ctx, body)
	if err != nil {
		return err
	}
	a.Made()
	if err := m.show(made); err != nil {
		return err
	}
	return m.deliver(made.Secret)
}

func updateClusterToken(ctx context.Context, a *crud.Access, m, prior *clusterToken) error {
	if prior.imported() || equalText(m.Rotation, prior.Rotation) && !m.moved(&prior.delivery) {
		m.SealedSecret = prior.SealedSecret
		return nil
	}
	if err := m.open(); err != nil {
		return err
	}
	made, err := a.RotateToken(ctx, m.ID.ValueString(), client.Rotation{OverlapSeconds: seconds(m.OverlapSeconds)})
	if err != nil {
		return err
	}
	return m.deliver(made.Secret)
}

func seconds(n *int64) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

// show fills the model with what the server tells of a token.
func (m *clusterToken) show(token any) error {
	all := m.Signals == nil
	if err := crud.Into(m)(token, nil); err != nil {
		return err
	}
	if all && len(m.Signals) == signalKinds {
		m.Signals = nil
	}
	m.Prefix = types.StringValue("smk_ingest_" + m.ID.ValueString())
	return nil
}

// findToken finds a live token of a cluster. To Terraform one that was revoked is gone.
func findToken(ctx context.Context, a *crud.Access, id string) (*client.Token, error) {
	token, err := a.FindToken(ctx, id)
	if err != nil {
		return nil, err
	}
	if token.Kind != client.TokenKindIngest || token.RevokedAt != nil {
		return nil, absent("There is no live token of a cluster with this id, or it is another tenant's.")
	}
	return token, nil
}
