package httpx_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var long = strings.Repeat(`{"metric":{"pod":"web-0"}},`, 100)

func answering(permission, media string, pieces ...string) httpx.Route {
	return httpx.Route{Method: http.MethodPost, Path: "/x", Permission: permission, Handler: func(w http.ResponseWriter, _ *httpx.Request) error {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(http.StatusOK)
		for _, piece := range pieces {
			if _, err := io.WriteString(w, piece); err != nil {
				return err
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
		}
		return nil
	}}
}

// TestAnswersOfQueriesArePacked asks for answers of queries, and of other routes, with and without gzip.
func TestAnswersOfQueriesArePacked(t *testing.T) {
	const asJSON = "application/json"
	encoded := httpx.Route{Method: http.MethodPost, Path: "/x", Permission: "data:read", Handler: func(w http.ResponseWriter, _ *httpx.Request) error {
		w.Header().Set("Content-Type", asJSON)
		w.Header().Set("Content-Encoding", "zstd")
		_, err := io.WriteString(w, long)
		return err
	}}
	for name, c := range map[string]struct {
		route  httpx.Route
		accept string
		want   string // the answer's Content-Encoding
		body   string
	}{
		"a long answer":             {answering("data:read", asJSON, long), "gzip", "gzip", long},
		"in pieces":                 {answering("data:read", asJSON, long, "x", long), "deflate, gzip;q=0.8, br", "gzip", long + "x" + long},
		"of text":                   {answering("data:read", "text/plain; charset=utf-8", long), "GZIP", "gzip", long},
		"a short answer":            {answering("data:read", asJSON, "{}"), "gzip", "", "{}"},
		"no body":                   {answering("data:read", asJSON), "gzip", "", ""},
		"nobody asks":               {answering("data:read", asJSON, long), "", "", long},
		"refused":                   {answering("data:read", asJSON, long), "gzip;q=0, br", "", long},
		"anything is no yes":        {answering("data:read", asJSON, long), "*", "", long},
		"compressed by its handler": {encoded, "gzip", "zstd", long},
		"binary":                    {answering("data:read", "application/x-protobuf", long), "gzip", "", long},
		"another route":             {answering("tokens:read", asJSON, long), "gzip", "", long},
	} {
		t.Run(name, func(t *testing.T) {
			var refused []refusal
			w := call(edge(t, &refused, c.route), "/x", "Authorization", "Bearer smk_good", "Accept-Encoding", c.accept)
			require.Equal(t, http.StatusOK, w.Code)
			require.Equal(t, c.want, w.Header().Get("Content-Encoding"))
			require.Equal(t, c.route.Permission == "data:read", w.Header().Get("Vary") == "Accept-Encoding", w.Header())
			var body io.Reader = w.Body
			if c.want == "gzip" {
				require.Less(t, w.Body.Len(), len(long)/4)
				zip, err := gzip.NewReader(w.Body)
				require.NoError(t, err)
				body = zip
			}
			got, err := io.ReadAll(body)
			require.NoError(t, err)
			require.Equal(t, c.body, string(got))
		})
	}
}

// TestPackedErrors: an error before the body has its status and is plain; one after it cuts the stream, which then does not end as gzip.
func TestPackedErrors(t *testing.T) {
	refuse := errors.New("broken")
	early := httpx.Route{Method: http.MethodPost, Path: "/x", Permission: "data:read", Dialect: httpx.Prometheus, Handler: func(http.ResponseWriter, *httpx.Request) error {
		return seamark.Errorf(seamark.Invalid, "seamark-x", "%s", long)
	}}
	late := httpx.Route{Method: http.MethodPost, Path: "/y", Permission: "data:read", Handler: func(w http.ResponseWriter, _ *httpx.Request) error {
		w.Header().Set("Content-Type", "application/json")
		_, err := io.WriteString(w, long)
		return errors.Join(err, refuse)
	}}
	var refused []refusal
	server := httptest.NewServer(edge(t, &refused, early, late))
	t.Cleanup(server.Close)
	ask := func(path string) (*http.Response, string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, http.NoBody)
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer smk_good") // Go's client asks for gzip and undoes it
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, "", err
		}
		text, err := io.ReadAll(resp.Body)
		return resp, string(text), errors.Join(err, resp.Body.Close())
	}
	resp, text, err := ask("/x")
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.False(t, resp.Uncompressed)
	require.Contains(t, text, "bad_data")
	_, _, err = ask("/y")
	require.Error(t, err)
}
