package store

import "context"

// WithQueryTags returns a context whose queries carry tags as ClickHouse's log_comment: they stand beside the statement in
// system.processes and system.query_log, so that what a dashboard costs can be told from what a person costs. tags must be
// short and printable.
func WithQueryTags(ctx context.Context, tags string) context.Context {
	return withSettings(ctx, Settings{"log_comment": tags})
}
