// Package seamark is the Terraform provider of Seamark: one file per noun, each a crud.Spec of how the API and Terraform speak of
// it. It talks to a server through api/client alone, and keeps no secret in state or plan.
package seamark

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

// Options is what the provider is told by the program that serves it.
type Options struct {
	Version string
	// Getenv reads a variable of the environment; nil reads none.
	Getenv func(name string) string
}

// New returns the provider.
func New(o Options) provider.Provider {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	return &seamarkProvider{o}
}

type seamarkProvider struct{ Options }

// These are what Terraform asks of a provider beyond the least.
var (
	_ provider.ProviderWithFunctions          = (*seamarkProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*seamarkProvider)(nil)
)

// settings is the provider's block.
type settings struct {
	Endpoint types.String `tfsdk:"endpoint"`
	Token    types.String `tfsdk:"token"`
	CAFile   types.String `tfsdk:"ca_file"`
}

// Variables of the environment that stand in for settings.
const (
	endpointVariable = "SEAMARK_URL"
	tokenVariable    = "SEAMARK_TOKEN"
	caVariable       = "SEAMARK_CA_FILE"
)

func (p *seamarkProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName, resp.Version = "seamark", p.Version
}

func (p *seamarkProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	const about = "Manages tenants, access, alerting and pipelines of a Seamark server."
	resp.Schema = schema.Schema{
		Description: about, MarkdownDescription: about,
		Attributes: map[string]schema.Attribute{
			"endpoint": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Where the server's API listens, such as `https://seamark.example.com`. `" + endpointVariable + "` unless told.",
			},
			"token": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "An API key (`smk_api_...`) or an admin token (`smk_admin_...`) of the tenant. Operators, for tenants, plans and tenants' quotas, " +
					"give the token of a session of theirs. `" + tokenVariable + "` unless told.",
			},
			"ca_file": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "File with certificates in PEM that are trusted beside the system's. `" + caVariable + "` unless told.",
			},
		},
	}
}

func (p *seamarkProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var set settings
	resp.Diagnostics.Append(req.Config.Get(ctx, &set)...)
	if resp.Diagnostics.HasError() {
		return
	}
	endpoint := p.setting(&resp.Diagnostics, "endpoint", set.Endpoint, endpointVariable, true)
	token := p.setting(&resp.Diagnostics, "token", set.Token, tokenVariable, true)
	authority := p.setting(&resp.Diagnostics, "ca_file", set.CAFile, caVariable, false)
	if resp.Diagnostics.HasError() {
		return
	}
	o := client.Options{Address: endpoint, Token: token, UserAgent: "terraform-provider-seamark/" + p.Version}
	if authority != "" {
		text, err := os.ReadFile(authority)
		if err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("ca_file"), "The file with certificates cannot be read", err.Error())
			return
		}
		o.CACertificates = text
	}
	c, err := client.NewWithOptions(o)
	if err != nil {
		resp.Diagnostics.AddError("The provider's settings do not lead to a server", err.Error())
		return
	}
	tryToken(ctx, c, endpoint, &resp.Diagnostics)
	server := crud.NewServer(c)
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = server, server, server
}

// setting returns what the block or the environment says.
func (p *seamarkProvider) setting(diags *diag.Diagnostics, name string, value types.String, variable string, needed bool) string {
	if value.IsUnknown() {
		diags.AddAttributeError(path.Root(name), "The provider's "+name+" is not known yet",
			"It depends on something that is made in the same run. Make that first (terraform apply -target=...), or give the value by the environment variable "+variable+".")
		return ""
	}
	text := value.ValueString()
	if text == "" {
		text = p.Getenv(variable)
	}
	if text == "" && needed {
		diags.AddAttributeError(path.Root(name), "The provider has no "+name,
			fmt.Sprintf("Set %s in the block of the provider, or the environment variable %s.", name, variable))
	}
	return text
}

// tryToken finds a token that is refused, or a server that is away, once and where it is set, and not at every resource.
func tryToken(ctx context.Context, c *client.Client, endpoint string, diags *diag.Diagnostics) {
	_, err := c.FindSession(ctx)
	switch {
	case err == nil || client.IsStatus(err, http.StatusForbidden): // it is good, and asks for its own rights alone
	case client.IsStatus(err, http.StatusUnauthorized):
		diags.AddAttributeError(path.Root("token"), "The Seamark server refuses the provider's token",
			fmt.Sprintf("%s answered: %s\n\nIt may have ended, have been revoked, or be another server's. Tokens of operators' sessions last some minutes.", endpoint, err))
	default:
		diags.AddAttributeError(path.Root("endpoint"), "There is no Seamark server that answers", fmt.Sprintf("%s: %s", endpoint, err))
	}
}

// Kinds returns all that the provider manages.
func Kinds() []crud.Kind {
	return []crud.Kind{
		alertmanagerConfigKind(), apiKeyKind(), clusterKind(), clusterTokenKind(), dashboardKind(), forwarderKind(), memberKind(), pipelineKind(), planKind(), quotaKind(), receiverKind(), retentionKind(), roleKind(), ruleGroupKind(), savedQueryKind(), silenceKind(), tenantKind(),
	}
}

func (p *seamarkProvider) Resources(context.Context) (all []func() resource.Resource) {
	for _, kind := range Kinds() {
		all = append(all, kind.Resource)
	}
	return all
}

func (p *seamarkProvider) DataSources(context.Context) (all []func() datasource.DataSource) {
	for _, kind := range Kinds() {
		all = append(all, kind.DataSource)
	}
	return all
}

func (p *seamarkProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newRunToken}
}

func (p *seamarkProvider) Functions(context.Context) []func() function.Function {
	return []func() function.Function{newUnseal}
}
