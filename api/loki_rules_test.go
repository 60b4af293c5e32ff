package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLokiRules asks for rules over logs as Grafana does: its probe for a ruler, and its list. A text with "page not found"
// would tell it that there is no ruler.
func TestLokiRules(t *testing.T) {
	for path, want := range map[string]string{"": "no rule groups found", "/test": "no rule groups found", "/test/test": "group does not exist"} {
		for _, prefix := range []string{"/loki/api/v1/rules", "/api/prom/rules"} {
			w := lokiDo(t, &lokiEngine{}, httptest.NewRequest(http.MethodGet, prefix+path, http.NoBody))
			if text := w.Body.String(); w.Code != http.StatusNotFound || !strings.HasPrefix(text, want) || strings.Contains(text, "page not found") {
				t.Errorf("GET %s%s: got %d %q, want 404 %q", prefix, path, w.Code, text, want)
			}
		}
	}
}
