package admit_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// TestRefusalsTellWhenToComeBack has queries hold their places for ten seconds, and asks what those are told that do not get one.
func TestRefusalsTellWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) {
			o.MaxConcurrent, o.MaxScans, o.MaxQueued, o.Patience = 4, 1, 2, 5*time.Second
		})
		_, err := w.ask(t.Context(), bob, admit.AdHocQuery, scan, 10*time.Second)
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { _, _ = w.ask(ctx, bob, admit.AdHocQuery, scan, time.Hour) })
		synctest.Wait()
		refused := make(chan error, 3)
		for _, class := range []admit.Class{admit.AdHocQuery, admit.AdHocQuery, admit.DashboardQuery} { // the last goes before the others
			all.Go(func() {
				_, err := w.ask(ctx, alice, class, scan, time.Second)
				refused <- err
			})
			time.Sleep(time.Second)
		}
		_, err = w.ask(ctx, alice, admit.AdHocQuery, scan, time.Second)
		e, _ := errors.AsType[*seamark.Error](err)
		require.Equal(t, "seamark-query-queue", e.ID)
		require.Equal(t, 10*time.Second, e.RetryAfter, "the turn of the first of hers")
		for _, turn := range []time.Duration{20 * time.Second, 20 * time.Second, 10 * time.Second} {
			err := <-refused
			e, _ := errors.AsType[*seamark.Error](err)
			require.Equal(t, "seamark-query-busy", e.ID)
			require.ErrorContains(t, err, "As such queries have run for about 10s lately, its turn comes in about "+turn.String()+".")
			require.Equal(t, turn, e.RetryAfter)
		}
		stop()
		all.Wait()
	})
}

// TestJobsAreToldTheirOwnLimits ends a background job and a query by the bytes that they may read.
func TestJobsAreToldTheirOwnLimits(t *testing.T) {
	w := newWorld(t, nil)
	w.limits[alice] = admit.Limits{QueryMaxBytes: 100, QueryJobBytes: 200}
	for field, r := range map[string]admit.Request{"query_max_bytes": {}, "query_job_bytes": {Job: "1"}} {
		r.Tenant, r.Class = alice, admit.AdHocQuery
		ctx, q := w.Begin(t.Context(), r)
		require.ErrorContains(t, q.Enter(ctx, reads(scan)), "("+field+")")
		w.End(ctx, q, nil)
		_, q = w.Begin(t.Context(), r)
		q.Take(admit.Cost{Bytes: 1000})
		require.ErrorContains(t, q.Fault(), "("+field+")")
		stopped := q.Outcome(seamark.Errorf(seamark.Unprocessable, "seamark-query-bytes", "It would read too much."))
		require.ErrorContains(t, stopped, field)
		w.End(ctx, q, nil)
	}
}

// TestAQueryThatGivesItsPlaceBack has a place for some time, gives it back, and takes it again: others run meanwhile, the time without
// a place does not count for what it may run, and it is not refused for waiting.
func TestAQueryThatGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *admit.Options) { o.MaxConcurrent, o.MaxQueued, o.Patience = 2, 1, time.Second })
		w.limits[alice] = admit.Limits{QueryMaxSeconds: 10}
		ctx, q := w.Begin(t.Context(), admit.Request{Tenant: alice, Class: admit.AdHocQuery})
		require.NoError(t, q.Enter(ctx, reads(0)))
		time.Sleep(6 * time.Second)
		q.Leave()
		time.Sleep(time.Minute)
		other := w.begin(t, alice, admit.AdHocQuery, 0) // alone she has one of two places
		resumed := make(chan error, 1)
		go func() { resumed <- q.Resume(ctx) }()
		time.Sleep(5 * time.Second) // longer than others may wait
		require.Empty(t, resumed)
		other.Leave()
		require.NoError(t, <-resumed)
		time.Sleep(3 * time.Second)
		require.NoError(t, q.Fault(), "nine seconds")
		require.Equal(t, 9*time.Second, w.List(alice)[0].Ran)
		time.Sleep(2 * time.Second)
		require.ErrorContains(t, q.Fault(), "query_max_seconds")
		w.End(ctx, q, nil)
	})
}
