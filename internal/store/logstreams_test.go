package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/store"
)

// TestLogStreamsByFP looks up streams that are known, twice stored, unknown, and none.
func TestLogStreamsByFP(t *testing.T) {
	s := open(t, 93)
	b := hostileBatch()
	insertLogs(t, s, b)
	insertLogs(t, s, b)
	wanted := b.Logs.Streams[:3]
	found, err := s.LogStreamsByFP(t.Context(), tenantA, []uint64{wanted[0].FP, wanted[1].FP, wanted[2].FP, 12345})
	require.NoError(t, err)
	require.Len(t, found, len(wanted))
	for _, want := range wanted {
		require.Contains(t, found, store.LogStream{FP: want.FP, Group: want.Name, Labels: want.Labels})
	}
	found, err = s.LogStreamsByFP(t.Context(), tenantA, nil)
	require.NoError(t, err)
	require.Empty(t, found)
}

// TestQueryTags has a tenant's user, who may set little, set a tag. TestStatementsHaveThePlansSettings reads one back.
func TestQueryTags(t *testing.T) {
	ctx := store.WithQueryTags(t.Context(), "Source=logvolhist, x:y")
	s := open(t, 94)
	insertLogs(t, s, hostileBatch())
	streams, err := s.LogStreams(ctx, tenantA, store.LogStreamsQuery{Start: base.UnixNano(), End: base.Add(time.Hour).UnixNano(), Limit: 1})
	require.NoError(t, err)
	require.Len(t, streams, 1)
}
