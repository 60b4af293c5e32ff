package detect_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/alerting/detect"
	"github.com/seamarkhq/seamark/alerting/insight"
	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")
	tenantB = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAW")
)

// noon is a Wednesday.
var noon = time.Date(2026, time.March, 25, 12, 0, 0, 0, time.UTC)

// fakeSource computes one series, and answers about patterns and arrivals with functions.
type fakeSource struct {
	value    func(t time.Time) float64
	patterns func(q detect.PatternQuery) []detect.Pattern
	arrives  func(t time.Time) bool

	mu    sync.Mutex // guards the fields below
	fault error
	asked []time.Duration // spans of ranges
}

func (f *fakeSource) Range(_ context.Context, _ seamark.TenantID, q detect.RangeQuery) ([]insight.Series, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q.End.Sub(q.Start))
	s := insight.Series{Labels: map[string]string{"node": "n1"}, Grid: insight.NewGrid(q.Start, q.End, q.Step)}
	for i := range s.Values {
		s.Values[i] = f.value(s.Time(i))
	}
	return []insight.Series{s}, f.fault
}

func (f *fakeSource) fail(err error) {
	f.mu.Lock()
	f.fault = err
	f.mu.Unlock()
}

func (f *fakeSource) Patterns(_ context.Context, _ seamark.TenantID, q detect.PatternQuery) ([]detect.Pattern, error) {
	return f.patterns(q), nil
}

func (f *fakeSource) Arrivals(_ context.Context, _ seamark.TenantID, q detect.ArrivalQuery) ([]insight.Series, error) {
	s := insight.Series{Labels: map[string]string{"cluster": "eu"}, Grid: insight.NewGrid(q.Start, q.End, q.Step)}
	for i := range s.Values {
		for at := s.Time(i); at.Before(s.Time(i + 1)); at = at.Add(time.Minute) {
			if f.arrives(at) {
				s.Values[i] = 1
			}
		}
	}
	return []insight.Series{s}, nil
}

// wave is a course with a day in it and a small noise.
func wave(t time.Time) float64 {
	hour := float64(t.Hour()) + float64(t.Minute())/60
	return 50 + 10*math.Sin(hour*math.Pi/12) + math.Sin(float64(t.Unix()/60)*1.7)
}

func noParse(string, string) error { return nil }

// newEvaluator returns an evaluator and the detector of a spec.
func newEvaluator(t *testing.T, f *fakeSource, s detect.Spec) (*detect.Evaluator, *detect.Detector) {
	t.Helper()
	e, err := detect.NewEvaluator(f, detect.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Complete(&s, noParse); err != nil {
		t.Fatal(err)
	}
	return e, &detect.Detector{ID: "d", Spec: s}
}

// follow evaluates each minute and returns the alerts as they begin, with + before them, and end, with -.
func follow(t *testing.T, e *detect.Evaluator, d *detect.Detector, from time.Time, minutes int) (said []string, last detect.Outcome) {
	t.Helper()
	state := &detect.State{}
	rings := false
	for i := range minutes {
		o, err := e.Evaluate(t.Context(), tenantA, d, state, from.Add(time.Duration(i)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		fires := slices.ContainsFunc(d.Alerts(&o), func(a detect.Alert) bool { return !a.Ended })
		if fires != rings {
			said = append(said, map[bool]string{true: "+", false: "-"}[fires]+from.Add(time.Duration(i)*time.Minute).Format("15:04"))
		}
		rings, state, last = fires, o.State, o
	}
	return said, last
}

func TestAnomaly(t *testing.T) {
	incident := noon.Add(20 * time.Minute)
	f := &fakeSource{value: func(t time.Time) float64 {
		if !t.Before(incident) && t.Before(incident.Add(30*time.Minute)) {
			return 95
		}
		return wave(t)
	}}
	e, d := newEvaluator(t, f, detect.Spec{Name: "CPU", Kind: detect.Anomaly, Expr: "cpu", Unit: "percent", Labels: map[string]string{"severity": "page"}})
	said, _ := follow(t, e, d, noon, 90)
	if got := strings.Join(said, " "); got != "+12:30 -13:00" {
		t.Errorf("got %s, want an alert ten minutes after the beginning until ten minutes after the end", got)
	}
	if n := len(slices.DeleteFunc(slices.Clone(f.asked), func(d time.Duration) bool { return d < 24*time.Hour })); n != 1 {
		t.Errorf("the history was read %d times in 90 minutes, want once", n)
	}
	_, o := follow(t, e, d, noon, 40)
	alerts := d.Alerts(&o)
	want := map[string]string{"alertname": "CPU", "detector_kind": "anomaly", "node": "n1", "severity": "page"}
	if len(alerts) != 1 || len(alerts[0].Labels) != len(want) {
		t.Fatalf("got %+v", alerts)
	}
	for name, v := range want {
		if alerts[0].Labels[name] != v {
			t.Errorf("label %s is %q, want %q", name, alerts[0].Labels[name], v)
		}
	}
	for _, part := range []string{"CPU of node n1 is 95 %, usually 4", "on working days at 12:00 UTC (2 weeks of history)", "above the band's edge", "for 19 min"} {
		if text := alerts[0].Annotations[detect.ExplanationAnnotation]; !strings.Contains(text, part) {
			t.Errorf("the explanation %q does not say %q", text, part)
		}
	}
}

func TestForecast(t *testing.T) {
	begins := noon.Add(-10 * time.Minute)
	f := &fakeSource{value: func(t time.Time) float64 {
		return 0.6 + 0.001*math.Sin(float64(t.Unix()/60)) + 0.12*max(0, t.Sub(begins).Hours())
	}}
	e, d := newEvaluator(t, f, detect.Spec{Name: "DiskFull", Kind: detect.Forecast, Expr: "disk", Unit: "ratio", Threshold: 1})
	said, o := follow(t, e, d, noon, 90)
	if len(said) != 1 || said[0] < "+12:10" || said[0] > "+13:10" {
		t.Errorf("got %v, want one alert within an hour", said)
	}
	alerts := d.Alerts(&o)
	for _, part := range []string{"DiskFull of node n1 is", "rises by 12 % an hour", "it reaches 100 % in about ", "confidence 90 %"} {
		if text := alerts[0].Annotations[detect.ExplanationAnnotation]; !strings.Contains(text, part) {
			t.Errorf("the explanation %q does not say %q", text, part)
		}
	}
}

func TestLogPattern(t *testing.T) {
	incident := noon.Add(10 * time.Minute)
	pattern := detect.Pattern{ID: 7, Text: "connection refused to <*>", Groups: []string{"shop/checkout"}, Levels: []string{"error"}, Lines: 80, Reason: "It came 80 times now and not once before."}
	f := &fakeSource{patterns: func(q detect.PatternQuery) []detect.Pattern {
		if q.Change == "new" && q.Range.End.After(incident) && q.Range.Start.Before(incident) {
			return []detect.Pattern{pattern, {ID: 8, Text: "rare", Levels: []string{"error"}, Lines: 3}, {ID: 9, Text: "chatty", Levels: []string{"info"}, Lines: 900}}
		}
		return nil
	}}
	e, d := newEvaluator(t, f, detect.Spec{Name: "NewErrors", Kind: detect.LogPattern, Levels: []string{"error"}})
	said, _ := follow(t, e, d, noon, 60)
	if got := strings.Join(said, " "); got != "+12:11 -12:35" {
		t.Errorf("got %s, want an alert while the pattern is new and a quarter of an hour after it", got)
	}
	_, o := follow(t, e, d, noon, 15)
	if alerts := d.Alerts(&o); len(alerts) != 1 || alerts[0].Labels["change"] != "new" || !strings.Contains(alerts[0].Annotations["explanation"], `"connection refused to <*>" of shop/checkout is new`) {
		t.Errorf("got %+v", alerts)
	}
}

// TestNightlySpikeIsUsual has a pattern spike against the time before, and not against the night before.
func TestNightlySpikeIsUsual(t *testing.T) {
	nightly := true
	f := &fakeSource{patterns: func(q detect.PatternQuery) []detect.Pattern {
		if q.Change != "spiking" || nightly && q.Before.End.Before(q.Range.Start) && q.Range.Start.Sub(q.Before.End) > time.Hour {
			return nil
		}
		return []detect.Pattern{{ID: 7, Text: "backup of <*>", Lines: 500, Before: 10, Ratio: 40, Reason: "It comes 40 times as often."}}
	}}
	e, d := newEvaluator(t, f, detect.Spec{Name: "Spikes", Kind: detect.LogPattern, Changes: []string{"spiking"}})
	if said, _ := follow(t, e, d, noon, 5); len(said) != 0 {
		t.Errorf("what spikes every night rings: %v", said)
	}
	nightly = false
	if said, _ := follow(t, e, d, noon, 5); len(said) != 1 {
		t.Errorf("a spike says %v", said)
	}
}

func TestAbsence(t *testing.T) {
	silent := noon.Add(20 * time.Minute)
	f := &fakeSource{arrives: func(t time.Time) bool {
		return t.Minute()%2 == 0 && (t.Before(silent) || t.After(silent.Add(30*time.Minute)))
	}}
	e, d := newEvaluator(t, f, detect.Spec{Name: "Silent", Kind: detect.Absence, Signals: []string{"logs"}})
	said, _ := follow(t, e, d, noon, 70)
	if len(said) != 2 || said[0] < "+12:28" || said[0] > "+12:31" || said[1] < "-12:50" || said[1] > "-12:54" {
		t.Errorf("got %v, want an alert after ten minutes of silence until it reports again", said)
	}
	_, o := follow(t, e, d, noon, 40)
	if alerts := d.Alerts(&o); len(alerts) != 1 || !strings.Contains(alerts[0].Annotations["explanation"], "The signal logs of cluster eu is silent for") {
		t.Errorf("got %+v", alerts)
	}
}

func TestPreviewSaysWhatWouldHaveBeenSaid(t *testing.T) {
	incident := noon.Add(-5 * time.Hour)
	f := &fakeSource{value: func(t time.Time) float64 {
		if !t.Before(incident) && t.Before(incident.Add(30*time.Minute)) {
			return 95
		}
		return wave(t)
	}}
	e, d := newEvaluator(t, f, detect.Spec{Name: "CPU", Kind: detect.Anomaly, Expr: "cpu"})
	p, err := e.Preview(t.Context(), tenantA, d, seamark.TimeRange{Start: noon.Add(-10 * time.Hour), End: noon})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Alerts) != 1 || !p.Alerts[0].Start.Equal(incident.Add(10*time.Minute)) || p.Alerts[0].End.Sub(incident) != 40*time.Minute {
		t.Errorf("got %+v", p.Alerts)
	}
	if len(p.Series) != 1 || len(p.Series[0].Points) != 601 || p.Step != time.Minute {
		t.Fatalf("got %d series in steps of %s", len(p.Series), p.Step)
	}
	if len(f.asked) > 5 {
		t.Errorf("a preview asked %d times for ranges", len(f.asked))
	}
	if _, err := e.Preview(t.Context(), tenantA, d, seamark.TimeRange{Start: noon.Add(-60 * 24 * time.Hour), End: noon}); seamark.KindOf(err) != seamark.Invalid {
		t.Errorf("two months: got %v", err)
	}
}

func TestSpecsThatCannotBeEvaluated(t *testing.T) {
	e, err := detect.NewEvaluator(&fakeSource{}, detect.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for part, s := range map[string]detect.Spec{
		"name has 0 bytes":           {Kind: detect.Anomaly, Expr: "x"},
		"kind is \"magic\"":          {Name: "a", Kind: "magic"},
		"expression has 0 bytes":     {Name: "a", Kind: detect.Anomaly},
		"direction is \"up\"":        {Name: "a", Kind: detect.Anomaly, Expr: "x", Direction: "up"},
		"sensitivity is \"total\"":   {Name: "a", Kind: detect.Anomaly, Expr: "x", Sensitivity: "total"},
		"unit is \"apples\"":         {Name: "a", Kind: detect.Anomaly, Expr: "x", Unit: "apples"},
		"interval_seconds is 1":      {Name: "a", Kind: detect.Anomaly, Expr: "x", Interval: 1},
		"confidence is 2":            {Name: "a", Kind: detect.Forecast, Expr: "x", Confidence: 2},
		"has no horizon_seconds":     {Name: "a", Kind: detect.Anomaly, Expr: "x", Horizon: 3600},
		"has no expr":                {Name: "a", Kind: detect.Absence, Expr: "x"},
		"changes hold \"gone\"":      {Name: "a", Kind: detect.LogPattern, Changes: []string{"gone"}},
		"signals hold \"logs\"":      {Name: "a", Kind: detect.Absence, Signals: []string{"logs", "logs"}},
		"label \"__name__\" in by":   {Name: "a", Kind: detect.Absence, By: []string{"__name__"}},
		"name \"alertname\" is none": {Name: "a", Kind: detect.Absence, Labels: map[string]string{"alertname": "b"}},
		"no PromQL":                  {Name: "a", Kind: detect.Anomaly, Expr: "sum("},
	} {
		err := e.Complete(&s, func(_, text string) error {
			if text == "sum(" {
				return seamark.Errorf(seamark.Invalid, "seamark-detector-invalid", "The expression is no PromQL.")
			}
			return nil
		})
		if seamark.KindOf(err) != seamark.Invalid || !strings.Contains(err.Error(), part) {
			t.Errorf("%+v: got %v, want %q", s, err, part)
		}
	}
}

var errAway = errors.New("away")
