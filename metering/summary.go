package metering

import (
	"context"
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// Usage reads the meter.
type Usage interface {
	ListUsage(ctx context.Context, q store.UsageQuery) ([]store.UsageRow, error)
}

// SignalSummary is the month of one signal.
type SignalSummary struct{ Rows, Bytes Forecast }

// Summary is the month of a tenant, so far and as it is expected to end.
type Summary struct {
	Start, End time.Time                // of the month, UTC
	Signals    map[string]SignalSummary // by name, with "" for all together
	Today      struct{ Rows, Bytes float64 }
	Series     Trend // active series, and log streams
	Streams    Trend
}

// Trend is a level with the change that its last weeks show.
type Trend struct {
	Now    float64 // mean of the newest day
	PerDay float64
}

// trendDays is how many days a trend needs before it says when a limit is reached.
const trendDays = 3

// maxSummaryRows bounds what a summary reads: two months of days and signals.
const maxSummaryRows = 1000

// Summarize reads and forecasts the month that now lies in.
func Summarize(ctx context.Context, meter Usage, tenant seamark.TenantID, now time.Time) (*Summary, error) {
	now = now.UTC()
	s := &Summary{Start: time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), Signals: map[string]SignalSummary{}}
	s.End = s.Start.AddDate(0, 1, 0)
	today := dayOf(now)
	start := timeOf(min(dayOf(s.Start), today-forecastDays))
	rows, err := meter.ListUsage(ctx, store.UsageQuery{
		Tenant: tenant, Range: seamark.TimeRange{Start: start, End: now.Add(time.Hour)}, By: []store.UsageColumn{store.UsageDay, store.UsageSignal}, Limit: maxSummaryRows,
	})
	if err != nil {
		return nil, err
	}
	type daily struct{ rows, bytes Daily }
	signals := map[string]daily{"": {Daily{}, Daily{}}}
	for _, signal := range seamark.Signals() {
		signals[signal.String()] = daily{Daily{}, Daily{}}
	}
	series, streams := Daily{}, Daily{}
	for i := range rows {
		u, day := &rows[i], dayOf(rows[i].Time)
		if u.ActiveSeries > 0 {
			series[day] += u.ActiveSeries
		}
		if u.ActiveStreams > 0 {
			streams[day] += u.ActiveStreams
		}
		d, ok := signals[u.Signal]
		if !ok || u.Signal == "" {
			continue
		}
		d.rows[day] += float64(u.Rows)
		d.bytes[day] += float64(u.Bytes)
		signals[""].rows[day] += float64(u.Rows)
		signals[""].bytes[day] += float64(u.Bytes)
	}
	for name, d := range signals {
		s.Signals[name] = SignalSummary{ForecastMonth(d.rows, now), ForecastMonth(d.bytes, now)}
	}
	s.Today.Rows, s.Today.Bytes = signals[""].rows[today], signals[""].bytes[today]
	s.Series, s.Streams = trendOf(series), trendOf(streams)
	return s, nil
}

// trendOf fits a line by least squares.
func trendOf(daily Daily) Trend {
	var t Trend
	newest, n, sumX, sumY, sumXX, sumXY := int32(math.MinInt32), 0.0, 0.0, 0.0, 0.0, 0.0
	for day, y := range daily {
		if day > newest {
			newest, t.Now = day, y
		}
		x := float64(day)
		n, sumX, sumY = n+1, sumX+x, sumY+y
	}
	if n < trendDays {
		return t
	}
	for day, y := range daily {
		x := float64(day) - sumX/n
		sumXX, sumXY = sumXX+x*x, sumXY+x*(y-sumY/n)
	}
	t.PerDay = sumXY / sumXX
	return t
}

// ReachedAt returns when the trend comes to a limit; false when it does not within a year.
func (t Trend) ReachedAt(limit float64, now time.Time) (time.Time, bool) {
	if limit <= 0 {
		return time.Time{}, false
	}
	if t.Now >= limit {
		return now.UTC(), true
	}
	const year = 365
	days := (limit - t.Now) / t.PerDay
	if t.PerDay <= 0 || days > year {
		return time.Time{}, false
	}
	return now.UTC().Add(time.Duration(days * 24 * float64(time.Hour))).Truncate(time.Hour), true
}
