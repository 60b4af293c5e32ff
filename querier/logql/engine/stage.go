package engine

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/querier/logql"
)

// stage is one step of a pipeline that runs over rows. It returns the line for the next stage, and false to drop it. A
// stage belongs to one query and is not safe for concurrent use.
type stage interface {
	process(line string, labels *lineLabels) (string, bool)
}

// run passes a line through stages.
func run(stages []stage, line string, labels *lineLabels) (string, bool) {
	for _, s := range stages {
		var keep bool
		if line, keep = s.process(line, labels); !keep {
			return line, false
		}
	}
	return line, true
}

// names is a set of label names; nil is the set of all names.
type names map[string]struct{}

// has reports whether a parser should extract a name. A name may be wanted with the suffix that a clash gives it.
func (n names) has(name string) bool {
	if n == nil {
		return true
	}
	if _, ok := n[name]; ok {
		return true
	}
	_, ok := n[name+extractedSuffix]
	return ok
}

// hasBelow reports whether a parser should look for names that begin with prefix.
func (n names) hasBelow(prefix string) bool {
	if n == nil {
		return true
	}
	for name := range n {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (n names) add(list ...string) {
	for _, name := range list {
		n[name] = struct{}{}
	}
}

// compileStage makes the stage that runs s. wanted are the labels that matter for the result; parsers leave others out.
func compileStage(s logql.Stage, wanted names, now func() time.Time) (stage, error) {
	switch s := s.(type) {
	case *logql.LineFilter:
		return newLineFilter(s)
	case *logql.JSON:
		return newJSONStage(s, wanted), nil
	case *logql.Logfmt:
		return newLogfmtStage(s, wanted), nil
	case *logql.Regexp:
		return newRegexpStage(s, wanted)
	case *logql.Pattern:
		return newPatternStage(s, wanted)
	case *logql.Unpack:
		return newUnpackStage(wanted), nil
	case *logql.LineFormat:
		return newLineFormatStage(s, now)
	case *logql.LabelFormat:
		return newLabelFormatStage(s, now)
	case *logql.Decolorize:
		return decolorizeStage{}, nil
	case *logql.LabelFilter:
		p, err := compilePredicate(s.Predicate)
		return predicateStage{p}, err
	case *logql.Drop:
		return newLabelsStage(s.Labels, false)
	case *logql.Keep:
		return newLabelsStage(s.Labels, true)
	}
	return nil, fmt.Errorf("logql stage %T has no implementation", s)
}

// wholeMatch compiles a regular expression that matches a whole label value.
func wholeMatch(expr string) (*regexp.Regexp, error) { return regexp.Compile("^(?:" + expr + ")$") }

// compileMatcher returns the condition of m on a label's value.
func compileMatcher(m logql.Matcher) (func(string) bool, error) {
	switch m.Op {
	case logql.MatchEqual:
		return func(v string) bool { return v == m.Value }, nil
	case logql.MatchNotEqual:
		return func(v string) bool { return v != m.Value }, nil
	case logql.MatchRegexp, logql.MatchNotRegexp:
	}
	re, err := wholeMatch(m.Value)
	if err != nil {
		return nil, err
	}
	if m.Op == logql.MatchRegexp {
		return re.MatchString, nil
	}
	return func(v string) bool { return !re.MatchString(v) }, nil
}
