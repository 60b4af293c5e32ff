package engine_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/seamarkhq/seamark/internal/engine"
	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// codeConstraint is ClickHouse's code of a setting that its constraint refuses (src/Common/ErrorCodes.cpp).
const codeConstraint = 452

// TestTenantsLimitsHaveCeilings sets each limit as a plan does, over the native protocol, and as the text of a statement, to what
// it may be and to what would lift it.
func TestTenantsLimitsHaveCeilings(t *testing.T) {
	ch := testkit.ClickHouse(t)
	conn := native(t, ch, 4)
	ceilings := engine.Ceilings(new(seamark.DefaultCeilings(2)))
	if len(ceilings) < 6 {
		t.Fatalf("got %d ceilings", len(ceilings))
	}
	for _, c := range ceilings {
		most, _ := tenant(t, ch, 4, "SELECT max FROM system.settings WHERE name = '"+c.Name+"'")
		if n, err := strconv.ParseFloat(most, 64); err != nil || n < 1 {
			t.Fatalf("%s: the engine's ceiling is %q", c.Name, most)
		}
		ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{c.Name: 1}))
		var got string
		if err := conn.QueryRow(ctx, "SELECT toString(getSetting('"+c.Name+"'))").Scan(&got); err != nil || got != "1" {
			t.Errorf("%s=1: got %q, %v", c.Name, got, err)
		}
		refused := []string{most + "0", "-1", "'-1'", "18446744073709551615", "18446744073709551616", "1e30", "nan", "inf", "'inf'", "NULL", "''", "'x'"}
		if c.Least == 1 && c.Name != "max_threads" {
			refused = append(refused, "0", "'0'", "'18446744073709551616'", "0.5", "'0x0'", "' 0'", "-0", "+0", "00", "1e-9")
		}
		for _, value := range refused {
			if got, err := tenant(t, ch, 4, fmt.Sprintf("SELECT getSetting('%s') SETTINGS %s = %s", c.Name, c.Name, value)); err == nil {
				t.Errorf("SETTINGS %s = %s: it is now %s", c.Name, value, got)
			}
			if _, err := tenant(t, ch, 4, fmt.Sprintf("SET %s = %s", c.Name, value)); err == nil {
				t.Errorf("SET %s = %s: got no error", c.Name, value)
			}
		}
		if c.Least != 1 || c.Name == "max_threads" {
			continue
		}
		ctx = clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{c.Name: 0}))
		err := conn.QueryRow(ctx, "SELECT toString(getSetting('"+c.Name+"'))").Scan(&got)
		if ex, ok := errors.AsType[*clickhouse.Exception](err); !ok || ex.Code != codeConstraint {
			t.Errorf("%s=0: got %q, %v", c.Name, got, err)
		}
	}
}

// TestQuotaHoldsWhatSettingsDoNot: the engine applies `SETTINGS name = DEFAULT` without a look at constraints, so that only the
// quota bounds what such a statement reads. When the first half fails, the engine has been mended and the guard of the SQL
// workspace has a second wall.
func TestQuotaHoldsWhatSettingsDoNot(t *testing.T) {
	const minuteBytes, wanted = 4 << 20, "SELECT sum(number) FROM numbers(100000000)"
	ceilings := seamark.DefaultCeilings(2)
	ceilings.Bytes, ceilings.MinuteBytes = 1<<20, minuteBytes
	ch := start(t, engine.ClickHouseOptions{DataDir: t.TempDir(), Ceilings: ceilings})
	if got, err := tenant(t, ch, 1, wanted); err == nil || !strings.Contains(err.Error(), "code 307") {
		t.Fatalf("without the clause: got %q, %v, want the ceiling", got, err)
	}
	got, err := tenant(t, ch, 1, wanted+" SETTINGS max_bytes_to_read = DEFAULT")
	if err == nil || !strings.Contains(err.Error(), "code 201") {
		t.Fatalf("with the clause: got %q, %v, want the quota", got, err)
	}
	if got, err := tenant(t, ch, 2, "SELECT 1"); err != nil {
		t.Fatalf("another tenant: got %q, %v", got, err)
	}
	read, err := strconv.Atoi(admin(t, ch, "SELECT max(read_bytes) FROM system.quotas_usage WHERE quota_key = 't0001' AND duration = 60"))
	if err != nil || read < minuteBytes/2 || read > 3*minuteBytes {
		t.Errorf("the quota of a minute has counted %d bytes, %v, want about %d", read, err, minuteBytes)
	}
	if got := admin(t, ch, "SELECT count() FROM system.quotas_usage WHERE quota_key = 't0001' AND max_queries IS NULL"); got != "2" {
		t.Errorf("got %s intervals that only count queries, want 2", got)
	}
}
