package democluster

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
)

// series is one time series with its present value.
type series struct {
	labels []prompb.Label // sorted; never changed
	value  float64
	taken  []prompb.Sample // scraped since the last take
}

func (s *series) add(v float64) { s.value += v }

func (s *series) set(v float64) { s.value = v }

// group is the series that come and go together.
type group struct {
	base   []prompb.Label
	series []*series
	// collect brings the values up to date before a scrape; nil when they always are. seconds is since the last one.
	collect func(seconds float64)
	// up is the target's own up, nil where another group has it. While it is 0 the others are not sampled.
	up   *series
	down bool // at the last scrape
}

// newSeries adds a series with the group's labels and the given pairs of names and values.
func (g *group) newSeries(name string, pairs ...string) *series {
	labels := append(slices.Clone(g.base), prompb.Label{Name: "__name__", Value: name})
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	slices.SortFunc(labels, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
	s := &series{labels: labels}
	g.series = append(g.series, s)
	return s
}

// constant adds a series whose value never changes.
func (g *group) constant(v float64, name string, pairs ...string) {
	g.newSeries(name, pairs...).value = v
}

func (s *series) sample(milli int64, v float64) {
	s.taken = append(s.taken, prompb.Sample{Timestamp: milli, Value: v})
}

func staleMarker() float64 { return math.Float64frombits(value.StaleNaN) }

// sample takes the group's values; of a target that just went down it tells the end of the others.
func (g *group) sample(milli int64) {
	wasDown := g.down
	g.down = g.up != nil && g.up.value == 0
	for _, s := range g.series {
		switch {
		case !g.down || s == g.up:
			s.sample(milli, s.value)
		case !wasDown:
			s.sample(milli, staleMarker())
		}
	}
}

// registry is all series of the cluster and what of them was scraped.
type registry struct {
	groups     []*group
	gone       []*series // their end is told by the next scrape
	ended      []*series // their end was told; the next take is their last
	lastScrape time.Time
	lastTold   time.Time // when metadata was sent
	otel       []*otelPod
}

// metadataEvery is how often the types and texts of metrics are sent, Prometheus' default.
const metadataEvery = time.Minute

// newGroup adds a group whose series carry these labels, and the cluster's name.
func (r *registry) newGroup(w *world, pairs ...string) *group {
	g := &group{}
	if w.cluster != "" {
		g.base = append(g.base, prompb.Label{Name: "cluster", Value: w.cluster})
	}
	for i := 0; i < len(pairs); i += 2 {
		g.base = append(g.base, prompb.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	r.groups = append(r.groups, g)
	return g
}

func (r *registry) removeGroup(g *group) {
	if g == nil {
		return
	}
	r.groups = remove(r.groups, g)
	r.gone = append(r.gone, g.series...)
}

// scrape takes a sample of every series, and marks those stale that ended, as Prometheus does.
func (r *registry) scrape(w *world) {
	seconds := w.at.Sub(r.lastScrape).Seconds()
	if r.lastScrape.IsZero() {
		seconds = w.at.Sub(w.start).Seconds()
	}
	r.lastScrape = w.at
	milli := w.at.UnixMilli()
	for _, g := range r.groups {
		if g.collect != nil {
			g.collect(seconds)
		}
		g.sample(milli)
	}
	for _, s := range r.gone {
		s.sample(milli, staleMarker())
	}
	r.ended, r.gone = append(r.ended, r.gone...), nil
	for _, p := range r.otel {
		p.scrape(w.at)
	}
}

// take moves what was scraped into h.
func (r *registry) take(w *world, h *harvest) {
	move := func(s *series) {
		if len(s.taken) > 0 {
			h.samples = append(h.samples, prompb.TimeSeries{Labels: s.labels, Samples: s.taken})
			s.taken = nil
		}
	}
	for _, g := range r.groups {
		for _, s := range g.series {
			move(s)
		}
	}
	for _, s := range slices.Concat(r.gone, r.ended) {
		move(s)
	}
	r.ended = nil
	for _, p := range r.otel {
		if points := p.take(); points.points > 0 {
			h.resources = append(h.resources, points)
		}
	}
	if len(h.samples) > 0 && w.at.Sub(r.lastTold) >= metadataEvery {
		h.metadata, r.lastTold = metadata(), w.at
	}
}

// histogram is a classic histogram.
type histogram struct {
	bounds     []float64
	buckets    []*series // one more than bounds: +Inf
	sum, count *series
}

func (g *group) newHistogram(name string, bounds []float64, pairs ...string) *histogram {
	h := &histogram{bounds: bounds}
	for _, b := range bounds {
		h.buckets = append(h.buckets, g.newSeries(name+"_bucket", append(slices.Clone(pairs), "le", formatFloat(b))...))
	}
	h.buckets = append(h.buckets, g.newSeries(name+"_bucket", append(slices.Clone(pairs), "le", "+Inf")...))
	h.sum, h.count = g.newSeries(name+"_sum", pairs...), g.newSeries(name+"_count", pairs...)
	return h
}

func (h *histogram) observe(v float64) {
	first, _ := slices.BinarySearch(h.bounds, v)
	for _, b := range h.buckets[first:] {
		b.value++
	}
	h.sum.value += v
	h.count.value++
}
