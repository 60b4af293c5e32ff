package incidents

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/suspects"
)

// DevelopmentSeeds are the worlds that detectors and suspects were developed with, EvaluationSeeds those that they are judged by. The
// second were not looked at before everything was fixed, and nothing is changed for what they show.
func DevelopmentSeeds() []uint64 { return []uint64{1, 2, 3, 4, 5} }

// EvaluationSeeds are the worlds that detectors and suspects are judged by.
func EvaluationSeeds() []uint64 { return []uint64{90001, 90002, 90003, 90004, 90005} }

// Alarm is an alert that a detector raised.
type Alarm struct {
	Detector, Kind, Family string
	Start                  time.Time
	Labels                 map[string]string
	Explanation            string
}

// watch runs the product's detectors over a range, one step after the other.
type watch struct {
	telemetry *telemetry
	evaluator *detect.Evaluator
	detectors []watched
}

type watched struct {
	detect.Detector
	family string
	state  *detect.State
	rang   map[string]bool
}

func newWatch(w *World) (*watch, error) {
	t, err := newTelemetry(w)
	if err != nil {
		return nil, err
	}
	out := &watch{telemetry: t}
	if out.evaluator, err = detect.NewEvaluator(detectSource{t}, detect.DefaultLimits()); err != nil {
		return nil, err
	}
	all := pack()
	for _, spec := range others() {
		all = append(all, packed{"", spec})
	}
	for i, p := range all {
		if err := out.evaluator.Complete(&p.spec, func(string, string) error { return nil }); err != nil {
			return nil, err
		}
		out.detectors = append(out.detectors, watched{detect.Detector{ID: fmt.Sprint(i), Spec: p.spec}, p.family, &detect.State{}, map[string]bool{}})
	}
	return out, nil
}

// run evaluates every detector at each of its intervals and returns the alerts that began.
func (w *watch) run(ctx context.Context, r seamark.TimeRange) ([]Alarm, error) {
	var alarms []Alarm
	for at := r.Start; at.Before(r.End); at = at.Add(time.Minute) {
		for i := range w.detectors {
			d := &w.detectors[i]
			if at.Sub(r.Start)%(time.Duration(d.Interval)*time.Second) != 0 {
				continue
			}
			o, err := w.evaluator.Evaluate(ctx, Tenant, &d.Detector, d.state, at)
			if err != nil {
				return nil, err
			}
			d.state = o.State
			alarms = append(alarms, d.news(at, o.State)...)
		}
	}
	return alarms, nil
}

// news returns the alerts that fire now and did not at the look before.
func (d *watched) news(at time.Time, s *detect.State) []Alarm {
	var alarms []Alarm
	now := map[string]bool{}
	for key, a := range s.Alerts {
		if a.Phase != insight.Firing {
			continue
		}
		now[key] = true
		if !d.rang[key] {
			alarms = append(alarms, Alarm{d.Name, d.Kind, d.family, at, d.AlertLabels(a.Labels), a.Explanation})
		}
	}
	d.rang = now
	slices.SortFunc(alarms, func(a, b Alarm) int { return strings.Compare(a.Explanation, b.Explanation) })
	return alarms
}

// Outcome is what became of one incident.
type Outcome struct {
	Seed     uint64
	Kind     string
	Caught   bool // by an anomaly or forecast detector, about a series that the incident touched
	Other    bool // by a detector of another kind
	Delay    time.Duration
	First    Alarm
	Named    bool // the first three suspects have the cause
	Suspects []suspects.Suspect
}

// lead is the time before an incident in which detectors run, so that an alert is one of the incident.
const lead = 30 * time.Minute

// RunIncident has the product's detectors look at an incident, and its suspects at the first alert that they raise.
func RunIncident(ctx context.Context, seed uint64, kind int) (Outcome, error) {
	w := NewIncident(seed, kind)
	out := Outcome{Seed: seed, Kind: w.Incident.Kind}
	eyes, err := newWatch(w)
	if err != nil {
		return out, err
	}
	start := w.Incident.Start.Truncate(5 * time.Minute)
	alarms, err := eyes.run(ctx, seamark.TimeRange{Start: start.Add(-lead), End: w.Incident.End})
	if err != nil {
		return out, err
	}
	first := -1
	for i, a := range alarms {
		if a.Start.Before(w.Incident.Start) {
			continue
		}
		switch a.Kind {
		case detect.Anomaly, detect.Forecast:
			if w.touched(a.Family, a.Labels) {
				out.Caught = true
				if first < 0 {
					first = i
				}
			}
		default:
			out.Other = true
		}
	}
	if first < 0 {
		return out, nil
	}
	out.First, out.Delay = alarms[first], alarms[first].Start.Sub(w.Incident.Start)
	err = out.suspect(ctx, eyes.telemetry)
	return out, err
}

// suspect asks for the suspects of the first alert.
func (o *Outcome) suspect(ctx context.Context, t *telemetry) error {
	finder, err := suspects.New(suspects.Options{Source: suspectSource{t}, Limits: suspects.DefaultLimits()})
	if err != nil {
		return err
	}
	a, err := finder.Find(ctx, seamark.Scope{Tenant: Tenant}, suspects.Query{Labels: o.First.Labels, Start: o.First.Start})
	if err != nil {
		return err
	}
	o.Suspects = a.Suspects
	const first = 3
	for _, s := range a.Suspects[:min(first, len(a.Suspects))] {
		for _, c := range t.Incident.Causes {
			o.Named = o.Named || s.Namespace == c.Namespace && strings.Contains(s.Object, c.Object)
		}
	}
	return nil
}

// Score is what a set of seeds gives. The numbers of incidents are those of the worst and the mean world, of twenty.
type Score struct {
	Outcomes    []Outcome
	FalseAlarms []Alarm
	CleanDays   float64
}

// PerSeed returns the least and the mean number of incidents of a world that something holds for.
func (s *Score) PerSeed(holds func(*Outcome) bool) (least, mean float64) {
	count := map[uint64]float64{}
	for i := range s.Outcomes {
		o := &s.Outcomes[i]
		n := count[o.Seed]
		if holds(o) {
			n++
		}
		count[o.Seed] = n
	}
	least = float64(len(s.Outcomes))
	for _, n := range count {
		least, mean = min(least, n), mean+n/float64(len(count))
	}
	return least, mean
}

// FalseAlarmsPerDay returns how many alerts a tenant had on a clean day.
func (s *Score) FalseAlarmsPerDay() float64 { return float64(len(s.FalseAlarms)) / s.CleanDays }

// RunClean has the detectors look at days without an incident and returns the alerts, all of which are false.
func RunClean(ctx context.Context, seed uint64, days int) ([]Alarm, error) {
	eyes, err := newWatch(NewWorld(seed))
	if err != nil {
		return nil, err
	}
	start := Epoch().Add(21 * 24 * time.Hour)
	return eyes.run(ctx, seamark.TimeRange{Start: start, End: start.Add(time.Duration(days) * 24 * time.Hour)})
}
