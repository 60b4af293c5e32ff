package reading_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// exchange is a request in the shape in which Grafana sends it, and what its source needs of the answer.
type exchange struct {
	name   string
	source string // the file of Grafana's (or of the plugin that is named) that makes the request
	method string
	path   string   // under /prometheus
	params []string // names and values: in a form when the request is a POST, else in the URL
	inURL  bool     // of a POST, whose body is empty then
	raw    []byte   // the body of a POST that has no form, compressed protobuf
	token  string   // "": the query token

	status int
	media  string // of the answer; "application/json" when empty
	// want is the whole body. Each {n} stands for the time of the n-th sample, each * for anything without a quotation mark, ** for anything.
	want string
}

// The sources.
const (
	client     = "pkg/promlib/client/client.go"
	resource   = "pkg/promlib/client/client.go (QueryResource)"
	health     = "pkg/promlib/healthcheck.go"
	heuristics = "pkg/promlib/heuristics.go"
	datasource = "packages/grafana-prometheus/src/datasource.ts"
	languages  = "packages/grafana-prometheus/src/language_provider.ts"
	clients    = "packages/grafana-prometheus/src/resource_clients.ts"
	flavours   = "public/app/features/alerting/unified/api/buildInfo.ts"
	lotex      = "pkg/services/ngalert/api/lotex_prom.go"
	ruler      = "pkg/services/ngalert/api/lotex_ruler.go"
	drilldown  = "grafana/metrics-drilldown"
	readers    = "no page of Grafana's; promtool and others"
)

const (
	get  = http.MethodGet
	post = http.MethodPost

	success = `{"status":"success","data":`
	upSet   = `{"__name__":"up","cluster":"acme","job":"node"}`
)

// TestGrafana replays the table on the built product.
func TestGrafana(t *testing.T) {
	w := newWorld(t)
	w.fill(t)
	for _, part := range [][]exchange{w.healthExchanges(), w.queryExchanges(), w.lookUpExchanges(), w.otherExchanges(t), w.ruleExchanges(), w.faultExchanges()} {
		for _, x := range part {
			t.Run(x.name, func(t *testing.T) { w.replay(t, &x) })
		}
	}
}

func (w *world) replay(t *testing.T, x *exchange) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(x.params); i += 2 {
		values.Add(x.params[i], w.times(x.params[i+1]))
	}
	target, body := w.URL+"/prometheus"+x.path, values.Encode()
	if body != "" && (x.method == get || x.inURL) {
		target, body = target+"?"+body, ""
	}
	r, err := http.NewRequestWithContext(t.Context(), x.method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"User-Agent": "Grafana/12.2.0", "X-Dashboard-Uid": "abc", "X-Panel-Id": "4", "X-Grafana-Org-Id": "1", "X-Scope-OrgID": "somebody-else",
	} {
		r.Header.Set(name, value)
	}
	switch {
	case x.raw != nil:
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(x.raw)), int64(len(x.raw))
		r.Header.Set("Content-Type", "application/x-protobuf")
		r.Header.Set("Content-Encoding", "snappy")
	case x.method == post:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if x.token == "" {
		x.token = w.Query
	}
	r.SetBasicAuth("grafana", x.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if x.media == "" {
		x.media = "application/json"
	}
	if answer.StatusCode != x.status || answer.Header.Get("Content-Type") != x.media {
		t.Errorf("%s: got %d %s, want %d %s: %s", x.source, answer.StatusCode, answer.Header.Get("Content-Type"), x.status, x.media, text)
	}
	if !w.pattern(x.want).Match(text) {
		t.Errorf("%s: got\n%s\nwant\n%s", x.source, text, x.want)
	}
}

// times puts the samples' times into a text.
func (w *world) times(text string) string {
	for i := range 5 {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), fmt.Sprint(w.at(i).Unix()))
	}
	return text
}

// pattern turns a wanted body into what an answer must match.
func (w *world) pattern(want string) *regexp.Regexp {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(w.times(want)), `\*\*`, `(?s:.*)`)
	return regexp.MustCompile("^" + strings.ReplaceAll(pattern, `\*`, `[^"]*`) + `\n?$`)
}

// healthExchanges are "Save & test" and what is asked before anything else.
func (*world) healthExchanges() []exchange {
	const two = success + `{"resultType":"scalar","result":[4,"2"]}}`
	const build = success + `{"application":"Grafana Mimir","applicationVersion":"Seamark *","version":"3.15.0","revision":"","branch":"","buildUser":"","buildDate":"","goVersion":"go*","features":{"ruler_config_api":"true"}}}`
	return []exchange{
		{name: "health check", source: health, method: post, path: "/api/v1/query", params: []string{"query", "1+1", "time", "4"}, status: 200, want: two},
		{name: "health check by GET", source: health, method: get, path: "/api/v1/query", params: []string{"query", "1+1", "time", "4"}, status: 200, want: two},
		// The path that this source gives has no slash before it, so it is not known as one for GET alone: 405 makes it try that.
		{name: "build info, tried by POST", source: heuristics, method: post, path: "/api/v1/status/buildinfo", status: 405, media: "text/plain; charset=utf-8", want: "/prometheus/api/v1/status/buildinfo does not answer POST; it answers OPTIONS, GET."},
		{name: "build info: what application it names, and its features, say that rules may be edited", source: flavours, method: get, path: "/api/v1/status/buildinfo", status: 200, want: build},
		{name: "flags, which would mean Thanos", source: flavours, method: get, path: "/api/v1/status/flags", status: 404, media: "application/problem+json", want: `{"type":"/docs/errors#seamark-route-unknown","title":"Not Found","status":404,"detail":"There is nothing at /prometheus/api/v1/status/flags.","instance":"urn:seamark:request:*","id":"seamark-route-unknown","request_id":"*"}`},
		// The probe's times are milliseconds, which are seconds to us: tens of thousands of years ahead.
		{name: "exemplars probe", source: datasource, method: post, path: "/api/v1/query_exemplars", params: []string{"query", "test", "start", "{0}000", "end", "{3}000"}, inURL: true, status: 200, want: success + `[]}`},
		{name: "exemplars probe by GET", source: datasource, method: get, path: "/api/v1/query_exemplars", params: []string{"query", "test", "start", "{0}000", "end", "{3}000"}, status: 200, want: success + `[]}`},
	}
}

// queryExchanges are those of panels and Explore.
func (*world) queryExchanges() []exchange {
	const value = `[{"metric":` + upSet + `,"value":[{1},"0"]}]`
	const values = `[{"metric":` + upSet + `,"values":[[{0},"1"],[{1},"0"],[{2},"1"],[{3},"1"]]}]`
	span := []string{"start", "{0}", "end", "{3}", "step", "15"}
	of := func(query string, more ...string) []string { return append([]string{"query", query}, more...) }
	const q, r = "/api/v1/query", "/api/v1/query_range"
	return []exchange{
		{name: "instant", source: client, method: post, path: q, params: of(`up{job=~"node|x"}`, "time", "{1}"), status: 200, want: success + `{"resultType":"vector","result":` + value + `}}`},
		{name: "instant by GET, with a fraction", source: client, method: get, path: q, params: of(`up`, "time", "{1}.001"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":` + upSet + `,"value":[{1}.001,"0"]}]}}`},
		{name: "instant with the source's timeout", source: client, method: post, path: q, params: of(`count(up)`, "time", "{1}", "timeout", "60s"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":{},"value":[{1},"1"]}]}}`},
		{name: "instant with custom parameters", source: datasource, method: post, path: q, params: of(`count(up)`, "time", "{1}", "max_source_resolution", "5m", "custom", "x"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":{},"value":[{1},"1"]}]}}`},
		{name: "range", source: client, method: post, path: r, params: of("up", span...), status: 200, want: success + `{"resultType":"matrix","result":` + values + `}}`},
		{name: "range by GET", source: client, method: get, path: r, params: of("up", span...), status: 200, want: success + `{"resultType":"matrix","result":` + values + `}}`},
		{name: "range of nothing", source: client, method: post, path: r, params: of("absent_metric", span...), status: 200, want: success + `{"resultType":"matrix","result":[]}}`},
		{name: "range of a series that ends", source: client, method: post, path: r, params: of("gone", span...), status: 200, want: success + `{"resultType":"matrix","result":[{"metric":{"__name__":"gone","cluster":"acme","job":"node"},"values":[[{0},"7"]]}]}}`},
		{name: "native histogram", source: client, method: post, path: q, params: of("histogram_count(latency)", "time", "{2}"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":{"cluster":"acme","job":"node"},"value":[{2},"30"]}]}}`},
		{name: "a note for the panel", source: client, method: post, path: q, params: of("rate(up[1m])", "time", "{3}"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":{"cluster":"acme","job":"node"},"value":[{3},"*"]}]},"infos":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"up\" (1:6)"]}`},
		{name: "a warning for the panel", source: client, method: post, path: q, params: of("quantile(2, up)", "time", "{3}"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":{},"value":[{3},"+Inf"]}]},"warnings":["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"]}`},
		{name: "exemplars of a panel", source: client, method: post, path: "/api/v1/query_exemplars", params: of("up", "start", "{0}", "end", "{3}"), status: 200, want: success + `[{"seriesLabels":` + upSet + `,"exemplars":[{"labels":{"trace_id":"0af7651916cd43dd8448eb211c80319c"},"value":"0.25","timestamp":{1}}]}]}`},
		{name: "a preview", source: drilldown, method: post, path: r, params: of(`avg(up{__ignore_usage__="", })`, span...), status: 200, want: success + `{"resultType":"matrix","result":[{"metric":{},"values":[[{0},"1"],[{1},"0"],[{2},"1"],[{3},"1"]]}]}}`},
		{name: "a breakdown by a label", source: drilldown, method: post, path: r, params: of(`sum by (job) (rate(requests_total{__ignore_usage__=""}[1m]))`, "start", "{3}", "end", "{3}", "step", "15"), status: 200, want: success + `{"resultType":"matrix","result":[{"metric":{"job":"node"},"values":[[{3},"0.06666666666666665"]]}]}}`},
		{name: "a name of UTF-8", source: drilldown, method: post, path: q, params: of(`{"http.requests", "k8s.pod"=~".+"}`, "time", "{0}"), status: 200, want: success + `{"resultType":"vector","result":[{"metric":{"__name__":"http.requests","cluster":"acme","job":"node","k8s.pod":"web-0"},"value":[{0},"3"]}]}}`},
	}
}

// lookUpExchanges are those of editors, variables and ad hoc filters.
func (*world) lookUpExchanges() []exchange {
	span := func(more ...string) []string { return append([]string{"start", "{0}", "end", "{3}"}, more...) }
	const names, values, series = "/api/v1/labels", "/api/v1/label/__name__/values", "/api/v1/series"
	const cut = `,"warnings":["results truncated due to limit"]}`
	return []exchange{
		{name: "label names", source: clients, method: post, path: names, params: span("limit", "40000"), status: 200, want: success + `["__name__","cluster","job","k8s.pod"]}`},
		{name: "label names, parameters in the URL", source: resource, method: post, path: names, params: span("limit", "40000"), inURL: true, status: 200, want: success + `["__name__","cluster","job","k8s.pod"]}`},
		{name: "label names by GET, of a selector", source: clients, method: get, path: names, params: span("limit", "40000", "match[]", `up{job="node"}`), status: 200, want: success + `["__name__","cluster","job"]}`},
		{name: "label names, no limit", source: clients, method: post, path: names, params: span("limit", "0"), status: 200, want: success + `["__name__","cluster","job","k8s.pod"]}`},
		{name: "label names, cut", source: clients, method: post, path: names, params: span("limit", "2"), status: 200, want: success + `["__name__","cluster"]` + cut},
		{name: "label names of an empty list", source: clients, method: get, path: names, params: span("match[]", `{job="none"}`), status: 200, want: success + `[]}`},
		{name: "metric names", source: clients, method: get, path: values, params: span("limit", "40000"), status: 200, want: success + `["gone","http.requests","latency","requests_total","up"]}`},
		{name: "metric names of a typed text", source: languages, method: get, path: values, params: span("limit", "1000", "match[]", `{__name__=~"(?i:.*REQ.*)"}`), status: 200, want: success + `["http.requests","requests_total"]}`},
		{name: "metric names, cut", source: clients, method: get, path: values, params: span("limit", "1"), status: 200, want: success + `["gone"]` + cut},
		{name: "label values", source: clients, method: get, path: "/api/v1/label/job/values", params: span("limit", "40000", "match[]", `up{cluster=~"a.+"}`), status: 200, want: success + `["node"]}`},
		{name: "label values of an escaped name", source: clients, method: get, path: "/api/v1/label/U__k8s_2e_pod/values", params: span("limit", "40000"), status: 200, want: success + `["web-0"]}`},
		{name: "label values of no label", source: datasource, method: get, path: "/api/v1/label/none/values", status: 200, want: success + `[]}`},
		{name: "series", source: clients, method: post, path: series, params: span("limit", "40000", "match[]", "up"), status: 200, want: success + `[` + upSet + `]}`},
		{name: "series of several selectors by GET", source: clients, method: get, path: series, params: span("limit", "40000", "match[]", "up", "match[]", `{__name__="up"}`), status: 200, want: success + `[` + upSet + `]}`},
		{name: "series of everything, cut", source: clients, method: post, path: series, params: span("limit", "1", "match[]", `{__name__!=""}`), status: 200, want: success + `[{"__name__":"gone","cluster":"acme","job":"node"}]` + cut},
	}
}

// otherExchanges are descriptions of metrics, and what no page of Grafana's asks for.
func (w *world) otherExchanges(t *testing.T) []exchange {
	t.Helper()
	const gauge = success + `{"up":[{"type":"gauge","unit":"","help":"Is it \u003cup\u003e?"}]}}`
	return []exchange{
		{name: "metadata", source: languages, method: get, path: "/api/v1/metadata", params: []string{"limit", "40000"}, status: 200, want: gauge},
		{name: "metadata of one", source: drilldown, method: get, path: "/api/v1/metadata", params: []string{"metric", "up"}, status: 200, want: gauge},
		{name: "metadata of none", source: drilldown, method: get, path: "/api/v1/metadata", params: []string{"metric", "none"}, status: 200, want: success + `{}}`},
		{name: "metadata, none wanted", source: languages, method: get, path: "/api/v1/metadata", params: []string{"limit", "0"}, status: 200, want: success + `{}}`},
		{name: "format", source: readers, method: get, path: "/api/v1/format_query", params: []string{"query", "sum(up)by(job)"}, status: 200, want: success + `"sum by (job) (up)"}`},
		{name: "parse", source: readers, method: post, path: "/api/v1/parse_query", params: []string{"query", "up"}, status: 200, want: success + `{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"up"}],"name":"up","offset":0,"offsetExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"}}`},
		{name: "remote read", source: readers, method: post, path: "/api/v1/read", raw: w.readUp(t), status: 200, media: "application/x-protobuf", want: "**"},
		{name: "cardinality", source: readers, method: get, path: "/api/v1/status/tsdb", params: []string{"limit", "1"}, status: 200, want: success + `{"headStats":{"numSeries":*,"numLabelPairs":*,"chunkCount":0,"minTime":*,"maxTime":*},"seriesCountByMetricName":[{"name":"*","value":1}],"labelValueCountByLabelName":[{"name":"__name__","value":*}],"memoryInBytesByLabelName":[{"name":"__name__","value":*}],"seriesCountByLabelValuePair":[{"name":"*","value":*}]}}`},
	}
}

// readUp is a request of remote read.
func (w *world) readUp(t *testing.T) []byte {
	t.Helper()
	request := prompb.ReadRequest{Queries: []*prompb.Query{{
		StartTimestampMs: w.start.UnixMilli(), EndTimestampMs: w.at(3).UnixMilli(), Matchers: []*prompb.LabelMatcher{{Name: "__name__", Value: "up"}},
	}}}
	body, err := request.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, body)
}

// ruleExchanges are those of the list of alerts and of the pages that edit rules and receivers.
func (*world) ruleExchanges() []exchange {
	const yaml = "application/yaml"
	const record = `{"name":"job:up:sum","query":"sum by (job) (up)","labels":{},"health":"*","evaluationTime":*,"lastEvaluation":"*","type":"recording"}`
	const group = `{"name":"health","file":"team","rules":[` + record + `,{"state":"*","name":"Never","query":"up \u003e 7","duration":0,"keepFiringFor":0,"labels":{"severity":"page"},"annotations":{},"alerts":[],"health":"*","evaluationTime":*,"lastEvaluation":"*","type":"alerting"}],"interval":15,"limit":0,"evaluationTime":*,"lastEvaluation":"*"}`
	return []exchange{
		{name: "rules", source: lotex, method: get, path: "/api/v1/rules", status: 200, want: success + `{"groups":[` + group + `]}}`},
		{name: "rules, tried by POST", source: resource, method: post, path: "/api/v1/rules", status: 405, media: "text/plain; charset=utf-8", want: "/prometheus/api/v1/rules does not answer POST; it answers OPTIONS, GET."},
		{name: "rules of a page", source: lotex, method: get, path: "/api/v1/rules", params: []string{"dashboard_uid", "abc", "panel_id", "4", "limit_alerts", "16"}, status: 200, want: success + `{"groups":[` + group + `]}}`},
		{name: "recording rules for the editor", source: datasource, method: get, path: "/api/v1/rules", params: []string{"type", "record"}, status: 200, want: success + `{"groups":[{"name":"health","file":"team","rules":[` + record + `],"interval":15,"limit":0,"evaluationTime":*,"lastEvaluation":"*"}]}}`},
		{name: "alerts", source: lotex, method: get, path: "/api/v1/alerts", status: 200, want: success + `{"alerts":[]}}`},
		{name: "rule groups to edit", source: ruler, method: get, path: "/config/v1/rules", params: []string{"subtype", "mimir"}, status: 200, media: yaml, want: "team:\n    - name: health\n      interval: 15s\n      rules:\n        - record: job:up:sum\n          expr: sum by (job) (up)\n        - alert: Never\n          expr: up > 7\n          labels:\n            severity: page\n"},
		// "page not found" in this answer would say that there is no ruler.
		{name: "ruler probe", source: flavours, method: get, path: "/config/v1/rules/test/test", status: 404, media: "text/plain; charset=utf-8", want: `There is no rule group "test" in namespace "test".`},
	}
}

// faultExchanges are requests that must fail so that Grafana shows why.
func (w *world) faultExchanges() []exchange {
	const q, r = "/api/v1/query", "/api/v1/query_range"
	fault := func(kind, text string) string {
		return `{"error":"` + text + `","errorType":"` + kind + `","status":"error"}`
	}
	const syntax = `invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces`
	return []exchange{
		{name: "no PromQL", source: client, method: post, path: q, params: []string{"query", "up{", "time", "{1}"}, status: 400, want: fault("bad_data", syntax)},
		{name: "no PromQL by GET, to which 400 falls back", source: resource, method: get, path: q, params: []string{"query", "up{", "time", "{1}"}, status: 400, want: fault("bad_data", syntax)},
		{name: "too many points", source: client, method: post, path: r, params: []string{"query", "up", "start", "0", "end", "11001", "step", "1"}, status: 400, want: fault("bad_data", `exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)`)},
		{name: "a query that fails while it runs", source: client, method: post, path: q, params: []string{"query", `label_replace(up, "x", "y", "job", "(")`, "time", "{1}"}, status: 422, want: fault("execution", `invalid regular expression in label_replace(): (`)},
		{name: "a time limit that is none", source: client, method: post, path: q, params: []string{"query", "up", "time", "{1}", "timeout", "1ns"}, status: 400, want: fault("bad_data", `invalid parameter \"timeout\": cannot parse \"1ns\" to a valid duration`)},
		{name: "a query out of time", source: client, method: post, path: q, params: []string{"query", "up", "time", "{1}", "timeout", "0.000000001"}, status: 503, want: fault("timeout", "*")},
		{name: "a series request without a selector", source: clients, method: get, path: "/api/v1/series", status: 400, want: fault("bad_data", "no match[] parameter provided")},
		{name: "an ingest token", source: client, method: post, path: q, params: []string{"query", "up"}, token: w.Ingest, status: 403, want: fault("forbidden", "*")},
		{name: "a token that is none", source: client, method: post, path: q, params: []string{"query", "up"}, token: "smk_query_none", status: 401, want: fault("unauthorized", "*")},
	}
}
