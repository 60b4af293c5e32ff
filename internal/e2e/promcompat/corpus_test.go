package promcompat_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The data set has the shape of the metrics of Prometheus' demo service, which the compliance queries ask for, and adds what
// those lack: native histograms, gaps, odd values and names. Scrapes are as uneven as real ones.
const (
	clusterName    = "demo"
	scrapes        = 400 // an hour and forty minutes
	scrapeInterval = 15 * time.Second
	instances      = 3
)

// corpusStart is fifty minutes before midnight UTC of the last day but one, so that the data lies in two daily partitions
// and nothing of it in the future.
func corpusStart() time.Time {
	return time.Now().UTC().Truncate(24 * time.Hour).Add(-24*time.Hour - scrapes*scrapeInterval/2)
}

// corpus makes the series of the data set. Apart from where it lies in time it is always the same.
type corpus struct {
	start  time.Time
	rnd    *rand.Rand
	times  [instances][scrapes]int64 // when each instance was scraped, in milliseconds
	series []series
}

// newCorpus returns the data set's series in the order of their labels.
func newCorpus(start time.Time) []series {
	c := &corpus{start: start, rnd: rand.New(rand.NewPCG(4, 20))}
	for i := range instances {
		for k := range scrapes {
			c.times[i][k] = start.UnixMilli() + int64(k)*scrapeInterval.Milliseconds() + int64(i)*3_217 + c.rnd.Int64N(40)
		}
	}
	for i := range instances {
		c.machine(i)
		c.batch(i)
		c.requests(i)
		c.odd(i)
		c.histograms(i)
	}
	slices.SortFunc(c.series, func(a, b series) int { return labels.Compare(a.labels, b.labels) })
	return c.series
}

// add appends one series of an instance; f gives its k-th value and whether there is one.
func (c *corpus) add(instance int, name string, own []string, f func(k int) (float64, bool)) {
	s := series{labels: c.labels(instance, name, own)}
	for k := range scrapes {
		if v, ok := f(k); ok {
			s.samples = append(s.samples, sample{at: c.times[instance][k], v: v})
		}
	}
	c.series = append(c.series, s)
}

func (*corpus) labels(instance int, name string, own []string) labels.Labels {
	return labels.FromStrings(append([]string{
		seamark.MetricNameLabel, name, "cluster", clusterName, "instance", "demo.promlabs.com:" + strconv.Itoa(10_000+instance), "job", "demo",
	}, own...)...)
}

// always is for series without gaps.
func always(f func(k int) float64) func(int) (float64, bool) {
	return func(k int) (float64, bool) { return f(k), true }
}

// counter grows by up to step and starts again from zero every reset scrapes.
func (c *corpus) counter(step float64, reset int) func(k int) float64 {
	total := 0.0
	return func(k int) float64 {
		if k > 0 && k%reset == 0 {
			total = 0
		}
		total += c.rnd.Float64() * step
		return total
	}
}

// machine adds what an instance tells of itself.
func (c *corpus) machine(i int) {
	c.add(i, "up", nil, always(func(k int) float64 { return boolValue(k%37 != 5) }))
	c.add(i, "target_info", []string{"version", "1." + strconv.Itoa(i)}, always(func(int) float64 { return 1 }))
	c.add(i, "demo_num_cpus", nil, always(func(int) float64 { return float64(int(2) << i) }))
	for n, kind := range []string{"buffers", "cached", "free", "used"} {
		base := float64(n+1) * 1e9
		c.add(i, "demo_memory_usage_bytes", []string{"type", kind}, always(func(int) float64 { return math.Floor(base + c.rnd.NormFloat64()*1e7) }))
	}
	for n, mode := range []string{"idle", "system", "user"} {
		grow := c.counter(float64(15-4*n), 90+31*n+7*i)
		c.add(i, "demo_cpu_usage_seconds_total", []string{"mode", mode}, always(grow))
	}
	c.add(i, "demo_disk_total_bytes", nil, always(func(int) float64 { return 1 << 38 }))
	c.add(i, "demo_disk_usage_bytes", nil, func(k int) (float64, bool) {
		return 1.1e11 + float64(k)*2.3e7 + c.rnd.Float64()*1e6, c.rnd.IntN(10) > 0 // one scrape of ten fails
	})
}

// batch adds a job that runs now and then, and a metric that comes and goes as in the demo service.
func (c *corpus) batch(i int) {
	last := float64(c.start.Add(-time.Hour).Unix())
	c.add(i, "demo_batch_last_success_timestamp_seconds", nil, always(func(k int) float64 {
		if k%20 == 7*i {
			last = float64(c.times[i][k]) / 1000
		}
		return last
	}))
	c.add(i, "demo_batch_last_run_duration_seconds", nil, always(func(k int) float64 { return 10 + math.Sin(float64(k)/9) }))
	c.add(i, "demo_intermittent_metric", nil, func(k int) (float64, bool) {
		switch at := (k + 4*i) % 30; {
		case at < 12:
			return float64(k), true
		case at == 12:
			return math.Float64frombits(value.StaleNaN), true
		}
		return 0, false
	})
	grow := c.counter(40, 120)
	c.add(i, "demo_gaps_total", nil, func(k int) (float64, bool) { // silent for seven minutes, without a marker
		return grow(k), k%60 < 32
	})
}

// requests adds a classic histogram of each handler and its traffic.
func (c *corpus) requests(i int) {
	bounds := []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, math.Inf(1)}
	for _, handler := range [][]string{
		{"method", "GET", "path", "/api/foo", "status", "200"}, {"method", "GET", "path", "/api/bar", "status", "500"},
		{"method", "POST", "path", "/api/bar", "status", "200"},
	} {
		counts, sum := make([][]float64, len(bounds)), make([]float64, scrapes)
		for k := range scrapes {
			for b := range bounds {
				before := 0.0
				if k > 0 && k%150 != 0 {
					before = counts[b][k-1]
				}
				counts[b] = append(counts[b], before+float64(c.rnd.IntN(b+2)))
				sum[k] += counts[b][k] * 0.01
			}
		}
		total := make([]float64, scrapes)
		for b, bound := range bounds {
			own := append(slices.Clone(handler), "le", strconv.FormatFloat(bound, 'g', -1, 64))
			if math.IsInf(bound, 1) {
				own[len(own)-1] = "+Inf"
			}
			c.add(i, "demo_api_request_duration_seconds_bucket", own, always(func(k int) float64 {
				total[k] += counts[b][k] // buckets are cumulative
				return total[k]
			}))
		}
		c.add(i, "demo_api_request_duration_seconds_count", handler, always(func(k int) float64 { return total[k] }))
		c.add(i, "demo_api_request_duration_seconds_sum", handler, always(func(k int) float64 { return sum[k] }))
	}
}

// odd adds values and names that break careless code.
func (c *corpus) odd(i int) {
	// Minus zero is not among them: Prometheus' own encoder sends it as zero.
	list := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-7, 1e21, 1.0 / 3}
	c.add(i, "demo_odd_values", nil, always(func(k int) float64 { return list[(k+i)%len(list)] }))
	c.add(i, "demo_huge_values", nil, always(func(k int) float64 { return []float64{1e300, 1, -1e300}[(k+i)%instances] }))
	grow := c.counter(9, 1000)
	c.add(i, "demo.http.requests", []string{"k8s.pod.name", "web-" + strconv.Itoa(i), "текст", "\"quoted\" \\ <&> \n"}, always(grow))
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
