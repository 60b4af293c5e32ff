package api

import (
	"context"
	"net/http"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Budgets is what the budget routes need of the directory.
type Budgets interface {
	// Budgets returns what a tenant means to send in a month.
	Budgets(tenant seamark.TenantID) []seamark.Budget
	// SetBudgets replaces them, unless accept refuses what it replaces. The error is of kind NotFound or Invalid.
	SetBudgets(ctx context.Context, tenant seamark.TenantID, list []seamark.Budget, accept ...func(now []seamark.Budget) error) error
}

// budgetList is a tenant's budgets.
type budgetList struct {
	Budgets []seamark.Budget `json:"budgets"`
}

// BudgetRoutes returns the routes for a tenant's budgets.
func BudgetRoutes(budgets Budgets) []httpx.Route {
	h := budgetHandlers{budgets}
	const path = "/api/v1/usage/budgets"
	return []httpx.Route{
		{Method: http.MethodGet, Path: path, Permission: "tenant:read", Handler: h.find},
		{Method: http.MethodPut, Path: path, Permission: "tenant:write", Action: "budget.update", Handler: h.save},
	}
}

type budgetHandlers struct{ budgets Budgets }

func (h budgetHandlers) find(w http.ResponseWriter, r *httpx.Request) error {
	return writeBudgets(w, r, h.budgets.Budgets(r.Tenant()))
}

func writeBudgets(w http.ResponseWriter, r *httpx.Request, budgets []seamark.Budget) error {
	list := budgetList{orEmpty(budgets)}
	tag, err := httpx.ContentTag(list)
	if err != nil {
		return err
	}
	return httpx.WriteDocument(w, r, tag, list)
}

func (h budgetHandlers) save(w http.ResponseWriter, r *httpx.Request) error {
	var in budgetList
	if err := httpx.ReadJSON(r, &in); err != nil {
		return err
	}
	r.Change.Object, r.Change.After = "budget/month", in
	condition := r.Precondition()
	err := h.budgets.SetBudgets(r.Context(), r.Tenant(), in.Budgets, func(now []seamark.Budget) error {
		list := budgetList{orEmpty(now)}
		r.Change.Before = list
		tag, err := httpx.ContentTag(list)
		if err != nil {
			return err
		}
		return condition.Check(w, tag)
	})
	if err != nil {
		return err
	}
	return writeBudgets(w, r, in.Budgets)
}
