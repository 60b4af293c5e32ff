package engine

import (
	"regexp"
	"slices"

	"github.com/seamarkhq/seamark/querier/logql"
)

// regexpStage makes labels of the named groups of a regular expression. A line that does not match gets none.
type regexpStage struct {
	re     *regexp.Regexp
	groups []string // by group index; "" for those that make no label
}

func newRegexpStage(r *logql.Regexp, wanted names) (stage, error) {
	re, err := regexp.Compile(r.Pattern)
	if err != nil {
		return nil, err
	}
	s := &regexpStage{re: re, groups: slices.Clone(re.SubexpNames())}
	for i, name := range s.groups {
		if !wanted.has(name) {
			s.groups[i] = ""
		}
	}
	return s, nil
}

// process implements stage.
func (s *regexpStage) process(line string, labels *lineLabels) (string, bool) {
	at := s.re.FindStringSubmatchIndex(line)
	if at == nil {
		return line, true
	}
	for i, name := range s.groups {
		if name != "" && at[2*i] >= 0 {
			labels.extract(name, line[at[2*i]:at[2*i+1]])
		}
	}
	return line, true
}
