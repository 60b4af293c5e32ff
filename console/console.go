// Package console serves the web console: the built TypeScript app, embedded in the binary. It knows nothing of the API,
// which lives beside it on the same origin. Only package app imports it.
package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

// csp is the policy of every page. It stands in a file of its own because the browser tests serve it too.
//
//go:embed csp.txt
var csp string

const (
	indexFile = "index.html"
	// assetPrefix holds the files whose names carry a hash of their content.
	assetPrefix = "assets/"
	// hashedCache lets browsers keep hashed files for a year; a new build has new names.
	hashedCache = "public, max-age=31536000, immutable"
	// plainCache makes browsers ask each time, so that a new release shows at the next load.
	plainCache = "no-cache"
)

// apiPrefixes belong to the API. A path below them that reaches this handler is a mistake in a script or a proxy, and the
// app's page with status 200 would hide it.
var apiPrefixes = [...]string{"api/", "loki/", "prometheus/"}

const missingPage = `The console is not part of this build.

Run "make console" and build the binary again. It needs Node.js 20.19 or newer; the API beside this page works without it.
`

// Handler serves the embedded console at "/". Unknown paths without a dot get the app's page, because the app routes
// them itself; everything else unknown is 404. Without a built console it answers with how to build one.
func Handler() http.Handler {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // The name is constant and valid, so this cannot happen.
	}
	h, err := newHandler(sub)
	if err != nil {
		panic(err) // The embedded file system always reads.
	}
	return h
}

// file is one servable file in each of its encodings.
type file struct {
	contentType string
	cache       string
	etag        string
	identity    []byte
	encoded     []encoding // in order of preference
}

type encoding struct {
	name string
	body []byte
}

type handler struct {
	files map[string]*file
}

// newHandler reads all files of fsys once, about a megabyte, so that a request only looks up a map.
func newHandler(fsys fs.FS) (*handler, error) {
	h := &handler{files: make(map[string]*file)}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		ext := path.Ext(name)
		if ext == ".br" || ext == ".gz" || strings.HasPrefix(path.Base(name), ".") {
			return nil
		}
		f, err := readFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		h.files[name] = f
		return nil
	})
	return h, err
}

func readFile(fsys fs.FS, name string) (*file, error) {
	body, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	f := &file{
		contentType: contentType(name),
		cache:       plainCache,
		etag:        hex.EncodeToString(sum[:12]),
		identity:    body,
	}
	if strings.HasPrefix(name, assetPrefix) {
		f.cache = hashedCache
	}
	for _, e := range [...]struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		packed, err := fs.ReadFile(fsys, name+e.suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.encoded = append(f.encoded, encoding{e.name, packed})
	}
	return f, nil
}

// contentType does not rest on the host's mime files for what we ship: nosniff makes a wrong type fatal.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The console answers GET and HEAD only.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if f, ok := h.files[name]; ok {
		f.serve(w, r)
		return
	}
	last := name[strings.LastIndexByte(name, '/')+1:]
	if strings.Contains(last, ".") || strings.HasPrefix(name, assetPrefix) || isAPI(name) {
		w.Header().Set("Cache-Control", plainCache)
		http.Error(w, "Not found.", http.StatusNotFound)
		return
	}
	index, ok := h.files[indexFile]
	if !ok {
		w.Header().Set("Cache-Control", plainCache)
		http.Error(w, missingPage, http.StatusServiceUnavailable)
		return
	}
	index.serve(w, r)
}

func isAPI(name string) bool {
	return slices.ContainsFunc(apiPrefixes[:], func(prefix string) bool {
		return strings.HasPrefix(name+"/", prefix)
	})
}

func setSecurityHeaders(header http.Header) {
	header.Set("Content-Security-Policy", strings.TrimSpace(csp))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", f.cache)
	body, etag := f.identity, f.etag
	if len(f.encoded) > 0 {
		header.Add("Vary", "Accept-Encoding")
		accepted := r.Header.Get("Accept-Encoding")
		for _, e := range f.encoded {
			if accepts(accepted, e.name) {
				body, etag = e.body, f.etag+"-"+e.name
				header.Set("Content-Encoding", e.name)
				break
			}
		}
	}
	header.Set("ETag", `"`+etag+`"`)
	// ServeContent answers If-None-Match, Range and HEAD. The zero time leaves out Last-Modified: embedded files have none.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// accepts reports whether an Accept-Encoding value allows coding (RFC 9110, 12.5.3); "*" is not taken as a yes, because
// clients that send it alone are rarely ready for Brotli.
func accepts(header, coding string) bool {
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, found := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
		return !found || strings.Trim(weight, "0.") != ""
	}
	return false
}
