package logexplore

import (
	"context"
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/logpattern"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// MinedPatterns is the counts of templates that were mined when lines came: package store. It shows what its caller names streams
// of, whatever those may be.
type MinedPatterns interface {
	// LogPatterns returns the templates of a scope, those of most lines first; the caller owns them.
	LogPatterns(ctx context.Context, tenant seamark.TenantID, q store.PatternsQuery) ([]store.LogPattern, error)
	// LogPatternSeries returns the counts of templates by step, in any order.
	LogPatternSeries(ctx context.Context, tenant seamark.TenantID, q store.PatternSeriesQuery) ([]store.PatternPoint, error)
}

const (
	// minedBucket is the time that mined patterns are counted by.
	minedBucket = time.Minute
	// minMinedRange is the shortest range that is cut into whole minutes where the caller leaves the step open.
	minMinedRange = time.Hour
	// maxMinedTemplates and maxMinedPoints bound what is read of mined patterns; more are mined anew from some lines.
	maxMinedTemplates = 20_000
	maxMinedPoints    = 1_000_000
	// maxMissingLines is the part of lines that mined patterns may lack: those that are stored between two statements.
	maxMissingLines = 0.01
)

// mined fills the search from mined patterns. It returns false where they cannot answer: for a query that looks into lines, for
// steps that are no whole minutes, and for a range in which not all lines were mined.
func (s *search) mined(ctx context.Context, log *logql.LogQuery) (bool, error) {
	counts := s.explorer.opts.Mined
	if counts == nil || len(log.Stages) > 0 || s.query.Step%minedBucket != 0 {
		return false, nil
	}
	whole := seamark.TimeRange{Start: nanos(s.first), End: nanos(s.first + int64(len(s.totals))*int64(s.query.Step))}
	streams, _, err := s.explorer.streams(ctx, s.tenant, s.query.Query, whole)
	if err != nil {
		return false, err
	}
	scope := store.PatternScope{Streams: streams, Range: whole}
	points, err := counts.LogPatternSeries(ctx, s.tenant, store.PatternSeriesQuery{PatternScope: scope, Step: s.query.Step, Limit: maxMinedPoints})
	if seamark.KindOf(err) == seamark.Unprocessable || err == nil && !s.complete(points) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	list, err := counts.LogPatterns(ctx, s.tenant, store.PatternsQuery{PatternScope: scope, Limit: maxMinedTemplates})
	if err != nil {
		return false, err
	}
	s.joined = join(list, points)
	return true, nil
}

// complete reports whether mined patterns have all lines of the range.
func (s *search) complete(points []store.PatternPoint) bool {
	var have, want uint64
	for _, p := range points {
		have += p.Lines
	}
	for _, n := range s.totals {
		want += n
	}
	return math.Abs(float64(have)-float64(want)) <= maxMissingLines*float64(want)
}

// join adds counts up by text and level, those of templates that another stands for with that one's. Counts of a template whose
// text is not there yet are left out.
func join(list []store.LogPattern, points []store.PatternPoint) map[templateLevel]*tally {
	texts, index := make([]string, 0, len(list)), make(map[uint64]int, len(list))
	for i := range list {
		if list[i].Text != "" {
			index[list[i].ID] = len(texts)
			texts = append(texts, list[i].Text)
		}
	}
	into := logpattern.Fold(texts)
	found := map[templateLevel]*tally{}
	for _, p := range points {
		at, ok := index[p.ID]
		if !ok {
			continue
		}
		k := templateLevel{texts[into[at]], p.Level}
		if p.Level == seamark.LevelUnknown.String() {
			k.level = ""
		}
		if found[k] == nil {
			found[k] = &tally{lines: map[int]float64{}}
		}
		found[k].lines[p.Step] += float64(p.Lines)
	}
	return found
}
