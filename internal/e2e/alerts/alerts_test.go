// Package alerts_test follows an alert from the samples that raise it to the webhook that tells of it and back, over HTTP
// alone.
package alerts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/app"
	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

func TestMain(m *testing.M) { inprocess.Main(m) }

// within is how long a state may take to come, on a machine under heavy load. Rules are evaluated every second.
const within = 2 * time.Minute

// newTenant returns a tenant on the package's server, whose receivers may be at 127.0.0.1 and nowhere else inside.
func newTenant(t *testing.T, slug string) *inprocess.Tenant {
	t.Helper()
	a := inprocess.App(t, func(o *app.Options) {
		o.Alerting.EvaluationInterval, o.Alerting.AllowedReceivers = time.Second, []string{"127.0.0.1/32"}
		o.Alerting.ExternalURL, o.Alerting.Detectors.MinInterval = "https://seamark.example", time.Second
	})
	return inprocess.NewTenant(t, a, slug, "eu-1")
}

// saveRule saves a rule that fires for each instance that is down, and a recording rule.
func saveRule(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	x.Post(t, x.Admin, "/prometheus/config/v1/rules/nodes", "application/yaml", `
name: availability
interval: 1s
rules:
  - alert: InstanceDown
    expr: up{job="node"} == 0
    for: 2s
    labels: {severity: page}
    annotations:
      summary: '{{ $labels.instance }} of {{ $labels.cluster }} is down (up is {{ $value }})'
  - record: job:up:sum
    expr: sum by (job) (up)
`, http.StatusAccepted)
}

// removeRules ends the tenant's alerts before the test's receiver closes.
func removeRules(t *testing.T, x *inprocess.Tenant) {
	t.Helper()
	if answer := x.Do(t, x.Admin, http.MethodDelete, "/prometheus/config/v1/rules/nodes", nil, ""); answer.Status != http.StatusAccepted {
		t.Errorf("delete the rules: got %d %s, want 202", answer.Status, answer.Body)
	}
	if answer := x.Do(t, x.Admin, http.MethodDelete, "/api/v1/alerts", nil, ""); answer.Status != http.StatusOK {
		t.Errorf("delete the receivers: got %d %s, want 200", answer.Status, answer.Body)
	}
}

// saveReceiver routes everything to a webhook at once. It returns the answer to the POST.
func saveReceiver(t *testing.T, x *inprocess.Tenant, target string) inprocess.Response {
	t.Helper()
	config := `
alertmanager_config: |
  route: {receiver: oncall, group_by: [alertname, cluster], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
  receivers:
    - name: oncall
      webhook_configs:
        - url: ` + target + `
          send_resolved: true
          http_config: {authorization: {type: Bearer, credentials: hook-secret}}
`
	return x.Do(t, x.Admin, http.MethodPost, "/api/v1/alerts", http.Header{"Content-Type": {"application/yaml"}}, config)
}

// pushUp reports the state of two instances now.
func pushUp(t *testing.T, x *inprocess.Tenant, first, second float64) {
	t.Helper()
	w := &prompb.WriteRequest{}
	for instance, v := range map[string]float64{"10.0.0.1:9100": first, "10.0.0.2:9100": second} {
		w.Timeseries = append(w.Timeseries, prompb.TimeSeries{
			Labels:  []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "instance", Value: instance}, {Name: "job", Value: "node"}},
			Samples: []prompb.Sample{{Value: v, Timestamp: time.Now().UnixMilli()}},
		})
	}
	body, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, body)), http.StatusNoContent)
}

// vector evaluates PromQL now and returns the values by one label.
func vector(t *testing.T, x *inprocess.Tenant, query, by string) map[string]string {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	x.Get(t, "/prometheus/api/v1/query", url.Values{"query": {query}}, &answer)
	got := map[string]string{}
	for _, r := range answer.Data.Result {
		got[r.Metric[by]], _ = r.Value[1].(string)
	}
	return got
}

// activeAlert is an alert as Prometheus' API shows it.
type activeAlert struct {
	State       string
	Labels      map[string]string
	Annotations map[string]string
	Value       string
}

func activeAlerts(t *testing.T, x *inprocess.Tenant) []activeAlert {
	t.Helper()
	var answer struct {
		Data struct{ Alerts []activeAlert }
	}
	x.Get(t, "/prometheus/api/v1/alerts", nil, &answer)
	return answer.Data.Alerts
}

func awaitState(t *testing.T, x *inprocess.Tenant, want string) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		var answer struct {
			Data struct {
				Groups []struct {
					Name, File string
					Rules      []struct{ Name, Type, State, Health, LastError string }
				}
			}
		}
		x.Get(t, "/prometheus/api/v1/rules", nil, &answer)
		groups := answer.Data.Groups
		if len(groups) != 1 || groups[0].Name != "availability" || groups[0].File != "nodes" || len(groups[0].Rules) != 2 {
			return fmt.Errorf("got groups %+v", groups)
		}
		alert, record := groups[0].Rules[0], groups[0].Rules[1]
		if alert.State != want || alert.Health != "ok" || record.Health != "ok" || record.Type != "recording" {
			return fmt.Errorf("got rules %+v, want state %s and good health", groups[0].Rules, want)
		}
		return nil
	})
}

// The labels and annotations of the alert of instance 2.
var (
	downLabels = map[string]string{
		"alertname": "InstanceDown", "severity": "page", "job": "node", "instance": "10.0.0.2:9100", "cluster": "eu-1",
	}
	downAnnotations = map[string]string{"summary": "10.0.0.2:9100 of eu-1 is down (up is 0)"}
)

func TestAlertFiresAndResolves(t *testing.T) {
	t.Parallel()
	x, other, h := newTenant(t, "firing"), newTenant(t, "bystander"), newHook(t)
	pushUp(t, x, 1, 1)
	saveRule(t, x)
	defer removeRules(t, x)
	if answer := saveReceiver(t, x, h.URL+"/page?team=sre"); answer.Status != http.StatusCreated {
		t.Fatalf("save the receiver: got %d %s, want 201", answer.Status, answer.Body)
	}
	awaitState(t, x, "inactive")
	pushUp(t, x, 1, 0)
	checkFiring(t, x, h.await(t, "firing"))
	checkAlertmanager(t, x, other)
	awaitState(t, x, "firing")
	testkit.Eventually(t, within, func() error {
		firing := vector(t, x, `ALERTS{alertstate="firing"}`, "instance")
		if diff := cmp.Diff(map[string]string{"10.0.0.2:9100": "1"}, firing); diff != "" {
			return errors.New("ALERTS (-want +got):\n" + diff)
		}
		if diff := cmp.Diff(map[string]string{"node": "1"}, vector(t, x, `job:up:sum`, "job")); diff != "" {
			return errors.New("job:up:sum (-want +got):\n" + diff)
		}
		return nil
	})
	pushUp(t, x, 1, 1)
	resolved := h.await(t, "resolved")
	if len(resolved.Alerts) != 1 || resolved.Alerts[0].Status != "resolved" || resolved.Alerts[0].EndsAt.IsZero() ||
		!resolved.Alerts[0].EndsAt.After(resolved.Alerts[0].StartsAt) {
		t.Errorf("got the resolved notification %+v, want the one alert with its end", resolved)
	}
	if diff := cmp.Diff(downLabels, resolved.CommonLabels); diff != "" {
		t.Errorf("labels of the resolved notification (-want +got):\n%s", diff)
	}
	awaitState(t, x, "inactive")
	if got := activeAlerts(t, x); len(got) != 0 {
		t.Errorf("got active alerts %+v after the recovery", got)
	}
	testkit.Eventually(t, within, func() error {
		if got := vector(t, x, `ALERTS`, "alertstate"); len(got) != 0 {
			return fmt.Errorf("got ALERTS %v after the recovery", got)
		}
		return nil
	})
	checkBystander(t, other)
}

// checkFiring compares the webhook with the rule, and with what the API shows of the alert.
func checkFiring(t *testing.T, x *inprocess.Tenant, n notification) {
	t.Helper()
	want := notification{
		Receiver: "oncall", Status: "firing", GroupLabels: map[string]string{"alertname": "InstanceDown", "cluster": "eu-1"},
		CommonLabels: downLabels, CommonAnnotations: downAnnotations, ExternalURL: n.ExternalURL,
		Alerts: []notifiedAlert{{Status: "firing", Labels: downLabels, Annotations: downAnnotations}},
	}
	if len(n.Alerts) != 1 || n.Alerts[0].StartsAt.IsZero() {
		t.Fatalf("got %+v, want one alert with its start", n)
	}
	got := n
	got.Alerts = slices.Clone(n.Alerts)
	got.Alerts[0].StartsAt, got.Alerts[0].EndsAt = time.Time{}, time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notification (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(n.ExternalURL, "https://seamark.example") {
		t.Errorf("external URL: got %q, want that of the options", n.ExternalURL)
	}
	active := activeAlerts(t, x)
	if diff := cmp.Diff([]activeAlert{{State: "firing", Labels: downLabels, Annotations: downAnnotations, Value: "0e+00"}}, active); diff != "" {
		t.Errorf("/prometheus/api/v1/alerts (-want +got):\n%s", diff)
	}
}

// checkAlertmanager looks at the alert through Alertmanager's API, and silences it as amtool would.
func checkAlertmanager(t *testing.T, x, other *inprocess.Tenant) {
	t.Helper()
	list := func(x *inprocess.Tenant) (alerts []struct {
		Labels    map[string]string
		Receivers []struct{ Name string }
		Status    struct {
			State      string
			SilencedBy []string
		}
	}) {
		x.Get(t, "/alertmanager/api/v2/alerts", nil, &alerts)
		return alerts
	}
	alerts := list(x)
	if len(alerts) != 1 || cmp.Diff(downLabels, alerts[0].Labels) != "" || alerts[0].Status.State != "active" || alerts[0].Receivers[0].Name != "oncall" {
		t.Fatalf("alertmanager: got %+v, want the one alert", alerts)
	}
	silence := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"InstanceDown","isRegex":false,"isEqual":true}],
		"startsAt":%q,"endsAt":%q,"createdBy":"ann","comment":"known"}`, time.Now().Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339))
	var made struct{ SilenceID string }
	answer := x.Post(t, x.Admin, "/alertmanager/api/v2/silences", "application/json", silence, http.StatusOK)
	if err := json.Unmarshal([]byte(answer.Body), &made); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, within, func() error {
		if got := list(x); len(got) != 1 || got[0].Status.State != "suppressed" || !slices.Equal(got[0].Status.SilencedBy, []string{made.SilenceID}) {
			return fmt.Errorf("got %+v, want the alert silenced by %s", got, made.SilenceID)
		}
		return nil
	})
	if answer := x.Do(t, x.Admin, http.MethodDelete, "/alertmanager/api/v2/silence/"+made.SilenceID, nil, ""); answer.Status != http.StatusOK {
		t.Fatalf("end the silence: got %d %s", answer.Status, answer.Body)
	}
	if got := list(other); len(got) != 0 {
		t.Errorf("the other tenant's alertmanager: got %+v, want nothing", got)
	}
}

func checkBystander(t *testing.T, other *inprocess.Tenant) {
	t.Helper()
	if got := activeAlerts(t, other); len(got) != 0 {
		t.Errorf("the other tenant's alerts: got %+v", got)
	}
	if got := vector(t, other, `{__name__=~".+"}`, "__name__"); len(got) != 0 {
		t.Errorf("the other tenant's series: got %v", got)
	}
	answer := other.Do(t, other.Query, http.MethodGet, "/prometheus/api/v1/rules", nil, "")
	if answer.Body != `{"status":"success","data":{"groups":[]}}` {
		t.Errorf("the other tenant's rules: got %s", answer.Body)
	}
}
