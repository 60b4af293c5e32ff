package hec

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/seamarkhq/seamark/ingest/record"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// keySpace sets this protocol's catalogue keys apart from other protocols' keys of the same bytes. It was drawn at random.
const keySpace = 0xe15a90c3274fb86d

// maxDimensions bounds the labels of a metric event before the catalogue's own limit sees them, because finding names that
// become the same label takes their square.
const maxDimensions = 256

// metricEvent is an event of measurements, and the memory for it.
type metricEvent struct {
	values     []measurement
	dimensions []dimension
	identity   []byte // the bytes that name the event's labels
	key        []byte
	labels     []seamark.Label
	described  map[string]struct{} // metrics whose metadata the batch has
	metricType string              // metric_type of the OpenTelemetry exporter
}

// fieldBytes is what a measurement or a dimension takes while its list grows, beside its bytes in the event's identity.
const fieldBytes = 96

// measurement is one metric_name: field.
type measurement struct {
	name  string
	value []byte
}

// dimension is a label whose value is still JSON.
type dimension struct {
	name  string
	value []byte
}

func (m *metricEvent) reset() {
	m.values, m.dimensions, m.identity, m.metricType = m.values[:0], m.dimensions[:0], m.identity[:0], ""
}

func (m *metricEvent) large() bool {
	return cap(m.values) > maxScratch || cap(m.dimensions) > maxScratch || cap(m.identity) > 16*maxScratch || len(m.described) > maxScratch
}

// release forgets everything of the request.
func (m *metricEvent) release() {
	m.reset()
	clear(m.values[:cap(m.values)])
	clear(m.dimensions[:cap(m.dimensions)])
	clear(m.labels[:cap(m.labels)])
	clear(m.described)
}

// metrics appends the samples of a metric event: fields with "metric_name:<name>", or "metric_name" and "_value".
func (s *state) metrics(e *envelope, m *Metadata, nanos int64) error {
	p := &s.metric
	p.reset()
	var single measurement
	err := record.Members(e.fields, func(key string, value []byte) error {
		if err := s.batch.Reserve(fieldBytes + len(key) + len(value)); err != nil {
			return err
		}
		switch name, ok := strings.CutPrefix(key, "metric_name:"); {
		case ok:
			p.values = append(p.values, measurement{name, value})
		case key == "metric_name":
			single.name = text(value)
		case key == "_value":
			single.value = value
		case key == "metric_type":
			p.metricType = text(value)
		default:
			p.addDimension(key, value)
		}
		return nil
	})
	if err != nil {
		return s.refuse(seamark.Metrics, 1, err)
	}
	if single.name != "" {
		p.values = append(p.values, single)
	}
	if len(p.values) == 0 {
		s.reject(rejection{seamark.Metrics, 1, InvalidFormat, valueID}, func() string {
			return fmt.Sprintf(`Metric event %d has no field "metric_name:<name>".`, s.number)
		})
		return nil
	}
	at := s.opts.Now.UnixMilli()
	if nanos != 0 {
		at = nanos / 1e6
	}
	p.addMetadata(m)
	return s.samples(m, at)
}

// addDimension adds a label and its bytes to the event's identity. Both lengths stand before, so that no two sets of
// dimensions have the same bytes.
func (m *metricEvent) addDimension(name string, value []byte) {
	m.dimensions = append(m.dimensions, dimension{name, value})
	m.identity = binary.AppendUvarint(m.identity, uint64(len(name)))
	m.identity = append(binary.AppendUvarint(append(m.identity, name...), uint64(len(value))), value...)
}

// addMetadata adds what the event's metadata makes of labels to its identity.
func (m *metricEvent) addMetadata(d *Metadata) {
	for _, v := range [...]string{d.Host, d.Source, d.Sourcetype, d.Index} {
		m.identity = append(binary.AppendUvarint(m.identity, uint64(len(v))), v...)
	}
}

// samples appends a sample for each measurement.
func (s *state) samples(m *Metadata, at int64) error {
	p := &s.metric
	labels := xxhash.Sum64(p.identity)
	for i := range p.values {
		if err := s.sample(&p.values[i], labels, m, at); err != nil {
			if err := s.refuse(seamark.Metrics, 1, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// sample appends one sample. An Invalid error concerns it alone.
func (s *state) sample(v *measurement, labels uint64, m *Metadata, at int64) error {
	value, ok := number(v.value)
	if !ok {
		s.reject(rejection{seamark.Metrics, 1, InvalidFormat, valueID}, func() string {
			return fmt.Sprintf("Metric %.100q of event %d has the value %.40q; it must be a number.", v.name, s.number, v.value)
		})
		return nil
	}
	if err := s.batch.Reserve(seamark.SeriesBytes + seamark.SampleBytes); err != nil {
		return err
	}
	p := &s.metric
	p.key = append(binary.LittleEndian.AppendUint64(p.key[:0], labels), v.name...)
	key := xxhash.Sum64(p.key) ^ keySpace
	series := s.cat.Find(key)
	if series == nil {
		var err error
		if series, err = s.createSeries(key, v.name, m); err != nil {
			return err
		}
	}
	if err := s.describe(series); err != nil {
		return err
	}
	s.batch.Samples.Append(s.batch.Samples.AddSeries(series), at, value)
	return nil
}

// createSeries gives the labels of one measurement to the catalogue.
func (s *state) createSeries(key uint64, name string, m *Metadata) (*seamark.Series, error) {
	p := &s.metric
	if len(p.dimensions) > maxDimensions {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-labels-limit",
			"Metric event %d has %d dimensions; the limit is %d. Remove some.", s.number, len(p.dimensions), maxDimensions)
	}
	if err := s.batch.Reserve(len(p.dimensions) * seamark.LabelBytes); err != nil {
		return nil, err
	}
	p.labels = p.labels[:0]
	for _, d := range p.dimensions {
		if value := text(d.value); value != "" {
			p.labels = append(p.labels, seamark.Label{Name: labelName(d.name), Value: value})
		}
	}
	p.labels = joinNames(p.labels)
	for _, l := range [...]seamark.Label{
		{Name: "host", Value: m.Host}, {Name: "source", Value: m.Source}, {Name: "sourcetype", Value: m.Sourcetype},
		{Name: "index", Value: m.Index},
	} {
		if l.Value != "" && !hasName(p.labels, l.Name) { // a dimension of the same name says more
			p.labels = append(p.labels, l)
		}
	}
	p.labels = append(p.labels, seamark.Label{Name: seamark.MetricNameLabel, Value: sanitized(name)})
	return s.cat.Create(key, seamark.MetricSeries, p.labels)
}

// describe adds the metadata of a metric once per request. Only the OpenTelemetry exporter tells a type.
func (s *state) describe(series *seamark.Series) error {
	p := &s.metric
	if _, done := p.described[series.Name]; done {
		return nil
	}
	if err := s.batch.Reserve(seamark.MetadataBytes); err != nil {
		return err
	}
	if p.described == nil {
		p.described = make(map[string]struct{})
	}
	p.described[series.Name] = struct{}{}
	kind := "unknown"
	if p.metricType == "Gauge" {
		kind = "gauge"
	}
	s.batch.Metadata = append(s.batch.Metadata, seamark.MetricMetadata{Metric: series.Name, Type: kind})
	return nil
}

// number reads a value: a JSON number, or one in quotes, which Splunk takes too.
func number(raw []byte) (float64, bool) {
	t := text(raw)
	if t == "" || t[0] != '-' && t[0]-'0' > 9 {
		return 0, false
	}
	f, err := strconv.ParseFloat(t, 64)
	return f, err == nil
}

// joinNames sorts labels and makes one of those whose names became the same, with the values joined by ";".
func joinNames(labels []seamark.Label) []seamark.Label {
	slices.SortStableFunc(labels, func(a, b seamark.Label) int { return strings.Compare(a.Name, b.Name) })
	kept := labels[:0]
	for _, l := range labels {
		if n := len(kept); n > 0 && kept[n-1].Name == l.Name {
			kept[n-1].Value += ";" + l.Value
			continue
		}
		kept = append(kept, l)
	}
	return kept
}

func hasName(labels []seamark.Label, name string) bool {
	return slices.ContainsFunc(labels, func(l seamark.Label) bool { return l.Name == name })
}

// labelName turns a dimension into a label name: places in Kubernetes get the names that all protocols share, and names
// that Prometheus keeps for itself a prefix.
func labelName(key string) string {
	switch key {
	case "k8s.cluster.name":
		return seamark.ClusterLabel
	case "k8s.namespace.name":
		return "namespace"
	case "k8s.pod.name":
		return "pod"
	case "k8s.container.name":
		return "container"
	case "k8s.node.name":
		return "node"
	}
	if strings.HasPrefix(key, "__") {
		return "dimension" + sanitized(key)
	}
	return sanitized(key)
}

// sanitized gives a name Prometheus' form: what is not a letter, a digit or an underscore becomes an underscore, and a
// leading digit gets one before it.
func sanitized(s string) string {
	digit := s != "" && s[0]-'0' < 10
	if !digit && strings.IndexFunc(s, func(r rune) bool { return !isNameRune(r) }) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 1)
	if digit {
		b.WriteByte('_')
	}
	for _, r := range s {
		if !isNameRune(r) {
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func isNameRune(r rune) bool {
	return r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || r == '_'
}
