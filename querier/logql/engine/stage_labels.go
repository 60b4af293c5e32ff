package engine

import (
	"github.com/seamarkhq/seamark/querier/logql"
)

// labelsStage runs drop and keep.
type labelsStage struct {
	keep    bool
	choices map[string][]func(string) bool // by name; a nil condition holds always
}

func newLabelsStage(choices []logql.LabelChoice, keep bool) (stage, error) {
	s := &labelsStage{keep: keep, choices: map[string][]func(string) bool{}}
	for _, c := range choices {
		var condition func(string) bool
		if c.Match != nil {
			var err error
			if condition, err = compileMatcher(*c.Match); err != nil {
				return nil, err
			}
		}
		s.choices[c.Name] = append(s.choices[c.Name], condition)
	}
	return s, nil
}

// process implements stage.
func (s *labelsStage) process(line string, labels *lineLabels) (string, bool) {
	labels.remove(func(l *lineLabel) bool {
		if !s.keep {
			return s.chosen(l)
		}
		return l.name != errorLabel && l.name != errorDetailsLabel && !s.chosen(l)
	})
	if s.keep { // metadata that the query names splits series like a parsed label
		for i := range labels.list {
			if labels.list[i].origin == fromMetadata {
				labels.list[i].origin = fromStage
			}
		}
	}
	return line, true
}

func (s *labelsStage) chosen(l *lineLabel) bool {
	for _, condition := range s.choices[l.name] {
		if condition == nil || condition(l.value) {
			return true
		}
	}
	return false
}
