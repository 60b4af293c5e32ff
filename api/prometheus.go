package api

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// MetricQuerier evaluates PromQL over one tenant's metrics. The handler closes the returned query after the result is
// written; before that the result's memory is not reused.
type MetricQuerier interface {
	Instant(ctx context.Context, tenant seamark.TenantID, query string, at time.Time, opts promql.QueryOpts) (promql.Query, *promql.Result, error)
	Range(ctx context.Context, tenant seamark.TenantID, query string, start, end time.Time, step time.Duration, opts promql.QueryOpts) (promql.Query, *promql.Result, error)
}

// MetricLister looks up what metrics a tenant has. Of the hints it takes Start, End (milliseconds, both included) and Limit
// (0: none); lists cut at the limit carry a warning.
type MetricLister interface {
	Labels(ctx context.Context, tenant seamark.TenantID, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error)
	LabelValues(ctx context.Context, tenant seamark.TenantID, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error)
	Series(ctx context.Context, tenant seamark.TenantID, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error)
	Metadata(ctx context.Context, tenant seamark.TenantID, metric string, limit int) ([]seamark.MetricMetadata, error)
}

// ExemplarLister looks up exemplars of the series that a query's selectors match, between start and end in milliseconds.
type ExemplarLister interface {
	Exemplars(ctx context.Context, tenant seamark.TenantID, query string, start, end int64) ([]SeriesExemplars, error)
}

// SeriesExemplars are the exemplars of one series, in Prometheus' form.
type SeriesExemplars struct {
	Series    labels.Labels `json:"seriesLabels"`
	Exemplars []Exemplar    `json:"exemplars"`
}

// Exemplar is a sample with a trace behind it.
type Exemplar struct {
	Labels    labels.Labels `json:"labels"`
	Value     string        `json:"value"`
	Timestamp float64       `json:"timestamp"` // seconds since 1970
}

// PrometheusOptions configures the Prometheus HTTP API.
type PrometheusOptions struct {
	Querier MetricQuerier
	Lister  MetricLister
	// Exemplars may be nil: then there are none.
	Exemplars ExemplarLister
	Parser    parser.Parser // the dialect of Querier
	Version   string        // Seamark's
	Now       func() time.Time
}

// prometheusLevel is the Prometheus release whose API this is. Grafana reads it as the data source's version and uses
// match[] on labels, POST and UTF-8 names only from certain releases on, so Seamark's own version would turn them off.
const prometheusLevel = "3.15.0"

// maxPoints bounds the points of one series in a range query; Prometheus has the same number, and clients know it.
const maxPoints = 11_000

// prometheusAPI holds the handlers of the Prometheus HTTP API
// (https://prometheus.io/docs/prometheus/latest/querying/api/).
type prometheusAPI struct{ PrometheusOptions }

// PrometheusRoutes returns the routes of the Prometheus HTTP API. There is deliberately no status/flags: answering it makes
// Grafana take us for Thanos.
func PrometheusRoutes(o PrometheusOptions) []httpx.Route {
	a := &prometheusAPI{o}
	var routes []httpx.Route
	add := func(path string, handler httpx.Handler, methods ...string) {
		for _, method := range methods {
			routes = append(routes, httpx.Route{
				Method: method, Path: "/prometheus/api/v1" + path, Permission: "data:read", Dialect: httpx.Prometheus, Handler: handler,
			})
		}
	}
	add("/query", a.instant, http.MethodGet, http.MethodPost)
	add("/query_range", a.queryRange, http.MethodGet, http.MethodPost)
	add("/query_exemplars", a.exemplars, http.MethodGet, http.MethodPost)
	add("/format_query", a.formatQuery, http.MethodGet, http.MethodPost)
	add("/labels", a.labels, http.MethodGet, http.MethodPost)
	add("/label/:name/values", a.labelValues, http.MethodGet)
	add("/series", a.series, http.MethodGet, http.MethodPost)
	add("/metadata", a.metadata, http.MethodGet)
	add("/status/buildinfo", a.buildInfo, http.MethodGet)
	return routes
}

func (a *prometheusAPI) instant(w http.ResponseWriter, r *httpx.Request) error {
	p, err := a.parseQuery(w, r)
	if err != nil {
		return err
	}
	at, err := p.time("time", a.Now())
	if err != nil {
		return err
	}
	ctx, cancel := p.context(r.Context())
	defer cancel()
	q, result, err := a.Querier.Instant(ctx, r.Tenant(), p.query, at, p.opts)
	if err != nil {
		return err
	}
	defer q.Close()
	return p.answer(w, q, result)
}

func (a *prometheusAPI) queryRange(w http.ResponseWriter, r *httpx.Request) error {
	p, err := a.parseQuery(w, r)
	if err != nil {
		return err
	}
	start, err := p.requiredTime("start")
	if err != nil {
		return err
	}
	end, err := p.requiredTime("end")
	if err != nil {
		return err
	}
	if end.Before(start) {
		return invalidParameter("end", errors.New("end timestamp must not be before start time"))
	}
	step, err := parseDuration(p.form.Get("step"))
	if err != nil {
		return invalidParameter("step", err)
	}
	if step <= 0 {
		return invalidParameter("step", errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"))
	}
	if end.Sub(start)/step > maxPoints {
		return seamark.Errorf(seamark.Invalid, "seamark-query-points",
			"exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")
	}
	ctx, cancel := p.context(r.Context())
	defer cancel()
	q, result, err := a.Querier.Range(ctx, r.Tenant(), p.query, start, end, step, p.opts)
	if err != nil {
		return err
	}
	defer q.Close()
	return p.answer(w, q, result)
}

// exemplars answers with an empty list where there is none: Grafana asks when a data source is saved.
func (a *prometheusAPI) exemplars(w http.ResponseWriter, r *httpx.Request) error {
	p, err := parseForm(w, r)
	if err != nil {
		return err
	}
	if _, err := a.Parser.ParseExpr(p.Get("query")); err != nil {
		return invalidParameter("query", err)
	}
	start, err := timeParameter(p, "start", minTime)
	if err != nil {
		return err
	}
	end, err := timeParameter(p, "end", maxTime)
	if err != nil {
		return err
	}
	list := []SeriesExemplars{}
	if a.Exemplars != nil {
		found, err := a.Exemplars.Exemplars(r.Context(), r.Tenant(), p.Get("query"), start.UnixMilli(), end.UnixMilli())
		if err != nil {
			return err
		}
		list = append(list, found...)
	}
	return writePrometheus(w, list, nil)
}

func (a *prometheusAPI) formatQuery(w http.ResponseWriter, r *httpx.Request) error {
	p, err := parseForm(w, r)
	if err != nil {
		return err
	}
	expr, err := a.Parser.ParseExpr(p.Get("query"))
	if err != nil {
		return invalidParameter("query", err)
	}
	return writePrometheus(w, expr.Pretty(0), nil)
}

// buildInfo is what Grafana tells servers apart by.
type buildInfo struct {
	Application        string            `json:"application"`
	ApplicationVersion string            `json:"applicationVersion"`
	Version            string            `json:"version"`
	Revision           string            `json:"revision"`
	Branch             string            `json:"branch"`
	BuildUser          string            `json:"buildUser"`
	BuildDate          string            `json:"buildDate"`
	GoVersion          string            `json:"goVersion"`
	Features           map[string]string `json:"features"`
}

func (a *prometheusAPI) buildInfo(w http.ResponseWriter, _ *httpx.Request) error {
	return writePrometheus(w, buildInfo{
		Application: "Seamark", ApplicationVersion: a.Version, Version: prometheusLevel, GoVersion: runtime.Version(),
		// Grafana lets rules be edited where this says that Mimir's ruler API is served.
		Features: map[string]string{"ruler_config_api": "true"},
	}, nil)
}
