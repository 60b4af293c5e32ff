package datadog_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// seriesV1 is what an agent sends to /api/v1/series.
const seriesV1 = `{"series":[
 {"metric":"system.load.1","points":[[1785000000,0.5],[1785000015.25,-1e3]],"tags":["env:prod","kube_namespace:shop"],"host":"node-1","device":"sda1","type":"gauge","interval":0,"source_type_name":"System"},
 {"metric":"shop.orders","points":[[1785000000,7]],"tags":null,"host":"node-1","type":"count","interval":10},
 {"metric":"shop.requests","points":[[1785000000,2.5]],"host":"node-1","type":"rate","interval":10}]}`

// seriesV2 is what a client of /api/v2/series sends.
const seriesV2 = `{"series":[{"metric":"system.load.1","type":3,"points":[{"timestamp":1785000000,"value":0.5}],
 "resources":[{"name":"node-1","type":"host"},{"type":"device","name":"sda1"}],"tags":["env:prod"],"unit":"load"},
 {"metric":"caf\u00e9.orders","type":1,"points":[{"value":7}],"tags":["name:\"q\""]},{"metric":"r","type":2,"points":[]}]}`

func TestSeriesJSONVersion1(t *testing.T) {
	b := decode(t, (*datadog.Decoder).DecodeSeriesJSON, []byte(seriesV1))
	expectSamples(t, b,
		`system_load_1{device="sda1",env="prod",host="node-1",namespace="shop"} 1785000000000 0.5`,
		`system_load_1{device="sda1",env="prod",host="node-1",namespace="shop"} 1785000015250 -1000`,
		`shop_orders{host="node-1"} 1785000000000 7`,
		`shop_requests{host="node-1"} 1785000000000 2.5`)
	if len(b.Metadata) != 3 || !strings.HasPrefix(b.Metadata[1].Help, "Datadog count") || !strings.HasPrefix(b.Metadata[2].Help, "Datadog rate") {
		t.Errorf("metadata %+v", b.Metadata)
	}
}

func TestSeriesJSONVersion2(t *testing.T) {
	b := decode(t, (*datadog.Decoder).DecodeSeriesJSON, []byte(seriesV2))
	expectSamples(t, b,
		`system_load_1{device="sda1",env="prod",host="node-1"} 1785000000000 0.5`,
		`caf__orders{name="\"q\""} 1785000000500 7`)
	if len(b.Metadata) != 3 || b.Metadata[0].Unit != "load" || !strings.HasPrefix(b.Metadata[1].Help, "Datadog count") {
		t.Errorf("metadata %+v", b.Metadata)
	}
}

// TestSeriesFormsAgree sends the same series in both forms of version 2.
func TestSeriesFormsAgree(t *testing.T) {
	list := kubernetesSeries()
	proto := decode(t, (*datadog.Decoder).DecodeSeriesProto, seriesBody(list...))
	text := decode(t, (*datadog.Decoder).DecodeSeriesJSON, seriesJSON(t, list))
	expectSamples(t, text, samplesOf(t, proto)...)
}

func seriesJSON(tb testing.TB, list []series) []byte {
	tb.Helper()
	type object = map[string]any
	var out []object
	for _, one := range list {
		s := object{"metric": one.metric, "tags": one.tags, "type": one.metricType}
		var resources, points []object
		for _, r := range one.resources {
			resources = append(resources, object{"type": r[0], "name": r[1]})
		}
		for _, p := range one.points {
			points = append(points, object{"timestamp": p[0], "value": p[1]})
		}
		s["resources"], s["points"] = resources, points
		out = append(out, s)
	}
	body, err := json.Marshal(object{"series": out})
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// TestConnectivityProbe holds wire contract 1.11: an agent posts {} to see whether we are there.
func TestConnectivityProbe(t *testing.T) {
	for name, f := range map[string]decodeFunc{
		"series in protobuf": (*datadog.Decoder).DecodeSeriesProto, "sketches": (*datadog.Decoder).DecodeSketches,
		"series": (*datadog.Decoder).DecodeSeriesJSON, "checks": (*datadog.Decoder).DecodeCheckRun,
		"logs": (*datadog.Decoder).DecodeLogs, "intake": (*datadog.Decoder).DecodeIntake,
	} {
		b := decode(t, f, []byte("{}"))
		if status, body := datadog.Answer(nil, b); b.Rows() != 0 || status != 202 || string(body) != `{"status":"ok"}` {
			t.Errorf("%s: %d rows, answer %d %s", name, b.Rows(), status, body)
		}
	}
}

func TestSeriesJSONBadParts(t *testing.T) {
	for name, c := range map[string]struct {
		bad              string
		n                int
		reason, contains string
	}{
		"series":            {`7`, 1, "seamark-point-shape", "must be an object"},
		"no points":         {`{"metric":"m"}`, 1, "seamark-point-shape", `"m"`},
		"point":             {`{"metric":"m","points":[7,"x"]}`, 2, "seamark-point-shape", "7"},
		"no value":          {`{"metric":"m","points":[[1],[1,null],{"timestamp":1}]}`, 3, "seamark-point-shape", "[1]"},
		"text as value":     {`{"metric":"m","points":[[1,"2"]]}`, 1, "seamark-point-shape", `\"2\"`},
		"text as time":      {`{"metric":"m","points":[["1",2]]}`, 1, "seamark-point-shape", `\"1\"`},
		"milliseconds":      {`{"metric":"m","points":[[1785000000000,2],[1785000000000.5,2]]}`, 2, "seamark-point-timestamp", "1.785e+12"},
		"negative":          {`{"metric":"m","points":[[-1,2],[-1.5,2]]}`, 2, "seamark-point-timestamp", "-1"},
		"no name":           {`{"points":[[1,2],[2,3]]}`, 2, "seamark-labels-empty", "empty"},
		"too large a value": {`{"metric":"m","points":[[1,1e999]]}`, 1, "seamark-point-shape", "1e999"},
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, (*datadog.Decoder).DecodeSeriesJSON, fmt.Appendf(nil, `{"series":[%s,{"metric":"good","points":[[1,2]]}]}`, c.bad))
			expectSamples(t, b, `good{} 1000 2`)
			expectRejected(t, b, c.n, c.reason, c.contains)
		})
	}
}

func TestSeriesJSONOddParts(t *testing.T) {
	b := decode(t, (*datadog.Decoder).DecodeSeriesJSON, []byte(
		`{"other":1,"series":[{"metric":"m","tags":"a:b","resources":[7,{"type":"host"}],"host":null,"unit":null,"points":[[1,2,3]]}]}`))
	expectSamples(t, b, `m{} 1000 2`)
	if b := decode(t, (*datadog.Decoder).DecodeSeriesJSON, []byte(`{"series":null}`)); b.Rows() != 0 || b.Rejected.Rows() != 0 {
		t.Errorf("no series: %+v", b.Rejected)
	}
}

func TestJSONMalformed(t *testing.T) {
	for name, c := range map[string]struct {
		f        decodeFunc
		body     string
		contains string
	}{
		"series, cut":           {(*datadog.Decoder).DecodeSeriesJSON, seriesV1[:100], "at byte"},
		"series, array":         {(*datadog.Decoder).DecodeSeriesJSON, `[]`, "an object is expected"},
		"series, no list":       {(*datadog.Decoder).DecodeSeriesJSON, `{"series":{}}`, "an array is expected"},
		"series, empty":         {(*datadog.Decoder).DecodeSeriesJSON, ``, "byte 0 of 0"},
		"series, trailing text": {(*datadog.Decoder).DecodeSeriesJSON, `{} x`, "the end is expected"},
		"checks":                {(*datadog.Decoder).DecodeCheckRun, `[{"check":"c"`, "at byte"},
		"one check":             {(*datadog.Decoder).DecodeCheckRun, `{"check":"c"`, "at byte"},
		"check, no object":      {(*datadog.Decoder).DecodeCheckRun, `7`, "an object is expected"},
		"logs, array":           {(*datadog.Decoder).DecodeLogs, `[{"message":"x"},`, "at byte"},
		"logs, text":            {(*datadog.Decoder).DecodeLogs, `hello`, "at byte 0"},
		"intake":                {(*datadog.Decoder).DecodeIntake, `{"events":`, "at byte"},
	} {
		err := c.f(datadog.New(), []byte(c.body), catalogtest.New(), new(seamark.Batch), options)
		t.Run(name, func(t *testing.T) { expectError(t, err, "seamark-body-json", c.contains) })
	}
}

func TestCheckRun(t *testing.T) {
	const one = `{"check":"http.can_connect","host_name":"node-1","timestamp":1785000000,"status":2,"message":"refused","tags":["url:http://x","env:prod"]}`
	const want = `datadog_service_check{check="http.can_connect",env="prod",host="node-1",url="http://x"} 1785000000000 2`
	b := decode(t, (*datadog.Decoder).DecodeCheckRun, []byte("["+one+`,{"check":"datadog.agent.up","host_name":"node-1","status":0,"tags":null}]`))
	expectSamples(t, b, want, `datadog_service_check{check="datadog.agent.up",host="node-1"} 1785000000500 0`)
	if len(b.Metadata) != 1 || b.Metadata[0].Metric != "datadog_service_check" || b.Metadata[0].Type != "gauge" {
		t.Errorf("metadata %+v", b.Metadata)
	}
	expectSamples(t, decode(t, (*datadog.Decoder).DecodeCheckRun, []byte(one)), want)
}

func TestCheckRunBadParts(t *testing.T) {
	for name, c := range map[string]struct {
		bad              string
		reason, contains string
	}{
		"no object":    {`7`, "seamark-check-shape", "must be an object"},
		"no status":    {`{"check":"c"}`, "seamark-check-shape", `"c"`},
		"status":       {`{"check":"c","status":4}`, "seamark-check-shape", `"4"`},
		"fraction":     {`{"check":"c","status":1.5}`, "seamark-check-shape", `"1.5"`},
		"word":         {`{"check":"c","status":"ok"}`, "seamark-check-shape", `ok`},
		"no name":      {`{"status":1}`, "seamark-check-shape", "a name"},
		"milliseconds": {`{"check":"c","status":1,"timestamp":1785000000000}`, "seamark-point-timestamp", "1.785e+12"},
		"label":        {`{"check":"c","status":1,"tags":[` + strings.Repeat(`"a:b",`, 300) + `"a:c"]}`, "seamark-labels-limit", "256"},
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, (*datadog.Decoder).DecodeCheckRun, []byte("["+c.bad+`,{"check":"good","status":3}]`))
			expectSamples(t, b, `datadog_service_check{check="good"} 1785000000500 3`)
			expectRejected(t, b, 1, c.reason, c.contains)
		})
	}
}

func BenchmarkDecodeSeriesJSON(b *testing.B) {
	benchmark(b, (*datadog.Decoder).DecodeSeriesJSON, seriesJSON(b, kubernetesSeries()), 1000)
}

// TestLargeRequests has requests of more metrics, tags and bins than scratch memory is kept for, and small ones between.
func TestLargeRequests(t *testing.T) {
	var list []series
	for i := range 5000 {
		list = append(list, series{metric: fmt.Sprintf("m%d", i), points: [][2]float64{{1, float64(i)}}})
	}
	large, small := seriesBody(list...), seriesBody(list[:1]...)
	d, cat := datadog.New(), catalogtest.New()
	for i, c := range []struct {
		body []byte
		rows int
	}{{large, 5000}, {small, 1}, {large, 5000}, {small, 1}} {
		b := new(seamark.Batch)
		if err := d.DecodeSeriesProto(c.body, cat, b, options); err != nil {
			t.Fatal(err)
		}
		if b.Rows() != c.rows || len(b.Metadata) != c.rows {
			t.Errorf("request %d: %d rows and %d descriptions, want %d", i, b.Rows(), len(b.Metadata), c.rows)
		}
	}
}

func TestSeriesJSONManyTags(t *testing.T) {
	tags := strings.Repeat(`"a:b",`, 256) + `"c:d"`
	resources := strings.TrimSuffix(strings.Repeat(`{"type":"r%d","name":"x"},`, 257), ",")
	for i := range 257 {
		resources = strings.Replace(resources, "%d", fmt.Sprint(i), 1)
	}
	for _, series := range []string{`{"metric":"m","tags":[` + tags + `],"points":[[1,2],[2,3]]}`, `{"metric":"m","resources":[` + resources + `],"points":[[1,2],[2,3]]}`} {
		b := decode(t, (*datadog.Decoder).DecodeSeriesJSON, []byte(`{"series":[`+series+`]}`))
		expectRejected(t, b, 2, "seamark-labels-limit", "256")
	}
}
