package jsonlog

import (
	"strings"

	"github.com/seamarkhq/seamark/ingest/record"
)

// The settings of a field mapping: query parameters under these names, or headers under HeaderOf them.
const (
	// MessageField, TimeField and LevelField name the field of the line, its time and its severity, with dots where it is
	// nested ("log.text").
	MessageField = "message_field"
	TimeField    = "time_field"
	LevelField   = "level_field"
	// TimeFormat is how TimeField is written, see record.ParseTimeFormat.
	TimeFormat = "time_format"
	// StreamFields lists fields that become labels of the stream, with commas between: "env,team=owner.team" gives the
	// labels env and team.
	StreamFields = "stream_fields"
)

// HeaderOf returns the header that holds a setting, such as X-Seamark-Time-Field. A query parameter goes before it.
func HeaderOf(setting string) string {
	words := strings.Split(setting, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return "X-Seamark-" + strings.Join(words, "-")
}

// ParseMapping reads a mapping from settings; get returns the value of one, "" when there is none. The error is Invalid
// seamark-mapping-labels or seamark-mapping-time.
func ParseMapping(get func(setting string) string) (*record.Mapping, error) {
	m := &record.Mapping{Message: get(MessageField), Time: get(TimeField), Level: get(LevelField)}
	var err error
	if m.TimeFormat, err = record.ParseTimeFormat(get(TimeFormat)); err != nil {
		return nil, err
	}
	for part := range strings.SplitSeq(get(StreamFields), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		label, path, named := strings.Cut(part, "=")
		if !named {
			label, path = record.AttrName(part), part
		}
		m.Labels = append(m.Labels, record.LabelField{Path: strings.TrimSpace(path), Label: strings.TrimSpace(label)})
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}
