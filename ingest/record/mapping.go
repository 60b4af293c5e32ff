package record

import (
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// Mapping says what a sender's own names mean, where it knows better than the table of spellings. Paths have dots where
// the sender nests; an empty path leaves that part to the table.
type Mapping struct {
	// Message is the path of the line, Time of its time and Level of its severity. They go before all other fields.
	Message, Time, Level string
	// TimeFormat says how Time is written; the zero value finds out (see ParseTime).
	TimeFormat TimeFormat
	// Labels are fields that become labels of the stream.
	Labels []LabelField
}

// LabelField makes a field a label of the stream. A label that the normal form does not have is added to it.
type LabelField struct {
	Path, Label string
}

// MaxLabelFields bounds Mapping.Labels. Without it a sender makes a stream of each line.
const MaxLabelFields = 8

// Check tells what is wrong with a mapping: Invalid seamark-mapping-labels for too many labels, or for a label name that is none.
func (m *Mapping) Check() error {
	if len(m.Labels) > MaxLabelFields {
		return seamark.Errorf(seamark.Invalid, "seamark-mapping-labels",
			"The field mapping names %d stream label fields; the limit is %d. Leave the others to the attributes.", len(m.Labels), MaxLabelFields)
	}
	for i, l := range m.Labels {
		if !isAttrName(l.Label) || l.Path == "" || len(l.Path) > maxPathBytes || len(l.Label) > maxPathBytes {
			return seamark.Errorf(seamark.Invalid, "seamark-mapping-labels",
				"The stream label field %.64q=%.64q of the field mapping needs a field and a label name of letters, digits and underscores.", l.Label, l.Path)
		}
		if slices.ContainsFunc(m.Labels[:i], func(o LabelField) bool { return o.Label == l.Label || o.Path == l.Path }) {
			return seamark.Errorf(seamark.Invalid, "seamark-mapping-labels",
				"The field mapping names the stream label field %.64q=%.64q twice.", l.Label, l.Path)
		}
	}
	return nil
}

func (m *Mapping) equal(o *Mapping) bool {
	return m.Message == o.Message && m.Time == o.Time && m.Level == o.Level && m.TimeFormat == o.TimeFormat && slices.Equal(m.Labels, o.Labels)
}

// clone copies the texts, which may alias a request.
func (m *Mapping) clone() Mapping {
	c := Mapping{
		Message: strings.Clone(m.Message), Time: strings.Clone(m.Time), Level: strings.Clone(m.Level),
		TimeFormat: TimeFormat{layout: strings.Clone(m.TimeFormat.layout), unit: m.TimeFormat.unit},
	}
	for _, l := range m.Labels {
		c.Labels = append(c.Labels, LabelField{strings.Clone(l.Path), strings.Clone(l.Label)})
	}
	return c
}

// spelling returns what path means; mapped is false when the mapping does not name it.
func (m *Mapping) spelling(path string) (s spelling, mapped bool) {
	switch {
	case path == "":
		return s, false
	case path == m.Message:
		return spelling{slot: bodySlot}, true
	case path == m.Time:
		return spelling{slot: timeSlot}, true
	case path == m.Level:
		return spelling{slot: levelSlot}, true
	}
	for i, l := range m.Labels {
		if l.Path != path {
			continue
		}
		if slot := slices.Index(labelNames[:], l.Label); slot >= 0 {
			return spelling{slot: uint8(slot)}, true
		}
		return spelling{slot: extraSlot, rank: uint8(i)}, true
	}
	return s, false
}
