package detect

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Point is one value with what it was held against: the band of an anomaly, or of a forecast the value at the horizon and its range.
type Point struct {
	Time           time.Time
	Value          float64
	Low, Mid, High float64
}

// PreviewSeries is one series of a preview.
type PreviewSeries struct {
	Labels map[string]string
	Points []Point
}

// PreviewAlert is an alert that a detector would have raised.
type PreviewAlert struct {
	Labels      map[string]string
	Start, End  time.Time // End is zero for one that still fires at the end
	Explanation string
}

// Preview is what a detector would have said.
type Preview struct {
	Step      time.Duration // of the evaluations
	Series    []PreviewSeries
	Alerts    []PreviewAlert
	Truncated bool // there are more series than are shown
	Watched   int  // series at the end
	Learning  int  // of them, those whose history is too short to be judged
}

const (
	// previewSteps bounds the evaluations of a preview, patternSteps those of log patterns, each of which is a query.
	previewSteps, patternSteps = 2000, 100
	// previewSeries bounds the series whose values are shown.
	previewSeries = 20
	// previewLearns is how many times a preview learns.
	previewLearns = 8
)

// Preview evaluates a detector, whose spec is complete, over a past range as it would have been then. Errors are of kind Invalid for a
// range that is too long, or what the source says.
func (e *Evaluator) Preview(ctx context.Context, tenant seamark.TenantID, d *Detector, r seamark.TimeRange) (*Preview, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if r.Duration() > e.limits.MaxPreview {
		return nil, invalid("The preview covers %s; the limit is %s. Ask for a shorter range, or raise --alerting.detector-max-preview.", r.Duration(), e.limits.MaxPreview)
	}
	most := time.Duration(previewSteps)
	if d.Kind == LogPattern {
		most = patternSteps
	}
	step := max(seconds(d.Interval), ((r.Duration()+most-1)/most + time.Second - 1).Truncate(time.Second))
	one := *d
	one.Interval = whole(step)
	limits := e.limits
	limits.Refresh = max(limits.Refresh, r.Duration()/previewLearns)
	p := &Preview{Step: step}
	places := map[string]int{}
	past := &Evaluator{source: &recorded{Source: e.source, until: r.End}, limits: limits, trace: func(labels map[string]string, point Point) {
		p.add(places, labels, point)
	}}
	err := p.replay(ctx, past, tenant, &one, r)
	return p, err
}

func (p *Preview) add(places map[string]int, labels map[string]string, point Point) {
	key := keyOf(labels)
	at, known := places[key]
	if !known {
		if len(p.Series) == previewSeries {
			p.Truncated = true
			return
		}
		at = len(p.Series)
		places[key] = at
		p.Series = append(p.Series, PreviewSeries{Labels: labels})
	}
	p.Series[at].Points = append(p.Series[at].Points, point)
}

// replay evaluates at each step, and follows the alerts.
func (p *Preview) replay(ctx context.Context, e *Evaluator, tenant seamark.TenantID, d *Detector, r seamark.TimeRange) error {
	state, open := &State{}, map[string]int{}
	for at := r.Start; !at.After(r.End); at = at.Add(p.Step) {
		o, err := e.Evaluate(ctx, tenant, d, state, at)
		if err == nil {
			err = ctx.Err() // what was read once does not look
		}
		if err != nil {
			return err
		}
		for key, a := range o.State.Alerts {
			if a.Phase != insight.Firing {
				continue
			}
			place, known := open[key]
			if !known {
				place = len(p.Alerts)
				open[key] = place
				p.Alerts = append(p.Alerts, PreviewAlert{Labels: d.AlertLabels(a.Labels), Start: a.Fired})
			}
			p.Alerts[place].Explanation = a.Explanation
		}
		for _, a := range o.Ended {
			if place, known := open[keyOf(a.Labels)]; known {
				p.Alerts[place].End = at
				delete(open, keyOf(a.Labels))
			}
		}
		state, p.Watched, p.Learning = o.State, o.Series, o.Learning
	}
	return nil
}

// recorded reads each range once for a whole preview. It is for one preview at a time.
type recorded struct {
	Source
	until    time.Time
	ranges   map[rangeKey][]insight.Series
	arrivals map[rangeKey][]insight.Series
}

// rangeKey is what recorded ranges differ by.
type rangeKey struct {
	text string
	step time.Duration
	span time.Duration // of one question: the newest values and the history may have the same step
}

// Range implements Source.
func (r *recorded) Range(ctx context.Context, tenant seamark.TenantID, q RangeQuery) ([]insight.Series, error) {
	key := rangeKey{q.Expr, q.Step, q.End.Sub(q.Start).Truncate(catchUp)}
	all, known := r.ranges[key]
	if !known || len(all) > 0 && all[0].Start.After(q.Start.Add(q.Step)) {
		whole := q
		if r.until.After(whole.End) {
			whole.End = r.until
		}
		var err error
		if all, err = r.Source.Range(ctx, tenant, whole); err != nil {
			return nil, err
		}
		if r.ranges == nil {
			r.ranges = map[rangeKey][]insight.Series{}
		}
		r.ranges[key] = all
	}
	return between(all, q.Start, q.End), nil
}

// Arrivals implements Source.
func (r *recorded) Arrivals(ctx context.Context, tenant seamark.TenantID, q ArrivalQuery) ([]insight.Series, error) {
	key := rangeKey{q.Signal, q.Step, 0}
	all, known := r.arrivals[key]
	if !known || len(all) > 0 && all[0].Start.After(q.Start.Add(q.Step)) {
		whole := q
		if r.until.After(whole.End) {
			whole.End = r.until
		}
		var err error
		if all, err = r.Source.Arrivals(ctx, tenant, whole); err != nil {
			return nil, err
		}
		if r.arrivals == nil {
			r.arrivals = map[rangeKey][]insight.Series{}
		}
		r.arrivals[key] = all
	}
	return between(all, q.Start, q.End), nil
}

// between cuts series, and leaves out those without a value then.
func between(all []insight.Series, start, end time.Time) []insight.Series {
	list := make([]insight.Series, 0, len(all))
	for i := range all {
		part := all[i].Between(start, end)
		if part.Present() > 0 {
			list = append(list, insight.Series{Labels: all[i].Labels, Grid: part})
		}
	}
	return list
}
