package alerts_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// TestLogRule has a rule over logs, saved as Loki's clients save it, fire on lines that are pushed, and a backtest of the same group
// tell of it afterwards.
func TestLogRule(t *testing.T) {
	t.Parallel()
	x := newTenant(t, "log-rules")
	const group = "name: logs\ninterval: 1s\nrules:\n" +
		"  - alert: Failures\n    expr: sum by (cluster, app) (count_over_time({app=\"shop\"} |= \"failed\" [1m])) > 2\n    annotations: {summary: '{{ $value }} failures of {{ $labels.app }}'}\n" +
		"  - record: shop:lines\n    expr: sum by (cluster) (count_over_time({app=\"shop\"}[1m]))\n"
	x.Post(t, x.Admin, "/loki/api/v1/rules/shop", "application/yaml", group, http.StatusAccepted)
	defer x.Do(t, x.Admin, http.MethodDelete, "/loki/api/v1/rules/shop", nil, "")
	var lines []string
	for i := range 4 {
		lines = append(lines, fmt.Sprintf(`["%d","payment %d failed"]`, time.Now().UnixNano(), i))
	}
	body := `{"streams":[{"stream":{"app":"shop"},"values":[` + strings.Join(lines, ",") + `]}]}`
	x.Post(t, x.Ingest, "/loki/api/v1/push", "application/json", body, http.StatusNoContent)
	testkit.Eventually(t, within, func() error {
		alerts := activeAlerts(t, x)
		if len(alerts) != 1 || alerts[0].State != "firing" || alerts[0].Labels["app"] != "shop" || alerts[0].Labels["cluster"] != "eu-1" || alerts[0].Annotations["summary"] != "4 failures of shop" {
			return fmt.Errorf("alerts = %+v", alerts)
		}
		if got := vector(t, x, "shop:lines", "cluster"); got["eu-1"] != "4" {
			return fmt.Errorf("recorded: %v", got)
		}
		return nil
	})
	request, err := json.Marshal(map[string]any{"language": "logql", "group": group, "interval": "5s", "start": time.Now().Add(-5 * time.Minute), "end": time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	answer := x.Post(t, x.Admin, "/api/v1/alerting/backtest", "application/json", string(request), http.StatusOK)
	var report struct {
		Rules []struct {
			Name    string
			Fired   int
			Firings []struct {
				Labels map[string]string
				Peak   string
			}
			SeriesTotal int `json:"series_total"`
		}
	}
	if err := json.Unmarshal([]byte(answer.Body), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Rules) != 2 || report.Rules[0].Fired != 1 || report.Rules[0].Firings[0].Peak != "4" || report.Rules[0].Firings[0].Labels["app"] != "shop" || report.Rules[1].SeriesTotal != 1 {
		t.Errorf("backtest: %s", answer.Body)
	}
}
