package store

import "testing"

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
		if got := s.Inserts(c.table, c.rows, c.crowded); got != c.want {
			t.Errorf("%d rows of %s, crowded %v: %d inserts, want %d", c.rows, c.table, c.crowded, got, c.want)
		}
	}
	none := &Store{}
	if got := none.Inserts(TableLogs, 1<<20, false); got != 1 {
		t.Errorf("without filters %d inserts", got)
	}
}
