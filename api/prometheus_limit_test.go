package api

import (
	"encoding/binary"
	"math"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// noise is a series whose values do not compress: about nine bytes a sample.
func noise(samples int) *promql.StorageSeries {
	s := promql.Series{Metric: labels.FromStrings("__name__", "noise")}
	for i := range samples {
		s.Floats = append(s.Floats, promql.FPoint{T: int64(i), F: math.Float64frombits(uint64(i+1) * 0x9e3779b97f4a7c15 >> 2)})
	}
	return promql.NewStorageSeries(s)
}

func TestReadSamplesLimit(t *testing.T) {
	s := newReadSamples(1)
	s.left = 10
	require.NoError(t, s.series(0, noise(10)))
	err := s.series(0, noise(1))
	require.Equal(t, seamark.Invalid, seamark.KindOf(err))
	require.ErrorContains(t, err, "more than 5000000 samples")
}

// TestReadStreamCutsFrames splits a series that is larger than a frame.
func TestReadStreamCutsFrames(t *testing.T) {
	const samples = 300_000
	w := httptest.NewRecorder()
	s := newReadStream(w)
	require.NoError(t, s.series(0, noise(samples)))
	require.NoError(t, s.out.Flush())
	frames := 0
	for rest := w.Body.Bytes(); len(rest) > 0; frames++ {
		size, n := binary.Uvarint(rest)
		require.Positive(t, n)
		require.Less(t, size, uint64(maxFrameBytes+4096), "a frame and the chunk that fills it")
		rest = rest[n+4+int(size):]
	}
	require.GreaterOrEqual(t, frames, samples*8/maxFrameBytes)
}
