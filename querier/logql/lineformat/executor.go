package lineformat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// Labels are the labels of a line as a template sees them.
type Labels interface {
	// Value returns a label's value, "" for none.
	Value(name string) string
	// Each calls fn with every label.
	Each(fn func(name, value string))
}

// Executor runs a template over line after line. It is not safe for concurrent use.
type Executor struct {
	template *Template
	compiled *template.Template // nil: the template is simple
	now      func() time.Time
	data     map[string]string
	out      result

	line    string
	at      int64
	rounds  int
	regexps map[string]*regexp.Regexp
	zones   map[string]*time.Location
}

// NewExecutor makes an executor; now is what the function of that name returns.
func (t *Template) NewExecutor(now func() time.Time) (*Executor, error) {
	e := &Executor{template: t, now: now, data: map[string]string{}, regexps: map[string]*regexp.Regexp{}, zones: map[string]*time.Location{}}
	if t.simple != nil {
		return e, nil
	}
	var err error
	e.compiled, err = t.compile(e)
	return e, err
}

// Execute returns the template's text for a line with its time (nanoseconds since 1970) and labels. The error is for the
// one who wrote the query.
func (e *Executor) Execute(line string, at int64, labels Labels) (string, error) {
	e.out.buffer = e.out.buffer[:0]
	if e.compiled == nil {
		for _, s := range e.template.simple {
			text := s.text
			switch {
			case s.label != "":
				text = labels.Value(s.label)
			case text == "":
				text = line
			}
			if _, err := e.out.Write([]byte(text)); err != nil {
				return "", err
			}
		}
		return string(e.out.buffer), nil
	}
	e.line, e.at, e.rounds = line, at, 0
	clear(e.data)
	if e.template.all {
		labels.Each(func(name, value string) { e.data[name] = value })
	} else {
		for _, name := range e.template.labels {
			e.data[name] = labels.Value(name)
		}
	}
	if err := e.compiled.Execute(&e.out, e.data); err != nil {
		return "", plain(err)
	}
	return string(e.out.buffer), nil
}

// plain takes the name that all templates share out of a message.
func plain(err error) error {
	text := strings.TrimPrefix(err.Error(), "template: "+templateName+":")
	return errors.New(strings.Replace(text, `executing "`+templateName+`" `, "", 1))
}

// round counts a round of a loop.
func (e *Executor) round() (string, error) {
	if e.rounds++; e.rounds > maxRounds {
		return "", fmt.Errorf("the loops take more than the limit of %d rounds", maxRounds)
	}
	return "", nil
}

const (
	// maxRegexps bounds the expressions that an executor remembers: a template may take them from labels.
	maxRegexps = 100
	// maxRegexpBytes bounds an expression, as LogQL's parser does; without it one can take much memory to compile.
	maxRegexpBytes = 8 << 10
)

// regexp returns a compiled expression. Templates name the same one for every line.
func (e *Executor) regexp(expr string) (*regexp.Regexp, error) {
	if re := e.regexps[expr]; re != nil {
		return re, nil
	}
	if len(expr) > maxRegexpBytes {
		return nil, fmt.Errorf("the regular expression has %d bytes, more than the limit of %d", len(expr), maxRegexpBytes)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	if len(e.regexps) >= maxRegexps {
		clear(e.regexps)
	}
	e.regexps[expr] = re
	return re, nil
}

// zone returns a time zone; one that is not known is UTC, as in Loki. Local is UTC too, so that answers do not depend on
// where a server stands.
func (e *Executor) zone(name string) *time.Location {
	if zone := e.zones[name]; zone != nil {
		return zone
	}
	zone := time.UTC
	if name != "Local" {
		if found, err := time.LoadLocation(name); err == nil {
			zone = found
		}
	}
	if len(e.zones) < maxRegexps {
		e.zones[name] = zone
	}
	return zone
}
