package api

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestReadsWaitForTheirTurn runs on the bubble's clock.
func TestReadsWaitForTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &prometheusAPI{PrometheusOptions: PrometheusOptions{MaxReads: 1}, reads: make(chan struct{}, 1)}
		done, err := a.startRead(t.Context())
		require.NoError(t, err)

		start := time.Now()
		_, err = a.startRead(t.Context())
		require.Equal(t, seamark.Unavailable, seamark.KindOf(err))
		require.ErrorContains(t, err, "1 remote reads")
		require.Equal(t, maxReadWait, time.Since(start))

		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = a.startRead(gone)
		require.Equal(t, seamark.Canceled, seamark.KindOf(err))

		time.AfterFunc(time.Second, done)
		done, err = a.startRead(t.Context())
		require.NoError(t, err)
		done()
	})
}
