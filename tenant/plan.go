package tenant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Plan is a named set of quotas that many tenants have. What is set for a tenant itself goes before it.
type Plan struct {
	Name     string // short, in lower case; it never changes
	Title    string // for people
	Quota    Quota
	Revision uint64 // of the document
}

// planDoc is stored under the plan's name.
type planDoc struct {
	Version int    `json:"v"`
	Name    string `json:"name"`
	Title   string `json:"title"`
	Quota   Quota  `json:"quota"`
}

func (p *planDoc) validate(key string) error {
	if p.Name != key {
		return fmt.Errorf("plan %.40q stands under the key of another", p.Name)
	}
	return p.check()
}

func (p *planDoc) check() error {
	if err := checkSlug("plan's name", p.Name); err != nil {
		return err
	}
	if err := checkName("plan", p.Title); err != nil {
		return err
	}
	return checkQuota(&p.Quota)
}

// ListPlans returns all plans, by name.
func (d *Directory) ListPlans(context.Context) []Plan {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := make([]Plan, 0, len(d.plans.rows))
	for _, r := range d.plans.rows {
		list = append(list, planOf(r))
	}
	slices.SortFunc(list, func(a, b Plan) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func planOf(r row[planDoc]) Plan {
	return Plan{Name: r.doc.Name, Title: r.doc.Title, Quota: r.doc.Quota, Revision: r.revision}
}

// FindPlan returns the plan with that name. The error is of kind NotFound.
func (d *Directory) FindPlan(_ context.Context, name string) (Plan, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r := d.plans.rows[name]
	if r.doc == nil {
		return Plan{}, planUnknown(name)
	}
	return planOf(r), nil
}

func planUnknown(name string) error {
	return seamark.Errorf(seamark.NotFound, "seamark-plan-unknown", "There is no plan %.64q.", name)
}

// SavePlan makes a plan, or replaces the title and the quotas of one that is there; every tenant that has it follows on every node
// within a second. Each of accept is asked about what it replaces, the zero Plan for nothing, and may refuse. The error is of
// kind Invalid for a value out of bounds.
func (d *Directory) SavePlan(ctx context.Context, p Plan, accept ...func(now Plan) error) (Plan, error) {
	doc := &planDoc{Version: docVersion, Name: p.Name, Title: p.Title, Quota: p.Quota}
	if err := doc.check(); err != nil {
		return Plan{}, invalid(err, "seamark-plan-invalid")
	}
	change := func(now *planDoc) error {
		var have Plan
		if now.Name != "" {
			have = Plan{Name: now.Name, Title: now.Title, Quota: now.Quota}
		}
		if err := checkEach(have, accept); err != nil {
			return err
		}
		*now = *doc
		return nil
	}
	_, err := d.plans.mutate(ctx, p.Name, change)
	if errors.Is(err, errAbsent) {
		first := new(planDoc)
		if err := change(first); err != nil {
			return Plan{}, err
		}
		err = d.plans.create(ctx, p.Name, first)
	}
	if errors.Is(err, errTaken) {
		_, err = d.plans.mutate(ctx, p.Name, change)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("save plan: %w", err)
	}
	return d.FindPlan(ctx, p.Name)
}

// DeletePlan removes a plan that no tenant has. accept is as of SavePlan. The error is of kind NotFound, or Conflict while a tenant
// has it.
func (d *Directory) DeletePlan(ctx context.Context, name string, accept ...func(now Plan) error) error {
	if _, err := d.FindPlan(ctx, name); err != nil {
		return err
	}
	err := d.plans.removeChecked(ctx, name, func(now *planDoc) error {
		if err := checkEach(Plan{Name: now.Name, Title: now.Title, Quota: now.Quota}, accept); err != nil {
			return err
		}
		if users := d.PlanTenants(name); users > 0 {
			return seamark.Errorf(seamark.Conflict, "seamark-plan-used", "%d tenants have the plan %s. Give them another one first.", users, name)
		}
		return nil
	})
	if errors.Is(err, errAbsent) {
		return planUnknown(name)
	}
	if err != nil {
		return fmt.Errorf("delete plan: %w", err)
	}
	return nil
}

// PlanTenants counts the tenants that have a plan.
func (d *Directory) PlanTenants(name string) int {
	users := 0
	for _, q := range d.quotas.all() {
		if t, _ := d.tenants.find(string(q.Tenant)); q.Plan == name && t != nil && t.State != Deleted {
			users++
		}
	}
	return users
}

// SetTenantPlan gives a tenant a plan, or none with "". What was set for the tenant itself stays. The error is of kind NotFound for a
// tenant that is gone, Invalid for a plan that is not there.
func (d *Directory) SetTenantPlan(ctx context.Context, tenant seamark.TenantID, name string) error {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return err
	}
	if name != "" {
		if _, err := d.FindPlan(ctx, name); err != nil {
			return seamark.Errorf(seamark.Invalid, "seamark-plan-unknown", "There is no plan %.64q.", name)
		}
	}
	return d.changeQuota(ctx, quotaKey(tenant, ""), func(q *quotaDoc) error {
		q.Version, q.Tenant, q.Plan = docVersion, tenant, name
		return nil
	})
}

// Allowance is what a tenant and one of its clusters may send, the platform's defaults left out.
type Allowance struct {
	Plan            string // name, "" for none
	OfPlan          Quota
	OfTenant        Quota // what was set for the tenant itself
	OfCluster       Quota
	PlanUnavailable bool // the tenant's plan is not there, so that its defaults hold
}

// Tenant returns what holds for the tenant: what was set for it, and else its plan's.
func (a *Allowance) Tenant() Quota { return a.OfTenant.Fill(a.OfPlan) }

// LimitChanges counts what this node has seen of changes of quotas and plans, of all tenants. Whoever keeps what Allowance
// answered asks again when the count is another than before that answer.
func (d *Directory) LimitChanges() uint64 { return d.limitChanges.Load() }

// Allowance answers from memory and says nothing about whether the tenant or the cluster exist. cluster may be empty.
func (d *Directory) Allowance(tenant seamark.TenantID, cluster seamark.ClusterID) Allowance {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var a Allowance
	if q := d.quotas.findLocked(quotaKey(tenant, "")); q != nil {
		a.OfTenant, a.Plan = q.Quota, q.Plan
	}
	if a.Plan != "" {
		p := d.plans.findLocked(a.Plan)
		if a.PlanUnavailable = p == nil; p != nil {
			a.OfPlan = p.Quota
		}
	}
	if cluster != "" {
		if q := d.quotas.findLocked(quotaKey(tenant, cluster)); q != nil {
			a.OfCluster = q.Quota
		}
	}
	return a
}
