package insight

import (
	"math"
	"slices"
	"time"
)

// Target is what a forecast looks for.
type Target struct {
	Threshold float64
	Below     bool // the value falls to the threshold instead of rising to it
	Horizon   time.Duration
	// Deviations is how many standard errors the forecast is taken back by before it counts, so that it is early only when it is
	// sure: 1.28 for a confidence of 90 % (normal, one side).
	Deviations float64
}

// Forecast is where a series is going.
type Forecast struct {
	Now      float64       // level of the line at the last value
	PerHour  float64       // trend
	At       float64       // value at the horizon
	Low      float64       // of the range that the value at the horizon is in
	High     float64       //
	Reached  bool          // the threshold is reached inside the horizon, surely enough
	Past     bool          // the threshold is passed already
	In       time.Duration // until then by the line; at most a century
	Soonest  time.Duration // and by the range
	Latest   time.Duration // 0: not inside of a century
	Window   time.Duration // that the trend was taken from
	Seasonal bool          // the hours' usual differences are in it
	Reason   string        // why it is not Reached; "" when it is
}

// longest bounds what a forecast speaks of.
const longest = 100 * 365 * 24 * time.Hour

// windows are the shares of the trend's window that lines are laid through. A disk that has begun to fill shows in the last part
// first; a moment's jump shows nowhere else.
var windows = [...]float64{0.25, 0.5, 1}

// Predict says whether a series will reach the threshold. g is what it was lately: three quarters of the horizon or more. usual may be nil;
// it tells the season, and what the series has done before.
func Predict(g Grid, usual *Baseline, t Target) (Forecast, bool) {
	values := slices.Clone(g.Values)
	for len(values) > 0 && math.IsNaN(values[len(values)-1]) {
		values = values[:len(values)-1]
	}
	if len(values) == 0 {
		return Forecast{}, false
	}
	last := g.Time(len(values) - 1)
	season := seasonOf(usual)
	for i := range values {
		values[i] -= season(g.Time(i)) - season(last)
	}
	lines := make([]line, 0, len(windows))
	for _, share := range windows {
		part := values[len(values)-max(1, int(share*float64(len(values)))):]
		if l, ok := fit(part); ok {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 {
		return Forecast{}, false
	}
	f := forecast(lines, &t, g.Step)
	f.Seasonal = usual != nil && usual.Season != NoSeason
	f.addSeason(season, last, &t)
	f.doubt(lines, usual, &t)
	return f, true
}

// seasonOf returns what the hours differ from each other, nothing where no season is known.
func seasonOf(usual *Baseline) func(time.Time) float64 {
	if usual == nil || usual.Season == NoSeason {
		return func(time.Time) float64 { return 0 }
	}
	return func(t time.Time) float64 {
		mid, _ := usual.usual(t)
		return mid
	}
}

// forecast follows the newest line.
func forecast(lines []line, t *Target, step time.Duration) Forecast {
	l := lines[0]
	perHour := float64(time.Hour) / float64(step)
	f := Forecast{Now: l.level, PerHour: l.slope * perHour, Window: time.Duration(l.n) * step}
	steps := float64(t.Horizon) / float64(step)
	away := t.Deviations * math.Sqrt(l.noise*l.noise+l.err*l.err*steps*steps)
	f.At = l.level + l.slope*steps
	f.Low, f.High = f.At-away, f.At+away
	slower, faster := l.slope-t.Deviations*l.err, l.slope+t.Deviations*l.err
	if t.Below {
		slower, faster = faster, slower
	}
	f.In, f.Soonest, f.Latest = reach(l.level, l.slope, t, step), reach(l.level, faster, t, step), reach(l.level, slower, t, step)
	f.Past = !t.Below && l.level >= t.Threshold || t.Below && l.level <= t.Threshold
	if f.Latest >= longest {
		f.Latest = 0
	}
	return f
}

// reach returns when a line comes to the threshold.
func reach(level, slope float64, t *Target, step time.Duration) time.Duration {
	left := t.Threshold - level
	if t.Below {
		left, slope = -left, -slope
	}
	if left <= 0 {
		return 0
	}
	if slope <= 0 {
		return longest
	}
	if steps := left / slope; steps < float64(longest)/float64(step) {
		return time.Duration(steps * float64(step))
	}
	return longest
}

// addSeason moves the forecast by what the hours until the horizon differ from now, and looks whether one of them is enough.
func (f *Forecast) addSeason(season func(time.Time) float64, last time.Time, t *Target) {
	const looks = 48
	now := season(last)
	base, lowBase := f.Now, f.Low-f.At
	highBase := f.High - f.At
	slope := f.PerHour
	found := false
	for i := 1; i <= looks; i++ {
		in := t.Horizon * time.Duration(i) / looks
		share := float64(i) / looks
		at := base + slope*in.Hours() + season(last.Add(in)) - now
		sure := at + lowBase*share
		if t.Below {
			sure = at + highBase*share
		}
		if f.Reached = f.Reached || !t.Below && sure >= t.Threshold || t.Below && sure <= t.Threshold; !found && (!t.Below && at >= t.Threshold || t.Below && at <= t.Threshold) {
			found = true
			f.In = min(f.In, in)
		}
	}
	move := season(last.Add(t.Horizon)) - now
	f.At, f.Low, f.High = f.At+move, f.Low+move, f.High+move
}

// doubt takes a forecast back that rests on a part of the evidence alone.
func (f *Forecast) doubt(lines []line, usual *Baseline, t *Target) {
	if f.Past {
		f.Reached = true
		return
	}
	if !f.Reached {
		f.Reason = "the trend does not reach it inside the horizon, surely enough"
		return
	}
	const kept = 0.25 // the share of the newest slope that the next longer window must have
	if len(lines) > 1 && !steady(lines, kept, t.Below) {
		f.Reached, f.Reason = false, "only the last minutes have this trend"
		return
	}
	// What rises and falls again has been as high before: such a rise counts shortly before the threshold alone.
	const shortly = 8 // parts of the horizon
	if usual != nil && usual.Within(f.Now) && f.In > t.Horizon/shortly && !usual.trending(f.PerHour, t.Below) {
		f.Reached, f.Reason = false, "the series has been at this level before and came back"
	}
}

func steady(lines []line, kept float64, below bool) bool {
	if below {
		return lines[1].slope <= kept*lines[0].slope
	}
	return lines[1].slope >= kept*lines[0].slope
}

// trending reports whether the history as a whole goes where the newest values do: then its highest value is no sign of a return.
func (b *Baseline) trending(perHour float64, below bool) bool {
	const share = 0.5
	if below {
		return b.trend <= share*perHour
	}
	return b.trend >= share*perHour && b.trend > 0
}
