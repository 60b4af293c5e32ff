package datadog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// linesOf lists the log rows as text: labels, nanoseconds, level, body, attributes.
func linesOf(tb testing.TB, b *seamark.Batch) []string {
	tb.Helper()
	l := &b.Logs
	if n := l.Len(); len(l.Stream) != n || len(l.Level) != n || len(l.Body) != n || len(l.AttrEnd) != n || len(l.TraceID) != n || len(l.SpanID) != n {
		tb.Fatalf("log columns differ in length: %+v", l)
	}
	var list []string
	for i := range l.Len() {
		attrs := slices.Clone(l.AttrsOf(i))
		seamark.SortLabels(attrs)
		list = append(list, fmt.Sprintf("%s %d %s %q %s", labelText(l.Streams[l.Stream[i]].Labels), l.TimeNano[i], l.Level[i], l.Body[i], labelText(attrs)))
	}
	return list
}

func expectLines(t *testing.T, b *seamark.Batch, want ...string) {
	t.Helper()
	if got := linesOf(t, b); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// agentLog is a log as the agent writes it for a container.
const agentLog = `{"message":"GET / 200","status":"info","timestamp":1785000000123,"hostname":"ip-10-0-0-7-prod","service":"checkout","ddsource":"nginx",` +
	`"ddtags":"env:prod,kube_namespace:shop,pod_name:checkout-6d5f8-x2x4z,kube_container_name:web,kube_deployment:checkout,kube_service:b,kube_service:a,canary"}`

const agentLine = `{container="web",namespace="shop",pod="checkout-6d5f8-x2x4z",service_name="checkout",workload="checkout"} 1785000000123000000 info "GET / 200" ` +
	`{canary="true",ddsource="nginx",env="prod",hostname="ip-10-0-0-7-prod",kube_service="a;b",status="info"}`

func TestLogsForms(t *testing.T) {
	for name, body := range map[string]string{
		"array":        "[" + agentLog + "," + agentLog + "]",
		"lines":        agentLog + "\n" + agentLog + "\n",
		"concatenated": agentLog + agentLog,
		"with probes":  "[{}," + agentLog + ",{}," + agentLog + "]",
	} {
		t.Run(name, func(t *testing.T) {
			expectLines(t, decode(t, (*datadog.Decoder).DecodeLogs, []byte(body)), agentLine, agentLine)
		})
	}
	expectLines(t, decode(t, (*datadog.Decoder).DecodeLogs, []byte(agentLog)), agentLine)
	expectLines(t, decode(t, (*datadog.Decoder).DecodeLogs, nil))
	expectLines(t, decode(t, (*datadog.Decoder).DecodeLogs, []byte("[]\n")))
}

func TestLogsFields(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"message alone":      {`{"message":"a\nb"}`, `{service_name="unknown_service"} 1785000000500000000 unknown "a\nb" {}`},
		"source is service":  {`{"message":"x","ddsource":"redis"}`, `{service_name="redis"} 1785000000500000000 unknown "x" {ddsource="redis"}`},
		"service as tag":     {`{"message":"x","ddsource":"redis","ddtags":"service:cache"}`, `{service_name="cache"} 1785000000500000000 unknown "x" {ddsource="redis"}`},
		"field before tag":   {`{"ddtags":"service:tag","message":"x","service":"field"}`, `{service_name="field"} 1785000000500000000 unknown "x" {service="tag"}`},
		"host is node":       {`{"message":"x","hostname":"node-1"}`, `{node="node-1",service_name="unknown_service"} 1785000000500000000 unknown "x" {}`},
		"tags as an array":   {`{"message":"x","ddtags":["env:prod"," b:c"]}`, `{service_name="unknown_service"} 1785000000500000000 unknown "x" {b="c",env="prod"}`},
		"time as text":       {`{"message":"x","timestamp":"2026-07-25T17:20:00.5Z"}`, `{service_name="unknown_service"} 1785000000500000000 unknown "x" {}`},
		"level from text":    {`{"message":"level=warn x"}`, `{service_name="unknown_service"} 1785000000500000000 warn "level=warn x" {}`},
		"other fields":       {`{"message":"x","status":"error","http":{"status_code":503,"url":"/"},"n":null}`, `{service_name="unknown_service"} 1785000000500000000 error "x" {http_status_code="503",http_url="/",status="error"}`},
		"without a message":  {`{"a":"b"}`, `{service_name="unknown_service"} 1785000000500000000 unknown "{\"a\":\"b\"}" {a="b"}`},
		"message not UTF-8":  {"{\"message\":\"a\xffb\"}", "{service_name=\"unknown_service\"} 1785000000500000000 unknown \"a\uFFFDb\" {}"},
		"tags without sense": {`{"message":"x","ddtags":",:a,b:,"}`, `{service_name="unknown_service"} 1785000000500000000 unknown "x" {}`},
	} {
		t.Run(name, func(t *testing.T) {
			expectLines(t, decode(t, (*datadog.Decoder).DecodeLogs, []byte(c.body)), c.want)
		})
	}
}

func TestLogsBadParts(t *testing.T) {
	const good = `{"message":"good"}`
	const line = `{service_name="unknown_service"} 1785000000500000000 unknown "good" {}`
	for name, c := range map[string]struct {
		body     string
		n        int
		contains string
	}{
		"no object":           {"[7," + good + "]", 1, "must be an object"},
		"broken line":         {good + "\n{\"message\":\nx\"}\n" + strings.Repeat("y\n", 0), 2, "at byte 18"},
		"broken line between": {good + "\n{\"message\":x}\n{}", 1, "at byte 18"},
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, (*datadog.Decoder).DecodeLogs, []byte(c.body))
			expectLines(t, b, line)
			expectRejected(t, b, c.n, "seamark-log-shape", c.contains)
		})
	}
}

func TestLogsOfRefusedStream(t *testing.T) {
	b, cat := new(seamark.Batch), refusing{}
	if err := datadog.New().DecodeLogs([]byte(agentLog+agentLog), cat, b, options); err != nil {
		t.Fatal(err)
	}
	expectRejected(t, b, 2, "seamark-label-value", "too long")
}

// refusing refuses every label set.
type refusing struct{}

func (refusing) Find(uint64) *seamark.Series { return nil }
func (refusing) Create(uint64, seamark.SeriesKind, []seamark.Label) (*seamark.Series, error) {
	return nil, seamark.Errorf(seamark.Invalid, "seamark-label-value", "A label is too long.")
}

// intake is what the agent sends for events, with metadata of the host beside them.
const intake = `{"apiKey":"","events":{"kubernetes":[{"msg_title":"Events from the Pod shop/api","msg_text":"%%% \nback-off\n %%%","timestamp":1785000000,` +
	`"priority":"normal","host":"node-1","tags":["kube_namespace:shop","pod_name:api-1","source_component:kubelet"],"alert_type":"warning","aggregation_key":"k8s:1",` +
	`"source_type_name":"kubernetes","event_type":"kubernetes"}],"api":[{"msg_title":"Deployed","msg_text":"","timestamp":1785000001,"host":"","alert_type":"success"}]},"internalHostname":"node-1"}`

func TestIntake(t *testing.T) {
	b := decode(t, (*datadog.Decoder).DecodeIntake, []byte(intake))
	expectLines(t, b,
		`{namespace="shop",pod="api-1",service_name="kubernetes"} 1785000000000000000 warn "Events from the Pod shop/api\n%%% \nback-off\n %%%" `+
			`{aggregation_key="k8s:1",alert_type="warning",event_type="kubernetes",host="node-1",priority="normal",source_component="kubelet",source_type_name="kubernetes"}`,
		`{service_name="api"} 1785000001000000000 info "Deployed" {alert_type="success"}`)
}

func TestIntakeOther(t *testing.T) {
	for name, body := range map[string]string{
		"host metadata": `{"apiKey":"x","agentVersion":"7.60.0","os":"linux","meta":{"hostname":"node-1"},"resources":{"processes":{}}}`,
		"no events":     `{"events":{"api":null}}`, "events null": `{"events":null}`,
	} {
		if b := decode(t, (*datadog.Decoder).DecodeIntake, []byte(body)); b.Rows() != 0 || b.Rejected.Rows() != 0 {
			t.Errorf("%s: %d rows, %+v", name, b.Rows(), b.Rejected)
		}
	}
	b := decode(t, (*datadog.Decoder).DecodeIntake, []byte(`{"events":[7,{"msg_text":"only text"}]}`))
	expectLines(t, b, `{service_name="unknown_service"} 1785000000500000000 unknown "only text" {}`)
	expectRejected(t, b, 1, "seamark-log-shape", "no object")
}

func TestAnswer(t *testing.T) {
	b := new(seamark.Batch)
	expectAnswer(t, b, 202, `{"status":"ok"}`)
	b.Rejected.Add(seamark.Metrics, 2, "seamark-a", `it is "bad"`)
	b.Rejected.Add(seamark.Metrics, 1, "seamark-b", "no")
	expectAnswer(t, b, 400, `{"status":"error","errors":["seamark-a x2: it is \"bad\"","seamark-b x1: no"]}`)
	b.Samples.Append(0, 1, 2)
	expectAnswer(t, b, 202, `{"status":"ok","errors":["seamark-a x2: it is \"bad\"","seamark-b x1: no"]}`)
	if datadog.AcceptedBody != `{"status":"ok"}` || datadog.ValidBody != `{"valid":true}` {
		t.Errorf("bodies %s, %s", datadog.AcceptedBody, datadog.ValidBody)
	}
}

func expectAnswer(t *testing.T, b *seamark.Batch, status int, body string) {
	t.Helper()
	if gotStatus, got := datadog.Answer(nil, b); gotStatus != status || string(got) != body {
		t.Errorf("got %d %s, want %d %s", gotStatus, got, status, body)
	}
}

func TestLogsAskForMemory(t *testing.T) {
	for _, f := range []decodeFunc{(*datadog.Decoder).DecodeLogs, (*datadog.Decoder).DecodeSeriesJSON, (*datadog.Decoder).DecodeCheckRun} {
		for _, body := range []string{agentLog, seriesV1, `{"check":"c","status":1}`} {
			b := &seamark.Batch{Claim: &budget{0}}
			err := f(datadog.New(), []byte(body), catalogtest.New(), b, options)
			if err != nil && seamark.KindOf(err) != seamark.Unavailable || err == nil && b.Rows() > 0 {
				t.Errorf("%.20s: %v with %d rows", body, err, b.Rows())
			}
		}
	}
}

func BenchmarkDecodeLogs(b *testing.B) {
	var body strings.Builder
	body.WriteByte('[')
	for i := range 1000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"message":"{\"ts\":\"2026-07-25T17:20:00Z\",\"msg\":\"request served\",\"path\":\"/v1/orders/%d\",\"status\":200,\"duration_ms\":%d}","status":"info","timestamp":%d,`+
			`"hostname":"ip-10-0-0-7-prod","service":"checkout","ddsource":"nginx","ddtags":"env:prod,kube_namespace:shop,pod_name:checkout-6d5f8-%d,kube_container_name:web,kube_deployment:checkout,image_tag:v1.42.0"}`,
			i*7919, i%300, 1785000000000+i, i%10)
	}
	body.WriteByte(']')
	benchmark(b, (*datadog.Decoder).DecodeLogs, []byte(body.String()), 1000)
}
