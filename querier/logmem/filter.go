package logmem

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

// exprs keeps the compiled regular expressions of a query, which comes again with every block of rows.
type exprs map[string]*regexp.Regexp

func (e exprs) compile(expr string) (*regexp.Regexp, error) {
	if re, ok := e[expr]; ok {
		return re, nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, seamark.Wrap(err, seamark.Invalid, "seamark-query-regexp", "A regular expression of the query is not valid RE2.")
	}
	e[expr] = re
	return re, nil
}

// matches reports whether labels satisfy all matchers.
func (e exprs) matches(labels []seamark.Label, matchers []store.LogMatcher) (bool, error) {
	for _, m := range matchers {
		holds, err := e.holds(m.Op, labelOf(labels, m.Name), m.Value)
		if err != nil || holds == m.Not {
			return false, err
		}
	}
	return true, nil
}

func labelOf(labels []seamark.Label, name string) string {
	for i := range labels {
		if labels[i].Name == name {
			return labels[i].Value
		}
	}
	return ""
}

// all reports whether row i satisfies all filters.
func (e exprs) all(b *store.LogBlock, i int, filters []store.LogFilter) (bool, error) {
	for f := range filters {
		text, err := fieldOf(b, i, &filters[f])
		if err != nil {
			return false, err
		}
		holds, err := e.any(&filters[f], text)
		if err != nil || holds == filters[f].Not {
			return false, err
		}
	}
	return true, nil
}

func (e exprs) any(f *store.LogFilter, text string) (bool, error) {
	for _, wanted := range f.Texts {
		if holds, err := e.holds(f.Op, text, wanted); holds || err != nil {
			return holds, err
		}
	}
	return false, nil
}

// holds compares as the store's SQL does, see wholeRegexp and search in package store; in bytes that are no UTF-8 a dot matches here
// and not there.
func (e exprs) holds(op store.LogOp, text, wanted string) (bool, error) {
	expr := ""
	switch op {
	case store.LogContains:
		return strings.Contains(text, wanted), nil
	case store.LogEquals:
		return text == wanted, nil
	case store.LogJSONField:
		return true, nil // the stages tell
	case store.LogMatches:
		expr = "^(?-s:" + wanted + ")$"
	case store.LogSearch:
		expr = "(?s:" + wanted + ")"
	default:
		return false, fmt.Errorf("rows in memory cannot compare by operator %d", op)
	}
	re, err := e.compile(expr)
	if err != nil {
		return false, err
	}
	return re.MatchString(text), nil
}

// fieldOf returns the text that a filter looks at.
func fieldOf(b *store.LogBlock, i int, f *store.LogFilter) (string, error) {
	switch f.Field {
	case store.LogBody:
		return b.Body[i], nil
	case store.LogLevel:
		if b.Level[i] == seamark.LevelUnknown {
			return "", nil
		}
		return b.Level[i].String(), nil
	case store.LogTraceID:
		if b.TraceID[i] == ([16]byte{}) {
			return "", nil
		}
		return hex.EncodeToString(b.TraceID[i][:]), nil
	case store.LogSpanID:
		if b.SpanID[i] == ([8]byte{}) {
			return "", nil
		}
		return hex.EncodeToString(b.SpanID[i][:]), nil
	case store.LogAttr:
		return labelOf(b.AttrsOf(i), f.Attr), nil
	}
	return "", fmt.Errorf("rows in memory have no field %d", f.Field)
}
