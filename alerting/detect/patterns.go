package detect

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// What a pattern must show beside what chance allows. Traffic has its hours: against the mean of a day, three times the lines is an
// afternoon.
const (
	minRatio     = 4
	maxPatterns  = 100
	dayBefore    = 24 * time.Hour
	patternLasts = 15 * time.Minute // that a change stands without being seen again
)

// patterns looks whether templates of log lines appear, vanish or spike. A change counts when it is one against the time before the
// window and against the same time of the day before.
func (l *look) patterns(ctx context.Context) error {
	end := l.at.Truncate(time.Minute)
	window := seamark.TimeRange{Start: end.Add(-seconds(l.d.Window)), End: end}
	before := seamark.TimeRange{Start: window.Start.Add(-seconds(l.d.Compare)), End: window.Start}
	seen := map[string]bool{}
	for _, change := range l.d.Changes {
		found, err := l.changed(ctx, change, window, before)
		if err != nil {
			return err
		}
		for i := range found {
			labels := map[string]string{"change": change, "pattern_id": strconv.FormatUint(found[i].ID, 16), "pattern": clip(found[i].Text, 200)}
			if len(found[i].Groups) == 1 {
				labels["group"] = found[i].Groups[0]
			}
			seen[keyOf(labels)] = true
			l.out.Series++
			l.ring(labels, strconv.FormatUint(found[i].Lines, 10)+" lines", explainPattern(change, &found[i], seconds(l.d.Window), seconds(l.d.Compare)))
		}
	}
	l.rest(seen)
	return nil
}

// changed returns the changes of one kind that hold.
func (l *look) changed(ctx context.Context, change string, window, before seamark.TimeRange) ([]Pattern, error) {
	ask := PatternQuery{Selector: l.d.Selector, Change: change, Range: window, Before: before, Limit: maxPatterns}
	found, err := l.source.Patterns(ctx, l.tenant, ask)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(p Pattern) bool { return !l.counts(change, &p) })
	if len(found) == 0 || change == "new" {
		return found, nil
	}
	// The same hour of the day before has its own lines: what comes every night is neither a spike nor, in the morning, gone.
	const wider = 30 * time.Minute
	ask.Before = seamark.TimeRange{Start: window.Start.Add(-dayBefore - wider), End: window.End.Add(-dayBefore + wider)}
	again, err := l.source.Patterns(ctx, l.tenant, ask)
	if err != nil {
		return nil, err
	}
	fresh := map[uint64]bool{}
	if change == "spiking" { // what did not come at that hour spikes no less
		ask.Change = "new"
		more, err := l.source.Patterns(ctx, l.tenant, ask)
		if err != nil {
			return nil, err
		}
		again = append(again, more...)
	}
	for i := range again {
		fresh[again[i].ID] = true
	}
	return slices.DeleteFunc(found, func(p Pattern) bool { return !fresh[p.ID] }), nil
}

// counts reports whether a change is large enough, and of lines that are asked for.
func (l *look) counts(change string, p *Pattern) bool {
	lines := float64(p.Lines)
	switch change {
	case "vanished":
		lines = p.Expected
	case "spiking":
		if p.Ratio < minRatio {
			return false
		}
	}
	if lines < float64(l.d.MinLines) {
		return false
	}
	return len(l.d.Levels) == 0 || slices.ContainsFunc(p.Levels, func(level string) bool { return slices.Contains(l.d.Levels, level) })
}

func explainPattern(change string, p *Pattern, window, compare time.Duration) string {
	from := ""
	if len(p.Groups) > 0 {
		from = " of " + strings.Join(p.Groups[:min(len(p.Groups), 3)], ", ")
	}
	head := map[string]string{"new": "is new", "vanished": "has vanished", "spiking": "spikes"}[change]
	return fmt.Sprintf("The log pattern %q%s %s: %s Compared are the last %s with the %s before.", clip(p.Text, 200), from, head, p.Reason,
		insight.Duration(window), insight.Duration(compare))
}

// ring takes a look that something is wrong into account.
func (l *look) ring(labels map[string]string, value, explanation string) {
	a := l.out.State.of(labels)
	a.Track = a.Advance(l.at, insight.Outside, l.steady())
	a.Value, a.Explanation = value, explanation
}

// rest takes a look into account that found nothing wrong but with what was seen.
func (l *look) rest(seen map[string]bool) {
	for key, a := range l.out.State.Alerts {
		if !seen[key] {
			a.Track = a.Advance(l.at, insight.Inside, l.steady())
		}
	}
}

// steady is hold for what is looked at as a whole.
func (l *look) steady() insight.Hold {
	h := l.hold()
	if l.d.Kind == LogPattern {
		h.Keep = max(h.Keep, patternLasts)
	} else {
		h.Keep = l.interval // what reports again is back
	}
	return h
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
