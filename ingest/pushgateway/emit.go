package pushgateway

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// keySpace sets our catalogue keys apart from other protocols' keys of the same bytes. It was drawn at random.
const keySpace = 0x70d94ca1e3285fb6

// staleBits is Prometheus' stale marker (model/value).
const staleBits = 0x7ff0000000000002

// emitter turns series of groups into rows of a batch.
type emitter struct {
	catalog seamark.Catalog
	batch   *seamark.Batch
	// lenient passes over series that the catalogue refuses, with a count in the batch: it took them when they were pushed,
	// so a limit was lowered since, and the rest of the group is not to suffer.
	lenient bool
	labels  []seamark.Label
	text    []byte
}

// ref returns the row reference of a group's series, whose labels are its own and the group's.
func (e *emitter) ref(own []seamark.Label, key Key) (uint32, error) {
	e.labels = append(e.labels[:0], own...)
	for _, l := range key.Labels {
		if l.Value != "" {
			e.labels = append(e.labels, l)
		}
	}
	e.text = appendLabelKey(e.text[:0], e.labels)
	hash := xxhash.Sum64(e.text) ^ keySpace
	found := e.catalog.Find(hash)
	if found == nil {
		var err error
		if found, err = e.catalog.Create(hash, seamark.MetricSeries, e.labels); err != nil {
			return 0, err
		}
	}
	return e.batch.Samples.AddSeries(found), nil
}

// passOver counts a refused series when the emitter is lenient.
func (e *emitter) passOver(err error) bool {
	refused, ok := errors.AsType[*seamark.Error](err)
	if !ok || !e.lenient || refused.Kind != seamark.Invalid {
		return false
	}
	e.batch.Rejected.Add(seamark.Metrics, 1, refused.ID, refused.Message)
	return true
}

// live appends one row for each series.
func (e *emitter) live(list []series, key Key, milli int64) error {
	for i := range list {
		s := &list[i]
		ref, err := e.ref(s.labels, key)
		if err != nil && e.passOver(err) {
			continue
		}
		if err != nil {
			return err
		}
		if s.histogram == nil {
			e.batch.Samples.Append(ref, milli, s.value)
		} else if err := e.histogram(ref, milli, s.histogram); err != nil {
			return err
		}
		for k := range s.exemplars {
			e.exemplar(ref, milli, &s.exemplars[k])
		}
	}
	return nil
}

// stale appends a stale marker for each series.
func (e *emitter) stale(list []series, key Key, milli int64) error {
	marker := math.Float64frombits(staleBits)
	for i := range list {
		ref, err := e.ref(list[i].labels, key)
		if err != nil && e.passOver(err) {
			continue
		}
		if err != nil {
			return err
		}
		if list[i].histogram == nil {
			e.batch.Samples.Append(ref, milli, marker)
		} else if err := e.histogram(ref, milli, &prompb.Histogram{Sum: marker}); err != nil {
			return err
		}
	}
	return nil
}

func (e *emitter) histogram(ref uint32, milli int64, h *prompb.Histogram) error {
	data, err := h.Marshal()
	if err != nil {
		return fmt.Errorf("encode histogram: %w", err)
	}
	count := float64(h.GetCountInt())
	if h.IsFloatHistogram() {
		count = h.GetCountFloat()
	}
	e.batch.Histograms.Append(&seamark.HistogramRow{Series: ref, TimeMilli: milli, Count: count, Sum: h.Sum, Data: string(data)})
	return nil
}

func (e *emitter) exemplar(ref uint32, milli int64, x *exemplar) {
	row := seamark.Exemplar{Series: ref, TimeMilli: milli, Value: x.value}
	if x.timeMilli != 0 {
		row.TimeMilli = x.timeMilli
	}
	for _, l := range x.labels {
		if l.Name == "trace_id" && parseTraceID(l.Value, &row.TraceID) {
			continue
		}
		row.Labels = append(row.Labels, l)
	}
	e.batch.Exemplars = append(e.batch.Exemplars, row)
}

func (e *emitter) metadata(f *Family) {
	e.batch.Metadata = append(e.batch.Metadata, seamark.MetricMetadata{Metric: f.Name, Type: f.Type, Help: f.Help, Unit: f.Unit})
}

// own returns the families that the gateway adds to a group.
func (g *Group) own() []family {
	gauge := func(name, help string, milli int64) family {
		return family{
			Family: Family{Name: name, Type: "gauge", Help: help, Count: 1, Pushed: milli},
			series: []series{{labels: []seamark.Label{{Name: seamark.MetricNameLabel, Value: name}}, value: float64(milli) / 1000}},
		}
	}
	return []family{
		gauge(pushTimeMetric, "Last Unix time when changing this group in the Pushgateway succeeded.", g.Pushed),
		gauge(failureTimeMetric, "Last Unix time when changing this group in the Pushgateway failed.", g.Failed),
	}
}

// ownSeries is own without the families.
func (g *Group) ownSeries() []series {
	var list []series
	for _, f := range g.own() {
		list = append(list, f.series...)
	}
	return list
}

// stored returns the series of all families of the group.
func (g *Group) stored() ([]series, error) {
	var all []series
	for i := range g.Families {
		list, err := decodeSeries(g.Families[i].Data)
		if err != nil {
			return nil, fmt.Errorf("family %s: %w", g.Families[i].Name, err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// emitLive appends the group as a scrape of it would find it, and the markers of what has ended in it.
func (e *emitter) emitLive(g *Group, milli int64) error {
	all, err := g.stored()
	if err != nil {
		return err
	}
	ended, err := decodeSeries(g.Ended)
	if err != nil {
		return err
	}
	for i := range g.Families {
		e.metadata(&g.Families[i])
	}
	for _, f := range g.own() {
		e.metadata(&f.Family)
	}
	return errors.Join(e.live(all, g.Key, milli), e.live(g.ownSeries(), g.Key, milli), e.stale(ended, g.Key, milli))
}

// emitGone appends the markers of every series that the group has or had.
func (e *emitter) emitGone(g *Group, milli int64) error {
	all, err := g.stored()
	if err != nil {
		return err
	}
	ended, err := decodeSeries(g.Ended)
	if err != nil {
		return err
	}
	return errors.Join(e.stale(all, g.Key, milli), e.stale(ended, g.Key, milli), e.stale(g.ownSeries(), g.Key, milli))
}

// parseTraceID reads the 32 hexadecimal digits of a trace id.
func parseTraceID(text string, id *[16]byte) bool {
	if len(text) != 2*len(id) {
		return false
	}
	_, err := hex.Decode(id[:], []byte(text))
	if err != nil {
		*id = [16]byte{}
	}
	return err == nil
}
