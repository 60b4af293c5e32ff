package remotewrite

import (
	"math"
	"math/bits"
)

// The schemas of native histograms that Prometheus defines: exponential ones of growing resolution, and custom buckets.
const (
	minSchema    = -4
	maxSchema    = 8
	customSchema = -53
)

// check returns why h cannot be stored; nil when it can. The rules are those of Prometheus, whose engine computes with
// what is stored and takes them for granted, and a few that keep its loops and its memory within bounds.
func (h *histogram) check(maxBuckets int) *rowFault {
	if n := h.size(); n > maxBuckets {
		return bad("seamark-histogram-buckets", "A native histogram of metric %.64q has %d buckets, spans or custom bounds; the limit is %d. "+
			"Lower its resolution where it is made (native_histogram_bucket_limit, max_size).", h.metric, n, maxBuckets)
	}
	if fault := h.checkKind(); fault != nil {
		return fault
	}
	switch {
	case math.IsNaN(h.zeroThreshold) || h.zeroThreshold < 0:
		// Prometheus widens zero buckets until two of them are equal, which a NaN never is.
		return bad("seamark-histogram-zero", "A native histogram of metric %.64q has a zero bucket of the width %v.", h.metric, h.zeroThreshold)
	case h.schema == customSchema:
		if fault := h.checkCustom(); fault != nil {
			return fault
		}
	case h.schema < minSchema || h.schema > maxSchema:
		return bad("seamark-histogram-schema", "A native histogram of metric %.64q has the schema %d; schemas are %d to %d, and %d for custom buckets.",
			h.metric, h.schema, minSchema, maxSchema, customSchema)
	case len(h.bounds) > 0:
		return bad("seamark-histogram-bounds", "A native histogram of metric %.64q has custom bounds and the exponential schema %d.", h.metric, h.schema)
	}
	for _, d := range h.sides() {
		if fault := h.checkSpans(d.name, d.side); fault != nil {
			return fault
		}
	}
	if h.isFloat {
		return h.checkFloatCounts()
	}
	return h.checkCounts()
}

// namedSide is a side with its name for a sentence.
type namedSide struct {
	name string
	*side
}

func (h *histogram) sides() [2]namedSide {
	return [2]namedSide{{"negative", &h.negative}, {"positive", &h.positive}}
}

// size is the length of h's longest list.
func (h *histogram) size() int {
	return max(len(h.bounds), len(h.positive.spans), len(h.negative.spans), h.positive.buckets()+h.negative.buckets())
}

func (d *side) buckets() int { return max(len(d.deltas), len(d.counts)) }

// checkKind refuses a mixture of integer and float: which half of it counts would be a guess.
func (h *histogram) checkKind() *rowFault {
	integers := len(h.positive.deltas) > 0 || len(h.negative.deltas) > 0 || h.zeroInt != 0
	floats := len(h.positive.counts) > 0 || len(h.negative.counts) > 0 || h.zeroFloat != 0
	switch {
	case h.isFloat && integers:
		return bad("seamark-histogram-kind", "A native histogram of metric %.64q has a float count and integer buckets.", h.metric)
	case !h.isFloat && floats:
		return bad("seamark-histogram-kind", "A native histogram of metric %.64q has an integer count and float buckets.", h.metric)
	}
	return nil
}

// checkCustom checks what custom buckets have and exponential ones have not.
func (h *histogram) checkCustom() *rowFault {
	if h.zeroInt != 0 || h.zeroFloat != 0 || h.zeroThreshold != 0 || len(h.negative.spans) > 0 || h.negative.buckets() > 0 {
		return bad("seamark-histogram-bounds", "A native histogram of metric %.64q has custom buckets, and a zero bucket or negative buckets.", h.metric)
	}
	for i, bound := range h.bounds {
		switch {
		case math.IsNaN(bound) || math.IsInf(bound, 1):
			return bad("seamark-histogram-bounds", "A native histogram of metric %.64q has the custom bound %v; bounds must be finite.", h.metric, bound)
		case i > 0 && bound <= h.bounds[i-1]:
			return bad("seamark-histogram-bounds", "A native histogram of metric %.64q has the custom bound %v behind %v; bounds must rise.",
				h.metric, bound, h.bounds[i-1])
		}
	}
	last := int64(0)
	for _, s := range h.positive.spans {
		if s.offset < 0 {
			return bad("seamark-histogram-bounds", "A native histogram of metric %.64q has custom buckets and a span with the offset %d.", h.metric, s.offset)
		}
		last += int64(s.offset) + int64(s.length)
	}
	if last > int64(len(h.bounds))+1 {
		return bad("seamark-histogram-bounds", "A native histogram of metric %.64q has %d custom bounds, too few for %d buckets.", h.metric, len(h.bounds), last)
	}
	return nil
}

// checkSpans checks that the spans describe the buckets that are there.
func (h *histogram) checkSpans(name string, d *side) *rowFault {
	if d.unknown {
		return bad("seamark-histogram-spans", "A native histogram of metric %.64q has a %s span with a field that is unknown.", h.metric, name)
	}
	total, index := int64(0), int64(0)
	for i, s := range d.spans {
		if i > 0 && s.offset < 0 {
			return bad("seamark-histogram-spans", "A native histogram of metric %.64q has the offset %d in %s span %d; only the first may be below 0.",
				h.metric, s.offset, name, i+1)
		}
		total += int64(s.length)
		if index += int64(s.offset) + int64(s.length); index > math.MaxInt32 { // the type of an index in Prometheus
			return bad("seamark-histogram-spans", "A native histogram of metric %.64q has %s spans that reach beyond bucket %d.",
				h.metric, name, math.MaxInt32)
		}
	}
	if total != int64(d.buckets()) {
		return bad("seamark-histogram-spans", "A native histogram of metric %.64q has %s spans for %d buckets, and %d buckets.",
			h.metric, name, total, d.buckets())
	}
	return nil
}

// checkCounts checks that an integer histogram's buckets add up to its count.
func (h *histogram) checkCounts() *rowFault {
	total, over := h.zeroInt, uint64(0)
	for _, d := range h.sides() {
		count := int64(0)
		for i, delta := range d.deltas {
			sum := count + delta
			if overflowed := (sum > count) != (delta > 0); overflowed || sum < 0 {
				return bad("seamark-histogram-count", "A native histogram of metric %.64q counts less than 0 or too much in %s bucket %d.", h.metric, d.name, i+1)
			}
			count = sum
			var carry uint64
			total, carry = bits.Add64(total, uint64(count), 0)
			over += carry
		}
	}
	// Observations of NaN are in the count and in no bucket, and make the sum NaN.
	if over > 0 || total > h.countInt || total < h.countInt && !math.IsNaN(h.sum) {
		return bad("seamark-histogram-count", "A native histogram of metric %.64q has the count %d, and %d observations in its buckets.",
			h.metric, h.countInt, total)
	}
	return nil
}

// checkFloatCounts checks a float histogram, whose buckets need not add up: sums of floats are not exact.
func (h *histogram) checkFloatCounts() *rowFault {
	if h.count < 0 || h.zeroFloat < 0 {
		return bad("seamark-histogram-count", "A native histogram of metric %.64q has the count %v, and %v in its zero bucket.", h.metric, h.count, h.zeroFloat)
	}
	for _, d := range h.sides() {
		for i, count := range d.counts {
			if count < 0 {
				return bad("seamark-histogram-count", "A native histogram of metric %.64q has %v in %s bucket %d.", h.metric, count, d.name, i+1)
			}
		}
	}
	return nil
}
