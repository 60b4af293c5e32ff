package hec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/hec"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestMetrics(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"several": {
			`{"time":1486683865.5,"event":"metric","source":"disk","sourcetype":"perflog","host":"host_1","index":"m","fields":{"region":"us-west-1","path":"/dev/sda1","metric_name:cpu.usr":11.12,"metric_name:cpu.idle":13}}`,
			[]string{
				`cpu_usr{host="host_1",index="m",path="/dev/sda1",region="us-west-1",source="disk",sourcetype="perflog"} 1486683865500 11.12`,
				`cpu_idle{host="host_1",index="m",path="/dev/sda1",region="us-west-1",source="disk",sourcetype="perflog"} 1486683865500 13`,
			},
		},
		"single":             {`{"event":"metric","fields":{"metric_name":"total","_value":-1e3,"a":"b"}}`, []string{`total{a="b"} 1785000000500 -1000`}},
		"value as text":      {`{"event":"metric","fields":{"metric_name:m":"0.5"}}`, []string{`m{} 1785000000500 0.5`}},
		"unknown host":       {`{"event":"metric","host":"unknown","fields":{"metric_name:m":1}}`, []string{`m{} 1785000000500 1`}},
		"dimension wins":     {`{"event":"metric","host":"h","fields":{"metric_name:m":1,"host":"own"}}`, []string{`m{host="own"} 1785000000500 1`}},
		"Kubernetes":         {`{"event":"metric","fields":{"metric_name:m":1,"k8s.cluster.name":"c","k8s.namespace.name":"n","k8s.pod.name":"p","k8s.container.name":"k","k8s.node.name":"w"}}`, []string{`m{cluster="c",container="k",namespace="n",node="w",pod="p"} 1785000000500 1`}},
		"names":              {`{"event":"metric","fields":{"metric_name:9.größe":1,"a.b":"1","a-b":"2","__name__":"x","3d":true}}`, []string{`_9_gr__e{_3d="true",a_b="1;2",dimension__name__="x"} 1785000000500 1`}},
		"odd dimensions":     {`{"event":"metric","fields":{"metric_name:m":1,"a":null,"b":[1],"c":{},"d":7}}`, []string{`m{d="7"} 1785000000500 1`}},
		"type is no label":   {`{"event":"metric","fields":{"metric_name:m":1,"metric_type":"Gauge"}}`, []string{`m{} 1785000000500 1`}},
		"classic histograms": {`{"event":"metric","fields":{"metric_name:h_bucket":3,"le":"0.5"}}`, []string{`h_bucket{le="0.5"} 1785000000500 3`}},
	} {
		t.Run(name, func(t *testing.T) {
			b, outcome := decode(t, (*hec.Decoder).DecodeEvents, c.body, options)
			expectRows(t, b, c.want...)
			if outcome != (hec.Outcome{}) {
				t.Errorf("outcome %+v, %+v", outcome, b.Rejected)
			}
		})
	}
}

func TestMetricMetadata(t *testing.T) {
	b, _ := decode(t, (*hec.Decoder).DecodeEvents,
		`{"event":"metric","fields":{"metric_name:g":1,"metric_type":"Gauge"}}{"event":"metric","fields":{"metric_name:s":1,"metric_type":"Sum"}}{"event":"metric","fields":{"metric_name:g":2}}`, options)
	if want := []seamark.MetricMetadata{{Metric: "g", Type: "gauge"}, {Metric: "s", Type: "unknown"}}; !slices.Equal(b.Metadata, want) {
		t.Errorf("got %+v, want %+v", b.Metadata, want)
	}
}

// TestMetricNeighbours has a value that is none beside one that is.
func TestMetricNeighbours(t *testing.T) {
	b, outcome := decode(t, (*hec.Decoder).DecodeEvents, `{"event":"metric","fields":{"metric_name:bad":"x","metric_name:none":null,"metric_name:good":1}}`, options)
	expectRows(t, b, `good{} 1785000000500 1`)
	expectRejected(t, b, 2, "seamark-hec-value", `"bad"`)
	if outcome != (hec.Outcome{Reply: hec.InvalidFormat}) {
		t.Errorf("outcome %+v", outcome)
	}
}

func TestMetricWithManyDimensions(t *testing.T) {
	b, _ := decode(t, (*hec.Decoder).DecodeEvents,
		`{"event":"metric","fields":{"metric_name:m":1`+strings.Repeat(`,"a":"b"`, 257)+`}}{"event":"metric","fields":{"metric_name:m":1}}`, options)
	expectRows(t, b, `m{} 1785000000500 1`)
	expectRejected(t, b, 1, "seamark-labels-limit", "the limit is 256")
}

// TestLargeEvents has an event of more measurements than scratch memory is kept for, and a small one behind it.
func TestLargeEvents(t *testing.T) {
	d, cat := hec.New(), catalogtest.New()
	var large strings.Builder
	large.WriteString(`{"event":"metric","fields":{"a":"b"`)
	for i := range 5000 {
		fmt.Fprintf(&large, `,"metric_name:m%d":%d`, i, i)
	}
	large.WriteString("}}")
	const small = `{"event":"metric","fields":{"metric_name:m1":1}}`
	for i, c := range []struct {
		body string
		rows int
	}{{large.String(), 5000}, {small, 1}, {large.String(), 5000}, {small, 1}} {
		b := new(seamark.Batch)
		if _, err := d.DecodeEvents([]byte(c.body), cat, b, options); err != nil {
			t.Fatal(err)
		}
		if b.Rows() != c.rows || len(b.Metadata) != c.rows {
			t.Errorf("request %d: %d rows and %d descriptions, want %d", i, b.Rows(), len(b.Metadata), c.rows)
		}
	}
}
