package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// openDashboards makes the tenants' dashboards known to this process.
func (a *App) openDashboards(ctx context.Context) error {
	dashboards, err := tenant.OpenDashboards(ctx, a.directory)
	if err != nil {
		return err
	}
	a.dashboards = dashboards
	a.defers("dashboards", dashboards.Close)
	return nil
}

// dashboardAPI shows dashboards in the API's words. It implements api.Dashboards.
type dashboardAPI struct{ dashboards *tenant.Dashboards }

func dashboardCheckOf(check api.DashboardCheck) func(tenant.Dashboard) error {
	return func(old tenant.Dashboard) error { return check(api.Dashboard(old)) }
}

// ListDashboards implements api.Dashboards.
func (d dashboardAPI) ListDashboards(ctx context.Context, id seamark.TenantID) ([]api.Dashboard, error) {
	found, err := d.dashboards.List(ctx, id)
	list := make([]api.Dashboard, len(found))
	for i := range found {
		list[i] = api.Dashboard(found[i])
	}
	return list, err
}

// FindDashboard implements api.Dashboards.
func (d dashboardAPI) FindDashboard(ctx context.Context, id seamark.TenantID, dashboard string) (api.Dashboard, error) {
	found, err := d.dashboards.Find(ctx, id, dashboard)
	return api.Dashboard(found), err
}

// CreateDashboard implements api.Dashboards.
func (d dashboardAPI) CreateDashboard(ctx context.Context, id seamark.TenantID, spec seamark.Dashboard) (api.Dashboard, error) {
	made, err := d.dashboards.Create(ctx, id, spec)
	return api.Dashboard(made), err
}

// UpdateDashboard implements api.Dashboards.
func (d dashboardAPI) UpdateDashboard(ctx context.Context, id seamark.TenantID, dashboard string, spec seamark.Dashboard, check api.DashboardCheck) (api.Dashboard, error) {
	changed, err := d.dashboards.Update(ctx, id, dashboard, spec, dashboardCheckOf(check))
	return api.Dashboard(changed), err
}

// DeleteDashboard implements api.Dashboards.
func (d dashboardAPI) DeleteDashboard(ctx context.Context, id seamark.TenantID, dashboard string, check api.DashboardCheck) error {
	return d.dashboards.Delete(ctx, id, dashboard, dashboardCheckOf(check))
}
