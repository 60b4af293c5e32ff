// terraform-provider-seamark is started by Terraform and speaks its plugin protocol, version 6.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/seamarkhq/seamark/terraform/provider/seamark"
)

// version is set when a release is built.
var version = "dev"

// address is the provider's source in Terraform's configurations.
const address = "registry.terraform.io/seamarkhq/seamark"

func main() {
	newProvider := func() provider.Provider { return seamark.New(seamark.Options{Version: version, Getenv: os.Getenv}) }
	if err := providerserver.Serve(context.Background(), newProvider, providerserver.ServeOpts{Address: address}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
