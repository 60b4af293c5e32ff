package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logcontext"
	"github.com/seamarkhq/seamark/querier/scoped"
)

// logContextAPI shows the reader of a line's surroundings in the API's words. It implements api.LogContextReader.
type logContextAPI struct {
	reader *logcontext.Reader
	turns
}

func (l logContextAPI) LogContext(ctx context.Context, scope seamark.Scope, q api.LogContextQuery) (*api.LogContextPage, error) {
	ctx, done, err := l.begin(ctx, wants(seamark.TimeRange{Start: time.Unix(0, q.Time), End: time.Unix(0, q.Time)}, seamark.Logs))
	if err != nil {
		return nil, err
	}
	defer done()
	return logContextPageOf(l.reader.Within(scope.Only, scoped.Surroundings).Around(ctx, scope.Tenant, logcontext.Query(q)))
}

func (l logContextAPI) LogContextPage(ctx context.Context, scope seamark.Scope, cursor string, limit int) (*api.LogContextPage, error) {
	ctx, done, err := l.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	return logContextPageOf(l.reader.Within(scope.Only, scoped.Surroundings).Continue(ctx, scope.Tenant, cursor, limit))
}

func logContextPageOf(found *logcontext.Page, err error) (*api.LogContextPage, error) {
	if err != nil {
		return nil, err
	}
	page := &api.LogContextPage{
		Lines: make([]api.LogContextLine, len(found.Lines)), Before: found.Before, After: found.After, MoreBefore: found.MoreBefore, MoreAfter: found.MoreAfter,
	}
	for i := range found.Lines {
		l := &found.Lines[i]
		page.Lines[i] = api.LogContextLine{
			Time: l.Time, Fingerprint: l.Stream.FP, Labels: l.Stream.Labels, Text: l.Text, Level: l.Level, TraceID: l.TraceID, SpanID: l.SpanID,
			Metadata: l.Metadata, Anchor: l.Anchor,
		}
	}
	return page, nil
}
