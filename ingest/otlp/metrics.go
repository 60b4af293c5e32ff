package otlp

import (
	"fmt"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// metricsDecoder is what one ExportMetricsServiceRequest is decoded with. Between requests it keeps memory and names,
// nothing else.
type metricsDecoder struct {
	wire
	req      *Request
	limits   Limits
	batch    *seamark.Batch
	requests uint64 // counts requests, to describe each family once in each

	families   familyCache
	labelNames nameCache

	parts        [][]byte // the occurrences of the current Resource
	resourceHash uint64
	resource     resourceAttrs
	parsed       bool  // resource holds the current resource
	newestMilli  int64 // of the current resource's samples, 0 while it has none
	targets      []target
	targetAt     map[uint64]int // where the target with a key is in targets

	point    point
	labels   []seamark.Label // of the series that is being created
	attrs    []rawAttr       // of the current point, when attrsRead
	attrRead bool

	native  nativeHistogram // scratch of exponential histograms
	encoded []byte
}

func newMetricsDecoder() *metricsDecoder {
	return &metricsDecoder{labelNames: nameCache{build: metricLabelName}, targetAt: make(map[uint64]int)}
}

func (d *metricsDecoder) decode(r *Request, batch *seamark.Batch) error {
	body, err := protobufOf(r, batch, metricsFromJSON)
	if err != nil {
		return err
	}
	d.body, d.req, d.batch, d.limits = body, r, batch, r.Limits.withDefaults()
	d.requests++
	defer d.release()
	if err := d.eachOf("ExportMetricsServiceRequest", body, 1, d.resourceMetrics); err != nil {
		return err
	}
	d.appendTargets()
	return nil
}

// release lets go of the request, so that a pooled decoder does not pin its body.
func (d *metricsDecoder) release() {
	clear(d.targetAt)
	*d = metricsDecoder{
		requests: d.requests, families: d.families, labelNames: d.labelNames, targets: emptied(d.targets), targetAt: d.targetAt, parts: emptied(d.parts),
		resource: resourceAttrs{rest: emptied(d.resource.rest)}, labels: emptied(d.labels), attrs: emptied(d.attrs),
		point: point{
			scratch: emptied(d.point.scratch), bounds: emptied(d.point.bounds), counts: emptied(d.point.counts),
			quantiles: emptied(d.point.quantiles), series: emptied(d.point.series), exemplars: emptied(d.point.exemplars),
			exp: exponential{
				positive: denseBuckets{counts: emptied(d.point.exp.positive.counts)}, negative: denseBuckets{counts: emptied(d.point.exp.negative.counts)},
			},
		},
		native: nativeHistogram{
			positive: sparseBuckets{emptied(d.native.positive.spans), emptied(d.native.positive.deltas)},
			negative: sparseBuckets{emptied(d.native.negative.spans), emptied(d.native.negative.deltas)}, packed: emptied(d.native.packed),
		},
		encoded: emptied(d.encoded),
	}
}

func (d *metricsDecoder) resourceMetrics(src []byte) error {
	var scopes uint32
	var err error
	if d.parts, scopes, err = d.findParts("ResourceMetrics", src, d.parts[:0]); err != nil {
		return err
	}
	d.resourceHash = hashParts(seedMetric, d.parts)
	d.parsed, d.newestMilli = false, 0
	err = d.eachOf("ResourceMetrics", src, scopes, func(data []byte) error {
		return d.eachOf("ScopeMetrics", data, 2, d.metric)
	})
	if err != nil || d.newestMilli == 0 {
		return err
	}
	return d.noteTarget()
}

// metric is one Metric message.
type metric struct {
	name, help, unit string
	kind             metricKind
	data             []byte // the Gauge, Sum, Histogram, ...
	temporality      uint64
	points           int
	family           *family
	seed             uint64 // of the catalog keys of its series
}

// The values of AggregationTemporality.
const (
	temporalityDelta      = 1
	temporalityCumulative = 2
)

// TemporalityLabel is the label, with the value delta, of series that hold changes instead of totals.
const TemporalityLabel = "__temporality__"

const deltaValue = "delta"

// delta reports whether the metric's points are changes since the point before.
func (m *metric) delta() bool {
	return m.temporality == temporalityDelta && m.kind != kindGauge && m.kind != kindSummary
}

func (d *metricsDecoder) metric(src []byte) error {
	var m metric
	if err := d.parseMetric(src, &m); err != nil || m.kind == kindNone {
		return err
	}
	if err := d.parseData(&m); err != nil || m.points == 0 {
		return err
	}
	if d.rows() >= d.limits.MaxRows {
		return d.limits.exceeded()
	}
	if d.refuse(&m) {
		return nil
	}
	m.family = d.families.find(familyKey{m.name, m.unit, m.kind})
	if m.family.name == "" {
		d.batch.Rejected.Add(seamark.Metrics, m.points, "seamark-metric-name", fmt.Sprintf(
			"Metric name %.100q has no letter or digit that Prometheus allows in a name; rename the instrument.", m.name))
		return nil
	}
	m.seed = mix(d.resourceHash, m.family.hash)
	if m.delta() {
		m.seed = mix(m.seed, seedDelta)
	}
	if m.family.described != d.requests {
		m.family.described = d.requests
		if err := d.batch.Reserve(seamark.MetadataBytes); err != nil {
			return err
		}
		d.batch.Metadata = append(d.batch.Metadata, seamark.MetricMetadata{
			Metric: m.family.name, Type: m.promType(), Help: m.help, Unit: m.family.unit,
		})
	}
	return d.eachOf("Metric", m.data, 1, func(data []byte) error { return d.dataPoint(&m, data) })
}

// parseMetric reads a Metric without the data inside.
func (d *metricsDecoder) parseMetric(src []byte, m *metric) error {
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Metric", src, err)
		}
		ok := true
		switch fc.FieldNum {
		case 1:
			m.name, ok = fc.String()
		case 2:
			m.help, ok = fc.String()
		case 3:
			m.unit, ok = fc.String()
		case 5:
			m.kind = kindGauge
			m.data, ok = fc.MessageData()
		case 7:
			m.kind = kindSum
			m.data, ok = fc.MessageData()
		case 9:
			m.kind = kindHistogram
			m.data, ok = fc.MessageData()
		case 10:
			m.kind = kindExponential
			m.data, ok = fc.MessageData()
		case 11:
			m.kind = kindSummary
			m.data, ok = fc.MessageData()
		}
		if !ok {
			return d.mistyped("Metric", fc.FieldNum, src)
		}
	}
	return nil
}

// parseData reads what holds for all points of a metric; senders write it behind the points.
func (d *metricsDecoder) parseData(m *metric) error {
	src := m.data
	var fc easyproto.FieldContext
	var err error
	for len(src) > 0 {
		if src, err = fc.NextField(src); err != nil {
			return d.broken("Metric", src, err)
		}
		ok := true
		switch {
		case fc.FieldNum == 1:
			m.points++
		case fc.FieldNum == 2 && m.kind != kindGauge && m.kind != kindSummary:
			m.temporality, ok = fc.Uint64()
		case fc.FieldNum == 3 && (m.kind == kindSum || m.kind == kindCounter):
			var monotonic uint64
			monotonic, ok = fc.Uint64()
			m.kind = kindSum
			if monotonic != 0 {
				m.kind = kindCounter
			}
		}
		if !ok {
			return d.mistyped("Metric", fc.FieldNum, src)
		}
	}
	return nil
}

// refuse counts all points of a metric that we cannot store as rejected and says whether it did.
func (d *metricsDecoder) refuse(m *metric) bool {
	if m.kind == kindGauge || m.kind == kindSummary || m.temporality == temporalityCumulative || m.temporality == temporalityDelta {
		return false
	}
	d.batch.Rejected.Add(seamark.Metrics, m.points, "seamark-temporality-unspecified", fmt.Sprintf(
		"Metric %.100q does not say whether its points are totals or changes (aggregation_temporality %d); send cumulative (2) or delta (1).",
		m.name, m.temporality))
	return true
}

// promType is the family's type in Prometheus' metadata, which has no word for deltas.
func (m *metric) promType() string {
	if m.delta() {
		return "unknown"
	}
	return m.kind.promType()
}
