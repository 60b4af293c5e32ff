package pushgateway

import (
	"fmt"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// series is one pushed series without its group's labels.
type series struct {
	labels []seamark.Label // sorted, without empty values, with __name__
	value  float64
	// histogram is a native histogram's value, nil for a plain sample.
	histogram *prompb.Histogram
	exemplars []exemplar // only on their way from the request to the batch; the store does not keep them
}

// exemplar is one exemplar of a series.
type exemplar struct {
	labels    []seamark.Label
	value     float64
	timeMilli int64 // 0 when it carries none
}

// key identifies the series within its group.
func (s *series) key() string { return string(appendLabelKey(nil, s.labels)) }

// name returns the value of __name__.
func (s *series) name() string {
	for i := range s.labels {
		if s.labels[i].Name == seamark.MetricNameLabel {
			return s.labels[i].Value
		}
	}
	return ""
}

// Family is one metric family of a group as the store keeps it.
type Family struct {
	Name   string `json:"name"`
	Type   string `json:"type"` // as MetricMetadata has it
	Help   string `json:"help,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Count  int    `json:"count"`  // series
	Bytes  int    `json:"bytes"`  // of the series as protobuf, which the limits count
	Data   []byte `json:"data"`   // the series, see encodeSeries
	Pushed int64  `json:"pushed"` // milliseconds since 1970
}

// family is a Family while it is being worked on.
type family struct {
	Family
	typed  bool
	series []series
}

// pack makes the form that is stored.
func (f *family) pack(nowMilli int64) (Family, error) {
	out := f.Family
	out.Count, out.Pushed = len(f.series), nowMilli
	var err error
	out.Data, out.Bytes, err = encodeSeries(f.series)
	return out, err
}

// encodeSeries brings series to the bytes that are stored: the message prometheus.WriteRequest of remote write 1.0, with
// one sample or histogram a series and no timestamps, compressed with snappy. size is its length before compression.
func encodeSeries(list []series) (data []byte, size int, err error) {
	if len(list) == 0 {
		return nil, 0, nil
	}
	request := prompb.WriteRequest{Timeseries: make([]prompb.TimeSeries, len(list))}
	for i := range list {
		ts := &request.Timeseries[i]
		ts.Labels = make([]prompb.Label, len(list[i].labels))
		for k, l := range list[i].labels {
			ts.Labels[k] = prompb.Label{Name: l.Name, Value: l.Value}
		}
		if h := list[i].histogram; h != nil {
			ts.Histograms = []prompb.Histogram{*h}
		} else {
			ts.Samples = []prompb.Sample{{Value: list[i].value}}
		}
	}
	raw, err := request.Marshal()
	if err != nil {
		return nil, 0, fmt.Errorf("encode series: %w", err)
	}
	return snappy.Encode(nil, raw), len(raw), nil
}

// decodeSeries is the inverse of encodeSeries.
func decodeSeries(data []byte) ([]series, error) {
	if len(data) == 0 {
		return nil, nil
	}
	raw, err := snappy.Decode(nil, data)
	if err != nil {
		return nil, fmt.Errorf("decode series: %w", err)
	}
	var request prompb.WriteRequest
	if err := request.Unmarshal(raw); err != nil {
		return nil, fmt.Errorf("decode series: %w", err)
	}
	list := make([]series, len(request.Timeseries))
	for i := range request.Timeseries {
		ts := &request.Timeseries[i]
		list[i].labels = make([]seamark.Label, len(ts.Labels))
		for k, l := range ts.Labels {
			list[i].labels[k] = seamark.Label{Name: l.Name, Value: l.Value}
		}
		switch {
		case len(ts.Histograms) > 0:
			list[i].histogram = &ts.Histograms[0]
		case len(ts.Samples) > 0:
			list[i].value = ts.Samples[0].Value
		}
	}
	return list, nil
}
