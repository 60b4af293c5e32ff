package pipeline

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// redactAction replaces secrets in the body and in attribute values. Names and stream labels stay: they are chosen by
// people and must be the same for all lines of a stream.
type redactAction struct {
	scanner     *scanner // nil without built-in patterns
	secretNames bool     // the value of an attribute with a telling name goes as a whole
	expressions []redactExpression
}

type redactExpression struct {
	regex       *regexp.Regexp
	replacement string
}

func (c *compiler) compileRedact(s *Step) action {
	a := &redactAction{}
	var set patterns
	for i, name := range s.Patterns {
		p, ok := parsePattern(name)
		if !ok {
			c.fault("patterns", i, 0, fmt.Errorf("the pattern %.40q is unknown; use one of %v, or expressions for your own", name, PatternNames()))
		}
		set |= p
	}
	if set != 0 {
		a.scanner, a.secretNames = newScanner(set), set&secretPattern != 0
	}
	if len(s.Patterns) == 0 && len(s.Expressions) == 0 {
		c.fault("patterns", -1, 0, errors.New("a redact step needs patterns or expressions"))
	}
	if len(s.Expressions) > maxExpressions {
		c.fault("expressions", -1, 0, fmt.Errorf("there are %d expressions; the limit is %d", len(s.Expressions), maxExpressions))
		return a
	}
	for i, e := range s.Expressions {
		if !isIdentifier(e.Name) || len(e.Name) > maxNameBytes {
			c.fault("expressions", i, 0, errors.New("the name must match [a-zA-Z_][a-zA-Z0-9_]*; it stands in the place of what is found"))
			continue
		}
		if err := errors.Join(checkRegex(e.Regex), c.lang.budget.charge("")); err != nil {
			c.fault("expressions", i, 0, err)
			continue
		}
		re, err := regexp.Compile(e.Regex)
		if err == nil && re.MatchString("") {
			err = errors.New("the expression matches the empty text, and so everywhere")
		}
		if err != nil {
			c.fault("expressions", i, 0, err)
			continue
		}
		a.expressions = append(a.expressions, redactExpression{re, "[redacted:" + e.Name + "]"})
	}
	return a
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && !isAlpha(c) && (i == 0 || !isDigit(c)) {
			return false
		}
	}
	return s != ""
}

// apply implements action.
func (a *redactAction) apply(w *run, i int) (bool, error) {
	l, changed := &w.batch.Logs, false
	var late error // when there is no time for expressions; the built-in patterns go on
	if len(a.expressions) > 0 {
		late = w.over
	}
	if body, ok := a.text(w, l.Body[i]); ok {
		if err := w.reserve(len(body)); err != nil {
			return false, err
		}
		l.Body[i], changed = body, true
	}
	attrs := w.attrs(i)
	var clean []seamark.Label // a copy, made at the first change
	for k := range attrs {
		value, ok := a.value(w, &attrs[k])
		if !ok {
			continue
		}
		if clean == nil {
			clean = w.copied(attrs)
		}
		clean[k].Value = value
	}
	if clean == nil {
		return changed, late
	}
	if err := w.setAttrs(i, clean); err != nil {
		return false, err
	}
	return true, late
}

// value returns an attribute's value without secrets, and whether there were any.
func (a *redactAction) value(w *run, l *seamark.Label) (string, bool) {
	if a.secretNames && l.Value != "" && a.scanner.isSecretName(l.Name) && !isMasked(l.Value) {
		return "[redacted:secret]", true
	}
	return a.text(w, l.Value)
}

// text returns s without secrets, and whether there were any.
func (a *redactAction) text(w *run, s string) (string, bool) {
	changed := false
	if a.scanner != nil {
		var found bool
		if w.text, found = a.scanner.redact(w.text[:0], s); found {
			s, changed = string(w.text), true
		}
	}
	if w.over != nil {
		return s, changed
	}
	for k := range a.expressions {
		e := &a.expressions[k]
		if e.regex.MatchString(s) {
			s, changed = e.regex.ReplaceAllLiteralString(s, e.replacement), true
		}
	}
	return s, changed
}
