package otlp

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The exponential schemas of Prometheus' native histograms: 2^schema buckets per power of two. A finer scale is merged
// down to the finest; a coarser one than the coarsest has no place.
const (
	maxSchema = 8
	minSchema = -4
)

// defaultZeroThreshold is the width of the zero bucket where the sender tells none, as Prometheus' OTLP translation has it.
const defaultZeroThreshold = 1e-128

// maxNativeBuckets bounds the buckets of one side of a histogram. SDKs send 160 at most. Without it a body of one-byte
// counts takes eight times its size to decode.
const maxNativeBuckets = 1 << 14

// maxSpanGap is the run of empty buckets that is written out rather than starting a new span, which costs more bytes.
const maxSpanGap = 2

// exponential is what an ExponentialHistogramDataPoint has beside what all histograms have.
type exponential struct {
	scale              int32
	zeroCount          uint64
	zeroThreshold      float64
	positive, negative denseBuckets
}

// denseBuckets is ExponentialHistogramDataPoint.Buckets: counts[i] counts the bucket with the number offset + i.
type denseBuckets struct {
	offset int32
	counts []uint64
	many   bool // there were more than maxNativeBuckets
}

func (x *exponential) reset() {
	*x = exponential{
		positive: denseBuckets{counts: x.positive.counts[:0]}, negative: denseBuckets{counts: x.negative.counts[:0]},
	}
}

// exponentialField reads a field of ExponentialHistogramDataPoint.
func (d *metricsDecoder) exponentialField(fc *easyproto.FieldContext) (ok bool, err error) {
	p := &d.point
	ok = true
	switch fc.FieldNum {
	case 4:
		p.count, ok = fc.Fixed64()
	case 5:
		p.hasSum = true
		p.sum, ok = fc.Double()
	case 6:
		p.exp.scale, ok = fc.Sint32()
	case 7:
		p.exp.zeroCount, ok = fc.Fixed64()
	case 8, 9:
		side := &p.exp.positive
		if fc.FieldNum == 9 {
			side = &p.exp.negative
		}
		var data []byte
		if data, ok = fc.MessageData(); ok {
			err = d.parseBuckets(data, side)
		}
	case 10:
		p.flags, ok = fc.Uint64()
	case 11:
		ok = p.addExemplar(fc)
	case 14:
		p.exp.zeroThreshold, ok = fc.Double()
	}
	return ok, err
}

func (d *metricsDecoder) parseBuckets(src []byte, side *denseBuckets) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Buckets", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			side.offset, ok = fc.Sint32()
		case 2:
			ok = side.unpack(&fc)
		}
		if !ok {
			return d.mistyped("Buckets", fc.FieldNum, src)
		}
	}
	return nil
}

// unpack reads counts, packed or one by one.
func (b *denseBuckets) unpack(fc *easyproto.FieldContext) (ok bool) {
	packed, ok := fc.MessageData()
	if !ok {
		count, ok := fc.Uint64()
		b.add(count)
		return ok
	}
	for len(packed) > 0 && !b.many {
		count, n := binary.Uvarint(packed)
		if n <= 0 {
			return false
		}
		b.add(count)
		packed = packed[n:]
	}
	return true
}

func (b *denseBuckets) add(count uint64) {
	if b.many = b.many || len(b.counts) == maxNativeBuckets; !b.many {
		b.counts = append(b.counts, count)
	}
}

// nativeHistogram is a histogram in Prometheus' words, ready to be encoded.
type nativeHistogram struct {
	count         uint64
	sum           float64
	schema        int32
	zeroThreshold float64
	zeroCount     uint64
	gauge         bool // deltas go up and down, so no reset is looked for in them
	positive      sparseBuckets
	negative      sparseBuckets
	packed        []byte // scratch
}

// sparseBuckets are the buckets of one side: runs of buckets, and each bucket's count as the difference to the one before.
type sparseBuckets struct {
	spans  []bucketSpan
	deltas []int64
}

// bucketSpan is a run of buckets; offset is the gap to the run before, or the first run's bucket number.
type bucketSpan struct {
	offset int32
	length uint32
}

func (s *sparseBuckets) reset() { s.spans, s.deltas = s.spans[:0], s.deltas[:0] }

// fill takes the buckets over, merging 2^shift of them into one. Bucket i of OpenTelemetry has its lower bound at base^i,
// bucket i of Prometheus its upper one. It says what is wrong with buckets that cannot be kept, "" for none.
func (s *sparseBuckets) fill(dense *denseBuckets, shift int32) (fault string) {
	s.reset()
	if dense.many {
		return fmt.Sprintf("more than %d buckets, the limit", maxNativeBuckets)
	}
	var before int64 // count of the bucket written last
	next := int64(0) // number of the bucket that would continue the run
	for i := 0; i < len(dense.counts); {
		index := bucketIndex(dense.offset, i, shift)
		var count uint64
		for ; i < len(dense.counts) && bucketIndex(dense.offset, i, shift) == index; i++ {
			if dense.counts[i] > math.MaxInt64-count {
				return "a bucket count beyond 63 bits"
			}
			count += dense.counts[i]
		}
		if count == 0 {
			continue
		}
		if index > math.MaxInt32 {
			return "a bucket number beyond 32 bits"
		}
		switch gap := index - next; {
		case len(s.spans) == 0 || gap > maxSpanGap:
			s.spans = append(s.spans, bucketSpan{offset: int32(gap)})
		default:
			for range gap {
				s.append(-before)
				before = 0
			}
		}
		s.append(int64(count) - before)
		before, next = int64(count), index+1
	}
	return ""
}

func bucketIndex(offset int32, i int, shift int32) int64 {
	return (int64(offset)+int64(i))>>shift + 1
}

// append adds a bucket to the last run.
func (s *sparseBuckets) append(delta int64) {
	s.spans[len(s.spans)-1].length++
	s.deltas = append(s.deltas, delta)
}

// setFrom takes p over. It says what is wrong with a point that cannot be kept, "" for none.
func (h *nativeHistogram) setFrom(p *point, delta bool) (fault string) {
	x := &p.exp
	if x.scale < minSchema {
		return fmt.Sprintf("scale %d; Prometheus' native histograms begin at scale %d", x.scale, minSchema)
	}
	h.schema, h.gauge = min(x.scale, maxSchema), delta
	h.zeroThreshold = defaultZeroThreshold
	if x.zeroThreshold > 0 && !math.IsInf(x.zeroThreshold, 1) {
		h.zeroThreshold = x.zeroThreshold
	}
	if p.stale() {
		h.count, h.zeroCount, h.sum = 0, 0, p.orStale(0)
		h.positive.reset()
		h.negative.reset()
		return ""
	}
	h.count, h.zeroCount, h.sum = p.count, x.zeroCount, p.sum
	if fault = h.positive.fill(&x.positive, x.scale-h.schema); fault == "" {
		fault = h.negative.fill(&x.negative, x.scale-h.schema)
	}
	return fault
}

// resetGauge is the one reset hint of prometheus.Histogram that we write; the others would promise what nobody has checked.
const resetGauge = 3

// append appends the message prometheus.Histogram without its timestamp.
func (h *nativeHistogram) append(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, 1<<3), h.count) // even 0: it says that the histogram counts in integers
	dst = appendDoubleField(dst, 3, h.sum)
	dst = appendVarintField(dst, 4, zigzag(int64(h.schema)))
	dst = appendDoubleField(dst, 5, h.zeroThreshold)
	dst = binary.AppendUvarint(append(dst, 6<<3), h.zeroCount)
	dst = h.appendBuckets(dst, 8, &h.negative)
	dst = h.appendBuckets(dst, 11, &h.positive)
	if h.gauge {
		dst = appendVarintField(dst, 14, resetGauge)
	}
	return dst
}

// appendBuckets appends spans under the given field and deltas under the next.
func (h *nativeHistogram) appendBuckets(dst []byte, field int, s *sparseBuckets) []byte {
	for _, span := range s.spans {
		h.packed = appendVarintField(h.packed[:0], 1, zigzag(int64(span.offset)))
		h.packed = appendVarintField(h.packed, 2, uint64(span.length))
		dst = appendStringField(dst, field, alias(h.packed))
	}
	h.packed = h.packed[:0]
	for _, delta := range s.deltas {
		h.packed = binary.AppendUvarint(h.packed, zigzag(delta))
	}
	return appendStringField(dst, field+1, alias(h.packed))
}

func zigzag(n int64) uint64 { return uint64(n<<1) ^ uint64(n>>63) }

func appendDoubleField(dst []byte, field int, f float64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, byte(field<<3|1)), math.Float64bits(f))
}

// appendNative appends the histogram that d.point holds to the batch. The point's one series is found by then.
func (d *metricsDecoder) appendNative(timeMilli int64) error {
	d.encoded = d.native.append(d.encoded[:0])
	if err := d.batch.Reserve(seamark.SampleBytes + seamark.SeriesBytes + len(d.encoded)); err != nil {
		return err
	}
	d.batch.Histograms.Append(&seamark.HistogramRow{
		Series: d.batch.Samples.AddSeries(d.point.series[0]), TimeMilli: timeMilli,
		Count: float64(d.native.count), Sum: d.native.sum, Data: d.arena.keepText(d.encoded),
	})
	return nil
}
