package engine

import (
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/linematch"
)

// patternStage makes labels of the captures of a pattern.
type patternStage struct {
	pattern *linematch.Pattern
	wanted  []bool // by capture
	values  []string
}

func newPatternStage(p *logql.Pattern, wanted names) (stage, error) {
	pattern, err := linematch.ParseExtractor(p.Pattern)
	if err != nil {
		return nil, err
	}
	s := &patternStage{pattern: pattern}
	for _, name := range pattern.Names() {
		s.wanted = append(s.wanted, wanted.has(name))
	}
	return s, nil
}

// process implements stage.
func (s *patternStage) process(line string, labels *lineLabels) (string, bool) {
	s.values = s.pattern.Capture(s.values[:0], line)
	for i, value := range s.values {
		if s.wanted[i] {
			labels.extract(s.pattern.Names()[i], value)
		}
	}
	return line, true
}
