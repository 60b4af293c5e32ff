package ingest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/bus"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// batchOf makes a batch of one message per tenant, with lines and, if so, their counts.
func batchOf(tenants int, counted bool) *shardBatch {
	b := &shardBatch{}
	for i := range tenants {
		segments := []store.Segment{{Table: store.TableLogs, Rows: 10, Payload: []byte("lines")}}
		if counted {
			segments = append(segments, store.Segment{Table: store.TablePatterns, Rows: 2, Payload: []byte("counts")})
		}
		id := seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5F" + string([]byte{'A' + byte(i/10), '0' + byte(i%10)}))
		frame := store.AppendFrame(nil, &store.Frame{Tenant: id, Cluster: "01ARZ3NDEKTSV4RRFFQ69G5FAW", Signal: seamark.Logs, Segments: segments})
		b.add(bus.Received{Sequence: uint64(i + 1), Data: frame}, time.Time{})
	}
	return b
}

// TestPortion wants counts to wait where they are many inserts among many, and behind others that wait.
func TestPortion(t *testing.T) {
	for name, c := range map[string]struct {
		tenants int
		counted bool
		age     time.Duration
		waiting bool
		want    portion
	}{
		"one tenant":              {1, true, time.Minute, false, wholeBatch},
		"six tenants":             {6, true, time.Minute, false, wholeBatch},
		"seven tenants":           {7, true, time.Minute, false, rowsAlone},
		"seven, and none may":     {7, true, 0, false, wholeBatch},
		"many without counts":     {50, false, time.Minute, false, wholeBatch},
		"one behind others":       {1, true, time.Minute, true, rowsAlone},
		"no counts behind others": {1, false, time.Minute, true, rowsAlone},
	} {
		t.Run(name, func(t *testing.T) {
			w := &shardWriter{Writer: &Writer{opts: WriterOptions{MaxBatchAge: 500 * time.Millisecond, MaxCountsAge: c.age}}, pace: newPacer(100)}
			if c.waiting {
				w.late.add(batchOf(1, true))
			}
			b := batchOf(c.tenants, c.counted)
			require.Equal(t, c.want, w.portion(b))
			for _, p := range b.plan(&Intent{Portion: c.want}, 0) {
				require.False(t, c.want == rowsAlone && p.block.Table == store.TablePatterns)
			}
			require.Equal(t, countsAlone, w.portion(&shardBatch{late: true}))
		})
	}
}

// TestLateCountsOwnTheirBytes wants counts that wait not to hold the messages that they came in.
func TestLateCountsOwnTheirBytes(t *testing.T) {
	b, late := batchOf(2, true), lateCounts{}
	late.add(b)
	late.add(&shardBatch{from: 3, to: 3, last: 7, sums: make([]byte, 8), bytes: 100, blocks: map[blockKey]*planned{}})
	require.Equal(t, []uint64{1, 3, 7}, []uint64{late.batch.from, late.batch.to, late.batch.last})
	require.Equal(t, b.bytes+100, late.held)
	require.Len(t, late.batch.sums, 24)
	require.Len(t, late.batch.blocks, 2)
	for key, p := range late.batch.blocks {
		require.Equal(t, store.TablePatterns, key.table)
		from := b.blocks[key].block.Segments[0].Payload
		from[0] = '!'
		require.Equal(t, "counts", string(p.block.Segments[0].Payload))
	}
	require.Equal(t, 2*(len("counts")+lateSegmentBytes), late.batch.bytes)
}

// TestRestOfABatchThatLeavesCounts wants the writer to rest as long as if the counts had been inserted.
func TestRestOfABatchThatLeavesCounts(t *testing.T) {
	w, b := &shardWriter{Writer: &Writer{}}, batchOf(10, true)
	require.Equal(t, time.Second, w.whole(time.Second, b))
	w.late.add(b)
	require.Equal(t, 2*time.Second, w.whole(time.Second, b))
	only := &shardBatch{blocks: map[blockKey]*planned{{table: store.TablePatterns}: {}}}
	require.Equal(t, time.Second, w.whole(time.Second, only))
}
