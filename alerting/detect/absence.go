package detect

import (
	"context"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
)

const (
	// arrivalPoints bounds the steps that a cadence is learned from.
	arrivalPoints = 1000
	// newestLeast is the least that every evaluation reads of arrivals.
	newestLeast = 30 * time.Minute
	// late is how long rows are under way at most before they count as not arrived.
	late = 5 * time.Minute
)

// absence looks for what reported regularly and does not any more.
func (l *look) absence(ctx context.Context) error {
	seen := map[string]bool{}
	for _, signal := range l.d.Signals {
		history, err := l.arrivals(ctx, signal)
		if err != nil {
			return err
		}
		newest, err := l.newest(ctx, signal)
		if err != nil {
			return err
		}
		for i := range history {
			labels := maps.Clone(history[i].Labels)
			labels["signal"] = signal
			l.out.Series++
			c := insight.LearnCadence(history[i].Grid, l.at)
			if !c.Known {
				l.out.Learning++
				continue
			}
			if last, ok := newest[keyOf(history[i].Labels)]; ok && last.After(c.Last) {
				c.Last = last
			}
			silent, limit := l.at.Sub(c.Last), c.Silent(seconds(l.d.Silence))
			if silent < limit || silent >= seconds(l.d.Forget) {
				continue
			}
			seen[keyOf(labels)] = true
			l.ring(labels, insight.Duration(silent), explainAbsence(labels, signal, &c, silent, limit))
		}
	}
	l.rest(seen)
	return nil
}

func explainAbsence(labels map[string]string, signal string, c *insight.Cadence, silent, limit time.Duration) string {
	told := maps.Clone(labels)
	delete(told, "signal")
	pause := "hardly ever pauses"
	if c.Gap > 0 {
		pause = "pauses for at most " + insight.Duration(c.Gap) + " as a rule"
	}
	return fmt.Sprintf("%s is silent for %s: the newest came at %s. It reported in %.0f %% of the time since %s and %s; it counts as silent after %s.",
		subject("The signal "+signal, told), insight.Duration(silent), c.Last.UTC().Format("2006-01-02 15:04 UTC"), 100*c.Share,
		c.First.UTC().Format("2006-01-02 15:04 UTC"), pause, insight.Duration(limit))
}

// The names of what is kept of a signal, in models.
func arrivalsID(detector, signal string) string { return detector + "." + signal }
func newestID(detector, signal string) string   { return detector + "." + signal + ".newest" }

// arrivals returns when a signal arrived in the history. The history is read with every refresh, because it is long; what is kept
// lacks the newest arrivals.
func (l *look) arrivals(ctx context.Context, signal string) ([]insight.Series, error) {
	id := arrivalsID(l.d.ID, signal)
	// A quarter of the usual refresh: what began to report after it is not missed before.
	if found := l.models.find(id, l.d.Revision, l.at, l.limits.Refresh/4); found != nil {
		return found.arrivals, nil
	}
	history := seconds(l.d.History)
	step := ((history+arrivalPoints-1)/arrivalPoints + time.Minute - 1) / time.Minute * time.Minute
	end := l.at.Truncate(step)
	series, err := l.source.Arrivals(ctx, l.tenant, ArrivalQuery{
		Signal: signal, Selector: l.d.Selector, By: l.d.By, Start: end.Add(-history), End: end, Step: step, Limit: l.limits.SeriesPerDetector,
	})
	if err != nil {
		return nil, err
	}
	l.models.keep(id, &learned{revision: l.d.Revision, at: l.at, arrivals: series})
	return series, nil
}

// newest returns the time of the newest arrival of each, of those that have one lately. What the look before has seen is not read again,
// but for minutes in which rows may have come late.
func (l *look) newest(ctx context.Context, signal string) (map[string]time.Time, error) {
	id, end, span := newestID(l.d.ID, signal), l.at.Truncate(time.Minute), l.newestSpan()
	last := map[string]time.Time{}
	if before := l.models.find(id, l.d.Revision, l.at, newestLeast); before != nil {
		last = maps.Clone(before.newest)
		span = l.at.Sub(before.at).Truncate(time.Minute) + late
	}
	series, err := l.source.Arrivals(ctx, l.tenant, ArrivalQuery{
		Signal: signal, Selector: l.d.Selector, By: l.d.By, Start: end.Add(-span), End: end, Step: time.Minute, Limit: l.limits.SeriesPerDetector,
	})
	if err != nil {
		return nil, err
	}
	for i := range series {
		key := keyOf(series[i].Labels)
		for k, v := range series[i].Values {
			if at := series[i].Time(k); !math.IsNaN(v) && v > 0 && at.After(last[key]) {
				last[key] = at
			}
		}
	}
	maps.DeleteFunc(last, func(_ string, at time.Time) bool { return l.at.Sub(at) > 2*l.newestSpan() })
	l.models.keep(id, &learned{revision: l.d.Revision, at: l.at, newest: last})
	return last, nil
}

// newestSpan reaches back to what was kept of the history, so that no arrival lies between the two.
func (l *look) newestSpan() time.Duration { return l.limits.Refresh/4 + newestLeast }
