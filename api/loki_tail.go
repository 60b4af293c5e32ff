package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogTailer is what the tail's route needs.
type LogTailer interface {
	// TailLogs checks q and takes one of the tenant's places.
	TailLogs(ctx context.Context, scope seamark.Scope, q LogTailQuery) (LogTail, error)
}

// LogTail is an open tail.
type LogTail interface {
	// Run hands frames, in the JSON of Loki's tail, to send until ctx ends, send fails or the tail does. It never returns nil.
	Run(ctx context.Context, send func(frame []byte) error) error
	// Close gives the tail's place back; Run does, too.
	Close()
}

// ErrTailClosing is what a LogTail ends with when the server stops.
var ErrTailClosing = errors.New("the server stops")

// LogTailQuery asks for lines as they arrive.
type LogTailQuery struct {
	Query      string
	Start      time.Time     // of the lines to begin with
	Limit      int           // of the lines to begin with
	Delay      time.Duration // how long lines wait for older ones
	Categorize bool
}

const (
	// lokiTailLimit is how many lines a tail begins with by default, as in Loki.
	lokiTailLimit = 100
	// maxLokiDelay is the longest delay_for, in seconds.
	maxLokiDelay = 5
	// recheckEvery is how often the credential of an open tail is proved anew: so long a revoked token sees lines.
	recheckEvery = time.Second
)

// tail shows lines as they arrive over a WebSocket. What is wrong with a request is told before it becomes one.
func (h lokiHandlers) tail(w http.ResponseWriter, r *httpx.Request) error {
	if err := checkSocket(r); err != nil {
		return err
	}
	q, err := h.tailQuery(r)
	if err != nil {
		return err
	}
	tail, err := h.Tailer.TailLogs(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	defer tail.Close()
	return serveSocket(w, r, h.PingEvery, func(ctx context.Context, s *tailSocket) socketEnd {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		go func() { cancel(watchCredential(ctx, r)) }()
		err := tail.Run(ctx, func(frame []byte) error { return s.send(ctx, frame) })
		switch {
		case errors.Is(err, ErrTailClosing):
			return socketEnd{websocket.StatusGoingAway, "the server is stopping"}
		case errors.Is(context.Cause(ctx), errCredential):
			return socketEnd{websocket.StatusPolicyViolation, "the credential is no longer valid"}
		case ctx.Err() != nil:
			return socketEnd{websocket.StatusNormalClosure, "the tail has ended"}
		}
		h.Logger.DebugContext(ctx, "a tail ended", "request_id", r.ID, "tenant", r.Principal.Tenant, "err", err)
		return socketEnd{websocket.StatusInternalError, "a fault of the server ended the tail"}
	})
}

func (h lokiHandlers) tailQuery(r *httpx.Request) (LogTailQuery, error) {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return LogTailQuery{}, err
	}
	q := LogTailQuery{Categorize: categorizes(r)}
	if q.Query, err = p.required("query"); err != nil {
		return q, err
	}
	if q.Start, err = p.time("start", h.Now().Add(-lokiQuerySpan)); err != nil {
		return q, err
	}
	if q.Limit, err = p.count("limit", lokiTailLimit, max(h.Limits.MaxEntries, 1)); err != nil {
		return q, err
	}
	seconds, err := p.count("delay_for", 0, maxLokiDelay+1)
	if err == nil && seconds > maxLokiDelay {
		err = p.invalid("delay_for", "a number of seconds up to 5")
	}
	q.Delay = time.Duration(seconds) * time.Second
	return q, err
}

// errCredential says that a tail's credential is good no more.
var errCredential = errors.New("the credential is good no more")

// watchCredential returns when the request's credential is refused: revoked, expired, signed out, its tenant suspended. That
// this node knows too little to tell ends nothing.
func watchCredential(ctx context.Context, r *httpx.Request) error {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		switch err := r.Reauthorize(); seamark.KindOf(err) {
		case seamark.Unauthenticated, seamark.Forbidden:
			return errCredential
		}
	}
}

// checkSocket refuses what is no opening of a WebSocket (RFC 6455, section 4.2.1), and pages of another origin: browsers
// send cookies with those, and no other check of origins looks at a GET.
func checkSocket(r *httpx.Request) error {
	const want = "This path speaks WebSocket (RFC 6455, version 13) over HTTP/1.1"
	switch {
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return seamark.Errorf(seamark.Invalid, "seamark-socket-missing", want+"; the request has no Upgrade.")
	case r.ProtoMajor != 1 || r.ProtoMinor != 1 || r.Header.Get("Sec-Websocket-Version") != "13" || !hasSocketKey(r.Header):
		return seamark.Errorf(seamark.Invalid, "seamark-socket-version", want+"; the request is of another version, or has no Sec-WebSocket-Key.")
	}
	origin := r.Header.Get("Origin")
	if origin == "" || r.Header.Get("Authorization") != "" {
		return nil // no browser's page, or one that has a token of its own
	}
	from, err := url.Parse(origin)
	if err != nil || !strings.EqualFold(from.Host, r.Host) {
		return seamark.Errorf(seamark.Forbidden, "seamark-origin-foreign", "A page of another origin may not call this.")
	}
	return nil
}

// hasSocketKey reports whether there is one Sec-WebSocket-Key, of 16 bytes in base64.
func hasSocketKey(h http.Header) bool {
	keys := h.Values("Sec-Websocket-Key")
	if len(keys) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == 16
}

// hasToken reports whether a header's list, separated by commas, has a word in any case of letters.
func hasToken(h http.Header, name, word string) bool {
	for _, value := range h.Values(name) {
		for one := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(one), word) {
				return true
			}
		}
	}
	return false
}
