package detect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// Limits bounds what detectors do.
type Limits struct {
	// PerTenant bounds the detectors of a tenant, SeriesPerDetector what one of them watches. Both bound the queries that run and
	// the baselines that are held in memory without anybody asking: one is 6 KiB.
	PerTenant, SeriesPerDetector int
	// MinInterval is the shortest interval of a detector.
	MinInterval time.Duration
	// Workers bounds the detectors that are evaluated at the same time, of all tenants. One tenant has one at a time.
	Workers int
	// Timeout bounds one evaluation with all its queries.
	Timeout time.Duration
	// Refresh is how long what was learned from history holds. Learning reads all of the history.
	Refresh time.Duration
	// MaxPreview bounds the time that a preview covers.
	MaxPreview time.Duration
}

// DefaultLimits returns the limits that hold unless something else is set.
func DefaultLimits() Limits {
	return Limits{
		PerTenant: 50, SeriesPerDetector: 200, MinInterval: 30 * time.Second, Workers: 2, Timeout: 30 * time.Second, Refresh: 6 * time.Hour,
		MaxPreview: 7 * 24 * time.Hour,
	}
}

func (l *Limits) validate() error {
	if l.PerTenant < 1 || l.SeriesPerDetector < 1 || l.MinInterval < time.Second || l.Workers < 1 || l.Timeout <= 0 || l.Refresh < time.Minute || l.MaxPreview < time.Minute {
		return errors.New("detect: all Limits must be positive, MinInterval a second or more and Refresh a minute or more")
	}
	return nil
}

// Detector is a spec with its name for machines.
type Detector struct {
	ID       string
	Revision uint64
	Spec
}

// Evaluator judges detectors. It is safe for concurrent use as long as no detector is evaluated twice at a time.
type Evaluator struct {
	source Source
	limits Limits
	models models
	// trace, when set, sees each value that is judged; a preview sets it.
	trace func(labels map[string]string, p Point)
}

// NewEvaluator returns an evaluator that reads from source.
func NewEvaluator(source Source, l Limits) (*Evaluator, error) {
	if source == nil {
		return nil, errors.New("detect: a Source is required")
	}
	if err := l.validate(); err != nil {
		return nil, err
	}
	return &Evaluator{source: source, limits: l}, nil
}

// Complete fills in the defaults of a spec and checks it; parse checks expressions of a language, and selectors.
func (e *Evaluator) Complete(s *Spec, parse func(language, text string) error) error {
	s.complete()
	return s.check(&e.limits, parse)
}

// Outcome is what an evaluation found.
type Outcome struct {
	State    *State
	Series   int // that were looked at
	Learning int // of them, those whose history is too short to be judged
	// Ended are alerts that fired before and do not any more.
	Ended []*Standing
}

// catchUp bounds the time that is evaluated after a gap: what rang and ended in between is past.
const catchUp = 30 * time.Minute

// Evaluate looks at what is new since the state's last look, up to at, and returns the state that follows. It changes neither
// detector nor state.
func (e *Evaluator) Evaluate(ctx context.Context, tenant seamark.TenantID, d *Detector, state *State, at time.Time) (Outcome, error) {
	at = at.Truncate(time.Second)
	l := &look{Evaluator: e, tenant: tenant, d: d, at: at, interval: seconds(d.Interval), out: Outcome{State: state.clone()}}
	l.from = state.Looked.Add(l.interval)
	if oldest := at.Add(-catchUp); l.from.Before(oldest) || l.from.After(at) {
		l.from = at
		if state.Looked.Before(at) && !state.Looked.IsZero() && at.Sub(state.Looked) > catchUp {
			l.from = oldest
		}
	}
	was := map[string]bool{}
	for key, a := range state.Alerts {
		was[key] = a.Phase == insight.Firing
	}
	var err error
	switch d.Kind {
	case Anomaly:
		err = l.anomaly(ctx)
	case Forecast:
		err = l.forecast(ctx)
	case LogPattern:
		err = l.patterns(ctx)
	case Absence:
		err = l.absence(ctx)
	default:
		err = fmt.Errorf("detect: kind %q", d.Kind)
	}
	if err != nil {
		return Outcome{}, err
	}
	l.settle(was)
	return l.out, nil
}

// look is one evaluation.
type look struct {
	*Evaluator
	tenant   seamark.TenantID
	d        *Detector
	from, at time.Time
	interval time.Duration
	out      Outcome
}

// settle drops what is calm and notes what has ended.
func (l *look) settle(was map[string]bool) {
	s := l.out.State
	s.Looked = l.at
	for key, a := range s.Alerts {
		if was[key] && a.Phase != insight.Firing {
			l.out.Ended = append(l.out.Ended, a)
		}
	}
	maps.DeleteFunc(s.Alerts, func(_ string, a *Standing) bool { return a.Phase == insight.Calm })
}

// hold returns how long sights must last.
func (l *look) hold() insight.Hold {
	const lost = 30 * time.Minute
	stays := max(seconds(l.d.For), 5*time.Minute)
	return insight.Hold{For: seconds(l.d.For), Keep: stays, Lost: max(lost, stays)}
}

// query evaluates the detector's expression.
func (l *look) query(ctx context.Context, start, end time.Time, step time.Duration) ([]insight.Series, error) {
	return l.source.Range(ctx, l.tenant, RangeQuery{
		Language: l.d.Language, Expr: l.d.Expr, Start: start, End: end, Step: step, Limit: l.limits.SeriesPerDetector,
	})
}

const (
	// historyPoints bounds the steps of a history: two weeks by five minutes.
	historyPoints = 4032
	// unlearned is the newest part of the history that is not learned from, so that an incident that begins is not usual yet.
	unlearned = time.Hour
)

// learn returns the baselines of the detector's series, by the key of their labels.
func (l *look) learn(ctx context.Context) (map[string]*insight.Baseline, error) {
	if found := l.models.find(l.d.ID, l.d.Revision, l.at, l.limits.Refresh); found != nil {
		return found.baselines, nil
	}
	history := seconds(l.d.History)
	step := max(historyStep(history), l.interval)
	end := l.at.Add(-unlearned).Truncate(step)
	series, err := l.query(ctx, end.Add(-history), end, step)
	if err != nil {
		return nil, err
	}
	m := &learned{revision: l.d.Revision, at: l.at, baselines: make(map[string]*insight.Baseline, len(series))}
	for i := range series {
		if b := insight.Learn(series[i].Grid); b != nil {
			m.baselines[keyOf(series[i].Labels)] = b
		}
	}
	l.models.keep(l.d.ID, m)
	return m.baselines, nil
}

func historyStep(history time.Duration) time.Duration {
	step := (history + historyPoints - 1) / historyPoints
	return (step + time.Minute - 1) / time.Minute * time.Minute
}

// anomaly looks whether series leave their bands.
func (l *look) anomaly(ctx context.Context) error {
	baselines, err := l.learn(ctx)
	if err != nil {
		return err
	}
	series, err := l.query(ctx, l.from, l.at, l.interval)
	if err != nil {
		return err
	}
	l.out.Series = len(series)
	seen := map[string]bool{}
	for i := range series {
		key := keyOf(series[i].Labels)
		seen[key] = true
		b := baselines[key]
		if b == nil {
			l.out.Learning++
			continue
		}
		l.judge(l.out.State.of(series[i].Labels), b, &series[i].Grid)
	}
	l.miss(seen)
	return nil
}

// judge takes the newest values of a series into account.
func (l *look) judge(a *Standing, b *insight.Baseline, g *insight.Grid) {
	deviations, hold := l.d.deviations(), l.hold()
	for i, v := range g.Values {
		at := g.Time(i)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			a.Track = a.Advance(at, insight.Missing, hold)
			continue
		}
		band := b.Band(at, deviations)
		sight := l.sight(&band, v)
		a.Track = a.Advance(at, sight, hold)
		if l.trace != nil {
			l.trace(a.Labels, Point{Time: at, Value: v, Low: band.Low, Mid: band.Mid, High: band.High})
		}
		if a.Phase != insight.Calm && sight == insight.Outside {
			a.Value = insight.Unit(l.d.Unit).Words(v)
			a.Explanation = l.explainAnomaly(a, b, at, v)
		}
	}
}

// inner is the share of the band's width that a value must come back into before an alert ends.
const inner = 0.75

func (l *look) sight(band *insight.Band, v float64) insight.Sight {
	above, below := l.d.Direction != "below", l.d.Direction != "above"
	switch {
	case above && v > band.High, below && v < band.Low:
		return insight.Outside
	case above && v > band.Mid+inner*(band.High-band.Mid), below && v < band.Mid-inner*(band.Mid-band.Low):
		return insight.Margin
	}
	return insight.Inside
}

// miss takes into account that a series has no value at all.
func (l *look) miss(seen map[string]bool) {
	hold := l.hold()
	for key, a := range l.out.State.Alerts {
		if !seen[key] {
			a.Track = a.Advance(l.at, insight.Missing, hold)
		}
	}
}

// forecast looks whether series are on their way to the threshold.
func (l *look) forecast(ctx context.Context) error {
	baselines, err := l.learn(ctx)
	if err != nil {
		return err
	}
	window, step := l.trendWindow()
	series, err := l.query(ctx, l.at.Add(-window), l.at, step)
	if err != nil {
		return err
	}
	l.out.Series = len(series)
	seen, hold := map[string]bool{}, l.hold()
	target := insight.Target{Threshold: l.d.Threshold, Below: l.d.Direction == "below", Horizon: seconds(l.d.Horizon), Deviations: normalQuantile(l.d.Confidence)}
	for i := range series {
		key := keyOf(series[i].Labels)
		f, ok := insight.Predict(series[i].Grid, baselines[key], target)
		if !ok {
			l.out.Learning++
			continue
		}
		seen[key] = true
		a, sight := l.out.State.of(series[i].Labels), insight.Inside
		if l.trace != nil {
			l.trace(a.Labels, Point{Time: l.at, Value: f.Now, Low: f.Low, Mid: f.At, High: f.High})
		}
		if f.Reached {
			sight = insight.Outside
		} else if f.In < target.Horizon*5/4 && a.Phase != insight.Calm {
			sight = insight.Margin
		}
		a.Track = a.Advance(l.at, sight, hold)
		if a.Phase != insight.Calm && sight == insight.Outside {
			a.Value = insight.Unit(l.d.Unit).Words(f.Now)
			a.Explanation = l.explainForecast(a, &f, &target)
		}
	}
	l.miss(seen)
	return nil
}

// trendWindow returns the time that the trend is taken from: three quarters of the horizon, so that its last quarter has enough
// values to tell a beginning.
func (l *look) trendWindow() (window, step time.Duration) {
	const points = 120
	window = min(max(seconds(l.d.Horizon)*3/4, time.Hour), 7*24*time.Hour)
	step = max(window/points, 30*time.Second)
	return window, step.Truncate(time.Second)
}

// normalQuantile returns how many standard deviations the share p of normal values lies below.
func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
