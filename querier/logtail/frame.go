package logtail

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// frame is what Loki's tail sends.
type frame struct {
	Streams       []frameStream  `json:"streams"`
	Dropped       []frameDropped `json:"dropped_entries,omitempty"`
	EncodingFlags []string       `json:"encodingFlags,omitempty"`
}

type frameStream struct {
	Labels map[string]string `json:"stream"`
	Values [][]any           `json:"values"` // [nanoseconds as text, line] and with categorized labels a third element
}

type frameDropped struct {
	Labels map[string]string `json:"labels"`
	Time   string            `json:"timestamp"` // nanoseconds
}

// categories are a line's own labels.
type categories struct {
	Metadata map[string]string `json:"structuredMetadata,omitempty"`
	Parsed   map[string]string `json:"parsed,omitempty"`
}

// Frame returns the batch as the JSON of Loki's tail.
func (b *Batch) Frame() ([]byte, error) {
	f := frame{Streams: make([]frameStream, len(b.Streams))}
	if b.Categorized {
		f.EncodingFlags = []string{"categorize-labels"}
	}
	for i := range b.Streams {
		s := &b.Streams[i]
		f.Streams[i] = frameStream{Labels: labelMap(s.Labels), Values: make([][]any, len(s.Entries))}
		for k := range s.Entries {
			e := &s.Entries[k]
			value := []any{strconv.FormatInt(e.Time, 10), e.Line}
			if b.Categorized {
				value = append(value, categories{labelMap(e.Metadata), labelMap(e.Parsed)})
			}
			f.Streams[i].Values[k] = value
		}
	}
	for _, d := range b.Dropped {
		f.Dropped = append(f.Dropped, frameDropped{labelMap(d.Labels), strconv.FormatInt(d.Time, 10)})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(f); err != nil {
		return nil, err
	}
	return bytes.TrimRight(out.Bytes(), "\n"), nil
}

func labelMap(labels []seamark.Label) map[string]string {
	m := make(map[string]string, len(labels))
	for _, l := range labels {
		m[l.Name] = l.Value
	}
	return m
}
