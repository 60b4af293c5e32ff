package query_test

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/seamarkhq/seamark/internal/seamark"
)

const (
	scrapeInterval = 15 * time.Second
	corpusLength   = 24 * time.Hour
	scrapes        = int(corpusLength / scrapeInterval)
)

// corpus is a day of a cluster's metrics: 20,000 series at full scale, a third of them buckets of the API server.
type corpus struct {
	end                    time.Time // of the last scrape
	pods, nodes, resources int
	rnd                    *rand.Rand
}

func newCorpus(b *testing.B) *corpus {
	return &corpus{
		end: time.Now().UTC().Add(-10 * time.Minute).Truncate(time.Minute), rnd: rand.New(rand.NewPCG(9, 1)),
		pods: scaled(b, 900), nodes: scaled(b, 45), resources: scaled(b, 20),
	}
}

// at returns the time of the k-th scrape in milliseconds.
func (c *corpus) at(k int) int64 {
	return c.end.Add(-time.Duration(scrapes-1-k) * scrapeInterval).UnixMilli()
}

// series yields each series with its values, one per scrape. The values are the corpus's until the next series.
func (c *corpus) series() iter.Seq2[labels.Labels, []float64] {
	return func(yield func(labels.Labels, []float64) bool) {
		_ = c.yieldPods(yield) && c.yieldNodes(yield) && c.yieldAPIServers(yield)
	}
}

// counter fills values with what grows by up to step a scrape.
func (c *corpus) counter(values []float64, step float64) []float64 {
	v := math.Floor(c.rnd.Float64() * 1e6)
	for k := range values {
		v += math.Floor(c.rnd.Float64() * step)
		values[k] = v
	}
	return values
}

// gauge fills values with what moves in one scrape of three.
func (c *corpus) gauge(values []float64) []float64 {
	v := float64(c.rnd.IntN(1 << 30))
	for k := range values {
		if c.rnd.IntN(3) == 0 {
			v = math.Max(0, v+float64(c.rnd.IntN(1<<20)-1<<19))
		}
		values[k] = v
	}
	return values
}

func constant(values []float64, v float64) []float64 {
	for k := range values {
		values[k] = v
	}
	return values
}

func (c *corpus) yieldPods(yield func(labels.Labels, []float64) bool) bool {
	values := make([]float64, scrapes)
	for i := range c.pods {
		pod := fmt.Sprintf("app-%d-%08x-%05x", i%60, uint32(i/9)*2654435761, uint32(i)*40503%1048576)
		named := func(name string, own ...string) labels.Labels {
			return labels.FromStrings(append([]string{
				seamark.MetricNameLabel, name, "cluster", "bench", "container", "main", "endpoint", "https-metrics", "instance", fmt.Sprintf("10.0.%d.%d:10250", i/250, i%250),
				"job", "kubelet", "namespace", fmt.Sprintf("ns-%d", i%12), "node", fmt.Sprintf("node-%d", i%c.nodes), "pod", pod,
			}, own...)...)
		}
		if !yield(named("container_cpu_usage_seconds_total"), c.counter(values, 15)) ||
			!yield(named("container_memory_working_set_bytes"), c.gauge(values)) ||
			!yield(named("kube_pod_info", "uid", pod+"-uid"), constant(values, 1)) {
			return false
		}
		for n, phase := range []string{"Failed", "Pending", "Running", "Succeeded", "Unknown"} {
			if !yield(named("kube_pod_status_phase", "phase", phase), constant(values, float64(n%3/2))) {
				return false
			}
		}
		for n, code := range []string{"200", "404", "500"} {
			if !yield(named("http_requests_total", "code", code), c.counter(values, float64(60/(1+n*n)))) {
				return false
			}
		}
	}
	return true
}

func (c *corpus) yieldNodes(yield func(labels.Labels, []float64) bool) bool {
	values := make([]float64, scrapes)
	for i := range c.nodes {
		for cpu := range 8 {
			for n, mode := range []string{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"} {
				ls := labels.FromStrings(seamark.MetricNameLabel, "node_cpu_seconds_total", "cluster", "bench", "cpu", strconv.Itoa(cpu),
					"instance", fmt.Sprintf("node-%d", i), "job", "node-exporter", "mode", mode)
				if !yield(ls, c.counter(values, float64(16-2*n))) {
					return false
				}
			}
		}
	}
	return true
}

// yieldAPIServers makes histograms of requests. Each bucket holds a fixed part of all requests, so that buckets grow with
// time and with their bound as real ones do.
func (c *corpus) yieldAPIServers(yield func(labels.Labels, []float64) bool) bool {
	bounds := []string{
		"0.005", "0.025", "0.05", "0.1", "0.2", "0.4", "0.6", "0.8", "1", "1.25", "1.5", "2", "3", "4", "5", "6", "8", "10", "15", "20", "30", "+Inf",
	}
	total, values := make([]float64, scrapes), make([]float64, scrapes)
	for i := range 3 * c.resources * 5 {
		server, resource, verb := i%3, i/15, []string{"GET", "LIST", "PATCH", "POST", "PUT"}[i/3%5]
		named := func(suffix string, own ...string) labels.Labels {
			return labels.FromStrings(append([]string{
				seamark.MetricNameLabel, "apiserver_request_duration_seconds_" + suffix, "cluster", "bench", "component", "apiserver", "group", "apps",
				"instance", fmt.Sprintf("10.1.0.%d:6443", server), "job", "apiserver", "resource", fmt.Sprintf("resource-%d", resource), "scope", "namespace",
				"verb", verb, "version", "v1",
			}, own...)...)
		}
		c.counter(total, float64(1+i%40))
		for n, le := range bounds {
			part := 1 - math.Exp(-float64(n+1)/3)
			if n == len(bounds)-1 {
				part = 1
			}
			for k := range values {
				values[k] = math.Floor(total[k] * part)
			}
			if !yield(named("bucket", "le", le), values) {
				return false
			}
		}
		if !yield(named("count"), total) || !yield(named("sum"), c.counter(values, 9)) {
			return false
		}
	}
	return true
}
