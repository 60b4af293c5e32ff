package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store/gram"
)

// LogRange is a part of a scope: the rows of one group with Start <= time < End.
type LogRange struct {
	Group      string
	Start, End int64
}

const (
	// maxLogRanges bounds the ranges that a statement names; the server compares each with the borders of each block.
	maxLogRanges = 128
	// maxGrams bounds the grams of a text that are asked for. A set that has so many by chance is full.
	maxGrams = 64
	// uncoveredCuts is how finely the rows without filters are told apart by time.
	uncoveredCuts = 64
)

// NarrowLogs returns the scope with the ranges that its rows can lie in, by the filters that stand beside them. It returns the scope
// as it is when they cannot tell: no filter of the scope asks for a text that every row's body must have. The server reads a
// few bytes for each line of the scope, instead of the lines.
func (s *Store) NarrowLogs(ctx context.Context, tenant seamark.TenantID, scope LogScope) (LogScope, LogStats, error) {
	wanted := scope.wanted()
	if len(wanted) == 0 || scope.Empty() {
		return scope, LogStats{}, nil
	}
	if s.absent(tenant, TableLogFilters) {
		return scope, LogStats{}, nil
	}
	b := narrowSQL(&scope, wanted)
	ranges := []LogRange{}
	stats, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var r LogRange
			if err := rows.Scan(&r.Group, &r.Start, &r.End); err != nil {
				return err
			}
			ranges = append(ranges, r)
		}
		return rows.Err()
	})
	if missingTable(err) {
		s.noteAbsent(tenant, TableLogFilters)
		return scope, stats, nil
	}
	if err != nil {
		return scope, stats, err
	}
	scope.Narrow(ranges)
	return scope, stats, nil
}

// Narrow says that rows for which the scope's filters hold lie in ranges alone, which it takes. A group of which they leave out less
// than half is asked for whole: a word that many of its lines have is in nearly all of its filters.
func (s *LogScope) Narrow(ranges []LogRange) {
	ranges = mergeRanges(ranges, len(ranges))
	var kept []LogRange
	whole := 0
	for len(ranges) > 0 {
		some := ofFirstGroup(ranges)
		ranges = ranges[len(some):]
		covered := 0.0
		for _, r := range some {
			covered += float64(min(r.End, s.End) - max(r.Start, s.Start))
		}
		if covered < manyCovered*float64(s.End-s.Start) {
			kept = append(kept, some...)
			continue
		}
		kept = append(kept, LogRange{some[0].Group, s.Start, s.End})
		whole++
	}
	s.Narrowed, s.Ranges = true, mergeRanges(kept, whole+maxLogRanges)
}

// ofFirstGroup returns the ranges of the group that sorted ranges begin with.
func ofFirstGroup(ranges []LogRange) []LogRange {
	n := slices.IndexFunc(ranges, func(r LogRange) bool { return r.Group != ranges[0].Group })
	if n < 0 {
		return ranges
	}
	return ranges[:n]
}

// manyCovered is the share of a group's time from which on its ranges are not worth their conditions.
const manyCovered = 0.5

// narrows reports whether a range is less than all rows of its group.
func (s *LogScope) narrows() bool {
	return slices.ContainsFunc(s.Ranges, func(r LogRange) bool { return !s.whole(&r) })
}

// whole reports whether a range has all rows of its group.
func (s *LogScope) whole(r *LogRange) bool { return r.Start <= s.Start && r.End >= s.End }

// wanted returns for each of the scope's filters that sets of grams can help with such sets, one of which a row must have.
func (s *LogScope) wanted() (wanted [][][]uint16) {
	for i := range s.Filters {
		if sets := gramsOf(&s.Filters[i]); len(sets) > 0 {
			wanted = append(wanted, sets)
		}
	}
	return wanted
}

// Grams asks of sets of grams whether lines with them can satisfy a scope's filters.
type Grams struct{ wanted [][][]uint16 }

// Grams returns what the scope's filters ask of the grams of lines; ok is false when that is nothing.
func (s *LogScope) Grams() (g Grams, ok bool) {
	g.wanted = s.wanted()
	return g, len(g.wanted) > 0 && !s.Empty()
}

// In reports whether lines whose grams has knows can satisfy the filters.
func (g Grams) In(has func(grams []uint16) bool) bool {
	return !slices.ContainsFunc(g.wanted, func(sets [][]uint16) bool { return !slices.ContainsFunc(sets, has) })
}

func gramsOf(f *LogFilter) (sets [][]uint16) {
	if f.Field != LogBody || f.Not || f.Op != LogContains && f.Op != LogSearch {
		return nil
	}
	for _, text := range f.Texts {
		literals := []string{text}
		if f.Op == LogSearch {
			if literals, _ = requiredLiterals(text); len(literals) == 0 {
				return nil
			}
		}
		for _, l := range literals {
			grams := gram.Of(l)
			if len(grams) == 0 {
				return nil
			}
			sets = append(sets, spread(grams, maxGrams))
		}
	}
	return sets
}

// spread returns at most n of the list, from all over it.
func spread(list []uint16, n int) []uint16 {
	if len(list) <= n {
		return list
	}
	few := make([]uint16, n)
	for i := range few {
		few[i] = list[i*len(list)/n]
	}
	return few
}

// The times that a filter covers: its run, as far as it lies in its day.
const (
	filterStart = "greatest(start, toInt64(toUInt16(day)) * 86400000000000)"
	filterEnd   = "least(start + bitShiftLeft(toInt64(1), bits), (toInt64(toUInt16(day)) + 1) * 86400000000000)"
)

// narrowSQL asks for the runs whose filters have all that is wanted, and for the times of rows that no filter covers.
func narrowSQL(scope *LogScope, wanted [][][]uint16) *logSQL {
	b := newLogSQL()
	start, end := b.int64(scope.Start), b.int64(scope.End)
	b.WriteString("SELECT grp, " + filterStart + ", " + filterEnd + "\nFROM log_filters\nWHERE grp IN " + b.strings(scope.groups()) + " AND " + b.days(scope))
	b.WriteString("\n  AND start < " + end + " AND start + bitShiftLeft(toInt64(1), bits) > " + start)
	for _, sets := range wanted {
		some := make([]string, 0, len(sets))
		for _, grams := range sets {
			some = append(some, "bitmapHasAll(grams, bitmapBuild("+b.uint16s(grams)+"))")
		}
		b.WriteString("\n  AND (" + strings.Join(some, " OR ") + ")")
	}
	b.WriteString("\nUNION ALL\n")
	b.uncovered(scope, "")
	return b
}

// days returns the condition that a filter is of a day of the scope.
func (b *logSQL) days(scope *LogScope) string {
	first, last := int64(dayOf(scope.Start, dayNanos)), int64(dayOf(scope.End-1, dayNanos))
	return "day >= toDate(" + b.int64(first) + ") AND day <= toDate(" + b.int64(last) + ")"
}

// uncovered asks for the times of rows that no filter covers, as three columns behind others.
func (b *logSQL) uncovered(scope *LogScope, others string) {
	cut := b.int64(max((scope.End-scope.Start)/uncoveredCuts, 1))
	b.WriteString("SELECT toString(grp), " + others + "toUnixTimestamp64Nano(min(ts)), toUnixTimestamp64Nano(max(ts)) + 1\nFROM logs\n")
	b.whereGroups(&LogScope{Streams: scope.Streams, Start: scope.Start, End: scope.End}, false)
	b.WriteString("\n  AND _f = 0\nGROUP BY grp, intDiv(toUnixTimestamp64Nano(ts), " + cut + ")")
}

// all returns the ranges of all rows of the scope.
func (s *LogScope) all() []LogRange {
	var ranges []LogRange
	for _, group := range s.groups() {
		ranges = append(ranges, LogRange{group, s.Start, s.End})
	}
	return ranges
}

// groups returns the groups of the scope's streams, or of its ranges, sorted.
func (s *LogScope) groups() []string {
	var groups []string
	if s.Narrowed {
		for i := range s.Ranges {
			groups = append(groups, s.Ranges[i].Group)
		}
	} else {
		for i := range s.Streams {
			groups = append(groups, s.Streams[i].Group)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// Empty reports whether no row can lie in the scope.
func (s *LogScope) Empty() bool {
	return len(s.Streams) == 0 || s.Start >= s.End || s.Narrowed && len(s.Ranges) == 0
}

// mergeRanges sorts ranges, joins those that touch, and then joins those with the least between them until there are at most n of
// them, or one per group.
func mergeRanges(ranges []LogRange, n int) []LogRange {
	slices.SortFunc(ranges, func(a, b LogRange) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Start, b.Start))
	})
	ranges = joinRanges(ranges, 0)
	if len(ranges) <= n {
		return ranges
	}
	var gaps []int64
	for i := 1; i < len(ranges); i++ {
		if ranges[i].Group == ranges[i-1].Group {
			gaps = append(gaps, ranges[i].Start-ranges[i-1].End)
		}
	}
	if len(gaps) == 0 {
		return ranges
	}
	slices.Sort(gaps)
	return joinRanges(ranges, gaps[min(len(ranges)-n, len(gaps))-1])
}

// joinRanges joins consecutive ranges of a group with a gap of at most so much.
func joinRanges(ranges []LogRange, gap int64) []LogRange {
	joined := ranges[:0]
	for _, r := range ranges {
		if last := len(joined) - 1; last >= 0 && joined[last].Group == r.Group && r.Start <= joined[last].End+gap {
			joined[last].End = max(joined[last].End, r.End)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

// ranges writes that rows for which the filters hold lie in the ranges: the server asks it of the borders of its blocks, and of no row,
// because the filters decide about those anyway. Whole groups are one list. The others' ranges are one, too, of cells of time that cover
// them: the server finds its place in a list, where of conditions it asks each, for each block.
func (b *logSQL) ranges(scope *LogScope) {
	var whole, hints []string
	var some []LogRange
	for left := scope.Ranges; len(left) > 0; {
		ranges := ofFirstGroup(left)
		left = left[len(ranges):]
		if scope.whole(&ranges[0]) {
			whole = append(whole, ranges[0].Group)
			continue
		}
		some = append(some, ranges...)
	}
	if len(some) > 0 {
		width := cellWidth(some)
		hints = append(hints, "(grp, intDiv(toUnixTimestamp64Nano(ts), "+b.int64(width)+")) IN "+b.cells(some, width))
	}
	if len(whole) > 0 {
		hints = append(hints, "grp IN "+b.strings(whole))
	}
	b.WriteString("\n  AND indexHint(" + strings.Join(hints, " OR ") + ")")
}

const (
	// leastCell is the shortest cell of time; the shortest filter covers as much.
	leastCell = int64(1) << leastBits
	// maxCells bounds the cells that a statement lists, if it has fewer ranges.
	maxCells = 4 * maxLogRanges
)

// cellWidth returns the shortest cell of which few cover the ranges.
func cellWidth(ranges []LogRange) int64 {
	for width := leastCell; ; width *= 2 {
		cells := int64(0)
		for _, r := range ranges {
			cells += (r.End-1)/width - r.Start/width + 1
		}
		if cells <= max(maxCells, 2*int64(len(ranges))) {
			return width
		}
	}
}

// cells lists the cells that cover the ranges, by group and number.
func (b *logSQL) cells(ranges []LogRange, width int64) string {
	var list strings.Builder
	for i, r := range ranges {
		first := r.Start / width
		if i > 0 && ranges[i-1].Group == r.Group {
			first = max(first, (ranges[i-1].End-1)/width+1) // which the range before has listed
		}
		for n := first; n <= (r.End-1)/width; n++ {
			if list.Len() > 0 {
				list.WriteByte(',')
			}
			_, _ = fmt.Fprintf(&list, "('%s',%d)", elementEscaper.Replace(r.Group), n) // a strings.Builder never fails
		}
	}
	return b.bind("Array(Tuple(String, Int64))", "["+list.String()+"]")
}
