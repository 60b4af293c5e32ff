package ingest_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pushed is one request of a protocol.
type pushed struct {
	name, path, media, body string
	status                  int
}

func (x *account) push(t *testing.T, p pushed, header http.Header) {
	t.Helper()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", p.media)
	if answer := x.Do(t, x.Ingest, http.MethodPost, p.path, header, p.body); answer.Status != p.status {
		t.Fatalf("%s: got %d %s, want %d", p.name, answer.Status, answer.Body, p.status)
	}
}

const ndjsonMedia = "application/x-ndjson"

// timedLogs is one request of each log protocol over HTTP, whose line has a time and the protocol's name in it.
func timedLogs(t *testing.T, at time.Time) []pushed {
	t.Helper()
	rfc, seconds := at.UTC().Format(time.RFC3339Nano), strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)
	return []pushed{
		{"loki", lokiPath, jsonMedia, lokiBody(t, map[string]string{"app": "shop"}, at, "by loki"), http.StatusNoContent},
		{"otlp", "/v1/logs", jsonMedia, `{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[` +
			`{"timeUnixNano":"` + nano(at) + `","body":{"stringValue":"by otlp"}}]}]}]}`, http.StatusOK},
		{"elasticsearch", "/_bulk", ndjsonMedia, `{"create":{"_index":"shop"}}` + "\n" + `{"@timestamp":"` + rfc + `","message":"by elasticsearch"}` + "\n", http.StatusOK},
		{"hec", "/services/collector/event", jsonMedia, `{"time":` + seconds + `,"event":"by hec"}`, http.StatusOK},
		{"json", "/api/v1/push/logs", ndjsonMedia, `{"time":"` + rfc + `","message":"by json"}` + "\n", http.StatusNoContent},
		{"datadog", "/api/v2/logs", jsonMedia, `[{"timestamp":` + strconv.FormatInt(at.UnixMilli(), 10) + `,"message":"by datadog"}]`, http.StatusAccepted},
	}
}

// untimedLogs is the same without times, where a protocol lets a sender leave them out.
func untimedLogs() []pushed {
	return []pushed{
		{"elasticsearch", "/_bulk", ndjsonMedia, `{"create":{"_index":"shop"}}` + "\n" + `{"message":"by elasticsearch"}` + "\n", http.StatusOK},
		{"hec", "/services/collector/event", jsonMedia, `{"event":"by hec"}`, http.StatusOK},
		{"hec raw", "/services/collector/raw", "text/plain", "by hec raw", http.StatusOK},
		{"json", "/api/v1/push/logs", ndjsonMedia, `{"message":"by json"}` + "\n", http.StatusNoContent},
		{"datadog", "/api/v2/logs", jsonMedia, `[{"message":"by datadog"}]`, http.StatusAccepted},
	}
}

// counts returns how often each line is stored.
func (x *account) counts(t *testing.T) map[string]int {
	t.Helper()
	x.settleLogs(t)
	found := map[string]int{}
	for _, body := range x.bodies(t, `{cluster="eu-1"} |= "by "`) {
		found[body]++
	}
	return found
}

// TestRepeatIsStoredOnce sends each request three times, as after answers that were lost.
func TestRepeatIsStoredOnce(t *testing.T) {
	x := newAccount(t, "repeats")
	want := map[string]int{}
	for _, p := range timedLogs(t, now().Add(-time.Minute)) {
		for range 3 {
			x.push(t, p, nil)
		}
		want["by "+p.name] = 1
	}
	if diff := cmp.Diff(want, x.counts(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// TestEqualBodiesWithoutTimes pushes lines whose time nobody told: two that are equal are two.
func TestEqualBodiesWithoutTimes(t *testing.T) {
	x := newAccount(t, "untimed")
	want := map[string]int{}
	for _, p := range untimedLogs() {
		for range 2 {
			x.push(t, p, nil)
		}
		want["by "+p.name] = 2
	}
	if diff := cmp.Diff(want, x.counts(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// TestRepeatOfMetricsAndTraces counts what the bus knew already: a sample that is stored twice looks like one.
func TestRepeatOfMetricsAndTraces(t *testing.T) {
	x := newAccount(t, "repeated-metrics")
	at := now().Add(-time.Minute).Truncate(time.Second)
	seconds := strconv.FormatInt(at.Unix(), 10)
	for _, c := range []struct {
		signal, query string
		pushed
	}{
		{"metrics", "remotewrite", pushed{"remote write", writePath, protoMedia, writeBody(t, series{[]string{"__name__", "remotewrite"}, at, 1}), http.StatusNoContent}},
		{"metrics", "otlp", pushed{"otlp", "/v1/metrics", jsonMedia, `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"otlp","gauge":{"dataPoints":[` +
			`{"timeUnixNano":"` + nano(at) + `","asDouble":1}]}}]}]}]}`, http.StatusOK}},
		{"metrics", "influx", pushed{"influx", "/api/v2/write?precision=s", "text/plain", "influx value=1 " + seconds, http.StatusNoContent}},
		{"metrics", "datadog", pushed{"datadog", "/api/v2/series", jsonMedia, `{"series":[{"metric":"datadog","type":3,"points":[{"timestamp":` + seconds + `,"value":1}]}]}`, http.StatusAccepted}},
		{"traces", "", pushed{"traces", "/v1/traces", jsonMedia, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",` +
			`"name":"x","startTimeUnixNano":"` + nano(at) + `","endTimeUnixNano":"` + nano(at) + `"}]}]}]}`, http.StatusOK}},
	} {
		t.Run(c.name, func(t *testing.T) {
			known := func() float64 { return x.metric(t, "seamark_bus_duplicates_total", `signal="`+c.signal+`"`) }
			before := known()
			x.push(t, c.pushed, nil)
			if got := known() - before; got != 0 {
				t.Errorf("the first push: the bus knew %v messages, want 0", got)
			}
			x.push(t, c.pushed, nil)
			if got := known() - before; got != 1 {
				t.Errorf("its repeat: the bus knew %v messages, want 1", got)
			}
			if c.query != "" {
				x.awaitSamples(t, `count_over_time(`+c.query+`[10m])`, map[string]string{"": "1"})
			}
		})
	}
}

// TestRepeatAfterPipelineChange repeats a request whose rows are others now. What a name stands for is its rows, so they are
// stored and not taken for those of the first attempt; a repeat without a change is one.
func TestRepeatAfterPipelineChange(t *testing.T) {
	x := newAccount(t, "repeat-change")
	at := now().Add(-time.Minute)
	body := lokiBody(t, map[string]string{"app": "shop"}, at, "paid")
	push := func() { x.Post(t, x.Ingest, lokiPath, jsonMedia, body, http.StatusNoContent) }
	push()
	x.settleLogs(t)
	x.usePipelines(t, `[{"name":"p","enabled":true,"steps":[{"name":"mark","kind":"transform","match":["resource.attributes[\"app\"] == \"shop\""],`+
		`"statements":["set(log.body, Concat([log.body, \"changed\"], \" \"))"]}]}]`)
	push()
	push()
	x.settleLogs(t)
	got := map[string]int{}
	for _, text := range x.bodies(t, `{app="shop"} !~ "probe"`) {
		got[text]++
	}
	if diff := cmp.Diff(map[string]int{"paid": 1, "paid changed": 1}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// TestIdempotencyKey has the sender name its requests, which makes a repeat known where no time does.
func TestIdempotencyKey(t *testing.T) {
	x := newAccount(t, "named")
	want := map[string]int{}
	for _, p := range untimedLogs() {
		for _, key := range []string{"one", "one", "two", "one"} {
			x.push(t, p, http.Header{"Idempotency-Key": {key}})
		}
		want["by "+p.name] = 2
	}
	if diff := cmp.Diff(want, x.counts(t)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}
