package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// TestEventFacets counts values, among them those that a condition on their own field excludes.
func TestEventFacets(t *testing.T) {
	s, now := open(t, 70), time.Now()
	var batch seamark.Batch
	for i, e := range []struct{ namespace, reason string }{{"shop", "BackOff"}, {"shop", "BackOff"}, {"shop", "Failed"}, {"bank", "BackOff"}, {"bank", "Pulled"}, {"", "Ready"}} {
		ev := event(i, now.Add(-time.Minute), now.Add(-time.Minute), 5)
		ev.Namespace, ev.Reason = e.namespace, e.reason
		batch.Events = append(batch.Events, ev, ev)
	}
	insertBatch(t, s, 1, &batch)
	insertBatch(t, s, 2, &seamark.Batch{Events: batch.Events[:4]}) // an agent restarts
	ask := func(limit int, terms []store.EventTerm, conditions ...store.EventCondition) *store.EventFacets {
		got, err := s.EventFacets(t.Context(), tenantA, store.EventFacetsQuery{EventFilter: store.EventFilter{
			Range: seamark.TimeRange{Start: now.Add(-time.Hour), End: now}, Conditions: conditions, Terms: terms,
		}, Limit: limit})
		require.NoError(t, err)
		require.Len(t, got.Fields, len(store.EventFields()))
		return got
	}
	all := ask(10, nil)
	require.EqualValues(t, 6, all.Events)
	require.Equal(t, store.EventFacet{Field: store.EventNamespace, Entries: 3, Values: []store.EventFacetValue{{"shop", 3}, {"bank", 2}, {"", 1}}}, all.Fields[store.EventNamespace])
	require.EqualValues(t, 6, all.Fields[store.EventObject].Entries)

	shop := store.EventCondition{Field: store.EventNamespace, Values: []string{"shop"}}
	backoff := store.EventCondition{Field: store.EventReason, Values: []string{"BackOff"}}
	one := ask(10, nil, shop)
	require.EqualValues(t, 3, one.Events)
	require.Equal(t, all.Fields[store.EventNamespace], one.Fields[store.EventNamespace], "a field's own condition does not count for it")
	require.Equal(t, []store.EventFacetValue{{"BackOff", 2}, {"Failed", 1}}, one.Fields[store.EventReason].Values)

	both := ask(1, nil, shop, backoff)
	require.EqualValues(t, 2, both.Events)
	require.Equal(t, store.EventFacet{Field: store.EventNamespace, Entries: 2, Values: []store.EventFacetValue{{"shop", 2}}}, both.Fields[store.EventNamespace])
	require.Equal(t, store.EventFacet{Field: store.EventReason, Entries: 2, Values: []store.EventFacetValue{{"BackOff", 2}}}, both.Fields[store.EventReason])
	require.Equal(t, []store.EventFacetValue{{"Pod", 2}}, both.Fields[store.EventKind].Values)

	uid := ask(10, nil, store.EventCondition{Field: store.EventUID, Values: []string{batch.Events[0].UID}})
	require.EqualValues(t, 1, uid.Events)
	require.Zero(t, ask(10, []store.EventTerm{{Text: "nowhere"}}).Events)
}

// TestEventOwners finds what names an object, and what its name begins with.
func TestEventOwners(t *testing.T) {
	s, now := open(t, 71), time.Now()
	var batch seamark.Batch
	for i, e := range []struct{ namespace, kind, object, message string }{
		{"shop", "ReplicaSet", "web-5475d4dc89", "Created pod: web-5475d4dc89-94rz6"},
		{"shop", "ReplicaSet", "web", "Created pod: web-5475d4dc89-94rz6x"},
		{"shop", "ReplicaSet", "we", "nothing"},
		{"bank", "ReplicaSet", "web-5475d4dc89", "Created pod: web-5475d4dc89-94rz6"},
		{"shop", "Deployment", "web", "web-5475d4dc89-94rz6"},
	} {
		ev := event(i, now.Add(-20*24*time.Hour), now.Add(-20*24*time.Hour), 1)
		ev.Namespace, ev.Kind, ev.Object, ev.Message = e.namespace, e.kind, e.object, e.message
		batch.Events = append(batch.Events, ev)
	}
	insertBatch(t, s, 1, &batch)
	got, err := s.EventOwners(t.Context(), tenantA, store.EventOwnersQuery{
		Range:   seamark.TimeRange{Start: now.Add(-time.Hour), End: now},
		Cluster: "prod", Namespace: "shop", Name: "web-5475d4dc89-94rz6", Kinds: []string{"ReplicaSet", "Job"}, Limit: 10,
	})
	require.NoError(t, err)
	require.Equal(t, []store.EventOwner{{"ReplicaSet", "web-5475d4dc89", "Created pod: web-5475d4dc89-94rz6"}, {"ReplicaSet", "web", ""}}, got)
}
