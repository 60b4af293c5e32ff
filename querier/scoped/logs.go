package scoped

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logcontext"
	"github.com/seamarkhq/seamark/querier/logexplore"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// Logs narrows what LogQL reads. Lines are read by the streams that were found through it.
func Logs(s engine.Storage, only *seamark.Restriction) engine.Storage {
	return logs{streams: streams{s, only}, storage: s}
}

// Explored narrows what the explorer of logs reads beside its queries.
func Explored(s logexplore.Storage, only *seamark.Restriction) logexplore.Storage {
	return explored{streams: streams{s, only}, storage: s}
}

// Surroundings narrows what stands around a line.
func Surroundings(s logcontext.Storage, only *seamark.Restriction) logcontext.Storage {
	return surroundings{streams: streams{s, only}, storage: s}
}

// streams finds the streams inside of a restriction.
type streams struct {
	from interface {
		LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error)
	}
	only *seamark.Restriction
}

// with adds the restriction to the conditions of a query, whose own slice may be shared.
func (s streams) with(q *store.LogStreamsQuery) {
	q.Matchers = append(append(make([]store.LogMatcher, 0, len(q.Matchers)+2), q.Matchers...), LogMatchers(s.only)...)
}

// LogStreams is every narrowed storage's way to streams.
func (s streams) LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error) {
	s.with(&q)
	return s.from.LogStreams(ctx, tenant, q)
}

// inside keeps the streams of a list that lie inside of the restriction, for lists that were not found by conditions.
func (s streams) inside(list []store.LogStream) []store.LogStream {
	var kept []store.LogStream
	for _, stream := range list {
		if s.only.AllowsLabels(stream.Labels) {
			kept = append(kept, stream)
		}
	}
	return kept
}

// logs implements engine.Storage. It embeds no storage, so that a new way to read must be thought of here.
type logs struct {
	streams
	storage engine.Storage
}

func (l logs) LogRows(ctx context.Context, tenant seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error) {
	q.Streams = l.inside(q.Streams)
	return l.storage.LogRows(ctx, tenant, q, fn)
}

func (l logs) NarrowLogs(ctx context.Context, tenant seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	scope.Streams = l.inside(scope.Streams)
	return l.storage.NarrowLogs(ctx, tenant, scope)
}

// LogCounts implements engine.Storage. The streams were found through LogStreams; Into is parallel to them, so they stay as
// they are.
func (l logs) LogCounts(ctx context.Context, tenant seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	if err := l.all(q.Streams); err != nil {
		return store.LogStats{}, err
	}
	return l.storage.LogCounts(ctx, tenant, q, fn)
}

// all refuses a list with a stream from outside.
func (s streams) all(list []store.LogStream) error {
	if len(s.inside(list)) < len(list) {
		return refused("a count of these streams", s.only)
	}
	return nil
}

func (l logs) LogLabelNames(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]string, error) {
	l.with(&q)
	return l.storage.LogLabelNames(ctx, tenant, q)
}

func (l logs) LogLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.LogStreamsQuery) ([]string, error) {
	l.with(&q)
	return l.storage.LogLabelValues(ctx, tenant, name, q)
}

// explored implements logexplore.Storage.
type explored struct {
	streams
	storage logexplore.Storage
}

func (e explored) LogCounts(ctx context.Context, tenant seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error) {
	if err := e.all(q.Streams); err != nil {
		return store.LogStats{}, err
	}
	return e.storage.LogCounts(ctx, tenant, q, fn)
}

// surroundings implements logcontext.Storage.
type surroundings struct {
	streams
	storage logcontext.Storage
}

func (c surroundings) LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error) {
	list, err := c.storage.LogStreamsByFP(ctx, tenant, fps)
	return c.inside(list), err
}

func (c surroundings) LogPositionOf(ctx context.Context, tenant seamark.TenantID, stream store.LogStream, time int64, line *string) (store.LogPosition, bool, error) {
	if !c.only.AllowsLabels(stream.Labels) {
		return store.LogPosition{}, false, nil
	}
	return c.storage.LogPositionOf(ctx, tenant, stream, time, line)
}

func (c surroundings) LogContext(ctx context.Context, tenant seamark.TenantID, q store.LogContextQuery) (*store.LogContextRows, error) {
	q.Streams = c.inside(q.Streams)
	return c.storage.LogContext(ctx, tenant, q)
}
