package remotewrite

import (
	"fmt"
	"math"
	"math/bits"
)

// The schemas of native histograms that Prometheus defines: exponential ones of growing resolution, and custom buckets.
const (
	minSchema    = -4
	maxSchema    = 8
	customSchema = -53
)

// check returns why h cannot be stored, as the id of a reason and the end of a sentence; both are empty when it can. The
// rules are those of Prometheus, whose engine computes with what is stored and takes them for granted, and a few that
// keep its loops and its memory within bounds.
func (h *histogram) check(maxBuckets int) (reason, problem string) {
	if n := h.size(); n > maxBuckets {
		return "seamark-histogram-buckets", fmt.Sprintf("has %d buckets, spans or custom bounds; the limit is %d. "+
			"Lower its resolution where it is made (native_histogram_bucket_limit, max_size)", n, maxBuckets)
	}
	if problem = h.kindProblem(); problem != "" {
		return "seamark-histogram-kind", problem
	}
	switch {
	case h.schema == customSchema:
		if problem = h.customProblem(); problem != "" {
			return "seamark-histogram-bounds", problem
		}
	case h.schema < minSchema || h.schema > maxSchema:
		return "seamark-histogram-schema", fmt.Sprintf("has the schema %d; schemas are %d to %d, and %d for custom buckets",
			h.schema, minSchema, maxSchema, customSchema)
	case len(h.bounds) > 0:
		return "seamark-histogram-bounds", fmt.Sprintf("has custom bounds and the exponential schema %d", h.schema)
	}
	for name, d := range h.sides() {
		if problem = d.spanProblem(); problem != "" {
			return "seamark-histogram-spans", "has " + name + " spans " + problem
		}
	}
	if problem = h.countProblem(); problem != "" {
		return "seamark-histogram-count", problem
	}
	return "", ""
}

// sides yields both sides with their names.
func (h *histogram) sides() func(yield func(string, *side) bool) {
	return func(yield func(string, *side) bool) {
		_ = yield("negative", &h.negative) && yield("positive", &h.positive)
	}
}

// size is the length of h's longest list.
func (h *histogram) size() int {
	return max(len(h.bounds), len(h.positive.spans), len(h.negative.spans), h.positive.buckets()+h.negative.buckets())
}

func (d *side) buckets() int { return max(len(d.deltas), len(d.counts)) }

// kindProblem refuses a mixture of integer and float: which half of it counts would be a guess.
func (h *histogram) kindProblem() string {
	switch {
	case h.isFloat && (len(h.positive.deltas) > 0 || len(h.negative.deltas) > 0 || h.zeroInt != 0):
		return "has a float count and integer buckets"
	case !h.isFloat && (len(h.positive.counts) > 0 || len(h.negative.counts) > 0 || h.zeroFloat != 0):
		return "has an integer count and float buckets"
	case math.IsNaN(h.zeroThreshold) || h.zeroThreshold < 0:
		// Prometheus widens zero buckets until two of them are equal, which a NaN never is.
		return fmt.Sprintf("has a zero bucket of width %v", h.zeroThreshold)
	}
	return ""
}

// customProblem checks what custom buckets have and exponential ones have not.
func (h *histogram) customProblem() string {
	switch {
	case h.zeroInt != 0 || h.zeroFloat != 0 || h.zeroThreshold != 0:
		return "has custom buckets and a zero bucket"
	case len(h.negative.spans) > 0 || h.negative.buckets() > 0:
		return "has custom buckets and negative buckets"
	}
	for i, bound := range h.bounds {
		switch {
		case math.IsNaN(bound) || math.IsInf(bound, 1):
			return fmt.Sprintf("has the custom bound %v", bound)
		case i > 0 && bound <= h.bounds[i-1]:
			return fmt.Sprintf("has the custom bound %v behind %v; bounds must rise", bound, h.bounds[i-1])
		}
	}
	last := int64(0)
	for _, s := range h.positive.spans {
		if s.offset < 0 {
			return fmt.Sprintf("has custom buckets and a span with the offset %d", s.offset)
		}
		last += int64(s.offset) + int64(s.length)
	}
	if last > int64(len(h.bounds))+1 {
		return fmt.Sprintf("has %d custom bounds, too few for %d buckets", len(h.bounds), last)
	}
	return ""
}

// spanProblem checks that the spans describe the buckets that are there.
func (d *side) spanProblem() string {
	if d.unknown {
		return "with a field that is unknown"
	}
	total, index := int64(0), int64(0)
	for i, s := range d.spans {
		if i > 0 && s.offset < 0 {
			return fmt.Sprintf("of which number %d has the offset %d", i+1, s.offset)
		}
		total += int64(s.length)
		if index += int64(s.offset) + int64(s.length); index > math.MaxInt32 { // the type of an index in Prometheus
			return fmt.Sprintf("that reach beyond bucket %d", math.MaxInt32)
		}
	}
	if total != int64(d.buckets()) {
		return fmt.Sprintf("for %d buckets and has %d", total, d.buckets())
	}
	return ""
}

// countProblem checks that the buckets add up to the count. Float histograms need not, because sums of floats are not exact.
func (h *histogram) countProblem() string {
	if h.isFloat {
		return h.floatCountProblem()
	}
	total, over := h.zeroInt, uint64(0)
	for name, d := range h.sides() {
		count := int64(0)
		for i, delta := range d.deltas {
			if sum := count + delta; (sum > count) == (delta > 0) {
				count = sum
			} else {
				count = -1 // it overflowed
			}
			if count < 0 {
				return fmt.Sprintf("has less than nothing in %s bucket %d", name, i+1)
			}
			var carry uint64
			total, carry = bits.Add64(total, uint64(count), 0)
			over += carry
		}
	}
	// Observations of NaN are in the count and in no bucket, and make the sum NaN.
	if over > 0 || total > h.countInt || total < h.countInt && !math.IsNaN(h.sum) {
		return fmt.Sprintf("has the count %d, and %d observations in its buckets", h.countInt, total)
	}
	return ""
}

func (h *histogram) floatCountProblem() string {
	if h.count < 0 || h.zeroFloat < 0 {
		return fmt.Sprintf("has the count %v, and %v in its zero bucket", h.count, h.zeroFloat)
	}
	for name, d := range h.sides() {
		for i, count := range d.counts {
			if count < 0 {
				return fmt.Sprintf("has %v in %s bucket %d", count, name, i+1)
			}
		}
	}
	return ""
}
