package engine

import (
	"regexp"
	"strings"

	"github.com/seamarkhq/seamark/querier/logql"
)

// lineFilter keeps lines by their text. Storages filter lines themselves; this stage is for those that cannot.
type lineFilter struct {
	not   bool
	tests []func(string) bool
}

func newLineFilter(f *logql.LineFilter) (stage, error) {
	s := &lineFilter{not: f.Op.Negative()}
	for _, text := range f.Texts {
		if !f.Op.Regexp() {
			s.tests = append(s.tests, func(line string) bool { return strings.Contains(line, text) })
			continue
		}
		re, err := regexp.Compile("(?s:" + text + ")")
		if err != nil {
			return nil, err
		}
		s.tests = append(s.tests, re.MatchString)
	}
	return s, nil
}

// process implements stage.
func (s *lineFilter) process(line string, _ *lineLabels) bool {
	for _, test := range s.tests {
		if test(line) {
			return !s.not
		}
	}
	return s.not
}
