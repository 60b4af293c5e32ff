package datadog

import (
	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of agent-payload's proto/metrics/agent_payload.proto, as far as they are read.
const (
	payloadSeries = 1

	seriesResources = 1
	seriesMetric    = 2
	seriesTags      = 3
	seriesPoints    = 4
	seriesType      = 5
	seriesUnit      = 6

	resourceType = 1
	resourceName = 2

	pointValue     = 1
	pointTimestamp = 2
)

// DecodeSeriesProto appends the points of a body of /api/v2/series in protobuf (agentpayload.MetricPayload) to b. Strings
// in b alias body, so body must stay unchanged as long as b is used. Points without a usable time and all points of series
// that cat refuses are counted in b.Rejected while the rest is kept. The error is a *seamark.Error: Invalid
// seamark-body-protobuf when body is not a MetricPayload, after which b holds a part of the request and must not be used.
func (d *Decoder) DecodeSeriesProto(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	if isProbe(body) {
		return nil
	}
	s := d.take(body, cat, b, o)
	defer d.give(s)
	return s.eachField("MetricPayload", body, func(fc *easyproto.FieldContext, _, _ []byte) (bool, error) {
		if fc.FieldNum != payloadSeries {
			return true, nil
		}
		message, ok := fc.MessageData()
		if !ok {
			return false, nil
		}
		return true, s.seriesProto(message)
	})
}

// protoSeries is where the parts of a MetricSeries lie.
type protoSeries struct {
	metric     string
	unit       string
	metricType int
	points     []byte // from the first point's tag to the message's end
	pointN     int
}

func (s *state) seriesProto(message []byte) error {
	o, err := s.outline(message)
	if err != nil || o.pointN == 0 {
		return err
	}
	if err := s.batch.Reserve(seamark.SeriesBytes + o.pointN*seamark.SampleBytes); err != nil {
		return err
	}
	key := s.identity.key(protoKeySpace)
	series := s.cat.Find(key)
	if series == nil {
		if series, err = s.createProto(key, s.identity.run); err != nil {
			return s.refuse(seamark.Metrics, o.pointN, err)
		}
	}
	if err := s.describe(series, o.metricType, o.unit); err != nil {
		return err
	}
	return s.pointsProto(&o, s.batch.Samples.AddSeries(series))
}

// outline walks a MetricSeries once and leaves the fields that name it in s.identity.
func (s *state) outline(message []byte) (protoSeries, error) {
	var o protoSeries
	s.identity.reset()
	var fc easyproto.FieldContext
	for len(message) > 0 {
		after, err := fc.NextField(message)
		if err != nil {
			return o, s.malformed(message, "MetricSeries", err)
		}
		ok := true
		switch fc.FieldNum {
		case seriesResources, seriesTags:
			_, ok = fc.MessageData()
			s.identity.add(message, after)
		case seriesMetric:
			o.metric, ok = fc.String()
			s.identity.add(message, after)
		case seriesPoints:
			if o.pointN == 0 {
				o.points = message
			}
			o.pointN++
			_, ok = fc.MessageData()
		case seriesType:
			var n int32
			n, ok = fc.Enum()
			o.metricType = protoType(n)
		case seriesUnit:
			o.unit, ok = fc.String()
		}
		if !ok {
			return o, s.malformed(message, "MetricSeries", errWireType)
		}
		message = after
	}
	return o, nil
}

// protoType maps MetricPayload.MetricType, where 0 is unspecified and 3 is gauge; numbers of the future are gauges.
func protoType(n int32) int {
	if n == typeCount || n == typeRate {
		return int(n)
	}
	return typeGauge
}

// createProto parses the fields that name a series and gives its labels to the catalogue.
func (s *state) createProto(key uint64, identity []byte) (*seamark.Series, error) {
	s.labels.reset()
	metric := ""
	err := s.eachField("MetricSeries", identity, func(fc *easyproto.FieldContext, _, _ []byte) (ok bool, err error) {
		if err := s.batch.Reserve(seamark.LabelBytes); err != nil {
			return true, err
		}
		switch fc.FieldNum {
		case seriesMetric:
			metric, ok = fc.String()
		case seriesTags:
			var tag string
			tag, ok = fc.String()
			s.labels.addTag(tag)
		case seriesResources:
			var message []byte
			if message, ok = fc.MessageData(); ok {
				err = s.resourceProto(message)
			}
		}
		return ok, err
	})
	if err != nil {
		return nil, err
	}
	return s.create(key, metricName(metric))
}

// create gives the labels in s.labels to the catalogue under a metric's name.
func (s *state) create(key uint64, name string) (*seamark.Series, error) {
	s.labels.set(seamark.MetricNameLabel, name)
	labels, err := s.labels.labels()
	if err != nil {
		return nil, err
	}
	return s.cat.Create(key, seamark.MetricSeries, labels)
}

func (s *state) resourceProto(message []byte) error {
	var kind, name string
	err := s.eachField("Resource", message, func(fc *easyproto.FieldContext, _, _ []byte) (ok bool, err error) {
		ok = true
		switch fc.FieldNum {
		case resourceType:
			kind, ok = fc.String()
		case resourceName:
			name, ok = fc.String()
		}
		return ok, nil
	})
	s.labels.set(labelName(kind), name)
	return err
}

func (s *state) pointsProto(o *protoSeries, ref uint32) error {
	var fc easyproto.FieldContext
	for rest := o.points; len(rest) > 0; {
		after, err := fc.NextField(rest)
		if err != nil {
			return s.malformed(rest, "MetricSeries", err)
		}
		if fc.FieldNum == seriesPoints {
			message, _ := fc.MessageData() // outline has checked the wire type
			if err := s.pointProto(o, ref, message); err != nil {
				return err
			}
		}
		rest = after
	}
	return nil
}

func (s *state) pointProto(o *protoSeries, ref uint32, message []byte) error {
	var value float64
	var seconds int64
	var fc easyproto.FieldContext
	for len(message) > 0 {
		after, err := fc.NextField(message)
		if err != nil {
			return s.malformed(message, "MetricPoint", err)
		}
		ok := true
		switch fc.FieldNum {
		case pointValue:
			value, ok = fc.Double()
		case pointTimestamp:
			seconds, ok = fc.Int64()
		}
		if !ok {
			return s.malformed(message, "MetricPoint", errWireType)
		}
		message = after
	}
	at, ok := s.milli(seconds)
	if !ok {
		s.rejectTime(o.metric, float64(seconds))
		return nil
	}
	s.batch.Samples.Append(ref, at, value)
	return nil
}
