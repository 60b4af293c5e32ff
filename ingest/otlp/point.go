package otlp

import (
	"math"

	"github.com/VictoriaMetrics/easyproto"
	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// point is one data point of any kind. Which fields have a meaning depends on the kind.
type point struct {
	attrs    []byte // the encoded attributes, tags included, one after the other
	scratch  []byte // memory for attrs that do not stand side by side in the body
	gathered bool   // attrs lies in scratch

	startNano uint64
	timeNano  uint64
	flags     uint64
	hasValue  bool
	value     float64
	count     uint64
	hasSum    bool
	sum       float64
	bounds    []float64
	counts    []uint64
	quantiles []quantile
	exp       exponential
	exemplars [][]byte

	series []*seamark.Series // of the samples that the point becomes
}

// quantile is SummaryDataPoint.ValueAtQuantile.
type quantile struct{ quantile, value float64 }

// quantileBytes is what a quantile takes, which can be two bytes in the body.
const quantileBytes = 16

func (p *point) reset() {
	p.exp.reset()
	*p = point{
		scratch: p.scratch[:0], bounds: p.bounds[:0], counts: p.counts[:0], quantiles: p.quantiles[:0], series: p.series[:0],
		exp: p.exp, exemplars: p.exemplars[:0],
	}
}

// flagNoRecordedValue says that the series has ended, which Prometheus tells with a stale marker.
const flagNoRecordedValue = 1

// staleMarkerBits is the NaN that marks the end of a series in Prometheus.
const staleMarkerBits = 0x7ff0000000000002

func (p *point) stale() bool { return p.flags&flagNoRecordedValue != 0 }

// orStale returns v, or the stale marker for a point without recorded values.
func (p *point) orStale(v float64) float64 {
	if p.stale() {
		return math.Float64frombits(staleMarkerBits)
	}
	return v
}

// addAttr takes a field that lies between before and after into attrs. Fields side by side, the only order that real
// senders write, are taken as one piece of the body without copying.
func (p *point) addAttr(before, after []byte) {
	n := len(before) - len(after)
	switch {
	case p.attrs == nil:
		p.attrs = before[:n]
	case !p.gathered && cap(p.attrs)-len(p.attrs) == cap(before):
		p.attrs = p.attrs[:len(p.attrs)+n]
	default:
		if !p.gathered {
			p.gathered = true
			p.scratch = append(p.scratch[:0], p.attrs...)
		}
		p.scratch = append(p.scratch, before[:n]...)
		p.attrs = p.scratch
	}
}

// attrField is the number of the field with the attributes.
func attrField(kind metricKind) uint32 {
	switch kind {
	case kindHistogram:
		return 9
	case kindExponential:
		return 1
	}
	return 7
}

// dataPoint decodes one point of a metric and appends its samples.
func (d *metricsDecoder) dataPoint(m *metric, src []byte) error {
	p := &d.point
	p.reset()
	d.attrRead = false
	field := attrField(m.kind)
	var fc easyproto.FieldContext
	for len(src) > 0 {
		after, err := fc.NextField(src)
		if err != nil {
			return d.broken("DataPoint", after, err)
		}
		ok := true
		switch {
		case fc.FieldNum == field:
			if _, ok = fc.MessageData(); ok {
				p.addAttr(src, after)
			}
		case fc.FieldNum == 2:
			p.startNano, ok = fc.Fixed64()
		case fc.FieldNum == 3:
			p.timeNano, ok = fc.Fixed64()
		case m.kind == kindHistogram:
			ok = p.histogramField(&fc)
		case m.kind == kindExponential:
			ok, err = d.exponentialField(&fc)
		case m.kind == kindSummary:
			ok, err = d.summaryField(&fc)
		default:
			ok = p.numberField(&fc)
		}
		if err != nil {
			return err
		}
		if !ok {
			return d.mistyped("DataPoint", fc.FieldNum, after)
		}
		src = after
	}
	return d.appendPoint(m)
}

// numberField reads a field of NumberDataPoint.
func (p *point) numberField(fc *easyproto.FieldContext) (ok bool) {
	ok = true
	switch fc.FieldNum {
	case 4:
		p.hasValue = true
		p.value, ok = fc.Double()
	case 5:
		ok = p.addExemplar(fc)
	case 6:
		var n int64
		p.hasValue = true
		n, ok = fc.Sfixed64()
		p.value = float64(n)
	case 8:
		p.flags, ok = fc.Uint64()
	}
	return ok
}

// histogramField reads a field of HistogramDataPoint.
func (p *point) histogramField(fc *easyproto.FieldContext) (ok bool) {
	ok = true
	switch fc.FieldNum {
	case 4:
		p.count, ok = fc.Fixed64()
	case 5:
		p.hasSum = true
		p.sum, ok = fc.Double()
	case 6:
		p.counts, ok = fc.UnpackFixed64s(p.counts)
	case 7:
		p.bounds, ok = fc.UnpackDoubles(p.bounds)
	case 8:
		ok = p.addExemplar(fc)
	case 10:
		p.flags, ok = fc.Uint64()
	}
	return ok
}

// summaryField reads a field of SummaryDataPoint.
func (d *metricsDecoder) summaryField(fc *easyproto.FieldContext) (ok bool, err error) {
	p := &d.point
	ok = true
	switch fc.FieldNum {
	case 4:
		p.count, ok = fc.Fixed64()
	case 5:
		p.sum, ok = fc.Double()
	case 6:
		var data []byte
		if data, ok = fc.MessageData(); ok {
			err = d.parseQuantile(data)
		}
	case 8:
		p.flags, ok = fc.Uint64()
	}
	return ok, err
}

func (d *metricsDecoder) parseQuantile(src []byte) error {
	var q quantile
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("ValueAtQuantile", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			q.quantile, ok = fc.Double()
		case 2:
			q.value, ok = fc.Double()
		}
		if !ok {
			return d.mistyped("ValueAtQuantile", fc.FieldNum, src)
		}
	}
	d.point.quantiles = append(d.point.quantiles, q)
	return d.batch.Reserve(quantileBytes)
}

// key is the catalog key of the point's first series.
func (p *point) key(m *metric) uint64 { return mix(m.seed, xxhash.Sum64(p.attrs)) }

// timeMilli is the point's time, now where the sender left it out.
func (d *metricsDecoder) timeMilli() int64 {
	if d.point.timeNano == 0 {
		return d.req.Now.UnixMilli()
	}
	return nanoTime(d.point.timeNano) / 1e6
}
