package api

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lokiVersion is the version of Loki whose query API this is. Grafana decides by it what it asks for: from 3.6 on Logs
// Drilldown asks for its limits, too.
const lokiVersion = "3.6.0"

// LogQuery is one LogQL query, as the parameters of Loki's HTTP API say it.
type LogQuery struct {
	Query      string
	Start, End time.Time     // equal for an instant query
	Step       time.Duration // 0 for an instant query
	Limit      int           // 0: the engine's default
	Forward    bool          // oldest lines first; else newest first
	Categorize bool          // structured metadata and parsed labels stay with their line
}

// LogQuerier is what the Loki routes need of the log query engine. Selectors are LogQL, empty for all streams.
type LogQuerier interface {
	// QueryLogs evaluates q. What it returns writes the answer in Loki's envelope.
	QueryLogs(ctx context.Context, scope seamark.Scope, q LogQuery) (func(io.Writer) error, error)
	LabelNames(ctx context.Context, scope seamark.Scope, selector string, r seamark.TimeRange) ([]string, error)
	LabelValues(ctx context.Context, scope seamark.Scope, name, selector string, r seamark.TimeRange) ([]string, error)
	Series(ctx context.Context, scope seamark.Scope, selectors []string, r seamark.TimeRange) ([][]seamark.Label, error)
	// Format prints a query in its canonical form.
	Format(query string) (string, error)
}

// LokiOptions is what the Loki routes need.
type LokiOptions struct {
	Logs     LogQuerier
	Explorer LogExplorer
	Tailer   LogTailer
	Limits   LokiLimits
	// Tag returns a context whose queries carry the text with which their sender explains itself; nil leaves it out.
	Tag func(ctx context.Context, tags string) context.Context
	// PingEvery is how often a tail without lines is pinged; 0 is every 20 s, before proxies lose patience.
	PingEvery time.Duration
	Logger    *slog.Logger
	// Now is the clock for ranges that end "now".
	Now func() time.Time
}

// LokiRoutes returns the routes of Loki's HTTP API for queries.
func LokiRoutes(o LokiOptions) []httpx.Route {
	const prefix = "/loki/api/v1"
	o.PingEvery = cmp.Or(o.PingEvery, standardPing)
	h := lokiHandlers{o}
	var routes []httpx.Route
	for _, r := range []struct {
		path    string
		handler httpx.Handler
		getOnly bool
	}{
		{path: "/query", handler: h.query},
		{path: "/query_range", handler: h.queryRange},
		{path: "/labels", handler: h.labels},
		{path: "/label", handler: h.labels}, // the old name, which Grafana still tries
		{path: "/label/:name/values", handler: h.labelValues},
		{path: "/series", handler: h.series},
		{path: "/index/stats", handler: h.stats},
		{path: "/index/shards", handler: h.shards},
		{path: "/index/volume", handler: h.volume},
		{path: "/index/volume_range", handler: h.volumeRange},
		{path: "/detected_labels", handler: h.detectedLabels},
		{path: "/detected_fields", handler: h.detectedFields},
		{path: "/detected_field/:name/values", handler: h.detectedFieldValues},
		{path: "/patterns", handler: h.patterns},
		{path: "/format_query", handler: h.format},
		{path: "/tail", handler: h.tail, getOnly: true},
		{path: "/drilldown-limits", handler: h.drilldownLimits, getOnly: true},
		{path: "/status/buildinfo", handler: h.buildInfo, getOnly: true},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if method == http.MethodPost && r.getOnly {
				continue
			}
			routes = append(routes, httpx.Route{Method: method, Path: prefix + r.path, Permission: "data:read", HonoursScope: true, Dialect: httpx.Plain, Handler: h.tagged(r.handler)})
		}
	}
	return routes
}

type lokiHandlers struct{ LokiOptions }

// maxTagsBytes bounds what a request says of itself; Grafana's tags have some forty bytes.
const maxTagsBytes = 256

// tagged hands on X-Query-Tags, in which Grafana says which of its parts asks. Only the characters that Loki lets pass are
// kept.
func (h lokiHandlers) tagged(handle httpx.Handler) httpx.Handler {
	return func(w http.ResponseWriter, r *httpx.Request) error {
		tags := r.Header.Get("X-Query-Tags")
		if h.Tag != nil && tags != "" {
			tags = strings.Map(func(c rune) rune {
				if c < 0x80 && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(" ,;:=./_-", c)) {
					return c
				}
				return '_'
			}, tags[:min(len(tags), maxTagsBytes)])
			r.Request = r.WithContext(h.Tag(r.Context(), tags))
			h.Logger.DebugContext(r.Context(), "log request explains itself", "request_id", r.ID, "tenant", r.Principal.Tenant, "path", r.URL.Path, "tags", tags)
		}
		return handle(w, r)
	}
}

// query answers an instant query.
func (h lokiHandlers) query(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return err
	}
	at, err := p.time("time", h.Now())
	if err != nil {
		return err
	}
	return h.answer(w, r, p, LogQuery{Start: at, End: at})
}

// queryRange answers a query over a range.
func (h lokiHandlers) queryRange(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return err
	}
	span, err := p.timeRange(lokiQuerySpan)
	if err != nil {
		return err
	}
	step, err := p.step(span)
	if err != nil {
		return err
	}
	return h.answer(w, r, p, LogQuery{Start: span.Start, End: span.End, Step: step})
}

func (h lokiHandlers) answer(w http.ResponseWriter, r *httpx.Request, p *lokiParams, q LogQuery) error {
	var err error
	if q.Query, err = p.required("query"); err != nil {
		return err
	}
	if q.Limit, err = p.limit(); err != nil {
		return err
	}
	if q.Forward, err = p.forward(); err != nil {
		return err
	}
	q.Categorize = categorizes(r)
	write, err := h.Logs.QueryLogs(r.Context(), r.Scope(), q)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return write(w)
}

// categorizes reports whether a reader wants the labels of a line apart from those of its stream.
func categorizes(r *httpx.Request) bool {
	return hasToken(r.Header, "X-Loki-Response-Encoding-Flags", "categorize-labels")
}

// lokiData is Loki's envelope of a list.
type lokiData[T any] struct {
	Status string `json:"status"`
	Data   T      `json:"data"`
}

// writeLokiList answers a list, an empty one as [] and not as null.
func writeLokiList[T any](w http.ResponseWriter, list []T) error {
	if list == nil {
		list = []T{}
	}
	return httpx.WriteJSON(w, http.StatusOK, lokiData[[]T]{Status: "success", Data: list})
}

func (h lokiHandlers) labels(w http.ResponseWriter, r *httpx.Request) error {
	p, span, err := h.listing(r)
	if err != nil {
		return err
	}
	list, err := h.Logs.LabelNames(r.Context(), r.Scope(), p.selector(), span)
	if err != nil {
		return err
	}
	return writeLokiList(w, list)
}

func (h lokiHandlers) labelValues(w http.ResponseWriter, r *httpx.Request) error {
	p, span, err := h.listing(r)
	if err != nil {
		return err
	}
	list, err := h.Logs.LabelValues(r.Context(), r.Scope(), r.Param("name"), p.selector(), span)
	if err != nil {
		return err
	}
	return writeLokiList(w, list)
}

func (h lokiHandlers) series(w http.ResponseWriter, r *httpx.Request) error {
	p, span, err := h.listing(r)
	if err != nil {
		return err
	}
	found, err := h.Logs.Series(r.Context(), r.Scope(), p.selectors(), span)
	if err != nil {
		return err
	}
	list := make([]map[string]string, len(found))
	for i, labels := range found {
		list[i] = labelMap(labels)
	}
	return writeLokiList(w, list)
}

// listing reads the parameters that all lists share.
func (h lokiHandlers) listing(r *httpx.Request) (*lokiParams, seamark.TimeRange, error) {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return nil, seamark.TimeRange{}, err
	}
	span, err := p.timeRange(lokiListSpan)
	return p, span, err
}

func (h lokiHandlers) format(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.Now())
	if err != nil {
		return err
	}
	query, err := p.required("query")
	if err != nil {
		return err
	}
	formatted, err := h.Logs.Format(query)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, lokiData[string]{Status: "success", Data: formatted})
}

func (h lokiHandlers) buildInfo(w http.ResponseWriter, _ *httpx.Request) error {
	return httpx.WriteJSON(w, http.StatusOK, map[string]string{
		"version": lokiVersion, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
	})
}
