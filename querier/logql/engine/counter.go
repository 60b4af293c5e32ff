package engine

import (
	"sort"
	"time"
)

// increase returns by how much a counter grew in the window that ends at p.at, as PromQL's function of that name tells it.
// A sample below the one before it means that the counter began again at zero. What the counter grew by between its first
// and last sample is extended to the window's ends, where they are near: at most by half the distance of samples where
// they are not, and not beyond where the counter was zero. A single sample has not grown. It sorts the samples by time, and
// those of the same time by value.
func increase(p *part, window time.Duration) float64 {
	if len(p.samples) < 2 {
		return 0
	}
	sort.Sort(byTime{p})
	total := 0.0
	for i := 1; i < len(p.samples); i++ {
		before, after := p.samples[i-1], p.samples[i]
		if after < before {
			before = 0
		}
		total += after - before
	}
	first, last := p.times[0], p.times[len(p.times)-1]
	sampled := float64(last - first)
	if sampled == 0 {
		return total
	}
	distance := sampled / float64(len(p.times)-1)
	toStart, toEnd := float64(first-p.at)+float64(window), float64(p.at-last)
	const near = 1.1 // of the distance of samples, so that a late sample is none that is missing
	if toStart >= distance*near {
		toStart = distance / 2
	}
	if total > 0 && p.samples[0] >= 0 {
		toStart = min(toStart, sampled*p.samples[0]/total)
	}
	if toEnd >= distance*near {
		toEnd = distance / 2
	}
	return total * (sampled + toStart + toEnd) / sampled
}

// byTime sorts the samples of a part. It implements sort.Interface.
type byTime struct{ *part }

// Len implements sort.Interface.
func (p byTime) Len() int { return len(p.times) }

// Less implements sort.Interface.
func (p byTime) Less(i, j int) bool {
	if p.times[i] != p.times[j] {
		return p.times[i] < p.times[j]
	}
	return p.samples[i] < p.samples[j]
}

// Swap implements sort.Interface.
func (p byTime) Swap(i, j int) {
	p.times[i], p.times[j] = p.times[j], p.times[i]
	p.samples[i], p.samples[j] = p.samples[j], p.samples[i]
}
