package queries_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestUsageByMemberAndDashboard asks as a panel of Grafana does, and finds the queries under the dashboard and under the token.
func TestUsageByMemberAndDashboard(t *testing.T) {
	w := newWorld(t, "origins")
	for range 3 {
		if got := w.ask(t, w.Query, w.logs("line"), http.Header{"X-Dashboard-Uid": {"k8s"}, "X-Panel-Id": {"4"}}); got.Status != http.StatusOK {
			t.Fatalf("got %d %s", got.Status, got.Body)
		}
	}
	type usage struct {
		Items []struct {
			Name                 string
			Queries, Rows, Bytes uint64
		}
	}
	testkit.Eventually(t, within, func() error {
		var by usage
		w.get(t, w.Admin, "/api/v1/usage/queries?group_by=dashboard", &by)
		if len(by.Items) != 1 || by.Items[0].Name != "k8s/4" || by.Items[0].Queries != 3 || by.Items[0].Rows == 0 {
			return fmt.Errorf("got %+v, want three queries of k8s/4", by)
		}
		return nil
	})
	var members, rules usage
	if w.get(t, w.Admin, "/api/v1/usage/queries", &members); len(members.Items) == 0 || members.Items[0].Queries < 3 {
		t.Errorf("by member got %+v", members)
	}
	if w.get(t, w.Admin, "/api/v1/usage/queries?group_by=rule", &rules); len(rules.Items) != 0 {
		t.Errorf("by rule got %+v", rules)
	}
	var sources struct{ Items []struct{ Source string } }
	w.get(t, w.Admin, "/api/v1/usage?group_by=source", &sources)
	for _, item := range sources.Items {
		if item.Source == "dashboard" {
			t.Error("the meter counts dashboards beside languages")
		}
	}
}
