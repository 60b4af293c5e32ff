package logql_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/querier/logql"
)

func TestReach(t *testing.T) {
	for query, want := range map[string]time.Duration{
		`{a="b"} |= "c"`:                                           0,
		`count_over_time({a="b"}[5m])`:                             5 * time.Minute,
		`rate({a="b"}[5m] offset 1h)`:                              65 * time.Minute,
		`sum by (a) (rate({a="b"}[10m]))`:                          10 * time.Minute,
		`label_replace(rate({a="b"}[2m]), "x", "$1", "a", "(.*)")`: 2 * time.Minute,
		`sum(rate({a="b"}[1m])) / sum(rate({a="c"}[3m]))`:          3 * time.Minute,
		`vector(1)`: 0,
	} {
		e, err := logql.Parse(query)
		require.NoError(t, err, query)
		got, _ := logql.Reach(e)
		require.Equal(t, want, got, query)
	}
	e, err := logql.Parse(`sum(rate({a="b"}[1m])) / sum(rate({a="c"}[3m]))`)
	require.NoError(t, err)
	_, reads := logql.Reach(e)
	require.Len(t, reads, 2)
	require.Equal(t, `{a="c"}`, reads[1].String())
}
