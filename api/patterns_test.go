package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// patternFake answers with what it has and remembers what was asked.
type patternFake struct {
	answer api.PatternAnswer
	err    error
	scope  seamark.Scope
	query  api.PatternQuery
}

func (f *patternFake) FindPatterns(_ context.Context, scope seamark.Scope, q api.PatternQuery) (*api.PatternAnswer, error) {
	f.scope, f.query = scope, q
	return &f.answer, f.err
}

func getPatterns(t *testing.T, f *patternFake, query string) *httptest.ResponseRecorder {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: api.PatternRoutes(f, eventsNow), Verifier: promVerifier{}, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/logs/patterns"+query, nil)
	r.Header.Set("Authorization", "Bearer smk_x")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestPatternsAnswer(t *testing.T) {
	now := eventsNow()
	hour := seamark.TimeRange{Start: now.Add(-time.Hour), End: now}
	f := &patternFake{answer: api.PatternAnswer{
		Range: hour, Before: seamark.TimeRange{Start: now.Add(-2 * time.Hour), End: now.Add(-time.Hour)}, Step: time.Minute, Lines: 100, LinesBefore: 50, Found: 2,
		Truncated: true, Patterns: []api.FoundPattern{
			{
				ID: 0xab, Text: "took <_> ms", Groups: []string{"shop/cart"}, Levels: []api.PatternLevel{{Level: "info", Lines: 90}}, Lines: 90, Bytes: 900, Share: 0.9,
				First: hour.Start, Last: now.In(time.FixedZone("x", 3600)), FirstDay: now.Truncate(24 * time.Hour), Points: []api.LogPatternPoint{{Time: hour.Start, Lines: 90}},
				Comparison: &api.PatternComparison{Lines: 45, Rate: 2, RateBefore: 1, Ratio: 2, Expected: 45, Score: 5, Change: "spiking", Reason: "It comes more often."},
			},
			{ID: 1 << 63, Lines: 10, Comparison: &api.PatternComparison{Change: "new"}},
		},
	}}
	w := getPatterns(t, f, "")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"range":{"start":"2026-05-17T11:00:00Z","end":"2026-05-17T12:00:00Z"},"compare":{"start":"2026-05-17T10:00:00Z","end":"2026-05-17T11:00:00Z"},
		"step_seconds":60,"lines":100,"lines_before":50,"found":2,"truncated":true,"items":[
		{"id":"00000000000000ab","template":"took <_> ms","groups":["shop/cart"],"levels":[{"level":"info","lines":90}],"lines":90,"bytes":900,"share":0.9,
		"first_seen":"2026-05-17T11:00:00Z","last_seen":"2026-05-17T12:00:00Z","first_day":"2026-05-17","points":[{"time":"2026-05-17T11:00:00Z","lines":90}],
		"comparison":{"lines":45,"rate":2,"rate_before":1,"ratio":2,"expected":45,"score":5,"change":"spiking","reason":"It comes more often."}},
		{"id":"8000000000000000","template":"","groups":[],"levels":[],"lines":10,"bytes":0,"share":0,"first_seen":"0001-01-01T00:00:00Z",
		"last_seen":"0001-01-01T00:00:00Z","first_day":"","points":[],
		"comparison":{"lines":0,"rate":0,"rate_before":0,"ratio":null,"expected":0,"score":0,"change":"new","reason":""}}]}`, w.Body.String())
	require.Equal(t, promTenant, f.scope.Tenant)
	require.Equal(t, api.PatternQuery{Range: hour, Sort: "top", Limit: 50}, f.query)

	w = getPatterns(t, &patternFake{}, "")
	require.Contains(t, w.Body.String(), `"compare":null`)
	require.Contains(t, w.Body.String(), `"items":[]`)
}

func TestPatternsQuery(t *testing.T) {
	f := &patternFake{}
	require.Equal(t, http.StatusOK, getPatterns(t, f, "?query=%7Bapp%3D%22a%22%7D&start=2026-05-17T10:00:00Z&end=1779019200&compare_start=1&compare_end=2&sort=new&limit=500&step=300").Code)
	require.Equal(t, api.PatternQuery{
		Selector: `{app="a"}`, Range: seamark.TimeRange{Start: eventsNow().Add(-2 * time.Hour), End: eventsNow()},
		Before: seamark.TimeRange{Start: time.Unix(1, 0).UTC(), End: time.Unix(2, 0).UTC()}, Sort: "new", Limit: 500, Step: 5 * time.Minute,
	}, f.query)
	require.Equal(t, http.StatusOK, getPatterns(t, f, "?step=1h").Code)
	require.Equal(t, time.Hour, f.query.Step)
}

func TestPatternsFaults(t *testing.T) {
	for query, want := range map[string]string{
		"?limit=0": "from 1 to 500", "?limit=501": "from 1 to 500", "?limit=x": "from 1 to 500", "?start=x": "start", "?end=x": "end",
		"?compare_start=x": "compare_start", "?compare_end=x": "compare_end", "?step=0": "whole minutes", "?step=61": "whole minutes", "?step=90s": "whole minutes",
		"?step=-5m": "whole minutes", "?step=" + strings.Repeat("9", 300): "999...",
	} {
		w := getPatterns(t, &patternFake{}, query)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Contains(t, w.Body.String(), want, query)
	}
	w := getPatterns(t, &patternFake{err: seamark.Errorf(seamark.Timeout, "seamark-query-timeout", "Too late.")}, "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
}
