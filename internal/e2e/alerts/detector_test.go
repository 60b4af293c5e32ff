package alerts_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// call asks with JSON and decodes the answer.
func call(t *testing.T, x *inprocess.Tenant, token, method, path string, ask, into any, want int) {
	t.Helper()
	body, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	got := x.Do(t, token, method, path, http.Header{"Content-Type": {"application/json"}}, string(body))
	if got.Status != want {
		t.Fatalf("%s %s: got %d %s, want %d", method, path, got.Status, got.Body, want)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(got.Body), into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, got.Body)
		}
	}
}

// pushErrors pushes the share of errors of a service over hours, about one in a hundred until now, when it is one in three.
func pushErrors(t *testing.T, x *inprocess.Tenant, now time.Time) {
	t.Helper()
	series := prompb.TimeSeries{Labels: []prompb.Label{{Name: "__name__", Value: "checkout_errors"}, {Name: "namespace", Value: "shop"}, {Name: "service", Value: "checkout"}}}
	const minutes = 6 * 60
	for i := range minutes {
		v := 0.01 + 0.001*float64(i*7%5)
		series.Samples = append(series.Samples, prompb.Sample{Timestamp: now.Add(time.Duration(i-minutes) * time.Minute).UnixMilli(), Value: v})
	}
	series.Samples = append(series.Samples, prompb.Sample{Timestamp: now.UnixMilli(), Value: 0.33})
	body, err := (&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{series}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/api/v1/write", "application/x-protobuf", string(snappy.Encode(nil, body)), http.StatusNoContent)
}

// pushChange pushes what the API server tells of a deploy two minutes ago, and of one of somebody else.
func pushChange(t *testing.T, x *inprocess.Tenant, now time.Time) {
	t.Helper()
	var items []string
	for i, object := range []string{"shop/checkout", "media/encoder"} {
		namespace, name, _ := strings.Cut(object, "/")
		at := now.Add(-time.Duration(2+5*i) * time.Minute).UTC().Format(time.RFC3339Nano)
		items = append(items, fmt.Sprintf(`{"kind":"Event","level":"Metadata","auditID":"id-%d","stage":"ResponseComplete","requestURI":"/apis/apps/v1/x","verb":"patch",`+
			`"user":{"username":"ann"},"userAgent":"kubectl/v1.34","objectRef":{"apiGroup":"apps","resource":"deployments","namespace":%q,"name":%q},"responseStatus":{"code":200},`+
			`"requestReceivedTimestamp":%q,"stageTimestamp":%q}`, i, namespace, name, at, at))
	}
	batch := `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[` + strings.Join(items, ",") + `]}`
	x.Post(t, x.Ingest, "/api/v1/push/audit", "application/json", batch, http.StatusOK)
}

// detectorStatus is what the API says of a detector.
type detectorStatus struct {
	State, Error string
	Series       int
	Firing       int
	Alerts       []struct {
		State, Explanation string
		Labels             map[string]string
		Since              time.Time
	}
}

// TestDetectorFindsAnIncident pushes hours of errors of a service, a deploy and more errors through the front. The detector's alert
// reaches the webhook with its explanation, and the first of its suspects is the deploy.
func TestDetectorFindsAnIncident(t *testing.T) {
	x, h := newTenant(t, "detector"), newHook(t)
	if got := saveReceiver(t, x, h.URL); got.Status != http.StatusCreated {
		t.Fatalf("save the receiver: got %d %s", got.Status, got.Body)
	}
	now := time.Now()
	pushErrors(t, x, now)
	pushChange(t, x, now)
	spec := map[string]any{
		"name": "CheckoutErrors", "kind": "anomaly", "expr": "checkout_errors", "unit": "ratio", "direction": "above", "interval_seconds": 1, "for_seconds": 1, "history_seconds": 4*3600 + 1800,
		"labels": map[string]string{"severity": "page"},
	}
	testkit.Eventually(t, within, func() error { // the samples are stored
		if got := vector(t, x, "checkout_errors", "service"); got["checkout"] != "0.33" {
			return fmt.Errorf("got %v", got)
		}
		return nil
	})
	var made struct{ ID string }
	call(t, x, x.Admin, http.MethodPost, "/api/v1/alerting/detectors", spec, &made, http.StatusCreated)
	path := "/api/v1/alerting/detectors/" + made.ID
	var status detectorStatus
	testkit.Eventually(t, within, func() error {
		status = detectorStatus{}
		call(t, x, x.Query, http.MethodGet, path+"/status", nil, &status, http.StatusOK)
		if status.Firing != 1 || len(status.Alerts) != 1 {
			return fmt.Errorf("got %+v", status)
		}
		return nil
	})
	alert := status.Alerts[0]
	for _, part := range []string{"service checkout", "33 %", "usually", "standard deviations"} {
		if !strings.Contains(alert.Explanation, part) {
			t.Errorf("the explanation %q does not say %q", alert.Explanation, part)
		}
	}
	told := h.await(t, "firing").Alerts[0]
	if told.Labels["alertname"] != "CheckoutErrors" || told.Labels["severity"] != "page" || told.Labels["detector_kind"] != "anomaly" || !strings.Contains(told.Annotations["explanation"], "33 %") {
		t.Errorf("the webhook heard %+v", told)
	}
	testkit.Eventually(t, within, func() error {
		if got := vector(t, x, `ALERTS{alertname="CheckoutErrors",severity="page"}`, "alertstate"); got["firing"] != "1" {
			return fmt.Errorf("ALERTS has %v", got)
		}
		return nil
	})
	awaitSuspect(t, x, alert.Labels, alert.Since)
	checkPreview(t, x, spec, now)
	call(t, x, x.Admin, http.MethodDelete, path, nil, nil, http.StatusNoContent)
	h.await(t, "resolved")
}

// awaitSuspect waits until the deploy is the first suspect: its record may still be under way.
func awaitSuspect(t *testing.T, x *inprocess.Tenant, labels map[string]string, start time.Time) {
	t.Helper()
	testkit.Eventually(t, within, func() error {
		var answer struct {
			Missing []string
			Items   []struct {
				Kind, Object, Namespace, Relation string
				Score                             float64
				Evidence                          []struct{ Source, Text string }
			}
		}
		call(t, x, x.Query, http.MethodPost, "/api/v1/alerting/suspects", map[string]any{"labels": labels, "start": start}, &answer, http.StatusOK)
		if len(answer.Missing) > 0 {
			return fmt.Errorf("not answered: %v", answer.Missing)
		}
		if len(answer.Items) == 0 {
			return errors.New("there are no suspects")
		}
		first := answer.Items[0]
		if first.Kind != "deploy" || first.Object != "Deployment checkout" || first.Namespace != "shop" || first.Relation != "same_workload" ||
			!slices.ContainsFunc(first.Evidence, func(e struct{ Source, Text string }) bool {
				return e.Source == "audit" && strings.Contains(e.Text, "ann patched Deployment shop/checkout")
			}) {
			return fmt.Errorf("the first suspect is %+v", first)
		}
		return nil
	})
}

// checkPreview asks what the detector would have said in the last half hour.
func checkPreview(t *testing.T, x *inprocess.Tenant, spec map[string]any, now time.Time) {
	t.Helper()
	once := map[string]any{}
	for name, v := range spec {
		once[name] = v
	}
	once["interval_seconds"] = 60
	var preview struct {
		Series []struct {
			Points []struct{ Value, Low, High float64 }
		}
		Alerts []struct{ Explanation string }
	}
	ask := map[string]any{"detector": once, "start": now.Add(-30 * time.Minute), "end": now.Add(2 * time.Minute)}
	call(t, x, x.Query, http.MethodPost, "/api/v1/alerting/detector-preview", ask, &preview, http.StatusOK)
	if len(preview.Series) != 1 || len(preview.Series[0].Points) < 20 || len(preview.Alerts) != 1 {
		t.Fatalf("the preview has %+v", preview)
	}
	for _, p := range preview.Series[0].Points[:20] {
		if p.Value < p.Low || p.Value > p.High || p.High > 0.1 {
			t.Errorf("a usual value has %+v", p)
		}
	}
}
