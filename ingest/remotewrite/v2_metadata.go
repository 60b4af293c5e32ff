package remotewrite

import (
	"strings"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of a 2.0 Metadata message. It has no name: it stands with a series.
const (
	metadataTypeV2 = 1
	metadataHelpV2 = 3
	metadataUnitV2 = 4
)

// family is what a request tells of a metric family.
type family struct {
	name       string
	kind       int64
	help, unit uint64 // symbols
}

// metadataV2 appends the metadata that stands with a series, unless the request has told it already, and returns the
// metric's type. References outside the symbols are taken as none: the series' rows are good without a description.
func (s *state) metadataV2(o *outline, series *seamark.Series) (kind int64, err error) {
	if len(o.metadata) == 0 {
		return 0, nil
	}
	var f family
	var field easyproto.FieldContext
	for rest := o.metadata; len(rest) > 0; {
		at := rest
		if rest, err = field.NextField(rest); err != nil {
			return 0, s.malformed(at, "Metadata", err)
		}
		ok := true
		switch field.FieldNum {
		case metadataTypeV2:
			f.kind, ok = field.Int64()
		case metadataHelpV2:
			f.help, ok = field.Uint64()
		case metadataUnitV2:
			f.unit, ok = field.Uint64()
		}
		if !ok {
			return 0, s.malformed(at, "Metadata", errWireType)
		}
	}
	// Series of one metric mostly stand side by side.
	if f.name = series.Name; f == s.told {
		return f.kind, nil
	}
	s.told = f
	m := seamark.MetricMetadata{Type: metricType(f.kind), Help: s.text(f.help), Unit: s.text(f.unit)}
	if f.kind == 0 && m.Help == "" && m.Unit == "" || series.Name == "" {
		return f.kind, nil
	}
	f.name = familyOf(series.Name, m.Type)
	if _, known := s.families[f]; known {
		return f.kind, nil
	}
	if s.families == nil {
		s.families = map[family]struct{}{}
	}
	s.families[f] = struct{}{}
	m.Metric = f.name
	return f.kind, s.appendMetadata(m)
}

// text returns a symbol, "" when it is none.
func (s *state) text(ref uint64) string {
	if ref >= uint64(len(s.symbols)) {
		return ""
	}
	return s.symbols[ref]
}

// familyOf returns the family of a series' metric, under which 1.0 sends the metadata: histograms and summaries have
// series with suffixes.
func familyOf(metric, kind string) string {
	suffixes := [...]string{"_bucket", "_count", "_sum"}
	switch kind {
	case "histogram":
	case "summary":
		suffixes[0] = ""
	case "gaugehistogram":
		suffixes[1], suffixes[2] = "_gcount", "_gsum"
	default:
		return metric
	}
	for _, suffix := range suffixes {
		if name, found := strings.CutSuffix(metric, suffix); found && suffix != "" && name != "" {
			return name
		}
	}
	return metric
}
