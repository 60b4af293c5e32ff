package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/httpx"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// PatternQuery asks for the templates of log lines. The zero of Before and Step leave them to the finder.
type PatternQuery struct {
	Selector      string // LogQL's stream selector; "" selects all streams
	Range, Before seamark.TimeRange
	Sort          string
	Limit         int
	Step          time.Duration
}

// PatternAnswer is the templates of log lines in a range, and where Before is not zero, how they differ from there.
type PatternAnswer struct {
	Range, Before      seamark.TimeRange
	Step               time.Duration
	Lines, LinesBefore uint64
	Found              int
	Truncated          bool
	Patterns           []FoundPattern
}

// FoundPattern is one template and how often it came.
type FoundPattern struct {
	ID           uint64
	Text         string
	Groups       []string
	Levels       []PatternLevel
	Lines, Bytes uint64
	Share        float64
	First, Last  time.Time
	FirstDay     time.Time // zero while it is not known
	Points       []LogPatternPoint
	Comparison   *PatternComparison
}

// PatternLevel is the part of a template's lines that has a level.
type PatternLevel struct {
	Level string `json:"level"`
	Lines uint64 `json:"lines"`
}

// PatternComparison is how a template differs between two ranges.
type PatternComparison struct {
	Lines            uint64
	Rate, RateBefore float64
	Ratio            float64 // 0 where the template did not come before
	Expected, Score  float64
	Change, Reason   string
}

// PatternFinder is what the pattern route needs of the queriers.
type PatternFinder interface {
	FindPatterns(ctx context.Context, scope seamark.Scope, q PatternQuery) (*PatternAnswer, error)
}

const (
	// defaultPatternRange is what the route looks at when the caller names no start.
	defaultPatternRange = time.Hour
	defaultPatternLimit = 50
	maxPatternLimit     = 500
)

type patternList struct {
	Range       patternRange  `json:"range"`
	Compare     *patternRange `json:"compare"`
	StepSeconds int64         `json:"step_seconds"`
	Lines       uint64        `json:"lines"`
	LinesBefore uint64        `json:"lines_before"`
	Found       int           `json:"found"`
	Truncated   bool          `json:"truncated"`
	Items       []patternItem `json:"items"`
}

type patternRange struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

type patternItem struct {
	ID         string             `json:"id"`
	Template   string             `json:"template"`
	Groups     []string           `json:"groups"`
	Levels     []PatternLevel     `json:"levels"`
	Lines      uint64             `json:"lines"`
	Bytes      uint64             `json:"bytes"`
	Share      float64            `json:"share"`
	FirstSeen  time.Time          `json:"first_seen"`
	LastSeen   time.Time          `json:"last_seen"`
	FirstDay   string             `json:"first_day"`
	Points     []patternPoint     `json:"points"`
	Comparison *patternComparison `json:"comparison"`
}

type patternPoint struct {
	Time  time.Time `json:"time"`
	Lines uint64    `json:"lines"`
}

type patternComparison struct {
	Lines      uint64   `json:"lines"`
	Rate       float64  `json:"rate"`
	RateBefore float64  `json:"rate_before"`
	Ratio      *float64 `json:"ratio"`
	Expected   float64  `json:"expected"`
	Score      float64  `json:"score"`
	Change     string   `json:"change"`
	Reason     string   `json:"reason"`
}

// PatternRoutes returns the route for the templates of log lines, which answers "what is new in these logs".
func PatternRoutes(finder PatternFinder, now func() time.Time) []httpx.Route {
	return []httpx.Route{{
		Method: http.MethodGet, Path: "/api/v1/logs/patterns", Permission: "data:read", HonoursScope: true,
		Handler: func(w http.ResponseWriter, r *httpx.Request) error {
			q, err := parsePatternQuery(r.URL.Query(), now())
			if err != nil {
				return err
			}
			found, err := finder.FindPatterns(r.Context(), r.Scope(), q)
			if err != nil {
				return err
			}
			return httpx.WriteJSON(w, http.StatusOK, patternListOf(found))
		},
	}}
}

func patternListOf(a *PatternAnswer) patternList {
	list := patternList{
		Range: rangeOf(a.Range), StepSeconds: int64(a.Step / time.Second), Lines: a.Lines, LinesBefore: a.LinesBefore, Found: a.Found,
		Truncated: a.Truncated, Items: make([]patternItem, len(a.Patterns)),
	}
	if !a.Before.End.IsZero() {
		before := rangeOf(a.Before)
		list.Compare = &before
	}
	for i := range a.Patterns {
		list.Items[i] = patternItemOf(&a.Patterns[i])
	}
	return list
}

func rangeOf(r seamark.TimeRange) patternRange {
	return patternRange{Start: r.Start.UTC(), End: r.End.UTC()}
}

func patternItemOf(p *FoundPattern) patternItem {
	item := patternItem{
		ID: fmt.Sprintf("%016x", p.ID), Template: p.Text, Groups: orEmpty(p.Groups), Levels: orEmpty(p.Levels), Lines: p.Lines, Bytes: p.Bytes,
		Share: p.Share, FirstSeen: p.First.UTC(), LastSeen: p.Last.UTC(), Points: make([]patternPoint, len(p.Points)),
	}
	if !p.FirstDay.IsZero() {
		item.FirstDay = p.FirstDay.UTC().Format(time.DateOnly)
	}
	for i, point := range p.Points {
		item.Points[i] = patternPoint{Time: point.Time.UTC(), Lines: point.Lines}
	}
	if c := p.Comparison; c != nil {
		item.Comparison = &patternComparison{
			Lines: c.Lines, Rate: c.Rate, RateBefore: c.RateBefore, Expected: c.Expected, Score: c.Score, Change: c.Change, Reason: c.Reason,
		}
		if c.Ratio > 0 {
			item.Comparison.Ratio = &c.Ratio
		}
	}
	return item
}

func parsePatternQuery(form url.Values, now time.Time) (PatternQuery, error) {
	q := PatternQuery{Selector: form.Get("query"), Sort: form.Get("sort"), Limit: defaultPatternLimit}
	if q.Sort == "" {
		q.Sort = "top"
	}
	var err error
	if q.Range.End, err = timeParameter(form, "end", now); err != nil {
		return q, err
	}
	if q.Range.Start, err = timeParameter(form, "start", q.Range.End.Add(-defaultPatternRange)); err != nil {
		return q, err
	}
	if q.Before.Start, err = timeParameter(form, "compare_start", time.Time{}); err != nil {
		return q, err
	}
	if q.Before.End, err = timeParameter(form, "compare_end", time.Time{}); err != nil {
		return q, err
	}
	if text := form.Get("limit"); text != "" {
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > maxPatternLimit {
			return q, seamark.Errorf(seamark.Invalid, "seamark-patterns-limit", "The limit %q is not a number from 1 to %d.", shortened(text), maxPatternLimit)
		}
	}
	if text := form.Get("step"); text != "" {
		if q.Step, err = parsePatternStep(text); err != nil {
			return q, err
		}
	}
	return q, nil
}

// parsePatternStep reads seconds, or a duration such as 5m.
func parsePatternStep(text string) (time.Duration, error) {
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		text = strconv.FormatInt(seconds, 10) + "s"
	}
	step, err := time.ParseDuration(text)
	if err != nil || step < time.Minute || step%time.Minute != 0 {
		return 0, seamark.Errorf(seamark.Invalid, "seamark-patterns-step",
			"The step %q is not a number of whole minutes, such as 5m or 300, in which patterns are counted.", shortened(text))
	}
	return step, nil
}

// shortened is a parameter as an error shows it.
func shortened(text string) string {
	const most = 40
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}
