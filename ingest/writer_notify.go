package ingest

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// AnnounceSeries returns the store with a word to the others: stored is called after each block of series rows that it
// has taken, from several goroutines, and must not wait. A block whose insert ended in doubt is announced too, because it
// may be there; the announcement of one that is not costs a look.
func AnnounceSeries(b Blocks, stored func(tenant seamark.TenantID)) Blocks {
	return announcer{Blocks: b, stored: stored}
}

type announcer struct {
	Blocks
	stored func(seamark.TenantID)
}

// Insert implements Blocks.
func (a announcer) Insert(ctx context.Context, tenant seamark.TenantID, b *store.Block) error {
	err := a.Blocks.Insert(ctx, tenant, b)
	if b.Table == store.TableSeries {
		a.stored(tenant)
	}
	return err
}
