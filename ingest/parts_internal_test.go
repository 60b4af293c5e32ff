package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
)

// TestPartsOfNamesTheSameRows checks that a message's name means the same rows whether or not the request tells series.
func TestPartsOfNamesTheSameRows(t *testing.T) {
	segment := func(table store.Table, size int) store.Segment {
		return store.Segment{Table: table, Rows: uint32(size), Payload: make([]byte, size)}
	}
	rows := []store.Segment{segment(store.TableLogs, 3<<20), segment(store.TableLogs, 2<<20), segment(store.TableLogs, 1<<20), segment(store.TableLogs, 3<<20)}
	named := func(series ...store.Segment) map[int][]store.Segment {
		got := map[int][]store.Segment{}
		size := 0
		for _, p := range partsOf(append(series, rows...)) {
			size = 0
			for _, s := range p.segments {
				size += len(s.Payload)
				if s.Table != store.TableSeries {
					require.GreaterOrEqual(t, p.number, 0)
					got[p.number] = append(got[p.number], s)
				}
			}
			require.LessOrEqual(t, size, 2*maxFrameBytes)
		}
		return got
	}
	want := named()
	require.Len(t, want, 3)
	require.Equal(t, want, named(segment(store.TableSeries, 100)))
	require.Equal(t, want, named(segment(store.TableSeries, 3<<20)))
	require.Equal(t, want, named(segment(store.TableSeries, 3<<20), segment(store.TableSeries, 3<<20)))
	require.Empty(t, partsOf(nil))
	require.Len(t, partsOf([]store.Segment{segment(store.TableSeries, 1)}), 1)
}
