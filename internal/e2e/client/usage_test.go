package client_test

import (
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

// usageCalls drive the routes about usage, budgets and plans.
func usageCalls() []call {
	const plan = "client-plan"
	return []call{
		{"listUsage", func(t *testing.T, w *world) error {
			return drain(w.admin.ListUsage(t.Context(), &client.ListUsageParams{GroupBy: new("day,signal,source")}))
		}},
		{"listQueryUsage", func(t *testing.T, w *world) error {
			return one(w.admin.ListQueryUsage(t.Context(), &client.ListQueryUsageParams{GroupBy: new(client.ListQueryUsageParamsGroupByDashboard)}))
		}},
		{"findUsageSummary", func(t *testing.T, w *world) error { return one(w.admin.FindUsageSummary(t.Context())) }},
		{"reconcileUsage", func(t *testing.T, w *world) error { return one(w.admin.ReconcileUsage(t.Context(), nil)) }},
		{"listTenantsUsage", func(t *testing.T, w *world) error {
			return drain(w.operator.ListTenantsUsage(t.Context(), &client.ListTenantsUsageParams{Format: new(client.ListTenantsUsageParamsFormatCsv)}))
		}},
		{"findTenantsUsageSummary", func(t *testing.T, w *world) error {
			return one(w.operator.FindTenantsUsageSummary(t.Context(), &client.FindTenantsUsageSummaryParams{Tenant: w.tenantID}))
		}},
		{"findHealth", func(t *testing.T, w *world) error { return one(w.operator.FindHealth(t.Context())) }},
		{"reconcileTenantsUsage", func(t *testing.T, w *world) error { return one(w.operator.ReconcileTenantsUsage(t.Context(), nil)) }},
		{"updateBudgets", func(t *testing.T, w *world) error {
			var made client.Meta
			if _, err := w.admin.UpdateBudgets(t.Context(), client.Budgets{Budgets: []client.Budget{{Rows: new(int64(1 << 40))}}}, client.Into(&made)); err != nil {
				return err
			}
			return one(w.admin.UpdateBudgets(t.Context(), client.Budgets{Budgets: []client.Budget{}}, client.IfMatch(made.ETag)))
		}},
		{"findBudgets", func(t *testing.T, w *world) error { return one(w.admin.FindBudgets(t.Context())) }},
		{"updatePlan", func(t *testing.T, w *world) error {
			return one(w.operator.UpdatePlan(t.Context(), plan, client.PlanSpec{Title: "Client", Quota: client.Quota{MaxLabels: new(int64(60))}}, client.IfAbsent()))
		}},
		{"findPlan", func(t *testing.T, w *world) error { return one(w.operator.FindPlan(t.Context(), plan)) }},
		{"listPlans", func(t *testing.T, w *world) error { return one(w.operator.ListPlans(t.Context(), nil)) }},
		{"setTenantPlan", func(t *testing.T, w *world) error {
			if _, err := w.operator.SetTenantPlan(t.Context(), w.tenantID, client.TenantPlan{Plan: plan}); err != nil {
				return err
			}
			if err := w.operator.DeletePlan(t.Context(), plan); !client.IsConflict(err) {
				t.Errorf("deleted a plan that a tenant has: %v", err)
			}
			return one(w.operator.SetTenantPlan(t.Context(), w.tenantID, client.TenantPlan{}))
		}},
		{"deletePlan", func(t *testing.T, w *world) error { return w.operator.DeletePlan(t.Context(), plan) }},
	}
}
