package app

import "testing"

func TestHeadroomIsKept(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, mostGCPercent}, {20 << 20, mostGCPercent}, {96 << 20, 400}, {384 << 20, leastGCPercent}, {4 << 30, leastGCPercent},
	} {
		if got := gcPercent(384<<20, c.live); got != c.want {
			t.Errorf("live %d: %d %%, want %d %%", c.live, got, c.want)
		}
	}
}
