package logpatterns

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/seamarkhq/seamark/internal/logpattern"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// joined is a template with the counts of all that it stands for.
type joined struct {
	store.LogPattern
	ids []uint64 // of its own and theirs
}

// join adds templates up that others stand for: what ingesters have learned of the same lines before they had seen enough of them.
func join(list []store.LogPattern) []joined {
	var texts []string
	var known []int // of texts, in list
	for i := range list {
		if list[i].Text != "" {
			texts, known = append(texts, list[i].Text), append(known, i)
		}
	}
	into := make([]int, len(list))
	for i := range into {
		into[i] = i
	}
	for i, general := range logpattern.Fold(texts) {
		into[known[i]] = known[general]
	}
	at := make(map[int]int, len(list))
	var all []joined
	for i := range list { // the general ones first, whose texts stay
		if into[i] == i {
			at[i] = len(all)
			all = append(all, joined{list[i], []uint64{list[i].ID}})
		}
	}
	for i := range list {
		if into[i] != i {
			general := &all[at[into[i]]]
			general.Add(&list[i])
			general.ids = append(general.ids, list[i].ID)
		}
	}
	return all
}

// judge fills in the answer from all patterns, and leaves those that it lists in their order.
func (a *Answer) judge(all []joined, q *Query) {
	for i := range all {
		a.Lines += all[i].Lines
		a.LinesBefore += all[i].Before
	}
	for i := range all {
		p := Pattern{LogPattern: all[i].LogPattern}
		if a.Lines > 0 {
			p.Share = float64(p.Lines) / float64(a.Lines)
		}
		if !a.Before.End.IsZero() {
			p.Comparison = compare(&p.LogPattern, a.Range.Duration(), a.Before.Duration())
		}
		if q.Order.wants(&p) {
			a.Patterns = append(a.Patterns, p)
		}
	}
	slices.SortFunc(a.Patterns, func(x, y Pattern) int {
		c := 0
		if q.Order != Top {
			c = cmp.Compare(y.Comparison.strength(), x.Comparison.strength())
		}
		return cmp.Or(c, cmp.Compare(y.Lines, x.Lines), cmp.Compare(y.Before, x.Before), cmp.Compare(x.Text, y.Text), cmp.Compare(x.ID, y.ID))
	})
	a.Found = len(a.Patterns)
	a.Patterns = a.Patterns[:min(len(a.Patterns), q.Limit)]
	for i := range a.Patterns {
		slices.SortFunc(a.Patterns[i].Levels, func(x, y store.PatternLevel) int {
			return cmp.Or(cmp.Compare(y.Lines, x.Lines), cmp.Compare(x.Level, y.Level))
		})
	}
}

// wants reports whether an order lists a pattern.
func (o Order) wants(p *Pattern) bool {
	switch o {
	case Fresh:
		return p.Comparison.Change == IsNew
	case Vanished:
		return p.Comparison.Change == HasVanished
	case Spiking:
		return p.Comparison.Change == IsSpiking
	case Top:
	}
	return p.Lines > 0
}

// maxSeriesRows bounds what is read for the counts over time of one answer.
const maxSeriesRows = 2_000_000

// series fills in the counts over time of the patterns that the answer lists.
func (f *Finder) series(ctx context.Context, tenant seamark.TenantID, scope *store.PatternScope, a *Answer, all []joined) error {
	place, q := map[uint64]int{}, store.PatternSeriesQuery{PatternScope: *scope, Step: a.Step, Limit: maxSeriesRows}
	listed := make(map[uint64]int, len(a.Patterns))
	for i := range a.Patterns {
		if a.Patterns[i].Lines > 0 {
			listed[a.Patterns[i].ID] = i
		}
	}
	for i := range all {
		if at, ok := listed[all[i].ID]; ok {
			q.IDs = append(q.IDs, all[i].ids...)
			for _, id := range all[i].ids {
				place[id] = at
			}
		}
	}
	if len(q.IDs) == 0 {
		return nil
	}
	points, err := f.opts.Storage.LogPatternSeries(ctx, tenant, q)
	if err != nil {
		return err
	}
	steps := int((a.Range.Duration() + a.Step - 1) / a.Step)
	counts := map[int][]uint64{}
	for _, p := range points {
		at := place[p.ID]
		if counts[at] == nil {
			counts[at] = make([]uint64, steps)
		}
		counts[at][p.Step] += p.Lines
	}
	for at, lines := range counts {
		for step, n := range lines {
			if n > 0 {
				a.Patterns[at].Points = append(a.Patterns[at].Points, Point{a.Range.Start.Add(time.Duration(step) * a.Step), n})
			}
		}
	}
	return nil
}
