package pushgateway

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// listedFamily is a family in the listing, in the words of the Pushgateway's API.
type listedFamily struct {
	TimeStamp string         `json:"time_stamp"`
	Type      string         `json:"type"`
	Help      string         `json:"help"`
	Metrics   []listedMetric `json:"metrics"`
}

// listedMetric is one series. Names differ from the family's for the parts of histograms and summaries.
type listedMetric struct {
	Labels map[string]string `json:"labels"`
	Value  string            `json:"value"`
	Name   string            `json:"name,omitempty"`
}

// AppendGroups appends the answer to GET /api/v1/metrics: {"status":"success","data":[...]} with an object for each group,
// in which the Pushgateway's members labels, last_push_successful and one per family stand beside our cluster and
// expires. The parts of histograms and summaries are listed as series of their own.
func AppendGroups(dst []byte, groups []*Group) ([]byte, error) {
	data := []map[string]any{}
	for _, g := range groups {
		entry := map[string]any{}
		for i := range g.Families {
			f := &g.Families[i]
			list, err := decodeSeries(f.Data)
			if err != nil {
				return dst, fmt.Errorf("list family %s: %w", f.Name, err)
			}
			entry[f.Name] = listFamily(f, list, g.Key)
		}
		for _, f := range g.own() {
			entry[f.Name] = listFamily(&f.Family, f.series, g.Key)
		}
		entry["labels"] = labelMap(nil, g.Key.Labels)
		entry["last_push_successful"] = g.Pushed > g.Failed
		entry["cluster"] = g.ClusterName
		if end, ends := g.Expires(); ends {
			entry["expires"] = stamp(end.UnixMilli())
		}
		data = append(data, entry)
	}
	text, err := json.Marshal(map[string]any{"status": "success", "data": data})
	if err != nil {
		return dst, fmt.Errorf("list groups: %w", err)
	}
	return append(dst, text...), nil
}

func listFamily(f *Family, list []series, key Key) listedFamily {
	out := listedFamily{TimeStamp: stamp(f.Pushed), Type: typeWord(f.Type), Help: f.Help, Metrics: make([]listedMetric, 0, len(list))}
	for i := range list {
		s := &list[i]
		m := listedMetric{Labels: labelMap(s.labels, key.Labels), Value: strconv.FormatFloat(s.value, 'g', -1, 64)}
		if s.histogram != nil {
			m.Value = s.histogram.String()
		}
		if name := s.name(); name != f.Name {
			m.Name = name
		}
		out.Metrics = append(out.Metrics, m)
	}
	return out
}

func labelMap(own, key []seamark.Label) map[string]string {
	m := make(map[string]string, len(own)+len(key))
	for _, l := range own {
		if l.Name != seamark.MetricNameLabel {
			m[l.Name] = l.Value
		}
	}
	for _, l := range key {
		m[l.Name] = l.Value
	}
	return m
}

// typeWord is a type as the Pushgateway spells it.
func typeWord(t string) string {
	switch t {
	case "counter":
		return "COUNTER"
	case "gauge":
		return "GAUGE"
	case "histogram":
		return "HISTOGRAM"
	case "gaugehistogram":
		return "GAUGE_HISTOGRAM"
	case "summary":
		return "SUMMARY"
	}
	return "UNTYPED"
}

func stamp(milli int64) string { return time.UnixMilli(milli).UTC().Format(time.RFC3339Nano) }
