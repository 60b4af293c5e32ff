package api_test

import (
	"context"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// usageFake answers with rows of its own and keeps what it was asked.
type usageFake struct {
	rows  []api.UsageRow
	asked []api.UsageFilter
}

func (f *usageFake) ListUsage(_ context.Context, q api.UsageFilter) ([]api.UsageRow, error) {
	f.asked = append(f.asked, q)
	return f.rows, nil
}

func (*usageFake) SummarizeUsage(context.Context, seamark.TenantID) (*api.UsageSummary, error) {
	return &api.UsageSummary{}, nil
}

func (*usageFake) ReconcileUsage(_ context.Context, tenant seamark.TenantID, _ seamark.TimeRange) ([]api.UsageLine, error) {
	return []api.UsageLine{{Tenant: string(tenant), Unexplained: 3}, {Unexplained: -3}}, nil
}

func usageRows() []api.UsageRow {
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	return []api.UsageRow{
		{Time: at, Cluster: "eu-1", Signal: "logs", Requests: 8640, Rows: 1_728_000, Bytes: 431_000_000, WireBytes: 51_720_000, SetAsideRows: 2},
		{Time: at, Cluster: "=cmd|' /C calc'!A0", Signal: "metrics", Rows: 1 << 60, ActiveSeries: 1234.5678, ActiveStreams: 0.25},
		{Time: at.AddDate(0, 0, 1), Cluster: `quoted "name", with a comma`, Queries: 7, ReadRows: 9, ReadBytes: 10, CPUSeconds: 0.0125, StoredRows: 2.5, StoredBytes: 1e12},
	}
}

// TestUsageCSV holds the file against the golden one, byte for byte: spreadsheets and bills are made of it.
func TestUsageCSV(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	fake := &usageFake{rows: usageRows()}
	edge := newEdge(t, "", api.UsageRoutes(fake, func() time.Time { return now }))
	const golden = "testdata/usage.csv"
	got := edge.do(quotaTenant, http.MethodGet, "/api/v1/usage?group_by=signal,day,cluster&format=csv", "")
	if got.Code != http.StatusOK || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/csv") {
		t.Fatalf("got %d %v", got.Code, got.Header())
	}
	if *updateUsage {
		if err := os.WriteFile(golden, got.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.Body.String()); diff != "" {
		t.Errorf("the file differs (-want +got), run with -update-usage after a review:\n%s", diff)
	}
	asked := fake.asked[0]
	if asked.Tenant == "" || cmp.Diff([]string{"day", "cluster", "signal"}, asked.By) != "" {
		t.Errorf("asked %+v", asked)
	}
	if begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC); !asked.Range.Start.Equal(begin) || !asked.Range.End.Equal(now) {
		t.Errorf("asked for %+v, want this month", asked.Range)
	}
}

var updateUsage = flag.Bool("update-usage", false, "write the golden file of usage")

// TestUsageJSON has the same figures, with the columns that were asked for and no others.
func TestUsageJSON(t *testing.T) {
	fake := &usageFake{rows: usageRows()[:1]}
	edge := newEdge(t, "", api.UsageRoutes(fake, time.Now))
	got := edge.do(quotaTenant, http.MethodGet, "/api/v1/usage?group_by=signal", "")
	for _, want := range []string{`"signal":"logs"`, `"rows":1728000`, `"set_aside_rows":2`, `"group_by":["signal"]`} {
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s is not in %s", want, got.Body)
		}
	}
	if strings.Contains(got.Body.String(), "eu-1") {
		t.Errorf("a column that was not asked for is in %s", got.Body)
	}
	got = edge.do(quotaTenant, http.MethodGet, "/api/v1/usage/reconciliation", "")
	if !strings.Contains(got.Body.String(), `"unexplained":6}`) {
		t.Errorf("missing and surplus rows cancel out in %s", got.Body)
	}
}

// TestUsageIsNotCut has more groups than an answer may have.
func TestUsageIsNotCut(t *testing.T) {
	fake := &usageFake{rows: make([]api.UsageRow, 20_001)}
	edge := newEdge(t, "", api.UsageRoutes(fake, time.Now))
	if got := edge.do(quotaTenant, http.MethodGet, "/api/v1/usage", ""); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "seamark-usage-large") {
		t.Errorf("got %d %.200s", got.Code, got.Body)
	}
}
