package abuse

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/internal/app"
)

// route is an ingest route with one of its media types.
type route struct {
	name, path, media string
	method            string // POST when empty
}

const mediaProtobuf = "application/x-protobuf"

var (
	lokiJSON      = route{name: "loki json", path: "/loki/api/v1/push", media: "application/json"}
	lokiProto     = route{name: "loki protobuf", path: "/loki/api/v1/push", media: mediaProtobuf}
	lokiOld       = route{name: "loki old form", path: "/api/prom/push", media: "application/json"}
	remoteWrite   = route{name: "remote write", path: "/api/v1/push", media: mediaProtobuf}
	remoteWrite2  = route{name: "remote write 2", path: "/api/v1/write", media: "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
	remoteOld     = route{name: "remote write, old", path: "/api/prom/push", media: "application/x-protobuf;proto=io.prometheus.write.v2.Request"}
	remotePrefix  = route{name: "remote write, prefix", path: "/prometheus/api/v1/write", media: mediaProtobuf}
	otlpLogs      = route{name: "otlp logs", path: "/v1/logs", media: mediaProtobuf}
	otlpLogsJSON  = route{name: "otlp logs json", path: "/otlp/v1/logs", media: "application/json"}
	otlpMetrics   = route{name: "otlp metrics", path: "/v1/metrics", media: mediaProtobuf}
	otlpMetJSON   = route{name: "otlp metrics json", path: "/otlp/v1/metrics", media: "application/json"}
	otlpTraces    = route{name: "otlp traces", path: "/v1/traces", media: mediaProtobuf}
	otlpTraceJSON = route{name: "otlp traces json", path: "/otlp/v1/traces", media: "application/json"}
	events        = route{name: "events", path: "/api/v1/push/events", media: "application/json"}
	kubeEventer   = route{name: "kube-eventer", path: "/api/v1/push/kube-eventer", media: "application/json"}
	kubeEventGet  = route{name: "kube-eventer get", path: "/api/v1/push/kube-eventer", media: "application/json", method: http.MethodGet}
	auditHook     = route{name: "audit", path: "/api/v1/push/audit", media: "application/json"}
	jsonLines     = route{name: "json lines", path: "/api/v1/push/logs", media: "application/x-ndjson"}
	jsonArray     = route{name: "json array", path: "/api/v1/push/logs?message_field=text&time_field=at&stream_fields=team", media: "application/json"}
	esBulk        = route{name: "es bulk", path: "/_bulk", media: "application/x-ndjson"}
	esBulkIndex   = route{name: "es bulk, index", path: "/elasticsearch/logs-shop-prod/_bulk", media: "application/x-ndjson", method: http.MethodPut}
	hecEvent      = route{name: "hec event", path: "/services/collector/event", media: "application/json"}
	hecRaw        = route{name: "hec raw", path: "/services/collector/raw?channel=c&sourcetype=nginx", media: "text/plain"}
	hecAck        = route{name: "hec ack", path: "/services/collector/ack?channel=c", media: "application/json"}
	ddSeries1     = route{name: "datadog series 1", path: "/api/v1/series", media: "application/json"}
	ddSeries2     = route{name: "datadog series 2", path: "/api/v2/series", media: mediaProtobuf}
	ddSeries2JSON = route{name: "datadog series 2 json", path: "/api/v2/series", media: "application/json"}
	ddSketches    = route{name: "datadog sketches", path: "/api/beta/sketches", media: mediaProtobuf}
	ddChecks      = route{name: "datadog checks", path: "/api/v1/check_run", media: "application/json"}
	ddIntake      = route{name: "datadog intake", path: "/intake/", media: "application/json"}
	ddLogs        = route{name: "datadog logs", path: "/api/v2/logs", media: "application/json"}
	ddMetadata    = route{name: "datadog metadata", path: "/api/v1/metadata", media: "application/json"}
	influx1       = route{name: "influx 1", path: "/write?precision=ms&db=x", media: "text/plain"}
	influx2       = route{name: "influx 2", path: "/api/v2/write?precision=ns&bucket=x", media: "text/plain"}
	influxQuery   = route{name: "influx query", path: "/query", media: "application/x-www-form-urlencoded"}
	pushText      = route{name: "pushgateway text", path: "/metrics/job/batch/instance/a", media: "text/plain; version=0.0.4", method: http.MethodPut}
	pushOpen      = route{name: "pushgateway openmetrics", path: "/metrics/job/open", media: "application/openmetrics-text; version=1.0.0"}
	pushProto     = route{name: "pushgateway protobuf", path: "/metrics/job@base64/YmF0Y2g", media: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"}
)

// aliases are further paths of a route that is in the corpus; they share its handler.
var aliases = []string{
	"POST /v1/input", "POST /intake", "POST /services/collector", "POST /services/collector/event/1.0", "POST /services/collector/raw/1.0",
	"POST /services/collector/ack/1.0", "DELETE /metrics/*",
}

// TestCorpusCoversEveryRoute starts a server in this process, because only that tells its routes, and fails for an ingest
// route with a body that the corpus leaves out.
func TestCorpusCoversEveryRoute(t *testing.T) {
	t.Parallel()
	covered := slices.Clone(aliases)
	routes := ingestRoutes(t)
	for _, p := range corpus(t) {
		method, path := p.method, strings.SplitN(p.path, "?", 2)[0]
		if method == "" {
			method = http.MethodPost
		}
		at := slices.IndexFunc(routes, func(r string) bool {
			m, pattern, _ := strings.Cut(r, " ")
			return m == method && matches(pattern, path)
		})
		if at < 0 {
			t.Errorf("%s: there is no route %s %s", p.name, method, path)
			continue
		}
		covered = append(covered, routes[at])
	}
	for _, r := range routes {
		same := strings.NewReplacer("/otlp/", "/", "/elasticsearch/", "/", "PUT ", "POST ", "GET ", "POST ")
		if !slices.ContainsFunc(covered, func(c string) bool { return same.Replace(c) == same.Replace(r) }) {
			t.Errorf("%s takes a body and is not in the corpus", r)
		}
	}
}

// matches reports whether a path is one of a pattern in the route table's form.
func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	for i, part := range want {
		switch {
		case part == "*":
			return true
		case i >= len(got), !strings.HasPrefix(part, ":") && part != got[i]:
			return false
		}
	}
	return len(want) == len(got)
}

// ingestRoutes lists the routes with which senders bring a body. What agents of Elasticsearch ask about templates is answered
// without looking at it.
func ingestRoutes(t *testing.T) []string {
	t.Helper()
	o := app.DefaultOptions()
	o.DataDir, o.HTTP.Listen, o.Admin.Listen, o.Logger = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	a, err := app.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	var list []string
	for _, r := range a.Routes() {
		question := r.Method == http.MethodGet && !strings.HasSuffix(r.Path, "/kube-eventer") ||
			r.Method == http.MethodHead || r.Method == http.MethodOptions
		handshake := r.Protocol == "elasticsearch" && !strings.HasSuffix(r.Path, "/_bulk")
		if r.Protocol != "" && !question && !handshake {
			list = append(list, r.Method+" "+r.Path)
		}
	}
	return list
}
