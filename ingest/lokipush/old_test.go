package lokipush_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/lokipush"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestOldFormFaults refuses lines and streams of the old form one by one and keeps their neighbours.
func TestOldFormFaults(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		reason  string
		refused int
	}{
		"bad time":     {`{"streams":[{"labels":"{a=\"1\"}","entries":[{"ts":"yesterday","line":"y"},{"line":"x"}]}]}`, "seamark-line-timestamp", 1},
		"no line":      {`{"streams":[{"labels":"{a=\"1\"}","entries":[{"ts":"2026-11-21T00:00:00Z"},{"line":"x"}]}]}`, "seamark-line-shape", 1},
		"bad labels":   {`{"streams":[{"labels":"a=1","entries":[{"line":"y"},{"line":"z"}]},{"labels":"{a=\"1\"}","entries":[{"line":"x"}]}]}`, "", 2},
		"empty stream": {`{"streams":[{"labels":"{a=\"1\"}","entries":[]},{"labels":"{a=\"1\"}","entries":[{"line":"x"}]}]}`, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			var b seamark.Batch
			require.NoError(t, lokipush.New().DecodeJSON([]byte(c.body), catalogtest.New(), &b, lokipush.Options{}))
			require.Equal(t, []string{"x"}, b.Logs.Body)
			require.Equal(t, c.refused, b.Rejected.Rows())
			if c.reason != "" {
				require.Equal(t, c.reason, b.Rejected.Reasons[0].Reason)
			}
		})
	}
	var b seamark.Batch
	require.Error(t, lokipush.New().DecodeJSON([]byte(`{"streams":[{"labels":"{a=\"1\"}","entries":7}]}`), catalogtest.New(), &b, lokipush.Options{}))
}
