package logexplore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/engine"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
	"github.com/seamarkhq/seamark/querier/patterns"
)

// PatternsQuery asks for the templates of lines.
type PatternsQuery struct {
	Query string // a log query
	Range seamark.TimeRange
	Step  time.Duration // of the counts; 0 cuts the range into some hundred
}

// Pattern is a template and how often it came.
type Pattern struct {
	Text   string // with <_> for what differs
	Level  string // of its lines; "" when it is not known
	Points []PatternPoint
	Lines  uint64 // in all
}

// PatternPoint is a count of the step that begins at Time.
type PatternPoint struct {
	Time  time.Time
	Lines uint64
}

// The bounds of one search for patterns.
const (
	maxPatterns    = 300  // returned, those with most lines
	patternWindows = 12   // the range is looked at in so many places at most
	windowLines    = 1000 // newest lines of each window that are looked at
	patternSteps   = 250  // points by default
	minPatternStep = 10 * time.Second
)

// levelLabel is where the engine puts a line's level.
const levelLabel = "detected_level"

// Patterns returns the templates of a query's lines, those of most lines first. Where all lines of the range were mined as they
// came, and neither the query nor the step asks for more, it takes them from there. Else all lines are looked at when they are few.
// Else each of some windows of the range is judged by its newest lines: what part of them a template has, it has of the
// window's lines, whose number is exact.
func (e *Explorer) Patterns(ctx context.Context, tenant seamark.TenantID, q PatternsQuery) ([]Pattern, error) {
	if err := checkRange(q.Range); err != nil {
		return nil, err
	}
	log, err := logql.ParseLogQuery(q.Query)
	if err != nil {
		return nil, err
	}
	if q.Step <= 0 {
		q.Step = max((q.Range.Duration() / patternSteps).Truncate(time.Second), minPatternStep)
		if e.opts.Mined != nil && q.Range.Duration() >= minMinedRange {
			q.Step = (q.Step + minedBucket - 1) / minedBucket * minedBucket
		}
	}
	// A line that a parser of the query fails on is a line all the same.
	text := log.String() + " | drop __error__, __error_details__"
	s := &search{explorer: e, tenant: tenant, query: q, log: text, miners: map[string]*patterns.Miner{}, found: map[*patterns.Pattern]*tally{}}
	if err := s.count(ctx); err != nil {
		return nil, err
	}
	if done, err := s.mined(ctx, log); err != nil || done {
		return s.result(), err
	}
	for _, w := range s.windows() {
		if err := s.look(ctx, w); err != nil {
			return nil, err
		}
	}
	return s.result(), nil
}

// search is one search for patterns.
type search struct {
	explorer *Explorer
	tenant   seamark.TenantID
	query    PatternsQuery
	log      string
	first    int64    // start of the first step, a multiple of the step, in nanoseconds
	totals   []uint64 // lines by step
	miners   map[string]*patterns.Miner
	found    map[*patterns.Pattern]*tally
	joined   map[templateLevel]*tally // mined when the lines came
}

// templateLevel is what a reader sees as one pattern.
type templateLevel struct{ text, level string }

// tally is how many lines a template has by step.
type tally struct {
	level string
	lines map[int]float64
}

// count asks how many lines each step has.
func (s *search) count(ctx context.Context) error {
	step := int64(s.query.Step)
	start, end := s.query.Range.Start.UnixNano(), s.query.Range.End.UnixNano()
	s.first = start - mod(start, step)
	steps := (end - s.first + step - 1) / step
	if limit := s.explorer.opts.MaxSteps; steps > int64(limit) {
		return seamark.Errorf(seamark.Invalid, "seamark-logql-steps",
			"The range of %s in steps of %s has %d points, more than the limit of %d. Ask for a larger step or a shorter range.",
			s.query.Range.Duration().Round(time.Second), s.query.Step, steps, limit)
	}
	s.totals = make([]uint64, steps)
	// A window of LogQL ends at its time, inclusive; a step here ends before the next one begins.
	last := s.first + step - 1
	counted, err := s.explorer.opts.Engine.Query(ctx, s.tenant, engine.Params{
		Query: fmt.Sprintf("sum(count_over_time(%s [%s]))", s.log, quantity.FormatDuration(s.query.Step)),
		Start: nanos(last), End: nanos(last + (steps-1)*step), Step: s.query.Step,
	})
	if err != nil {
		return err
	}
	for _, series := range counted.Series {
		for _, p := range series.Points {
			s.totals[(p.Time-s.first)/step] = uint64(p.Value)
		}
	}
	return nil
}

func mod(a, b int64) int64 {
	if m := a % b; m < 0 {
		return m + b
	}
	return a % b
}

// window is some consecutive steps and the number of their lines.
type window struct {
	from, to int // steps, half-open
	lines    uint64
}

// windows cuts the range, leaving out what has no lines. Few lines are one window.
func (s *search) windows() []window {
	all := uint64(0)
	for _, n := range s.totals {
		all += n
	}
	width := (len(s.totals) + patternWindows - 1) / patternWindows
	if all <= uint64(s.explorer.opts.MaxSampleLines) {
		width = len(s.totals)
	}
	var list []window
	for from := 0; from < len(s.totals); from += width {
		w := window{from: from, to: min(from+width, len(s.totals))}
		for _, n := range s.totals[w.from:w.to] {
			w.lines += n
		}
		if w.lines > 0 {
			list = append(list, w)
		}
	}
	return list
}

// look mines the newest lines of a window, all where they are few.
func (s *search) look(ctx context.Context, w window) error {
	limit := min(windowLines, s.explorer.opts.MaxSampleLines)
	if w.lines <= uint64(s.explorer.opts.MaxSampleLines) {
		limit = int(w.lines)
	}
	step := int64(s.query.Step)
	lines, err := s.explorer.opts.Engine.Query(ctx, s.tenant, engine.Params{
		Query: s.log, Start: nanos(s.first + int64(w.from)*step), End: nanos(s.first + int64(w.to)*step), Step: s.query.Step,
		Limit: limit, Categorize: true,
	})
	if err != nil {
		return err
	}
	seen := 0
	sampled := map[*patterns.Pattern]float64{}
	for i := range lines.Streams {
		for k := range lines.Streams[i].Entries {
			entry := &lines.Streams[i].Entries[k]
			p, err := s.learn(entry)
			if err != nil {
				return err
			}
			seen++
			switch {
			case p == nil:
			case w.lines <= uint64(limit):
				s.found[p].lines[int((entry.Time-s.first)/step)]++
			default:
				sampled[p]++
			}
		}
	}
	for p, n := range sampled {
		for k := w.from; k < w.to; k++ {
			s.found[p].lines[k] += n / float64(seen) * float64(s.totals[k])
		}
	}
	return nil
}

// learn hands a line to the miner of its level; nil says that the line has no word.
func (s *search) learn(entry *engine.Entry) (*patterns.Pattern, error) {
	level := ""
	for _, l := range entry.Metadata {
		if l.Name == levelLabel {
			level = l.Value
		}
	}
	m := s.miners[level]
	if m == nil {
		var err error
		if m, err = patterns.New(patterns.Options{}); err != nil {
			return nil, err
		}
		s.miners[level] = m
	}
	p := m.Learn(entry.Line)
	if p != nil && s.found[p] == nil {
		s.found[p] = &tally{level: level, lines: map[int]float64{}}
	}
	return p, nil
}

// result returns the templates with most lines. Templates that became equal while they were learned are one.
func (s *search) result() []Pattern {
	merged := s.joined
	if merged == nil {
		merged = map[templateLevel]*tally{}
	}
	for p, t := range s.found {
		k := templateLevel{p.String(), t.level}
		if merged[k] == nil {
			merged[k] = &tally{lines: map[int]float64{}}
		}
		for step, n := range t.lines {
			merged[k].lines[step] += n
		}
	}
	list := make([]Pattern, 0, len(merged))
	for k, t := range merged {
		p := Pattern{Text: k.text, Level: k.level}
		for step, n := range t.lines {
			if lines := uint64(math.Round(n)); lines > 0 {
				p.Points = append(p.Points, PatternPoint{Time: nanos(s.first + int64(step)*int64(s.query.Step)), Lines: lines})
				p.Lines += lines
			}
		}
		slices.SortFunc(p.Points, func(a, b PatternPoint) int { return a.Time.Compare(b.Time) })
		if p.Lines > 0 {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Pattern) int {
		if c := cmp.Compare(b.Lines, a.Lines); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(a.Text, b.Text), strings.Compare(a.Level, b.Level))
	})
	return list[:min(len(list), maxPatterns)]
}
