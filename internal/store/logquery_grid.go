package store

import "fmt"

// LogGrid cuts time into buckets so that each of a row of windows is a run of whole buckets: the window of step k is
// (First+k*Step-Window, First+k*Step], all in nanoseconds. Windows may overlap or leave gaps. Rows are counted once per
// bucket instead of once per window, and the sums over windows stay exact.
//
// A cell is as long as a step and ends at a step. Where the window is no multiple of the step, windows begin inside a
// cell, always at the same distance from its end, so each cell has a lower and an upper half. Cells that lie in every
// window are one bucket, so there are never more than about two buckets per step, however long the window.
type LogGrid struct {
	First  int64 // end of the first window
	Step   int64 // > 0
	Steps  int   // >= 1
	Window int64 // > 0
}

// Range returns the scope that the windows cover, as LogScope has it: start inclusive, end exclusive.
func (g LogGrid) Range() (start, end int64) {
	return g.First - g.Window + 1, g.First + int64(g.Steps-1)*g.Step + 1
}

// whole and rest are how many whole cells a window has, and how much of one more.
func (g LogGrid) whole() int64 { return g.Window / g.Step }
func (g LogGrid) rest() int64  { return g.Window % g.Step }

// origin is a time that all rows of the scope lie behind, and from which cells are counted.
func (g LogGrid) origin() int64 { return g.First - (g.whole()+1)*g.Step + 1 }

// common returns how many cells beyond the first lie in every window and become one bucket, and the index of the first.
func (g LogGrid) common() (first, beyond int64) {
	first = int64(g.Steps)
	return first, max(g.whole()-first, 0)
}

// Buckets returns the number of buckets; they are numbered from 0.
func (g LogGrid) Buckets() int {
	_, beyond := g.common()
	return int(2 * (g.whole() + int64(g.Steps) - beyond))
}

// Bucket returns the bucket of a time within Range.
func (g LogGrid) Bucket(t int64) int {
	d := t - g.origin()
	cell, upper := d/g.Step, int64(0)
	if g.Step-1-d%g.Step < g.rest() {
		upper = 1
	}
	if first, beyond := g.common(); beyond > 0 && cell >= first {
		if cell <= first+beyond {
			return int(2 * first)
		}
		cell -= beyond
	}
	return int(2*cell + upper)
}

// Span returns the buckets of step k's window: from inclusive, to exclusive.
func (g LogGrid) Span(k int) (from, to int) {
	from = 2*k + 1
	end := int64(k) + g.whole()
	if _, beyond := g.common(); beyond > 0 {
		end -= beyond
	}
	return from, int(2*end) + 2
}

// single reports whether all rows are in one bucket: of a grid of one step, whose window is whole cells, onlyBucket.
func (g LogGrid) single() bool { return g.Steps == 1 && g.rest() == 0 }

const onlyBucket = 2

// cellSQL names the parts of Bucket, for the WITH clause of a statement that uses bucketSQL. It ends with a comma, or is empty.
func (g LogGrid) cellSQL(b *logSQL) string {
	if g.single() {
		return ""
	}
	step := b.int64(g.Step)
	cell := fmt.Sprintf("toUnixTimestamp64Nano(ts) - %s AS elapsed, intDiv(elapsed, %s) AS cell", b.int64(g.origin()), step)
	if g.rest() == 0 { // most queries: no window begins inside a cell
		return cell + ", 0 AS upper, "
	}
	return cell + fmt.Sprintf(", %s - 1 - elapsed %% %s < %s AS upper, ", step, step, b.int64(g.rest()))
}

// bucketSQL is Bucket as an expression over what cellSQL names.
func (g LogGrid) bucketSQL(b *logSQL) string {
	if g.single() {
		return fmt.Sprintf("toUInt32(%d)", onlyBucket)
	}
	first, beyond := g.common()
	if beyond == 0 {
		return "toUInt32(2 * cell + upper)"
	}
	from, more := b.int64(first), b.int64(beyond)
	return fmt.Sprintf("toUInt32(multiIf(cell < %s, 2 * cell + upper, cell <= %s + %s, 2 * %s, 2 * (cell - %s) + upper))",
		from, from, more, from, more)
}
