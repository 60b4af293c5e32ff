package datadog

import (
	"fmt"
	"math"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// DecodeSeriesJSON appends the points of a body of /api/v1/series or of /api/v2/series in JSON to b; the two differ in how
// points, types and hosts are written and each is told by its form. Strings in b may alias body. An object without series,
// as agents send it to see whether we are there, is an empty request. Points that cannot be read and all points of series
// that cat refuses are counted in b.Rejected while the rest is kept. The error is a *seamark.Error: Invalid
// seamark-body-json with the offset, after which b holds a part of the request and must not be used.
func (d *Decoder) DecodeSeriesJSON(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	s := d.take(body, cat, b, o)
	defer d.give(s)
	err := record.Members(body, func(key string, value []byte) error {
		if key != "series" || isNull(value) {
			return nil
		}
		return record.Elements(value, s.seriesJSON)
	})
	return notJSON(err, `a Datadog series payload, {"series":[{"metric":"m","points":[[<unix seconds>,<value>]]}]}`)
}

// jsonSeries is a series whose values are still JSON.
type jsonSeries struct {
	metric, host, device, tags, resources, points []byte
	metricType, unit                              []byte
}

func (j *jsonSeries) member(key string, value []byte) error {
	switch key {
	case "metric":
		j.metric = value
	case "host":
		j.host = value
	case "device":
		j.device = value
	case "tags":
		j.tags = value
	case "resources":
		j.resources = value
	case "points":
		j.points = value
	case "type":
		j.metricType = value
	case "unit":
		j.unit = value
	}
	return nil
}

func (s *state) seriesJSON(raw []byte) error {
	var j jsonSeries
	if firstByte(raw) != '{' {
		s.reject(badPointID, func() string {
			return fmt.Sprintf("A series is %.40q; it must be an object with metric and points.", raw)
		})
		return nil
	}
	if err := record.Members(raw, j.member); err != nil {
		return err
	}
	if firstByte(j.points) != '[' {
		s.reject(badPointID, func() string { return fmt.Sprintf("Series %.100q has no array of points.", text(j.metric)) })
		return nil
	}
	s.identity.reset()
	for i, part := range [...][]byte{j.metric, j.host, j.device, j.tags, j.resources} {
		s.name(byte(i), part)
	}
	if err := s.batch.Reserve(seamark.SeriesBytes); err != nil {
		return err
	}
	key := s.identity.key(jsonKeySpace)
	series := s.cat.Find(key)
	if series == nil {
		var err error
		if series, err = s.createJSON(key, &j); err != nil {
			return s.refuseJSON(&j, err)
		}
	}
	if err := s.describe(series, jsonType(j.metricType), text(j.unit)); err != nil {
		return err
	}
	ref := s.batch.Samples.AddSeries(series)
	return record.Elements(j.points, func(point []byte) error { return s.pointJSON(&j, ref, point) })
}

// refuseJSON counts the points of a series that was refused.
func (s *state) refuseJSON(j *jsonSeries, cause error) error {
	n := 0
	if err := record.Elements(j.points, func([]byte) error { n++; return nil }); err != nil {
		return err
	}
	return s.refuse(seamark.Metrics, n, cause)
}

// jsonType reads the type of version 1, a word, or of version 2, a number.
func jsonType(raw []byte) int {
	switch string(raw) {
	case `"count"`, "1":
		return typeCount
	case `"rate"`, "2":
		return typeRate
	}
	return typeGauge
}

func (s *state) createJSON(key uint64, j *jsonSeries) (*seamark.Series, error) {
	s.labels.reset()
	if err := eachTag(j.tags, s.addTag); err != nil {
		return nil, err
	}
	s.labels.set("host", text(j.host))
	s.labels.set("device", text(j.device))
	if firstByte(j.resources) == '[' {
		if err := record.Elements(j.resources, s.resourceJSON); err != nil {
			return nil, err
		}
	}
	return s.create(key, metricName(text(j.metric)))
}

func (s *state) addTag(tag string) error {
	s.labels.addTag(tag)
	return s.batch.Reserve(seamark.LabelBytes)
}

func (s *state) resourceJSON(raw []byte) error {
	if firstByte(raw) != '{' {
		return nil
	}
	var kind, name string
	err := record.Members(raw, func(key string, value []byte) error {
		switch key {
		case "type":
			kind = text(value)
		case "name":
			name = text(value)
		}
		return nil
	})
	s.labels.set(labelName(kind), name)
	return err
}

// pointJSON reads [seconds, value] or {"timestamp":seconds,"value":value}.
func (s *state) pointJSON(j *jsonSeries, ref uint32, raw []byte) error {
	var pair [2][]byte
	var err error
	switch raw[0] {
	case '[':
		i := 0
		err = record.Elements(raw, func(v []byte) error {
			if i < len(pair) {
				pair[i] = v
			}
			i++
			return nil
		})
	case '{':
		err = record.Members(raw, func(key string, v []byte) error {
			switch key {
			case "timestamp":
				pair[0] = v
			case "value":
				pair[1] = v
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	seconds, ok := number(pair[0])
	value, valued := number(pair[1])
	if !ok && !isNull(pair[0]) || !valued {
		s.reject(badPointID, func() string {
			return fmt.Sprintf("A point of metric %.100q is %.60q; it must be a time in seconds and a value, both numbers.", text(j.metric), raw)
		})
		return nil
	}
	at, ok := s.fractionMilli(seconds)
	if !ok {
		s.rejectTime(text(j.metric), seconds)
		return nil
	}
	if err := s.batch.Reserve(seamark.SampleBytes); err != nil {
		return err
	}
	s.batch.Samples.Append(ref, at, value)
	return nil
}

// fractionMilli is milli for seconds with a fraction, as clients of version 1 send them.
func (s *state) fractionMilli(seconds float64) (int64, bool) {
	if whole := math.Floor(seconds); whole == seconds || !(seconds > 0 && seconds <= maxSeconds) {
		return s.milli(int64(max(-1, min(whole, maxSeconds+1))))
	}
	return int64(math.Round(seconds * 1000)), true
}
