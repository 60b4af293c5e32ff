package app

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/admit"
)

// TestASlowReaderHoldsNoPlace reads an answer of SQL piece by piece: while the reader is slow another query has the place, and while
// it keeps up nobody else.
func TestASlowReaderHoldsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, err := admit.New(admit.Options{
			MaxConcurrent: 1, ScanBytes: 1, MaxInflightBytes: 1, MaxQueued: 10, Patience: readerPause / 4, Registerer: prometheus.NewRegistry(), Now: time.Now,
			Limits: func(seamark.TenantID) (admit.Limits, func(string) string) { return admit.Limits{}, nil },
		})
		require.NoError(t, err)
		ctx, q := a.Begin(t.Context(), admit.Request{Tenant: "slow", Class: admit.AdHocQuery})
		ctx, done, err := turns{time.Hour}.begin(ctx, light)
		require.NoError(t, err)
		answer := newTurnedAnswer(ctx, io.NopCloser(strings.NewReader(strings.Repeat("x", 100))), done)
		other := func() error {
			ctx, q := a.Begin(t.Context(), admit.Request{Tenant: "other", Class: admit.AdHocQuery})
			err := q.Enter(ctx, light)
			a.End(ctx, q, err)
			return err
		}
		piece := make([]byte, 1)
		for range 50 { // a reader that keeps up
			_, err := answer.Read(piece)
			require.NoError(t, err)
			time.Sleep(readerPause / 2)
			require.Equal(t, admit.StateRunning, a.List("slow")[0].State)
		}
		require.ErrorContains(t, other(), "1 queries run on this node", "the reader keeps up")
		time.Sleep(2 * readerPause)
		require.NoError(t, other(), "while the reader is slow")

		hold, holder := a.Begin(t.Context(), admit.Request{Tenant: "other", Class: admit.AdHocQuery})
		require.NoError(t, holder.Enter(hold, light))
		read := make(chan error, 1)
		go func() {
			_, err := answer.Read(piece)
			read <- err
		}()
		time.Sleep(time.Minute) // longer than a query may wait that was not begun
		require.Empty(t, read)
		a.End(hold, holder, nil)
		require.NoError(t, <-read)
		require.NoError(t, answer.Close())
		require.NoError(t, other(), "after the end")
		a.End(ctx, q, nil)
	})
}
