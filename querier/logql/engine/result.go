package engine

import (
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Kind is the shape of a result.
type Kind uint8

// The kinds.
const (
	Streams Kind = iota // lines, from a log query
	Matrix              // series over a range
	Vector              // series at an instant
	Scalar              // one number at an instant
)

// Result is the answer to a query.
type Result struct {
	Kind    Kind
	Streams []Stream // Streams
	Series  []Series // Matrix and Vector; Scalar has one without labels
	Stats   Stats
	// Categorized says that lines carry their own metadata and parsed labels.
	Categorized bool
}

// Stream is the lines that share a label set, in the direction of the query.
type Stream struct {
	Labels  []seamark.Label // sorted
	Entries []Entry
}

// Entry is one line. Metadata and Parsed are set in categorized results only.
type Entry struct {
	Time             int64 // nanoseconds since 1970
	Line             string
	Metadata, Parsed []seamark.Label
}

// Series is one label set with its values.
type Series struct {
	Labels []seamark.Label // sorted
	Points []Point
}

// Point is a value at a time.
type Point struct {
	Time  int64 // nanoseconds since 1970
	Value float64
}

// Stats says what a query cost. Lines and Bytes are what the store read, before filters. The engine knows neither how long the query
// waited nor what else it took: who admitted the query fills that in.
type Stats struct {
	Lines, Bytes uint64
	Entries      int // lines or points returned
	Seconds      float64
	Queued       time.Duration
	CPUMillis    uint64 // of the store
	CacheBytes   uint64 // that memory gave in the store's place
}

// steps are the times at which a metric query is evaluated.
type steps struct {
	first, step int64 // nanoseconds; step is 0 for an instant
	count       int
}

// result turns a matrix into the points of the query's steps.
func (g *steps) result(m matrix) []Series {
	list := make([]Series, 0, len(m))
	for _, s := range m {
		points := 0
		for _, has := range s.has {
			if has {
				points++
			}
		}
		row := Series{Labels: s.labels, Points: make([]Point, 0, points)}
		for k, has := range s.has {
			if has {
				row.Points = append(row.Points, Point{Time: g.first + int64(k)*g.step, Value: s.values[k]})
			}
		}
		list = append(list, row)
	}
	return list
}

// newSteps checks and counts the steps of the query.
func (q *query) newSteps() (*steps, error) {
	p := q.params
	if p.Step == 0 {
		return &steps{first: p.End.UnixNano(), count: 1}, nil
	}
	if p.Step < 0 {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-logql-step", "The step %s must be longer than zero.", p.Step)
	}
	if p.End.Before(p.Start) {
		return nil, seamark.TimeRange{Start: p.Start, End: p.End}.Validate()
	}
	count := int64(p.End.Sub(p.Start)/p.Step) + 1
	if limit := q.engine.opts.MaxSteps; count > int64(limit) {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-logql-steps",
			"The range of %s in steps of %s has %d points per series, more than the limit of %d. Ask for a larger step or a shorter range.",
			p.End.Sub(p.Start).Round(time.Second), p.Step, count, limit)
	}
	return &steps{first: p.Start.UnixNano(), step: int64(p.Step), count: int(count)}, nil
}
