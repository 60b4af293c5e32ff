package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much is allocated between two collections of garbage. With Go's own rule, as much as is live, a process with little in memory
// collects several times a second while it is busy, and each collection takes processors from whoever waits.
const (
	Headroom = 128 << 20
	// ReaderHeadroom is that of a process that only answers queries, whose results are large and short-lived.
	ReaderHeadroom = 384 << 20
)

const (
	// leastGCPercent is Go's own rule, for a heap that is larger than the headroom.
	leastGCPercent = 100
	mostGCPercent  = 1000
	heapInterval   = time.Second
	liveHeap       = "/gc/heap/live:bytes"
)

// keepHeadroom keeps the distance between two collections until ctx ends.
func (a *App) keepHeadroom(ctx context.Context) error {
	tick := time.NewTicker(heapInterval)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: liveHeap}}
	for set := 0; ; {
		metrics.Read(sample)
		if want := gcPercent(uint64(a.opts.Headroom), sample[0].Value.Uint64()); want < set*9/10 || want > set*11/10 {
			debug.SetGCPercent(want)
			set = want
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// gcPercent returns the growth at which garbage is collected, in percent of the live heap, that leaves the headroom.
func gcPercent(headroom, live uint64) int {
	percent := headroom * 100 / max(live, 1)
	return int(min(max(percent, leastGCPercent), mostGCPercent))
}
