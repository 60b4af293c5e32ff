package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// LogContextQuery names a log line and says how much around it is wanted.
type LogContextQuery struct {
	Stream        string // a selector; "" where Fingerprint names the stream
	Fingerprint   uint64
	Time          int64   // nanoseconds since 1970
	Line          *string // nil takes the first line of the time
	Pod           bool    // all streams of the line's pod
	Before, After int
	Span          time.Duration // 0: the reader's default
}

// LogContextLine is one line among those around another.
type LogContextLine struct {
	Time        int64
	Fingerprint uint64 // of its stream
	Labels      []seamark.Label
	Text        string
	Level       seamark.Level
	TraceID     [16]byte // zero for none
	SpanID      [8]byte
	Metadata    []seamark.Label
	Anchor      bool // the line that was asked for
}

// LogContextPage is lines that stand together, oldest first, with cursors for what lies behind its ends.
type LogContextPage struct {
	Lines                 []LogContextLine
	Before, After         string // "" on a side that was not asked for
	MoreBefore, MoreAfter bool
}

// LogContextReader is what the route of a line's context needs.
type LogContextReader interface {
	// LogContext returns a line with those around it.
	LogContext(ctx context.Context, scope seamark.Scope, q LogContextQuery) (*LogContextPage, error)
	// LogContextPage goes on from a cursor; limit 0 is the reader's default.
	LogContextPage(ctx context.Context, scope seamark.Scope, cursor string, limit int) (*LogContextPage, error)
}

// logContextDefault is how many lines are shown on each side when the caller does not say.
const logContextDefault = 10

// LogContextRoutes returns the route of what stands around a log line.
func LogContextRoutes(reader LogContextReader, now func() time.Time) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/logs/context", Permission: "data:read", HonoursScope: true,
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			p, err := newLokiParams(r, now())
			if err != nil {
				return err
			}
			var page *LogContextPage
			if cursor := p.values.Get("cursor"); cursor != "" {
				page, err = logContextPage(r, reader, p, cursor)
			} else {
				page, err = logContextAround(r, reader, p)
			}
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, logContextAnswerOf(page))
		},
	}}
}

func logContextPage(r *httpx.Request, reader LogContextReader, p *lokiParams, cursor string) (*LogContextPage, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	return reader.LogContextPage(r.Context(), r.Scope(), cursor, limit)
}

func logContextAround(r *httpx.Request, reader LogContextReader, p *lokiParams) (*LogContextPage, error) {
	q := LogContextQuery{Stream: p.values.Get("stream"), Before: logContextDefault, After: logContextDefault}
	var err error
	if text := p.values.Get("fingerprint"); text != "" {
		if q.Fingerprint, err = strconv.ParseUint(text, 16, 64); err != nil || len(text) != 16 {
			return nil, p.invalid("fingerprint", "16 hexadecimal digits, as an answer has them")
		}
	}
	if (q.Stream == "") == (p.values.Get("fingerprint") == "") {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-parameter-missing", "Either the parameter stream or the parameter fingerprint must be sent.")
	}
	if _, err = p.required("time"); err != nil {
		return nil, err
	}
	at, err := p.time("time", time.Time{})
	if err != nil {
		return nil, err
	}
	q.Time = at.UnixNano()
	if p.values.Has("line") {
		line := p.values.Get("line")
		q.Line = &line
	}
	switch p.values.Get("scope") {
	case "", "stream":
	case "pod":
		q.Pod = true
	default:
		return nil, p.invalid("scope", "stream or pod")
	}
	if p.values.Get("span") != "" {
		if q.Span, err = p.duration("span"); err != nil {
			return nil, err
		}
	}
	for name, n := range map[string]*int{"before": &q.Before, "after": &q.After} {
		if text := p.values.Get(name); text != "" {
			if *n, err = strconv.Atoi(text); err != nil || *n < 0 {
				return nil, p.invalid(name, "a whole number of lines")
			}
		}
	}
	return reader.LogContext(r.Context(), r.Scope(), q)
}

// logContextAnswer is the answer of the route. The labels of streams stand once.
type logContextAnswer struct {
	Streams map[string]map[string]string `json:"streams"` // by fingerprint
	Lines   []logContextLine             `json:"lines"`
	Before  *logContextEnd               `json:"before,omitempty"`
	After   *logContextEnd               `json:"after,omitempty"`
}

type logContextEnd struct {
	Cursor string `json:"cursor"`
	More   bool   `json:"more"`
}

type logContextLine struct {
	Time     string            `json:"time"`           // RFC 3339 with nanoseconds
	Nanos    string            `json:"time_unix_nano"` // text, because JavaScript's numbers cannot hold it
	Stream   string            `json:"stream"`
	Line     string            `json:"line"`
	Level    string            `json:"level,omitempty"`
	TraceID  string            `json:"trace_id,omitempty"`
	SpanID   string            `json:"span_id,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Anchor   bool              `json:"anchor,omitempty"`
}

func logContextAnswerOf(p *LogContextPage) *logContextAnswer {
	a := &logContextAnswer{Streams: map[string]map[string]string{}, Lines: make([]logContextLine, len(p.Lines))}
	for i := range p.Lines {
		l := &p.Lines[i]
		line := logContextLine{
			Time: time.Unix(0, l.Time).UTC().Format(nanoForm), Nanos: strconv.FormatInt(l.Time, 10), Stream: fmt.Sprintf("%016x", l.Fingerprint),
			Line: l.Text, Anchor: l.Anchor,
		}
		if l.Level != seamark.LevelUnknown {
			line.Level = l.Level.String()
		}
		if l.TraceID != ([16]byte{}) {
			line.TraceID = hex.EncodeToString(l.TraceID[:])
		}
		if l.SpanID != ([8]byte{}) {
			line.SpanID = hex.EncodeToString(l.SpanID[:])
		}
		if len(l.Metadata) > 0 {
			line.Metadata = labelMap(l.Metadata)
		}
		if a.Streams[line.Stream] == nil {
			a.Streams[line.Stream] = labelMap(l.Labels)
		}
		a.Lines[i] = line
	}
	if p.Before != "" {
		a.Before = &logContextEnd{p.Before, p.MoreBefore}
	}
	if p.After != "" {
		a.After = &logContextEnd{p.After, p.MoreAfter}
	}
	return a
}

// nanoForm is RFC 3339 with all nine digits, so that times sort as text.
const nanoForm = "2006-01-02T15:04:05.000000000Z07:00"
