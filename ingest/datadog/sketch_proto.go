package datadog

import (
	"fmt"

	"github.com/VictoriaMetrics/easyproto"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Field numbers of SketchPayload in agent-payload's proto/metrics/agent_payload.proto, as far as they are read.
const (
	payloadSketches = 1

	sketchMetric        = 1
	sketchHost          = 2
	sketchDistributions = 3
	sketchTags          = 4
	sketchDogsketches   = 7

	dogsketchTime  = 1
	dogsketchCount = 2
	dogsketchMin   = 3
	dogsketchMax   = 4
	dogsketchSum   = 6
	dogsketchKeys  = 7
	dogsketchBins  = 8
)

// maxSketchBytes bounds one sketch. The agent's have 32 KiB at most; without it a body that is one sketch takes many times
// its size while it is taken apart.
const maxSketchBytes = 256 << 10

// Reasons for refusing sketches.
const (
	badSketchID = "seamark-sketch-bins"
	oldSketchID = "seamark-sketch-unsupported"
)

// The series beside a sketch's histogram have the keys of the sketch, moved by these numbers, which were drawn at random.
const (
	minKeyMove = 0x35c80f91e6274bda
	maxKeyMove = 0x9ae4172bd05f63c8
)

// DecodeSketches appends the distributions of a body of /api/beta/sketches (agentpayload.SketchPayload) to b, as the
// package comment tells. Strings in b alias body. Sketches whose bins or time make no sense, sketches of agents before
// version 6, and all sketches of series that cat refuses are counted in b.Rejected while the rest is kept. The error is a
// *seamark.Error: Invalid seamark-body-protobuf when body is not a SketchPayload, after which b holds a part of the
// request and must not be used.
func (d *Decoder) DecodeSketches(body []byte, cat seamark.Catalog, b *seamark.Batch, o Options) error {
	if isProbe(body) {
		return nil
	}
	s := d.take(body, cat, b, o)
	defer d.give(s)
	return s.eachField("SketchPayload", body, func(fc *easyproto.FieldContext, _, _ []byte) (bool, error) {
		if fc.FieldNum != payloadSketches {
			return true, nil
		}
		message, ok := fc.MessageData()
		if !ok {
			return false, nil
		}
		return true, s.sketches(message)
	})
}

// sketchSeries are the series that one Sketch message fills: the histogram and its extremes.
type sketchSeries struct{ histogram, min, max uint32 }

// sketches decodes a Sketch message, which holds the sketches of one metric and tag set.
func (s *state) sketches(message []byte) error {
	metric, points, err := s.outlineSketch(message)
	if err != nil || points == 0 {
		return err
	}
	if err := s.batch.Reserve(3 * seamark.SeriesBytes); err != nil {
		return err
	}
	refs, err := s.sketchSeries()
	if err != nil {
		return s.refuse(seamark.Metrics, points, err)
	}
	return s.eachField("Sketch", message, func(fc *easyproto.FieldContext, _, _ []byte) (bool, error) {
		if fc.FieldNum != sketchDogsketches {
			return true, nil
		}
		point, _ := fc.MessageData() // outlineSketch has checked the wire type
		return true, s.dogsketch(metric, point, refs)
	})
}

// outlineSketch walks a Sketch once, leaves the fields that name it in s.identity and counts its points.
func (s *state) outlineSketch(message []byte) (metric string, points int, err error) {
	s.identity.reset()
	err = s.eachField("Sketch", message, func(fc *easyproto.FieldContext, before, after []byte) (ok bool, err error) {
		ok = true
		switch fc.FieldNum {
		case sketchMetric:
			metric, ok = fc.String()
			s.identity.add(before, after)
		case sketchHost, sketchTags:
			_, ok = fc.String()
			s.identity.add(before, after)
		case sketchDogsketches:
			points++
			_, ok = fc.MessageData()
		case sketchDistributions:
			s.reject(oldSketchID, func() string {
				return fmt.Sprintf("Metric %.100q comes as a Distribution of agents before version 6; send Dogsketches.", metric)
			})
		}
		return ok, nil
	})
	return metric, points, err
}

// sketchSeries finds or creates the series that s.identity names.
func (s *state) sketchSeries() (sketchSeries, error) {
	key := s.identity.key(sketchKeySpace)
	var found [3]*seamark.Series
	for i, part := range [...]struct {
		move   uint64
		suffix string
	}{{0, ""}, {minKeyMove, "_min"}, {maxKeyMove, "_max"}} {
		if found[i] = s.cat.Find(key ^ part.move); found[i] != nil {
			continue
		}
		var err error
		if found[i], err = s.createSketch(key^part.move, part.suffix); err != nil {
			return sketchSeries{}, err
		}
	}
	if err := s.describeSketch(found[0]); err != nil {
		return sketchSeries{}, err
	}
	samples := &s.batch.Samples
	return sketchSeries{samples.AddSeries(found[0]), samples.AddSeries(found[1]), samples.AddSeries(found[2])}, nil
}

func (s *state) createSketch(key uint64, suffix string) (*seamark.Series, error) {
	s.labels.reset()
	metric := ""
	err := s.eachField("Sketch", s.identity.run, func(fc *easyproto.FieldContext, _, _ []byte) (bool, error) {
		text, ok := fc.String()
		switch fc.FieldNum {
		case sketchMetric:
			metric = text
		case sketchHost:
			s.labels.set("host", text)
		case sketchTags:
			s.labels.addTag(text)
		}
		return ok, s.batch.Reserve(seamark.LabelBytes)
	})
	if err != nil {
		return nil, err
	}
	if metric == "" {
		suffix = "" // the catalogue tells that there is no name
	}
	return s.create(key, metricName(metric)+suffix)
}

func (s *state) describeSketch(series *seamark.Series) error {
	if _, done := s.described[series.Name]; done {
		return nil
	}
	if err := s.batch.Reserve(seamark.MetadataBytes); err != nil {
		return err
	}
	s.described[series.Name] = struct{}{}
	s.batch.Metadata = append(s.batch.Metadata, seamark.MetricMetadata{
		Metric: series.Name, Type: "gaugehistogram",
		Help: "Datadog distribution: the values of each interval. histogram_quantile() over sum_over_time() gives the quantile of a range.",
	})
	return nil
}

// dogsketch decodes one sketch and appends its rows.
func (s *state) dogsketch(metric string, message []byte, refs sketchSeries) error {
	k := &s.sketch
	k.reset()
	if len(message) > maxSketchBytes {
		s.reject(badSketchID, func() string {
			return fmt.Sprintf("A sketch of metric %.100q has %d bytes; the limit is %d. The agent keeps at most 4096 bins.", metric, len(message), maxSketchBytes)
		})
		return nil
	}
	var seconds int64
	err := s.eachField("Dogsketch", message, func(fc *easyproto.FieldContext, _, _ []byte) (ok bool, err error) {
		ok = true
		switch fc.FieldNum {
		case dogsketchTime:
			seconds, ok = fc.Int64()
		case dogsketchCount:
			k.count, ok = fc.Int64()
		case dogsketchMin:
			k.min, ok = fc.Double()
		case dogsketchMax:
			k.max, ok = fc.Double()
		case dogsketchSum:
			k.sum, ok = fc.Double()
		case dogsketchKeys:
			k.keys, ok = fc.UnpackSint32s(k.keys)
		case dogsketchBins:
			k.counts, ok = fc.UnpackUint32s(k.counts)
		}
		return ok, nil
	})
	if err != nil {
		return err
	}
	at, ok := s.milli(seconds)
	if !ok {
		s.rejectTime(metric, float64(seconds))
		return nil
	}
	if fault := k.fault(); fault != "" {
		s.reject(badSketchID, func() string { return fmt.Sprintf("A sketch of metric %.100q %s.", metric, fault) })
		return nil
	}
	if k.count == 0 {
		return nil // an interval without values
	}
	data := s.encode()
	if err := s.batch.Reserve(4*seamark.SampleBytes + len(data)); err != nil {
		return err
	}
	s.batch.Histograms.Append(&seamark.HistogramRow{
		Series: refs.histogram, TimeMilli: at, Count: float64(k.count), Sum: k.sum, Data: data,
	})
	s.batch.Samples.Append(refs.min, at, k.min)
	s.batch.Samples.Append(refs.max, at, k.max)
	return nil
}

// arenaBytes is what the arena grows by: most requests need one.
const arenaBytes = 16 << 10

// encode writes the current sketch into the arena and returns it from there.
func (s *state) encode() string {
	bound := s.sketch.encodedBound()
	if cap(s.arena)-len(s.arena) < bound {
		s.arena = make([]byte, 0, max(arenaBytes, bound))
	}
	from := len(s.arena)
	s.arena = s.sketch.appendHistogram(s.arena)
	return alias(s.arena[from:])
}
