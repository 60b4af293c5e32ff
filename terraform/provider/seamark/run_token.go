package seamark

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

// runToken is a cluster's token for one run of Terraform, which is nowhere when the run is over.
type runToken struct{ server *crud.Server }

var (
	_ ephemeral.EphemeralResourceWithConfigure = (*runToken)(nil)
	_ ephemeral.EphemeralResourceWithClose     = (*runToken)(nil)
)

func newRunToken() ephemeral.EphemeralResource { return &runToken{} }

type runTokenModel struct {
	ClusterID       string       `tfsdk:"cluster_id"`
	Signals         []string     `tfsdk:"signals"`
	LifetimeSeconds types.Int64  `tfsdk:"lifetime_seconds"`
	ID              types.String `tfsdk:"id"`
	Secret          types.String `tfsdk:"secret"`
}

// defaultLifetime is longer than most runs. It ends the token of a run that was killed.
const defaultLifetime = time.Hour

// runTokenKey is where the token's id stands until the run is over.
const runTokenKey = "token"

func (e *runToken) Metadata(_ context.Context, _ ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = "seamark_cluster_token"
}

func (e *runToken) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	const about = "A cluster's token for this run of Terraform alone: it is made when the run needs it, and revoked when the run is over."
	resp.Schema = schema.Schema{
		Description: about,
		MarkdownDescription: about + "\n\nIt is in no state and no plan. Terraform makes one for each plan and each apply, and a cluster has two live tokens at most: " +
			"leave one of them free. Tokens for agents, which outlive the run, are the resource `seamark_cluster_token`.",
		Attributes: map[string]schema.Attribute{
			"cluster_id": schema.StringAttribute{Required: true, MarkdownDescription: "The cluster whose data it pushes."},
			"signals": schema.SetAttribute{
				ElementType: types.StringType, Optional: true,
				MarkdownDescription: "What it may push: `logs`, `metrics`, `events`, `traces`. All unless told.",
			},
			"lifetime_seconds": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "How long it is good when the run cannot revoke it, because it was killed; an hour unless told.",
			},
			"id":     schema.StringAttribute{Computed: true, MarkdownDescription: "Opaque id, which is a part of the token."},
			"secret": schema.StringAttribute{Computed: true, Sensitive: true, MarkdownDescription: "The token."},
		},
	}
}

func (e *runToken) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	e.server, _ = req.ProviderData.(*crud.Server)
}

func (e *runToken) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m runTokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	lifetime := defaultLifetime
	if !m.LifetimeSeconds.IsNull() {
		lifetime = time.Duration(m.LifetimeSeconds.ValueInt64()) * time.Second
	}
	if lifetime <= 0 {
		resp.Diagnostics.AddAttributeError(path.Root("lifetime_seconds"), "The token would end before it begins", "It must be more than 0.")
		return
	}
	body := client.TokenCreation{
		Kind: client.TokenCreationKindIngest, Name: new("terraform run"), ClusterID: &m.ClusterID, ExpiresAt: new(time.Now().Add(lifetime).UTC()),
	}
	for _, signal := range m.Signals {
		body.Signals = append(body.Signals, client.TokenCreationSignals(signal))
	}
	made, err := e.server.CreateToken(ctx, body)
	if err != nil {
		crud.Explain(&resp.Diagnostics, "open", "the ephemeral seamark_cluster_token", err)
		return
	}
	m.ID, m.Secret = types.StringValue(made.ID), types.StringValue(made.Secret)
	id, err := json.Marshal(made.ID)
	if err != nil {
		resp.Diagnostics.AddError("The token's id cannot be kept", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, runTokenKey, id)...)
	resp.Diagnostics.Append(resp.Result.Set(ctx, &m)...)
}

func (e *runToken) Close(ctx context.Context, req ephemeral.CloseRequest, resp *ephemeral.CloseResponse) {
	value, diags := req.Private.GetKey(ctx, runTokenKey)
	resp.Diagnostics.Append(diags...)
	var id string
	if resp.Diagnostics.HasError() || json.Unmarshal(value, &id) != nil {
		return
	}
	if err := e.server.DeleteToken(ctx, id); err != nil && !client.IsNotFound(err) {
		crud.Explain(&resp.Diagnostics, "revoke", "the ephemeral seamark_cluster_token", err)
	}
}
