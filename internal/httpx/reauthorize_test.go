package httpx_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// changing is a verifier whose answer is told.
type changing struct {
	oneToken
	owner seamark.Principal
	err   error
}

func (c *changing) Authenticate(context.Context, string) (seamark.Principal, error) {
	return c.owner, c.err
}

// TestReauthorize proves a credential anew inside a handler that goes on while it is revoked.
func TestReauthorize(t *testing.T) {
	v := &changing{owner: owner}
	var seen []seamark.Kind
	var whole []error
	ask := func(r *httpx.Request) {
		err := r.Reauthorize()
		whole = append(whole, err)
		seen = append(seen, seamark.KindOf(err))
	}
	handler := func(_ http.ResponseWriter, r *httpx.Request) error {
		ask(r)
		v.err = seamark.Errorf(seamark.Unauthenticated, "seamark-token-revoked", "Token key1 was revoked.")
		ask(r)
		v.err, v.owner.Tenant = nil, "01ARZ3NDEKTSV4RRFFQ69G5FAW"
		ask(r)
		return nil
	}
	e, err := httpx.New(httpx.Options{
		Routes: []httpx.Route{
			{Method: http.MethodPost, Path: "/long", Permission: "data:read", Handler: handler},
			{Method: http.MethodPost, Path: "/anybody", Permission: httpx.Anonymous, Handler: func(_ http.ResponseWriter, r *httpx.Request) error { return r.Reauthorize() }},
		},
		Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, call(e, "/long", "Authorization", "Bearer smk_good").Code)
	require.NoError(t, whole[0])
	require.Equal(t, []seamark.Kind{seamark.Unauthenticated, seamark.Forbidden}, seen[1:])
	require.Equal(t, http.StatusOK, call(e, "/anybody").Code)
}
