package lokiapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/internal/e2e/harness"
)

// request is one request as Grafana sends it, and what Grafana needs of the answer.
type request struct {
	name   string
	method string // GET when empty
	path   string // below /loki/api/v1
	query  string // parameters: in the URL, or the form of a POST
	header http.Header
	status int    // 200 when 0
	want   string // JSON; statistics are left out of what is compared
	holds  string // text that the answer must have
}

const (
	grafanaAgent = "Grafana/12.3.0"
	form         = "application/x-www-form-urlencoded"
)

// TestGrafana replays what Grafana asks of each endpoint, and compares the answers whole.
func TestGrafana(t *testing.T) {
	w := newWorld(t)
	w.fill(t)
	for _, group := range [][]request{w.datasource(), w.lists(), w.volumes(), w.drilldown(), w.faults()} {
		for _, r := range group {
			t.Run(strings.TrimPrefix(r.method+" ", " ")+r.name, func(t *testing.T) { w.ask(t, &r) })
		}
	}
}

func (w *world) ask(t *testing.T, r *request) {
	t.Helper()
	method, address, body := r.method, w.URL+"/loki/api/v1"+r.path, r.query
	if method == "" {
		method, address, body = http.MethodGet, address+"?"+r.query, ""
	}
	q, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header = http.Header{"User-Agent": {grafanaAgent}, "X-Query-Tags": {"Source=explore"}}
	for name, values := range r.header {
		q.Header[name] = values
	}
	if method == http.MethodPost {
		q.Header.Set("Content-Type", form)
	}
	q.SetBasicAuth("anybody", w.Query)
	a, err := doRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	want := r.status
	if want == 0 {
		want = http.StatusOK
	}
	if a.Status != want || !strings.Contains(string(a.Body), r.holds) {
		t.Fatalf("got %d %s, want %d with %q", a.Status, a.Body, want, r.holds)
	}
	media := "application/json"
	if want != http.StatusOK {
		media = "text/plain; charset=utf-8"
	}
	if got := a.Header.Get("Content-Type"); got != media {
		t.Errorf("Content-Type %q, want %q", got, media)
	}
	if r.want != "" {
		compare(t, r.want, string(a.Body))
	}
}

// compare fails unless got is the JSON of want, but for statistics.
func compare(t *testing.T, want, got string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal([]byte(want), &a); err != nil {
		t.Fatalf("%v in what is wanted: %s", err, want)
	}
	if err := json.Unmarshal([]byte(got), &b); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if answer, ok := b.(map[string]any); ok {
		if data, ok := answer["data"].(map[string]any); ok {
			delete(data, "stats")
		}
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func doRequest(q *http.Request) (*harness.Answer, error) {
	r := &harness.Answer{}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	r.Status, r.Header = resp.StatusCode, resp.Header
	r.Body, err = readAll(resp)
	return r, err
}

// both asks by GET and by POST.
func both(list ...request) []request {
	var all []request
	for _, r := range list {
		all = append(all, r)
		r.method = http.MethodPost
		all = append(all, r)
	}
	return all
}

// datasource is what the data source itself asks: its health check and queries.
func (w *world) datasource() []request {
	categorize := http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}}
	newest := w.start.Add((lines - 1) * time.Second)
	const web = `"app":"web","cluster":"acme","namespace":"shop","pod":"web-0","service_name":"web"`
	line := func(i int) string {
		text, _ := json.Marshal(fmt.Sprintf(`{"level":"info","msg":"request done","http":{"status":%d,"took":"%dms"},"size":"%dKB","ok":%t,"ratio":0.%d,"pod":"inner"}`,
			200+i%2*300, i+1, i+1, i%2 == 0, i))
		return string(text)
	}
	return append(both(
		request{
			name: "health check", path: "/query", query: encode("query", "vector(1)+vector(1)", "time", "4000000000", "direction", "backward"),
			want: `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[4000000000,"2"]}]}}`,
		},
		request{
			name: "logs", path: "/query_range", query: w.span("query", `{app="web"}`, "limit", "1", "direction", "backward"),
			want: `{"status":"success","data":{"resultType":"streams","result":[{"stream":{` + web + `,"detected_level":"info","trace_id":"` + fmt.Sprintf("%032x", lines) +
				`"},"values":[["` + nano(newest) + `",` + line(lines-1) + `]]}]}}`,
		},
		request{
			name: "logs forward", path: "/query_range", query: w.span("query", `{app="cron"} |= "finished"`, "limit", "2", "direction", "forward"),
			holds: `"values":[["` + nano(w.start) + `","job 0 finished in 0 ms"],["` + nano(w.start.Add(time.Second)) + `","job 1 finished in 7 ms"]]`,
		},
		request{name: "statistics", path: "/query_range", query: w.span("query", `{app="web"}`), holds: `"stats":{"summary":{"bytesProcessedPerSecond":`},
		request{
			name: "volume histogram", path: "/query_range",
			query:  w.span("query", `sum by (level, detected_level) (count_over_time({namespace="shop"}[1m]))`, "step", "60000ms"),
			header: http.Header{"X-Query-Tags": {"Source=logvolhist"}}, holds: `"metric":{"detected_level":"error"},"values":[[`,
		},
	), request{
		name: "categorized logs", path: "/query_range", query: w.span("query", `{app="web"} | json http_status="http.status"`, "limit", "1"), header: categorize,
		want: `{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[{"stream":{` + web + `},"values":[["` + nano(newest) + `",` + line(lines-1) +
			`,{"structuredMetadata":{"detected_level":"info","trace_id":"` + fmt.Sprintf("%032x", lines) + `"},"parsed":{"http_status":"500"}}]]}]}}`,
	}, request{name: "build", path: "/status/buildinfo", holds: `"version":"3.6.0"`})
}

// lists is what the query builder asks.
func (w *world) lists() []request {
	const success = `{"status":"success","data":`
	iso := encode("start", w.start.UTC().Format("2006-01-02T15:04:05.000Z"), "end", w.start.Add(time.Minute).UTC().Format("2006-01-02T15:04:05.000Z"))
	seconds := encode("start", fmt.Sprint(w.start.Unix()), "end", fmt.Sprintf("%d.5", w.start.Add(time.Minute).Unix()))
	const names = success + `["app","cluster","namespace","pod","revision","service_name"]}`
	const web = `{"app":"web","cluster":"acme","namespace":"shop","pod":"web-0","service_name":"web"}`
	const cron = `{"app":"cron","cluster":"acme","namespace":"ops","service_name":"cron"}`
	return both(
		request{name: "labels", path: "/labels", query: w.span(), want: names},
		request{name: "labels, ISO 8601", path: "/labels", query: iso, want: names},
		request{name: "labels, seconds", path: "/labels", query: seconds, want: names},
		request{name: "labels since", path: "/labels", query: "since=1h", want: names},
		request{name: "labels, no range", path: "/labels", want: names},
		request{name: "labels of a query", path: "/labels", query: w.span("query", `{app="cron"} |= "x"`), want: success + `["app","cluster","namespace","service_name"]}`},
		request{name: "labels, old path", path: "/label", query: w.span(), want: names},
		request{name: "labels of no time", path: "/labels", query: encode("start", "1000000000", "end", "1000000060"), want: success + `[]}`},
		request{name: "values", path: "/label/app/values", query: w.span(), want: success + `["api","cron","web"]}`},
		request{name: "values of a query", path: "/label/app/values", query: w.span("query", `{namespace="shop"}`), want: success + `["api","web"]}`},
		request{name: "values of nothing", path: "/label/nothing/values", query: w.span(), want: success + `[]}`},
		request{name: "series", path: "/series", query: w.span("match[]", `{app="web"}`), want: success + `[` + web + `]}`},
		request{name: "series of two", path: "/series", query: w.span("match[]", `{app="web"}`, "match[]", `{app=~"cr.+"}`), want: success + `[` + cron + `,` + web + `]}`},
		request{name: "series, plain match", path: "/series", query: w.span("match", `{app="web"}`), want: success + `[` + web + `]}`},
		request{name: "series, ISO 8601", path: "/series", query: iso + "&" + encode("match[]", `{app="cron"}`), want: success + `[` + cron + `]}`},
		request{name: "format", path: "/format_query", query: encode("query", `{ app = "web" }|="x"`), want: success + `"{app=\"web\"} |= \"x\""}`},
	)
}

// volumes is what the size hint and Logs Drilldown's first page ask.
func (w *world) volumes() []request {
	size := func(pattern string, values func(i int) []any) (bytes int) {
		for i := range lines {
			bytes += len(fmt.Sprintf(pattern, values(i)...))
		}
		return bytes
	}
	web := size(`{"level":"info","msg":"request done","http":{"status":%d,"took":"%dms"},"size":"%dKB","ok":%t,"ratio":0.%d,"pod":"inner"}`,
		func(i int) []any { return []any{200 + i%2*300, i + 1, i + 1, i%2 == 0, i} })
	api := size(`level=error msg="cannot reach db" attempt=%d user=u%d`, func(i int) []any { return []any{i % 3, i % 5} })
	cron := size("job %d finished in %d ms", func(i int) []any { return []any{i, i * 7} })
	end := w.start.Add(time.Minute).Unix()
	vector := func(pairs ...any) string {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, fmt.Sprintf(`{"metric":%s,"value":[%d,"%d"]}`, pairs[i], end, pairs[i+1]))
		}
		return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(list, ",") + `]}}`
	}
	return both(
		request{name: "stats", path: "/index/stats", query: w.span("query", `{namespace="shop"}`), want: fmt.Sprintf(`{"streams":2,"chunks":2,"entries":%d,"bytes":%d}`, 2*lines, web+api)},
		request{name: "stats of nothing", path: "/index/stats", query: w.span("query", `{app="nothing"}`), want: `{"streams":0,"chunks":0,"entries":0,"bytes":0}`},
		request{
			name: "shards", path: "/index/shards", query: w.span("query", `{app="cron"}`, "targetBytesPerShard", "600MB"),
			holds: fmt.Sprintf(`{"shards":[{"bounds":{"min":0,"max":18446744073709551615},"stats":{"streams":1,"chunks":1,"entries":%d,"bytes":%d}}]`, lines, cron),
		},
		request{
			name: "services", path: "/index/volume", query: w.span("query", `{service_name=~".+"}`, "targetLabels", "service_name", "limit", "5000"),
			want: vector(`{"service_name":"web"}`, web, `{"service_name":"api"}`, api, `{"service_name":"cron"}`, cron),
		},
		request{name: "largest service", path: "/index/volume", query: w.span("query", `{service_name=~".+"}`, "limit", "1"), want: vector(`{"service_name":"web"}`, web)},
		request{
			name: "two labels, which cron lacks", path: "/index/volume", query: w.span("query", `{}`, "targetLabels", "namespace,pod"),
			want: vector(`{"namespace":"shop","pod":"web-0"}`, web, `{"namespace":"shop","pod":"api-0"}`, api),
		},
		request{name: "one label of two streams", path: "/index/volume", query: w.span("query", `{namespace="shop"}`), want: vector(`{"namespace":"shop"}`, web+api)},
		request{
			name: "by label", path: "/index/volume", query: w.span("query", `{}`, "aggregateBy", "labels", "targetLabels", "pod,app"),
			want: vector(`{"app":""}`, web+api+cron, `{"pod":""}`, web+api),
		},
		request{
			name: "over time", path: "/index/volume_range", query: w.span("query", `{app="cron"}`, "targetLabels", "app", "step", "30s"),
			want: fmt.Sprintf(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"app":"cron"},"values":[[%d,"%d"],[%d,"%d"]]}]}}`,
				end-30, cronBytes(0, 30), end, cronBytes(30, lines)),
		},
		request{name: "nothing over time", path: "/index/volume_range", query: w.span("query", `{app="nothing"}`), want: `{"status":"success","data":{"resultType":"matrix","result":[]}}`},
	)
}

func cronBytes(from, to int) (bytes int) {
	for i := from; i < to; i++ {
		bytes += len(fmt.Sprintf("job %d finished in %d ms", i, i*7))
	}
	return bytes
}

// drilldown is what Logs Drilldown asks of a service.
func (w *world) drilldown() []request {
	samples := func(n int) string { return fmt.Sprintf(`[[%d,%d]]`, w.start.Unix(), n) }
	return append(both(
		request{
			name: "detected labels", path: "/detected_labels", query: encode("start", w.start.UTC().Format(time.RFC3339), "end", w.start.Add(time.Minute).UTC().Format(time.RFC3339)),
			want: `{"detectedLabels":[{"label":"app","cardinality":3},{"label":"cluster","cardinality":1},{"label":"namespace","cardinality":2},{"label":"pod","cardinality":2},{"label":"service_name","cardinality":3}]}`,
		},
		request{name: "detected labels of one", path: "/detected_labels", query: w.span("query", `{app="cron"}`), want: `{"detectedLabels":[{"label":"app","cardinality":1},{"label":"cluster","cardinality":1},{"label":"namespace","cardinality":1},{"label":"service_name","cardinality":1}]}`},
		request{
			name: "fields of JSON", path: "/detected_fields", query: w.span("query", `{service_name="web"}`, "line_limit", "1000"),
			want: `{"limit":1000,"fields":[
				{"label":"http_took","type":"duration","cardinality":60,"parsers":["json"],"jsonPath":["http","took"]},
				{"label":"ratio","type":"float","cardinality":60,"parsers":["json"],"jsonPath":["ratio"]},
				{"label":"size","type":"bytes","cardinality":60,"parsers":["json"],"jsonPath":["size"]},
				{"label":"trace_id","type":"string","cardinality":60,"parsers":null},
				{"label":"http_status","type":"int","cardinality":2,"parsers":["json"],"jsonPath":["http","status"]},
				{"label":"ok","type":"boolean","cardinality":2,"parsers":["json"],"jsonPath":["ok"]},
				{"label":"detected_level","type":"string","cardinality":1,"parsers":null},
				{"label":"level","type":"string","cardinality":1,"parsers":["json"],"jsonPath":["level"]},
				{"label":"msg","type":"string","cardinality":1,"parsers":["json"],"jsonPath":["msg"]},
				{"label":"pod_extracted","type":"string","cardinality":1,"parsers":["json"],"jsonPath":["pod"]}]}`,
		},
		request{
			name: "fields of logfmt, as Drilldown asks", path: "/detected_fields", query: w.span("query", `{service_name="api"} | json | logfmt | drop __error__, __error_details__`, "limit", "3"),
			want: `{"limit":3,"fields":[{"label":"user","type":"string","cardinality":5,"parsers":["logfmt"]},{"label":"attempt","type":"int","cardinality":3,"parsers":["logfmt"]},
				{"label":"detected_level","type":"string","cardinality":1,"parsers":null}]}`,
		},
		request{name: "values of a field", path: "/detected_field/http_status/values", query: w.span("query", `{service_name="web"}`), want: `{"limit":1000,"values":["200","500"]}`},
		request{name: "values of metadata", path: "/detected_field/trace_id/values", query: w.span("query", `{service_name="web"}`, "limit", "1"), want: fmt.Sprintf(`{"limit":1,"values":["%032x"]}`, 1)},
		request{name: "values of nothing", path: "/detected_field/nothing/values", query: w.span("query", `{service_name="web"}`), want: `{"limit":1000,"values":[]}`},
		request{
			name: "patterns", path: "/patterns", query: w.span("query", `{service_name=~"cron|api"}`, "step", "60s"),
			want: `{"status":"success","data":[{"pattern":"job <_> finished in <_> ms","level":"unknown","samples":` + samples(lines) + `},
				{"pattern":"level=error msg=\"cannot reach db\" attempt=<_> user=<_>","level":"error","samples":` + samples(lines) + `}]}`,
		},
		request{name: "patterns of nothing", path: "/patterns", query: w.span("query", `{service_name="nothing"}`), want: `{"status":"success","data":[]}`},
	), request{name: "limits", path: "/drilldown-limits", holds: `"pattern_ingester_enabled":true`},
		request{name: "lines of a pattern", path: "/query_range", query: w.span("query", `{service_name="cron"} |> "job <_> finished in <_> ms"`, "limit", "1"), holds: `"job 59 finished in 413 ms"`})
}

// faults are told as one line of text.
func (w *world) faults() []request {
	const bad = http.StatusBadRequest
	return []request{
		{name: "broken query", path: "/query_range", query: w.span("query", `{app=`), status: bad},
		{name: "no query", path: "/query_range", status: bad, holds: "The parameter query is missing."},
		{name: "broken time", path: "/labels", query: "start=yesterday", status: bad, holds: `The parameter start="yesterday" is not a time`},
		{name: "backwards", path: "/detected_labels", query: encode("start", "20", "end", "10"), status: bad, holds: "must lie after the start"},
		{name: "broken selector", path: "/series", query: w.span("match[]", `{app=`), status: bad},
		{name: "volume of a pipeline", path: "/index/volume", query: w.span("query", `{app="web"} |= "x"`), status: bad, holds: "without a pipeline"},
		{name: "too many volumes' points", path: "/index/volume_range", query: w.span("query", `{}`, "step", "1ms"), status: bad, holds: "more than the limit of 11000"},
		{name: "fields of a metric query", path: "/detected_fields", query: w.span("query", `count_over_time({app="web"}[1m])`), status: bad, holds: "not with a metric query"},
		{name: "patterns of a metric query", path: "/patterns", query: w.span("query", `count_over_time({app="web"}[1m])`), status: bad, holds: "expected a log query"},
		{name: "ruler's probe", path: "/rules/test/test", status: http.StatusNotFound, holds: "group does not exist"},
		{name: "rules", path: "/rules", status: http.StatusNotFound, holds: "no rule groups found"},
		{name: "tail without WebSocket", path: "/tail", query: encode("query", `{app="web"}`), status: bad, holds: "This path speaks WebSocket"},
	}
}
