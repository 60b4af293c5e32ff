package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TestBytesAreCountedWithoutBodies sums the bytes of lines of 10 KB: the server keeps the lengths of texts beside them.
func TestBytesAreCountedWithoutBodies(t *testing.T) {
	const lines, size = 1000, 10_000
	s, b := open(t, 11), &seamark.Batch{}
	ref := b.Logs.AddStream(&seamark.Series{Kind: seamark.LogStream, FP: 7, Name: "ns/app", Labels: []seamark.Label{{Name: "app", Value: "x"}}})
	for i := range lines {
		b.Logs.Append(&seamark.LogRow{Stream: ref, TimeNano: base.UnixNano() + int64(i), Body: strings.Repeat(string(rune('a'+i%26)), size)})
	}
	insertLogs(t, s, b)
	hour := int64(time.Hour)
	q := store.LogCountsQuery{
		LogScope: scope([]store.LogStream{{FP: 7, Group: "ns/app"}}), Grid: store.LogGrid{First: base.UnixNano() + hour - 1, Step: hour, Steps: 1, Window: hour}, Bytes: true,
	}
	var found store.LogCount
	stats, err := s.LogCounts(t.Context(), tenantA, q, func(c *store.LogCount) error { found = *c; return nil })
	require.NoError(t, err)
	require.Equal(t, uint64(lines), found.Lines)
	require.Equal(t, uint64(lines*size), found.Bytes)
	require.Less(t, stats.Bytes, uint64(lines*100), "bodies were read")
}
