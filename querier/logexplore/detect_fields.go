package logexplore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logmem"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// FieldsQuery asks for the fields of lines.
type FieldsQuery struct {
	Query string // a log query; empty for all lines
	Range seamark.TimeRange
	Lines int // newest lines to look at; more than the limit are cut to it
}

// Field is something that lines have beside the labels of their stream: structured metadata, or a field of their text.
type Field struct {
	Name    string // as LogQL's parsers name it
	Type    string // int, float, duration, bytes, boolean or string: the narrowest that all values are of
	Parsers []string
	// Path leads to the field in a JSON line; nil when it is in none.
	Path   []string
	Values []string // distinct, sorted; their number is the cardinality among the lines looked at
}

// The parsers that find fields.
const (
	parserJSON   = "json"
	parserLogfmt = "logfmt"
)

// Fields lists the fields of the newest lines of a query, those with most values first, then by name.
func (e *Explorer) Fields(ctx context.Context, tenant seamark.TenantID, q FieldsQuery) ([]Field, error) {
	if q.Query == "" {
		q.Query = "{}"
	}
	if err := checkRange(q.Range); err != nil {
		return nil, err
	}
	lines := min(max(q.Lines, 1), e.opts.MaxSampleLines)
	sample, err := e.opts.Engine.Query(ctx, tenant, engine.Params{
		Query: q.Query, Start: q.Range.Start, End: q.Range.End, Step: q.Range.Duration(), Limit: lines, Categorize: true,
	})
	if err != nil {
		return nil, err
	}
	if sample.Kind != engine.Streams {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-logql-syntax", "Fields are found in lines: ask with a log query such as {app=\"api\"}, not with a metric query.")
	}
	d := &detector{fields: map[string]*field{}}
	for i := range sample.Streams {
		for k := range sample.Streams[i].Entries {
			entry := &sample.Streams[i].Entries[k]
			d.add(entry.Metadata, "")
			d.add(entry.Parsed, "")
		}
	}
	if err := d.parse(ctx, tenant, sample.Streams); err != nil {
		return nil, err
	}
	return d.list(), nil
}

// detector gathers fields.
type detector struct{ fields map[string]*field }

type field struct {
	values  map[string]struct{}
	parsers map[string]struct{}
	path    []string
}

// add counts the labels of one line, which a parser has found, or which were its own.
func (d *detector) add(labels []seamark.Label, parser string) {
	for _, l := range labels {
		if strings.HasPrefix(l.Name, "__") {
			continue
		}
		f := d.fields[l.Name]
		if f == nil {
			f = &field{values: map[string]struct{}{}, parsers: map[string]struct{}{}}
			d.fields[l.Name] = f
		}
		f.values[l.Value] = struct{}{}
		if parser != "" {
			f.parsers[parser] = struct{}{}
		}
	}
}

// parse runs LogQL's own parsers over the lines, so that fields have the names that a query would give them: json, and for
// lines that are no JSON objects logfmt.
func (d *detector) parse(ctx context.Context, tenant seamark.TenantID, streams []engine.Stream) error {
	rows := logmem.New()
	lines := fill(rows, streams)
	if lines == 0 {
		return nil
	}
	parsers, err := engine.New(engine.Options{Storage: rows, MaxEntries: lines})
	if err != nil {
		return err
	}
	start, end := rows.Span()
	for _, p := range []struct{ name, query string }{
		{parserJSON, `{} | json | __error__=""`},
		{parserLogfmt, `{} | json | __error__!="" | drop __error__, __error_details__ | logfmt | drop __error__, __error_details__`},
	} {
		found, err := parsers.Query(ctx, tenant, engine.Params{
			Query: p.query, Start: nanos(start), End: nanos(end), Step: nanos(end).Sub(nanos(start)), Limit: lines, Categorize: true,
		})
		if err != nil {
			return err
		}
		for i := range found.Streams {
			for k := range found.Streams[i].Entries {
				entry := &found.Streams[i].Entries[k]
				d.add(entry.Parsed, p.name)
				if p.name == parserJSON {
					d.findPaths(entry.Line)
				}
			}
		}
	}
	return nil
}

// fill puts the lines of streams into memory, without what they were told beside: a parser's fields go by their stream's
// labels alone.
func fill(rows *logmem.Rows, streams []engine.Stream) (lines int) {
	list := make([]store.LogStream, len(streams))
	var block store.LogBlock
	for i := range streams {
		list[i] = store.LogStream{FP: uint64(i), Labels: streams[i].Labels}
		for k := range streams[i].Entries {
			block.Time = append(block.Time, streams[i].Entries[k].Time)
			block.FP = append(block.FP, uint64(i))
			block.Body = append(block.Body, streams[i].Entries[k].Line)
		}
	}
	lines = block.Len()
	block.Level = make([]seamark.Level, lines)
	block.TraceID, block.SpanID = make([][16]byte, lines), make([][8]byte, lines)
	block.AttrEnd = make([]uint32, lines)
	rows.Set(list, &block)
	return lines
}

// list returns what was found.
func (d *detector) list() []Field {
	list := make([]Field, 0, len(d.fields))
	for name, f := range d.fields {
		values := slices.Sorted(maps.Keys(f.values))
		list = append(list, Field{
			Name: name, Type: typeOf(values), Parsers: slices.Sorted(maps.Keys(f.parsers)), Path: f.path, Values: values,
		})
	}
	slices.SortFunc(list, func(a, b Field) int {
		if c := cmp.Compare(len(b.Values), len(a.Values)); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}
