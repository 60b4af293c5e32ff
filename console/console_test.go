package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func built(t *testing.T) http.Handler {
	t.Helper()
	h, err := newHandler(fstest.MapFS{
		".gitkeep":              {},
		"index.html":            {Data: []byte("<!doctype html>app")},
		"index.html.br":         {Data: []byte("br-index")},
		"theme.js":              {Data: []byte("theme")},
		"assets/app-abc1.js":    {Data: []byte("app")},
		"assets/app-abc1.js.br": {Data: []byte("br-app")},
		"assets/app-abc1.js.gz": {Data: []byte("gz-app")},
		"assets/mono-ff.woff2":  {Data: []byte("font")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, http.NoBody)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestHandlerServesFiles(t *testing.T) {
	const page = "text/html; charset=utf-8"
	const script = "text/javascript; charset=utf-8"
	type answer struct {
		Status                      int
		Type, Cache, Encoding, Body string
	}
	tests := []struct {
		name, target, accept string
		want                 answer
	}{
		{"root", "/", "", answer{200, page, plainCache, "", "<!doctype html>app"}},
		{"root packed", "/", "gzip, br", answer{200, page, plainCache, "br", "br-index"}},
		{"page of the app", "/logs", "", answer{200, page, plainCache, "", "<!doctype html>app"}},
		{"deep page of the app", "/a/b/c?x=1.2", "", answer{200, page, plainCache, "", "<!doctype html>app"}},
		{"unhashed file", "/theme.js", "br", answer{200, script, plainCache, "", "theme"}},
		{"hashed, brotli preferred", "/assets/app-abc1.js", "gzip, deflate, br", answer{200, script, hashedCache, "br", "br-app"}},
		{"hashed, gzip only", "/assets/app-abc1.js", "gzip;q=1.0", answer{200, script, hashedCache, "gzip", "gz-app"}},
		{"hashed, brotli refused", "/assets/app-abc1.js", "br;q=0, gzip", answer{200, script, hashedCache, "gzip", "gz-app"}},
		{"hashed, no encoding", "/assets/app-abc1.js", "", answer{200, script, hashedCache, "", "app"}},
		{"font", "/assets/mono-ff.woff2", "br", answer{200, "font/woff2", hashedCache, "", "font"}},
	}
	h := built(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := ask(h, http.MethodGet, tt.target, "Accept-Encoding", tt.accept)
			got := answer{
				resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control"),
				resp.Header.Get("Content-Encoding"), bodyOf(t, resp),
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("GET %s (-want +got):\n%s", tt.target, diff)
			}
		})
	}
}

func TestHandlerRefuses(t *testing.T) {
	h := built(t)
	for _, target := range []string{
		"/missing.js", "/assets/app-old.js", "/assets/nodot", "/.gitkeep", "/../console.go", "/api/v1/nothing", "/api",
		"/loki/api/v1/nothing", "/prometheus/api/v1/nothing", "/assets/app-abc1.js.br",
	} {
		resp := ask(h, http.MethodGet, target)
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", target, resp.StatusCode)
		}
	}
	resp := ask(h, http.MethodPost, "/")
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST / = %d, Allow %q; want 405 with GET, HEAD", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

func TestHandlerRevalidates(t *testing.T) {
	h := built(t)
	etag := ask(h, http.MethodGet, "/").Header.Get("ETag")
	if etag == "" {
		t.Fatal("GET / has no ETag")
	}
	if got := ask(h, http.MethodGet, "/logs", "If-None-Match", etag).StatusCode; got != http.StatusNotModified {
		t.Errorf("GET /logs with the page's ETag = %d, want 304", got)
	}
	packed := ask(h, http.MethodGet, "/", "Accept-Encoding", "br")
	if packed.Header.Get("ETag") == etag {
		t.Error("the Brotli form shares the ETag of the plain form")
	}
	if got := packed.Header.Get("Vary"); got != "Accept-Encoding" {
		t.Errorf("Vary = %q, want Accept-Encoding", got)
	}
	head := ask(h, http.MethodHead, "/")
	if body := bodyOf(t, head); head.StatusCode != http.StatusOK || body != "" {
		t.Errorf("HEAD / = %d with %d bytes, want 200 without a body", head.StatusCode, len(body))
	}
}

func TestHandlerSecurityHeaders(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
			"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
		"X-Content-Type-Options": "nosniff",
		"X-Frame-Options":        "DENY",
		"Referrer-Policy":        "no-referrer",
	}
	h := built(t)
	for _, target := range []string{"/", "/assets/app-abc1.js", "/missing.js"} {
		resp := ask(h, http.MethodGet, target)
		for name, value := range want {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("GET %s: %s = %q, want %q", target, name, got, value)
			}
		}
	}
}

func TestHandlerWithoutBuild(t *testing.T) {
	h, err := newHandler(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	resp := ask(h, http.MethodGet, "/")
	if body := bodyOf(t, resp); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "make console") {
		t.Errorf("GET / = %d %q, want 503 that says how to build the console", resp.StatusCode, body)
	}
}

func TestEmbeddedHandlerStarts(t *testing.T) {
	// A fresh clone has only .gitkeep, a built tree the whole app: both must serve a page at the root.
	resp := ask(Handler(), http.MethodGet, "/")
	body := bodyOf(t, resp)
	if !strings.Contains(body, "<!doctype html>") && !strings.Contains(body, "make console") {
		t.Errorf("GET / = %d %q, want the app's page or how to build it", resp.StatusCode, body)
	}
}
