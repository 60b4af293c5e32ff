package bound_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/bound"
)

func TestCheck(t *testing.T) {
	c := bound.Count{Of: "events", Standard: 200, Most: 5000, Flag: "query.max-events"}
	for asked, want := range map[int]int{0: 200, 1: 1, 5000: 5000} {
		limit := asked
		require.NoError(t, bound.Check(&limit, "seamark-events-limit", c))
		require.Equal(t, want, limit, "asked %d", asked)
	}
	for _, asked := range []int{-1, 5001} {
		err := bound.Check(&asked, "seamark-events-limit", c)
		require.Equal(t, seamark.Invalid, seamark.KindOf(err))
		require.ErrorContains(t, err, "is not between 1 and 5000 (--query.max-events).")
	}
	c.Most = 100
	limit := 0
	require.NoError(t, bound.Check(&limit, "seamark-events-limit", c))
	require.Equal(t, 100, limit, "the standard is never above the limit")
}

func TestCut(t *testing.T) {
	for _, n := range []int{0, 2, 3} {
		list, more := bound.Cut(make([]int, n), 2)
		require.Len(t, list, min(n, 2))
		require.Equal(t, n > 2, more)
	}
}
