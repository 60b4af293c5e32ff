package tenant_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
	"github.com/seamarkhq/seamark/tenant"
)

// TestPlanReachesEveryNode gives a tenant a plan on one node, changes the plan on another, and the first has it soon. What was set for
// the tenant goes before the plan.
func TestPlanReachesEveryNode(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	acme := newTenant(t, here, "acme")
	save := func(d *tenant.Directory, q tenant.Quota) tenant.Plan {
		t.Helper()
		p, err := d.SavePlan(t.Context(), tenant.Plan{Name: "small", Title: "Small", Quota: q})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := save(here, tenant.Quota{RowsPerSecond: 100, DailyBytes: 1000})
	setQuota(t, here, acme.ID, tenant.Quota{DailyBytes: 5})
	if err := here.SetTenantPlan(t.Context(), acme.ID, "small"); err != nil {
		t.Fatal(err)
	}
	holds := func(d *tenant.Directory, plan string, want tenant.Quota) {
		t.Helper()
		eventually(t, func() error {
			a := d.Allowance(acme.ID, "")
			if a.Plan != plan || a.PlanUnavailable || a.Tenant() != want {
				return fmt.Errorf("got %+v, want plan %q and %+v", a, plan, want)
			}
			return nil
		})
	}
	for _, d := range []*tenant.Directory{here, there} {
		holds(d, "small", tenant.Quota{RowsPerSecond: 100, DailyBytes: 5})
	}
	if second := save(there, tenant.Quota{RowsPerSecond: 200, ActiveSeries: 7}); second.Revision <= first.Revision {
		t.Errorf("the revision went from %d to %d", first.Revision, second.Revision)
	}
	holds(here, "small", tenant.Quota{RowsPerSecond: 200, DailyBytes: 5, ActiveSeries: 7})
	setQuota(t, there, acme.ID, tenant.Quota{}) // keeps the plan
	holds(here, "small", tenant.Quota{RowsPerSecond: 200, ActiveSeries: 7})
	wantError(t, here.DeletePlan(t.Context(), "small"), seamark.Conflict, "seamark-plan-used")
	if err := there.SetTenantPlan(t.Context(), acme.ID, ""); err != nil {
		t.Fatal(err)
	}
	holds(here, "", tenant.Quota{})
	if err := here.DeletePlan(t.Context(), "small"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if list := there.ListPlans(t.Context()); len(list) > 0 {
			return fmt.Errorf("still there: %+v", list)
		}
		return nil
	})
}

func TestPlanIsChecked(t *testing.T) {
	d := openDirectory(t, jetStream(t, testkit.NATS(t)))
	acme := newTenant(t, d, "acme")
	for name, p := range map[string]tenant.Plan{
		"no name":     {Title: "x"},
		"bad name":    {Name: "Small Plan", Title: "x"},
		"no title":    {Name: "small"},
		"bad quota":   {Name: "small", Title: "x", Quota: tenant.Quota{RowsPerSecond: -1}},
		"small burst": {Name: "small", Title: "x", Quota: tenant.Quota{RowsPerSecond: 10, RowsBurst: 9}},
	} {
		if _, err := d.SavePlan(t.Context(), p); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
	}
	wantError(t, d.SetTenantPlan(t.Context(), acme.ID, "none"), seamark.Invalid, "seamark-plan-unknown")
	wantError(t, d.SetTenantPlan(t.Context(), "01ARZ3NDEKTSV4RRFFQ69G5FAV", ""), seamark.NotFound, "seamark-tenant-unknown")
	wantError(t, d.DeletePlan(t.Context(), "none"), seamark.NotFound, "seamark-plan-unknown")
	_, err := d.FindPlan(t.Context(), "none")
	wantError(t, err, seamark.NotFound, "seamark-plan-unknown")
	refusal := seamark.Errorf(seamark.Conflict, "seamark-document-changed", "No.")
	_, err = d.SavePlan(t.Context(), tenant.Plan{Name: "small", Title: "Small"}, func(now tenant.Plan) error {
		if now != (tenant.Plan{}) {
			t.Errorf("asked about %+v, want the zero plan", now)
		}
		return refusal
	})
	wantError(t, err, seamark.Conflict, "seamark-document-changed")
}

// TestQuotaFieldsAreAll sets each field alone: every one is checked, and fills from a plan.
func TestQuotaFieldsAreAll(t *testing.T) {
	d := openDirectory(t, jetStream(t, testkit.NATS(t)))
	acme := newTenant(t, d, "acme")
	for _, f := range seamark.QuotaFields() {
		var q tenant.Quota
		*f.Of(&q) = f.Most + 1
		wantError(t, d.SetTenantQuota(t.Context(), acme.ID, q), seamark.Invalid, "seamark-quota-invalid")
		*f.Of(&q) = 1
		if got := (tenant.Quota{}).Fill(q); got != q {
			t.Errorf("%s: filled %+v, want %+v", f.Name, got, q)
		}
	}
}

func TestBudgets(t *testing.T) {
	n := testkit.NATS(t)
	here, there := openDirectory(t, jetStream(t, n)), openDirectory(t, jetStream(t, n))
	acme, gone := newTenant(t, here, "acme"), newTenant(t, here, "gone")
	want := []seamark.Budget{{Rows: 1000}, {Signal: "logs", Rows: 500, Bytes: 7}}
	for _, id := range []seamark.TenantID{acme.ID, gone.ID} {
		if err := here.SetBudgets(t.Context(), id, want); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		if got := there.Budgets(acme.ID); fmt.Sprint(got) != fmt.Sprint(want) || len(there.ListBudgets()) != 2 {
			return fmt.Errorf("got %v and %v", got, there.ListBudgets())
		}
		return nil
	})
	for name, list := range map[string][]seamark.Budget{
		"signal": {{Signal: "smoke", Rows: 1}}, "twice": {{Rows: 1}, {Bytes: 1}}, "negative": {{Rows: -1}}, "nothing": {{Signal: "logs"}}, "huge": {{Rows: 1 << 60}},
	} {
		if err := here.SetBudgets(t.Context(), acme.ID, list); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s: got %v, want an error of kind invalid", name, err)
		}
	}
	if err := here.DeleteTenant(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	if err := here.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if got := there.Budgets(gone.ID); got != nil || there.Budgets(acme.ID) == nil {
			return fmt.Errorf("got %v of the deleted tenant", got)
		}
		return nil
	})
}

// TestDeletionsAskFirst: whoever deletes sees what it deletes, and nothing happens where it refuses.
func TestDeletionsAskFirst(t *testing.T) {
	d := openDirectory(t, testkit.JetStream(t))
	acme := newTenant(t, d, "acme")
	boss := actor(acme.ID, seamark.RoleOwner)
	if _, err := d.SavePlan(t.Context(), tenant.Plan{Name: "small", Title: "Small"}); err != nil {
		t.Fatal(err)
	}
	role, err := d.CreateRole(t.Context(), boss, tenant.RoleSpec{Name: "reader", Permissions: []string{"data:read"}})
	if err != nil {
		t.Fatal(err)
	}
	token, _ := newToken(t, d, acme.ID, tenant.TokenSpec{Kind: seamark.QueryToken, Name: "grafana"})
	key, _ := newKey(t, d, boss, tenant.KeySpec{Role: seamark.RoleViewer, Name: "ci"})
	refusal := seamark.Errorf(seamark.Conflict, "seamark-document-changed", "No.")
	seen := map[string]string{}
	for name, err := range map[string]error{
		"plan":  d.DeletePlan(t.Context(), "small", func(now tenant.Plan) error { seen["plan"] = now.Title; return refusal }),
		"role":  d.DeleteRole(t.Context(), boss, role.Name, func(now tenant.Role) error { seen["role"] = now.Permissions[0]; return refusal }),
		"token": d.RevokeToken(t.Context(), acme.ID, token.KeyID, func(now tenant.Token) error { seen["token"] = now.Name; return refusal }),
		"key":   d.RevokeKey(t.Context(), boss, key.KeyID, func(now tenant.Key) error { seen["key"] = now.Name; return refusal }),
	} {
		if refused(err, "seamark-document-changed") != nil {
			t.Errorf("%s: got %v, want the refusal", name, err)
		}
	}
	if want := map[string]string{"plan": "Small", "role": "data:read", "token": "grafana", "key": "ci"}; !maps.Equal(seen, want) {
		t.Errorf("the checks saw %v, want %v", seen, want)
	}
	_, noPlan := d.FindPlan(t.Context(), "small")
	_, noRole := d.FindRole(t.Context(), acme.ID, role.Name)
	nowToken, _ := d.FindToken(t.Context(), acme.ID, token.KeyID)
	nowKey, _ := d.FindKey(t.Context(), boss, key.KeyID)
	if err := errors.Join(noPlan, noRole); err != nil || !nowToken.Revoked.IsZero() || !nowKey.Revoked.IsZero() {
		t.Errorf("something ended in spite of the refusal: %v, token %v, key %v", err, nowToken.Revoked, nowKey.Revoked)
	}
}
