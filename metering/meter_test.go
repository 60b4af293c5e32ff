package metering_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/metering"
)

// inbox keeps what was published, once per id, as the bus does.
type inbox struct {
	fail error
	ids  map[string]bool
	sums map[seamark.TenantID]map[seamark.UsageKey]seamark.UsageCounts
}

func newInbox() *inbox {
	return &inbox{ids: map[string]bool{}, sums: map[seamark.TenantID]map[seamark.UsageKey]seamark.UsageCounts{}}
}

func (b *inbox) publish(_ context.Context, tenant seamark.TenantID, id string, _ time.Time, lines []seamark.Usage) error {
	if key := string(tenant) + id; !b.ids[key] {
		b.ids[key] = true
		if b.sums[tenant] == nil {
			b.sums[tenant] = map[seamark.UsageKey]seamark.UsageCounts{}
		}
		for _, u := range lines {
			c := b.sums[tenant][u.UsageKey]
			c.Add(&u.UsageCounts)
			b.sums[tenant][u.UsageKey] = c
		}
	}
	return b.fail // an answer may be lost after the message was taken
}

func newMeter(t *testing.T, b *inbox, change func(o *metering.MeterOptions)) *metering.Meter {
	t.Helper()
	o := metering.DefaultMeterOptions()
	o.Publish, o.Logger, o.Registerer, o.Now = b.publish, slog.New(slog.DiscardHandler), prometheus.NewRegistry(), time.Now
	change(&o)
	m, err := metering.NewMeter(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMeterCountsOnce loses the answer of a flush: what it carried counts once, and what came since goes with the next.
func TestMeterCountsOnce(t *testing.T) {
	b, now := newInbox(), time.Date(2026, 11, 21, 5, 30, 0, 0, time.UTC)
	m := newMeter(t, b, func(o *metering.MeterOptions) { o.Now = func() time.Time { return now } })
	m.Query(tenantA, "logql", "anna", seamark.UsageCounts{Requests: 1})
	m.Query(tenantA, "logql", "anna", seamark.UsageCounts{Rows: 10, Bytes: 100, Micros: 5})
	b.fail = errors.New("no answer")
	if err := m.Flush(t.Context()); err == nil {
		t.Fatal("a lost answer is no error")
	}
	m.Query(tenantA, "logql", "anna", seamark.UsageCounts{Requests: 1})
	b.fail = nil
	for range 2 {
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	key := seamark.UsageKey{Hour: seamark.HourOf(now), Kind: seamark.UsageQuery, Source: "logql", Actor: "anna"}
	if got, want := b.sums[tenantA][key], (seamark.UsageCounts{Requests: 2, Rows: 10, Bytes: 100, Micros: 5}); got != want || len(b.sums[tenantA]) != 1 {
		t.Errorf("got %+v, want %+v", b.sums, want)
	}
}

// TestMeterIsBounded counts more actors than it has room for, and lines that nobody takes.
func TestMeterIsBounded(t *testing.T) {
	b := newInbox()
	m := newMeter(t, b, func(o *metering.MeterOptions) { o.MaxActors, o.MaxUnsent = 3, 8 })
	for i := range 10 {
		m.Query(tenantA, "promql", fmt.Sprint("actor ", i), seamark.UsageCounts{Requests: 1})
	}
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	total, nameless := uint64(0), uint64(0)
	for key, c := range b.sums[tenantA] {
		if total += c.Requests; key.Actor == "" {
			nameless += c.Requests
		}
	}
	if total != 10 || nameless != 7 || len(b.sums[tenantA]) != 4 {
		t.Errorf("got %+v", b.sums)
	}
	b.fail = errors.New("away")
	for range 5 {
		for i := range 3 {
			m.Query(tenantA, "promql", fmt.Sprint("actor ", i), seamark.UsageCounts{Requests: 1})
		}
		_ = m.Flush(t.Context())
	}
	b.fail, b.ids, b.sums = nil, map[string]bool{}, map[seamark.TenantID]map[seamark.UsageKey]seamark.UsageCounts{}
	if err := m.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for key, c := range b.sums[tenantA] {
		if c.Requests != 2 { // two pages of three lines fit
			t.Errorf("%+v has %d", key, c.Requests)
		}
	}
	b.fail = seamark.Errorf(seamark.NotFound, "seamark-tenant-unknown", "Gone.")
	m.Query(tenantA, "promql", "anna", seamark.UsageCounts{Requests: 1})
	if err := m.Flush(t.Context()); err != nil {
		t.Errorf("a tenant that is gone holds the others up: %v", err)
	}
}

// fakeStore is a store of one tenant.
type fakeStore struct {
	stored  []store.StoredRows
	metered []store.MeteredRows
	begins  map[seamark.TenantID]int32
	closed  [][2]int32
}

func (f *fakeStore) ListStored(_ context.Context, _ seamark.TenantID, byDay bool) ([]store.StoredRows, error) {
	list := slices.Clone(f.stored)
	for i := range list {
		if !byDay {
			list[i].Day = 0
		}
	}
	return list, nil
}

func (f *fakeStore) ListMeteredRows(context.Context, seamark.TenantID, int32, int32) ([]store.MeteredRows, error) {
	return f.metered, nil
}

func (f *fakeStore) ListUsageBegins(context.Context, seamark.TenantID) (map[seamark.TenantID]int32, error) {
	return f.begins, nil
}

func (f *fakeStore) CloseUsage(_ context.Context, start, end int32) error {
	f.closed = append(f.closed, [2]int32{start, end})
	return nil
}

// TestSampler takes two samples on one day.
func TestSampler(t *testing.T) {
	now := time.Date(2026, 11, 21, 5, 30, 0, 0, time.UTC)
	today := day(now)
	b := newInbox()
	st := &fakeStore{
		stored: []store.StoredRows{
			{Number: 7, Table: store.TableLogs, Day: today, Rows: 5, Bytes: 500, Changed: now.Add(-time.Hour)},
			{Number: 7, Table: store.TableSeries, Day: today, Rows: 1, Bytes: 50}, {Number: 9, Table: store.TableLogs, Day: today, Rows: 1000},
		},
		metered: []store.MeteredRows{{Tenant: tenantA, Signal: seamark.Logs, Day: today, Rows: 7}, {Tenant: "01BX5ZZKBKACTAV9WEVGEMMVRZ", Signal: seamark.Logs, Day: today, Rows: 1}},
		begins:  map[seamark.TenantID]int32{tenantA: today - 5},
	}
	registry := prometheus.NewRegistry()
	s, err := metering.NewSampler(metering.SamplerOptions{
		Store: st, Publish: b.publish, Interval: time.Hour, Logger: slog.New(slog.DiscardHandler), Registerer: registry, Now: func() time.Time { return now },
		Tenants: func(context.Context) map[seamark.TenantNumber]seamark.TenantID {
			return map[seamark.TenantNumber]seamark.TenantID{7: tenantA}
		},
		Active: func(context.Context, seamark.TenantID) ([]metering.Active, error) {
			return []metering.Active{{Cluster: "prod", Series: 11, Streams: 3}}, nil
		},
		Kept: func(seamark.TenantID, seamark.Signal) time.Duration { return 30 * 24 * time.Hour },
		Hold: func(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	hour := seamark.HourOf(now)
	want := map[seamark.UsageKey]seamark.UsageCounts{
		{Hour: hour, Kind: seamark.UsageStored, Signal: seamark.Logs, Source: "logs"}:     {Requests: 2, Rows: 10, Bytes: 1000},
		{Hour: hour, Kind: seamark.UsageStored, Source: "series"}:                         {Requests: 2, Rows: 2, Bytes: 100},
		{Hour: hour, Kind: seamark.UsageActive, Signal: seamark.Metrics, Cluster: "prod"}: {Requests: 2, Rows: 22},
		{Hour: hour, Kind: seamark.UsageActive, Signal: seamark.Logs, Cluster: "prod"}:    {Requests: 2, Rows: 6},
	}
	if fmt.Sprint(b.sums[tenantA]) != fmt.Sprint(want) || len(b.sums) != 1 {
		t.Errorf("got %v, want %v", b.sums, want)
	}
	if len(st.closed) != 1 || st.closed[0] != [2]int32{today - store.UsageLineDays(), today} {
		t.Errorf("closed %v", st.closed)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "seamark_metering_unexplained_rows" {
			continue
		}
		for _, m := range f.GetMetric() {
			if signal, rows := m.GetLabel()[0].GetValue(), m.GetGauge().GetValue(); (signal == "logs") != (rows == 2) {
				t.Errorf("%s has %v unexplained rows", signal, rows)
			}
		}
		return
	}
	t.Error("there is no gauge of unexplained rows")
}
