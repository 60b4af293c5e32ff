package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// promRecord is one request and what Prometheus 3.15 (module v0.315.0, web/api/v1) answered over the storage of promData:
// its own handler was run with promFake's engine and storage, and its answers written down.
type promRecord struct {
	Request []string // the path, then names and values of parameters
	Status  int
	Type    string
	Body    string
}

// TestPrometheusTwin replays what was recorded from Prometheus' own API: status, type and every byte of a good answer must
// be the same. Of faults the members are the same, in an order of the edge's own.
func TestPrometheusTwin(t *testing.T) {
	text, err := os.ReadFile("testdata/prometheus.json")
	require.NoError(t, err)
	var records []promRecord
	require.NoError(t, json.Unmarshal(text, &records))
	require.NotEmpty(t, records)
	edge := promEdge(t, newPromFake(t))
	for _, c := range records {
		methods := []string{http.MethodGet, http.MethodPost}
		if path := c.Request[0]; path == "/metadata" || path == "/status/tsdb" || strings.HasPrefix(path, "/label/") {
			methods = methods[:1]
		}
		for _, method := range methods {
			w := httptest.NewRecorder()
			edge.ServeHTTP(w, c.http(t, method))
			name := method + " " + strings.Join(c.Request, " ")
			require.Equal(t, c.Status, w.Code, "%s: %s", name, w.Body)
			require.Equal(t, c.Type, w.Header().Get("Content-Type"), name)
			if c.Status >= http.StatusBadRequest {
				require.JSONEq(t, c.Body, w.Body.String(), name)
			} else {
				require.Equal(t, c.Body, w.Body.String(), name)
			}
		}
	}
}

func (c *promRecord) http(t *testing.T, method string) *http.Request {
	t.Helper()
	values := url.Values{}
	for i := 1; i < len(c.Request); i += 2 {
		values.Add(c.Request[i], c.Request[i+1])
	}
	target, body := "/prometheus/api/v1"+c.Request[0], ""
	if method == http.MethodPost {
		body = values.Encode()
	} else {
		target += "?" + values.Encode()
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer smk_x")
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}
