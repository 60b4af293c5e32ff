package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

var lokiLimits = api.LokiLimits{MaxEntries: 5000, MaxSeries: 200, Timeout: 2 * time.Minute, Retention: 720 * time.Hour}

// lokiExplorer records what it is asked, and answers the same each time.
type lokiExplorer struct {
	selector   string
	span       seamark.TimeRange
	step       time.Duration
	shardBytes uint64
	volume     api.LogVolumeQuery
	fields     api.LogFieldsQuery
	err        error
}

func (e *lokiExplorer) LogStats(_ context.Context, _ seamark.Scope, selector string, r seamark.TimeRange) (api.LogStats, error) {
	e.selector, e.span = selector, r
	return api.LogStats{Streams: 2, Entries: 30, Bytes: 4000}, e.err
}

func (e *lokiExplorer) LogShards(_ context.Context, _ seamark.Scope, selector string, r seamark.TimeRange, shardBytes uint64) ([]api.LogShard, error) {
	e.selector, e.span, e.shardBytes = selector, r, shardBytes
	return []api.LogShard{
		{Last: 1<<63 - 1, Stats: api.LogStats{Streams: 1, Entries: 2, Bytes: 3}}, {First: 1 << 63, Last: 1<<64 - 1, Stats: api.LogStats{Streams: 4, Entries: 5, Bytes: 6}},
	}, e.err
}

func (e *lokiExplorer) LogVolumes(_ context.Context, _ seamark.Scope, q api.LogVolumeQuery) ([]api.LogVolume, error) {
	e.volume = q
	at := func(s int64, bytes uint64) api.LogVolumePoint {
		return api.LogVolumePoint{Time: time.Unix(s, 5e8), Bytes: bytes}
	}
	return []api.LogVolume{
		{Labels: []seamark.Label{{Name: "service_name", Value: "web"}}, Points: []api.LogVolumePoint{at(10, 7), at(20, 8)}},
		{Labels: []seamark.Label{{Name: "service_name"}}, Points: []api.LogVolumePoint{at(10, 1)}},
	}, e.err
}

func (e *lokiExplorer) DetectedLabels(_ context.Context, _ seamark.Scope, selector string, r seamark.TimeRange) ([]api.DetectedLabel, error) {
	e.selector, e.span = selector, r
	return []api.DetectedLabel{{Name: "app", Cardinality: 3}}, e.err
}

func (e *lokiExplorer) DetectedFields(_ context.Context, _ seamark.Scope, q api.LogFieldsQuery) ([]api.LogField, error) {
	e.fields = q
	return []api.LogField{
		{Name: "http_status", Type: "int", Parsers: []string{"json"}, Path: []string{"http", "status"}, Values: []string{"200", "500"}},
		{Name: "trace_id", Type: "string", Values: []string{"ab"}},
	}, e.err
}

func (e *lokiExplorer) LogPatterns(_ context.Context, _ seamark.Scope, query string, r seamark.TimeRange, step time.Duration) ([]api.LogPattern, error) {
	e.selector, e.span, e.step = query, r, step
	return []api.LogPattern{
		{Text: "took <_> ms", Level: "info", Points: []api.LogPatternPoint{{Time: time.Unix(10, 0), Lines: 3}, {Time: time.Unix(20, 0), Lines: 4}}}, {Text: "x"},
	}, e.err
}

func TestLokiExplore(t *testing.T) {
	hour := seamark.TimeRange{Start: lokiNow.Add(-time.Hour), End: lokiNow}
	sixHours := seamark.TimeRange{Start: lokiNow.Add(-6 * time.Hour), End: lokiNow}
	iso := seamark.TimeRange{Start: lokiNow.Add(-2 * time.Hour), End: lokiNow.Add(-time.Hour)}
	const selector = `{app="web"}`
	for name, c := range map[string]struct {
		path   string
		params []string
		asked  lokiExplorer
		body   string
	}{
		"shards": {
			"/index/shards", []string{"query", selector, "targetBytesPerShard", "600MB"}, lokiExplorer{selector: selector, span: sixHours, shardBytes: 600 << 20},
			`{"shards":[{"bounds":{"min":0,"max":9223372036854775807},"stats":{"streams":1,"chunks":1,"entries":2,"bytes":3}},{"bounds":{"min":9223372036854775808,"max":18446744073709551615},"stats":{"streams":4,"chunks":4,"entries":5,"bytes":6}}],"statistics":{},"chunkGroups":null}`,
		},
		"stats": {"/index/stats", []string{"query", selector}, lokiExplorer{selector: selector, span: sixHours}, `{"streams":2,"chunks":2,"entries":30,"bytes":4000}`},
		"volume": {
			"/index/volume", []string{"query", selector, "targetLabels", "service_name,level", "limit", "7"},
			lokiExplorer{volume: api.LogVolumeQuery{Selector: selector, Range: hour, Limit: 7, Targets: []string{"service_name", "level"}}},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"service_name":"web"},"value":[10.5,"7"]},{"metric":{"service_name":""},"value":[10.5,"1"]}],"stats":{}}}`,
		},
		"volume by label, huge limit": {
			"/index/volume", []string{"query", "{}", "aggregateBy", "labels", "limit", "1000000"},
			lokiExplorer{volume: api.LogVolumeQuery{Selector: "{}", Range: hour, Limit: 10_000, ByLabel: true}}, "",
		},
		"volume over time": {
			"/index/volume_range", []string{"query", selector, "step", "30s", "aggregateBy", "series", "limit", "0"},
			lokiExplorer{volume: api.LogVolumeQuery{Selector: selector, Range: hour, Step: 30 * time.Second, Limit: 100}},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"service_name":"web"},"values":[[10.5,"7"],[20.5,"8"]]},{"metric":{"service_name":""},"values":[[10.5,"1"]]}],"stats":{}}}`,
		},
		"labels": {
			"/detected_labels", []string{"start", "2026-11-20T10:00:00.000Z", "end", "2026-11-20T11:00:00.000Z"},
			lokiExplorer{span: iso}, `{"detectedLabels":[{"label":"app","cardinality":3}]}`,
		},
		"fields": {
			"/detected_fields", []string{"query", selector, "line_limit", "9000"}, lokiExplorer{fields: api.LogFieldsQuery{Query: selector, Range: hour, Lines: 5000}},
			`{"fields":[{"label":"http_status","type":"int","cardinality":2,"parsers":["json"],"jsonPath":["http","status"]},{"label":"trace_id","type":"string","cardinality":1,"parsers":null}],"limit":1000}`,
		},
		"fields, one": {
			"/detected_fields", []string{"limit", "1"}, lokiExplorer{fields: api.LogFieldsQuery{Range: hour, Lines: 1000}},
			`{"fields":[{"label":"http_status","type":"int","cardinality":2,"parsers":["json"],"jsonPath":["http","status"]}],"limit":1}`,
		},
		"values":             {"/detected_field/http_status/values", nil, lokiExplorer{fields: api.LogFieldsQuery{Range: hour, Lines: 1000}}, `{"limit":1000,"values":["200","500"]}`},
		"values, one":        {"/detected_field/http%5fstatus/values", []string{"limit", "1"}, lokiExplorer{fields: api.LogFieldsQuery{Range: hour, Lines: 1000}}, `{"limit":1,"values":["200"]}`},
		"values of nothing":  {"/detected_field/none/values", nil, lokiExplorer{fields: api.LogFieldsQuery{Range: hour, Lines: 1000}}, `{"limit":1000,"values":[]}`},
		"patterns":           {"/patterns", []string{"query", selector, "step", "10s"}, lokiExplorer{selector: selector, span: hour, step: 10 * time.Second}, `{"status":"success","data":[{"pattern":"took \u003c_\u003e ms","level":"info","samples":[[10,3],[20,4]]},{"pattern":"x","level":"unknown","samples":[]}]}`},
		"patterns, any step": {"/patterns", []string{"query", selector}, lokiExplorer{selector: selector, span: hour}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			get := lokiGet(c.path, c.params...)
			post, err := http.NewRequestWithContext(t.Context(), http.MethodPost, get.URL.Path, strings.NewReader(get.URL.RawQuery))
			if err != nil {
				t.Fatal(err)
			}
			post.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for _, r := range []*http.Request{get, post} {
				e := &lokiEngine{}
				w := lokiDo(t, e, r)
				if w.Code != http.StatusOK || c.body != "" && strings.TrimSpace(w.Body.String()) != c.body {
					t.Errorf("%s: got %d %s, want %s", r.Method, w.Code, w.Body, c.body)
				}
				if diff := cmp.Diff(c.asked, e.explorer, cmp.AllowUnexported(lokiExplorer{})); diff != "" {
					t.Errorf("%s: asked (-want +got):\n%s", r.Method, diff)
				}
			}
		})
	}
}

func TestLokiExploreFaults(t *testing.T) {
	for name, c := range map[string]struct {
		request *http.Request
		want    string
	}{
		"aggregate by":      {lokiGet("/index/volume", "aggregateBy", "x"), `The parameter aggregateBy="x" is not series or labels`},
		"volume's limit":    {lokiGet("/index/volume_range", "limit", "x"), `The parameter limit="x" is not a whole number`},
		"volume's step":     {lokiGet("/index/volume_range", "step", "x"), `The parameter step="x" is not a duration`},
		"shards' query":     {lokiGet("/index/shards", "targetBytesPerShard", "1"), `The parameter query is missing`},
		"shards' size":      {lokiGet("/index/shards", "query", "{}"), `The parameter targetBytesPerShard is missing`},
		"a shard of none":   {lokiGet("/index/shards", "query", "{}", "targetBytesPerShard", "0"), `The parameter targetBytesPerShard="0" is not a number of bytes`},
		"a shard too large": {lokiGet("/index/shards", "query", "{}", "targetBytesPerShard", "99999999TB"), `The parameter targetBytesPerShard="99999999TB" is not a number of bytes`},
		"a shard's unit":    {lokiGet("/index/shards", "query", "{}", "targetBytesPerShard", "5KMB"), `The parameter targetBytesPerShard="5KMB" is not a number of bytes`},
		"stats' start":      {lokiGet("/index/stats", "start", "x"), `The parameter start="x" is not a time`},
		"lines":             {lokiGet("/detected_fields", "line_limit", "x"), `The parameter line_limit="x" is not a whole number`},
		"values' limit":     {lokiGet("/detected_field/a/values", "limit", "x"), `The parameter limit="x" is not a whole number`},
		"labels' end":       {lokiGet("/detected_labels", "end", "x"), `The parameter end="x" is not a time`},
		"no pattern query":  {lokiGet("/patterns"), "The parameter query is missing."},
		"pattern's step":    {lokiGet("/patterns", "query", "{}", "step", "-1"), "is not a duration longer than zero"},
	} {
		t.Run(name, func(t *testing.T) {
			w := lokiDo(t, &lokiEngine{}, c.request)
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d %q, want 400 with %q", w.Code, w.Body, c.want)
			}
			if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q, want Loki's plain text", got)
			}
		})
	}
	for _, path := range []string{"/index/stats", "/index/volume", "/index/volume_range", "/detected_labels", "/detected_fields", "/detected_field/a/values", "/patterns"} {
		e := &lokiEngine{explorer: lokiExplorer{err: seamark.Errorf(seamark.Unprocessable, "seamark-logql-series", "Too many series.")}}
		w := lokiDo(t, e, lokiGet(path, "query", "{}"))
		if w.Code != http.StatusUnprocessableEntity || w.Body.String() != "Too many series.\n" {
			t.Errorf("%s: got %d %q", path, w.Code, w.Body)
		}
	}
}

func TestLokiDrilldownLimits(t *testing.T) {
	w := lokiDo(t, &lokiEngine{}, lokiGet("/drilldown-limits"))
	for _, want := range []string{`"version":"3.6.0"`, `"pattern_ingester_enabled":true`, `"max_entries_limit_per_query":5000`, `"retention_period":"720h0m0s"`, `"query_timeout":"2m0s"`} {
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %d %s, want it to hold %s", w.Code, w.Body, want)
		}
	}
}

func TestLokiQueryTags(t *testing.T) {
	for sent, want := range map[string]string{
		"": "", "Source=logvolhist,Feature=x": "Source=logvolhist,Feature=x", "a'b\"ü\x01": "a_b___", strings.Repeat("x", 300): strings.Repeat("x", 256),
	} {
		e := &lokiEngine{}
		r := lokiGet("/labels")
		r.Header.Set("X-Query-Tags", sent)
		if lokiDo(t, e, r); e.tags != want {
			t.Errorf("%q: got %q, want %q", sent, e.tags, want)
		}
	}
}
