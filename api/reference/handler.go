package reference

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

//go:embed openapi.yaml errors.md page.html errors.html style.css
var files embed.FS

// csp lets a page have nothing but its own style sheet.
const csp = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// paths is what is served, and how each is made.
func paths() map[string]func() (contentType string, body []byte, err error) {
	return map[string]func() (string, []byte, error){
		"/docs":              renderReference,
		"/docs/errors":       renderErrors,
		"/docs/style.css":    func() (string, []byte, error) { return plain("style.css", "text/css; charset=utf-8") },
		"/docs/openapi.yaml": func() (string, []byte, error) { return plain("openapi.yaml", "application/yaml") },
	}
}

// Handler serves the reference below /docs and leaves all other paths to next. A page is made when it is first asked for,
// which takes some ten milliseconds, and kept.
func Handler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	for path, render := range paths() {
		mux.Handle("GET "+path, &page{make: sync.OnceValues(func() (*rendered, error) { return newRendered(render()) })})
	}
	mux.Handle("GET /docs/{$}", http.RedirectHandler("/docs", http.StatusMovedPermanently))
	mux.Handle("/", next)
	return mux
}

func plain(name, contentType string) (string, []byte, error) {
	body, err := files.ReadFile(name)
	return contentType, body, err
}

func renderReference() (contentType string, body []byte, err error) {
	text, err := files.ReadFile("openapi.yaml")
	if err != nil {
		return "", nil, err
	}
	s, err := parse(text)
	if err != nil {
		return "", nil, err
	}
	return execute("page.html", viewOf(s))
}

func renderErrors() (contentType string, body []byte, err error) {
	text, err := files.ReadFile("errors.md")
	if err != nil {
		return "", nil, err
	}
	return execute("errors.html", document(string(text)))
}

func execute(name string, data any) (contentType string, body []byte, err error) {
	t, err := template.New("").Funcs(template.FuncMap{"lower": strings.ToLower}).ParseFS(files, "*.html")
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return "", nil, fmt.Errorf("render %s: %w", name, err)
	}
	return "text/html; charset=utf-8", b.Bytes(), nil
}

// rendered is one file, also compressed.
type rendered struct {
	contentType, etag string
	identity, gzipped []byte
}

func newRendered(contentType string, body []byte, err error) (*rendered, error) {
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	return &rendered{contentType, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, body, b.Bytes()}, nil
}

// page serves one file.
type page struct{ make func() (*rendered, error) }

// ServeHTTP implements http.Handler.
func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, err := p.make()
	if err != nil { // the files are part of the binary, and tests render them
		http.Error(w, "The reference cannot be shown.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.contentType)
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", file.etag)
	if r.Header.Get("If-None-Match") == file.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := file.identity
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = file.gzipped
	}
	_, _ = w.Write(body)
}
