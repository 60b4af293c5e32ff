package api

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// lokiVersion is the version of Loki whose query API this is. Grafana decides by it what it asks for: from 3.6 on it wants
// endpoints that are not served here.
const lokiVersion = "3.5.0"

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
	QueryLogs(ctx context.Context, tenant seamark.TenantID, q LogQuery) (func(io.Writer) error, error)
	LabelNames(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange) ([]string, error)
	LabelValues(ctx context.Context, tenant seamark.TenantID, name, selector string, r seamark.TimeRange) ([]string, error)
	Series(ctx context.Context, tenant seamark.TenantID, selectors []string, r seamark.TimeRange) ([][]seamark.Label, error)
	// Format prints a query in its canonical form.
	Format(query string) (string, error)
}

// LokiRoutes returns the routes of Loki's HTTP API for queries. now is the clock for ranges that end "now".
func LokiRoutes(logs LogQuerier, now func() time.Time) []httpx.Route {
	const prefix = "/loki/api/v1"
	h := lokiHandlers{logs, now}
	var routes []httpx.Route
	for _, r := range []struct {
		path    string
		handler httpx.Handler
	}{
		{"/query", h.query},
		{"/query_range", h.queryRange},
		{"/labels", h.labels},
		{"/label", h.labels}, // the old name, which Grafana still tries
		{"/label/:name/values", h.labelValues},
		{"/series", h.series},
		{"/format_query", h.format},
		{"/status/buildinfo", h.buildInfo},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if method == http.MethodPost && r.path == "/status/buildinfo" {
				continue
			}
			routes = append(routes, httpx.Route{Method: method, Path: prefix + r.path, Permission: "data:read", Dialect: httpx.Plain, Handler: r.handler})
		}
	}
	return routes
}

type lokiHandlers struct {
	logs LogQuerier
	now  func() time.Time
}

// query answers an instant query.
func (h lokiHandlers) query(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.now())
	if err != nil {
		return err
	}
	at, err := p.time("time", h.now())
	if err != nil {
		return err
	}
	return h.answer(w, r, p, LogQuery{Start: at, End: at})
}

// queryRange answers a query over a range.
func (h lokiHandlers) queryRange(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.now())
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
	for _, flags := range r.Header.Values("X-Loki-Response-Encoding-Flags") {
		q.Categorize = q.Categorize || slices.Contains(strings.Split(flags, ","), "categorize-labels")
	}
	write, err := h.logs.QueryLogs(r.Context(), r.Tenant(), q)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return write(w)
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
	list, err := h.logs.LabelNames(r.Context(), r.Tenant(), p.selector(), span)
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
	list, err := h.logs.LabelValues(r.Context(), r.Tenant(), r.Param("name"), p.selector(), span)
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
	found, err := h.logs.Series(r.Context(), r.Tenant(), p.selectors(), span)
	if err != nil {
		return err
	}
	list := make([]map[string]string, len(found))
	for i, labels := range found {
		list[i] = make(map[string]string, len(labels))
		for _, l := range labels {
			list[i][l.Name] = l.Value
		}
	}
	return writeLokiList(w, list)
}

// listing reads the parameters that all lists share.
func (h lokiHandlers) listing(r *httpx.Request) (*lokiParams, seamark.TimeRange, error) {
	p, err := newLokiParams(r, h.now())
	if err != nil {
		return nil, seamark.TimeRange{}, err
	}
	span, err := p.timeRange(lokiListSpan)
	return p, span, err
}

func (h lokiHandlers) format(w http.ResponseWriter, r *httpx.Request) error {
	p, err := newLokiParams(r, h.now())
	if err != nil {
		return err
	}
	query, err := p.required("query")
	if err != nil {
		return err
	}
	formatted, err := h.logs.Format(query)
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
