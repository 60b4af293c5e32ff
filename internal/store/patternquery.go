package store

import (
	"context"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// PatternScope says which counts of templates a query looks at. Counts are kept by the minute: times are whole minutes.
type PatternScope struct {
	// All selects the lines of all streams, and Streams is not looked at.
	All     bool
	Streams []LogStream
	Range   seamark.TimeRange
}

// PatternsQuery asks how often each template came.
type PatternsQuery struct {
	PatternScope
	// Before is the range to compare with; its zero has none.
	Before seamark.TimeRange
	// Limit bounds the templates, those of most lines first.
	Limit int
}

// LogPattern is a template and how often it came.
type LogPattern struct {
	ID uint64
	// Text is "" while the message that tells it is on its way, which is a moment after the template was seen first on a day.
	Text string
	// FirstDay is the first day on which the template came, of all that are kept.
	FirstDay     time.Time
	Groups       []string // sorted; those of streams that it came from, at most 20
	Levels       []PatternLevel
	Lines, Bytes uint64 // in the range
	Before       uint64 // lines in the range to compare with
	First, Last  time.Time
}

// PatternLevel is the part of a template's lines that has a level.
type PatternLevel struct {
	Level string
	Lines uint64 // in the range
}

// patternGroups bounds the groups that are listed of a template.
const patternGroups = "20"

// LogPatterns returns the templates of a scope, those of most lines first.
func (s *Store) LogPatterns(ctx context.Context, tenant seamark.TenantID, q PatternsQuery) ([]LogPattern, error) {
	if !q.All && len(q.Streams) == 0 {
		return nil, nil
	}
	var list []LogPattern
	index := map[uint64]int{}
	b := logPatternsSQL(&q)
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var p LogPattern
			var levels map[string]uint64
			var first, last int64
			if err := rows.Scan(&p.ID, &p.Lines, &levels, &p.Bytes, &p.Before, &first, &last, &p.Groups); err != nil {
				return err
			}
			p.First, p.Last = time.Unix(first, 0).UTC(), time.Unix(last, 0).UTC()
			for level, lines := range levels {
				p.Levels = append(p.Levels, PatternLevel{level, lines})
			}
			slices.Sort(p.Groups)
			index[p.ID] = len(list)
			list = append(list, p)
		}
		return rows.Err()
	})
	if missingTable(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return list, s.patternTexts(ctx, tenant, list, index)
}

// Add adds the counts of another template to p's, whose text stands for both.
func (p *LogPattern) Add(other *LogPattern) {
	p.Lines, p.Bytes, p.Before = p.Lines+other.Lines, p.Bytes+other.Bytes, p.Before+other.Before
	if other.First.Before(p.First) {
		p.First = other.First
	}
	if other.Last.After(p.Last) {
		p.Last = other.Last
	}
	if p.FirstDay.IsZero() || !other.FirstDay.IsZero() && other.FirstDay.Before(p.FirstDay) {
		p.FirstDay = other.FirstDay
	}
	for _, level := range other.Levels {
		at := slices.IndexFunc(p.Levels, func(have PatternLevel) bool { return have.Level == level.Level })
		if at < 0 {
			p.Levels = append(p.Levels, level)
			continue
		}
		p.Levels[at].Lines += level.Lines
	}
	p.Groups = append(p.Groups, other.Groups...)
	slices.Sort(p.Groups)
	p.Groups = slices.Compact(p.Groups)
}

// patternTexts fills in texts, and the first day of each template.
func (s *Store) patternTexts(ctx context.Context, tenant seamark.TenantID, list []LogPattern, index map[uint64]int) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]uint64, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	b := newLogSQL()
	b.WriteString("SELECT pattern, any(text), toInt64(toUnixTimestamp(min(ts)))\nFROM log_patterns\n" +
		"WHERE grp = '' AND text != '' AND pattern IN " + b.uint64s(ids) + "\nGROUP BY pattern")
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var id uint64
			var text string
			var day int64
			if err := rows.Scan(&id, &text, &day); err != nil {
				return err
			}
			if at, ok := index[id]; ok {
				list[at].Text, list[at].FirstDay = text, time.Unix(day, 0).UTC()
			}
		}
		return rows.Err()
	})
	return err
}

// logPatternsSQL asks for counts by template. The key's first columns come first: group, then time.
func logPatternsSQL(q *PatternsQuery) *logSQL {
	b := newLogSQL()
	in, before := b.within(q.Range), "0"
	either, whole := in, q.Range
	if !q.Before.End.IsZero() {
		before = b.within(q.Before)
		either = "(" + in + " OR " + before + ")"
		if q.Before.Start.Before(whole.Start) {
			whole.Start = q.Before.Start
		}
		if q.Before.End.After(whole.End) {
			whole.End = q.Before.End
		}
	}
	b.WriteString("SELECT pattern, sumIf(lines, " + in + ") AS n, sumMapIf(map(toString(level), toUInt64(lines)), " + in + "), sumIf(bytes, " + in + "),\n" +
		"  sumIf(lines, " + before + ") AS m,\n" +
		"  toInt64(toUnixTimestamp(min(ts))), toInt64(toUnixTimestamp(max(ts))), groupUniqArray(" + patternGroups + ")(toString(grp))\nFROM log_patterns\n")
	b.wherePatterns(&q.PatternScope, whole)
	if either != in {
		b.WriteString("\n  AND " + either)
	}
	b.WriteString("\nGROUP BY pattern\nORDER BY n DESC, m DESC, pattern\nLIMIT " + b.int64(int64(q.Limit)))
	return b
}

// within is the condition that a count lies in a range.
func (b *logSQL) within(r seamark.TimeRange) string {
	return "ts >= toDateTime(" + b.int64(r.Start.Unix()) + ", 'UTC') AND ts < toDateTime(" + b.int64(r.End.Unix()) + ", 'UTC')"
}

// wherePatterns writes the conditions of a scope over a range.
func (b *logSQL) wherePatterns(scope *PatternScope, whole seamark.TimeRange) {
	b.WriteString("WHERE ")
	if !scope.All {
		groups, fps := streamKeys(scope.Streams)
		b.WriteString("grp IN " + b.strings(groups) + "\n  AND fp IN " + b.uint64s(fps) + "\n  AND ")
	}
	b.WriteString(b.within(whole) + " AND lines > 0")
}

// streamKeys returns the groups and the fingerprints of streams, sorted.
func streamKeys(streams []LogStream) (groups []string, fps []uint64) {
	for i := range streams {
		groups, fps = append(groups, streams[i].Group), append(fps, streams[i].FP)
	}
	slices.Sort(groups)
	slices.Sort(fps)
	return slices.Compact(groups), slices.Compact(fps)
}

// PatternSeriesQuery asks for counts over time.
type PatternSeriesQuery struct {
	PatternScope
	IDs  []uint64      // of the templates; none asks for all
	Step time.Duration // whole minutes
	// Limit bounds the counts; reaching it is an error, since what is left out would be missing from sums.
	Limit int
}

// PatternPoint is how many lines of a template and level a step has.
type PatternPoint struct {
	ID    uint64
	Level string
	Step  int // from the range's start
	Lines uint64
}

// LogPatternSeries returns the counts of templates by step, in no particular order.
func (s *Store) LogPatternSeries(ctx context.Context, tenant seamark.TenantID, q PatternSeriesQuery) ([]PatternPoint, error) {
	if !q.All && len(q.Streams) == 0 {
		return nil, nil
	}
	b := newLogSQL()
	b.WriteString("SELECT pattern, toString(level), toInt64(intDiv(toUnixTimestamp(ts) - " + b.int64(q.Range.Start.Unix()) + ", " +
		b.int64(int64(q.Step/time.Second)) + ")) AS step, sum(lines)\nFROM log_patterns\n")
	b.wherePatterns(&q.PatternScope, q.Range)
	if len(q.IDs) > 0 {
		b.WriteString("\n  AND pattern IN " + b.uint64s(q.IDs))
	}
	b.WriteString("\nGROUP BY pattern, level, step\nLIMIT " + b.int64(int64(q.Limit)+1))
	var list []PatternPoint
	_, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var p PatternPoint
			var step int64
			if err := rows.Scan(&p.ID, &p.Level, &step, &p.Lines); err != nil {
				return err
			}
			p.Step = int(step)
			list = append(list, p)
		}
		return rows.Err()
	})
	if missingTable(err) {
		return nil, nil
	}
	if err == nil && len(list) > q.Limit {
		err = seamark.Errorf(seamark.Unprocessable, "seamark-patterns-counts",
			"The patterns have more than the limit of %d counts by step. Ask for a larger step, a shorter range or fewer patterns.", q.Limit)
	}
	return list, err
}
