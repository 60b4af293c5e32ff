package api

import (
	"context"
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Plan is a named set of quotas that many tenants have.
type Plan struct {
	Name    string `json:"name"` // short, in lower case; it never changes
	Title   string `json:"title"`
	Quota   Quota  `json:"quota"`   // 0 is not set: the platform's default holds
	Tenants int    `json:"tenants"` // that have it
}

// PlanSpec is what may be said of a plan.
type PlanSpec struct {
	Title string `json:"title"`
	Quota Quota  `json:"quota"`
}

// Plans is what the plan routes need of the directory.
type Plans interface {
	// ListPlans returns all plans, by name.
	ListPlans(ctx context.Context) []Plan
	// FindPlan returns a plan. The error is of kind NotFound.
	FindPlan(ctx context.Context, name string) (Plan, error)
	// SavePlan makes or replaces a plan, unless accept refuses what it replaces: nil for nothing.
	SavePlan(ctx context.Context, name string, spec PlanSpec, accept func(now *PlanSpec) error) (Plan, error)
	// DeletePlan removes a plan, unless accept refuses what it is; Conflict while a tenant has it.
	DeletePlan(ctx context.Context, name string, accept func(now PlanSpec) error) error
	// SetTenantPlan gives a tenant a plan, or none with "".
	SetTenantPlan(ctx context.Context, tenant seamark.TenantID, plan string) error
}

// PlanRoutes returns the operator's routes for plans.
func PlanRoutes(plans Plans) []httpx.Route {
	h := planHandlers{plans}
	const all, one, read, write = "/api/v1/plans", "/api/v1/plans/:name", "tenants:read", "tenants:write"
	return []httpx.Route{
		{Method: http.MethodGet, Path: all, Permission: read, Handler: h.list},
		{Method: http.MethodGet, Path: one, Permission: read, Handler: h.find},
		{Method: http.MethodPut, Path: one, Permission: write, Action: "plan.update", Handler: h.save},
		{Method: http.MethodDelete, Path: one, Permission: write, Action: "plan.delete", Handler: h.remove},
		{Method: http.MethodPut, Path: "/api/v1/tenants/:id/plan", Permission: write, Action: "tenant.plan", Handler: h.setTenant},
	}
}

type planHandlers struct{ plans Plans }

func (h planHandlers) list(w http.ResponseWriter, r *httpx.Request) error {
	list, err := httpx.Paginate(r, h.plans.ListPlans(r.Context()), func(p *Plan) string { return p.Name })
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, list)
}

func (h planHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	p, err := h.plans.FindPlan(r.Context(), r.Param("name"))
	if err != nil {
		return err
	}
	tag, err := httpx.ContentTag(PlanSpec{p.Title, p.Quota})
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, tag, p)
}

func (h planHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	var spec PlanSpec
	if err := httpx.ReadJSON(r, &spec); err != nil {
		return err
	}
	r.Change.After = spec
	condition := r.Precondition()
	p, err := h.plans.SavePlan(r.Context(), r.Param("name"), spec, func(now *PlanSpec) error {
		if now == nil {
			return condition.Check(w, "")
		}
		r.Change.Before = *now
		tag, err := httpx.ContentTag(*now)
		if err != nil {
			return err
		}
		return condition.Check(w, tag)
	})
	if err != nil {
		return err
	}
	tag, err := httpx.ContentTag(spec)
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, tag, p)
}

func (h planHandlers) remove(w http.ResponseWriter, r *httpx.Request) error {
	if err := h.plans.DeletePlan(r.Context(), r.Param("name"), checkChange[PlanSpec](w, r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tenantPlan is the plan of one tenant; "" for none.
type tenantPlan struct {
	Plan string `json:"plan"`
}

func (h planHandlers) setTenant(w http.ResponseWriter, r *httpx.Request) error {
	tenant, err := tenantParam(r)
	if err != nil {
		return err
	}
	var in tenantPlan
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Tenant, r.Change.After = tenant, in
	if err := h.plans.SetTenantPlan(r.Context(), tenant, in.Plan); err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, in)
}
