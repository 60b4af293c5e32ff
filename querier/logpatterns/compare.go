package logpatterns

import (
	"fmt"
	"math"
	"time"

	"github.com/seamarkhq/seamark/internal/logpattern"
	"github.com/seamarkhq/seamark/internal/store"
)

// Change is how a pattern differs between two ranges.
type Change string

// The changes.
const (
	IsSteady    Change = "steady"
	IsNew       Change = "new"
	HasVanished Change = "vanished"
	IsSpiking   Change = "spiking"
	IsFalling   Change = "falling"
)

// Comparison is how often a pattern came in the range and in the one to compare with.
type Comparison struct {
	Lines            uint64  // in the range to compare with
	Rate, RateBefore float64 // lines a second
	Ratio            float64 // of the rates; 0 where the pattern did not come before
	Expected         float64 // lines in the range, had the rate not changed
	Score            float64 // standard deviations that the number of lines is away from the expected
	Change           Change
	Reason           string // a sentence
}

// The thresholds of changes.
const (
	// minExpected is how many lines must be expected for none to mean something: by chance a pattern that comes seven times on
	// average does not come at all once in 1000 times (e^-6.9, Poisson).
	minExpected = 6.9
	// minScore is how many standard deviations count as a change. Lines come in bursts, so that more than chance is asked for:
	// of 10,000 patterns that do not change, chance alone lets less than one exceed four.
	minScore = 4
	// minRatio is how many times more often a pattern must come. With many lines a difference of a percent is no chance, and
	// nobody's cause.
	minRatio = 2
)

// compare judges the numbers of lines of two ranges as those of Poisson processes. The square roots of Poisson numbers have about
// the same variance whatever their mean (Anscombe, Biometrika 35, 1948), so that their difference is measured in its standard
// deviations, for rare and frequent patterns alike.
func compare(p *store.LogPattern, length, lengthBefore time.Duration) *Comparison {
	lines, before := float64(p.Lines), float64(p.Before)
	scale := length.Seconds() / lengthBefore.Seconds()
	c := &Comparison{
		Lines: p.Before, Rate: lines / length.Seconds(), RateBefore: before / lengthBefore.Seconds(), Expected: before * scale, Change: IsSteady,
	}
	const stabilise = 3.0 / 8
	c.Score = 2 * (math.Sqrt(lines+stabilise) - math.Sqrt((before+stabilise)*scale)) / math.Sqrt(1+scale)
	if before > 0 {
		c.Ratio = c.Rate / c.RateBefore
	}
	switch {
	case p.Text == logpattern.Wildcard:
		c.Reason = "These are lines that no pattern was found for; how many there are says nothing about one of them."
	case p.Before == 0:
		c.appeared(p, lines/scale)
	case p.Lines == 0:
		c.disappeared()
	default:
		c.moved()
	}
	return c
}

// appeared judges a pattern that did not come before. missed is how many lines were to be expected then.
func (c *Comparison) appeared(p *store.LogPattern, missed float64) {
	if missed < minExpected {
		c.Reason = fmt.Sprintf("It came %s now and not before, which may be chance: at its rate %.1f were to be expected before, and at least %g say something.",
			times(p.Lines), missed, minExpected)
		return
	}
	c.Change = IsNew
	c.Reason = fmt.Sprintf("It came %s now and not once before, where at its rate %s were to be expected.", times(p.Lines), number(missed))
}

// disappeared judges a pattern that does not come any more.
func (c *Comparison) disappeared() {
	if c.Expected < minExpected {
		c.Reason = fmt.Sprintf("It came %s before and not now, which may be chance: %.1f were to be expected, and at least %g say something.",
			times(c.Lines), c.Expected, minExpected)
		return
	}
	c.Change = HasVanished
	c.Reason = fmt.Sprintf("It came %s before and not once now, where at its rate %s were to be expected.", times(c.Lines), number(c.Expected))
}

// moved judges a pattern that came in both ranges.
func (c *Comparison) moved() {
	rates := fmt.Sprintf("%s lines a second now and %s before", rate(c.Rate), rate(c.RateBefore))
	switch {
	case c.Score >= minScore && c.Ratio >= minRatio:
		c.Change = IsSpiking
		c.Reason = fmt.Sprintf("It comes %s times as often: %s, which is %.1f standard deviations above chance.", number(c.Ratio), rates, c.Score)
	case c.Score <= -minScore && c.Ratio <= 1.0/minRatio:
		c.Change = IsFalling
		c.Reason = fmt.Sprintf("It comes %s times less often: %s, which is %.1f standard deviations below chance.", number(1/c.Ratio), rates, -c.Score)
	default:
		c.Reason = fmt.Sprintf("It comes about as often as before: %s. A change has at least %d times the rate and %d standard deviations.", rates, minRatio, minScore)
	}
}

// strength is how sure a change is.
func (c *Comparison) strength() float64 { return math.Abs(c.Score) }

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// number writes what a reader takes in at once: a decimal below ten, else whole numbers.
func number(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

func rate(v float64) string { return fmt.Sprintf("%.3g", v) }
