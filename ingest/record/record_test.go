package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// senders holds a record of each sender as it writes it, and the normal form that it must have.
var senders = []struct {
	name, record string
	want         row
}{
	{"fluent bit", `{"@timestamp":"2026-07-25T17:20:00.123456789Z","log":"{\"level\":\"warn\",\"msg\":\"slow\"}\n","stream":"stderr","kubernetes":{"pod_name":"api-7f9c6d-x2x4z","namespace_name":"shop","pod_id":"0b6c","labels":{"app":"checkout","pod-template-hash":"7f9c6d"},"annotations":{"prometheus.io/scrape":"true"},"host":"node-3","container_name":"api","docker_id":"9f","container_image":"reg/api:1"}}`,
		row{Labels: set("service_name", "checkout", "namespace", "shop", "workload", "api", "pod", "api-7f9c6d-x2x4z", "container", "api", "node", "node-3"),
			Time: 1785000000123456789, Level: seamark.LevelWarn, Body: `{"level":"warn","msg":"slow"}`,
			Attrs: set("stream", "stderr", "kubernetes_pod_id", "0b6c", "kubernetes_labels_pod_template_hash", "7f9c6d",
				"kubernetes_annotations_prometheus_io_scrape", "true", "kubernetes_docker_id", "9f", "kubernetes_container_image", "reg/api:1")}},
	{"fluent bit http", `{"date":1785000000.25,"log":"hello","kubernetes":{"namespace_name":"a","container_name":"c","labels":{"app.kubernetes.io/name":"nice","app":"other"}}}`,
		row{Labels: set("service_name", "nice", "namespace", "a", "container", "c"), Time: 1785000000250000000, Body: "hello",
			Attrs: set("kubernetes_labels_app", "other")}},
	{"fluentd", `{"log":"x","docker":{"container_id":"f00"},"kubernetes":{"container_name":"c","namespace_name":"ns","pod_name":"web-0","host":"n","ownerrefs":[{"kind":"StatefulSet","name":"web","controller":true}],"master_url":"https://10.0.0.1"},"time":"2026-07-25T17:20:00+00:00"}`,
		row{Labels: set("service_name", "c", "namespace", "ns", "workload", "web", "pod", "web-0", "container", "c", "node", "n"), Time: 1785000000000000000, Body: "x",
			Attrs: set("docker_container_id", "f00", "kubernetes_master_url", "https://10.0.0.1", "kubernetes_ownerrefs", `[{"kind":"StatefulSet","name":"web","controller":true}]`)}},
	{"filebeat", `{"@timestamp":"2026-07-25T17:20:00.001Z","message":"boom","log":{"level":"ERROR","offset":12,"file":{"path":"/var/log/x"}},"event":{"original":"boom"},"trace":{"id":"` + traceID + `"},"span":{"id":"` + spanID + `"},"service":{"name":"pay"},"host":{"name":"filebeat-2x"},"kubernetes":{"namespace":"shop","node":{"name":"node-1"},"pod":{"name":"pay-5d8-zzzzz","uid":"u"},"container":{"name":"main"},"deployment":{"name":"pay"},"replicaset":{"name":"pay-5d8"}}}`,
		row{Labels: set("service_name", "pay", "namespace", "shop", "workload", "pay", "pod", "pay-5d8-zzzzz", "container", "main", "node", "node-1"),
			Time: 1785000000001000000, Level: seamark.LevelError, Body: "boom", Trace: traceID, Span: spanID,
			Attrs: set("log_level", "ERROR", "log_offset", "12", "log_file_path", "/var/log/x", "host_name", "filebeat-2x", "kubernetes_pod_uid", "u", "kubernetes_replicaset_name", "pay-5d8")}},
	{"vector", `{"file":"/var/log/pods/x","kubernetes":{"container_name":"web","pod_name":"web-6b7d4c9f8-abcde","pod_namespace":"prod","pod_node_name":"n7","pod_owner":"ReplicaSet/web-6b7d4c9f8","pod_labels":{"app":"front"}},"message":"GET /","source_type":"kubernetes_logs","stream":"stdout","timestamp":"2026-07-25T17:20:00.5Z"}`,
		row{Labels: set("service_name", "front", "namespace", "prod", "workload", "web", "pod", "web-6b7d4c9f8-abcde", "container", "web", "node", "n7"),
			Time: 1785000000500000000, Body: "GET /",
			Attrs: set("file", "/var/log/pods/x", "kubernetes_pod_owner", "ReplicaSet/web-6b7d4c9f8", "source_type", "kubernetes_logs", "stream", "stdout")}},
	{"opentelemetry", `{"timestamp":"1785000000000000007","body":"hi","severity_text":"Information","severity_number":9,"trace_id":"` + traceID + `","spanId":"` + spanID + `","attributes":{"http.method":"GET"},"resource":{"attributes":{"service.name":"cart","k8s.namespace.name":"ns","k8s.pod.name":"p","k8s.statefulset.name":"ss","k8s.cluster.name":"eu"}}}`,
		row{Labels: set("service_name", "cart", "namespace", "ns", "workload", "ss", "pod", "p", "cluster", "eu"), Time: 1785000000000000007, Level: seamark.LevelInfo,
			Body: "hi", Trace: traceID, Span: spanID, Attrs: set("attributes_http_method", "GET", "severity_text", "Information", "severity_number", "9")}},
	{"logstash", `{"@timestamp":"2026-07-25T17:20:00.000Z","@version":"1","host":"web1","message":"WARN: disk"}`,
		row{Labels: stream("node", "web1"), Time: 1785000000000000000, Level: seamark.LevelWarn, Body: "WARN: disk", Attrs: set("_version", "1")}},
	{"datadog", `{"message":"m","status":"error","service":"billing","hostname":"i-1","kube_namespace":"b","pod_name":"b-1","container_name":"/b","kube_deployment":"bill","timestamp":1785000000123}`,
		row{Labels: set("service_name", "billing", "namespace", "b", "workload", "bill", "pod", "b-1", "container", "b"), Time: 1785000000123000000, Level: seamark.LevelError,
			Body: "m", Attrs: set("status", "error", "hostname", "i-1")}},
	{"journald", `{"MESSAGE":"started","PRIORITY":"3","_HOSTNAME":"n1","_SYSTEMD_UNIT":"kubelet.service","__REALTIME_TIMESTAMP":"1785000000000001"}`,
		row{Labels: stream("node", "n1"), Time: 1785000000000001000, Level: seamark.LevelError, Body: "started", Attrs: set("PRIORITY", "3", "_SYSTEMD_UNIT", "kubelet.service")}},
	{"pino", `{"level":50,"time":1785000000001,"pid":7,"hostname":"h","msg":"bad"}`,
		row{Labels: stream("node", "h"), Time: 1785000000001000000, Level: seamark.LevelError, Body: "bad", Attrs: set("level", "50", "pid", "7")}},
	{"zap", `{"level":"info","ts":1785000000.000001,"caller":"a.go:1","msg":"ok","n":1.50,"t":true,"z":null,"l":[1, {"a":"b"}]}`,
		row{Labels: stream(), Time: 1785000000000001000, Level: seamark.LevelInfo, Body: "ok",
			Attrs: set("level", "info", "caller", "a.go:1", "n", "1.50", "t", "true", "l", `[1, {"a":"b"}]`)}},
	{"plain", `{"namespace":"n","pod":"p","container":"c","node":"o","cluster":"u","workload":"w","app":"s","msg":""}`,
		row{Labels: set("service_name", "s", "namespace", "n", "workload", "w", "pod", "p", "container", "c", "node", "o", "cluster", "u"), Time: now.UnixNano()}},
	{"no message", ` { "a" : { "b c" : "d e" } , "n" : 1 } `,
		row{Labels: stream(), Time: now.UnixNano(), Body: `{"a":{"b c":"d e"},"n":1}`, Attrs: set("a_b_c", "d e", "n", "1")}},
	{"a string", `"just text\n"`, row{Labels: stream(), Time: now.UnixNano(), Body: "just text"}},
	{"an array", `[1,2]`, row{Labels: stream(), Time: now.UnixNano(), Body: "[1,2]"}},
}

func TestSenders(t *testing.T) {
	cat, b := catalogtest.New(), newBuilder()
	for range 2 { // the second round meets a warm catalogue and a used builder
		for _, c := range senders {
			t.Run(c.name, func(t *testing.T) {
				var batch seamark.Batch
				if err := b.AddJSON("", []byte(c.record)); err != nil {
					t.Fatal(err)
				}
				if err := b.Flush(cat, &batch); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]row{c.want}, rowsOf(t, &batch)); diff != "" {
					t.Fatalf("-want +got:\n%s", diff)
				}
			})
		}
	}
}
