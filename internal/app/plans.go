package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// planAPI shows the directory's plans in the API's words. It implements api.Plans.
type planAPI struct{ directory *tenant.Directory }

func (p planAPI) planOf(plan *tenant.Plan) api.Plan {
	return api.Plan{Name: plan.Name, Title: plan.Title, Quota: plan.Quota, Tenants: p.directory.PlanTenants(plan.Name)}
}

// ListPlans implements api.Plans.
func (p planAPI) ListPlans(ctx context.Context) []api.Plan {
	found := p.directory.ListPlans(ctx)
	list := make([]api.Plan, len(found))
	for i := range found {
		list[i] = p.planOf(&found[i])
	}
	return list
}

// FindPlan implements api.Plans.
func (p planAPI) FindPlan(ctx context.Context, name string) (api.Plan, error) {
	found, err := p.directory.FindPlan(ctx, name)
	if err != nil {
		return api.Plan{}, err
	}
	return p.planOf(&found), nil
}

// SavePlan implements api.Plans.
func (p planAPI) SavePlan(ctx context.Context, name string, spec api.PlanSpec, accept func(now *api.PlanSpec) error) (api.Plan, error) {
	saved, err := p.directory.SavePlan(ctx, tenant.Plan{Name: name, Title: spec.Title, Quota: spec.Quota}, func(now tenant.Plan) error {
		if now.Name == "" {
			return accept(nil)
		}
		return accept(&api.PlanSpec{Title: now.Title, Quota: now.Quota})
	})
	if err != nil {
		return api.Plan{}, err
	}
	return p.planOf(&saved), nil
}

// DeletePlan implements api.Plans.
func (p planAPI) DeletePlan(ctx context.Context, name string, accept func(now api.PlanSpec) error) error {
	return p.directory.DeletePlan(ctx, name, func(now tenant.Plan) error {
		return accept(api.PlanSpec{Title: now.Title, Quota: now.Quota})
	})
}

// SetTenantPlan implements api.Plans.
func (p planAPI) SetTenantPlan(ctx context.Context, id seamark.TenantID, plan string) error {
	return p.directory.SetTenantPlan(ctx, id, plan)
}
