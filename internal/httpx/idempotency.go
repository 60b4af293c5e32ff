package httpx

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Headers of creations that may be repeated (draft-ietf-httpapi-idempotency-key-header).
const (
	idempotencyKeyHeader      = "Idempotency-Key"
	idempotencyReplayedHeader = "Idempotency-Replayed"
)

// maxIdempotencyKeyBytes bounds a key. It is hashed; the bound keeps mistakes, such as a whole body as key, out.
const maxIdempotencyKeyBytes = 255

// ReplayKey names one creation: a key of the sender's choice, of one principal, for one route.
type ReplayKey struct {
	Tenant      seamark.TenantID // zero for operators
	Name        string           // a hash, in hexadecimal
	Fingerprint string           // of the request: path, query and body
}

// Answer is what a creation answered.
type Answer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   []byte            `json:"body"`
}

// Replays remembers for a day what creations answered. An answer may hold a secret that is shown once: implementations store
// none in clear.
type Replays interface {
	// Claim takes a key for the request that is about to be served, and returns nil, or returns what was answered before to
	// the same request. Errors: Unprocessable when the key was used with another fingerprint, Conflict while the first request
	// is under way, Unavailable.
	Claim(ctx context.Context, key *ReplayKey) (*Answer, error)
	// Keep stores the answer of a claimed key.
	Keep(ctx context.Context, key *ReplayKey, answer *Answer) error
	// Release gives a claimed key back: nothing was created.
	Release(ctx context.Context, key *ReplayKey) error
}

// once serves a creation whose sender has named it, or gives the answer that it had before. A creation that failed made
// nothing: its key is free again.
func (e *Edge) once(w http.ResponseWriter, req *Request, route *Route) error {
	key, err := replayKeyOf(req, route)
	if err != nil {
		return err
	}
	before, err := e.opts.Replays.Claim(req.Context(), key)
	if err != nil {
		return err
	}
	if before != nil {
		req.replayed = true
		w.Header().Set(idempotencyReplayedHeader, "true")
		return before.write(w)
	}
	// What was begun is remembered also when the sender goes away: it will come back with the same key.
	ctx := context.WithoutCancel(req.Context())
	made := recording{header: w.Header()}
	if err := route.Handler(&made, req); err != nil {
		e.noteReplay(req, route, e.opts.Replays.Release(ctx, key))
		return err
	}
	answer := made.answer()
	// A key whose answer could not be kept stays claimed for a while: better that the sender is told to wait than that the
	// same thing is created twice.
	e.noteReplay(req, route, e.opts.Replays.Keep(ctx, key, answer))
	return answer.write(w)
}

func (e *Edge) noteReplay(req *Request, route *Route, err error) {
	if err != nil {
		e.opts.Logger.LogAttrs(req.Context(), slog.LevelError, "an idempotency key could not be written",
			slog.String("request_id", req.ID), slog.String("route", route.Path), slog.Any("err", err))
	}
}

// replayKeyOf reads the header and the body, which the handler can read again.
func replayKeyOf(req *Request, route *Route) (*ReplayKey, error) {
	text := req.Header.Get(idempotencyKeyHeader)
	for _, c := range []byte(text) {
		if c < 0x20 || c > 0x7e {
			return nil, seamark.Errorf(seamark.Invalid, "seamark-idempotency-key", "The header Idempotency-Key has a byte that is not printable ASCII.")
		}
	}
	if len(text) > maxIdempotencyKeyBytes {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-idempotency-key",
			"The header Idempotency-Key has %d bytes; the limit is %d. Use a random id.", len(text), maxIdempotencyKeyBytes)
	}
	body, err := ReadBody(req)
	if err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	who := req.Principal.CredentialID
	if req.Principal.Kind == seamark.Session {
		who = req.Principal.Login // who signs in again goes on with the same keys
	}
	return &ReplayKey{
		Tenant: req.Principal.Tenant, Name: hashOf(string(req.Principal.Tenant), req.Principal.Kind.String(), who, route.Method, route.Path, text),
		Fingerprint: hashOf(req.URL.EscapedPath(), req.URL.RawQuery, string(body)),
	}, nil
}

func hashOf(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		sum := sha256.Sum256([]byte(part)) // so that no two lists of parts look the same
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// recording keeps what a handler answers.
type recording struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recording) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recording) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recording) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recording) answer() *Answer {
	r.WriteHeader(http.StatusOK)
	a := &Answer{Status: r.status, Header: map[string]string{}, Body: r.body.Bytes()}
	for _, name := range []string{"Content-Type", "ETag", "Location"} {
		if value := r.header.Get(name); value != "" {
			a.Header[name] = value
		}
	}
	return a
}

func (a *Answer) write(w http.ResponseWriter) error {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(a.Body)
	return err
}
