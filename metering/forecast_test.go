package metering_test

import (
	"math"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/metering"
)

func day(t time.Time) int32 { return int32(t.Unix() / 86400) }

// steady returns days of the same amount, weekends of another, from start to before end.
func steady(start, end time.Time, work, weekend float64) metering.Daily {
	d := metering.Daily{}
	for at := start; at.Before(end); at = at.AddDate(0, 0, 1) {
		if w := at.Weekday(); w == time.Saturday || w == time.Sunday {
			d[day(at)] = weekend
		} else {
			d[day(at)] = work
		}
	}
	return d
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-6*math.Max(1, math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// TestForecastKnowsWeekends extrapolates a month whose weekends are quiet: November 2026 has 21 working days and 9 of weekends.
func TestForecastKnowsWeekends(t *testing.T) {
	begin := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	now := time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC) // a Monday, at noon
	daily := steady(begin, now.Truncate(24*time.Hour), 100, 10)
	daily[day(now)] = 50
	f := metering.ForecastMonth(daily, now)
	near(t, "the sum", f.Sum, 10*100+5*10+50)
	near(t, "the expected end", f.Expected, 21*100+9*10)
	near(t, "the lower end of the band", f.Low, f.Expected)
	near(t, "the upper end of the band", f.High, f.Expected)
	if f.Days != 28 {
		t.Errorf("made from %d days, want 28", f.Days)
	}
	at, ok := metering.ReachedAt(f, 1500, now)
	if !ok || at.Before(now) || at.After(time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("1500 is reached at %s, %v", at, ok)
	}
	if at, ok := metering.ReachedAt(f, 1000, now); !ok || !at.Equal(now) {
		t.Errorf("what is passed is reached at %s, %v", at, ok)
	}
	if at, ok := metering.ReachedAt(f, 5000, now); ok {
		t.Errorf("5000 is reached at %s", at)
	}
}

// TestForecastBandHoldsNoise makes noisy months: nine tenths of them end inside the band of their middle.
func TestForecastBandHoldsNoise(t *testing.T) {
	begin, end := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	now := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	inside, rounds := 0, 400
	state := uint64(7)
	noise := func() float64 { // a small generator, so that the test is the same every time
		state = state*6364136223846793005 + 1442695040888963407
		return float64(state>>40)/float64(1<<24) - 0.5
	}
	for range rounds {
		whole := steady(begin, end, 100, 40)
		actual := 0.0
		known := metering.Daily{}
		for d := range whole {
			whole[d] *= 1 + noise()
		}
		for d, v := range whole {
			if d >= day(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) {
				actual += v
			}
			if d < day(now) {
				known[d] = v
			}
		}
		if f := metering.ForecastMonth(known, now); actual >= f.Low && actual <= f.High {
			inside++
		}
	}
	if inside < rounds*9/10 {
		t.Errorf("%d of %d months ended inside the band", inside, rounds)
	}
}

// TestForecastOfYoungTenants has nothing, one day, and a first morning.
func TestForecastOfYoungTenants(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	if f := metering.ForecastMonth(metering.Daily{}, now); f != (metering.Forecast{}) {
		t.Errorf("nothing gives %+v", f)
	}
	f := metering.ForecastMonth(metering.Daily{day(now): 60}, now)
	near(t, "a first morning", f.Expected, 60*4*10) // a quarter of the first of ten days
	if f.Days != 0 || f.Low != 60 || f.High < f.Expected {
		t.Errorf("got %+v", f)
	}
	f = metering.ForecastMonth(metering.Daily{day(now) - 1: 240, day(now): 60}, now)
	near(t, "after a first day", f.Expected, 240+60+0.75*240+9*240)
	if f.Days != 1 || f.Low >= f.Expected || f.High <= f.Expected {
		t.Errorf("got %+v", f)
	}
}

func TestReachedToday(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		used, limit float64
		at          int // hour; -1 is not today
	}{{50, 100, 12}, {100, 100, 6}, {10, 100, -1}, {0, 100, -1}, {5, 0, -1}} {
		at, ok := metering.ReachedToday(c.used, c.limit, now)
		if ok != (c.at >= 0) || ok && at.Hour() != c.at {
			t.Errorf("%v of %v is reached at %s, %v; want hour %d", c.used, c.limit, at, ok, c.at)
		}
	}
}
