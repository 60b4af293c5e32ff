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

// signedIn takes the session `a.b.c`, whose token is over after the first look and whose session when it is told so.
type signedIn struct {
	oneToken
	looks int
	over  bool
}

func sessionOver() error {
	return seamark.Errorf(seamark.Unauthenticated, "seamark-session-over", "The session is over.")
}

func (s *signedIn) VerifySession(context.Context, string) (seamark.Principal, error) {
	if s.looks++; s.looks > 1 {
		return seamark.Principal{}, sessionOver()
	}
	return owner, nil
}

func (s *signedIn) ContinueSession(context.Context, string) (seamark.Principal, error) {
	if s.over {
		return seamark.Principal{}, sessionOver()
	}
	return owner, nil
}

// TestLongRequestOutlivesItsToken: a tail goes on while its person is signed in, although its token lives for minutes.
func TestLongRequestOutlivesItsToken(t *testing.T) {
	for _, cookie := range []string{httpx.SessionCookie, httpx.HostPrefix + httpx.SessionCookie} {
		v := &signedIn{}
		e, err := httpx.New(httpx.Options{
			Routes: []httpx.Route{{Method: http.MethodPost, Path: "/long", Permission: "data:read", Handler: func(_ http.ResponseWriter, r *httpx.Request) error {
				require.NoError(t, r.Reauthorize())
				v.over = true
				return r.Reauthorize()
			}}},
			Verifier: v, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		})
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, call(e, "/long", "Cookie", cookie+"=a.b.c").Code)
		require.True(t, v.over, "the handler never ran")
	}
}
