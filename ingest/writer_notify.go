package ingest

import (
	"context"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Announce returns the store with a word to the others: stored is called after each block of one of the tables that it
// has taken, from several goroutines, and must not wait. A block whose insert ended in doubt is announced too, because it
// may be there; the announcement of one that is not costs a look.
func Announce(b Blocks, stored func(tenant seamark.TenantID, table store.Table), tables ...store.Table) Blocks {
	return announcer{Blocks: b, stored: stored, tables: tables}
}

type announcer struct {
	Blocks
	stored func(seamark.TenantID, store.Table)
	tables []store.Table
}

// Insert implements Blocks.
func (a announcer) Insert(ctx context.Context, tenant seamark.TenantID, b *store.Block) error {
	err := a.Blocks.Insert(ctx, tenant, b)
	if slices.Contains(a.tables, b.Table) {
		a.stored(tenant, b.Table)
	}
	return err
}
