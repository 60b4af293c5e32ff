package usage_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// pushLines pushes n lines.
func (w *world) pushLines(n int) {
	w.t.Helper()
	begin, values := time.Now().UnixNano(), ""
	for i := range n {
		values += fmt.Sprintf(`,["%d","line %d"]`, begin+int64(i), i)
	}
	w.do(w.account.Ingest, http.MethodPost, "/loki/api/v1/push", `{"streams":[{"stream":{"app":"web"},"values":[`+values[1:]+`]}]}`, http.StatusNoContent, nil)
}

// await waits until a group of the tenant's usage is as ok says.
func (w *world) await(groupBy string, ok func(u usageItem) bool) usageItem {
	w.t.Helper()
	var found usageItem
	testkit.Eventually(w.t, patience, func() error {
		items := w.usage(groupBy)
		at := slices.IndexFunc(items, ok)
		if at < 0 {
			return fmt.Errorf("not among %+v", items)
		}
		found = items[at]
		return nil
	})
	return found
}

// TestUsageOverTheAPI meters lines, queries and what is held, and reads them as JSON and CSV, as the tenant and as an operator.
func TestUsageOverTheAPI(t *testing.T) {
	w := newWorld(t, "shown", "--metering.sample-interval", "1s")
	w.pushLines(7)
	logs := func(u usageItem) bool { return u.Signal == "logs" && u.Source == "loki" && u.Cluster == "shown" }
	if u := w.await("signal,source,cluster", logs); u.Rows != 7 || u.Requests != 1 || u.Bytes == 0 {
		t.Errorf("got %+v, want 7 rows of one request", u)
	}
	series, err := harness.LogQL(t.Context(), w.server.URL, w.account.Query, `sum(count_over_time({app="web"} |= "line" [1h]))`)
	if err != nil || len(series) != 1 || series[0].Point.Value != 7 {
		t.Fatalf("the query got %+v, %v", series, err)
	}
	u := w.await("source,actor", func(u usageItem) bool { return u.Source == "logql" && u.ReadRows > 0 })
	if u.Queries != 1 || u.ReadRows < 7 || u.ReadBytes == 0 || u.Actor == "" || strings.Contains(w.account.Query, u.Actor) && u.Actor == w.account.Query {
		t.Errorf("got %+v, want one query of the token that read the lines", u)
	}
	w.await("signal,source", func(u usageItem) bool { return u.Source == "logs" && u.StoredRows > 0 && u.StoredBytes > 0 })

	table := w.do(w.admin, http.MethodGet, "/api/v1/usage?group_by=day,signal,source&format=csv", "", http.StatusOK, nil)
	records, err := csv.NewReader(strings.NewReader(string(table.Body))).ReadAll()
	if err != nil || len(records) < 2 || !strings.HasPrefix(table.Header.Get("Content-Type"), "text/csv") {
		t.Fatalf("got %q: %v", table.Body, err)
	}
	row := slices.IndexFunc(records, func(r []string) bool { return r[1] == "logs" && r[2] == "loki" })
	if row < 0 || records[row][0] != time.Now().UTC().Format(time.DateOnly) || records[row][slices.Index(records[0], "rows")] != "7" {
		t.Errorf("got %q", records)
	}

	operator := w.operator()
	var all struct{ Items []usageItem }
	w.do(operator, http.MethodGet, "/api/v1/operator/usage?group_by=tenant,signal", "", http.StatusOK, &all)
	if at := slices.IndexFunc(all.Items, func(u usageItem) bool { return u.Tenant == w.id && u.Signal == "logs" }); at < 0 || all.Items[at].Rows != 7 {
		t.Errorf("the operator got %+v", all.Items)
	}
	w.do(operator, http.MethodGet, "/api/v1/operator/usage/summary?tenant="+w.id, "", http.StatusOK, nil)
	var compared struct{ Unexplained int }
	w.do(operator, http.MethodGet, "/api/v1/operator/usage/reconciliation", "", http.StatusOK, &compared)
	if compared.Unexplained != 0 {
		t.Errorf("%d rows are not explained", compared.Unexplained)
	}
	testkit.Eventually(t, patience, func() error { // the gauge that operators alert on
		n, err := w.server.Metric(t.Context(), "seamark_metering_unexplained_rows", "")
		if err == nil && n != 0 {
			err = fmt.Errorf("the gauge says %v", n)
		}
		return err
	})
	for path, want := range map[string]string{
		"?group_by=colour": "seamark-usage-column", "?group_by=day,hour": "seamark-usage-column", "?group_by=tenant": "seamark-usage-column",
		"?format=xml": "seamark-usage-format", "?start=1000000000&end=1700000000": "seamark-usage-range",
	} {
		a := w.do(w.admin, http.MethodGet, "/api/v1/usage"+path, "", http.StatusBadRequest, nil)
		if !strings.Contains(string(a.Body), want) {
			t.Errorf("%s: got %s, want %s", path, a.Body, want)
		}
	}
}

// quotaAnswer is what the quota routes say of a tenant.
type quotaAnswer struct {
	Plan    string
	Limits  map[string]int64
	Origins map[string]string
}

// TestPlanTakesEffect gives a tenant a plan, changes the plan, and takes it away, while the tenant sends.
func TestPlanTakesEffect(t *testing.T) {
	w := newWorld(t, "planned")
	operator := w.operator()
	const plan, ofTenant = "/api/v1/plans/small", "/api/v1/tenants/"
	save := func(quota string) {
		t.Helper()
		w.do(operator, http.MethodPut, plan, `{"title":"Small","quota":`+quota+`}`, http.StatusOK, nil)
	}
	save(`{"daily_bytes":1,"active_series":77}`)
	w.pushLines(1)
	give := func(name string, want int) {
		t.Helper()
		w.do(operator, http.MethodPut, ofTenant+w.id+"/plan", `{"plan":"`+name+`"}`, want, nil)
	}
	answers := func(want int) {
		t.Helper()
		began := time.Now()
		testkit.Eventually(t, patience, func() error {
			body := fmt.Sprintf(`{"streams":[{"stream":{"app":"web"},"values":[["%d","a line"]]}]}`, time.Now().UnixNano())
			a, err := harness.Do(t.Context(), http.DefaultClient, &harness.Request{URL: w.server.URL + "/loki/api/v1/push", Token: w.account.Ingest, Type: "application/json", Body: []byte(body)})
			if err == nil && a.Status != want {
				err = fmt.Errorf("got %d %s, want %d", a.Status, a.Body, want)
			}
			return err
		})
		t.Logf("answered %d after %s", want, time.Since(began))
	}
	give("none", http.StatusBadRequest)
	give("small", http.StatusOK)
	answers(http.StatusTooManyRequests)
	w.do(operator, http.MethodPut, ofTenant+w.id+"/quotas", `{"active_streams":5}`, http.StatusOK, nil)
	var got quotaAnswer
	w.do(w.admin, http.MethodGet, "/api/v1/quotas", "", http.StatusOK, &got)
	if got.Plan != "small" || got.Limits["active_series"] != 77 || got.Origins["active_series"] != "plan" || got.Limits["active_streams"] != 5 ||
		got.Origins["active_streams"] != "tenant" || got.Origins["rows_burst"] != "default" {
		t.Errorf("got %+v", got)
	}
	var summary struct {
		Plan   string
		Method string
		Limits []struct {
			Name, Origin string
			Limit        int64
		}
	}
	w.do(w.admin, http.MethodGet, "/api/v1/usage/summary", "", http.StatusOK, &summary)
	if summary.Plan != "small" || summary.Method == "" || len(summary.Limits) != 3 || summary.Limits[0].Name != "daily_bytes" || summary.Limits[0].Origin != "plan" {
		t.Errorf("got %+v", summary)
	}
	w.do(operator, http.MethodDelete, plan, "", http.StatusConflict, nil)
	save(`{"active_series":77}`)
	answers(http.StatusNoContent)
	save(`{"daily_bytes":1}`)
	answers(http.StatusTooManyRequests)
	give("", http.StatusOK)
	answers(http.StatusNoContent)
	w.do(operator, http.MethodDelete, plan, "", http.StatusNoContent, nil)
	w.do(operator, http.MethodGet, plan, "", http.StatusNotFound, nil)
}

// hook is a webhook that keeps the labels of the alerts that it was told of.
type hook struct {
	mu     sync.Mutex // guards labels
	labels []map[string]string
}

// ServeHTTP implements http.Handler.
func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var told struct {
		Alerts []struct{ Labels map[string]string }
	}
	if json.NewDecoder(r.Body).Decode(&told) != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range told.Alerts {
		h.labels = append(h.labels, a.Labels)
	}
}

func (h *hook) heard(signal, threshold string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.labels, func(l map[string]string) bool {
		return l["alertname"] == "SeamarkBudget" && l["signal"] == signal && l["threshold"] == threshold
	})
}

// TestBudgetReachesTheWebhook sets a budget and sends: the tenant's receiver is told at each threshold, and the summary shows it.
func TestBudgetReachesTheWebhook(t *testing.T) {
	w := newWorld(t, "budgeted", "--metering.budget-interval", "500ms", "--alerting.allowed-receivers", "127.0.0.1/32", "--alerting.evaluation-interval", "1s")
	h := &hook{}
	server := httptest.NewServer(h)
	defer server.Close()
	config := "alertmanager_config: |\n  route: {receiver: hook, group_by: [alertname, signal, threshold], group_wait: 0s, group_interval: 1s}\n" +
		"  receivers: [{name: hook, webhook_configs: [{url: '" + server.URL + "'}]}]\n"
	w.do(w.admin, http.MethodPost, "/api/v1/alerts", config, http.StatusCreated, nil)
	const budgets = "/api/v1/usage/budgets"
	w.do(w.admin, http.MethodPut, budgets, `{"budgets":[{"signal":"smoke","rows":1,"bytes":0}]}`, http.StatusBadRequest, nil)
	w.do(w.admin, http.MethodPut, budgets, `{"budgets":[{"signal":"logs","rows":10,"bytes":0}]}`, http.StatusOK, nil)
	awaitAlert := func(threshold string) {
		t.Helper()
		testkit.Eventually(t, patience, func() error {
			if !h.heard("logs", threshold) {
				return fmt.Errorf("nothing was told of %s yet", threshold)
			}
			return nil
		})
	}
	w.pushLines(6)
	awaitAlert("50%")
	if h.heard("logs", "80%") || h.heard("logs", "100%") {
		t.Error("told of thresholds that were not reached")
	}
	w.pushLines(5)
	for _, threshold := range []string{"80%", "100%"} {
		awaitAlert(threshold)
	}
	var summary struct {
		Budgets []struct {
			Signal, Measure string
			Reached         []int
			Forecast        struct{ Sum float64 }
		}
	}
	w.do(w.admin, http.MethodGet, "/api/v1/usage/summary", "", http.StatusOK, &summary)
	if len(summary.Budgets) != 1 || !slices.Equal(summary.Budgets[0].Reached, []int{50, 80, 100}) || strconv.Itoa(int(summary.Budgets[0].Forecast.Sum)) != "11" {
		t.Errorf("got %+v", summary)
	}
}
