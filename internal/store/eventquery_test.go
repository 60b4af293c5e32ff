package store_test

import (
	"fmt"
	"strings"
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
	s, now := open(t, 105), time.Now()
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
	got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{EventFilter: store.EventFilter{Range: hour}, Limit: 10})
	require.NoError(t, err)
	require.Equal(t, []seamark.Event{event(3, now.Add(-10*time.Minute), now.Add(-time.Minute), 2), event(1, old, now.Add(-5*time.Minute), 9)}, got)
	got, err = s.ListEvents(t.Context(), tenantA, store.EventsQuery{EventFilter: store.EventFilter{Range: hour}, Limit: 1})
	require.NoError(t, err)
	require.Len(t, got, 1)
}

// TestListEventsByPages reads a list page by page, with many events of one moment, and gets the whole list.
func TestListEventsByPages(t *testing.T) {
	s, now := open(t, 53), time.Now()
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	var all []seamark.Event
	for i, text := range hostile {
		for n := range 3 {
			e := event(10*i+n, now.Add(-20*time.Minute), now.Add(-time.Duration(i%3+1)*time.Minute), 1)
			e.Namespace, e.Cluster = "n"+text, "c"+strings.Repeat(text, n)
			all = append(all, e)
		}
	}
	insertBatch(t, s, 1, &seamark.Batch{Events: all})
	list := func(after *seamark.Event, limit int) []seamark.Event {
		got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{EventFilter: store.EventFilter{Range: hour}, After: after, Limit: limit})
		require.NoError(t, err)
		return got
	}
	whole := list(nil, 1000)
	require.Len(t, whole, len(all))
	var paged []seamark.Event
	var after *seamark.Event
	for {
		page := list(after, 4)
		if len(page) == 0 {
			break
		}
		paged = append(paged, page...)
		after = &page[len(page)-1]
	}
	require.Equal(t, whole, paged)
	require.NotEmpty(t, list(&seamark.Event{Last: now, UID: "not a uid"}, 1))
}

func TestListEventsFilters(t *testing.T) {
	s, now := open(t, 106), time.Now()
	var all []seamark.Event
	for i, text := range hostile {
		e := event(i, now.Add(-time.Minute), now.Add(-time.Minute), 1)
		e.Cluster, e.Namespace, e.Kind, e.Object, e.Reason, e.Type, e.Message = "c"+text, "n"+text, "k"+text, "o"+text, "r"+text, "t"+text, "Mess<"+text+">age"
		e.Source, e.Node = "s"+text, "h"+text
		all = append(all, e)
	}
	insertBatch(t, s, 1, &seamark.Batch{Events: all})
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	list := func(f store.EventFilter) []seamark.Event {
		f.Range = hour
		got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{EventFilter: f, Limit: 100})
		require.NoError(t, err)
		return got
	}
	for i, text := range hostile {
		for field, value := range map[store.EventField]string{
			store.EventCluster: "c" + text, store.EventNamespace: "n" + text, store.EventKind: "k" + text, store.EventObject: "o" + text,
			store.EventReason: "r" + text, store.EventType: "t" + text, store.EventSource: "s" + text, store.EventNode: "h" + text, store.EventUID: all[i].UID,
		} {
			require.Equal(t, []seamark.Event{all[i]}, list(store.EventFilter{Conditions: []store.EventCondition{{Field: field, Values: []string{value, "other"}}}}), "%s %q", field, value)
			rest := list(store.EventFilter{Conditions: []store.EventCondition{{Field: field, Not: true, Values: []string{value, "other"}}}})
			require.Len(t, rest, len(all)-1)
			require.NotContains(t, rest, all[i])
		}
		require.Equal(t, []seamark.Event{all[i]}, list(store.EventFilter{Terms: []store.EventTerm{{Text: "mESS<" + text + ">AGE"}}}))
		require.NotContains(t, list(store.EventFilter{Terms: []store.EventTerm{{Text: "mESS<" + text + ">AGE", Not: true}}}), all[i])
	}
	require.Len(t, list(store.EventFilter{Terms: []store.EventTerm{{Text: "OPLAIN"}, {Text: "RPLAIN"}}}), 1, "object and reason are searched")
	require.Empty(t, list(store.EventFilter{Terms: []store.EventTerm{{Text: "OPLAIN"}, {Text: "RPLAIN", Not: true}}}))
}

// TestListEventsShowsEachEraOnce stores an event that goes on for longer than rows are kept.
func TestListEventsShowsEachEraOnce(t *testing.T) {
	s, now := open(t, 76), time.Now()
	first := now.Add(-29 * 24 * time.Hour)
	for i, last := range []time.Time{first.Add(27 * 24 * time.Hour), now.Add(-time.Hour)} {
		insertBatch(t, s, uint64(i+1), &seamark.Batch{Events: []seamark.Event{event(1, first, last, uint32(i+1))}})
	}
	got, err := s.ListEvents(t.Context(), tenantA, store.EventsQuery{EventFilter: store.EventFilter{Range: seamark.TimeRange{Start: first, End: now}}, Limit: 10})
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.EqualValues(t, 2, got[0].Count)
}
