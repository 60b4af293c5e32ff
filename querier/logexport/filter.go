package logexport

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logexport/parquet"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// Row is one line with all its labels, in the form that exports have, too.
type Row struct {
	Time     int64 // nanoseconds since 1970
	Line     string
	Labels   []seamark.Label // of its stream
	Metadata []seamark.Label // its own, as it was sent
	Parsed   []seamark.Label // that the query has made
}

// Filter runs one log query over rows that are on their way, block after block, with the engine that answers queries. It is
// not safe for concurrent use.
type Filter struct {
	tenant   seamark.TenantID
	query    string
	selector *logmem.Selector
	rows     *logmem.Rows
	engine   *engine.Engine
	at       time.Time
}

// filterBytes bounds the lines that a query makes of a block: a message is inflated to 32 MiB at most, and a template can make
// any line long.
const filterBytes = 128 << 20

// NewFilter compiles a log query; the error is of kind Invalid for what it gets wrong.
func NewFilter(ctx context.Context, tenant seamark.TenantID, query string) (*Filter, error) {
	log, err := logql.ParseLogQuery(query)
	if err != nil {
		return nil, err
	}
	f := &Filter{tenant: tenant, query: query, rows: logmem.New(), at: time.Unix(0, 0)}
	if f.selector, err = logmem.NewSelector(matchersOf(log)); err != nil {
		return nil, err
	}
	f.engine, err = engine.New(engine.Options{
		Storage: f.rows, Now: func() time.Time { return f.at }, MaxEntries: blockRows, MaxStreams: blockRows, MaxBytes: filterBytes,
	})
	if err != nil {
		return nil, err
	}
	// Stages are compiled when the query runs: over nothing, so that what they get wrong is told now.
	_, err = f.engine.Query(ctx, tenant, engine.Params{Query: query, Start: f.at, End: f.at.Add(1), Step: 1, Limit: 1})
	return f, err
}

func matchersOf(log *logql.LogQuery) []store.LogMatcher {
	list := make([]store.LogMatcher, 0, len(log.Matchers))
	for _, m := range log.Matchers {
		op := store.LogEquals
		if m.Op.Regexp() {
			op = store.LogMatches
		}
		list = append(list, store.LogMatcher{Name: m.Name, Op: op, Value: m.Value, Not: m.Op.Negative()})
	}
	return list
}

// Selects reports whether lines of a stream with these labels can pass.
func (f *Filter) Selects(labels []seamark.Label) bool { return f.selector.Matches(labels) }

// Apply returns what the query makes of a block's rows, oldest first. streams are those of the block; rows of others do not
// exist. Templates see the time at, so that a repeat gives the same lines.
func (f *Filter) Apply(ctx context.Context, at time.Time, streams []store.LogStream, block *store.LogBlock) ([]Row, error) {
	if block.Len() == 0 {
		return nil, nil
	}
	f.at = at
	f.rows.Set(streams, block)
	start, end := f.rows.Span()
	result, err := f.engine.Query(ctx, f.tenant, engine.Params{
		Query: f.query, Start: time.Unix(0, start), End: time.Unix(0, end), Step: 1, Limit: block.Len(), Forward: true, Categorize: true,
	})
	if err != nil {
		return nil, err
	}
	var rows []Row
	for i := range result.Streams {
		s := &result.Streams[i]
		for k := range s.Entries {
			e := &s.Entries[k]
			rows = append(rows, Row{Time: e.Time, Line: e.Line, Labels: s.Labels, Metadata: e.Metadata, Parsed: e.Parsed})
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Time, b.Time) })
	return rows, nil
}

// AppendRow appends a row as the JSON object that it is in an NDJSON export, without the end of the line.
func AppendRow(out []byte, r *Row) []byte {
	out = append(out, `{"time":"`...)
	out = append(appendTime(out, r.Time), `","line":`...)
	out = appendJSON(out, r.Line)
	for _, column := range []struct {
		name   string
		labels []seamark.Label
	}{{labelsColumn, r.Labels}, {metadataColumn, r.Metadata}, {parsedColumn, r.Parsed}} {
		if len(column.labels) > 0 {
			out = append(appendJSON(append(out, ','), column.name), ':')
			out = appendObject(out, column.labels)
		}
	}
	return append(out, '}')
}

// WriteParquet writes rows as a Parquet file with the columns of an export.
func WriteParquet(w io.Writer, rows []Row) error {
	file, err := parquet.NewWriter(w, []parquet.Column{
		{Name: timeColumn, Kind: parquet.Time}, {Name: lineColumn}, {Name: labelsColumn}, {Name: metadataColumn}, {Name: parsedColumn},
	})
	if err != nil {
		return err
	}
	var buf []byte
	for i := range rows {
		r := &rows[i]
		file.Time(0, r.Time)
		file.Text(1, r.Line)
		for k, labels := range [][]seamark.Label{r.Labels, r.Metadata, r.Parsed} {
			buf = appendObject(buf[:0], labels)
			file.Text(2+k, string(buf))
		}
		if err := file.EndRow(); err != nil {
			return err
		}
	}
	return file.Close()
}
