package logexplore_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logexplore"
)

// TestShards cuts three streams of 600 bytes, whose fingerprints are 1 to 3.
func TestShards(t *testing.T) {
	x := explorer(t, shop(), nil)
	one := logexplore.Stats{Streams: 1, Entries: 60, Bytes: 600}
	two := logexplore.Stats{Streams: 2, Entries: 120, Bytes: 1200}
	all := logexplore.Stats{Streams: 3, Entries: 180, Bytes: 1800}
	for _, c := range []struct {
		selector string
		bytes    uint64
		want     []logexplore.Shard
	}{
		{"", 1, []logexplore.Shard{{Last: 1, Stats: one}, {First: 2, Last: 2, Stats: one}, {First: 3, Last: math.MaxUint64, Stats: one}}},
		{"", 899, []logexplore.Shard{{Last: 1, Stats: one}, {First: 2, Last: 2, Stats: one}, {First: 3, Last: math.MaxUint64, Stats: one}}},
		{"", 901, []logexplore.Shard{{Last: 2, Stats: two}, {First: 3, Last: math.MaxUint64, Stats: one}}},
		{"", 1 << 40, []logexplore.Shard{{Last: math.MaxUint64, Stats: all}}},
		{`{pod="p"}`, 1, []logexplore.Shard{{Last: math.MaxUint64, Stats: one}}},
		{`{app="none"}`, 1, []logexplore.Shard{{Last: math.MaxUint64}}},
	} {
		got, err := x.Shards(t.Context(), tenant, c.selector, span(60), c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q by %d bytes (-want +got):\n%s", c.selector, c.bytes, diff)
		}
	}
	if _, err := x.Shards(t.Context(), tenant, "", span(60), 0); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("shards of no bytes: got %v, want invalid", err)
	}
}
