package seamark

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/seamarkhq/seamark/api/client"
	"github.com/seamarkhq/seamark/terraform/provider/crud"
)

type quota struct {
	TenantID  *string `tfsdk:"tenant_id" json:"-"`
	ClusterID *string `tfsdk:"cluster_id" json:"-"`
	limits
}

func quotaKind() crud.Kind {
	return &crud.Spec[quota]{
		Name:    "quota",
		Summary: "What a tenant, or one of its clusters, may send and query.",
		Text: "Operators set a tenant's (`tenant_id`), which goes before its plan; a tenant's admins set those of its clusters (`cluster_id`), within the tenant's own. " +
			"What is left out is not set: a tenant then has its plan's or the platform's limit, a cluster none of its own. There is one quota of each: do not write two resources for it.",
		Key: []string{"tenant or cluster", "id"}, Lookup: []string{"tenant_id", "cluster_id"},
		Import: func(id string) (map[string]string, error) {
			kind, of, ok := strings.Cut(id, "/")
			if !ok || of == "" || kind != "tenant" && kind != "cluster" {
				return nil, fmt.Errorf("%q is neither tenant/<id> nor cluster/<id>", id)
			}
			return map[string]string{kind + "_id": of}, nil
		},
		Attributes: limitAttributes(map[string]schema.Attribute{
			"tenant_id":  optional("Whose it is, when it is a tenant's; for operators.", fixed),
			"cluster_id": optional("Whose it is, when it is a cluster's.", fixed),
		}),
		Check:  []resource.ConfigValidator{resourcevalidator.ExactlyOneOf(path.MatchRoot("tenant_id"), path.MatchRoot("cluster_id"))},
		Create: func(ctx context.Context, a *crud.Access, m *quota) error { return m.set(ctx, a, &m.limits, a.Keep()) },
		Read:   readQuota,
		Update: func(ctx context.Context, a *crud.Access, m, _ *quota) error {
			return m.set(ctx, a, &m.limits, a.IfSame()...)
		},
		Delete: func(ctx context.Context, a *crud.Access, m *quota) error {
			return m.set(ctx, a, &limits{}, a.IfSame()...)
		},
	}
}

func (m *quota) set(ctx context.Context, a *crud.Access, to *limits, options ...client.CallOption) error {
	return crud.Send(to, func(body client.Quota) (*client.Quota, error) {
		if m.TenantID != nil {
			return a.SetTenantQuota(ctx, *m.TenantID, body, options...)
		}
		return a.SetClusterQuota(ctx, crud.Text(m.ClusterID), body, options...)
	})
}

func readQuota(ctx context.Context, a *crud.Access, m *quota) error {
	if m.TenantID != nil {
		found, err := a.FindTenantQuotas(ctx, *m.TenantID, a.Keep())
		if err != nil {
			return err
		}
		return crud.Into(&m.limits)(found.Set, nil)
	}
	found, err := a.FindClusterQuotas(ctx, crud.Text(m.ClusterID), a.Keep())
	if err != nil {
		return err
	}
	return crud.Into(&m.limits)(found.Set, nil)
}
