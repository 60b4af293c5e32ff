package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// forgetInterval is how often the directory is looked at for tenants that were deleted. Without it their labels and samples
// stay in memory until other tenants need the room.
const forgetInterval = 10 * time.Second

// forgetDeleted has caches let go of tenants that were deleted, until the process stops.
func (a *App) forgetDeleted(forget ...func(seamark.TenantID)) {
	a.background("deleted tenants", func(ctx context.Context) error {
		tick := time.NewTicker(forgetInterval)
		defer tick.Stop()
		followDeleted(ctx, tick.C, func() map[seamark.TenantID]bool {
			live := map[seamark.TenantID]bool{}
			for _, t := range a.directory.ListTenants(ctx) {
				live[t.ID] = true
			}
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
