package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

func event(uid int, first, last time.Time, count uint32) seamark.Event {
	return seamark.Event{
		Cluster: "prod", UID: fmt.Sprintf("00000000-0000-0000-0000-%012d", uid), Namespace: "shop", Kind: "Pod", Object: fmt.Sprint("cart-", uid),
		Type: "Warning", Reason: "BackOff", Message: "Back-off restarting", Source: "kubelet", Node: "n1", Count: count,
		First: first.UTC().Truncate(time.Millisecond), Last: last.UTC().Truncate(time.Millisecond),
	}
}

// TestListEventsShowsTheNewestState stores three updates of an old event in three batches, and events around the range.
func TestListEventsShowsTheNewestState(t *testing.T) {
	s, now := open(t, 47), time.Now()
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	old := now.Add(-20 * 24 * time.Hour)
	for i, e := range []seamark.Event{
		event(1, old, now.Add(-50*time.Minute), 3), event(1, old, now.Add(-5*time.Minute), 9), event(1, old, now.Add(-30*time.Minute), 5),
		event(2, old, old, 1), // over before the range
		event(3, now.Add(-10*time.Minute), now.Add(-time.Minute), 2),
		event(4, now.Add(-40*time.Minute), now.Add(-30*time.Minute), 1), event(4, now.Add(-40*time.Minute), now.Add(time.Minute), 2), // moved on
	} {
		insertBatch(t, s, uint64(i+1), &seamark.Batch{Events: []seamark.Event{e}})
	}
	got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{Range: hour, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []seamark.Event{event(3, now.Add(-10*time.Minute), now.Add(-time.Minute), 2), event(1, old, now.Add(-5*time.Minute), 9)}, got)
	got, err = s.ListEvents(t.Context(), tenantA, store.EventsQuery{Range: hour, Limit: 1})
	require.NoError(t, err)
	require.Len(t, got, 1)
}

func TestListEventsFilters(t *testing.T) {
	s, now := open(t, 48), time.Now()
	var all []seamark.Event
	for i, text := range hostile {
		e := event(i, now.Add(-time.Minute), now.Add(-time.Minute), 1)
		e.Cluster, e.Namespace, e.Kind, e.Object, e.Reason, e.Type, e.Message = "c"+text, "n"+text, "k"+text, "o"+text, "r"+text, "t"+text, "Mess<"+text+">age"
		all = append(all, e)
	}
	insertBatch(t, s, 1, &seamark.Batch{Events: all})
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	for i, text := range hostile {
		for _, q := range []store.EventsQuery{
			{Cluster: "c" + text}, {Namespace: "n" + text}, {Kind: "k" + text}, {Object: "o" + text}, {Reason: "r" + text}, {Type: "t" + text}, {Text: "mESS<" + text + ">AGE"},
		} {
			q.Range, q.Limit = hour, 100
			got, err := s.ListEvents(t.Context(), tenantA, q)
			require.NoError(t, err)
			require.Equal(t, []seamark.Event{all[i]}, got, "%+v", q)
		}
	}
	got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{Range: hour, Text: "OPLAIN", Limit: 10})
	require.NoError(t, err)
	require.Len(t, got, 1, "the object is searched")
	got, err = s.ListEvents(t.Context(), tenantA, store.EventsQuery{Range: hour, Text: "RPLAIN", Limit: 10})
	require.NoError(t, err)
	require.Len(t, got, 1, "the reason is searched")
}
