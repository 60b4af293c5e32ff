package otlp

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// sampleID says which of the series of a point is meant.
type sampleID struct {
	key    uint64
	suffix string  // behind the family's name
	label  string  // le or quantile, "" for none
	bound  float64 // its value
}

// appendPoint appends the samples of the point that d.point holds. When the catalogue refuses one of its series, the
// point is refused as a whole.
func (d *metricsDecoder) appendPoint(m *metric) error {
	p := &d.point
	if m.kind <= kindCounter && !p.hasValue && !p.stale() {
		d.rejectValueless(m)
		return nil
	}
	if m.kind == kindExponential {
		if fault := d.native.setFrom(p, m.delta()); fault != "" {
			d.rejectNative(m, fault)
			return nil
		}
	}
	err := d.findSeries(m)
	if rejected, ok := rejection(err); ok && rejected.ID != bodyFault {
		d.batch.Rejected.Add(seamark.Metrics, 1, rejected.ID, rejected.Message)
		return nil
	}
	if err != nil {
		return err
	}
	timeMilli, first := d.timeMilli(), uint32(len(d.batch.Samples.Series))
	d.newestMilli = max(d.newestMilli, timeMilli)
	if m.kind == kindExponential {
		err = d.appendNative(timeMilli)
	} else {
		err = d.appendSamples(m, timeMilli)
	}
	if err != nil || len(p.exemplars) == 0 {
		return err
	}
	return d.appendExemplars(m, first, timeMilli)
}

// appendSamples appends a sample of each of the point's series.
func (d *metricsDecoder) appendSamples(m *metric, timeMilli int64) error {
	p, out := &d.point, &d.batch.Samples
	start, started := p.startMilli(m)
	// A zero each for a histogram's _count and _sum, or for the one series of a counter.
	rows := len(p.series)
	if started {
		rows += min(2, rows)
	}
	if d.rows()+rows > d.limits.MaxRows {
		return d.limits.exceeded()
	}
	if err := d.batch.Reserve(rows*seamark.SampleBytes + len(p.series)*seamark.SeriesBytes); err != nil {
		return err
	}
	for i, s := range p.series {
		ref := out.AddSeries(s)
		if started && (i == 0 || i == p.buckets()+2) {
			out.Append(ref, start, 0)
		}
		out.Append(ref, timeMilli, p.sampleValue(m.kind, i))
	}
	return nil
}

// rows counts the rows of the batch that this decoder makes.
func (d *metricsDecoder) rows() int { return d.batch.Samples.Len() + d.batch.Histograms.Len() }

// rejectNative counts an exponential histogram that native histograms have no place for.
func (d *metricsDecoder) rejectNative(m *metric, fault string) {
	const reason = "seamark-histogram-malformed"
	detail := ""
	if !told(d.batch, reason) {
		detail = fmt.Sprintf("A data point of exponential histogram %.100q has %s.", m.name, fault)
	}
	d.batch.Rejected.Add(seamark.Metrics, 1, reason, detail)
}

// rejectValueless counts a point without a value. The sentence is made for the first alone: two bytes of a body can be
// such a point.
func (d *metricsDecoder) rejectValueless(m *metric) {
	const reason = "seamark-value-missing"
	detail := ""
	if !told(d.batch, reason) {
		detail = fmt.Sprintf("A data point of metric %.100q has neither as_double nor as_int.", m.name)
	}
	d.batch.Rejected.Add(seamark.Metrics, 1, reason, detail)
}

// told says whether a row was refused for the reason before, so that its sentence need not be made again.
func told(b *seamark.Batch, reason string) bool {
	return slices.ContainsFunc(b.Rejected.Reasons, func(r seamark.Rejection) bool { return r.Reason == reason })
}

// findSeries fills p.series: for a histogram its count, its buckets, the last bucket and perhaps its sum; for a summary
// its count, its sum and its quantiles; else the one series.
func (d *metricsDecoder) findSeries(m *metric) error {
	p := &d.point
	key := p.key(m)
	switch m.kind {
	case kindHistogram:
		err := d.addSeries(m, sampleID{key: mix(key, seedCount), suffix: "_count"})
		for i := 0; err == nil && i < p.buckets(); i++ {
			err = d.addSeries(m, boundID(mix(key, seedBuckets), "_bucket", "le", p.bounds[i]))
		}
		if err == nil {
			err = d.addSeries(m, boundID(mix(key, seedBuckets), "_bucket", "le", math.Inf(1)))
		}
		if err == nil && p.hasSum {
			err = d.addSeries(m, sampleID{key: mix(key, seedSum), suffix: "_sum"})
		}
		return err
	case kindSummary:
		err := d.addSeries(m, sampleID{key: mix(key, seedCount), suffix: "_count"})
		if err == nil {
			err = d.addSeries(m, sampleID{key: mix(key, seedSum), suffix: "_sum"})
		}
		for i := 0; err == nil && i < len(p.quantiles); i++ {
			err = d.addSeries(m, boundID(key, "", "quantile", p.quantiles[i].quantile))
		}
		return err
	}
	return d.addSeries(m, sampleID{key: key})
}

// boundID is the id of a bucket or quantile below key.
func boundID(key uint64, suffix, label string, bound float64) sampleID {
	return sampleID{key: mix(key, math.Float64bits(bound)), suffix: suffix, label: label, bound: bound}
}

// buckets is how many buckets beside the last a histogram point has. Points whose bounds and counts do not fit together
// keep what they agree on.
func (p *point) buckets() int { return min(len(p.bounds), len(p.counts)) }

// sampleValue returns the value of the i-th series of the point, in the order of findSeries. It is called for i = 0, 1,
// ... once: the counts of buckets are added up on the way.
func (p *point) sampleValue(kind metricKind, i int) float64 {
	switch kind {
	case kindHistogram:
		buckets := p.buckets()
		switch {
		case i == 0 || i == buckets+1:
			return p.orStale(float64(p.count))
		case i == buckets+2:
			return p.orStale(p.sum)
		case i > 1:
			p.counts[i-1] += p.counts[i-2]
		}
		return p.orStale(float64(p.counts[i-1]))
	case kindSummary:
		switch i {
		case 0:
			return p.orStale(float64(p.count))
		case 1:
			return p.orStale(p.sum)
		}
		return p.orStale(p.quantiles[i-2].value)
	}
	return p.orStale(p.value)
}

// addSeries appends the series of id to the point's, creating it when the catalogue does not know it.
func (d *metricsDecoder) addSeries(m *metric, id sampleID) error {
	s := d.req.Catalog.Find(id.key)
	if s == nil {
		var err error
		if s, err = d.createSeries(m, id); err != nil {
			return err
		}
	}
	d.point.series = append(d.point.series, s)
	return nil
}

// createSeries is the slow path: it parses the attributes of point and resource.
func (d *metricsDecoder) createSeries(m *metric, id sampleID) (*seamark.Series, error) {
	if err := d.readAttrs(attrField(m.kind)); err != nil {
		return nil, err
	}
	if err := d.readResource(); err != nil {
		return nil, err
	}
	var err error
	if d.labels, err = d.appendAttrLabels(d.labels[:0], d.attrs); err != nil {
		return nil, err
	}
	own := len(d.labels)
	d.labels = d.resource.appendPlaceLabels(d.labels)
	// The point's own labels win over the promoted ones of its resource.
	kept := d.labels[:own]
	for _, l := range d.labels[own:] {
		if !hasName(kept[:own], l.Name) {
			kept = append(kept, l)
		}
	}
	kept = d.resource.setIdentity(kept)
	if id.label != "" {
		kept = setLabel(kept, id.label, formatBound(id.bound))
	}
	if m.delta() {
		kept = setLabel(kept, TemporalityLabel, deltaValue)
	}
	d.labels = setLabel(kept, seamark.MetricNameLabel, m.family.name+id.suffix)
	return d.req.Catalog.Create(id.key, seamark.MetricSeries, d.labels)
}

// readAttrs parses the point's attributes once for all its series.
func (d *metricsDecoder) readAttrs(field uint32) error {
	if d.attrRead {
		return nil
	}
	d.attrs = d.attrs[:0]
	err := d.eachOf("DataPoint", d.point.attrs, field, func(data []byte) error {
		var a attribute
		if err := d.parseAttribute(data, &a); err != nil {
			return err
		}
		text, err := d.text(&a.val)
		if err == nil && a.key != seamark.MetricNameLabel && a.key != TemporalityLabel { // both come from the metric
			d.attrs = append(d.attrs, rawAttr{a.key, text})
		}
		return err
	})
	d.attrRead = err == nil
	return err
}

// readResource parses the current resource once for all its series.
func (d *metricsDecoder) readResource() error {
	if d.parsed {
		return nil
	}
	err := d.parseResource(d.parts, &d.resource)
	d.parsed = err == nil
	return err
}

// maxPointAttrs bounds the attributes of a data point or of target_info before the catalogue's own limit sees them, because
// finding names that become the same label takes their square.
const maxPointAttrs = 256

// appendAttrLabels appends attributes as labels. Attributes whose names become the same label are joined with a
// semicolon in the order of their keys, as Prometheus does.
func (d *metricsDecoder) appendAttrLabels(dst []seamark.Label, attrs []rawAttr) ([]seamark.Label, error) {
	if len(attrs) > maxPointAttrs {
		return dst, seamark.Errorf(seamark.Invalid, "seamark-labels-limit",
			"A data point or resource has %d attributes; the limit is %d. Remove some in the collector.", len(attrs), maxPointAttrs)
	}
	slices.SortStableFunc(attrs, func(a, b rawAttr) int { return strings.Compare(a.key, b.key) })
	start := len(dst)
	for _, a := range attrs {
		name := d.labelNames.find(a.key)
		if name == "" {
			return dst, seamark.Errorf(seamark.Invalid, "seamark-label-name",
				"Attribute %.100q has no letter or digit that Prometheus allows in a label name.", a.key)
		}
		if a.value == "" {
			continue
		}
		// New names mostly sort behind the earlier ones; a series has at most some dozens.
		if i := slices.IndexFunc(dst[start:], func(l seamark.Label) bool { return l.Name == name }); i >= 0 {
			dst[start+i].Value += ";" + a.value
			continue
		}
		dst = append(dst, seamark.Label{Name: name, Value: a.value})
	}
	return dst, nil
}

// setIdentity sets the labels job and instance, which name the resource in Prometheus.
func (r *resourceAttrs) setIdentity(labels []seamark.Label) []seamark.Label {
	if job := r.job(); job != "" {
		labels = setLabel(labels, "job", job)
	}
	if r.serviceInstance != "" {
		labels = setLabel(labels, "instance", r.serviceInstance)
	}
	return labels
}

// job is service.namespace/service.name, "" without a service.name.
func (r *resourceAttrs) job() string {
	if r.serviceName == "" || r.serviceNamespace == "" {
		return r.serviceName
	}
	return r.serviceNamespace + "/" + r.serviceName
}

func setLabel(labels []seamark.Label, name, value string) []seamark.Label {
	for i := range labels {
		if labels[i].Name == name {
			labels[i].Value = value
			return labels
		}
	}
	return append(labels, seamark.Label{Name: name, Value: value})
}

// formatBound writes a bucket's bound or a quantile as Prometheus' OTLP translation does.
func formatBound(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
