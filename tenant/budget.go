package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// budgetDoc is stored under `<tenant>`.
type budgetDoc struct {
	Version int              `json:"v"`
	Tenant  seamark.TenantID `json:"tenant"`
	Budgets []seamark.Budget `json:"budgets"`
}

// maxBudgetAmount is above what anybody sends, and below what a float64 counts exactly.
const maxBudgetAmount = 1 << 53

func (b *budgetDoc) validate(key string) error {
	if _, err := seamark.ParseTenantID(string(b.Tenant)); err != nil {
		return err
	}
	if string(b.Tenant) != key {
		return fmt.Errorf("budgets of %.40q stand under the key of another", b.Tenant)
	}
	return checkBudgets(b.Budgets)
}

func checkBudgets(list []seamark.Budget) error {
	var faults []error
	seen := map[string]bool{}
	for _, b := range list {
		if b.Signal != "" {
			if _, err := seamark.ParseSignal(b.Signal); err != nil {
				faults = append(faults, fmt.Errorf("the signal %.40q is none; use logs, metrics, events, traces, or nothing for all together", b.Signal))
			}
		}
		if seen[b.Signal] {
			faults = append(faults, fmt.Errorf("the signal %.40q has two budgets; give it one", b.Signal))
		}
		seen[b.Signal] = true
		if b.Rows < 0 || b.Bytes < 0 || b.Rows > maxBudgetAmount || b.Bytes > maxBudgetAmount {
			faults = append(faults, fmt.Errorf("a budget has %d rows and %d bytes; each must be 0 (none) to %d", b.Rows, b.Bytes, int64(maxBudgetAmount)))
		}
		if b.Rows == 0 && b.Bytes == 0 {
			faults = append(faults, errors.New("a budget has neither rows nor bytes; leave it out"))
		}
	}
	return errors.Join(faults...)
}

// Budgets returns what a tenant means to send in a month; nothing when it has set nothing. It answers from memory.
func (d *Directory) Budgets(tenant seamark.TenantID) []seamark.Budget {
	b, _ := d.budgets.find(string(tenant))
	if b == nil {
		return nil
	}
	return b.Budgets
}

// ListBudgets returns the budgets of all active tenants that have some.
func (d *Directory) ListBudgets() map[seamark.TenantID][]seamark.Budget {
	list := map[seamark.TenantID][]seamark.Budget{}
	for _, b := range d.budgets.all() {
		if t, _ := d.tenants.find(string(b.Tenant)); t != nil && t.State == Active && len(b.Budgets) > 0 {
			list[b.Tenant] = b.Budgets
		}
	}
	return list
}

// SetBudgets replaces a tenant's budgets. Each of accept is asked about what it replaces and may refuse. The error is of kind NotFound
// for a tenant that is gone, Invalid for budgets that are none.
func (d *Directory) SetBudgets(ctx context.Context, tenant seamark.TenantID, list []seamark.Budget, accept ...func(now []seamark.Budget) error) error {
	if _, err := d.FindTenant(ctx, tenant); err != nil {
		return err
	}
	if err := checkBudgets(list); err != nil {
		return invalid(err, "seamark-budget-invalid")
	}
	change := func(b *budgetDoc) error {
		for _, ask := range accept {
			if err := ask(b.Budgets); err != nil {
				return err
			}
		}
		*b = budgetDoc{Version: docVersion, Tenant: tenant, Budgets: list}
		return nil
	}
	_, err := d.budgets.mutate(ctx, string(tenant), change)
	if errors.Is(err, errAbsent) {
		first := new(budgetDoc)
		if err := change(first); err != nil {
			return err
		}
		err = d.budgets.create(ctx, string(tenant), first)
	}
	if errors.Is(err, errTaken) {
		_, err = d.budgets.mutate(ctx, string(tenant), change)
	}
	if err != nil {
		return fmt.Errorf("save budgets: %w", err)
	}
	return nil
}

// sweepBudgets removes the budgets of tenants that are gone.
func (d *Directory) sweepBudgets(ctx context.Context) error {
	for _, b := range d.budgets.all() {
		if t, _ := d.tenants.find(string(b.Tenant)); t != nil && t.State != Deleted {
			continue
		}
		if err := d.budgets.remove(ctx, string(b.Tenant)); err != nil {
			return fmt.Errorf("remove old budgets: %w", err)
		}
	}
	return nil
}
