package remotewrite

import (
	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of prometheus' prompb MetricMetadata.
const (
	metadataType   = 1
	metadataFamily = 2
	metadataHelp   = 4
	metadataUnit   = 5
)

// metadata appends a MetricMetadata message of 1.0.
func (s *state) metadata(message []byte) error {
	var field easyproto.FieldContext
	m := seamark.MetricMetadata{Type: metricType(0)}
	for len(message) > 0 {
		at := message
		var err error
		if message, err = field.NextField(message); err != nil {
			return s.malformed(at, "MetricMetadata", err)
		}
		ok := true
		switch field.FieldNum {
		case metadataType:
			var number int64
			number, ok = field.Int64()
			m.Type = metricType(number)
		case metadataFamily:
			m.Metric, ok = field.String()
		case metadataHelp:
			m.Help, ok = field.String()
		case metadataUnit:
			m.Unit, ok = field.String()
		}
		if !ok {
			return s.malformed(at, "MetricMetadata", errWireType)
		}
	}
	if m.Metric == "" {
		return nil
	}
	return s.appendMetadata(m)
}

func (s *state) appendMetadata(m seamark.MetricMetadata) error {
	if err := s.batch.Reserve(seamark.MetadataBytes); err != nil {
		return err
	}
	s.batch.Metadata = append(s.batch.Metadata, m)
	return nil
}

// metricType names a metric type, which has the same number in 1.0 and 2.0, as OpenMetrics does; numbers of the future
// are unknown.
func metricType(number int64) string {
	names := [...]string{"unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"}
	if number < 0 || number >= int64(len(names)) {
		return names[0]
	}
	return names[number]
}
