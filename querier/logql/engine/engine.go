package engine

import (
	"context"
	"errors"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logql"
)

// Options configures an Engine. Zero limits get their defaults.
type Options struct {
	Storage Storage
	// Now is the clock; nil is time.Now. It times queries, and templates can ask for it.
	Now func() time.Time
	// DefaultEntries is the limit of log queries that set none (100).
	DefaultEntries int
	// MaxEntries bounds the limit of log queries (5000). Without it one answer fills memory here and in the browser.
	MaxEntries int
	// MaxStreams bounds the streams that one selector may touch (50,000). Their fingerprints are part of the statement.
	MaxStreams int
	// MaxSeries bounds the series of a range aggregation (10,000). Without it a parsed request id makes a series per line.
	MaxSeries int
	// MaxSteps bounds the steps of a range query (11,000, as Prometheus has it).
	MaxSteps int
	// MaxNames bounds the label names, values or series that one listing returns (100,000).
	MaxNames int
	// NoPushdown makes the storage select streams and times only: everything else runs as stages over the rows. It is for
	// tests, which compare both ways.
	NoPushdown bool
	// MaxBytes bounds the memory that one query's result may take here (256 MiB), roughly counted.
	MaxBytes int
}

func (o *Options) validate() error {
	if o.Storage == nil {
		return errors.New("logql engine: Storage is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for _, limit := range []struct {
		value    *int
		standard int
	}{
		{&o.DefaultEntries, 100}, {&o.MaxEntries, 5000}, {&o.MaxStreams, 50_000}, {&o.MaxSeries, 10_000}, {&o.MaxSteps, 11_000},
		{&o.MaxNames, 100_000}, {&o.MaxBytes, 256 << 20},
	} {
		if *limit.value < 0 {
			return errors.New("logql engine: limits must not be negative")
		}
		if *limit.value == 0 {
			*limit.value = limit.standard
		}
	}
	return nil
}

// Engine evaluates LogQL. It is safe for concurrent use.
type Engine struct{ opts Options }

// New makes an engine.
func New(o Options) (*Engine, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Engine{opts: o}, nil
}

// Params is one query.
type Params struct {
	Query string
	// Start and End are the time range. Log queries select [Start, End); metric queries are evaluated at Start, Start+Step
	// and so on up to End.
	Start, End time.Time
	// Step is the distance of evaluations. Zero makes it an instant query at End: metric queries only.
	Step    time.Duration
	Limit   int  // log queries: at most so many lines; 0 means the default
	Forward bool // log queries: oldest lines first; else newest first
	// Categorize keeps structured metadata and parsed labels with each line instead of in its stream's labels.
	Categorize bool
}

// Query evaluates one query for a tenant. Errors are *seamark.Error of kind Invalid for what the query itself gets wrong,
// Unprocessable for what the data made of it, and what Storage returns.
func (e *Engine) Query(ctx context.Context, tenant seamark.TenantID, p Params) (*Result, error) {
	if tenant == "" {
		return nil, errNoTenant()
	}
	if err := checkTimes(p.Start, p.End); err != nil {
		return nil, err
	}
	expr, err := logql.Parse(p.Query)
	if err != nil {
		return nil, err
	}
	started := e.opts.Now()
	q := &query{engine: e, tenant: tenant, params: p, streams: map[string][]store.LogStream{}, now: func() time.Time { return started }}
	var result *Result
	if log, ok := expr.(*logql.LogQuery); ok {
		result, err = q.logs(ctx, log)
	} else {
		result, err = q.metric(ctx, expr)
	}
	if err != nil {
		return nil, err
	}
	result.Stats = q.stats
	result.Stats.Seconds = e.opts.Now().Sub(started).Seconds()
	return result, nil
}

// checkTimes refuses times from which a query's range and offset could leave what nanoseconds in 64 bits tell.
func checkTimes(times ...time.Time) error {
	const first, last = 1900, 2100
	for _, t := range times {
		if year := t.UTC().Year(); year < first || year >= last {
			return seamark.Errorf(seamark.Invalid, "seamark-logql-time", "The time %s is not between the years %d and %d.",
				t.UTC().Format(time.RFC3339), first, last)
		}
	}
	return nil
}

// query is the evaluation of one query.
type query struct {
	engine  *Engine
	tenant  seamark.TenantID
	params  Params
	stats   Stats
	bytes   int                          // roughly counted memory of the result so far
	streams map[string][]store.LogStream // resolved selectors, by selector and days
	now     func() time.Time             // of templates: one time for the whole query
	names   names                        // labels that clauses of the query name: metadata that splits series
}

// resolve returns the streams of a selector with lines in a range of nanoseconds.
func (q *query) resolve(ctx context.Context, matchers []logql.Matcher, start, end int64) ([]store.LogStream, error) {
	const day = int64(24 * time.Hour)
	key := (&logql.LogQuery{Matchers: matchers}).String() + time.Unix(0, start-start%day).String() + time.Unix(0, end-end%day).String()
	if streams, ok := q.streams[key]; ok {
		return streams, nil
	}
	limit := admit.From(ctx).MaxSeries(q.engine.opts.MaxStreams)
	streams, err := q.engine.opts.Storage.LogStreams(ctx, q.tenant, store.LogStreamsQuery{
		Matchers: storeMatchers(matchers), Start: start, End: end, Limit: limit + 1,
	})
	if err != nil {
		return nil, err
	}
	if len(streams) > limit {
		return nil, seamark.Errorf(seamark.Unprocessable, "seamark-logql-streams",
			"The selector %s matches more than the limit of %d streams. Add a label to it, or ask for a shorter range.",
			&logql.LogQuery{Matchers: matchers}, limit)
	}
	q.streams[key] = streams
	return streams, nil
}

// Streams returns the streams of a selector with lines in a range, for whoever asks the storage about them.
func (e *Engine) Streams(ctx context.Context, tenant seamark.TenantID, matchers []logql.Matcher, r seamark.TimeRange) ([]store.LogStream, error) {
	q := &query{engine: e, tenant: tenant, streams: map[string][]store.LogStream{}}
	return q.resolve(ctx, matchers, r.Start.UnixNano(), r.End.UnixNano())
}

func storeMatchers(matchers []logql.Matcher) []store.LogMatcher {
	list := make([]store.LogMatcher, 0, len(matchers))
	for _, m := range matchers {
		op := store.LogEquals
		if m.Op.Regexp() {
			op = store.LogMatches
		}
		list = append(list, store.LogMatcher{Name: m.Name, Op: op, Value: m.Value, Not: m.Op.Negative()})
	}
	return list
}

// grow counts memory that the result will hold.
func (q *query) grow(bytes int) error {
	q.bytes += bytes
	if limit := q.engine.opts.MaxBytes; q.bytes > limit {
		return seamark.Errorf(seamark.Unprocessable, "seamark-logql-bytes",
			"The result needs more memory than the limit of %d KiB. Aggregate by fewer labels, ask for a larger step or a shorter range, "+
				"or lower the line limit.", limit>>10)
	}
	return nil
}

// alive returns the context's error at every 64th row: a template can make a block of rows take long.
func alive(ctx context.Context, row int) error {
	if row%64 != 0 {
		return nil
	}
	return ctx.Err()
}

func (q *query) count(s store.LogStats) {
	q.stats.Lines += s.Rows
	q.stats.Bytes += s.Bytes
}
