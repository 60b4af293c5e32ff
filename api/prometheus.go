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
	Instant(ctx context.Context, scope seamark.Scope, query string, at time.Time, opts promql.QueryOpts) (promql.Query, *promql.Result, error)
	Range(ctx context.Context, scope seamark.Scope, query string, start, end time.Time, step time.Duration, opts promql.QueryOpts) (promql.Query, *promql.Result, error)
}

// MetricLister looks up what metrics a tenant has. Of the hints it takes Start, End (milliseconds, both included) and Limit
// (0: none); lists cut at the limit carry a warning.
type MetricLister interface {
	Labels(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error)
	LabelValues(ctx context.Context, scope seamark.Scope, name string, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]string, annotations.Annotations, error)
	Series(ctx context.Context, scope seamark.Scope, hints *storage.SelectHints, sets [][]*labels.Matcher) ([]labels.Labels, annotations.Annotations, error)
	Metadata(ctx context.Context, scope seamark.Scope, metric string, limit int) ([]seamark.MetricMetadata, error)
}

// PrometheusOptions configures the Prometheus HTTP API.
type PrometheusOptions struct {
	Querier MetricQuerier
	Lister  MetricLister
	// Exemplars may be nil: then there are none.
	Exemplars     ExemplarLister
	Reader        SeriesReader
	Cardinality   CardinalityCounter
	LookbackDelta time.Duration // how long federation shows a series after its last sample; 0 means five minutes
	Parser        parser.Parser // the dialect of Querier
	Version       string        // Seamark's
	Cost          QueryCoster   // nil: answers tell Prometheus' own statistics alone
	Now           func() time.Time
}

// defaultLookbackDelta is Prometheus' own.
const defaultLookbackDelta = 5 * time.Minute

// prometheusLevel is the Prometheus release whose API this is. Grafana reads it as the data source's version and uses
// match[] on labels, POST and UTF-8 names only from certain releases on, so Seamark's own version would turn them off.
const prometheusLevel = "3.15.0"

// maxPoints bounds the points of one series in a range query; Prometheus has the same number, and clients know it.
const maxPoints = 11_000

// prometheusAPI holds the handlers of the Prometheus HTTP API
// (https://prometheus.io/docs/prometheus/latest/querying/api/).
type prometheusAPI struct{ PrometheusOptions }

// PrometheusRoutes returns the routes of the Prometheus HTTP API, and that of the cardinality explorer. There is deliberately
// no status/flags: answering it makes Grafana take us for Thanos.
func PrometheusRoutes(o PrometheusOptions) []httpx.Route {
	if o.LookbackDelta == 0 {
		o.LookbackDelta = defaultLookbackDelta
	}
	a := &prometheusAPI{o}
	var routes []httpx.Route
	add := func(path string, handler httpx.Handler, methods ...string) {
		for _, method := range methods {
			routes = append(routes, httpx.Route{
				Method: method, Path: "/prometheus/api/v1" + path, Permission: "data:read", HonoursScope: true, Dialect: httpx.Prometheus, Handler: handler,
			})
		}
	}
	add("/query", a.instant, http.MethodGet, http.MethodPost)
	add("/query_range", a.queryRange, http.MethodGet, http.MethodPost)
	add("/query_exemplars", a.exemplars, http.MethodGet, http.MethodPost)
	add("/format_query", a.formatQuery, http.MethodGet, http.MethodPost)
	add("/parse_query", a.parseAST, http.MethodGet, http.MethodPost)
	add("/labels", a.labels, http.MethodGet, http.MethodPost)
	add("/label/:name/values", a.labelValues, http.MethodGet)
	add("/series", a.series, http.MethodGet, http.MethodPost)
	add("/metadata", a.metadata, http.MethodGet)
	add("/status/buildinfo", a.buildInfo, http.MethodGet)
	add("/status/tsdb", a.tsdbStatus, http.MethodGet)
	return append(routes,
		httpx.Route{Method: http.MethodGet, Path: "/api/v1/cardinality", Permission: "data:read", HonoursScope: true, Handler: a.cardinality},
		// These two answer faults as plain text, as in Prometheus.
		httpx.Route{Method: http.MethodPost, Path: "/prometheus/api/v1/read", Permission: "data:read", HonoursScope: true, Dialect: httpx.Plain, Handler: a.read},
		httpx.Route{Method: http.MethodGet, Path: "/prometheus/federate", Permission: "data:read", HonoursScope: true, Dialect: httpx.Plain, Handler: a.federate})
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
	if err := p.parseOptions(); err != nil {
		return err
	}
	ctx, cancel := p.context(r.Context())
	defer cancel()
	q, result, err := a.Querier.Instant(ctx, r.Scope(), p.query, at, p.opts)
	if err != nil {
		return err
	}
	defer q.Close()
	return p.answer(w, q, result, a.cost(ctx))
}

// cost returns what the query of ctx has cost, as far as that is known.
func (a *prometheusAPI) cost(ctx context.Context) *QueryCost {
	if a.Cost == nil {
		return nil
	}
	return a.Cost(ctx)
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
	if err := p.parseOptions(); err != nil {
		return err
	}
	ctx, cancel := p.context(r.Context())
	defer cancel()
	q, result, err := a.Querier.Range(ctx, r.Scope(), p.query, start, end, step, p.opts)
	if err != nil {
		return err
	}
	defer q.Close()
	return p.answer(w, q, result, a.cost(ctx))
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
		// Grafana lets rules be edited only where a server with this name says that it serves Mimir's ruler API: of a name that
		// it does not know it believes nothing.
		Application: "Grafana Mimir", Features: map[string]string{"ruler_config_api": "true"},
		ApplicationVersion: "Seamark " + a.Version, Version: prometheusLevel, GoVersion: runtime.Version(),
	}, nil)
}
