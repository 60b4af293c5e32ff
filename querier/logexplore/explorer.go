// Package logexplore answers what Grafana's Explore and Logs Drilldown ask about logs beside queries: how much there is, by
// which labels, which fields lines have, which patterns. It reads through the LogQL engine and the store; package app hands
// it to the HTTP API.
package logexplore

import (
	"context"
	"errors"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/admit"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// Storage is what volumes are read from: package store. Implementations are safe for concurrent use and never show one
// tenant's data to another.
type Storage interface {
	// LogStreams returns at most q.Limit streams that match; the caller owns them.
	LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error)
	// LogCounts hands counts to fn in any order; a count is fn's until it returns.
	LogCounts(ctx context.Context, tenant seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error)
}

// Querier evaluates LogQL; *engine.Engine is one.
type Querier interface {
	Query(ctx context.Context, tenant seamark.TenantID, p engine.Params) (*engine.Result, error)
}

// Options configures an Explorer. Zero limits get their defaults.
type Options struct {
	Storage Storage
	Engine  Querier
	// Mined, when set, answers for patterns of lines that were mined when they came.
	Mined MinedPatterns
	// MaxStreams bounds the streams that one selector may touch (50,000). Their fingerprints are part of the statement.
	MaxStreams int
	// MaxSteps bounds the points of a volume over time (11,000, as in Prometheus).
	MaxSteps int
	// MaxSampleLines bounds the newest lines that fields are looked for in (5000). It must not be above the engine's limit.
	MaxSampleLines int
}

func (o *Options) validate() error {
	if o.Storage == nil || o.Engine == nil {
		return errors.New("logexplore: Storage and Engine are required")
	}
	for _, limit := range []struct {
		value    *int
		standard int
	}{{&o.MaxStreams, 50_000}, {&o.MaxSteps, 11_000}, {&o.MaxSampleLines, 5000}} {
		if *limit.value < 0 {
			return errors.New("logexplore: limits must not be negative")
		}
		if *limit.value == 0 {
			*limit.value = limit.standard
		}
	}
	return nil
}

// Explorer looks at the logs of one tenant at a time. It is safe for concurrent use.
type Explorer struct{ opts Options }

// New returns an explorer.
func New(o Options) (*Explorer, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Explorer{opts: o}, nil
}

// streams returns the streams of a selector with lines on the days of a range, and its matchers. An empty selector selects
// all. more are matchers beside the selector's.
func (e *Explorer) streams(ctx context.Context, tenant seamark.TenantID, selector string, r seamark.TimeRange, more ...store.LogMatcher) ([]store.LogStream, []logql.Matcher, error) {
	if tenant == "" {
		return nil, nil, seamark.Errorf(seamark.Internal, "seamark-logql-tenant", "The query names no tenant.")
	}
	if err := checkRange(r); err != nil {
		return nil, nil, err
	}
	var matchers []logql.Matcher
	if selector != "" {
		var err error
		if matchers, err = logql.ParseMatchers(selector); err != nil {
			return nil, nil, err
		}
	}
	limit := admit.From(ctx).MaxSeries(e.opts.MaxStreams)
	q := store.LogStreamsQuery{Matchers: more, Start: r.Start.UnixNano(), End: r.End.UnixNano(), Limit: limit + 1}
	for _, m := range matchers {
		op := store.LogEquals
		if m.Op.Regexp() {
			op = store.LogMatches
		}
		q.Matchers = append(q.Matchers, store.LogMatcher{Name: m.Name, Op: op, Value: m.Value, Not: m.Op.Negative()})
	}
	streams, err := e.opts.Storage.LogStreams(ctx, tenant, q)
	if err != nil {
		return nil, nil, err
	}
	if len(streams) > limit {
		return nil, nil, seamark.Errorf(seamark.Unprocessable, "seamark-logql-streams",
			"The selector %s matches more than the limit of %d streams. Add a label to it, or ask for a shorter range.", selector, limit)
	}
	return streams, matchers, nil
}

// checkRange refuses ranges that run backwards or leave what nanoseconds in 64 bits tell.
func checkRange(r seamark.TimeRange) error {
	const first, last = 1900, 2100
	if r.Start.UTC().Year() < first || r.End.UTC().Year() >= last {
		return seamark.Errorf(seamark.Invalid, "seamark-logql-time", "The range is not between the years %d and %d.", first, last)
	}
	return r.Validate()
}
