package app

import (
	"context"
	"time"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/metering"
)

// usageAPI shows the meter in the API's words. It implements api.UsageReader.
type usageAPI struct {
	*store.Store
	quotas  quotaAPI
	budgets func(seamark.TenantID) []seamark.Budget
	numbers func(context.Context) map[seamark.TenantNumber]seamark.TenantID
	kept    func(seamark.TenantID, seamark.Signal) time.Duration
	timeout time.Duration
	now     func() time.Time
}

// usageColumns are the store's columns by the API's names.
var usageColumns = map[string]store.UsageColumn{
	"month": store.UsageMonth, "day": store.UsageDay, "hour": store.UsageHour, "tenant": store.UsageTenant, "cluster": store.UsageCluster,
	"signal": store.UsageSignal, "source": store.UsageSource, "actor": store.UsageActor,
}

// ListUsage implements api.UsageReader.
func (u usageAPI) ListUsage(ctx context.Context, f api.UsageFilter) ([]api.UsageRow, error) {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	q := store.UsageQuery{Tenant: f.Tenant, Range: f.Range, Limit: f.Limit}
	for _, name := range f.By {
		q.By = append(q.By, usageColumns[name])
	}
	found, err := u.Store.ListUsage(ctx, q)
	list := make([]api.UsageRow, len(found))
	for i := range found {
		r := &found[i]
		list[i] = api.UsageRow{
			Time: r.Time, Tenant: r.Tenant, Cluster: r.Cluster, Signal: r.Signal, Source: r.Source, Actor: r.Actor,
			Requests: r.Requests, Rows: r.Rows, Bytes: r.Bytes, WireBytes: r.Wire, SetAsideRows: r.SetAside,
			Queries: r.Queries, ReadRows: r.ReadRows, ReadBytes: r.ReadBytes, CPUSeconds: r.CPU.Seconds(),
			StoredRows: r.StoredRows, StoredBytes: r.StoredBytes, ActiveSeries: r.ActiveSeries, ActiveStreams: r.ActiveStreams,
		}
	}
	return list, err
}

// ReconcileUsage implements api.UsageReader.
func (u usageAPI) ReconcileUsage(ctx context.Context, id seamark.TenantID, r seamark.TimeRange) ([]api.UsageLine, error) {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	const day = int64(24 * time.Hour / time.Second)
	lines, err := metering.Compare(ctx, u.Store, metering.CompareOptions{
		Tenant: id, Start: int32(r.Start.Unix() / day), End: int32((r.End.Unix() + day - 1) / day), Tenants: u.numbers(ctx), Kept: u.kept, Now: u.now(),
	})
	list := make([]api.UsageLine, len(lines))
	for i := range lines {
		l := &lines[i]
		list[i] = api.UsageLine{
			Day: time.Unix(int64(l.Day)*day, 0).UTC().Format(time.DateOnly), Signal: l.Signal.String(), Metered: l.Metered, Stored: l.Stored,
			Difference: l.Difference, Unexplained: l.Unexplained,
			Reasons: api.UsageReasons{SetAside: l.SetAside, Expired: l.Expired, Replaced: l.Replaced, Unmetered: l.Unmetered, InFlight: l.InFlight},
		}
		if id == "" {
			list[i].Tenant = string(l.Tenant)
		}
	}
	return list, err
}

// SummarizeUsage implements api.UsageReader.
func (u usageAPI) SummarizeUsage(ctx context.Context, id seamark.TenantID) (*api.UsageSummary, error) {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	quotas, err := u.quotas.FindQuotas(ctx, id)
	if err != nil {
		return nil, err
	}
	now := u.now()
	s, err := metering.Summarize(ctx, u.Store, id, now)
	if err != nil {
		return nil, err
	}
	out := &api.UsageSummary{Start: s.Start, End: s.End, Method: metering.ForecastMethod, Plan: quotas.Plan, Budgets: []api.BudgetStatus{}}
	names := []string{""}
	for _, signal := range seamark.Signals() {
		names = append(names, signal.String())
	}
	for _, name := range names {
		m := s.Signals[name]
		out.Signals = append(out.Signals, api.UsageMonth{Signal: name, Rows: api.UsageForecast(m.Rows), Bytes: api.UsageForecast(m.Bytes)})
	}
	out.Limits = usageLimits(&quotas, s, now)
	for _, b := range metering.BudgetStates(u.budgets(id), s, now) {
		status := api.BudgetStatus{
			Signal: b.Signal, Measure: b.Measure, Limit: b.Limit, Forecast: api.UsageForecast(b.Forecast), Reached: b.Reached, Exceeds: b.Exceeds, ReachedAt: b.ReachedAt,
		}
		if status.Reached == nil {
			status.Reached = []int64{}
		}
		out.Budgets = append(out.Budgets, status)
	}
	return out, nil
}

// usageLimits compares the limits that grow into with what is used now.
func usageLimits(q *api.TenantQuotas, s *metering.Summary, now time.Time) []api.UsageLimit {
	list := []api.UsageLimit{}
	add := func(name string, limit int64, used float64, at time.Time, reached bool) {
		if limit <= 0 {
			return
		}
		l := api.UsageLimit{Name: name, Limit: limit, Origin: q.Origins[name], Used: used}
		if reached {
			l.ReachedAt = &at
		}
		list = append(list, l)
	}
	at, reached := metering.ReachedToday(float64(q.Use.BytesToday), float64(q.Limits.DailyBytes), now)
	add("daily_bytes", q.Limits.DailyBytes, float64(q.Use.BytesToday), at, reached)
	series, streams := s.Series, s.Streams
	series.Now, streams.Now = float64(q.Use.ActiveSeries), float64(q.Use.ActiveStreams)
	at, reached = series.ReachedAt(float64(q.Limits.ActiveSeries), now)
	add("active_series", q.Limits.ActiveSeries, series.Now, at, reached)
	at, reached = streams.ReachedAt(float64(q.Limits.ActiveStreams), now)
	add("active_streams", q.Limits.ActiveStreams, streams.Now, at, reached)
	return list
}
