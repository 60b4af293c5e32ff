package insight_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/alerting/insight"
)

// monday is the beginning of all grids here.
var monday = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)

// week makes weeks of a course with days, weekends and a small, regular noise.
func week(weeks int, at func(t time.Time) float64) insight.Grid {
	g := insight.NewGrid(monday, monday.Add(time.Duration(weeks)*7*24*time.Hour), 5*time.Minute)
	for i := range g.Values {
		g.Values[i] = at(g.Time(i)) + 0.5*math.Sin(float64(i)*1.7) + 0.5*math.Sin(float64(i)*0.37)
	}
	return g
}

func office(t time.Time) float64 {
	if t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		return 20
	}
	if t.Hour() >= 8 && t.Hour() < 18 {
		return 50
	}
	return 20
}

func TestBaselineKnowsTheHour(t *testing.T) {
	b := insight.Learn(week(2, office))
	if b == nil || b.Season != insight.DayKind {
		t.Fatalf("got %+v, want a baseline by kind of day", b)
	}
	const deviations = 4.5
	for name, c := range map[string]struct {
		at      time.Time
		v       float64
		unusual bool
	}{
		"fifty on a working day":   {monday.Add(16*24*time.Hour + 13*time.Hour + 30*time.Minute), 50, false},
		"fifty at night":           {monday.Add(16*24*time.Hour + 3*time.Hour + 30*time.Minute), 50, true},
		"fifty on a Saturday":      {monday.Add(19*24*time.Hour + 13*time.Hour + 30*time.Minute), 50, true},
		"twenty on a working day":  {monday.Add(16*24*time.Hour + 13*time.Hour + 30*time.Minute), 20, true},
		"twenty on a Saturday":     {monday.Add(19*24*time.Hour + 13*time.Hour + 30*time.Minute), 20, false},
		"a little more than usual": {monday.Add(16*24*time.Hour + 13*time.Hour + 30*time.Minute), 51.5, false},
	} {
		band := b.Band(c.at, deviations)
		if unusual := c.v < band.Low || c.v > band.High; unusual != c.unusual {
			t.Errorf("%s: %g in the band %+v: unusual %v, want %v", name, c.v, band, unusual, c.unusual)
		}
	}
}

func TestBaselineKnowsTheDayOfTheWeek(t *testing.T) {
	fridays := func(t time.Time) float64 {
		if t.Weekday() == time.Friday {
			return 80
		}
		return 30
	}
	b := insight.Learn(week(5, fridays))
	friday := monday.Add(5*7*24*time.Hour + 4*24*time.Hour + 14*time.Hour + 30*time.Minute)
	if b.Season != insight.HourOfWeek {
		t.Fatalf("five weeks give the season %s", b.Season)
	}
	if band := b.Band(friday, 4.5); band.Low > 80 || band.High < 80 || band.Low < 35 {
		t.Errorf("on Fridays the band is %+v, want one around 80", band)
	}
}

func TestOneIncidentIsNotUsual(t *testing.T) {
	clean := insight.Learn(week(2, office))
	incident := monday.Add(9*24*time.Hour + 10*time.Hour)
	dirty := insight.Learn(week(2, func(t time.Time) float64 {
		if !t.Before(incident) && t.Before(incident.Add(2*time.Hour)) {
			return 500
		}
		return office(t)
	}))
	at := monday.Add(16*24*time.Hour + 10*time.Hour + 30*time.Minute)
	a, b := clean.Band(at, 4.5), dirty.Band(at, 4.5)
	if b.High > a.High+10 {
		t.Errorf("two hours of an incident widen the band from %+v to %+v", a, b)
	}
}

func TestWhatComesEveryNightIsUsual(t *testing.T) {
	b := insight.Learn(week(2, func(t time.Time) float64 {
		if t.Hour() == 2 && t.Minute() < 15 {
			return 90
		}
		return 20
	}))
	if band := b.Band(monday.Add(15*24*time.Hour+2*time.Hour+10*time.Minute), 4.5); band.High < 90 {
		t.Errorf("the nightly job's 90 lies above the band %+v", band)
	}
	if band := b.Band(monday.Add(15*24*time.Hour+10*time.Hour+10*time.Minute), 4.5); band.High > 40 {
		t.Errorf("at ten the band is %+v, as wide as by night", band)
	}
}

func TestTooLittleHistory(t *testing.T) {
	g := insight.NewGrid(monday, monday.Add(3*time.Hour), 5*time.Minute)
	for i := range g.Values {
		g.Values[i] = 1
	}
	if b := insight.Learn(g); b != nil {
		t.Errorf("three hours give the baseline %+v", b)
	}
}

func TestPredict(t *testing.T) {
	target := insight.Target{Threshold: 100, Horizon: 4 * time.Hour, Deviations: 1.28}
	grid := func(at func(minutes float64) float64) insight.Grid {
		g := insight.NewGrid(monday, monday.Add(3*time.Hour), 90*time.Second)
		for i := range g.Values {
			g.Values[i] = at(float64(i) * 1.5)
			if i%17 == 3 {
				g.Values[i] = math.NaN()
			}
		}
		return g
	}
	noise := func(minutes float64) float64 { return 0.2 * math.Sin(minutes*1.3) }
	for name, c := range map[string]struct {
		at      func(minutes float64) float64
		reached bool
		hours   float64
	}{
		"a steady rise":            {func(m float64) float64 { return 40 + 10*m/60 + noise(m) }, true, 3},
		"a rise that is too slow":  {func(m float64) float64 { return 40 + 2*m/60 + noise(m) }, false, 0},
		"one that has just begun":  {func(m float64) float64 { return 70 + 20*max(0, m-130)/60 + noise(m) }, true, 0.67},
		"level":                    {func(m float64) float64 { return 90 + noise(m) }, false, 0},
		"a fall":                   {func(m float64) float64 { return 90 - 10*m/60 + noise(m) }, false, 0},
		"past already":             {func(m float64) float64 { return 101 + noise(m) }, true, 0},
		"a rise with single peaks": {func(m float64) float64 { return 40 + 10*m/60 + 300*math.Floor(math.Mod(m, 30)/28.5) }, true, 3},
	} {
		f, ok := insight.Predict(grid(c.at), nil, target)
		if !ok || f.Reached != c.reached {
			t.Errorf("%s: got %+v, %v; want reached %v", name, f, ok, c.reached)
		}
		if c.reached && math.Abs(f.In.Hours()-c.hours) > 0.15*c.hours+0.05 {
			t.Errorf("%s: in %s, want %g hours", name, f.In, c.hours)
		}
	}
}

// TestPredictKnowsTheSeason holds a rise that every morning has against one that none has.
func TestPredictKnowsTheSeason(t *testing.T) {
	morning := func(t time.Time) float64 {
		hour := float64(t.Hour()) + float64(t.Minute())/60
		return 50 + 30*math.Sin((hour-8)*math.Pi/12)
	}
	usual := insight.Learn(week(2, morning))
	target := insight.Target{Threshold: 95, Horizon: 4 * time.Hour, Deviations: 1.28}
	now := monday.Add(16*24*time.Hour + 9*time.Hour)
	grid := func(more float64) insight.Grid {
		g := insight.NewGrid(now.Add(-3*time.Hour), now, 90*time.Second)
		for i := range g.Values {
			g.Values[i] = morning(g.Time(i)) + more*float64(i)*1.5/60
		}
		return g
	}
	if f, _ := insight.Predict(grid(0), usual, target); f.Reached {
		t.Errorf("an ordinary morning reaches 95: %+v", f)
	}
	if f, _ := insight.Predict(grid(8), usual, target); !f.Reached || !f.Seasonal {
		t.Errorf("eight more an hour do not reach 95: %+v", f)
	}
}

func TestCadence(t *testing.T) {
	g := insight.NewGrid(monday, monday.Add(24*time.Hour), time.Minute)
	for i := range g.Values {
		if i%5 == 0 && i < 1200 {
			g.Values[i] = 3
		}
	}
	c := insight.LearnCadence(g, monday.Add(24*time.Hour))
	if !c.Known || c.Gap != 5*time.Minute || !c.Last.Equal(monday.Add(1195*time.Minute)) || c.Share < 0.19 || c.Share > 0.21 {
		t.Errorf("got %+v", c)
	}
	if got := c.Silent(10 * time.Minute); got != 15*time.Minute {
		t.Errorf("it is silent after %s, want three of its pauses", got)
	}
	if c := insight.LearnCadence(insight.NewGrid(monday, monday.Add(time.Hour), time.Minute), monday.Add(time.Hour)); c.Known {
		t.Errorf("what never reported is known: %+v", c)
	}
}

func TestTrackDoesNotFlap(t *testing.T) {
	hold := insight.Hold{For: 2 * time.Minute, Keep: 5 * time.Minute, Lost: 10 * time.Minute}
	const (
		in, out, edge, none = insight.Inside, insight.Outside, insight.Margin, insight.Missing
	)
	for name, c := range map[string]struct {
		looks []insight.Sight
		want  insight.Phase
	}{
		"one look outside":             {[]insight.Sight{out}, insight.Pending},
		"two looks, then inside":       {[]insight.Sight{out, out, in}, insight.Calm},
		"long enough outside":          {[]insight.Sight{out, out, out}, insight.Firing},
		"the margin does not end it":   {[]insight.Sight{out, out, out, edge, edge, edge, edge, edge, edge, edge}, insight.Firing},
		"a moment inside does not":     {[]insight.Sight{out, out, out, in, in, out, in, in, in}, insight.Firing},
		"inside for long enough does":  {[]insight.Sight{out, out, out, in, in, in, in, in, in}, insight.Calm},
		"missing values take longer":   {[]insight.Sight{out, out, out, none, none, none, none, none, none, none}, insight.Firing},
		"and end it in the end":        {[]insight.Sight{out, out, out, none, none, none, none, none, none, none, none, none, none, none}, insight.Calm},
		"a gap does not end pending":   {[]insight.Sight{out, none, out}, insight.Firing},
		"the margin keeps it pending":  {[]insight.Sight{out, edge, edge}, insight.Pending},
		"nothing begins in the margin": {[]insight.Sight{edge, edge, edge}, insight.Calm},
	} {
		var track insight.Track
		for i, sight := range c.looks {
			track = track.Advance(monday.Add(time.Duration(i)*time.Minute), sight, hold)
		}
		if track.Phase != c.want {
			t.Errorf("%s: got %q, want %q", name, track.Phase, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		insight.Unit("percent").Words(93.04): "93 %", insight.Unit("ratio").Range(0.41, 0.553): "41 to 55.3 %", insight.Unit("bytes").Words(3 << 29): "1.5 GiB",
		insight.Unit("seconds").Words(0.2123): "212 ms", insight.Unit("seconds").Words(7200): "2 h", insight.Unit("per_second").Words(1234.4): "1234/s",
		insight.Unit("").Words(0): "0", insight.Duration(95 * time.Minute): "1 h 35 min", insight.Duration(50 * time.Hour): "2 d 2 h", insight.Duration(30 * 24 * time.Hour): "30 d",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := insight.HourOfWeek.When(monday.Add(4*24*time.Hour + 14*time.Hour + 20*time.Minute)); !strings.Contains(got, "on Fridays at 14:00") {
		t.Errorf("got %q", got)
	}
}
