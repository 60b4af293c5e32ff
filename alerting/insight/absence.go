package insight

import (
	"math"
	"slices"
	"time"
)

// Cadence is how regularly something reports, learned from when it did.
type Cadence struct {
	Known bool          // it has reported often enough to be missed
	Gap   time.Duration // that 99 of 100 pauses between reports do not exceed
	Share float64       // of the steps since it reported first that it reported in
	First time.Time
	Last  time.Time // newest report
}

// The least that must be known of what is missed.
const (
	minReports = 12
	minKnown   = time.Hour
)

// LearnCadence learns from a grid whose values above zero are reports, up to the step that until lies in.
func LearnCadence(g Grid, until time.Time) Cadence {
	part := g.Between(g.Start, until)
	var c Cadence
	var gaps []float64
	reports, steps, last := 0, 0, -1
	for i, v := range part.Values {
		if last >= 0 {
			steps++
		}
		if math.IsNaN(v) || v <= 0 {
			continue
		}
		if last < 0 {
			c.First, steps = part.Time(i), 1
		} else {
			gaps = append(gaps, float64(i-last))
		}
		last, reports = i, reports+1
	}
	if last < 0 {
		return c
	}
	c.Last = part.Time(last)
	c.Share = float64(reports) / float64(last-int(c.First.Sub(part.Start)/part.Step)+1)
	slices.Sort(gaps)
	if len(gaps) > 0 {
		const most = 0.99
		c.Gap = time.Duration(math.Ceil(quantile(gaps, most))) * g.Step
	}
	c.Known = reports >= minReports && c.Last.Sub(c.First) >= minKnown
	return c
}

// Silent says after which time without a report something counts as silent: three of its longest usual pauses, and never
// less than least.
func (c *Cadence) Silent(least time.Duration) time.Duration {
	const pauses = 3
	return max(least, pauses*c.Gap)
}
