package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// eventFake answers with list and remembers what was asked.
type eventFake struct {
	list      []seamark.Event
	truncated bool
	err       error
	tenant    seamark.TenantID
	filter    api.EventFilter
}

func (f *eventFake) ListEvents(_ context.Context, tenant seamark.TenantID, filter api.EventFilter) ([]seamark.Event, bool, error) {
	f.tenant, f.filter = tenant, filter
	return f.list, f.truncated, f.err
}

func eventsNow() time.Time { return time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC) }

func getEvents(t *testing.T, f *eventFake, query string) *httptest.ResponseRecorder {
	t.Helper()
	e, err := httpx.New(httpx.Options{
		Routes: api.EventRoutes(f, eventsNow), Verifier: promVerifier{}, Logger: slog.New(slog.DiscardHandler),
		Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/events"+query, nil)
	r.Header.Set("Authorization", "Bearer smk_x")
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w
}

func TestEventsAnswer(t *testing.T) {
	f := &eventFake{truncated: true, list: []seamark.Event{{
		Cluster: "prod", UID: "u", Namespace: "shop", Kind: "Pod", Object: "cart-1", Type: "Warning", Reason: "BackOff", Message: "Back-off",
		Source: "kubelet", Node: "n1", Count: 3, First: eventsNow().In(time.FixedZone("x", 3600)), Last: eventsNow(),
	}}}
	w := getEvents(t, f, "")
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"items":[{"cluster":"prod","uid":"u","namespace":"shop","kind":"Pod","object":"cart-1","type":"Warning","reason":"BackOff",
		"message":"Back-off","source":"kubelet","node":"n1","count":3,"first":"2026-05-17T12:00:00Z","last":"2026-05-17T12:00:00Z"}],"truncated":true}`, w.Body.String())
	require.Equal(t, promTenant, f.tenant)
	require.Equal(t, `{"items":[],"truncated":false}`+"\n", getEvents(t, &eventFake{}, "").Body.String())
}

func TestEventsParameters(t *testing.T) {
	f := &eventFake{}
	getEvents(t, f, "")
	require.Equal(t, api.EventFilter{Range: seamark.TimeRange{Start: eventsNow().Add(-time.Hour), End: eventsNow()}}, f.filter)
	getEvents(t, f, "?end=1000")
	require.Equal(t, seamark.TimeRange{Start: time.Unix(1000-3600, 0).UTC(), End: time.Unix(1000, 0).UTC()}, f.filter.Range)
	getEvents(t, f, "?start=2026-05-17T10:00:00Z&end=2026-05-17T11:00:00Z&cluster=c&namespace=n&kind=k&object=o&reason=r&type=t&q=some+text&limit=5000")
	require.Equal(t, api.EventFilter{
		Range:   seamark.TimeRange{Start: eventsNow().Add(-2 * time.Hour), End: eventsNow().Add(-time.Hour)},
		Cluster: "c", Namespace: "n", Kind: "k", Object: "o", Reason: "r", Type: "t", Text: "some text", Limit: 5000,
	}, f.filter)
}

func TestEventsFaults(t *testing.T) {
	for _, query := range []string{"?start=x", "?end=x", "?limit=x", "?limit=0", "?limit=-1"} {
		w := getEvents(t, &eventFake{}, query)
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	}
	w := getEvents(t, &eventFake{err: seamark.Errorf(seamark.Unavailable, "seamark-store-away", "Away.")}, "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), `"seamark-store-away"`)
}
