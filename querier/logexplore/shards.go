package logexplore

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Shard is the streams whose fingerprints are First to Last, both included, as far as they have lines in a range.
type Shard struct {
	First, Last uint64
	Stats
}

// Shards cuts the streams of a selector, in the order of their fingerprints, into shards of about so many bytes; a larger stream
// is one by itself. They cover every fingerprint, so that there is at least one.
func (e *Explorer) Shards(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange, shardBytes uint64) ([]Shard, error) {
	if shardBytes == 0 {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-logql-shard", "A shard must have at least one byte.")
	}
	var sizes []store.LogCount
	if err := e.sizes(ctx, tenant, selector, r, func(c *store.LogCount) { sizes = append(sizes, *c) }); err != nil {
		return nil, err
	}
	slices.SortFunc(sizes, func(a, b store.LogCount) int { return cmp.Compare(a.FP, b.FP) })
	list := []Shard{{}}
	for i := range sizes {
		last := &list[len(list)-1]
		if last.Streams > 0 && further(last.Bytes, last.Bytes+sizes[i].Bytes, shardBytes) {
			last.Last = sizes[i].FP - 1
			list = append(list, Shard{First: sizes[i].FP})
			last = &list[len(list)-1]
		}
		last.add(&sizes[i])
	}
	list[len(list)-1].Last = math.MaxUint64
	return list, nil
}

// further reports whether more is further from a mark than less is.
func further(less, more, mark uint64) bool {
	return more > mark && (less >= mark || more-mark > mark-less)
}
