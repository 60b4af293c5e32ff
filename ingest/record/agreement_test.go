package record_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/otlp"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// viaOTLP returns the row of an OTLP log record with the given resource and attributes.
func viaOTLP(t *testing.T, resource, attrs map[string]string) row {
	t.Helper()
	list := func(m map[string]string) (kvs []any) {
		for k, v := range m {
			kvs = append(kvs, map[string]any{"key": k, "value": map[string]any{"stringValue": v}})
		}
		return kvs
	}
	body, err := json.Marshal(map[string]any{"resourceLogs": []any{map[string]any{
		"resource": map[string]any{"attributes": list(resource)},
		"scopeLogs": []any{map[string]any{"logRecords": []any{map[string]any{
			"timeUnixNano": "1785000000000000007", "severityText": "Warning", "traceId": traceID, "spanId": spanID,
			"body": map[string]any{"stringValue": "line"}, "attributes": list(attrs),
		}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var batch seamark.Batch
	if err := otlp.New().DecodeLogs(&otlp.Request{Body: body, Encoding: otlp.JSON, Catalog: catalogtest.New(), Now: now}, &batch); err != nil {
		t.Fatal(err)
	}
	return rowsOf(t, &batch)[0]
}

// TestAgreesWithOTLP holds the normal form against OTLP's: the same facts are the same row.
func TestAgreesWithOTLP(t *testing.T) {
	for _, resource := range []map[string]string{
		{},
		set("service.name", "cart", "service.namespace", "shop", "service.instance.id", "1"),
		set("k8s.container.name", "api", "k8s.namespace.name", "ns", "k8s.pod.name", "p", "k8s.node.name", "n", "k8s.cluster.name", "eu"),
		set("k8s.deployment.name", "d", "k8s.job.name", "j", "k8s.cronjob.name", "c", "container.id", "9f"),
		set("k8s.statefulset.name", "s", "k8s.daemonset.name", "d"),
		set("k8s.cronjob.name", "c", "k8s.job.name", "j"),
		set("k8s.pod.name", "api-7f9c6d-x2x4z", "host.name", "api-7f9c6d-x2x4z"),
	} {
		attrs := set("http.method", "GET", "7zip", "y", "ünder score", "z", "plain_1", "v")
		want := viaOTLP(t, resource, attrs)
		b := newBuilder()
		for _, m := range []map[string]string{attrs, resource} {
			for k, v := range m {
				b.Add(k, v)
			}
		}
		for k, v := range map[string]string{"timestamp": "1785000000000000007", "severity_text": "Warning", "trace_id": traceID, "span_id": spanID, "body": "line"} {
			b.Add(k, v)
		}
		if diff := cmp.Diff(want, flush(t, b)); diff != "" {
			t.Errorf("resource %v -otlp +record:\n%s", resource, diff)
		}
	}
}
