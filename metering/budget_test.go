package metering_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/metering"
)

// fakeMeter answers with rows of its own.
type fakeMeter struct {
	rows  []store.UsageRow
	asked []store.UsageQuery
}

func (f *fakeMeter) ListUsage(_ context.Context, q store.UsageQuery) ([]store.UsageRow, error) {
	f.asked = append(f.asked, q)
	return f.rows, nil
}

// TestWatcherRaisesThresholds has a month at 85 % of its rows that will exceed them.
func TestWatcherRaisesThresholds(t *testing.T) {
	now := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	meter := &fakeMeter{}
	for at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC); at.Before(now); at = at.AddDate(0, 0, 1) {
		meter.rows = append(meter.rows, store.UsageRow{Time: at, Signal: "logs", Rows: 50, Bytes: 1}, store.UsageRow{Time: at, Signal: "metrics", Rows: 1})
	}
	var raised []metering.Alert
	lead := true
	w, err := metering.NewWatcher(metering.WatcherOptions{
		Meter: meter, Interval: time.Minute, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: func() time.Time { return now },
		Budgets: func() map[seamark.TenantID][]seamark.Budget {
			return map[seamark.TenantID][]seamark.Budget{tenantA: {{Signal: "logs", Rows: 1000, Bytes: 1000}, {Rows: 800}}}
		},
		Raise: func(_ context.Context, tenant seamark.TenantID, alerts []metering.Alert, lasts time.Duration) error {
			if !lead {
				return seamark.Errorf(seamark.Unavailable, "seamark-alerting-standby", "Not here.")
			}
			if tenant != tenantA || len(alerts) > 0 && lasts <= time.Minute {
				t.Errorf("raised for %s, for %s", tenant, lasts)
			}
			raised = append(raised, alerts...)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Look(t.Context())
	var got []string
	for _, a := range raised {
		got = append(got, a.Labels["signal"]+" "+a.Labels["measure"]+" "+a.Labels["threshold"]+" "+a.Labels["severity"])
		if a.Labels["alertname"] != metering.BudgetAlert || a.Labels["month"] != "2026-11" || a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("alert %+v", a)
		}
	}
	want := []string{
		"logs rows 50% info", "logs rows 80% warning", "logs rows forecast warning",
		"all rows 50% info", "all rows 80% warning", "all rows 100% critical",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	asked := len(meter.asked)
	lead = false
	if w.Look(t.Context()); len(meter.asked) != asked {
		t.Error("a process that does not evaluate read a meter")
	}
}

// TestForecastNeedsDays has a first day above a budget's pace: nobody is woken by a forecast from a day.
func TestForecastNeedsDays(t *testing.T) {
	now := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	meter := &fakeMeter{rows: []store.UsageRow{{Time: now.AddDate(0, 0, -1), Signal: "logs", Rows: 100}}}
	s, err := metering.Summarize(t.Context(), meter, tenantA, now)
	if err != nil {
		t.Fatal(err)
	}
	states := metering.BudgetStates([]seamark.Budget{{Rows: 1000}}, s, now)
	if len(states) != 1 || !states[0].Exceeds || states[0].ReachedAt == nil || len(states[0].Alerts(now)) != 0 {
		t.Errorf("got %+v with alerts %+v", states, states[0].Alerts(now))
	}
	if q := meter.asked[0]; q.Tenant != tenantA || q.Range.Start.After(now.AddDate(0, 0, -28)) {
		t.Errorf("asked %+v", q)
	}
}

// TestTrendFindsItsLimit has series that grow by ten a day.
func TestTrendFindsItsLimit(t *testing.T) {
	now := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	meter := &fakeMeter{}
	for i := range 10 {
		meter.rows = append(meter.rows, store.UsageRow{Time: now.AddDate(0, 0, i-9), Signal: "metrics", ActiveSeries: float64(100 + 10*i)})
	}
	s, err := metering.Summarize(t.Context(), meter, tenantA, now)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "the newest day", s.Series.Now, 190)
	near(t, "the growth", s.Series.PerDay, 10)
	if at, ok := s.Series.ReachedAt(240, now); !ok || !at.Equal(now.AddDate(0, 0, 5)) {
		t.Errorf("240 is reached at %s, %v", at, ok)
	}
	if at, ok := s.Series.ReachedAt(1e9, now); ok {
		t.Errorf("a billion is reached at %s", at)
	}
	if at, ok := s.Streams.ReachedAt(10, now); ok {
		t.Errorf("nothing reaches a limit at %s", at)
	}
}
