package metering_test

import (
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/metering"
)

const tenantA = seamark.TenantID("01ARZ3NDEKTSV4RRFFQ69G5FAV")

func TestReconcileSaysWhy(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	old := now.Add(-time.Hour)
	for name, c := range map[string]struct {
		signal seamark.Signal
		ago    int32 // days
		held   metering.Held
		want   metering.Line
	}{
		"equal":      {seamark.Logs, 1, metering.Held{Metered: 5, Stored: 5, Changed: old}, metering.Line{}},
		"lost":       {seamark.Logs, 1, metering.Held{Metered: 5, Stored: 3, Changed: old}, metering.Line{Unexplained: 2}},
		"doubled":    {seamark.Logs, 1, metering.Held{Metered: 5, Stored: 10, Changed: old}, metering.Line{Unexplained: -5}},
		"in flight":  {seamark.Logs, 0, metering.Held{Metered: 5, Stored: 7, Changed: now.Add(-time.Second)}, metering.Line{InFlight: -2}},
		"set aside":  {seamark.Metrics, 1, metering.Held{Metered: 5, SetAside: 2, Stored: 3, Changed: old}, metering.Line{SetAside: 2}},
		"and lost":   {seamark.Metrics, 1, metering.Held{Metered: 5, SetAside: 2, Stored: 2, Changed: old}, metering.Line{SetAside: 2, Unexplained: 1}},
		"expired":    {seamark.Traces, 31, metering.Held{Metered: 5}, metering.Line{Expired: 5}},
		"replaced":   {seamark.Events, 5, metering.Held{Metered: 5, Stored: 2, Changed: old}, metering.Line{Replaced: 3}},
		"unmetered":  {seamark.Logs, 10, metering.Held{Metered: 1, Stored: 4, Changed: old}, metering.Line{Unmetered: -3}},
		"never gone": {seamark.Logs, 9, metering.Held{Metered: 4}, metering.Line{Unexplained: 4}},
	} {
		today := int32(now.Unix() / 86400)
		key := metering.HeldKey{Tenant: tenantA, Signal: c.signal, Day: today - c.ago}
		c.want.HeldKey, c.want.Metered, c.want.Stored = key, int64(c.held.Metered), int64(c.held.Stored)
		c.want.Difference = c.want.Metered - c.want.Stored
		got := metering.Reconcile(map[metering.HeldKey]metering.Held{key: c.held}, &metering.ReconcileOptions{
			Now: now, Began: map[seamark.TenantID]int32{tenantA: today - 9},
			Kept: func(seamark.TenantID, seamark.Signal) time.Duration { return 30 * 24 * time.Hour },
		})
		if len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
		l := got[0]
		if l.SetAside+l.Expired+l.Replaced+l.Unmetered+l.InFlight+l.Unexplained != l.Difference {
			t.Errorf("%s: the reasons of %+v do not add up", name, l)
		}
	}
}

func TestUnexplainedAddsAmounts(t *testing.T) {
	sums := metering.Unexplained([]metering.Line{
		{HeldKey: metering.HeldKey{Signal: seamark.Logs}, Unexplained: 3}, {HeldKey: metering.HeldKey{Signal: seamark.Logs}, Unexplained: -3},
		{HeldKey: metering.HeldKey{Signal: seamark.Metrics}, Unexplained: 1},
	})
	if sums[seamark.Logs] != 6 || sums[seamark.Metrics] != 1 {
		t.Errorf("got %v", sums)
	}
}
