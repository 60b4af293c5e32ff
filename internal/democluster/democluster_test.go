package democluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/democluster"
	"github.com/seamarkhq/seamark/internal/testkit"
)

var start = time.Date(2026, 11, 20, 12, 0, 0, 300e6, time.UTC)

func sorted(points []point) []point {
	slices.SortFunc(points, func(a, b point) int { return int(a.milli - b.milli) })
	return points
}

// prime makes a cluster with an hour of history, pushes it, and returns the server that has it.
func prime(t *testing.T, change func(*democluster.Options)) (*server, *democluster.Cluster, *testkit.Clock) {
	t.Helper()
	s, clock := newServer(t), testkit.NewClock(start)
	o := s.options(clock.Now)
	o.Backfill, o.IncidentEvery = time.Hour, 20*time.Minute
	if change != nil {
		change(&o)
	}
	c, err := democluster.New(o)
	require.NoError(t, err)
	require.NoError(t, c.Prime(t.Context()))
	return s, c, clock
}

func checkEverySignal(t *testing.T, s *server) {
	t.Helper()
	s.read(t, func() {
		samples := 0
		for _, points := range s.series {
			samples += len(points)
		}
		require.InDelta(t, 80_000, len(s.lines), 25_000)
		require.InDelta(t, 200_000, samples, 100_000)
		require.InDelta(t, 400, len(s.events), 300)
		require.InDelta(t, 2500, len(s.audits), 1000)
		for _, path := range []string{"/loki/api/v1/push", "/v1/logs", "/api/v1/write", "/v1/metrics", "/api/v1/push/events", "/api/v1/push/audit"} {
			require.Positive(t, s.paths[path], path)
		}
	})
}

func checkTimestamps(t *testing.T, s *server) {
	t.Helper()
	first := start.Truncate(time.Second).Add(-time.Hour)
	s.read(t, func() {
		for _, l := range s.lines {
			if l.at.After(start) || l.at.Before(first) {
				t.Fatalf("line of %v lies outside %v to %v: %s", l.at, first, start, l.text)
			}
		}
		for key, points := range s.series {
			for _, p := range points {
				if p.milli > start.UnixMilli() || p.milli <= first.UnixMilli() {
					t.Fatalf("sample of %v lies outside: %s", time.UnixMilli(p.milli), key)
				}
			}
		}
		for _, e := range s.events {
			require.False(t, e.LastTimestamp.After(start), e.Name)
		}
		for i := range s.audits {
			e := &s.audits[i]
			require.False(t, e.StageTimestamp.After(start) || e.StageTimestamp.Time.Before(first), "%s %s", e.Verb, e.RequestURI)
			require.True(t, e.RequestReceivedTimestamp.Time.Before(e.StageTimestamp.Time), "%s %s", e.Verb, e.RequestURI)
		}
	})
}

// requireMonotonic fails when a counter falls other than to a new process' small value, and returns how many fell.
func requireMonotonic(t *testing.T, s *server) (resets int) {
	t.Helper()
	for key, set := range s.labels {
		name := set.Get("__name__")
		counter := strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_count")
		if !counter {
			continue
		}
		points := slices.DeleteFunc(sorted(slices.Clone(s.series[key])), func(p point) bool { return value.IsStaleNaN(p.value) })
		for i := 1; i < len(points); i++ {
			if points[i].value >= points[i-1].value {
				continue
			}
			resets++
			if set.Get("pod") == "" {
				t.Fatalf("%s falls from %v to %v", key, points[i-1], points[i])
			}
		}
	}
	return resets
}

func TestHistoryJoinsLiveData(t *testing.T) {
	s, c, clock := prime(t, func(o *democluster.Options) { o.Backfill, o.IncidentEvery = 10*time.Minute, 0 })
	advanceLive(t, s, c, clock, time.Minute, nil)
	s.read(t, func() {
		require.Zero(t, requireMonotonic(t, s), "no pod restarts in these minutes")
		for key, points := range s.family("node_cpu_seconds_total") {
			for i := 1; i < len(points); i++ {
				step := points[i].milli - points[i-1].milli
				require.Contains(t, []int64{15_000, 30_000}, step, key)
			}
			require.Equal(t, clock.Now().Truncate(time.Second).UnixMilli(), points[len(points)-1].milli)
		}
		perTenSeconds := make(map[int64]int)
		seen := make(map[string]bool)
		for _, l := range s.lines {
			perTenSeconds[l.at.Add(-1).Unix()/10]++
			key := fmt.Sprint(l.at.UnixNano(), l.labels["pod"], l.text)
			require.False(t, seen[key], "pushed twice: %v", l)
			seen[key] = true
		}
		for at := start.Add(-30 * time.Second); at.Before(clock.Now().Add(-10 * time.Second)); at = at.Add(10 * time.Second) {
			require.InDelta(t, 650, perTenSeconds[at.Unix()/10], 250, "lines of ten seconds at %v", at)
		}
	})
}

// advanceLive runs the cluster after the clock went on by d, and returns when logs and metrics of that time are pushed and
// also holds, unless it is nil.
func advanceLive(t *testing.T, s *server, c *democluster.Cluster, clock *testkit.Clock, d time.Duration, also func() bool) {
	t.Helper()
	clock.Advance(d)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	want := clock.Now().Truncate(time.Second).UnixMilli()
	testkit.Eventually(t, time.Minute, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		late := int64(0)
		for _, points := range s.family("up", "namespace", "payments") { // of a scrape's series these are among the last
			late = max(late, want-points[len(points)-1].milli)
		}
		newest := time.Time{}
		for _, l := range s.lines {
			if l.at.After(newest) {
				newest = l.at
			}
		}
		if late > 15_000-1 || clock.Now().Sub(newest) > 3*time.Second {
			return fmt.Errorf("metrics are %d ms late, logs %v", late, clock.Now().Sub(newest))
		}
		if also != nil && !also() {
			return errors.New("what else is due is not there")
		}
		return nil
	})
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}
