package pushgateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/push"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"github.com/seamarkhq/seamark/ingest/pushgateway"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// registry has one metric of each type, with an exemplar and a native histogram.
func registry(t testing.TB) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs."}, []string{"kind"})
	counter.WithLabelValues("back\\up \"x\"\n").Add(3)
	traced, ok := counter.WithLabelValues("nightly").(prometheus.ExemplarAdder)
	require.True(t, ok)
	traced.AddWithExemplar(2, prometheus.Labels{"trace_id": "0123456789abcdef0123456789abcdef", "user": "u1"})
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "last_success_seconds", Help: "When."})
	gauge.Set(1.5e9)
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took_seconds", Help: "How long.", Buckets: []float64{1, 2.5}})
	histogram.Observe(1.5)
	native := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "size_bytes", Help: "How large.", NativeHistogramBucketFactor: 1.1})
	native.Observe(100)
	native.Observe(200)
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "delay_seconds", Help: "How late.", Objectives: map[float64]float64{0.5: 0.05}})
	summary.Observe(4)
	for _, c := range []prometheus.Collector{counter, gauge, histogram, native, summary} {
		require.NoError(t, r.Register(c))
	}
	return r
}

// common is what every form of the registry gives, under job and instance.
func common() map[string]float64 {
	const at = `instance="a/b",job="nightly backup"`
	return map[string]float64{
		`jobs_total{` + at + `,kind="back\\up \"x\"\n"}`: 3,
		`jobs_total{` + at + `,kind="nightly"}`:          2,
		`last_success_seconds{` + at + `}`:               1.5e9,
		`took_seconds_bucket{` + at + `,le="1.0"}`:       0,
		`took_seconds_bucket{` + at + `,le="2.5"}`:       1,
		`took_seconds_bucket{` + at + `,le="+Inf"}`:      1,
		`took_seconds_sum{` + at + `}`:                   1.5,
		`took_seconds_count{` + at + `}`:                 1,
		`delay_seconds{` + at + `,quantile="0.5"}`:       4,
		`delay_seconds_sum{` + at + `}`:                  4,
		`delay_seconds_count{` + at + `}`:                1,
	}
}

// TestClientGolang pushes with the Go client in its three forms and deletes again.
func TestClientGolang(t *testing.T) {
	for _, format := range []expfmt.Format{
		expfmt.NewFormat(expfmt.TypeProtoDelim), expfmt.NewFormat(expfmt.TypeTextPlain), expfmt.NewFormat(expfmt.TypeOpenMetrics),
	} {
		t.Run(string(format), func(t *testing.T) {
			g := newGateway(t, nil)
			pusher := push.New(g.serve(t), "nightly backup").Grouping("instance", "a/b").Gatherer(registry(t)).Format(format)
			// The client escapes a blank as a form does, and the Pushgateway takes the plus for what it is.
			want := map[string]float64{}
			for name, value := range common() {
				want[strings.ReplaceAll(name, "nightly backup", "nightly+backup")] = value
			}
			switch format.FormatType() {
			case expfmt.TypeProtoDelim:
				want[`size_bytes{instance="a/b",job="nightly+backup"}`] = 2 // the native histogram
			default:
				want[`size_bytes_bucket{instance="a/b",job="nightly+backup",le="+Inf"}`] = 2
				want[`size_bytes_sum{instance="a/b",job="nightly+backup"}`] = 300
				want[`size_bytes_count{instance="a/b",job="nightly+backup"}`] = 2
			}
			require.NoError(t, pusher.Push())
			if format.FormatType() == expfmt.TypeProtoDelim {
				require.Len(t, g.recorder.exemplars, 1)
				e := g.recorder.exemplars[0]
				require.Equal(t, []seamark.Label{{Name: "user", Value: "u1"}}, e.Labels)
				require.Equal(t, byte(0xef), e.TraceID[15])
			}
			require.Equal(t, want, g.recorder.at(g.clock.Now()))
			counter := "jobs_total"
			if format.FormatType() == expfmt.TypeOpenMetrics {
				counter = "jobs"
			}
			require.Equal(t, "counter", g.recorder.metadata[counter].Type)
			require.Equal(t, "Jobs.", g.recorder.metadata[counter].Help)
			require.Equal(t, float64(g.clock.Now().Unix()), g.recorder.newest(`push_time_seconds{instance="a/b",job="nightly+backup"}`))
			require.Zero(t, g.recorder.newest(`push_failure_time_seconds{instance="a/b",job="nightly+backup"}`))

			g.clock.Advance(6 * time.Minute)
			require.NoError(t, g.reemitter(t).Round(t.Context()))
			require.Equal(t, want, g.recorder.at(g.clock.Now()), "the store keeps every form")

			g.clock.Advance(time.Second)
			require.NoError(t, pusher.Delete())
			require.Empty(t, g.recorder.at(g.clock.Now()))
			require.NoError(t, pusher.Delete(), "deleting again")
		})
	}
}

// TestAddReplacesSameNames uses the client's Add, which is POST.
func TestAddReplacesSameNames(t *testing.T) {
	g := newGateway(t, nil)
	url := g.serve(t)
	gauge := func(name, label string, value float64) prometheus.Collector {
		c := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: "h"}, []string{"l"})
		c.WithLabelValues(label).Set(value)
		return c
	}
	require.NoError(t, push.New(url, "j").Collector(gauge("a", "1", 1)).Collector(gauge("b", "1", 2)).Push())
	g.clock.Advance(time.Second)
	require.NoError(t, push.New(url, "j").Collector(gauge("a", "2", 3)).Add())
	require.Equal(t, map[string]float64{`a{job="j",l="2"}`: 3, `b{job="j",l="1"}`: 2}, g.recorder.at(g.clock.Now()))
	g.clock.Advance(time.Second)
	require.NoError(t, push.New(url, "j").Collector(gauge("a", "1", 4)).Push())
	require.Equal(t, map[string]float64{`a{job="j",l="1"}`: 4}, g.recorder.at(g.clock.Now()))
}

// TestInconsistentPushes are refused with 400 and leave the group as it was, but for its failure time.
func TestInconsistentPushes(t *testing.T) {
	const path = "/metrics/job/j"
	for name, c := range map[string]struct{ body, id string }{
		"timestamp":         {"a 1 1600000000000\n", "seamark-push-timestamp"},
		"twice":             {"a{x=\"1\"} 1\na{x=\"1\"} 2\n", "seamark-push-inconsistent"},
		"twice by override": {"a{job=\"x\"} 1\na{job=\"y\"} 2\n", "seamark-push-inconsistent"},
		"two types":         {"# TYPE a gauge\na 1\n# TYPE a counter\na{x=\"1\"} 2\n", "seamark-push-inconsistent"},
		"part of another":   {"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n# TYPE h_count gauge\nh_count 1\n", "seamark-push-inconsistent"},
		"another's type":    {"# TYPE shared gauge\nshared 1\n", "seamark-push-inconsistent"},
		"label twice":       {"a{x=\"1\",x=\"2\"} 1\n", "seamark-label-duplicate"},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, nil)
			require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/other", "# TYPE shared counter\nshared 1\n")))
			require.NoError(t, g.service.Put(t.Context(), principal(), text(t, path, "kept 7\n")))
			pushed := g.clock.Now().Unix()
			failed := g.clock.Advance(3 * time.Second).Unix()
			requireError(t, g.service.Put(t.Context(), principal(), text(t, path, c.body)), seamark.Invalid, c.id)
			got := g.recorder.at(g.clock.Now())
			require.Equal(t, map[string]float64{`kept{job="j"}`: 7, `shared{job="other"}`: 1}, got)
			require.Equal(t, float64(pushed), g.recorder.newest(`push_time_seconds{job="j"}`))
			require.Equal(t, float64(failed), g.recorder.newest(`push_failure_time_seconds{job="j"}`))
		})
	}
}

// TestFirstPushFails makes a group that has nothing but its times.
func TestFirstPushFails(t *testing.T) {
	g := newGateway(t, nil)
	err := g.service.Post(t.Context(), principal(), text(t, "/metrics/job/j", "a 1 5\n"))
	requireError(t, err, seamark.Invalid, "seamark-push-timestamp")
	require.Zero(t, g.recorder.newest(`push_time_seconds{job="j"}`))
	require.Equal(t, float64(g.clock.Now().Unix()), g.recorder.newest(`push_failure_time_seconds{job="j"}`))
	groups, err := g.service.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Len(t, groups, 1)
}

// TestOtherClustersTypes may differ: they are no part of the same series.
func TestOtherClustersTypes(t *testing.T) {
	g := newGateway(t, nil)
	require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j", "# TYPE a counter\na 1\n")))
	other := principal()
	other.Cluster, other.ClusterName = "01ARZ3NDEKTSV4RRFFQ69G5FAZ", "test"
	require.NoError(t, g.service.Put(t.Context(), other, text(t, "/metrics/job/k", "# TYPE a gauge\na 1\n")))
	require.NoError(t, g.service.Put(t.Context(), principal(), text(t, "/metrics/job/j", "# TYPE a gauge\na 1\n")), "its own group is replaced")
}

func TestMalformedBodies(t *testing.T) {
	g := newGateway(t, nil)
	refuse := func(contentType, body, want string) {
		t.Helper()
		p := text(t, "/metrics/job/j", body)
		p.ContentType = contentType
		err := g.service.Put(t.Context(), principal(), p)
		requireError(t, err, seamark.Invalid, "seamark-exposition-malformed")
		require.Contains(t, err.Error(), want)
	}
	refuse("text/plain; version=0.0.4", "a 1\nb{ 2\nc 3\n", "in line 2")
	refuse("", "a one\n", "in line 1")
	refuse("text/plain", "a 1\nb{x=\"\xff\"} 1\n", "in line 2")
	refuse("application/openmetrics-text; version=1.0.0", "# EOF\na 1\n# EOF\n", "not valid application/openmetrics-text")
	refuse("application/openmetrics-text; version=1.0.0", "# TYPE a gauge\na 1 x\n# EOF\n", "in line 2")
	refuse("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", "\x05abc", "beyond the body")
	refuse("application/vnd.google.protobuf", "\x02\xff\xff", "not valid application/vnd.google.protobuf")
	groups, err := g.service.List(t.Context(), tenantA)
	require.NoError(t, err)
	require.Empty(t, groups, "a body that cannot be read makes no group")
	for _, contentType := range []string{
		"application/vnd.google.protobuf; encoding=text", "application/vnd.google.protobuf; proto=x.Y", "application/openmetrics-text; version=2.0.0",
	} {
		p := text(t, "/metrics/job/j", "")
		p.ContentType = contentType
		requireError(t, g.service.Put(t.Context(), principal(), p), seamark.Unsupported, "seamark-media-unsupported")
	}
}

// TestForms reads what the client does not send.
func TestForms(t *testing.T) {
	g := newGateway(t, nil)
	put := func(contentType, body string, want map[string]float64) {
		t.Helper()
		g.clock.Advance(time.Second)
		p := text(t, "/metrics/job/j", body)
		p.ContentType = contentType
		require.NoError(t, g.service.Put(t.Context(), principal(), p))
		require.Equal(t, want, g.recorder.at(g.clock.Now()))
	}
	put("application/x-www-form-urlencoded", "a 1", map[string]float64{`a{job="j"}`: 1}) // curl --data-binary, no newline
	put("text/plain", "a{job=\"x\",instance=\"\"} 1\npush_time_seconds 5\n", map[string]float64{`a{job="j"}`: 1})
	put("application/openmetrics-text; version=1.0.0",
		"# TYPE c counter\n# UNIT c_seconds seconds\nc_total 4 # {trace_id=\"x\"} 1\nc_created 1\n# TYPE i info\ni_info{v=\"1\"} 1\n# EOF\n",
		map[string]float64{`c_total{job="j"}`: 4, `c_created{job="j"}`: 1, `i_info{job="j",v="1"}`: 1})
	require.Equal(t, []seamark.Label{{Name: "trace_id", Value: "x"}}, g.recorder.exemplars[0].Labels, "no trace id of 16 bytes stays a label")
	put("text/plain", "", map[string]float64{})
	require.Equal(t, float64(g.clock.Now().Unix()), g.recorder.newest(`push_time_seconds{job="j"}`), "an empty PUT empties the group and counts as a push")
}

// TestLimits fills a tenant. What another node took a moment ago counts when something would be refused, and room that
// another node has made is seen.
func TestLimits(t *testing.T) {
	const body = "a{x=\"0123456789\"} 1\n" // 48 bytes as protobuf
	tight := func(o *pushgateway.Options) {
		o.Limits = pushgateway.Limits{MaxGroupBytes: 100, MaxTenantBytes: 120, MaxGroups: 3}
	}
	g := newGateway(t, tight)
	other := g.node(t, tight)
	put := func(s *pushgateway.Service, job, body string) error {
		return s.Put(t.Context(), principal(), text(t, "/metrics/job/"+job, body))
	}
	requireError(t, put(g.service, "j", body+"b{x=\"0123456789\"} 1\nc{x=\"0123456789\"} 1\n"), seamark.TooLarge, "seamark-pushgroup-large")
	require.NoError(t, put(g.service, "j1", body))
	require.NoError(t, put(g.service, "j2", body))
	requireError(t, put(g.service, "j3", body), seamark.TooLarge, "seamark-pushtenant-large")
	require.NoError(t, other.Delete(t.Context(), principal(), key(t, "/metrics/job/j1")))
	require.NoError(t, put(g.service, "j3", body), "the other node has made room")
	require.NoError(t, put(g.service, "j4", ""))
	requireError(t, put(g.service, "j5", ""), seamark.TooLarge, "seamark-pushgroup-count")
	require.NoError(t, put(g.service, "j3", body), "a group that is there can be replaced")
	strange := principal()
	strange.Tenant = tenantB
	require.NoError(t, g.service.Put(t.Context(), strange, text(t, "/metrics/job/j5", body)), "another tenant has its own room")
}
