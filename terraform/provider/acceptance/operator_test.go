package acceptance_test

import (
	"errors"
	"testing"

	"github.com/seamarkhq/seamark/api/client"
)

func planCase() resourceCase {
	block := func(rows string) string {
		return "resource \"seamark_plan\" \"it\" {\n  name  = \"medium\"\n  title = \"Medium\"\n  quota = { rows_per_second = " + rows + ", retention_days = 30 }\n}\n"
	}
	return resourceCase{
		address: "seamark_plan.it", create: block("1000"), update: block("2000"), action: "update",
		drift: func(t *testing.T, w *world, _ map[string]any) {
			if _, err := w.operator.UpdatePlan(t.Context(), "medium", client.PlanSpec{Title: "Medium", Quota: client.Quota{RowsPerSecond: new(int64(9))}}); err != nil {
				t.Fatal(err)
			}
		},
		importID: keyed("name"),
		data:     "data \"seamark_plan\" \"it\" {\n  name = seamark_plan.it.name\n}\n",
		gone: func(t *testing.T, w *world, _ map[string]any) error {
			return nothing(w.operator.FindPlan(t.Context(), "medium"))
		},
	}
}

func tenantCase() resourceCase {
	block := func(more string) string {
		return "resource \"seamark_tenant\" \"it\" {\n  slug           = \"globex\"\n  name           = \"Globex\"\n  deletion_grace = \"0s\"\n  shard          = 1\n" + more + "}\n"
	}
	return resourceCase{
		address: "seamark_tenant.it", create: block("  plan           = seamark_plan.it.name\n"),
		update: block("  plan           = seamark_plan.it.name\n  suspended      = true\n"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			if _, err := w.operator.ResumeTenant(t.Context(), text(state, "id")); err != nil {
				t.Fatal(err)
			}
			if _, err := w.operator.SetTenantPlan(t.Context(), text(state, "id"), client.TenantPlan{}); err != nil {
				t.Fatal(err)
			}
		},
		data:    "data \"seamark_tenant\" \"it\" {\n  slug = seamark_tenant.it.slug\n}\n",
		written: []string{"deletion_grace"},
		gone: func(t *testing.T, w *world, state map[string]any) error {
			tenant, err := w.operator.FindTenant(t.Context(), text(state, "id"))
			if err == nil && tenant.State == "deleting" {
				return nil
			}
			return nothing(tenant, err)
		},
	}
}

func tenantQuotaCase() resourceCase {
	block := func(rows string) string {
		return "resource \"seamark_quota\" \"it\" {\n  tenant_id       = seamark_tenant.it.id\n  rows_per_second = " + rows + "\n}\n"
	}
	return resourceCase{
		address: "seamark_quota.it", create: block("5000"), update: block("6000"), action: "update",
		drift: func(t *testing.T, w *world, state map[string]any) {
			if _, err := w.operator.SetTenantQuota(t.Context(), text(state, "tenant_id"), client.Quota{DailyBytes: new(int64(1 << 30))}); err != nil {
				t.Fatal(err)
			}
		},
		importID: func(state map[string]any) string { return "tenant/" + text(state, "tenant_id") },
		data:     "data \"seamark_quota\" \"it\" {\n  tenant_id = seamark_quota.it.tenant_id\n}\n",
		gone: func(t *testing.T, w *world, state map[string]any) error {
			now, err := w.operator.FindTenantQuotas(t.Context(), text(state, "tenant_id"))
			if client.IsNotFound(err) || client.IsConflict(err) {
				return nil // it went with the tenant
			}
			if err == nil && now.Set.RowsPerSecond != nil && *now.Set.RowsPerSecond != 0 {
				return errors.New("a quota is set")
			}
			return err
		},
	}
}
