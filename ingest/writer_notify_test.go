package ingest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// takenBlocks is a store that takes every block, or answers each insert with err.
type takenBlocks struct {
	ingest.Blocks
	tables []store.Table
	err    error
}

func (b *takenBlocks) Insert(_ context.Context, _ seamark.TenantID, block *store.Block) error {
	b.tables = append(b.tables, block.Table)
	return b.err
}

func TestAnnounce(t *testing.T) {
	const tenant = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	taken, announced := &takenBlocks{}, []int{}
	blocks := ingest.Announce(taken, func(id seamark.TenantID, table store.Table) {
		require.Equal(t, tenant, id)
		require.Equal(t, store.TableSeries, table)
		announced = append(announced, len(taken.tables)) // after the insert, not before
	}, store.TableSeries, store.TableHistograms)
	for _, table := range []store.Table{store.TableSamples, store.TableSeries, store.TableLogs} {
		require.NoError(t, blocks.Insert(t.Context(), tenant, &store.Block{Table: table}))
	}
	require.Equal(t, []int{2}, announced)
	taken.err = errors.New("in doubt")
	require.ErrorIs(t, blocks.Insert(t.Context(), tenant, &store.Block{Table: store.TableSeries}), taken.err)
	require.Equal(t, []int{2, 4}, announced)
	require.Equal(t, []store.Table{store.TableSamples, store.TableSeries, store.TableLogs, store.TableSeries}, taken.tables)
}
