package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestInsertsOfBlocks counts the filters' inserts, which small blocks have none of, and of many that are inserted together only large ones have.
func TestInsertsOfBlocks(t *testing.T) {
	s := &Store{opts: Options{FilterRows: 256}}
	for _, c := range []struct {
		table   Table
		rows    uint64
		crowded bool
		want    int
	}{
		{TableLogs, 255, false, 1},
		{TableLogs, 256, false, 2},
		{TableLogs, 256, true, 1},
		{TableLogs, 64*256 - 1, true, 1},
		{TableLogs, 64 * 256, true, 2},
		{TableEvents, 1 << 20, false, 1},
	} {
		if got := s.Inserts("", c.table, c.rows, c.crowded); got != c.want {
			t.Errorf("%d rows of %s, crowded %v: %d inserts, want %d", c.rows, c.table, c.crowded, got, c.want)
		}
	}
	of := map[seamark.TenantID]int{"off": seamark.NoLogFilters, "seldom": 1000}
	s.opts.FilterRowsOf = func(id seamark.TenantID) int { return of[id] }
	for _, c := range []struct {
		tenant  seamark.TenantID
		rows    uint64
		crowded bool
		want    int
	}{
		{"off", 1 << 30, false, 1},
		{"seldom", 999, false, 1},
		{"seldom", 1000, false, 2},
		{"seldom", 64*1000 - 1, true, 1},
		{"seldom", 64 * 1000, true, 2},
		{"other", 256, false, 2},
	} {
		if got := s.Inserts(c.tenant, TableLogs, c.rows, c.crowded); got != c.want {
			t.Errorf("%d rows of tenant %s, crowded %v: %d inserts, want %d", c.rows, c.tenant, c.crowded, got, c.want)
		}
	}
	none := &Store{}
	if got := none.Inserts("", TableLogs, 1<<20, false); got != 1 {
		t.Errorf("without filters %d inserts", got)
	}
}

// TestNarrowGroupByGroup narrows a scope of three groups: one has a word all the time, one by chance in a few runs, one never.
func TestNarrowGroupByGroup(t *testing.T) {
	const length = 1000
	scope := LogScope{Streams: []LogStream{{FP: 1, Group: "often"}, {FP: 2, Group: "seldom"}, {FP: 3, Group: "never"}}, Start: 100, End: 100 + length}
	var found []LogRange
	for at := scope.End; at >= scope.Start-50; at -= 50 {
		found = append(found, LogRange{"often", at, at + 50})
	}
	for _, at := range []int64{700, 300, 310, 650} {
		found = append(found, LogRange{"seldom", at, at + 10})
	}
	scope.Narrow(found)
	want := []LogRange{{"often", 100, 100 + length}, {"seldom", 300, 320}, {"seldom", 650, 660}, {"seldom", 700, 710}}
	if !scope.Narrowed || !slices.Equal(scope.Ranges, want) {
		t.Errorf("got %v, want %v", scope.Ranges, want)
	}
	scope.Narrow([]LogRange{{"seldom", 0, 400}, {"seldom", 700, 900}})
	if want = []LogRange{{"seldom", 100, 100 + length}}; !slices.Equal(scope.Ranges, want) {
		t.Errorf("half of a group: got %v, want %v", scope.Ranges, want)
	}
}

// TestNarrowBoundsRanges gives more ranges than a statement names: whole groups, which are one list, take no place of the others.
func TestNarrowBoundsRanges(t *testing.T) {
	scope := LogScope{End: 1 << 20}
	var found []LogRange
	for group := range 2 * maxLogRanges {
		found = append(found, LogRange{fmt.Sprintf("%04d", group), 0, 1 << 20})
	}
	for i := range int64(3 * maxLogRanges) {
		found = append(found, LogRange{"many", i * i, i*i + 1})
	}
	scope.Narrow(found)
	few := slices.DeleteFunc(slices.Clone(scope.Ranges), func(r LogRange) bool { return r.Group != "many" })
	if len(few) < maxLogRanges/2 || len(few) > maxLogRanges || len(scope.Ranges) != 2*maxLogRanges+len(few) {
		t.Errorf("%d ranges, of which %d are of the group that is not whole", len(scope.Ranges), len(few))
	}
	for _, r := range found {
		if !slices.ContainsFunc(scope.Ranges, func(k LogRange) bool { return k.Group == r.Group && k.Start <= r.Start && k.End >= r.End }) {
			t.Fatalf("%v is left out", r)
		}
	}
}

// TestOnlyBucket compares grids of one window with the rule for all grids.
func TestOnlyBucket(t *testing.T) {
	for _, g := range []LogGrid{
		{First: 1000, Step: 100, Steps: 1, Window: 100}, {First: 1000, Step: 100, Steps: 1, Window: 700}, {First: 5, Step: 1, Steps: 1, Window: 3},
	} {
		start, end := g.Range()
		for at := start; at < end; at++ {
			if got := g.Bucket(at); !g.single() || got != onlyBucket {
				t.Fatalf("%+v: %d is in bucket %d of %d, single %v", g, at, got, g.Buckets(), g.single())
			}
		}
		if from, to := g.Span(0); from > onlyBucket || to <= onlyBucket {
			t.Errorf("%+v: the window has buckets %d to %d", g, from, to)
		}
	}
	for _, g := range []LogGrid{{First: 1000, Step: 100, Steps: 1, Window: 150}, {First: 1000, Step: 100, Steps: 2, Window: 100}} {
		if g.single() {
			t.Errorf("%+v is no single bucket", g)
		}
	}
}

// TestCellsCoverRanges covers ranges of all lengths with cells, few of them, none twice, before and after 1970.
func TestCellsCoverRanges(t *testing.T) {
	for _, shortest := range []int64{1, leastCell / 3, leastCell, 5 * leastCell, 1 << 45} {
		var ranges []LogRange
		at := -200 * shortest
		for i := range int64(2 * maxLogRanges) {
			ranges = append(ranges, LogRange{fmt.Sprint("group ", i/9), at, at + shortest + i})
			at += shortest + i + shortest/2
		}
		b, width := newLogSQL(), cellWidth(ranges)
		b.cells(ranges, width)
		listed := strings.Split(strings.Trim(b.params["p0"], "[]()"), "),(")
		if len(listed) > max(maxCells, 2*len(ranges)) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
			t.Errorf("ranges of %d: %d cells of %d", shortest, len(listed), width)
		}
		for _, r := range ranges {
			for _, at := range []int64{r.Start, (r.Start + r.End) / 2, r.End - 1} {
				if cell := fmt.Sprintf("'%s',%d", r.Group, at/width); !slices.Contains(listed, cell) {
					t.Fatalf("ranges of %d: %s is not listed for %d of %v", shortest, cell, at, r)
				}
			}
		}
	}
}
