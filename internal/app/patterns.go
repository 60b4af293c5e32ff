package app

import (
	"context"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/ingest"
	"github.com/seamarkhq/seamark/ingest/patterns"
	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/logpatterns"
)

// PatternOptions configures the mining of log patterns.
type PatternOptions struct {
	// Enabled says whether the templates of log lines are found and counted at all.
	Enabled bool
	patterns.Limits
}

// openMiner makes what finds the templates of log lines, or nothing where that is switched off.
func (a *App) openMiner() (ingest.Patterns, error) {
	if !a.opts.Patterns.Enabled {
		return nil, nil
	}
	return patterns.New(patterns.Options{Limits: a.opts.Patterns.Limits, Registerer: a.registry})
}

// patternRoutes returns the routes for log patterns.
func (a *App) patternRoutes() []httpx.Route {
	return a.metered("logql", api.PatternRoutes(patternAPI{a.patterns, a.turns}, a.opts.Now))
}

// patternAPI shows the finder of patterns in the API's words. It implements api.PatternFinder.
type patternAPI struct {
	finder *logpatterns.Finder
	turns
}

// FindPatterns implements api.PatternFinder.
func (p patternAPI) FindPatterns(ctx context.Context, scope seamark.Scope, q api.PatternQuery) (*api.PatternAnswer, error) {
	ctx, done, err := p.begin(ctx, light)
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := p.finder.Find(ctx, scope, logpatterns.Query{
		Selector: q.Selector, Range: q.Range, Before: q.Before, Order: logpatterns.Order(q.Sort), Limit: q.Limit, Step: q.Step,
	})
	if err != nil {
		return nil, err
	}
	a := &api.PatternAnswer{
		Range: found.Range, Before: found.Before, Step: found.Step, Lines: found.Lines, LinesBefore: found.LinesBefore, Found: found.Found,
		Truncated: found.Truncated, Patterns: make([]api.FoundPattern, len(found.Patterns)),
	}
	for i := range found.Patterns {
		a.Patterns[i] = foundPattern(&found.Patterns[i])
	}
	return a, nil
}

func foundPattern(p *logpatterns.Pattern) api.FoundPattern {
	f := api.FoundPattern{
		ID: p.ID, Text: p.Text, Groups: p.Groups, Lines: p.Lines, Bytes: p.Bytes, Share: p.Share, First: p.First, Last: p.Last, FirstDay: p.FirstDay,
		Levels: make([]api.PatternLevel, len(p.Levels)), Points: make([]api.LogPatternPoint, len(p.Points)),
	}
	for i, level := range p.Levels {
		f.Levels[i] = api.PatternLevel(level)
	}
	for i, point := range p.Points {
		f.Points[i] = api.LogPatternPoint(point)
	}
	if c := p.Comparison; c != nil {
		f.Comparison = &api.PatternComparison{
			Lines: c.Lines, Rate: c.Rate, RateBefore: c.RateBefore, Ratio: c.Ratio, Expected: c.Expected, Score: c.Score, Change: string(c.Change), Reason: c.Reason,
		}
	}
	return f
}
