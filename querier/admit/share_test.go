package admit_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// memory is a bucket of one document.
type memory struct {
	doc      admit.Spending
	revision uint64
	races    int // saves that somebody else was faster than
}

func (m *memory) Find(context.Context, string) (admit.Spending, uint64, error) {
	return m.doc, m.revision, nil
}

func (m *memory) Save(_ context.Context, _ string, doc admit.Spending, revision uint64) (uint64, error) {
	if m.races > 0 {
		m.races--
		return 0, errors.New("somebody was first")
	}
	if revision != m.revision {
		return 0, errors.New("the revision has moved on")
	}
	m.doc, m.revision = doc, revision+1
	return m.revision, nil
}

// querier is a node that shares its budgets.
type querier struct {
	*world
	*admit.Share
}

func newQuerier(t *testing.T, node string, docs *memory) *querier {
	t.Helper()
	s, err := admit.NewShare(admit.ShareOptions{Node: node, Docs: docs, Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	require.NoError(t, err)
	w := newWorld(t, func(o *admit.Options) { o.Nodes = s.Nodes })
	w.limits[alice] = admit.Limits{QueryBytesPerDay: 1000, QueryBytesPerMinute: 600}
	return &querier{w, s}
}

func (q *querier) round(t *testing.T) {
	t.Helper()
	require.NoError(t, q.Round(t.Context(), q.Admission))
}

func TestQueriersShareBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		docs := &memory{races: 2}
		one, two := newQuerier(t, "one", docs), newQuerier(t, "two", docs)
		one.round(t)
		two.round(t)
		one.round(t)
		require.Equal(t, 2, one.Nodes())
		require.Equal(t, 2, two.Nodes())
		one.read(t, alice, 700)
		two.read(t, alice, 300)
		one.read(t, bob, 1<<40) // who has no budget stands in no document
		one.round(t)
		two.round(t)
		require.NotContains(t, docs.doc.Nodes["one"].Bytes, bob)
		err := two.try(t, admit.AdHocQuery, rangeOf(time.Hour))
		require.Equal(t, seamark.RateLimited, seamark.KindOf(err))
		require.ErrorContains(t, err, "have read 1000 B since midnight UTC")

		again := newQuerier(t, "two", docs) // it knows what it read before it was started anew, and counts it once
		again.round(t)
		again.round(t)
		err = again.try(t, admit.AdHocQuery, rangeOf(time.Hour))
		require.ErrorContains(t, err, "have read 1000 B since midnight UTC")

		for range 6 { // one is gone: what it has read counts, its part of a minute's budget is free
			time.Sleep(5 * time.Second)
			again.round(t)
		}
		require.Equal(t, 1, again.Nodes())
		require.Error(t, again.try(t, admit.AdHocQuery, rangeOf(time.Hour)))
		time.Sleep(24 * time.Hour)
		again.round(t)
		require.NoError(t, again.try(t, admit.AdHocQuery, rangeOf(time.Hour)))
		require.Len(t, docs.doc.Nodes, 1)
	})
}

func TestShareGoesOnWithoutDocuments(t *testing.T) {
	docs := &memory{races: 100}
	q := newQuerier(t, "one", docs)
	require.Error(t, q.Round(t.Context(), q.Admission))
	require.NoError(t, q.try(t, admit.AdHocQuery, rangeOf(time.Hour)))
	_, err := admit.NewShare(admit.ShareOptions{})
	require.Error(t, err)
}
