package otlp

import (
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/otlptranslator"
)

// metricKind is the case of Metric's oneof, with monotonic sums apart because they are named differently.
type metricKind uint8

const (
	kindNone metricKind = iota
	kindGauge
	kindSum
	kindCounter // a monotonic sum
	kindHistogram
	kindExponential
	kindSummary
)

// promType is the family's type in Prometheus' metadata.
func (k metricKind) promType() string {
	switch k {
	case kindGauge, kindSum:
		return "gauge"
	case kindCounter:
		return "counter"
	case kindHistogram, kindExponential:
		return "histogram"
	case kindSummary:
		return "summary"
	}
	return "unknown"
}

func (k metricKind) translatorType() otlptranslator.MetricType {
	switch k {
	case kindGauge:
		return otlptranslator.MetricTypeGauge
	case kindSum:
		return otlptranslator.MetricTypeNonMonotonicCounter
	case kindCounter:
		return otlptranslator.MetricTypeMonotonicCounter
	case kindHistogram:
		return otlptranslator.MetricTypeHistogram
	case kindExponential:
		return otlptranslator.MetricTypeExponentialHistogram
	case kindSummary:
		return otlptranslator.MetricTypeSummary
	}
	return otlptranslator.MetricTypeUnknown
}

// familyKey is what a family's name is made of.
type familyKey struct {
	name, unit string
	kind       metricKind
}

// family is a metric in Prometheus' words. name is "" when nothing valid can be made of the sender's name.
type family struct {
	name, unit string
	hash       uint64 // of name
	described  uint64 // number of the request whose batch has the metadata
}

// familyCache remembers families over requests. They are pure functions of their key, so tenants may share them.
type familyCache map[familyKey]*family

func (c *familyCache) find(key familyKey) *family {
	if f, ok := (*c)[key]; ok {
		return f
	}
	f := newFamily(key)
	if len(key.name)+len(key.unit) > maxCachedNameBytes {
		return f
	}
	if *c == nil || len(*c) >= maxCachedNames {
		*c = make(familyCache)
	}
	key.name, key.unit = strings.Clone(key.name), strings.Clone(key.unit)
	(*c)[key] = f
	return f
}

func newFamily(key familyKey) *family {
	metrics := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	name, err := metrics.Build(otlptranslator.Metric{Name: key.name, Unit: key.unit, Type: key.kind.translatorType()})
	if err != nil {
		return &family{}
	}
	units := otlptranslator.UnitNamer{}
	// Names that need no change come back as they went in and alias the request.
	name = strings.Clone(name)
	return &family{name: name, unit: strings.Clone(units.Build(key.unit)), hash: xxhash.Sum64String(name)}
}
