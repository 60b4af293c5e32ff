// Package logexport streams the whole answer of a log query as a file: a range is read in slices of time that fit into
// memory, each row goes through the query's pipeline, and no more is held than what is on its way to the reader. It reads
// the store and runs the LogQL engine; package app hands it to the HTTP API.
package logexport

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/engine"
)

// Limits bounds exports.
type Limits struct {
	// MaxRows bounds the lines of one export. Without it a query by mistake fills the reader's disk.
	MaxRows int64
	// MaxBytes bounds the bytes of one export before they are compressed for the way.
	MaxBytes int64
	// Timeout bounds the time of one export, the reader's slowness included: a connection to ClickHouse waits for it.
	Timeout time.Duration
	// StallTimeout bounds the time in which a reader takes nothing.
	StallTimeout time.Duration
	// MaxConcurrent bounds the exports that run at once, MaxTenantConcurrent those of one tenant. Without them exports take
	// the connections that queries need.
	MaxConcurrent, MaxTenantConcurrent int
}

// DefaultLimits returns the limits of `seamark serve`.
func DefaultLimits() Limits {
	return Limits{MaxRows: 10_000_000, MaxBytes: 10 << 30, Timeout: time.Hour, StallTimeout: time.Minute, MaxConcurrent: 8, MaxTenantConcurrent: 2}
}

// Options configures an Exporter.
type Options struct {
	Storage engine.Storage
	Limits  Limits
	// MaxStreams bounds the streams that one selector may touch; 0 is the engine's default.
	MaxStreams int
	Now        func() time.Time
}

func (o *Options) validate() error {
	l := &o.Limits
	switch {
	case o.Storage == nil || o.Now == nil:
		return errors.New("logexport: Storage and Now are required")
	case l.MaxRows < 1 || l.MaxBytes < 1 || l.Timeout <= 0 || l.StallTimeout <= 0 || l.MaxConcurrent < 1 || l.MaxTenantConcurrent < 1:
		return errors.New("logexport: limits must be positive")
	}
	return nil
}

// Exporter exports logs. It is safe for concurrent use.
type Exporter struct {
	opts   Options
	places places
}

// New returns an exporter.
func New(o Options) (*Exporter, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Exporter{opts: o, places: places{limits: o.Limits, taken: map[seamark.TenantID]int{}}}, nil
}

// Params is one export.
type Params struct {
	Query      string // a log query
	Start, End time.Time
	Newest     bool     // newest lines first; else oldest
	Limit      int64    // at most so many lines; 0: all
	Format     Format   // of the file
	Labels     []string // columns of their own, for labels of any kind; none: all labels in columns of maps
}

// Export is one export that is ready to run.
type Export struct {
	// Rows is how many rows the range has before filters.
	Rows uint64

	exporter *Exporter
	tenant   seamark.TenantID
	params   Params
	slices   slicer
	pipeline *pipeline
	ask      *store.LogRowsQuery
	leave    func()
}

// Open checks an export, counts what it has to read and takes a place among those that run; Close gives it back. Errors are
// *seamark.Error: of kind Invalid for what the request gets wrong, RateLimited when too many exports run, and what the
// storage returns.
func (e *Exporter) Open(ctx context.Context, tenant seamark.TenantID, p Params) (*Export, error) {
	if err := tenant.Validate(); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	leave, err := e.places.take(tenant)
	if err != nil {
		return nil, err
	}
	x := &Export{exporter: e, tenant: tenant, params: p, leave: leave}
	if err := x.prepare(ctx); err != nil {
		leave()
		return nil, err
	}
	return x, nil
}

func (p *Params) check() error {
	if _, err := logql.ParseLogQuery(p.Query); err != nil {
		return err
	}
	if err := (seamark.TimeRange{Start: p.Start, End: p.End}).Validate(); err != nil {
		return err
	}
	if p.Limit < 0 {
		return seamark.Errorf(seamark.Invalid, "seamark-export-limit", "The limit of %d lines is below 0.", p.Limit)
	}
	return checkLabels(p.Labels)
}

// prepare resolves the query's streams, finds out which rows its pipeline needs and counts them.
func (x *Export) prepare(ctx context.Context) error {
	p := &x.params
	probe := &probe{Storage: x.exporter.opts.Storage}
	asker, err := engine.New(engine.Options{Storage: probe, Now: x.exporter.opts.Now, MaxStreams: x.exporter.opts.MaxStreams})
	if err != nil {
		return err
	}
	if _, err = asker.Query(ctx, x.tenant, engine.Params{Query: p.Query, Start: p.Start, End: p.End, Step: 1, Limit: 1, Forward: !p.Newest}); err != nil {
		return err
	}
	x.ask = probe.asked
	if x.ask == nil {
		return nil // no stream can have such lines
	}
	if x.pipeline, err = newPipeline(x.tenant, x.exporter.opts.Now, p, x.ask.Streams); err != nil {
		return err
	}
	x.slices = slicer{storage: x.exporter.opts.Storage, tenant: x.tenant, streams: x.ask.Streams, newest: p.Newest}
	// The first question may be for a part of the range only; its streams and filters hold for all of it.
	x.Rows, err = x.slices.begin(ctx, p.Start.UnixNano(), p.End.UnixNano())
	return err
}

// Close gives the export's place back. It may be called more than once.
func (x *Export) Close() { x.leave() }

// errEnough ends an export that has as many lines as were asked for.
var errEnough = errors.New("the export has its lines")

// Run writes the file to w and returns how many lines it has, also when it breaks off. It writes in
// pieces of some 64 KiB, and nothing before an error that comes early; flush, when not nil, is called now and then, when what was written should go out. A
// Parquet file that Run failed on has no footer, which makes it none. Run may be called once.
func (x *Export) Run(ctx context.Context, w io.Writer, flush func() error) (rows int64, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, x.exporter.opts.Limits.Timeout, errTimeout(x.exporter.opts.Limits.Timeout))
	defer cancel()
	out := &counted{w: w, most: x.exporter.opts.Limits.MaxBytes}
	encoder, err := newEncoder(&x.params, out)
	if err != nil {
		return 0, err
	}
	if x.ask != nil {
		rows, err = x.run(ctx, encoder, flush)
	}
	if err == nil || errors.Is(err, errEnough) {
		return rows, encoder.Close()
	}
	if late, ok := errors.AsType[*seamark.Error](context.Cause(ctx)); ok {
		err = late
	}
	if out.sent == 0 {
		return 0, err
	}
	// The lines that are there belong to the file: an error is told behind them.
	return rows, errors.Join(err, encoder.Flush())
}

// run reads slice after slice.
func (x *Export) run(ctx context.Context, encoder encoder, flush func() error) (rows int64, err error) {
	limits := &x.exporter.opts.Limits
	write := func(b *batch) error {
		most := limits.MaxRows
		if x.params.Limit > 0 {
			most = min(most, x.params.Limit)
		}
		fits := min(int64(len(b.lines)), most-rows)
		rows += fits
		cut := int64(len(b.lines)) > fits
		b.lines = b.lines[:fits]
		if err := encoder.Write(b); err != nil {
			return err
		}
		switch {
		case x.params.Limit > 0 && rows == x.params.Limit:
			return errEnough
		case cut:
			return seamark.Errorf(seamark.Unprocessable, "seamark-export-rows",
				"The export has more than the limit of %d lines. Ask for a shorter range, narrow the query, or raise --export.max-rows.", limits.MaxRows)
		}
		return nil
	}
	for {
		slice, ok, err := x.slices.next(ctx)
		if err != nil || !ok {
			return rows, err
		}
		ask := *x.ask
		ask.Start, ask.End, ask.Limit = slice.start, slice.end, 0
		full := false
		_, err = x.exporter.opts.Storage.LogRows(ctx, x.tenant, ask, func(b *store.LogBlock) error {
			lines, err := x.pipeline.run(ctx, b)
			if err != nil || len(lines.lines) == 0 {
				return err
			}
			err = write(lines)
			full = errors.Is(err, errEnough) // the storage may wrap it
			return err
		})
		switch {
		case full:
			return rows, errEnough
		case err != nil:
			return rows, err
		}
		if err := encoder.Flush(); err != nil {
			return rows, err
		}
		if flush != nil {
			if err := flush(); err != nil {
				return rows, err
			}
		}
	}
}

func errTimeout(limit time.Duration) error {
	return seamark.Errorf(seamark.Timeout, "seamark-export-timeout",
		"The export took longer than the limit of %s. Ask for a shorter range, read faster, or raise --export.timeout.", limit)
}

// counted refuses more bytes than an export may have.
type counted struct {
	w          io.Writer
	sent, most int64
}

func (c *counted) Write(b []byte) (int, error) {
	if c.sent+int64(len(b)) > c.most {
		return 0, seamark.Errorf(seamark.Unprocessable, "seamark-export-bytes",
			"The export has more than the limit of %d MiB. Ask for a shorter range, narrow the query, or raise --export.max-bytes.", c.most>>20)
	}
	n, err := c.w.Write(b)
	c.sent += int64(n)
	return n, err
}
