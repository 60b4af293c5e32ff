package clients_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
)

func protoFamilies(t *testing.T, answer inprocess.Response) map[string]*dto.MetricFamily {
	t.Helper()
	decoder := expfmt.NewDecoder(bytes.NewReader([]byte(answer.Body)), expfmt.ResponseFormat(answer.Header))
	families := map[string]*dto.MetricFamily{}
	for {
		family := &dto.MetricFamily{}
		err := decoder.Decode(family)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families[family.GetName()] = family
	}
}

// promExchange is a request in the shape in which a client sends it, and the whole body of its answer.
type promExchange struct {
	name, method, path string
	params             []string // names and values
	want               string
}

// TestPrometheusExchanges replays what Grafana's Prometheus data source and its Metrics Drilldown send, with the exact
// answers.
func TestPrometheusExchanges(t *testing.T) {
	w := newPromWorld(t, "prom-grafana")
	for _, c := range promExchanges(w) {
		t.Run(c.name, func(t *testing.T) {
			header := http.Header{"User-Agent": {"Grafana/12.2.0"}, "X-Dashboard-Uid": {"abc"}, "X-Panel-Id": {"4"}, "Authorization": {basic("anybody", w.Query)}}
			values := url.Values{}
			for i := 0; i < len(c.params); i += 2 {
				values.Add(c.params[i], c.params[i+1])
			}
			path, body := "/prometheus/api/v1"+c.path+"?"+values.Encode(), ""
			if c.method == http.MethodPost {
				path, body = "/prometheus/api/v1"+c.path, values.Encode()
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			answer := w.Do(t, "", c.method, path, header, body)
			expect(t, "body", nil, `{"status":"success","data":`+c.want+`}`, strings.TrimSpace(answer.Body))
			expect(t, "type", nil, "application/json", answer.Header.Get("Content-Type"))
		})
	}
}

func promExchanges(w *promWorld) []promExchange {
	start, end := fmt.Sprint(w.start.Unix()), fmt.Sprint(w.at(3).Unix())
	up := `{"__name__":"up","cluster":"eu-1","job":"node"}`
	at := func(i int) string { return fmt.Sprint(w.at(i).Unix()) }
	return []promExchange{
		{"health check", "POST", "/query", []string{"query", "1+1", "time", "4"}, `{"resultType":"scalar","result":[4,"2"]}`},
		{"health check by GET", "GET", "/query", []string{"query", "1+1", "time", "4"}, `{"resultType":"scalar","result":[4,"2"]}`},
		{"instant", "POST", "/query", []string{"query", `up{job=~"node|x"}`, "time", at(1) + ".000"}, `{"resultType":"vector","result":[{"metric":` + up + `,"value":[` + at(1) + `,"0"]}]}`},
		{"range", "POST", "/query_range", []string{"query", "up", "start", start, "end", end, "step", "15"},
			`{"resultType":"matrix","result":[{"metric":` + up + `,"values":[[` + at(0) + `,"1"],[` + at(1) + `,"0"],[` + at(2) + `,"1"],[` + at(3) + `,"1"]]}]}`},
		{"stale", "POST", "/query_range", []string{"query", "gone", "start", start, "end", end, "step", "15.0"},
			`{"resultType":"matrix","result":[{"metric":{"__name__":"gone","cluster":"eu-1","job":"node"},"values":[[` + at(0) + `,"7"]]}]}`},
		{"nothing", "GET", "/query_range", []string{"query", "absent_metric", "start", start, "end", end, "step", "15"}, `{"resultType":"matrix","result":[]}`},
		{"exemplar probe", "GET", "/query_exemplars", []string{"query", "test", "start", start, "end", end}, `[]`},
		{"exemplars", "POST", "/query_exemplars", []string{"query", "up", "start", start, "end", end},
			`[{"seriesLabels":` + up + `,"exemplars":[{"labels":{"trace_id":"0af7651916cd43dd8448eb211c80319c"},"value":"0.25","timestamp":` + at(1) + `}]}]`},
		{"metadata", "GET", "/metadata", []string{"limit", "1000"}, `{"up":[{"type":"gauge","unit":"","help":"Is it \u003cup\u003e?"}]}`},
		{"metadata of one", "GET", "/metadata", []string{"metric", "up"}, `{"up":[{"type":"gauge","unit":"","help":"Is it \u003cup\u003e?"}]}`},
		{"metadata of none", "GET", "/metadata", []string{"metric", "none"}, `{}`},
		{"metric names", "GET", "/label/__name__/values", []string{"start", start, "end", end, "limit", "40000"}, `["gone","http.requests","latency","sizes","up"]`},
		{"metric names of a filter", "GET", "/label/__name__/values", []string{"start", start, "end", end, "limit", "40000", "match[]", `{job="node",__name__=~"(?i:.*U.*)"}`}, `["http.requests","up"]`},
		{"label values", "GET", "/label/job/values", []string{"start", start, "end", end, "match[]", `up{cluster=~"eu-.+"}`, "limit", "40000"}, `["node"]`},
		{"values of an escaped name", "GET", "/label/U__k8s_2e_pod/values", []string{"start", start, "end", end}, `[]`},
		{"values of no label", "GET", "/label/none/values", nil, `[]`},
		{"label names", "POST", "/labels", []string{"start", start, "end", end, "match[]", `{"http.requests"}`, "limit", "40000"}, `["__name__","cluster","job"]`},
		{"label names, cut", "POST", "/labels", []string{"start", start, "end", end, "limit", "2"}, `["__name__","cluster"],"warnings":["results truncated due to limit"]`},
		{"series", "POST", "/series", []string{"start", start, "end", end, "match[]", "up", "match[]", `{__name__="up"}`, "limit", "40000"}, `[` + up + `]`},
		{"series, cut", "GET", "/series", []string{"match[]", `{__name__=~"up|gone"}`, "limit", "1"}, `[{"__name__":"gone","cluster":"eu-1","job":"node"}],"warnings":["results truncated due to limit"]`},
		{"drilldown's histogram", "POST", "/query", []string{"query", "histogram_count(latency)", "time", at(2)}, `{"resultType":"vector","result":[{"metric":{"cluster":"eu-1","job":"node"},"value":[` + at(2) + `,"30"]}]}`},
		{"drilldown's preview", "POST", "/query_range", []string{"query", `avg(up{__ignore_usage__="", })`, "start", at(0), "end", at(0), "step", "15"},
			`{"resultType":"matrix","result":[{"metric":{},"values":[[` + at(0) + `,"1"]]}]}`},
		{"rules", "GET", "/rules", nil, `{"groups":[]}`},
		{"alerts", "GET", "/alerts", nil, `{"alerts":[]}`},
		{"format", "GET", "/format_query", []string{"query", "sum(up)by(job)"}, `"sum by (job) (up)"`},
		{"parse", "POST", "/parse_query", []string{"query", "up offset 5m"},
			`{"anchored":false,"matchers":[{"name":"__name__","type":"=","value":"up"}],"name":"up","offset":300000,"offsetExpr":null,"smoothed":false,"startOrEnd":null,"timestamp":null,"type":"vectorSelector"}`},
	}
}
