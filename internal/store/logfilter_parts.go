package store

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store/gram"
)

// LogFilterPart is a part of the table of filters. A merged part has the filters of all parts whose blocks lie in its own.
type LogFilterPart struct {
	Day      int32 // since 1970
	MaxBlock int64 // the newest insert in it; it rises with every insert
	Filters  int64
}

// LogFilterParts are the parts of a scope's days, and the ranges of its rows that no filter covers.
type LogFilterParts struct {
	Parts     []LogFilterPart
	Uncovered []LogRange
}

// maxBlock is the last number in a part's name. It is taken apart on the server, as a part may be merged after it was listed.
const maxBlock = "toInt64(splitByChar('_', _part)[3])"

// ListLogFilterParts returns the parts of the filters of a scope. It reads a few bytes of each filter.
func (s *Store) ListLogFilterParts(ctx context.Context, tenant seamark.TenantID, scope LogScope) (LogFilterParts, LogStats, error) {
	var list LogFilterParts
	if s.absent(tenant, TableLogFilters) {
		list.Uncovered = mergeRanges(scope.all(), maxLogRanges)
		return list, LogStats{}, nil
	}
	b := newLogSQL()
	b.WriteString("SELECT '' AS grp, toInt64(toUInt16(day)), " + maxBlock + " AS a, toInt64(count()) AS b\nFROM log_filters\nWHERE " + b.days(&scope) + "\nGROUP BY day, _part\nUNION ALL\n")
	b.uncovered(&scope, "toInt64(-1), ")
	stats, err := s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		for rows.Next() {
			var group string
			var day, from, to int64
			if err := rows.Scan(&group, &day, &from, &to); err != nil {
				return err
			}
			if group == "" && day >= 0 {
				list.Parts = append(list.Parts, LogFilterPart{int32(day), from, to})
				continue
			}
			list.Uncovered = append(list.Uncovered, LogRange{group, from, to})
		}
		return rows.Err()
	})
	if missingTable(err) {
		s.noteAbsent(tenant, TableLogFilters)
		return LogFilterParts{Uncovered: mergeRanges(scope.all(), maxLogRanges)}, stats, nil
	}
	return list, stats, err
}

// LogRunFilter is one filter: the lines of a group with Start <= time < End have no other grams.
type LogRunFilter struct {
	Group      string
	Start, End int64
	Grams      gram.Set
}

// LogFiltersQuery selects the filters of some groups of a day that were stored by inserts after a block.
type LogFiltersQuery struct {
	Day    int32 // since 1970
	Groups []string
	After  int64
}

// ReadLogFilters hands the filters to fn that q selects, and perhaps some of before. What fn is given is reused when it returns.
func (s *Store) ReadLogFilters(ctx context.Context, tenant seamark.TenantID, q LogFiltersQuery, fn func(*LogRunFilter) error) (LogStats, error) {
	b := newLogSQL()
	b.WriteString("SELECT grp, " + filterStart + ", " + filterEnd + ", CAST(grams AS String)\nFROM log_filters\nWHERE grp IN " + b.strings(q.Groups) +
		"\n  AND day = toDate(" + b.int64(int64(q.Day)) + ") AND " + maxBlock + " > " + b.int64(q.After))
	return s.logQuery(ctx, tenant, b.String(), b.params, func(rows driver.Rows) error {
		var f LogRunFilter
		var state string
		for rows.Next() {
			if err := rows.Scan(&f.Group, &f.Start, &f.End, &state); err != nil {
				return err
			}
			if err := f.Grams.ParseState(state); err != nil {
				return err
			}
			if err := fn(&f); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
