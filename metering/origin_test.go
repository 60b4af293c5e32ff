package metering_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/metering"
)

// TestOriginsAreBounded counts queries of more dashboards than are named: those that read most have their names, and nothing is lost.
func TestOriginsAreBounded(t *testing.T) {
	b, now := newInbox(), time.Date(2026, 11, 21, 5, 30, 0, 0, time.UTC)
	m := newMeter(t, b, func(o *metering.MeterOptions) { o.Now = func() time.Time { return now } })
	for n := range 600 {
		m.Origin(tenantA, "dashboard", fmt.Sprintf("d%03d/1", n), seamark.UsageCounts{Requests: 1, Bytes: uint64(n)})
	}
	flush := func() {
		t.Helper()
		if err := m.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	flush()
	m.Origin(tenantA, "dashboard", "late/1", seamark.UsageCounts{Requests: 1, Bytes: 1 << 30})
	m.Origin(tenantA, "dashboard", "d599/1", seamark.UsageCounts{Requests: 1, Bytes: 1})
	flush()
	sums, all := map[string]uint64{}, uint64(0)
	for key, counts := range b.sums[tenantA] {
		if key.Kind != seamark.UsageOrigin || key.Source != "dashboard" {
			t.Fatalf("got %+v", key)
		}
		sums[key.Actor] += counts.Requests
		all += counts.Requests
	}
	if len(sums) != 501 || sums[metering.OtherOrigin] != 101 || sums["d599/1"] != 2 || sums["d099/1"] != 0 || all != 602 {
		t.Errorf("%d names, %d other, %d in all", len(sums), sums[metering.OtherOrigin], all)
	}
	now = now.Add(24 * time.Hour)
	m.Origin(tenantA, "dashboard", "late/1", seamark.UsageCounts{Requests: 1})
	flush()
	if got := b.sums[tenantA][seamark.UsageKey{Kind: seamark.UsageOrigin, Hour: seamark.HourOf(now), Source: "dashboard", Actor: "late/1"}]; got.Requests != 1 {
		t.Errorf("a day later got %+v, want the name", got)
	}
}
