package httpx_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// TestRestrictedPrincipalsAreRefusedUnlessARouteHonoursThem is the rule that a new route cannot forget.
func TestRestrictedPrincipalsAreRefusedUnlessARouteHonoursThem(t *testing.T) {
	narrow := owner
	narrow.Only = &seamark.Restriction{Namespaces: []string{"shop"}}
	v := &changing{owner: narrow}
	var used []string
	handler := func(w http.ResponseWriter, r *httpx.Request) error {
		_, err := fmt.Fprintf(w, "%q %s %s", r.Tenant(), r.Scope().Tenant, r.Scope().Only)
		return err
	}
	e, err := httpx.New(httpx.Options{
		Routes: []httpx.Route{
			{Method: http.MethodPost, Path: "/all", Permission: "data:read", Handler: handler},
			{Method: http.MethodPost, Path: "/part", Permission: "data:read", HonoursScope: true, Handler: handler},
		},
		Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		Used: func(credential, _, agent string) { used = append(used, credential+" "+agent) },
	})
	require.NoError(t, err)
	refused := call(e, "/all", "Authorization", "Bearer smk_good", "User-Agent", "curl")
	require.Equal(t, http.StatusForbidden, refused.Code)
	require.Contains(t, refused.Body.String(), "seamark-scope-unsupported")
	require.Empty(t, used, "a request that was refused used nothing")

	answer := call(e, "/part", "Authorization", "Bearer smk_good", "User-Agent", "curl")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, fmt.Sprintf("%q %s namespaces shop", "", owner.Tenant), answer.Body.String(), "the whole tenant is not for it")
	require.Equal(t, []string{owner.CredentialID + " curl"}, used)

	v.owner = owner
	whole := call(e, "/all", "Authorization", "Bearer smk_good")
	require.Equal(t, fmt.Sprintf("%q %s the whole tenant", owner.Tenant, owner.Tenant), whole.Body.String())
}

// TestReauthorizeNoticesARestriction: what goes on for long must not go on with what was allowed at its beginning.
func TestReauthorizeNoticesARestriction(t *testing.T) {
	v := &changing{owner: owner}
	e, err := httpx.New(httpx.Options{
		Routes: []httpx.Route{{Method: http.MethodPost, Path: "/part", Permission: "data:read", HonoursScope: true,
			Handler: func(_ http.ResponseWriter, r *httpx.Request) error {
				v.owner.Only = &seamark.Restriction{Namespaces: []string{"shop"}}
				return r.Reauthorize()
			}}},
		Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
	})
	require.NoError(t, err)
	answer := call(e, "/part", "Authorization", "Bearer smk_good")
	require.Equal(t, http.StatusForbidden, answer.Code)
	require.Contains(t, answer.Body.String(), "seamark-credential-moved")
}
