package clients_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/grafana/loki/pkg/push"

	"github.com/seamarkhq/seamark/internal/e2e/inprocess"
	"github.com/seamarkhq/seamark/internal/testkit"
)

// logEntry is one line as Loki's API shows it to a client that asks for categorised labels.
type logEntry struct {
	TimeNano int64
	Line     string
	Metadata map[string]string
	Parsed   map[string]string
}

// UnmarshalJSON reads [time, line, {"structuredMetadata": {}, "parsed": {}}].
func (e *logEntry) UnmarshalJSON(body []byte) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		return err
	}
	if len(parts) != 3 {
		return fmt.Errorf("entry %s has %d parts, want 3", body, len(parts))
	}
	var nano string
	var labels struct{ StructuredMetadata, Parsed map[string]string }
	if err := errors.Join(json.Unmarshal(parts[0], &nano), json.Unmarshal(parts[1], &e.Line), json.Unmarshal(parts[2], &labels)); err != nil {
		return err
	}
	e.Metadata, e.Parsed = labels.StructuredMetadata, labels.Parsed
	var err error
	e.TimeNano, err = strconv.ParseInt(nano, 10, 64)
	return err
}

type logStream struct {
	Stream map[string]string `json:"stream"`
	Values []logEntry        `json:"values"`
}

type lokiData struct {
	ResultType    string          `json:"resultType"`
	EncodingFlags []string        `json:"encodingFlags"`
	Result        json.RawMessage `json:"result"`
}

// lokiGet sends a query as Grafana's Loki data source does and returns its data.
func lokiGet(t *testing.T, x *inprocess.Tenant, path string, q url.Values) lokiData {
	t.Helper()
	answer := x.Do(t, x.Query, http.MethodGet, path+"?"+q.Encode(), http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}}, "")
	var envelope struct {
		Status string
		Data   lokiData
	}
	if err := json.Unmarshal([]byte(answer.Body), &envelope); err != nil || answer.Status != http.StatusOK || envelope.Status != "success" {
		t.Fatalf("GET %s %v: got %d %s (%v)", path, q, answer.Status, answer.Body, err)
	}
	return envelope.Data
}

// readLogs reads the lines of a log query over a range, oldest first.
func readLogs(t *testing.T, x *inprocess.Tenant, query string, start, end time.Time) []logStream {
	t.Helper()
	data := lokiGet(t, x, "/loki/api/v1/query_range", url.Values{
		"query": {query}, "start": {nano(start)}, "end": {nano(end)}, "limit": {"1000"}, "direction": {"forward"},
	})
	var streams []logStream
	if err := json.Unmarshal(data.Result, &streams); err != nil || data.ResultType != "streams" || !slices.Contains(data.EncodingFlags, "categorize-labels") {
		t.Fatalf("%s: got %s %v %s (%v), want streams with categorised labels", query, data.ResultType, data.EncodingFlags, data.Result, err)
	}
	return streams
}

// linesOf returns the lines of all streams of an answer, stream after stream.
func linesOf(streams []logStream) []string {
	list := []string{}
	for _, s := range streams {
		for _, e := range s.Values {
			list = append(list, e.Line)
		}
	}
	return list
}

func nano(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func pushProto(t *testing.T, x *inprocess.Tenant, want int, streams ...push.Stream) {
	t.Helper()
	body, err := (&push.PushRequest{Streams: streams}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	x.Post(t, x.Ingest, "/loki/api/v1/push", "application/x-protobuf", string(snappy.Encode(nil, body)), want)
}

// The lines of the tests: six of checkout, one every ten seconds, and four of gateway, one every fifteen.
var (
	checkoutLines = []string{
		`{"level":"info","msg":"paid","ms":12,"user":{"id":"u1"}}`,
		`{"level":"error","msg":"refused \"card\"","ms":250.5,"user":{"id":"u2"}}`,
		`{"level":"info","msg":"paid","ms":20,"user":{"id":"u1"}}`,
		`{"level":"warn","msg":"slow","ms":1000,"user":{"id":"u3"}}`,
		`{"level":"info","msg":"paid","ms":17.5,"user":{"id":"u2"}}`,
		`{"level":"error","msg":"refused","ms":300,"user":{"id":"u2"}}`,
	}
	gatewayLines = []string{
		`level=info method=GET path=/cart status=200 took=120ms bytes=2KB`,
		`level=error method=POST path=/pay status=502 took=1.5s bytes=512B`,
		`level=info method=GET path=/cart status=304 took=80ms bytes=0B`,
		`level=warn method=GET path="/a b" status=404 took=300ms bytes=1KB`,
	}
)

const someTrace = "0af7651916cd43dd8448eb211c80319c"

// corpusStart is the minute in which the lines lie. The first line is a second behind it, so that no line lies on the
// border of a range.
func corpusStart() time.Time { return time.Now().Add(-10 * time.Minute).Truncate(time.Minute) }

func checkoutStream(start time.Time) push.Stream {
	s := push.Stream{Labels: `{app="checkout", env="prod"}`}
	for i, line := range checkoutLines {
		e := push.Entry{
			Timestamp: start.Add(time.Second + time.Duration(i)*10*time.Second + time.Duration(i)), Line: line,
			StructuredMetadata: push.LabelsAdapter{{Name: "pod", Value: fmt.Sprintf("checkout-%d", i%2)}},
		}
		if i == 1 {
			e.StructuredMetadata = append(e.StructuredMetadata, push.LabelAdapter{Name: "trace_id", Value: someTrace})
		}
		s.Entries = append(s.Entries, e)
	}
	return s
}

func gatewayStream(start time.Time) push.Stream {
	s := push.Stream{Labels: `{app="gateway", env="prod"}`}
	for i, line := range gatewayLines {
		s.Entries = append(s.Entries, push.Entry{Timestamp: start.Add(time.Second + time.Duration(i)*15*time.Second), Line: line})
	}
	return s
}

func TestLokiPush(t *testing.T) {
	x := newTenant(t, "loki")
	start := corpusStart()
	end := start.Add(time.Minute)
	pushProto(t, x, http.StatusNoContent, checkoutStream(start), gatewayStream(start))
	testkit.Eventually(t, within, func() error {
		if got := len(linesOf(readLogs(t, x, `{env="prod"}`, start, end))); got != len(checkoutLines)+len(gatewayLines) {
			return fmt.Errorf("got %d lines", got)
		}
		return nil
	})
	t.Run("entries", func(t *testing.T) { checkEntries(t, x, start) })
	t.Run("filters", func(t *testing.T) { checkFilters(t, x, start) })
	t.Run("metrics", func(t *testing.T) { checkLogMetrics(t, x, end) })
	t.Run("steps", func(t *testing.T) { checkSteps(t, x, start) })
	t.Run("listings", func(t *testing.T) { checkLogListings(t, x, start) })
	t.Run("errors", func(t *testing.T) { checkLogErrors(t, x) })
}

// checkEntries compares every entry with what was sent, to the nanosecond.
func checkEntries(t *testing.T, x *inprocess.Tenant, start time.Time) {
	want := logStream{Stream: map[string]string{"app": "checkout", "env": "prod", "cluster": "eu-1", "service_name": "checkout"}}
	levels := []string{"info", "error", "info", "warn", "info", "error"}
	for i, e := range checkoutStream(start).Entries {
		metadata := map[string]string{"pod": e.StructuredMetadata[0].Value, "detected_level": levels[i]}
		if i == 1 {
			metadata["trace_id"] = someTrace
		}
		want.Values = append(want.Values, logEntry{TimeNano: e.Timestamp.UnixNano(), Line: e.Line, Metadata: metadata})
	}
	if diff := cmp.Diff([]logStream{want}, readLogs(t, x, `{app="checkout"}`, start, start.Add(time.Minute))); diff != "" {
		t.Errorf("entries (-sent +read):\n%s", diff)
	}
}

func checkFilters(t *testing.T, x *inprocess.Tenant, start time.Time) {
	c, g := checkoutLines, gatewayLines
	for query, want := range map[string][]string{
		`{app="checkout"} |= "refused"`:                                {c[1], c[5]},
		`{app="checkout"} |= "refused \"card\""`:                       {},
		`{app="checkout"} != "paid" !~ "slow|card"`:                    {c[5]},
		`{app="checkout"} |~ "\"ms\":(12|20)\\b"`:                      {c[0], c[2]},
		`{app="checkout"} | json | level="error"`:                      {c[1], c[5]},
		`{app="checkout"} | json | ms > 17.5 and level != "error"`:     {c[2], c[3]},
		`{app="checkout"} | json | user_id=~"u[13]"`:                   {c[0], c[2], c[3]},
		`{app="checkout"} | json who="user.id" | who="u3"`:             {c[3]},
		`{app="checkout"} | json | msg="refused \"card\""`:             {c[1]},
		`{app="checkout"} | detected_level="warn"`:                     {c[3]},
		`{app="checkout"} | pod="checkout-1" | detected_level="error"`: {c[1], c[5]},
		`{app="checkout"} | trace_id="` + someTrace + `"`:              {c[1]},
		`{app="gateway"} | logfmt | status >= 400`:                     {g[1], g[3]},
		`{app="gateway"} | logfmt | path="/a b"`:                       {g[3]},
		`{app="gateway"} | logfmt | took > 200ms`:                      {g[1], g[3]},
		`{app="gateway"} | logfmt | bytes >= 1KB`:                      {g[0], g[3]},
		`{app=~"check.*|gate.*", env!="dev"} |= "path=/pay"`:           {g[1]},
		`{app="nobody"}`: {},
	} {
		if diff := cmp.Diff(want, linesOf(readLogs(t, x, query, start, start.Add(time.Minute)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// sample is one element of a vector of Loki's API.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

func lengths(lines []string) (n int) {
	for _, l := range lines {
		n += len(l)
	}
	return n
}

// checkLogMetrics compares metric queries over the minute with results computed by hand; each is by the label in its key.
func checkLogMetrics(t *testing.T, x *inprocess.Tenant, end time.Time) {
	for _, c := range []struct {
		query, by string
		want      map[string]float64
	}{
		{`sum(count_over_time({env="prod"}[1m]))`, "", map[string]float64{"": 10}},
		{`count_over_time({env="prod"}[1m])`, "app", map[string]float64{"checkout": 6, "gateway": 4}},
		{`sum by (app) (rate({env="prod"}[1m]))`, "app", map[string]float64{"checkout": 0.1, "gateway": 4.0 / 60}},
		{`sum(count_over_time({app="checkout"} |= "refused" [1m]))`, "", map[string]float64{"": 2}},
		{`bytes_over_time({env="prod"}[1m])`, "app", map[string]float64{"checkout": float64(lengths(checkoutLines)), "gateway": float64(lengths(gatewayLines))}},
		{`sum by (level) (count_over_time({app="checkout"} | json [1m]))`, "level", map[string]float64{"info": 3, "error": 2, "warn": 1}},
		{`sum by (detected_level) (count_over_time({env="prod"}[1m]))`, "detected_level", map[string]float64{"info": 5, "error": 3, "warn": 2}},
		// 12 + 250.5 + 20 + 1000 + 17.5 + 300
		{`sum(sum_over_time({app="checkout"} | json | unwrap ms [1m]))`, "", map[string]float64{"": 1600}},
		{`sum by (user_id) (sum_over_time({app="checkout"} | json | unwrap ms [1m]))`, "user_id", map[string]float64{"u1": 32, "u2": 568, "u3": 1000}},
		{`max(max_over_time({app="checkout"} | json | unwrap ms [1m]))`, "", map[string]float64{"": 1000}},
		{`avg_over_time({app="checkout"} | json | unwrap ms [1m]) by (app)`, "app", map[string]float64{"checkout": 1600.0 / 6}},
		// 0.12 + 1.5 + 0.08 + 0.3 seconds
		{`sum(sum_over_time({app="gateway"} | logfmt | unwrap duration(took) [1m]))`, "", map[string]float64{"": 2}},
		// 2000 + 512 + 0 + 1000
		{`sum(sum_over_time({app="gateway"} | logfmt | unwrap bytes(bytes) [1m]))`, "", map[string]float64{"": 3512}},
		{`topk(1, sum by (app) (count_over_time({env="prod"}[1m])))`, "app", map[string]float64{"checkout": 6}},
		{`sum(count_over_time({app="checkout"}[1m])) / sum(count_over_time({env="prod"}[1m])) * 100`, "", map[string]float64{"": 60}},
		{`vector(1)+vector(1)`, "", map[string]float64{"": 2}},
	} {
		data := lokiGet(t, x, "/loki/api/v1/query", url.Values{"query": {c.query}, "time": {nano(end)}})
		var vector []sample
		if err := json.Unmarshal(data.Result, &vector); err != nil || data.ResultType != "vector" {
			t.Errorf("%s: got %s %s (%v), want a vector", c.query, data.ResultType, data.Result, err)
			continue
		}
		got := map[string]float64{}
		for _, s := range vector {
			text, _ := s.Value[1].(string)
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Errorf("%s: value %v: %v", c.query, s.Value, err)
			}
			got[s.Metric[c.by]] = v
		}
		if diff := cmp.Diff(c.want, got, cmp.Comparer(near)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.query, diff)
		}
	}
}

// checkSteps evaluates a count at steps of 20 s, each over the 20 s before it.
func checkSteps(t *testing.T, x *inprocess.Tenant, start time.Time) {
	data := lokiGet(t, x, "/loki/api/v1/query_range", url.Values{
		"query": {`sum(count_over_time({env="prod"}[20s]))`}, "start": {nano(start)}, "end": {nano(start.Add(time.Minute))}, "step": {"20000ms"},
	})
	var matrix []struct {
		Values [][2]any `json:"values"`
	}
	if err := json.Unmarshal(data.Result, &matrix); err != nil || len(matrix) != 1 || data.ResultType != "matrix" {
		t.Fatalf("got %s %s (%v), want one series", data.ResultType, data.Result, err)
	}
	at := func(d time.Duration) float64 { return float64(start.Add(d).Unix()) }
	// Lines of checkout at 1, 11, 21, 31, 41, 51 s; of gateway at 1, 16, 31, 46 s. There is none before the start.
	want := [][2]any{{at(20 * time.Second), "4"}, {at(40 * time.Second), "3"}, {at(time.Minute), "3"}}
	if diff := cmp.Diff(want, matrix[0].Values); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func checkLogListings(t *testing.T, x *inprocess.Tenant, start time.Time) {
	span := func(more url.Values) url.Values {
		q := url.Values{"start": {nano(start)}, "end": {nano(start.Add(time.Minute))}}
		for name, values := range more {
			q[name] = values
		}
		return q
	}
	for _, c := range []struct {
		path  string
		query url.Values
		want  string
	}{
		{"/loki/api/v1/labels", nil, `["app","cluster","env","service_name"]`},
		{"/loki/api/v1/label/app/values", nil, `["checkout","gateway"]`},
		{"/loki/api/v1/label/app/values", url.Values{"query": {`{service_name="gateway"}`}}, `["gateway"]`},
		{"/loki/api/v1/label/nothing/values", nil, `[]`},
		{"/loki/api/v1/series", url.Values{"match[]": {`{app="gateway"}`}}, `[{"app":"gateway","cluster":"eu-1","env":"prod","service_name":"gateway"}]`},
	} {
		var got struct {
			Status string
			Data   json.RawMessage
		}
		x.Get(t, c.path, span(c.query), &got)
		if string(got.Data) != c.want || got.Status != "success" {
			t.Errorf("%s %v: got %s, want %s", c.path, c.query, got.Data, c.want)
		}
	}
}

func checkLogErrors(t *testing.T, x *inprocess.Tenant) {
	for query, want := range map[string]int{
		`{app="checkout"`:                     http.StatusBadRequest,
		`rate({app="checkout"})`:              http.StatusBadRequest,
		`{app="checkout"} | unwrap`:           http.StatusBadRequest,
		``:                                    http.StatusBadRequest,
		`{app=~"("}`:                          http.StatusBadRequest,
		`sum(count_over_time({a="b"}[1m]) by`: http.StatusBadRequest,
	} {
		answer := x.Do(t, x.Query, http.MethodGet, "/loki/api/v1/query_range?"+url.Values{"query": {query}}.Encode(), nil, "")
		if answer.Status != want || answer.Body == "" {
			t.Errorf("%s: got %d %q, want %d and a reason", query, answer.Status, answer.Body, want)
		}
	}
}

// TestLokiPushJSON sends Loki's JSON form with structured metadata, compressed as Grafana Alloy can.
func TestLokiPushJSON(t *testing.T) {
	x := newTenant(t, "loki-json")
	start := corpusStart()
	type entry = []any
	body, err := json.Marshal(map[string]any{"streams": []any{map[string]any{
		"stream": map[string]string{"app": "cron", "job": "nightly"},
		"values": []entry{
			{nano(start.Add(1)), "first\tline \U0001F40B"},
			{nano(start.Add(2)), "second", map[string]string{"level": "error", "pod": "cron-1", "span_id": "b7ad6b7169203331"}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
	if answer := x.Do(t, x.Ingest, http.MethodPost, "/loki/api/v1/push", header, zipped.String()); answer.Status != http.StatusNoContent {
		t.Fatalf("push: got %d %s, want 204", answer.Status, answer.Body)
	}
	want := []logStream{{
		Stream: map[string]string{"app": "cron", "job": "nightly", "cluster": "eu-1", "service_name": "cron"},
		Values: []logEntry{
			{TimeNano: start.UnixNano() + 1, Line: "first\tline \U0001F40B"},
			{TimeNano: start.UnixNano() + 2, Line: "second", Metadata: map[string]string{
				"level": "error", "detected_level": "error", "pod": "cron-1", "span_id": "b7ad6b7169203331",
			}},
		},
	}}
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff(want, readLogs(t, x, `{app="cron"}`, start, start.Add(time.Minute))); diff != "" {
			return errors.New("entries (-sent +read):\n" + diff)
		}
		return nil
	})
}

// TestLokiPushKeepsGoodLines is Loki's rule for a partly bad request: the good lines are stored and the answer is 400
// with the reason, which agents do not retry.
func TestLokiPushKeepsGoodLines(t *testing.T) {
	x := newTenant(t, "loki-partial")
	start := corpusStart()
	s := push.Stream{Labels: `{app="mixed"}`, Entries: []push.Entry{
		{Timestamp: start.Add(1), Line: "good"}, {Timestamp: start.AddDate(-1, 0, 0), Line: "old"},
	}}
	pushProto(t, x, http.StatusBadRequest, s)
	testkit.Eventually(t, within, func() error {
		if diff := cmp.Diff([]string{"good"}, linesOf(readLogs(t, x, `{app="mixed"}`, start, start.Add(time.Minute)))); diff != "" {
			return errors.New("lines (-want +got):\n" + diff)
		}
		return nil
	})
}
