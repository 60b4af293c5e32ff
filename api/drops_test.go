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

// dropFake answers with list and remembers what was asked.
type dropFake struct {
	list   []api.DropReason
	err    error
	tenant seamark.TenantID
	filter api.DropFilter
}

func (f *dropFake) ListDrops(_ context.Context, tenant seamark.TenantID, filter api.DropFilter) ([]api.DropReason, error) {
	f.tenant, f.filter = tenant, filter
	return f.list[:min(filter.Limit, len(f.list))], f.err
}

func getDrops(t *testing.T, f *dropFake, query string) *httptest.ResponseRecorder {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: api.DropRoutes(f, eventsNow), Verifier: promVerifier{}, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/drops"+query, nil)
	r.Header.Set("Authorization", "Bearer smk_x")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestDropsAnswer(t *testing.T) {
	f := &dropFake{list: []api.DropReason{{
		Reason: "seamark-line-bytes", First: eventsNow().Add(-time.Hour), Last: eventsNow().In(time.FixedZone("x", 3600)), Requests: 3, Rows: 7,
		Bytes: 900, Statuses: []uint16{400}, Clusters: []string{"prod"}, Tokens: []string{"abc"}, Protocols: []string{"loki"}, Signals: []string{"logs"},
		Detail: "A line has 300000 bytes.", Samples: []seamark.Drop{{
			Time: eventsNow(), Cluster: "prod", Token: "abc", Protocol: "loki", Signal: seamark.Logs, Status: 400, Requests: 3, Detail: "A line.", Sample: "x",
		}},
	}, {Reason: "other", Samples: []seamark.Drop{{}}}}}
	w := getDrops(t, f, "")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"truncated":false,"items":[{"reason":"seamark-line-bytes",
		"advice":"A line is longer than the limit. Split it or cut it at the sender, or ask for a higher max_line_bytes.",
		"first":"2026-05-17T11:00:00Z","last":"2026-05-17T12:00:00Z","requests":3,"rows":7,"bytes":900,"statuses":[400],"clusters":["prod"],
		"tokens":["abc"],"protocols":["loki"],"signals":["logs"],"detail":"A line has 300000 bytes.","samples":[{"time":"2026-05-17T12:00:00Z",
		"cluster":"prod","token":"abc","protocol":"loki","signal":"logs","status":400,"detail":"A line.","sample":"x"}]},
		{"reason":"other","advice":"There were more kinds of refusals than the ledger keeps apart. Mend those above first.",
		"first":"0001-01-01T00:00:00Z","last":"0001-01-01T00:00:00Z","requests":0,"rows":0,"bytes":0,"statuses":[],"clusters":[],"tokens":[],
		"protocols":[],"signals":[],"detail":"","samples":[{"time":"0001-01-01T00:00:00Z","cluster":"","token":"","protocol":"","signal":"",
		"status":0,"detail":"","sample":""}]}]}`, w.Body.String())
	require.Equal(t, promTenant, f.tenant)
	require.Equal(t, `{"items":[],"truncated":false}`+"\n", getDrops(t, &dropFake{}, "").Body.String())
	w = getDrops(t, f, "?limit=1")
	require.Contains(t, w.Body.String(), `"truncated":true`)
	require.NotContains(t, w.Body.String(), `"other"`)
}

func TestDropsParameters(t *testing.T) {
	f := &dropFake{}
	getDrops(t, f, "")
	require.Equal(t, api.DropFilter{Range: seamark.TimeRange{Start: eventsNow().Add(-24 * time.Hour), End: eventsNow()}, Limit: 101}, f.filter)
	getDrops(t, f, "?start=2026-05-17T10:00:00Z&end=2026-05-17T11:00:00Z&cluster=c&token=t&protocol=p&signal=metrics&reason=r&limit=500")
	require.Equal(t, api.DropFilter{
		Range:   seamark.TimeRange{Start: eventsNow().Add(-2 * time.Hour), End: eventsNow().Add(-time.Hour)},
		Cluster: "c", Token: "t", Protocol: "p", Signal: "metrics", Reason: "r", Limit: 501,
	}, f.filter)
}

func TestDropsFaults(t *testing.T) {
	for _, query := range []string{
		"?start=x", "?end=x", "?limit=x", "?limit=0", "?limit=501", "?signal=smoke", "?start=2000&end=1000", "?cluster=" + strings.Repeat("c", 1025),
	} {
		w := getDrops(t, &dropFake{}, query)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
	w := getDrops(t, &dropFake{err: seamark.Errorf(seamark.Unavailable, "seamark-store-away", "Away.")}, "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
}

// TestDropAdvice looks at the advice for reasons of every sort, and at what is said of those that nobody has thought of.
func TestDropAdvice(t *testing.T) {
	for _, c := range []struct {
		reason string
		status uint16
		words  string
	}{
		{"seamark-quota-daily", 429, "midnight UTC"},
		{"seamark-quota-rows", 429, "/api/v1/quotas"},
		{"seamark-series-limit", 429, "active_series"},
		{"seamark-label-name", 400, "relabelling"},
		{"seamark-body-json", 400, "its URL belong together"},
		{"seamark-body-large", 413, "batch size"},
		{"seamark-token-revoked", 401, "revoked"},
		{"seamark-token-malformed", 401, "Authorization header"},
		{"seamark-queue-busy", 503, "tries again"},
		{"seamark-never-heard", 503, "tries again"},
		{"seamark-never-heard", 422, "gave the data up"},
	} {
		w := getDrops(t, &dropFake{list: []api.DropReason{{Reason: c.reason, Statuses: []uint16{c.status}}}}, "")
		require.Contains(t, w.Body.String(), c.words, c.reason)
	}
}
