package seriesindex

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// fingerprintBytes is what the store reads of a series beside its labels.
const fingerprintBytes = 8

// answeredSeries tells of series that were found in memory.
func (x *Index) answeredSeries(ctx context.Context, n int, labels func(i int) []seamark.Label) {
	if x.opts.Answered == nil || n == 0 {
		return
	}
	bytes := n * fingerprintBytes
	for i := range n {
		for _, l := range labels(i) {
			bytes += len(l.Name) + len(l.Value)
		}
	}
	x.opts.Answered(ctx, uint64(bytes))
}

func (x *Index) answeredStreams(ctx context.Context, list []store.LogStream) []store.LogStream {
	x.answeredSeries(ctx, len(list), func(i int) []seamark.Label { return list[i].Labels })
	return list
}

// answeredTexts tells of names or values that were found in memory, and returns them.
func (x *Index) answeredTexts(ctx context.Context, list []string) []string {
	if x.opts.Answered == nil || len(list) == 0 {
		return list
	}
	bytes := 0
	for _, text := range list {
		bytes += len(text)
	}
	x.opts.Answered(ctx, uint64(bytes))
	return list
}
