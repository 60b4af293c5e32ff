package listen

import (
	"runtime"
	"testing"
	"time"
)

// TestDroppedMemoryIsCollected: what is dropped does not pile up beyond a quarter of the bound, and what is kept costs no
// collection.
func TestDroppedMemoryIsCollected(t *testing.T) {
	const most, piece = 1 << 20, 64 << 10
	collections := func(give func(m *memory)) uint32 {
		m := newMemory(most, time.Second)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range most / piece {
			if err := m.claim(t.Context(), piece); err != nil {
				t.Fatal(err)
			}
			give(m)
		}
		runtime.ReadMemStats(&after)
		return after.NumForcedGC - before.NumForcedGC
	}
	if got := collections(func(m *memory) { m.drop(piece) }); got != 4 {
		t.Errorf("dropping all memory once collected %d times, want 4", got)
	}
	if got := collections(func(m *memory) { m.release(piece) }); got != 0 {
		t.Errorf("giving back memory that is kept collected %d times, want 0", got)
	}
}
