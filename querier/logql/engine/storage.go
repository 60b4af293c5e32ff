package engine

import (
	"context"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Storage is what the engine reads from. Implementations are safe for concurrent use, never show one tenant's data to
// another, and return *seamark.Error for what the customer should know. Package store implements it.
type Storage interface {
	// LogStreams returns at most q.Limit streams that match; the caller owns them.
	LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error)
	// LogRows hands rows to fn in the order of their time. The block and its slices are fn's until it returns; the strings
	// in it may be kept. An error of fn ends the query and comes back as it is, or wrapped.
	LogRows(ctx context.Context, tenant seamark.TenantID, q store.LogRowsQuery, fn func(*store.LogBlock) error) (store.LogStats, error)
	// NarrowLogs returns the scope with the ranges that its rows can lie in, where the storage can tell without reading lines.
	NarrowLogs(ctx context.Context, tenant seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error)
	// LogCounts hands counts to fn in any order. The count is fn's until it returns, its strings may be kept.
	LogCounts(ctx context.Context, tenant seamark.TenantID, q store.LogCountsQuery, fn func(*store.LogCount) error) (store.LogStats, error)
	// LogLabelNames returns at most q.Limit label names of the streams that match, sorted.
	LogLabelNames(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]string, error)
	// LogLabelValues returns at most q.Limit values of a label in the streams that match, sorted.
	LogLabelValues(ctx context.Context, tenant seamark.TenantID, name string, q store.LogStreamsQuery) ([]string, error)
}
