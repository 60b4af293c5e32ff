// Package incidents generates seeded incidents of twenty kinds over the realistic base load of a cluster, weeks of it, with days and
// weeks in it, noise, bursts, missing samples and restarts, and scores what detectors catch of them and whether suspects name the
// cause. Detectors, log patterns and suspects are the product's own; only what they read comes from here, computed on demand from
// a seed. Detectors may be developed with the development seeds alone: docs/detectors.md has the scores of both.
package incidents

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Cluster is the name of every world's cluster.
const Cluster = "prod"

// Epoch is when every world begins: a Monday.
func Epoch() time.Time { return time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC) }

// Service is a workload with its pods.
type Service struct {
	Namespace, Name string
	Calls           []string
	Nodes           []string // of its pods, in their order
	web             bool     // it answers requests
}

// Pod returns the name of a pod.
func (s *Service) Pod(i int) string {
	return s.Name + "-" + strconv.FormatUint(mix(hashText(s.Name), 77)%0xfffffff|0x1000000, 16)[:7] + "-" + [...]string{"x7k2p", "q9f4d", "m3z8w"}[i%3]
}

// World is the base load of one seed, with at most one incident in it.
type World struct {
	Seed     uint64
	Services []Service
	Nodes    []string
	Incident *Incident // nil: clean
}

// NewWorld returns a clean world.
func NewWorld(seed uint64) *World {
	w := &World{Seed: seed, Nodes: []string{"node-1", "node-2", "node-3", "node-4"}}
	for _, s := range []struct {
		namespace, name string
		web             bool
		calls           []string
	}{
		{"shop", "frontend", true, []string{"checkout", "catalog", "cart"}}, {"shop", "checkout", true, []string{"payments", "cart"}},
		{"shop", "cart", true, []string{"redis"}}, {"shop", "catalog", true, []string{"postgres"}},
		{"billing", "payments", true, []string{"ledger", "postgres"}}, {"billing", "invoices", true, []string{"ledger"}}, {"billing", "ledger", true, []string{"postgres"}},
		{"media", "gallery", true, []string{"uploader"}}, {"media", "uploader", true, []string{"encoder"}}, {"media", "encoder", false, nil},
		{"data", "postgres", false, nil}, {"data", "redis", false, nil},
		{"kube-system", "coredns", false, nil}, {"kube-system", "agent", false, nil}, {"ingress-nginx", "controller", true, []string{"frontend"}},
	} {
		one := Service{Namespace: s.namespace, Name: s.name, web: s.web, Calls: s.calls}
		pods := 2
		if s.name == "agent" {
			pods = len(w.Nodes)
		}
		for i := range pods {
			node := w.Nodes[(mix(seed, hashText(s.name))+uint64(i))%uint64(len(w.Nodes))]
			if s.name == "agent" {
				node = w.Nodes[i]
			}
			one.Nodes = append(one.Nodes, node)
		}
		w.Services = append(w.Services, one)
	}
	return w
}

// service finds a service by its name.
func (w *World) service(name string) *Service {
	i := slices.IndexFunc(w.Services, func(s Service) bool { return s.Name == name })
	return &w.Services[i]
}

// mix makes one well-spread number of two (splitmix64's finaliser over their sum).
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashText(s string) uint64 {
	const prime = 1099511628211 // FNV-1a
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

// unit is a number from 0 to 1 for a place and a time.
func unit(seed, at uint64) float64 { return float64(mix(seed, at)>>11) / (1 << 53) }

// normal is about a normal number for a place and a time: the sum of four uniform ones.
func normal(seed, at uint64) float64 {
	x := mix(seed, at)
	sum := 0.0
	for range 4 {
		sum += float64(x&0xffff) / 0xffff
		x >>= 16
	}
	return (sum - 2) * math.Sqrt(3)
}

// course is the usual course of one series.
type course struct {
	seed         uint64
	base         float64
	day, weekend float64 // swing of the day, and the share that a weekend has
	peak         float64 // hour of the day
	noise        float64 // as a share of the level
	counts       float64 // more noise, as of numbers of events, by the root of the level
	burst        float64 // share of half hours with a burst, and how large it is
	burstSize    float64
	growth       float64 // a day, as a share of the base
	nightJob     float64 // added at 02:00 to 02:20
	lowest       float64
	missing      float64 // share of minutes without a value
	restartsADay float64 // after which a value is low for two minutes
	constant     bool
	blips        float64 // share of half hours in which a constant is one more for some minutes
}

// at returns the value at a minute; NaN where it is missing.
func (c *course) at(t time.Time) float64 {
	minute := uint64(t.Unix() / 60)
	if c.missing > 0 && (unit(c.seed^1, minute) < c.missing || unit(c.seed^2, minute/12) < c.missing/5) {
		return math.NaN()
	}
	if c.constant {
		if unit(c.seed^12, minute/30) < c.blips && minute%30 < 2+mix(c.seed^13, minute/30)%8 {
			return c.base + 1
		}
		return c.base
	}
	day := t.Sub(Epoch()).Hours() / 24
	hour := float64(t.Hour()) + float64(t.Minute())/60
	swing := 1 + c.day*math.Cos((hour-c.peak)*math.Pi/12) + 0.25*c.day*math.Cos((hour-c.peak+2)*math.Pi/6)
	if d := t.Weekday(); d == time.Saturday || d == time.Sunday {
		swing *= 1 - c.weekend
	}
	level := c.base * swing * (1 + c.growth*day)
	level *= 1 + 0.3*c.noise*normal(c.seed^3, uint64(day+1e6)) // each day is a little different
	wander := 0.5*c.smooth(t, 4, 90*time.Minute) + 0.5*c.smooth(t, 5, 12*time.Minute) + 0.7*normal(c.seed^6, minute)
	v := level * (1 + c.noise*wander)
	if c.counts > 0 {
		v += c.counts * math.Sqrt(max(level, 0)) * normal(c.seed^7, minute/3)
	}
	if c.burst > 0 && unit(c.seed^8, minute/30) < c.burst && minute%30 < 3+mix(c.seed^9, minute/30)%6 {
		v *= 1 + c.burstSize*(0.5+unit(c.seed^10, minute/30))
	}
	if c.nightJob > 0 && t.Hour() == 2 && t.Minute() < 20 {
		v += c.nightJob * c.base
	}
	if c.restartsADay > 0 && unit(c.seed^11, minute/2) < c.restartsADay/720 {
		v *= 0.3 // what a rate shows of a counter that was reset
	}
	return max(v, c.lowest)
}

// smooth is noise that changes over a span of time.
func (c *course) smooth(t time.Time, salt uint64, span time.Duration) float64 {
	at := float64(t.Unix()) / span.Seconds()
	k := uint64(at)
	part := at - float64(k)
	part = part * part * (3 - 2*part)
	a, b := normal(c.seed^salt<<8, k), normal(c.seed^salt<<8, k+1)
	return a + (b-a)*part
}
