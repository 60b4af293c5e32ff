package seriesindex

// bitmap is a set of small numbers.
type bitmap []uint64

func newBitmap(n int) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) set(n uint32) { b[n/64] |= 1 << (n % 64) }

func (b bitmap) has(n uint32) bool { return b[n/64]&(1<<(n%64)) != 0 }
