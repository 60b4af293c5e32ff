package promql

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Store is what the engine reads from. Every method runs as the tenant's own database user. Returned slices belong to the
// caller.
type Store interface {
	ListMetricSeries(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]store.MetricSeries, error)
	ListMetricSamples(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricSamples, rowsRead int, err error)
	ListMetricHistograms(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) (list []store.MetricHistograms, rowsRead int, err error)
	ListMetricExemplars(ctx context.Context, tenant seamark.TenantID, q store.MetricSamplesQuery) ([]store.MetricExemplar, error)
	ListMetricLabelNames(ctx context.Context, tenant seamark.TenantID, q store.MetricSeriesQuery) ([]string, error)
	ListMetricLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.MetricSeriesQuery) ([]string, error)
	ListMetricMetadata(ctx context.Context, tenant seamark.TenantID, q store.MetricMetadataQuery) ([]seamark.MetricMetadata, error)
	CountCardinality(ctx context.Context, tenant seamark.TenantID, q store.CardinalityQuery) (*store.Cardinality, error)
}

// DefaultLookbackDelta is how long a series is shown after its last sample, Prometheus' own default.
const DefaultLookbackDelta = 5 * time.Minute

// DefaultChunkSamples is 64 MiB.
const DefaultChunkSamples = 4 << 20

// Options configures an Engine.
type Options struct {
	Store Store
	// MaxSeries bounds the series that one selector matches and the names or values that one look-up returns. Without it
	// `{job!=""}` of a large tenant holds all of its label sets in memory.
	MaxSeries int
	// MaxSamples bounds the samples that a query holds at once, 16 bytes each. Without it one query takes all memory.
	MaxSamples int
	// Timeout bounds a query, waiting for its turn included.
	Timeout time.Duration
	// LookbackDelta defaults to DefaultLookbackDelta.
	LookbackDelta time.Duration
	// ChunkSamples is how many samples a part of a query that is added up means to read at once, 16 bytes each; it defaults to
	// DefaultChunkSamples. Fewer cost more of the store's planning than they save memory.
	ChunkSamples int
	// NoPushdown answers everything with Prometheus' engine over raw samples. The results are the same; tests compare them.
	NoPushdown bool
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (o *Options) validate() error {
	switch {
	case o.Store == nil || o.Logger == nil || o.Registerer == nil:
		return errors.New("promql: Store, Logger and Registerer are required")
	case o.MaxSeries < 1 || o.MaxSamples < 1:
		return errors.New("promql: MaxSeries and MaxSamples must be at least 1")
	case o.Timeout <= 0 || o.LookbackDelta < 0 || o.ChunkSamples < 0:
		return errors.New("promql: Timeout must be positive, LookbackDelta and ChunkSamples not negative")
	}
	if o.ChunkSamples == 0 {
		o.ChunkSamples = DefaultChunkSamples
	}
	if o.LookbackDelta == 0 {
		o.LookbackDelta = DefaultLookbackDelta
	}
	return nil
}

// Engine answers PromQL queries and look-ups of labels. It is safe for concurrent use.
type Engine struct {
	opts    Options
	engine  *promql.Engine
	queries promql.QueryEngine // engine, with the pushdown before it
	parser  parser.Parser
	flights *flights
	only    *seamark.Restriction // see Within
}

// NewParser returns the parser of the dialect that Seamark takes: Prometheus 3 with its experimental functions, which
// dashboards use; experiments with the grammar are off, because stored rules would break when they end.
func NewParser() parser.Parser {
	return parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
}

// New returns an engine.
func New(o Options) (*Engine, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	e := &Engine{opts: o, parser: NewParser(), flights: newFlights(o.Registerer)}
	e.engine = promql.NewEngine(promql.EngineOpts{
		Logger:        o.Logger,
		Reg:           o.Registerer,
		MaxSamples:    o.MaxSamples,
		Timeout:       maxPatience, // run has the bound
		LookbackDelta: o.LookbackDelta,
		// Prometheus uses its evaluation interval, which defaults to a minute.
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		EnablePerStepStats:       true, // computed only when a query asks
		UseStartTimestamps:       true, // only series of changes have some
		Parser:                   e.parser,
	})
	e.queries = noStarts{e.engine}
	if !o.NoPushdown {
		e.queries = &pushdown{engine: noStarts{e.engine}, maxSamples: o.MaxSamples, workers: runtime.GOMAXPROCS(0)}
	}
	return e, nil
}

// Close waits for queries that nobody waits for any more, which are cancelled, and frees the engine. No other may run.
func (e *Engine) Close() error {
	e.flights.running.Wait()
	return e.engine.Close()
}

// Parser returns the parser that queries are read with.
func (e *Engine) Parser() parser.Parser { return e.parser }

// Instant evaluates query at one moment. opts may be nil. Callers that ask the same at the same time share one execution, and
// so the result, which nobody may change. The caller closes the returned query when it is done with the result, whose memory
// is reused then. Errors are of kind Invalid for a query that is not PromQL, Unprocessable for one that failed or met a limit,
// Timeout, Canceled, or what the store says.
func (e *Engine) Instant(ctx context.Context, tenant seamark.TenantID, query string, at time.Time, opts promql.QueryOpts) (promql.Query, *promql.Result, error) {
	key := newFlightKey(tenant, at, at, opts)
	key.instant, key.only = true, e.only
	return e.share(ctx, key, query, e.instant(tenant, query, at, opts))
}

func (e *Engine) instant(tenant seamark.TenantID, query string, at time.Time, opts promql.QueryOpts) execution {
	return func(ctx context.Context) (promql.Query, *promql.Result, error) {
		return e.run(ctx, func(ctx context.Context) (promql.Query, error) {
			return e.queries.NewInstantQuery(ctx, e.Queryable(tenant), opts, query, at)
		})
	}
}

// Range evaluates query at start, at end and every step between, as Instant does at one moment.
func (e *Engine) Range(ctx context.Context, tenant seamark.TenantID, query string, start, end time.Time, step time.Duration, opts promql.QueryOpts) (promql.Query, *promql.Result, error) { //nolint:revive // Prometheus' own engine has these arguments
	key := newFlightKey(tenant, start, end, opts)
	key.step, key.only = step, e.only
	return e.share(ctx, key, query, func(ctx context.Context) (promql.Query, *promql.Result, error) {
		return e.run(ctx, func(ctx context.Context) (promql.Query, error) {
			return e.queries.NewRangeQuery(ctx, e.Queryable(tenant), opts, query, start, end, step)
		})
	})
}

// share runs a query unless an equal one is under way.
func (e *Engine) share(ctx context.Context, key flightKey, query string, run execution) (promql.Query, *promql.Result, error) {
	expr, err := e.parser.ParseExpr(query)
	if err != nil {
		return nil, nil, syntaxError(err)
	}
	key.expr = expr.String()
	ctx, cancel := context.WithTimeout(ctx, e.timeout(ctx))
	defer cancel()
	q, result, err := e.flights.do(ctx, key, query, run)
	if err != nil && err == ctx.Err() { //nolint:errorlint // the caller's own end, not one that the execution met
		err = e.queryError(err)
	}
	return q, result, err
}

// run prepares and evaluates a query. Queries wait for their turn before they come here; what is left is bounded here as a whole.
func (e *Engine) run(ctx context.Context, prepare func(context.Context) (promql.Query, error)) (promql.Query, *promql.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout(ctx))
	defer cancel()
	q, err := prepare(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil, e.queryError(ctx.Err())
	case err != nil:
		return nil, nil, syntaxError(err)
	}
	result := q.Exec(ctx)
	if result.Err != nil {
		q.Close()
		return nil, nil, e.queryError(result.Err)
	}
	return q, result, nil
}

// Queryable returns the tenant's data as Prometheus' storage interface.
func (e *Engine) Queryable(tenant seamark.TenantID) storage.Queryable {
	return &queryable{opts: &e.opts, tenant: tenant}
}

// QueryFunc returns a function that evaluates a tenant's rules: instant queries whose scalars become vectors. Its type
// converts to rules.QueryFunc.
func (e *Engine) QueryFunc(tenant seamark.TenantID) func(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
	return func(ctx context.Context, query string, at time.Time) (promql.Vector, error) {
		q, result, err := e.instant(tenant, query, at, nil)(ctx) // rules change the vector
		if err != nil {
			return nil, err
		}
		defer q.Close()
		return ruleVector(result)
	}
}

// ruleVector returns what an expression gives a rule.
func ruleVector(result *promql.Result) (promql.Vector, error) {
	switch v := result.Value.(type) {
	case promql.Vector:
		return recorded(v), nil
	case promql.Scalar:
		return promql.Vector{{T: v.T, F: v.V}}, nil
	}
	return nil, seamark.Errorf(seamark.Unprocessable, "seamark-rule-type",
		"The rule's expression gives a %s; it must give an instant vector or a scalar.", result.Value.Type())
}
