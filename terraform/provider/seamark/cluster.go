package seamark

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type cluster struct {
	ID        types.String `tfsdk:"id" json:"-" answer:"id"`
	Name      *string      `tfsdk:"name" json:"name"`
	CreatedAt types.String `tfsdk:"created_at" json:"-" answer:"created_at"`
}

func clusterKind() crud.Kind {
	return &crud.Spec[cluster]{
		Name:    "cluster",
		Summary: "A cluster: one sender of the tenant.",
		Text: "Its name becomes the label `cluster` of all that it sends. It pushes with a token, which is a `seamark_cluster_token`. " +
			"Deleting it ends its tokens within a second; what it has sent can be read until its retention ends.",
		Key: []string{"id"}, Lookup: []string{"id", "name"},
		Attributes: map[string]schema.Attribute{
			"id":         shown("Opaque id."),
			"name":       required("Lower-case letters, digits and inner hyphens, at most 63; unique in the tenant. Another name makes another cluster.", fixed),
			"created_at": shown("When it was made."),
		},
		Create: func(ctx context.Context, a *crud.Access, m *cluster) error {
			return crud.Send(m, func(body client.ClusterCreation) (*client.Cluster, error) {
				return a.CreateCluster(ctx, body, a.Keep())
			})
		},
		Read: func(ctx context.Context, a *crud.Access, m *cluster) error {
			return crud.Into(m)(a.FindCluster(ctx, m.ID.ValueString(), a.Keep()))
		},
		Delete: func(ctx context.Context, a *crud.Access, m *cluster) error {
			return a.DeleteCluster(ctx, m.ID.ValueString(), a.IfSame()...)
		},
		Find: findCluster,
	}
}

// findCluster finds a cluster by its id or its name.
func findCluster(ctx context.Context, a *crud.Access, m *cluster) error {
	if !m.ID.IsNull() {
		return crud.Into(m)(a.FindCluster(ctx, m.ID.ValueString()))
	}
	return crud.Into(m)(first(ctx, "cluster of this name", func(ctx context.Context, cursor *string) ([]client.Cluster, string, error) {
		page, err := a.ListClusters(ctx, &client.ListClustersParams{Cursor: cursor, Limit: new(pageLimit)})
		if err != nil {
			return nil, "", err
		}
		return page.Items, page.NextCursor, nil
	}, func(c *client.Cluster) bool { return c.Name == crud.Text(m.Name) }))
}
