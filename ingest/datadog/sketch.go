package datadog

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// The agent's sketches have fixed parameters (datadog-agent, pkg/util/quantile, NewConfig with its defaults): bin k > 0
// holds the values nearest to gamma^(k-bias) on the logarithmic scale, bin -k their negatives, bin 0 what lies between the
// smallest bins.
const (
	gamma = 1 + 2.0/128
	// bias is 1 - floor(log_gamma(1e-9)): the smallest value that is told from zero is 1e-9, rounded down to a power.
	bias = 1338
	// infinityKey is the bin of what is too large for the others, and of infinity.
	infinityKey = math.MaxInt16
)

// Parameters of the histograms.
const (
	schema = 6
	// zeroThreshold is the last power of two below the smallest bin, 2^-30.
	zeroThreshold = 1.0 / (1 << 30)
	// infinityBucket is the bucket behind the one with the largest float64, where Prometheus counts infinities.
	infinityBucket = 1024<<schema + 1
	// maxGap is how many empty buckets are written between two others before a new span is cheaper.
	maxGap = 2
)

// sketch is one Dogsketch, and the memory to turn it into a histogram.
type sketch struct {
	count         int64
	min, max, sum float64
	keys          []int32
	counts        []uint32

	zero               uint64
	positive, negative []bucket
	spans, deltas      []byte
}

// bucket is one bucket of an exponential histogram: index i holds the absolute values in (base^(i-1), base^i].
type bucket struct {
	index int32
	count uint64
}

func (k *sketch) reset() {
	*k = sketch{
		keys: k.keys[:0], counts: k.counts[:0], positive: k.positive[:0], negative: k.negative[:0],
		spans: k.spans[:0], deltas: k.deltas[:0],
	}
}

// large tells whether k holds more memory than is worth keeping.
func (k *sketch) large() bool { return cap(k.keys) > 4*maxScratch || cap(k.counts) > 4*maxScratch }

// fault returns what is wrong with the sketch's bins, "" for nothing. It fills the buckets.
func (k *sketch) fault() string {
	if len(k.keys) != len(k.counts) {
		return fmt.Sprintf("has %d keys and %d bin counts; each bin needs both", len(k.keys), len(k.counts))
	}
	var total uint64
	for i, key := range k.keys {
		n := uint64(k.counts[i])
		total += n
		switch {
		case key > infinityKey || key < -infinityKey-1:
			return fmt.Sprintf("has the bin key %d; the agent's keys lie between %d and %d", key, -infinityKey-1, infinityKey)
		case n == 0:
		case key == 0:
			k.zero += n
		case key > 0:
			k.positive = append(k.positive, bucket{bucketOf(key), n})
		default:
			k.negative = append(k.negative, bucket{bucketOf(-key), n})
		}
	}
	if k.count < 0 || total != uint64(k.count) {
		return fmt.Sprintf("counts %d values and has %d in its bins", k.count, total)
	}
	k.positive, k.negative = merged(k.positive), merged(k.negative)
	return ""
}

// bucketOf returns the histogram bucket that the middle of bin key > 0 lies in.
func bucketOf(key int32) int32 {
	if key >= infinityKey {
		return infinityBucket
	}
	return int32(math.Ceil(float64(key-bias) * (math.Log2(gamma) * (1 << schema))))
}

// merged sorts buckets and adds up those that stand twice: an agent splits a bin whose count would not fit 16 bits.
func merged(buckets []bucket) []bucket {
	byIndex := func(a, b bucket) int { return int(a.index) - int(b.index) }
	if !slices.IsSortedFunc(buckets, byIndex) {
		slices.SortFunc(buckets, byIndex)
	}
	kept := buckets[:0]
	for _, b := range buckets {
		if n := len(kept); n > 0 && kept[n-1].index == b.index {
			kept[n-1].count += b.count
			continue
		}
		kept = append(kept, b)
	}
	return kept
}

// Field numbers of prometheus.Histogram and prometheus.BucketSpan (prometheus, prompb/types.proto) with their wire types.
const (
	histogramCount          = 1 << 3
	histogramSum            = 3<<3 | 1
	histogramSchema         = 4 << 3
	histogramZeroThreshold  = 5<<3 | 1
	histogramZeroCount      = 6 << 3
	histogramNegativeSpans  = 8<<3 | 2
	histogramNegativeDeltas = 9<<3 | 2
	histogramPositiveSpans  = 11<<3 | 2
	histogramPositiveDeltas = 12<<3 | 2
	histogramResetHint      = 14 << 3

	spanOffset = 1 << 3
	spanLength = 2 << 3

	resetHintGauge = 3
)

// encodedBound is more than appendHistogram writes: for each bucket a span of its own and maxGap empty ones.
func (k *sketch) encodedBound() int {
	const fixed, span, delta = 64, 16, binary.MaxVarintLen64
	return fixed + (len(k.positive)+len(k.negative))*(span+(1+maxGap)*delta)
}

// appendHistogram appends the sketch as a prometheus.Histogram, whose buckets fault has filled.
func (k *sketch) appendHistogram(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, histogramCount), uint64(k.count))
	dst = binary.LittleEndian.AppendUint64(append(dst, histogramSum), math.Float64bits(k.sum))
	dst = binary.AppendVarint(append(dst, histogramSchema), schema)
	dst = binary.LittleEndian.AppendUint64(append(dst, histogramZeroThreshold), math.Float64bits(zeroThreshold))
	dst = binary.AppendUvarint(append(dst, histogramZeroCount), k.zero)
	dst = k.appendBuckets(dst, k.negative, histogramNegativeSpans, histogramNegativeDeltas)
	dst = k.appendBuckets(dst, k.positive, histogramPositiveSpans, histogramPositiveDeltas)
	return append(dst, histogramResetHint, resetHintGauge)
}

// appendBuckets appends one side's spans and the counts' differences from bucket to bucket.
func (k *sketch) appendBuckets(dst []byte, buckets []bucket, spansTag, deltasTag byte) []byte {
	if len(buckets) == 0 {
		return dst
	}
	k.deltas = k.deltas[:0]
	var before int64    // the count of the last bucket written
	next := int32(0)    // the index behind it
	offset := int32(0)  // of the current span
	length := uint64(0) // of the current span
	for _, b := range buckets {
		switch gap := b.index - next; {
		case length == 0:
			offset = gap
		case gap > maxGap:
			dst = k.appendSpan(dst, spansTag, offset, length)
			offset, length = gap, 0
		default:
			for ; gap > 0; gap-- {
				k.deltas = binary.AppendVarint(k.deltas, -before)
				before = 0
				length++
			}
		}
		k.deltas = binary.AppendVarint(k.deltas, int64(b.count)-before)
		before, next = int64(b.count), b.index+1
		length++
	}
	dst = k.appendSpan(dst, spansTag, offset, length)
	dst = binary.AppendUvarint(append(dst, deltasTag), uint64(len(k.deltas)))
	return append(dst, k.deltas...)
}

func (k *sketch) appendSpan(dst []byte, tag byte, offset int32, length uint64) []byte {
	k.spans = binary.AppendVarint(append(k.spans[:0], spanOffset), int64(offset))
	k.spans = binary.AppendUvarint(append(k.spans, spanLength), length)
	dst = binary.AppendUvarint(append(dst, tag), uint64(len(k.spans)))
	return append(dst, k.spans...)
}
