package events_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/events"
)

const tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

// recorder answers with count events and remembers what was asked.
type recorder struct {
	count  int
	err    error
	tenant seamark.TenantID
	query  store.EventsQuery
}

func (r *recorder) ListEvents(_ context.Context, tenant seamark.TenantID, q store.EventsQuery) ([]seamark.Event, error) {
	r.tenant, r.query = tenant, q
	return make([]seamark.Event, min(r.count, q.Limit)), r.err
}

func lastHour() seamark.TimeRange {
	end := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	return seamark.TimeRange{Start: end.Add(-time.Hour), End: end}
}

func searcher(t *testing.T, s events.Store) *events.Searcher {
	t.Helper()
	found, err := events.New(events.Options{Store: s})
	require.NoError(t, err)
	return found
}

func TestListAsksForTheFilter(t *testing.T) {
	r := &recorder{count: 3}
	list, truncated, err := searcher(t, r).List(t.Context(), tenantA, events.Filter{
		Range: lastHour(), Cluster: "c", Namespace: "n", Kind: "k", Object: "o", Reason: "r", Type: "t", Text: "x", Limit: 7,
	})
	require.NoError(t, err)
	require.False(t, truncated)
	require.Len(t, list, 3)
	require.Equal(t, tenantA, r.tenant)
	require.Equal(t, store.EventsQuery{
		Range: lastHour(), Cluster: "c", Namespace: "n", Kind: "k", Object: "o", Reason: "r", Type: "t", Text: "x", Limit: 8,
	}, r.query)
}

func TestListTruncates(t *testing.T) {
	for count, want := range map[int]struct {
		n         int
		truncated bool
	}{0: {0, false}, 200: {200, false}, 201: {200, true}, 9999: {200, true}} {
		list, truncated, err := searcher(t, &recorder{count: count}).List(t.Context(), tenantA, events.Filter{Range: lastHour()})
		require.NoError(t, err)
		require.Len(t, list, want.n)
		require.Equal(t, want.truncated, truncated)
	}
}

func TestListRefuses(t *testing.T) {
	backwards := lastHour()
	backwards.Start, backwards.End = backwards.End, backwards.Start
	for id, f := range map[string]events.Filter{
		"seamark-range-backwards": {Range: backwards},
		"seamark-events-limit":    {Range: lastHour(), Limit: events.MaxLimit + 1},
		"seamark-events-text":     {Range: lastHour(), Text: strings.Repeat("x", 1025)},
	} {
		_, _, err := searcher(t, &recorder{}).List(t.Context(), tenantA, f)
		e, ok := errors.AsType[*seamark.Error](err)
		require.True(t, ok, id)
		require.Equal(t, seamark.Invalid, e.Kind)
		require.Equal(t, id, e.ID)
	}
	failed := errors.New("away")
	_, _, err := searcher(t, &recorder{err: failed}).List(t.Context(), tenantA, events.Filter{Range: lastHour()})
	require.ErrorIs(t, err, failed)
}

func TestNewNeedsAStore(t *testing.T) {
	_, err := events.New(events.Options{})
	require.Error(t, err)
}
