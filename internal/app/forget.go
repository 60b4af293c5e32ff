package app

import (
	"context"
	"maps"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/tenant"
)

// forgetInterval is how often the directory is looked at for tenants that were deleted. Without it their labels and samples
// stay in memory until other tenants need the room.
const forgetInterval = time.Second

// forgetDeleted has caches let go of tenants that were deleted, until the process stops.
func (a *App) forgetDeleted(forget ...func(seamark.TenantID)) {
	a.background("deleted tenants", func(ctx context.Context) error {
		tick := time.NewTicker(forgetInterval)
		defer tick.Stop()
		followDeleted(ctx, tick.C, func() map[seamark.TenantID]bool {
			live := map[seamark.TenantID]bool{}
			for id, state := range a.directory.States() {
				live[id] = state != tenant.Deleted
			}
			maps.DeleteFunc(live, func(_ seamark.TenantID, lives bool) bool { return !lives })
			return live
		}, func(id seamark.TenantID) {
			for _, fn := range forget {
				fn(id)
			}
		})
		return nil
	})
}

// followDeleted calls forget, at each tick, for the tenants that lived at the tick before and do not any more.
func followDeleted(ctx context.Context, tick <-chan time.Time, list func() map[seamark.TenantID]bool, forget func(seamark.TenantID)) {
	known := list()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		live := list()
		for id := range known {
			if !live[id] {
				forget(id)
			}
		}
		known = live
	}
}

// followStates calls changed for each tenant whose state is another than a moment ago, until the process stops.
func (a *App) followStates(changed func(seamark.TenantID)) {
	a.background("states of tenants", func(ctx context.Context) error {
		tick := time.NewTicker(forgetInterval)
		defer tick.Stop()
		for before := map[seamark.TenantID]tenant.State{}; ; {
			now := a.directory.States()
			for id, state := range now {
				if before[id] != state {
					changed(id)
				}
			}
			before = now
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
}

// forgetStore lets go of a deleted tenant's connections to the store.
func (a *App) forgetStore(id seamark.TenantID) {
	if t, err := a.directory.Tombstone(id); err == nil {
		a.store.ForgetTenant(t.Number)
	}
}
