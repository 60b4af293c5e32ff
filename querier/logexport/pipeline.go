package logexport

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// probe finds out what a log query reads: it remembers the first question for rows and answers it with none.
type probe struct {
	engine.Storage
	asked *store.LogRowsQuery
}

// LogRows implements engine.Storage.
func (p *probe) LogRows(_ context.Context, _ seamark.TenantID, q store.LogRowsQuery, _ func(*store.LogBlock) error) (store.LogStats, error) {
	if p.asked == nil {
		p.asked = &q
	}
	return store.LogStats{}, nil
}

// NarrowLogs implements engine.Storage. The export narrows its own questions.
func (p *probe) NarrowLogs(_ context.Context, _ seamark.TenantID, scope store.LogScope) (store.LogScope, store.LogStats, error) {
	return scope, store.LogStats{}, nil
}

// line is one line of the result. Its stream is an index into the batch's.
type line struct {
	time             int64
	text             string
	stream           int
	metadata, parsed []seamark.Label
}

// batch is lines in the order of the export, with the labels of their streams.
type batch struct {
	streams [][]seamark.Label
	lines   []line
}

// pipeline runs the query over rows in memory, block after block. What the store has filtered passes once more, which
// changes nothing.
type pipeline struct {
	tenant  seamark.TenantID
	params  *Params
	streams map[uint64]store.LogStream
	rows    *logmem.Rows
	engine  *engine.Engine
	seen    map[uint64]bool
	of      []store.LogStream // of the block
	batch   batch
}

const (
	// blockRows bounds the lines that come out of one block, which has some thousand.
	blockRows = 1 << 20
	// blockBytes bounds their memory: a template can make a line long.
	blockBytes = 512 << 20
)

func newPipeline(tenant seamark.TenantID, now func() time.Time, p *Params, streams []store.LogStream) (*pipeline, error) {
	began := now() // of templates: one time for the whole export
	l := &pipeline{tenant: tenant, params: p, streams: make(map[uint64]store.LogStream, len(streams)), rows: logmem.New(), seen: map[uint64]bool{}}
	for _, s := range streams {
		l.streams[s.FP] = s
	}
	var err error
	l.engine, err = engine.New(engine.Options{Storage: l.rows, Now: func() time.Time { return began }, MaxEntries: blockRows, MaxBytes: blockBytes, MaxStreams: blockRows})
	return l, err
}

// run returns the lines that the query makes of a block of rows. They are the caller's until the next call.
func (l *pipeline) run(ctx context.Context, b *store.LogBlock) (*batch, error) {
	clear(l.seen)
	l.of = l.of[:0]
	for _, fp := range b.FP {
		if !l.seen[fp] {
			l.seen[fp] = true
			l.of = append(l.of, l.streams[fp])
		}
	}
	l.rows.Set(l.of, b)
	start, end := l.rows.Span()
	result, err := l.engine.Query(ctx, l.tenant, engine.Params{
		Query: l.params.Query, Start: time.Unix(0, start), End: time.Unix(0, end), Step: 1, Limit: b.Len(), Forward: !l.params.Newest, Categorize: true,
	})
	if err != nil {
		return nil, err
	}
	out := &l.batch
	clear(out.lines)
	out.streams, out.lines = out.streams[:0], out.lines[:0]
	for i := range result.Streams {
		s := &result.Streams[i]
		out.streams = append(out.streams, s.Labels)
		for k := range s.Entries {
			e := &s.Entries[k]
			out.lines = append(out.lines, line{e.Time, e.Line, i, e.Metadata, e.Parsed})
		}
	}
	slices.SortStableFunc(out.lines, func(a, b line) int {
		if l.params.Newest {
			return cmp.Compare(b.time, a.time)
		}
		return cmp.Compare(a.time, b.time)
	})
	return out, nil
}
