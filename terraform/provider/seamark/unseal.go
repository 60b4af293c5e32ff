package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/function"
)

// unsealFunction reads a sealed secret within Terraform.
type unsealFunction struct{}

func newUnseal() function.Function { return unsealFunction{} }

func (unsealFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "unseal"
}

func (unsealFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	const about = "Reads a secret that was sealed to a public key."
	resp.Definition = function.Definition{
		Summary: about,
		MarkdownDescription: about + " With a private key that is ephemeral the result is ephemeral too: it goes into write-only attributes, such as `data_wo` of a " +
			"Kubernetes secret, and into no state.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "sealed_secret", MarkdownDescription: "A resource's `sealed_secret`."},
			function.StringParameter{Name: "private_key", MarkdownDescription: "The private key (RSA, PEM) that belongs to its `seal_to`."},
		},
		Return: function.StringReturn{},
	}
}

func (unsealFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var sealed, key string
	if resp.Error = req.Arguments.Get(ctx, &sealed, &key); resp.Error != nil {
		return
	}
	secret, err := unseal(sealed, key)
	if err != nil {
		resp.Error = function.NewFuncError(err.Error())
		return
	}
	resp.Error = resp.Result.Set(ctx, secret)
}
