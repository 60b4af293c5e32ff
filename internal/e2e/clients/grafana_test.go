package clients_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/testkit"
)

// grafanaRequest is a request in the shape that Grafana's data sources send it, and what they need of the answer: the
// status, and the JSON of data, or of a member of the answer when path names one.
type grafanaRequest struct {
	name, method, path, form string
	header                   http.Header
	status                   int
	data                     string // JSON; "" checks the status alone
}

// TestGrafana replays what Grafana's Prometheus and Loki data sources ask, with Basic authentication as they do.
func TestGrafana(t *testing.T) {
	x := newTenant(t, "grafana")
	start := corpusStart()
	gauge := sent{map[string]string{"__name__": "up", "job": "node"}, []float64{1, 1, 1, 1}}
	if err := store(t, x, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{gauge.proto(start)}}); err != nil {
		t.Fatal(err)
	}
	pushProto(t, x, http.StatusNoContent, push.Stream{Labels: `{app="web"}`, Entries: []push.Entry{{Timestamp: start.Add(time.Second), Line: "level=info hello"}}})
	testkit.Eventually(t, within, func() error {
		if len(rawRead(t, grafana(t, x), `up`, start, time.Minute)) != 1 || len(linesOf(readLogs(t, x, `{app="web"}`, start, start.Add(time.Minute)))) != 1 {
			return http.ErrNoLocation
		}
		return nil
	})
	span := "&start=" + start.Format(time.RFC3339) + "&end=" + start.Add(time.Minute).Format(time.RFC3339)
	nanos := "&start=" + nano(start) + "&end=" + nano(start.Add(time.Minute))
	for _, r := range append(prometheusRequests(span), lokiRequests(nanos)...) {
		t.Run(r.name, func(t *testing.T) {
			header := http.Header{"User-Agent": {"Grafana/12.2.0"}, "X-Dashboard-Uid": {"abc"}, "X-Panel-Id": {"4"}}
			for name, values := range r.header {
				header[name] = values
			}
			if r.form != "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			header.Set("Authorization", basic("anybody", x.Query))
			answer := x.Do(t, "", r.method, r.path, header, r.form)
			if answer.Status != r.status {
				t.Fatalf("got %d %s, want %d", answer.Status, answer.Body, r.status)
			}
			if r.data == "" {
				return
			}
			var got struct{ Data any }
			var want any
			if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
				t.Fatalf("%v in %s", err, answer.Body)
			}
			if err := json.Unmarshal([]byte(r.data), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, withoutStats(got.Data)); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// withoutStats removes the statistics of Loki's answers, whose numbers differ from run to run.
func withoutStats(data any) any {
	if m, ok := data.(map[string]any); ok {
		delete(m, "stats")
	}
	return data
}

func prometheusRequests(span string) []grafanaRequest {
	const v1 = "/prometheus/api/v1"
	form := func(kv ...string) string {
		q := url.Values{}
		for i := 0; i < len(kv); i += 2 {
			q.Add(kv[i], kv[i+1])
		}
		return q.Encode()
	}
	return []grafanaRequest{
		{name: "health check", method: "POST", path: v1 + "/query", form: form("query", "1+1", "time", "4"), status: 200, data: `{"resultType":"scalar","result":[4,"2"]}`},
		{name: "health check by GET", method: "GET", path: v1 + "/query?query=1%2B1&time=4", status: 200, data: `{"resultType":"scalar","result":[4,"2"]}`},
		{name: "buildinfo", method: "GET", path: v1 + "/status/buildinfo", status: 200},
		{name: "flags would mean Thanos", method: "GET", path: v1 + "/status/flags", status: 404},
		{name: "exemplars probe", method: "GET", path: v1 + "/query_exemplars?query=test" + span, status: 200, data: `[]`},
		{name: "label names", method: "POST", path: v1 + "/labels", form: form("match[]", `{__name__="up"}`) + span, status: 200, data: `["__name__","cluster","job"]`},
		{name: "label names by GET", method: "GET", path: v1 + "/labels?limit=40000" + span, status: 200, data: `["__name__","cluster","job"]`},
		{name: "metric names", method: "GET", path: v1 + "/label/__name__/values?limit=40000" + span, status: 200, data: `["up"]`},
		{name: "label values with match[]", method: "GET", path: v1 + "/label/job/values?" + form("match[]", `up{cluster=~"eu-.+"}`) + span, status: 200, data: `["node"]`},
		{name: "series", method: "POST", path: v1 + "/series", form: form("match[]", `up`) + span, status: 200, data: `[{"__name__":"up","cluster":"eu-1","job":"node"}]`},
		{name: "metadata", method: "GET", path: v1 + "/metadata?limit=1000", status: 200, data: `{}`},
		{name: "rules", method: "GET", path: v1 + "/rules", status: 200, data: `{"groups":[]}`},
		{name: "alerts", method: "GET", path: v1 + "/alerts", status: 200, data: `{"alerts":[]}`},
		{name: "broken query", method: "POST", path: v1 + "/query", form: form("query", "up{"), status: 400},
		{name: "ruler probe", method: "GET", path: "/prometheus/config/v1/rules/test/test", status: 404},
		{name: "alertmanager status", method: "GET", path: "/alertmanager/api/v2/status", status: 200},
	}
}

func lokiRequests(nanos string) []grafanaRequest {
	const v1 = "/loki/api/v1"
	q := func(query string) string { return "?query=" + url.QueryEscape(query) }
	categorize := http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}, "X-Query-Tags": {"Source=explore"}}
	return []grafanaRequest{
		{
			name: "loki health check", method: "GET", path: v1 + "/query" + q("vector(1)+vector(1)") + "&time=4000000000&direction=backward", header: categorize,
			// Ten digits are seconds to Loki, though Grafana means 4 s in nanoseconds.
			status: 200, data: `{"resultType":"vector","result":[{"metric":{},"value":[4000000000,"2"]}]}`,
		},
		{name: "loki labels", method: "GET", path: v1 + "/labels?" + nanos[1:], status: 200},
		{name: "loki label values", method: "GET", path: v1 + "/label/app/values?" + nanos[1:], status: 200},
		{name: "loki series", method: "GET", path: v1 + "/series?match[]=" + url.QueryEscape(`{app="web"}`) + nanos, status: 200},
		{name: "loki log volume", method: "GET", path: v1 + "/query_range" + q(`sum by (detected_level) (count_over_time({app="web"} | drop __error__ [20s]))`) + nanos + "&step=20000ms", header: categorize, status: 200},
		{name: "loki logs by form", method: "POST", path: v1 + "/query_range", form: strings.TrimPrefix(q(`{app="web"}`), "?") + nanos + "&limit=1000&direction=backward", status: 200},
		{name: "loki broken query", method: "GET", path: v1 + "/query_range" + q(`{app=`) + nanos, status: 400},
		{name: "loki buildinfo", method: "GET", path: v1 + "/status/buildinfo", status: 200},
	}
}

// TestGrafanaRulerProbe is Grafana's test for a ruler: the 404's text must not be that of a missing page.
func TestGrafanaRulerProbe(t *testing.T) {
	x := newTenant(t, "grafana-ruler")
	answer := x.Do(t, x.Query, http.MethodGet, "/prometheus/config/v1/rules/test/test", nil, "")
	if answer.Status != http.StatusNotFound || strings.Contains(answer.Body, "page not found") {
		t.Errorf("got %d %q, want 404 with a text of its own", answer.Status, answer.Body)
	}
}
