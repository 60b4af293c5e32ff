package otlp

import "math"

// maxStartAge is how long before its point a start may lie to be told as a zero sample, see startMilli. Without the bound
// each point of a long-lived counter would repeat a zero that is long stored.
const maxStartAge = uint64(2 * 60 * 1e9)

// startMilli returns when the point's series began, if the zero it began at is to be stored as a sample.
func (p *point) startMilli(m *metric) (milli int64, ok bool) {
	if p.stale() || m.temporality != temporalityCumulative || m.kind != kindCounter && m.kind != kindHistogram {
		return 0, false
	}
	// Equal milliseconds would give the zero the time of the point itself.
	if p.startNano == 0 || p.timeNano <= p.startNano || p.timeNano-p.startNano > maxStartAge || p.timeNano > math.MaxInt64 {
		return 0, false
	}
	milli = nanoTime(p.startNano) / 1e6
	return milli, milli < nanoTime(p.timeNano)/1e6
}
