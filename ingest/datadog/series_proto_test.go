package datadog_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/ingest/catalogtest"
	"github.com/seamarkhq/seamark/ingest/datadog"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestSeriesProto(t *testing.T) {
	b := decode(t, (*datadog.Decoder).DecodeSeriesProto, seriesBody(
		series{
			resources: [][2]string{{"host", "node-1-prod"}, {"device", "sda1"}}, metric: "system.disk.in_use",
			tags: []string{"env:prod", "kube_namespace:shop"}, metricType: 3, unit: "byte",
			points: [][2]float64{{1785000000, 0.25}, {1785000015, 0.5}},
		},
		series{resources: [][2]string{{"host", "node-1-prod"}}, metric: "shop.orders", metricType: 1, points: [][2]float64{{1785000000, 7}}},
		series{metric: "shop.requests", metricType: 2, points: [][2]float64{{0, math.Inf(1)}}},
	))
	expectSamples(t, b,
		`system_disk_in_use{device="sda1",env="prod",host="node-1-prod",namespace="shop"} 1785000000000 0.25`,
		`system_disk_in_use{device="sda1",env="prod",host="node-1-prod",namespace="shop"} 1785000015000 0.5`,
		`shop_orders{host="node-1-prod"} 1785000000000 7`,
		`shop_requests{} 1785000000500 +Inf`,
	)
	want := []seamark.MetricMetadata{
		{Metric: "system_disk_in_use", Type: "gauge", Unit: "byte"},
		{Metric: "shop_orders", Type: "gauge", Help: "Datadog count: the increase within each interval. sum_over_time() gives the increase of a range."},
		{Metric: "shop_requests", Type: "gauge", Help: "Datadog rate: per second, averaged over each interval. avg_over_time() gives the rate of a range."},
	}
	if !slices.Equal(b.Metadata, want) {
		t.Errorf("metadata %+v, want %+v", b.Metadata, want)
	}
}

func TestSeriesLabels(t *testing.T) {
	for name, c := range map[string]struct {
		resources [][2]string
		tags      []string
		want      string
	}{
		"none":                        {nil, nil, `m{}`},
		"flag":                        {nil, []string{"canary"}, `m{canary="true"}`},
		"colon in the value":          {nil, []string{"url:http://x:80/"}, `m{url="http://x:80/"}`},
		"no value, no key, no tag":    {nil, []string{"a:", ":b", ""}, `m{}`},
		"characters":                  {nil, []string{"app.kubernetes.io/name:x", "3d:y", "größe:z"}, `m{_3d="y",app_kubernetes_io_name="x",gr__e="z"}`},
		"key twice":                   {nil, []string{"svc:b", "svc:a", "svc:b"}, `m{svc="a;b"}`},
		"keys that become one":        {nil, []string{"a.b:2", "a-b:1"}, `m{a_b="1;2"}`},
		"resource wins":               {[][2]string{{"host", "h"}}, []string{"host:x", "host:y"}, `m{host="h"}`},
		"resource twice":              {[][2]string{{"host", "a"}, {"host", "b"}}, nil, `m{host="b"}`},
		"resource without name":       {[][2]string{{"host", ""}, {"", "b"}}, []string{"host:x"}, `m{host="x"}`},
		"other resources":             {[][2]string{{"aws.account", "1"}}, nil, `m{aws_account="1"}`},
		"names of Prometheus":         {[][2]string{{"__name__", "r"}}, []string{"__name__:x", "__address__:y"}, `m{tag__address__="y",tag__name__="r"}`},
		"Kubernetes":                  {nil, []string{"kube_cluster_name:c", "kube_namespace:n", "pod_name:p", "kube_container_name:k", "kube_node:w"}, `m{cluster="c",container="k",namespace="n",node="w",pod="p"}`},
		"Kubernetes, name taken":      {nil, []string{"kube_namespace:n", "namespace:own"}, `m{kube_namespace="n",namespace="own"}`},
		"workload, best first":        {nil, []string{"kube_job:api-28", "kube_cronjob:api"}, `m{kube_job="api-28",workload="api"}`},
		"workload of a deployment":    {nil, []string{"kube_deployment:api"}, `m{workload="api"}`},
		"workload of a stateful set":  {nil, []string{"kube_stateful_set:db"}, `m{workload="db"}`},
		"workload of a daemon set":    {nil, []string{"kube_daemon_set:fluent"}, `m{workload="fluent"}`},
		"workload, name taken":        {nil, []string{"kube_deployment:api", "workload:own"}, `m{kube_deployment="api",workload="own"}`},
		"Kubernetes, several of them": {nil, []string{"kube_namespace:b", "kube_namespace:a"}, `m{namespace="a;b"}`},
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, (*datadog.Decoder).DecodeSeriesProto, seriesBody(
				series{resources: c.resources, metric: "m", tags: c.tags, points: [][2]float64{{1, 2}}}))
			expectSamples(t, b, c.want+" 1000 2")
		})
	}
}

func TestSeriesOrderOfTagsIsNoIdentity(t *testing.T) {
	d, cat, b := datadog.New(), catalogtest.New(), new(seamark.Batch)
	body := seriesBody(
		series{metric: "m", tags: []string{"a:1", "svc:x", "svc:y"}, points: [][2]float64{{1, 2}}},
		series{metric: "m", tags: []string{"svc:y", "a:1", "svc:x"}, points: [][2]float64{{1, 2}}},
	)
	if err := d.DecodeSeriesProto(body, cat, b, options); err != nil {
		t.Fatal(err)
	}
	if cat.Len() != 1 || b.Samples.Series[0] != b.Samples.Series[1] {
		t.Fatalf("%d series, want 1", cat.Len())
	}
}

// TestSeriesFieldsApart has tags on both sides of the points, which protobuf allows.
func TestSeriesFieldsApart(t *testing.T) {
	var m easyproto.Marshaler
	s := m.MessageMarshaler().AppendMessage(1)
	s.AppendString(3, "a:1")
	point := s.AppendMessage(4)
	point.AppendInt64(2, 1)
	point.AppendDouble(1, 2)
	s.AppendString(2, "m")
	s.AppendMessage(4).AppendInt64(2, 2)
	s.AppendString(3, "b:2")
	b := decode(t, (*datadog.Decoder).DecodeSeriesProto, m.Marshal(nil))
	expectSamples(t, b, `m{a="1",b="2"} 1000 2`, `m{a="1",b="2"} 2000 0`)
}

func TestSeriesBadPoints(t *testing.T) {
	good := series{metric: "good", points: [][2]float64{{1785000000, 1}}}
	for name, c := range map[string]struct {
		bad              series
		n                int
		reason, contains string
	}{
		"milliseconds": {series{metric: "m", points: [][2]float64{{1785000000000, 1}, {1785000000001, 1}}}, 2, "seamark-point-timestamp", "1.785e+12"},
		"negative":     {series{metric: "m", points: [][2]float64{{-1, 1}}}, 1, "seamark-point-timestamp", `"m"`},
		"no name":      {series{points: [][2]float64{{1, 1}, {2, 1}}}, 2, "seamark-labels-empty", "empty"},
		"not UTF-8":    {series{metric: "m", tags: []string{"a:\xff"}, points: [][2]float64{{1, 1}}}, 1, "seamark-label-utf8", `"a"`},
		"many tags":    {series{metric: "m", tags: manyTags(257), points: [][2]float64{{1, 1}}}, 1, "seamark-labels-limit", "256"},
	} {
		t.Run(name, func(t *testing.T) {
			b := decode(t, (*datadog.Decoder).DecodeSeriesProto, seriesBody(c.bad, good))
			expectSamples(t, b, `good{} 1785000000000 1`)
			expectRejected(t, b, c.n, c.reason, c.contains)
		})
	}
}

func manyTags(n int) []string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf("t%d:x", i)
	}
	return tags
}

func TestSeriesEmpty(t *testing.T) {
	for name, body := range map[string][]byte{"nothing": nil, "no series": seriesBody(), "no points": seriesBody(series{metric: "m"})} {
		if b := decode(t, (*datadog.Decoder).DecodeSeriesProto, body); b.Rows() != 0 || b.Rejected.Rows() != 0 {
			t.Errorf("%s: %d rows, %d refused", name, b.Rows(), b.Rejected.Rows())
		}
	}
}

func TestSeriesMalformed(t *testing.T) {
	whole := seriesBody(series{metric: "m", tags: []string{"a:b"}, points: [][2]float64{{1, 2}}})
	for name, body := range map[string][]byte{
		"truncated":           whole[:len(whole)-1],
		"JSON":                []byte(`{"series":[]}`),
		"series no message":   {1 << 3, 1},
		"metric no string":    {1<<3 | 2, 2, 2 << 3, 1},
		"tag no string":       {1<<3 | 2, 2, 3 << 3, 1},
		"point no message":    {1<<3 | 2, 2, 4 << 3, 1},
		"type no number":      {1<<3 | 2, 2, 5<<3 | 2, 0},
		"value no double":     {1<<3 | 2, 7, 2<<3 | 2, 1, 'm', 4<<3 | 2, 2, 1 << 3, 1},
		"broken point":        {1<<3 | 2, 6, 2<<3 | 2, 1, 'm', 4<<3 | 2, 1, 1<<3 | 1},
		"broken resource":     {1<<3 | 2, 5, 1<<3 | 2, 1, 1<<3 | 2, 4<<3 | 2, 0},
		"field without a tag": {0x80},
	} {
		err := datadog.New().DecodeSeriesProto(body, catalogtest.New(), new(seamark.Batch), options)
		t.Run(name, func(t *testing.T) { expectError(t, err, "seamark-body-protobuf", fmt.Sprintf("of %d", len(body))) })
	}
}

func TestSeriesAsksForMemory(t *testing.T) {
	body := seriesBody(series{metric: "m", tags: []string{"a:b"}, points: slices.Repeat([][2]float64{{1, 2}}, 5000)})
	for _, grants := range []int{0, 10} {
		b := &seamark.Batch{Claim: &budget{grants}}
		err := datadog.New().DecodeSeriesProto(body, catalogtest.New(), b, options)
		if ok := grants > 0; ok != (err == nil) || !ok && !errors.Is(err, errBudget) {
			t.Errorf("%d grants: %v", grants, err)
		}
	}
}

// kubernetesSeries are the series of one flush of an agent on a node with 50 pods.
func kubernetesSeries() []series {
	var list []series
	for pod := range 50 {
		for metric := range 20 {
			list = append(list, series{
				resources: [][2]string{{"host", "ip-10-42-3-17.eu-west-1.compute.internal-prod"}},
				metric:    fmt.Sprintf("kubernetes.thing_%d.usage.total", metric),
				tags: []string{
					"kube_namespace:shop", fmt.Sprintf("pod_name:checkout-api-6d5f8-%d", pod), "kube_container_name:api",
					"kube_deployment:checkout-api", "image_name:registry.example.org/shop/checkout", "image_tag:v1.42.0", "env:prod",
				},
				metricType: int32(metric % 4), points: [][2]float64{{1785000000, float64(pod * metric)}},
			})
		}
	}
	return list
}

func BenchmarkDecodeSeriesProto(b *testing.B) {
	benchmark(b, (*datadog.Decoder).DecodeSeriesProto, seriesBody(kubernetesSeries()...), 1000)
}

func benchmark(b *testing.B, f decodeFunc, body []byte, rows int) {
	b.Helper()
	d, cat, batch := datadog.New(), catalogtest.New(), new(seamark.Batch)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		batch.Reset()
		if err := f(d, body, cat, batch, options); err != nil {
			b.Fatal(err)
		}
	}
	if batch.Rows() != rows {
		b.Fatalf("%d rows, want %d; refused: %s", batch.Rows(), rows, strings.TrimSpace(fmt.Sprint(batch.Rejected)))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
}
