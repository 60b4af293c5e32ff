package ingest

import (
	"testing"
	"time"
)

// TestCrowdedBatches wants a batch to be crowded when as many inserts of each shard of a signal take more than the budget.
func TestCrowdedBatches(t *testing.T) {
	w := &shardWriter{Writer: &Writer{opts: WriterOptions{MaxBatchAge: 500 * time.Millisecond}}, pace: newPacer(100)}
	for blocks, want := range map[int]bool{1: false, 12: false, 13: true, 400: true} {
		if got := w.crowded(blocks); got != want {
			t.Errorf("%d blocks are crowded: %v", blocks, got)
		}
	}
}
