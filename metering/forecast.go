package metering

import (
	"math"
	"time"
)

// Forecast is what a month is expected to come to, with the band that it ends in about nine times out of ten if the coming days are
// like those before.
type Forecast struct {
	Sum       float64 // of the month so far
	Expected  float64 // at its end
	Low, High float64
	Days      int // that it was made from
}

// ForecastMethod is the method in a sentence, for those who read the figures.
const ForecastMethod = "Each day that is left is expected to be like the days of its kind (Monday to Friday, or Saturday and Sunday) among the last 28 whole days, " +
	"today for the part of it that is left, and the band is 1.64 times the spread of those days over what is left."

// bandWidth is how many standard deviations hold nine tenths of a normal distribution.
const bandWidth = 1.64

// forecastDays is how many whole days back a forecast looks: four of each weekday.
const forecastDays = 28

// Daily holds amounts by day, in days since 1970 of UTC.
type Daily map[int32]float64

// ForecastMonth extrapolates the month that now lies in. daily has the days of the last four weeks and of the month; days before the
// first one that is there do not count as empty.
func ForecastMonth(daily Daily, now time.Time) Forecast {
	now = now.UTC()
	today := dayOf(now)
	begin := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	end := begin.AddDate(0, 1, 0)
	f := Forecast{}
	for day := dayOf(begin); day <= today; day++ {
		f.Sum += daily[day]
	}
	work, rest := spreads(daily, today)
	f.Days = work.n + rest.n
	if f.Days == 0 { // since today alone: what is left goes on as it began
		f.forecastFirstDay(now, end)
		return f
	}
	part := 1 - now.Sub(timeOf(today)).Hours()/24
	f.Expected = f.Sum
	variance := 0.0
	for day := today; day < dayOf(end); day++ {
		kind := work
		if weekend(day) && rest.n > 0 || work.n == 0 {
			kind = rest
		}
		share := 1.0
		if day == today {
			share = part
		}
		f.Expected += share * kind.mean
		variance += share * kind.variance
	}
	// Days of one kind rise and fall together more than they would by chance, so half of the deviation is taken to be common.
	left := float64(dayOf(end)-today) - 1 + part
	deviation := math.Sqrt(variance) * math.Sqrt(max(1, left/2))
	f.Low, f.High = max(f.Sum, f.Expected-bandWidth*deviation), f.Expected+bandWidth*deviation
	return f
}

// forecastFirstDay takes the rate of the first day, and a band from what there is to twice that rate.
func (f *Forecast) forecastFirstDay(now, end time.Time) {
	elapsed := now.Sub(timeOf(dayOf(now)))
	if elapsed < time.Hour {
		elapsed = time.Hour
	}
	rate := f.Sum / elapsed.Hours()
	left := end.Sub(now).Hours()
	f.Expected, f.Low, f.High = f.Sum+rate*left, f.Sum, f.Sum+2*rate*left
}

// spread is the mean and the variance of some days.
type spread struct {
	n              int
	mean, variance float64
}

// spreads returns those of working days and of weekends among the whole days before today.
func spreads(daily Daily, today int32) (work, rest spread) {
	first := today
	for day := range daily {
		first = min(first, day)
	}
	var workdays, weekends []float64
	for day := max(first, today-forecastDays); day < today; day++ {
		if weekend(day) {
			weekends = append(weekends, daily[day])
		} else {
			workdays = append(workdays, daily[day])
		}
	}
	return spreadOf(workdays), spreadOf(weekends)
}

func spreadOf(values []float64) spread {
	s := spread{n: len(values)}
	if s.n == 0 {
		return s
	}
	for _, v := range values {
		s.mean += v / float64(s.n)
	}
	if s.n == 1 {
		s.variance = s.mean * s.mean // one day says nothing of the others
		return s
	}
	for _, v := range values {
		s.variance += (v - s.mean) * (v - s.mean) / float64(s.n-1)
	}
	return s
}

// ReachedAt returns when an amount of the month is reached if days go on as forecast; false when it is not in this month.
func ReachedAt(f Forecast, limit float64, now time.Time) (time.Time, bool) {
	now = now.UTC()
	if limit <= 0 {
		return time.Time{}, false
	}
	if f.Sum >= limit {
		return now, true
	}
	if f.Expected < limit {
		return time.Time{}, false
	}
	end := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
	share := (limit - f.Sum) / (f.Expected - f.Sum)
	return now.Add(time.Duration(share * float64(end.Sub(now)))).Truncate(time.Hour), true
}

// ReachedToday returns when an amount of today is reached if the rest of the day is like the hours before; false when it is not.
func ReachedToday(used, limit float64, now time.Time) (time.Time, bool) {
	now = now.UTC()
	if limit <= 0 || used <= 0 {
		return time.Time{}, false
	}
	if used >= limit {
		return now, true
	}
	begin := timeOf(dayOf(now))
	at := begin.Add(time.Duration(float64(now.Sub(begin)) * limit / used))
	return at.Truncate(time.Minute), at.Before(begin.AddDate(0, 0, 1))
}

func dayOf(t time.Time) int32 { return int32(t.Unix() / int64(24*time.Hour/time.Second)) }

func timeOf(day int32) time.Time {
	return time.Unix(int64(day)*int64(24*time.Hour/time.Second), 0).UTC()
}

func weekend(day int32) bool {
	w := timeOf(day).Weekday()
	return w == time.Saturday || w == time.Sunday
}
