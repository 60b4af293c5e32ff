package hec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// otelEvent is an event of Splunk's OpenTelemetry collector.
const otelEvent = `{"time":1785000000.123,"host":"ip-10-0-0-7","source":"/var/log/pods/shop_api-1_x/web/0.log","sourcetype":"kube:container:web","index":"main",` +
	`"event":"request failed","fields":{"k8s.pod.name":"api-1","k8s.namespace.name":"shop","k8s.container.name":"web","k8s.cluster.name":"prod","k8s.node.name":"ip-10-0-0-7",` +
	`"k8s.deployment.name":"api","otel.log.severity.text":"ERROR","otel.log.severity.number":"17","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","http.status":503}}`

const otelRow = `{cluster="prod",container="web",namespace="shop",node="ip-10-0-0-7",pod="api-1",service_name="web",workload="api"} 1785000000123000000 error "request failed" ` +
	`{com_splunk_index="main",com_splunk_source="/var/log/pods/shop_api-1_x/web/0.log",com_splunk_sourcetype="kube:container:web",host="ip-10-0-0-7",http_status="503",severity_number="17",severity_text="ERROR"}`

// fluentBitEvent is an event of Fluent Bit's splunk output.
const fluentBitEvent = `{"time":1785000000.5,"event":{"log":"level=warn slow\n","stream":"stderr","kubernetes":{"pod_name":"api-7f9c-x2x4z","namespace_name":"shop","container_name":"web","host":"node-1","labels":{"pod-template-hash":"7f9c"}}}}`

const fluentBitRow = `{container="web",namespace="shop",node="node-1",pod="api-7f9c-x2x4z",service_name="web",workload="api"} 1785000000500000000 warn "level=warn slow" {kubernetes_labels_pod_template_hash="7f9c",stream="stderr"}`

func TestEventForms(t *testing.T) {
	for name, body := range map[string]string{
		"concatenated": otelEvent + fluentBitEvent,
		"lines":        otelEvent + "\n" + fluentBitEvent + "\r\n",
		"blanks":       " \t" + otelEvent + "  \n\n " + fluentBitEvent,
		"array":        "[" + otelEvent + " , " + fluentBitEvent + "]\n",
	} {
		t.Run(name, func(t *testing.T) {
			b, outcome := decode(t, (*hec.Decoder).DecodeEvents, body, options)
			expectRows(t, b, otelRow, fluentBitRow)
			if outcome != (hec.Outcome{}) || b.Rejected.Rows() != 0 {
				t.Errorf("outcome %+v, refused %+v", outcome, b.Rejected)
			}
		})
	}
}

func TestEventFields(t *testing.T) {
	const unknown = `{service_name="unknown_service"} 1785000000500000000 unknown `
	for name, c := range map[string]struct{ body, want string }{
		"text":                 {`{"event":"a\n\u00e9"}`, unknown + `"a\né" {}`},
		"number":               {`{"event":7}`, unknown + `"7" {}`},
		"boolean":              {`{"event":false}`, unknown + `"false" {}`},
		"array":                {`{"event":[1,"a"]}`, unknown + `"[1,\"a\"]" {}`},
		"object with message":  {`{"event":{"message":"m","n":1}}`, unknown + `"m" {n="1"}`},
		"Docker, inline":       {`{"event":{"line":"GET / 200","source":"stdout","tag":"web","attrs":{"team":"shop"}}}`, unknown + `"GET / 200" {attrs_team="shop",source="stdout",tag="web"}`},
		"Docker, json":         {`{"event":{"line":{"level":"warn","msg":"slow","n":1},"source":"stderr"}}`, `{service_name="unknown_service"} 1785000000500000000 warn "slow" {level="warn",n="1",source="stderr"}`},
		"Docker, json alone":   {`{"event":{"line":{"n":1},"source":"stderr"}}`, unknown + `"{\"n\":1}" {n="1",source="stderr"}`},
		"line of a source":     {`{"event":{"line":7,"source":"a.go","message":"m"}}`, unknown + `"m" {line="7",source="a.go"}`},
		"object without":       {`{"event":{"a":{"b":1}}}`, unknown + `"{\"a\":{\"b\":1}}" {a_b="1"}`},
		"time, seconds":        {`{"time":1426279439,"event":"x"}`, `{service_name="unknown_service"} 1426279439000000000 unknown "x" {}`},
		"time, float":          {`{"time":1426279439.25,"event":"x"}`, `{service_name="unknown_service"} 1426279439250000000 unknown "x" {}`},
		"time, string":         {`{"time":"1426279439.25","event":"x"}`, `{service_name="unknown_service"} 1426279439250000000 unknown "x" {}`},
		"time, exponent":       {`{"time":1.426279439e9,"event":"x"}`, `{service_name="unknown_service"} 1426279439000000000 unknown "x" {}`},
		"time, none":           {`{"time":null,"event":"x"}`, unknown + `"x" {}`},
		"time, zero":           {`{"time":0,"event":"x"}`, unknown + `"x" {}`},
		"host is the node":     {`{"host":"node-1","event":"x"}`, `{node="node-1",service_name="unknown_service"} 1785000000500000000 unknown "x" {}`},
		"host unknown":         {`{"host":"unknown","event":"x"}`, unknown + `"x" {}`},
		"sourcetype":           {`{"sourcetype":"nginx","event":"x"}`, `{service_name="nginx"} 1785000000500000000 unknown "x" {com_splunk_sourcetype="nginx"}`},
		"Connect for K8s":      {`{"event":"x","fields":{"pod":"p","namespace":"n","container_name":"c","cluster_name":"k"}}`, `{cluster="k",container="c",namespace="n",pod="p",service_name="c"} 1785000000500000000 unknown "x" {}`},
		"fields, odd values":   {`{"event":"x","fields":{"a":null,"b":["c",1],"d":{"e":true}}}`, unknown + `"x" {b="[\"c\",1]",d_e="true"}`},
		"unknown member":       {`{"event":"x","extra":"y","fields":null}`, unknown + `"x" {extra="y"}`},
		"metric without field": {`{"event":"metric"}`, unknown + `"metric" {}`},
	} {
		t.Run(name, func(t *testing.T) {
			b, _ := decode(t, (*hec.Decoder).DecodeEvents, c.body, options)
			expectRows(t, b, c.want)
		})
	}
}

func TestEventDefaults(t *testing.T) {
	o := hec.Options{Now: now, Default: hec.Metadata{Time: "1426279439.5", Host: "h", Source: "s", Sourcetype: "t", Index: "i"}}
	b, _ := decode(t, (*hec.Decoder).DecodeEvents, `{"event":"x"}{"event":"y","host":"H","source":"S","sourcetype":"T","index":"I","time":1426279440}`, o)
	expectRows(t, b,
		`{node="h",service_name="t"} 1426279439500000000 unknown "x" {com_splunk_index="i",com_splunk_source="s",com_splunk_sourcetype="t"}`,
		`{node="H",service_name="T"} 1426279440000000000 unknown "y" {com_splunk_index="I",com_splunk_source="S",com_splunk_sourcetype="T"}`)
}

// TestInvalidEvents holds wire contract 1.5: the body names the first invalid event, and its neighbours are stored.
func TestInvalidEvents(t *testing.T) {
	const good = `{"event":"good"}`
	const row = `{service_name="unknown_service"} 1785000000500000000 unknown "good" {}`
	for name, c := range map[string]struct {
		body    string
		rows, n int
		answer  string
		reason  string
	}{
		"missing":              {good + `{"host":"h"}` + good, 2, 1, `{"text":"Event field is required","code":12,"invalid-event-number":1,`, "seamark-hec-event"},
		"null":                 {good + `{"event":null}`, 1, 1, `{"text":"Event field is required","code":12,"invalid-event-number":1,`, "seamark-hec-event"},
		"blank":                {`{"event":" "}` + good, 1, 1, `{"text":"Event field cannot be blank","code":13,"invalid-event-number":0,`, "seamark-hec-event"},
		"two of a kind":        {good + `{}` + good + `{}`, 2, 2, `{"text":"Event field is required","code":12,"invalid-event-number":1,`, "seamark-hec-event"},
		"no object":            {good + `7 ` + good, 2, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":1,`, "seamark-hec-format"},
		"time":                 {good + good + `{"event":"x","time":"noon"}`, 2, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":2,`, "seamark-hec-format"},
		"fields":               {good + `{"event":"x","fields":[1]}`, 1, 1, `{"text":"Error in handling indexed fields","code":15,"invalid-event-number":1,`, "seamark-hec-fields"},
		"broken behind good":   {good + `{"event":"x"`, 1, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":1,`, "seamark-hec-format"},
		"comma between":        {good + `,` + good, 1, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":1,`, "seamark-hec-format"},
		"array, missing":       {`[` + good + `,{}]`, 1, 1, `{"text":"Event field is required","code":12,"invalid-event-number":1,`, "seamark-hec-event"},
		"array, broken":        {`[` + good + `,{]`, 1, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":1,`, "seamark-hec-format"},
		"metric without name":  {good + `{"event":"metric","fields":{"a":"b"}}`, 1, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":1,`, "seamark-hec-value"},
		"metric without value": {good + `{"event":"metric","fields":{"metric_name:m":"x"}}`, 1, 1, `{"text":"Invalid data format","code":6,"invalid-event-number":1,`, "seamark-hec-value"},
	} {
		t.Run(name, func(t *testing.T) {
			b, outcome := decode(t, (*hec.Decoder).DecodeEvents, c.body, options)
			var want []string
			for range c.rows {
				want = append(want, row)
			}
			expectRows(t, b, want...)
			expectRejected(t, b, c.n, c.reason, "vent ")
			status, answer := hec.Answer(nil, outcome, b, 7)
			if status != 400 || !strings.HasPrefix(string(answer), c.answer) || !strings.Contains(string(answer), c.reason) {
				t.Errorf("answer %d %s, want 400 %s", status, answer, c.answer)
			}
		})
	}
}

func TestUnreadableBodies(t *testing.T) {
	for name, c := range map[string]struct {
		f        decodeFunc
		body     string
		reply    hec.Reply
		id       string
		contains string
	}{
		"nothing":       {(*hec.Decoder).DecodeEvents, "", hec.NoData, "seamark-hec-empty", "no data"},
		"blanks":        {(*hec.Decoder).DecodeEvents, " \r\n\t", hec.NoData, "seamark-hec-empty", "no data"},
		"empty array":   {(*hec.Decoder).DecodeEvents, "[]", hec.NoData, "seamark-hec-empty", "no data"},
		"text":          {(*hec.Decoder).DecodeEvents, "hello", hec.InvalidFormat, "seamark-hec-format", "at byte 0 of 5"},
		"cut":           {(*hec.Decoder).DecodeEvents, `{"event":"x`, hec.InvalidFormat, "seamark-hec-format", "at byte 9 of 11"},
		"array, cut":    {(*hec.Decoder).DecodeEvents, `[{"event":`, hec.InvalidFormat, "seamark-hec-format", "at byte 10 of 10"},
		"raw, nothing":  {(*hec.Decoder).DecodeRaw, "", hec.NoData, "seamark-hec-empty", "no data"},
		"raw, no lines": {(*hec.Decoder).DecodeRaw, "\n \r\n\t\n", hec.NoData, "seamark-hec-empty", "no data"},
	} {
		t.Run(name, func(t *testing.T) {
			b := new(seamark.Batch)
			outcome, err := c.f(hec.New(), []byte(c.body), catalogtest.New(), b, options)
			expectError(t, err, seamark.Invalid, c.id, c.contains)
			if outcome.Reply != c.reply || outcome.Event != 0 || b.Rows() != 0 {
				t.Errorf("outcome %+v with %d rows", outcome, b.Rows())
			}
		})
	}
}

func TestRefusedLabels(t *testing.T) {
	for name, c := range map[string]struct {
		f    decodeFunc
		body string
	}{
		"events":  {(*hec.Decoder).DecodeEvents, `{"event":"a"}{"event":"b"}`},
		"metrics": {(*hec.Decoder).DecodeEvents, `{"event":"metric","fields":{"metric_name:a":1,"metric_name:b":2}}`},
		"raw":     {(*hec.Decoder).DecodeRaw, "a\nb\n"},
	} {
		t.Run(name, func(t *testing.T) {
			b := new(seamark.Batch)
			outcome, err := c.f(hec.New(), []byte(c.body), refusing{}, b, options)
			if err != nil || outcome != (hec.Outcome{Reply: hec.InvalidFormat}) {
				t.Errorf("outcome %+v, %v", outcome, err)
			}
			expectRejected(t, b, 2, "seamark-label-value", "too long")
		})
	}
}

func TestMemoryEndsTheRequest(t *testing.T) {
	for _, body := range []string{otelEvent, "[" + otelEvent + "]", `{"event":"metric","fields":{"metric_name:a":1}}`, `{"event":"metric","fields":{"dimensions":"alone"}}`} {
		_, err := hec.New().DecodeEvents([]byte(body), catalogtest.New(), &seamark.Batch{Claim: nothing{}}, options)
		if !errors.Is(err, errMemory) {
			t.Errorf("%.30s: %v", body, err)
		}
	}
}

func TestRaw(t *testing.T) {
	o := hec.Options{Now: now, Default: hec.Metadata{Time: "1426279439", Host: "h", Source: "s", Sourcetype: "t", Index: "i"}}
	b, outcome := decode(t, (*hec.Decoder).DecodeRaw, "ERROR first\r\n\n  second \n{\"third\":1}", o)
	const attrs = `{com_splunk_index="i",com_splunk_source="s",com_splunk_sourcetype="t"}`
	expectRows(t, b,
		`{node="h",service_name="t"} 1426279439000000000 error "ERROR first" `+attrs,
		`{node="h",service_name="t"} 1426279439000000000 unknown "  second " `+attrs,
		`{node="h",service_name="t"} 1426279439000000000 unknown "{\"third\":1}" `+attrs)
	if outcome != (hec.Outcome{}) {
		t.Errorf("outcome %+v", outcome)
	}
	b, _ = decode(t, (*hec.Decoder).DecodeRaw, "a\xffb", options)
	expectRows(t, b, "{service_name=\"unknown_service\"} 1785000000500000000 unknown \"a\uFFFDb\" {}")
}

func TestRawTime(t *testing.T) {
	o := hec.Options{Now: now, Default: hec.Metadata{Time: "noon"}}
	outcome, err := hec.New().DecodeRaw([]byte("x"), catalogtest.New(), new(seamark.Batch), o)
	expectError(t, err, seamark.Invalid, "seamark-hec-format", `"noon"`)
	if outcome.Reply != hec.InvalidFormat {
		t.Errorf("outcome %+v", outcome)
	}
}

func BenchmarkDecodeEvents(b *testing.B) {
	var body strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, `{"time":%d.%03d,"host":"ip-10-0-0-7","source":"/var/log/pods/shop_api-%d_x/web/0.log","sourcetype":"kube:container:web","index":"main",`+
			`"event":"request served method=GET path=/v1/orders/%d status=200 bytes=%d duration_ms=%d user_agent=Mozilla/5.0 (X11; Linux x86_64)",`+
			`"fields":{"k8s.pod.name":"api-%d","k8s.namespace.name":"shop","k8s.container.name":"web","k8s.cluster.name":"prod","k8s.node.name":"ip-10-0-0-7"}}`,
			1785000000+i, i%1000, i%10, i*7919, i*13, i%300, i%10)
	}
	benchmark(b, (*hec.Decoder).DecodeEvents, body.String(), 1000)
}

func BenchmarkDecodeRaw(b *testing.B) {
	var body strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, "2026-07-25T17:20:00Z INFO request served method=GET path=/v1/orders/%d status=200 bytes=%d duration_ms=%d user_agent=Mozilla/5.0 (X11; Linux x86_64)\n", i*7919, i*13, i%300)
	}
	benchmark(b, (*hec.Decoder).DecodeRaw, body.String(), 1000)
}

func BenchmarkDecodeMetrics(b *testing.B) {
	var body strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&body, `{"time":1785000000.123,"event":"metric","host":"ip-10-0-0-7","source":"otel","sourcetype":"otel","fields":{"k8s.pod.name":"api-%d","k8s.namespace.name":"shop","metric_name:container.cpu.%d":%d.5,"metric_type":"Gauge"}}`, i%50, i/50, i)
	}
	benchmark(b, (*hec.Decoder).DecodeEvents, body.String(), 1000)
}

func benchmark(b *testing.B, f decodeFunc, text string, rows int) {
	b.Helper()
	d, cat, batch, body := hec.New(), catalogtest.New(), new(seamark.Batch), []byte(text)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		batch.Reset()
		if _, err := f(d, body, cat, batch, options); err != nil {
			b.Fatal(err)
		}
	}
	if batch.Rows() != rows {
		b.Fatalf("%d rows, want %d; refused: %+v", batch.Rows(), rows, batch.Rejected)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
