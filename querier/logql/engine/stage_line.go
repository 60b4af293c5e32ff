package engine

import (
	"regexp"
	"strings"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
	"github.com/seamarkhq/seamark/querier/logql/linematch"
)

// lineFilter keeps lines by their text. It is for what the storage cannot tell: patterns, IP addresses, and lines that
// a stage before it changed.
type lineFilter struct {
	not   bool
	tests []func(string) bool
}

func newLineFilter(f *logql.LineFilter) (stage, error) {
	s := &lineFilter{not: f.Op.Negative()}
	for _, term := range f.Terms {
		test, err := compileTerm(f.Op, term)
		if err != nil {
			return nil, err
		}
		s.tests = append(s.tests, test)
	}
	return s, nil
}

func compileTerm(op logql.LineOp, term logql.LineTerm) (func(string) bool, error) {
	switch {
	case term.IP:
		ip, err := linematch.ParseIP(term.Text)
		return ip.Contains, err
	case op.Pattern():
		p, err := linematch.ParseFilter(term.Text)
		if err != nil {
			return nil, err
		}
		return p.Match, nil
	case op.Regexp():
		re, err := regexp.Compile("(?s:" + term.Text + ")")
		if err != nil {
			return nil, err
		}
		return re.MatchString, nil
	}
	return func(line string) bool { return strings.Contains(line, term.Text) }, nil
}

// process implements stage.
func (s *lineFilter) process(line string, _ *lineLabels) (string, bool) {
	for _, test := range s.tests {
		if test(line) {
			return line, !s.not
		}
	}
	return line, s.not
}

// takesAll reports whether every line passes f: Grafana's query builder adds |= "" to every query.
func takesAll(f *logql.LineFilter) bool {
	if f.Op != logql.LineContains && f.Op != logql.LineMatches {
		return false
	}
	for _, term := range f.Terms {
		if !term.IP && (term.Text == "" || f.Op == logql.LineMatches && term.Text == ".*") {
			return true
		}
	}
	return false
}

// minRequired is the shortest text worth asking the storage for; shorter ones stand in almost every line.
const minRequired = 3

// lineFiltersOf returns what the storage can do of a line filter; exact says that this is all of it. Of a filter that is
// more than texts and expressions it can look for texts that every wanted line has.
func lineFiltersOf(f *logql.LineFilter) (filters []store.LogFilter, exact bool) {
	filter := store.LogFilter{Field: store.LogBody, Op: store.LogContains, Not: f.Op.Negative()}
	if f.Op.Regexp() {
		filter.Op = store.LogSearch
	}
	exact = !f.Op.Pattern()
	for _, term := range f.Terms {
		exact = exact && !term.IP
		filter.Texts = append(filter.Texts, term.Text)
	}
	if exact {
		return []store.LogFilter{filter}, true
	}
	if filter.Not {
		return nil, false
	}
	if len(f.Terms) == 1 && f.Op.Pattern() {
		for _, literal := range requiredTexts(f.Op, f.Terms[0]) {
			if len(literal) < minRequired {
				continue
			}
			filters = append(filters, store.LogFilter{Field: store.LogBody, Op: store.LogContains, Texts: []string{literal}})
		}
		return filters, false
	}
	filter.Texts = filter.Texts[:0]
	for _, term := range f.Terms {
		longest := ""
		for _, text := range requiredTexts(f.Op, term) {
			if len(text) > len(longest) {
				longest = text
			}
		}
		if len(longest) < minRequired {
			return nil, false
		}
		filter.Texts = append(filter.Texts, longest)
	}
	return []store.LogFilter{filter}, false
}

// requiredTexts returns texts that every line has for which the term holds.
func requiredTexts(op logql.LineOp, term logql.LineTerm) []string {
	switch {
	case term.IP:
		if ip, err := linematch.ParseIP(term.Text); err == nil {
			return []string{ip.Prefix()}
		}
		return nil
	case op.Pattern():
		if p, err := linematch.ParseFilter(term.Text); err == nil {
			return p.Literals()
		}
		return nil
	}
	return []string{term.Text}
}
