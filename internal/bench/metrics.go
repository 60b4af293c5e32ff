package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Label is a name and its value.
type Label struct{ Name, Value string }

// Sample is one sample of a series.
type Sample struct {
	Name    string
	Counter bool
	Labels  []Label // without the name, sorted; all series of a pod begin with the same ones
	At      time.Time
	Value   float64
}

// MetricsOptions describes a metrics corpus.
type MetricsOptions struct {
	Seed    uint64
	Pods    int // with eighty series each
	Scrapes int // the last is at End
	End     time.Time
}

// Metrics makes scrapes at 15 s: counters, gauges that rarely move, and buckets.
type Metrics struct {
	rnd    *rand.Rand
	series []Sample
	at     time.Time
}

const (
	scrapeInterval = 15 * time.Second
	seriesPerPod   = 80
	podLabels      = 9 // at the start of each series' labels, before what is its own
)

// NewMetrics returns a metrics corpus.
func NewMetrics(o MetricsOptions) *Metrics {
	c := &Metrics{rnd: rand.New(rand.NewPCG(o.Seed, 2)), at: o.End.Add(-time.Duration(o.Scrapes) * scrapeInterval).Truncate(time.Second)}
	for pod := range o.Pods {
		name := fmt.Sprintf("app-%d-%08x", pod%60, uint32(pod)*2654435761+uint32(o.Seed))
		labels := []Label{
			{"cluster", "bench"}, {"container", "main"}, {"endpoint", "metrics"}, {"instance", fmt.Sprintf("10.0.%d.%d:8080", pod/256, pod%256)},
			{"job", fmt.Sprintf("app-%d", pod%60)}, {"namespace", fmt.Sprintf("ns-%d", pod%12)}, {"node", fmt.Sprintf("node-%d", pod%40)},
			{"pod", name}, {"service", fmt.Sprintf("app-%d", pod%60)},
		}
		add := func(name string, counter bool, own ...Label) {
			c.series = append(c.series, Sample{Name: name, Counter: counter, Labels: append(labels[:podLabels:podLabels], own...), Value: float64(c.rnd.IntN(1000))})
		}
		for m := range 20 {
			add(fmt.Sprintf("container_gauge_%d", m), false)
			add(fmt.Sprintf("container_ops_%d_total", m), true)
		}
		for b := range seriesPerPod - 40 {
			add("http_request_duration_seconds_bucket", true, Label{"le", fmt.Sprint(float64(b+1) / 20)})
		}
	}
	return c
}

// Scrape moves every series on by one interval and returns all samples, pod after pod. They are the corpus's until the next call.
func (c *Metrics) Scrape() []Sample {
	c.at = c.at.Add(scrapeInterval)
	for i := range c.series {
		s := &c.series[i]
		switch {
		case strings.HasPrefix(s.Name, "container_gauge"):
			if c.rnd.IntN(10) == 0 {
				s.Value = float64(c.rnd.IntN(1 << 20))
			}
		case strings.HasPrefix(s.Name, "container_ops"):
			s.Value += float64(c.rnd.IntN(50))
		default:
			if c.rnd.IntN(4) == 0 {
				s.Value += float64(c.rnd.IntN(5))
			}
		}
		s.At = c.at
	}
	return c.series
}

// Len returns the number of series.
func (c *Metrics) Len() int { return len(c.series) }
