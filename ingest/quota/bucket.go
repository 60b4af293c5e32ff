package quota

import (
	"math"
	"time"
)

// bucket is a token bucket that may run into debt: a request is taken whole while there is anything left, and what it
// took too much delays the next. So a request larger than the burst succeeds after waiting, instead of being refused for
// ever, and the average keeps to the rate. The zero bucket has no limit.
type bucket struct {
	rate, burst float64 // a second, and at most; rate 0 is no limit
	level       float64
	at          time.Time // when level was true
}

// set changes the rate and the burst. A bucket that had no limit starts full.
func (b *bucket) set(now time.Time, rate, burst float64) {
	if b.rate == rate && b.burst == burst {
		return
	}
	fresh := b.rate == 0
	b.fill(now)
	b.rate, b.burst = rate, burst
	if b.level = min(b.level, burst); fresh {
		b.level, b.at = burst, now
	}
}

// fill adds what has come in since the last time. A clock that was set back adds nothing.
func (b *bucket) fill(now time.Time) {
	if passed := now.Sub(b.at); passed > 0 {
		b.level = min(b.burst, b.level+b.rate*passed.Seconds())
	}
	b.at = now
}

// wait returns how long until the bucket gives again; 0 when it gives now.
func (b *bucket) wait(now time.Time) time.Duration {
	if b.rate == 0 {
		return 0
	}
	b.fill(now)
	if b.level > 0 {
		return 0
	}
	seconds := (1 - b.level) / b.rate
	if seconds > maxRetryAfter.Seconds() {
		return maxRetryAfter
	}
	return time.Duration(math.Ceil(seconds * float64(time.Second)))
}

// take takes n, into debt if need be; a negative n gives back.
func (b *bucket) take(n int64) {
	if b.rate != 0 {
		b.level = min(b.burst, b.level-float64(n))
	}
}

// maxRetryAfter bounds what a sender is told to wait. Without it one that was told to come back tomorrow does not notice
// that its quota was raised.
const maxRetryAfter = 5 * time.Minute

// meterWindow is the time over which a meter averages.
const meterWindow = 5 * time.Second

// meter measures a rate as an exponentially weighted mean.
type meter struct {
	pending float64 // since the last tick
	rate    float64 // a second
}

func (m *meter) add(n int64) { m.pending += float64(n) }

// tick closes an interval.
func (m *meter) tick(passed time.Duration) {
	if passed <= 0 {
		return
	}
	weight := 1 - math.Exp(-passed.Seconds()/meterWindow.Seconds())
	m.rate += weight * (m.pending/passed.Seconds() - m.rate)
	m.pending = 0
	if m.rate < 1e-3 {
		m.rate = 0 // quiet, else it would fade for minutes
	}
}
