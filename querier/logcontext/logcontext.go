// Package logcontext shows what stands around a log line: the lines before and after it in its stream, or in its pod, in an
// order that never changes, page after page. It reads the store; package app hands it to the HTTP API.
package logcontext

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// Storage is what lines are read from: package store. Implementations are safe for concurrent use and never show one
// tenant's data to another.
type Storage interface {
	// LogStreams returns at most q.Limit streams that match; the caller owns them.
	LogStreams(ctx context.Context, tenant seamark.TenantID, q store.LogStreamsQuery) ([]store.LogStream, error)
	// LogStreamsByFP returns the streams with the given fingerprints, as far as they are known.
	LogStreamsByFP(ctx context.Context, tenant seamark.TenantID, fps []uint64) ([]store.LogStream, error)
	// LogPositionOf returns where the first row of a stream at a time stands, or with a line the first that says it.
	LogPositionOf(ctx context.Context, tenant seamark.TenantID, stream store.LogStream, time int64, line *string) (store.LogPosition, bool, error)
	// LogContext returns the rows next to a position, the nearest first.
	LogContext(ctx context.Context, tenant seamark.TenantID, q store.LogContextQuery) (*store.LogContextRows, error)
}

const (
	// DefaultLines is how many lines are shown on a side unless told.
	DefaultLines = 10
	// MaxLines is what the lines of a side can be bounded to at most. Above it pages are cheaper than one answer.
	MaxLines = store.MaxLogPage - 1
	// DefaultSpan is how far from the line, or from a page's end, lines are looked for.
	DefaultSpan = 24 * time.Hour
	// MaxSpan bounds the span to what logs are kept for.
	MaxSpan = 30 * 24 * time.Hour
	// maxStreams bounds the streams of a pod: one per container, source and level of labels.
	maxStreams = 1000
)

// Reader reads the surroundings of lines. It is safe for concurrent use.
type Reader struct{ opts Options }

// Options configures a Reader.
type Options struct {
	Storage Storage
	// MaxLines bounds the lines of a side, from DefaultLines to MaxLines, which it is unless set. Without it one answer holds a
	// pod's whole day.
	MaxLines int
}

// New returns a reader over a storage.
func New(o Options) (*Reader, error) {
	if o.MaxLines == 0 {
		o.MaxLines = MaxLines
	}
	if o.Storage == nil || o.MaxLines < DefaultLines || o.MaxLines > MaxLines {
		return nil, fmt.Errorf("logcontext: a storage is required, and %d to %d lines", DefaultLines, MaxLines)
	}
	return &Reader{o}, nil
}

// Query names a line and says how much around it is wanted.
type Query struct {
	// Stream is the selector of the line's stream: all its labels, or as many as tell it from others. Fingerprint names the
	// stream instead when Stream is "".
	Stream      string
	Fingerprint uint64
	Time        int64   // of the line, in nanoseconds since 1970
	Line        *string // what it says, to tell it from others of its time; nil takes the first
	Pod         bool    // show all streams of the line's pod
	// Before and After are how many lines are wanted on each side, up to Options.MaxLines.
	Before, After int
	Span          time.Duration // how far lines are looked for, in whole seconds; 0 is DefaultSpan
}

// Line is one line.
type Line struct {
	Time     int64 // nanoseconds since 1970
	Stream   *store.LogStream
	Text     string
	Level    seamark.Level
	TraceID  [16]byte // zero for none
	SpanID   [8]byte
	Metadata []seamark.Label
	Anchor   bool // the line that was asked for
}

// Page is lines that stand together, oldest first.
type Page struct {
	Lines []Line
	// Before and After are the cursors that go on from the ends; "" on the side that the page was not read towards.
	Before, After string
	// MoreBefore and MoreAfter say whether there are more lines within the span.
	MoreBefore, MoreAfter bool
}

// Around returns a line with those around it. A line that is not there leaves a page of what stands around its time. Errors
// are of kind Invalid, NotFound for a stream that there is not, or what the storage returns.
func (r *Reader) Around(ctx context.Context, tenant seamark.TenantID, q Query) (*Page, error) {
	if err := r.check(tenant, &q); err != nil {
		return nil, err
	}
	stream, err := r.stream(ctx, tenant, &q)
	if err != nil {
		return nil, err
	}
	at, found, err := r.opts.Storage.LogPositionOf(ctx, tenant, *stream, q.Time, q.Line)
	if err != nil {
		return nil, err
	}
	start := cursor{stream: stream.FP, pod: q.Pod, span: q.Span, at: at}
	if !found {
		start.at = store.LogPosition{Time: q.Time}
	}
	streams, err := r.streams(ctx, tenant, stream, &start)
	if err != nil {
		return nil, err
	}
	older, newer := start, start
	older.past, newer.newer = true, true
	page := &Page{}
	if page.Before, page.MoreBefore, err = r.extend(ctx, tenant, page, streams, &older, q.Before); err != nil {
		return nil, err
	}
	slices.Reverse(page.Lines)
	middle, after := len(page.Lines), q.After
	if found {
		after++ // it comes first
	}
	if page.After, page.MoreAfter, err = r.extend(ctx, tenant, page, streams, &newer, after); err != nil {
		return nil, err
	}
	if found && len(page.Lines) > middle {
		page.Lines[middle].Anchor = true
	}
	return page, nil
}

// Continue returns the next page in a cursor's direction. limit 0 is DefaultLines.
func (r *Reader) Continue(ctx context.Context, tenant seamark.TenantID, text string, limit int) (*Page, error) {
	if limit == 0 {
		limit = DefaultLines
	}
	if err := r.checkPage(tenant, limit); err != nil {
		return nil, err
	}
	c, err := parseCursor(text)
	if err != nil {
		return nil, err
	}
	stream, err := r.stream(ctx, tenant, &Query{Fingerprint: c.stream})
	if err != nil {
		return nil, err
	}
	streams, err := r.streams(ctx, tenant, stream, c)
	if err != nil {
		return nil, err
	}
	page := &Page{}
	if c.newer {
		page.After, page.MoreAfter, err = r.extend(ctx, tenant, page, streams, c, limit)
		return page, err
	}
	page.Before, page.MoreBefore, err = r.extend(ctx, tenant, page, streams, c, limit)
	slices.Reverse(page.Lines)
	return page, err
}

// extend appends the next lines from a cursor to a page, the nearest first, and returns the cursor behind them.
func (r *Reader) extend(ctx context.Context, tenant seamark.TenantID, page *Page, streams map[uint64]*store.LogStream, from *cursor, limit int) (next string, more bool, err error) { //nolint:revive // one place, and each argument is another thing
	q := store.LogContextQuery{From: from.at, Newer: from.newer, Past: from.past, Skip: int(from.skip), Limit: limit + 1, Until: from.at.Time - int64(from.span)}
	if q.Newer {
		q.Until = from.at.Time + int64(from.span)
	}
	for _, s := range streams {
		q.Streams = append(q.Streams, *s)
	}
	found, err := r.opts.Storage.LogContext(ctx, tenant, q)
	if err != nil {
		return "", false, err
	}
	n := min(found.Len(), limit)
	for i := range n {
		page.Lines = append(page.Lines, Line{
			Time: found.Time[i], Stream: streams[found.FP[i]], Text: found.Body[i], Level: found.Level[i], TraceID: found.TraceID[i], SpanID: found.SpanID[i],
			Metadata: found.AttrsOf(i),
		})
	}
	return from.behind(found.At[:n]).String(), found.Len() > n, nil
}

// behind returns the cursor behind the rows that were shown from c on.
func (c *cursor) behind(shown []store.LogPosition) *cursor {
	if len(shown) == 0 {
		return c
	}
	next := *c
	next.past, next.skip, next.at = false, 0, shown[len(shown)-1]
	for i := len(shown) - 1; i >= 0 && shown[i] == next.at; i-- {
		next.skip++
	}
	if int(next.skip) == len(shown) && next.at == c.at && !c.past {
		next.skip += c.skip // the pages before have shown rows of this position, too
	}
	return &next
}

// stream returns the stream that a line belongs to.
func (r *Reader) stream(ctx context.Context, tenant seamark.TenantID, q *Query) (*store.LogStream, error) {
	if q.Stream == "" {
		found, err := r.opts.Storage.LogStreamsByFP(ctx, tenant, []uint64{q.Fingerprint})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, seamark.Errorf(seamark.NotFound, "seamark-context-stream", "There is no stream with the fingerprint %016x.", q.Fingerprint)
		}
		return &found[0], nil
	}
	matchers, err := logql.ParseMatchers(q.Stream)
	if err != nil {
		return nil, err
	}
	ask := store.LogStreamsQuery{Start: q.Time, End: q.Time + 1, Limit: maxStreams}
	for _, m := range matchers {
		op := store.LogEquals
		if m.Op.Regexp() {
			op = store.LogMatches
		}
		ask.Matchers = append(ask.Matchers, store.LogMatcher{Name: m.Name, Op: op, Value: m.Value, Not: m.Op.Negative()})
	}
	found, err := r.opts.Storage.LogStreams(ctx, tenant, ask)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 {
		return &found[0], nil
	}
	// Labels that name one stream whole may all be labels of others, which have more.
	for i := range found {
		if len(found[i].Labels) == len(matchers) && len(found) < maxStreams {
			return &found[i], nil
		}
	}
	if len(found) == 0 {
		return nil, seamark.Errorf(seamark.NotFound, "seamark-context-stream", "No stream with lines on that day matches the selector.")
	}
	return nil, seamark.Errorf(seamark.Invalid, "seamark-context-streams",
		"The selector matches %d streams. Name all labels of the line's stream, or its fingerprint.", len(found))
}

// streams returns the streams whose lines are shown around a cursor.
func (r *Reader) streams(ctx context.Context, tenant seamark.TenantID, of *store.LogStream, c *cursor) (map[uint64]*store.LogStream, error) {
	if !c.pod {
		return map[uint64]*store.LogStream{of.FP: of}, nil
	}
	q := store.LogStreamsQuery{Start: c.at.Time - int64(c.span), End: c.at.Time + int64(c.span), Limit: maxStreams + 1}
	for _, name := range []string{seamark.ClusterLabel, "namespace", "pod"} {
		value := ""
		for _, l := range of.Labels {
			if l.Name == name {
				value = l.Value
			}
		}
		if name == "pod" && value == "" {
			return nil, seamark.Errorf(seamark.Invalid, "seamark-context-pod", "The line's stream has no label pod. Ask for the lines of its stream.")
		}
		q.Matchers = append(q.Matchers, store.LogMatcher{Name: name, Op: store.LogEquals, Value: value})
	}
	found, err := r.opts.Storage.LogStreams(ctx, tenant, q)
	if err != nil {
		return nil, err
	}
	if len(found) > maxStreams {
		return nil, seamark.Errorf(seamark.Unprocessable, "seamark-context-many", "The pod has more than the limit of %d streams. Ask for the lines of one stream, or for a shorter span.", maxStreams)
	}
	streams := make(map[uint64]*store.LogStream, len(found)+1)
	streams[of.FP] = of
	for i := range found {
		streams[found[i].FP] = &found[i]
	}
	return streams, nil
}
