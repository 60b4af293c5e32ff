package usage_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestLogFiltersOfATenant switches the search filters of a tenant's log lines off and, by its plan, on again. What is searched is found
// either way.
func TestLogFiltersOfATenant(t *testing.T) {
	const lines = 300 // of a push, more than --writer.log-filter-rows
	w := newWorld(t, "searched", "--metering.sample-interval", "1s")
	operator := w.operator()
	own, plan := "/api/v1/tenants/"+w.id+"/quotas", "/api/v1/tenants/"+w.id+"/plan"
	for _, rows := range []string{"-1", "1048577"} {
		w.do(operator, http.MethodPut, own, `{"log_filter_rows":`+rows+`}`, http.StatusBadRequest, nil)
	}
	w.wantLogFilterRows(256, "default")
	w.do(operator, http.MethodPut, own, `{"log_filter_rows":1048576}`, http.StatusOK, nil)
	w.wantLogFilterRows(1048576, "tenant")

	w.pushLines(lines)
	stored := func(table string) func(usageItem) bool {
		return func(u usageItem) bool { return u.Source == table && u.StoredRows > 0 }
	}
	testkit.Eventually(t, patience, func() error {
		items := w.usage("signal,source") // of one look at the tables, of which those of filters are written first
		switch {
		case slices.ContainsFunc(items, stored("log_filters")):
			t.Fatalf("there are filters: %+v", items)
		case !slices.ContainsFunc(items, stored("logs")):
			return fmt.Errorf("no lines yet: %+v", items)
		}
		return nil
	})
	w.wantFound(1)

	w.do(operator, http.MethodPut, "/api/v1/plans/searched", `{"title":"Searched","quota":{"log_filter_rows":100}}`, http.StatusOK, nil)
	w.do(operator, http.MethodPut, own, `{}`, http.StatusOK, nil)
	w.do(operator, http.MethodPut, plan, `{"plan":"searched"}`, http.StatusOK, nil)
	w.wantLogFilterRows(100, "plan")
	w.pushLines(lines)
	w.await("signal,source", stored("log_filters"))
	w.wantFound(2)
}

// wantLogFilterRows waits until the tenant's limit is what it should be, and comes from where it should.
func (w *world) wantLogFilterRows(rows int64, origin string) {
	w.t.Helper()
	testkit.Eventually(w.t, patience, func() error {
		var got quotaAnswer
		w.do(w.admin, http.MethodGet, "/api/v1/quotas", "", http.StatusOK, &got)
		if got.Limits["log_filter_rows"] != rows || got.Origins["log_filter_rows"] != origin {
			return fmt.Errorf("got %d from %s, want %d from %s", got.Limits["log_filter_rows"], got.Origins["log_filter_rows"], rows, origin)
		}
		return nil
	})
}

// wantFound searches the lines for one of each push.
func (w *world) wantFound(pushes float64) {
	w.t.Helper()
	testkit.Eventually(w.t, patience, func() error {
		series, err := harness.LogQL(w.t.Context(), w.server.URL, w.account.Query, `sum(count_over_time({app="web"} |= "line 123" [1h]))`)
		if err == nil && (len(series) != 1 || series[0].Point.Value != pushes) {
			err = fmt.Errorf("found %+v, want %v lines", series, pushes)
		}
		return err
	})
}
