package logql

import (
	"regexp/syntax"
	"strconv"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// The limits of a query's text.
const (
	// maxQueryBytes bounds the text; without it one request can make a tree of any size.
	maxQueryBytes = 128 << 10
	// maxDepth bounds nesting; without it a row of parentheses overflows the stack.
	maxDepth = 100
	// maxJoins bounds the operators of a query; without it the tree, which leans to the left, is as deep as the query is
	// long.
	maxJoins = 1000
	// maxRegexpBytes bounds a regular expression; without it one can take the memory of a whole query to compile.
	maxRegexpBytes = 8 << 10
)

// Parse reads a query. The error is a *seamark.Error of kind Invalid that names line, column and what was expected.
func Parse(query string) (Expr, error) {
	p, err := newParser(query)
	if err != nil {
		return nil, err
	}
	e, err := p.parseExpr()
	if err != nil {
		return nil, err
	}
	if p.now.kind != tokenEOF {
		return nil, p.unexpected("an operator or the end of the query")
	}
	return e, nil
}

// ParseLogQuery reads a query that must be a log query, such as {app="api"} |= "error".
func ParseLogQuery(query string) (*LogQuery, error) {
	e, err := Parse(query)
	if err != nil {
		return nil, err
	}
	q, ok := e.(*LogQuery)
	if !ok {
		return nil, syntaxError(query, 0, `expected a log query such as {app="api"}, not a metric query`)
	}
	return q, nil
}

// ParseMatchers reads a stream selector without a pipeline, such as {app="api"}.
func ParseMatchers(selector string) ([]Matcher, error) {
	q, err := ParseLogQuery(selector)
	if err != nil {
		return nil, err
	}
	if len(q.Stages) > 0 {
		return nil, syntaxError(selector, 0, `expected a stream selector such as {app="api"} without a pipeline`)
	}
	return q.Matchers, nil
}

// parser is a recursive descent over the tokens with one token of look-ahead beside the current one.
type parser struct {
	lexer     lexer
	now, then token
	depth     int // of nesting now
	joins     int // operators so far
}

func newParser(query string) (*parser, error) {
	if len(query) > maxQueryBytes {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-logql-large",
			"The query has %d bytes, more than the limit of %d; shorten it.", len(query), maxQueryBytes)
	}
	p := &parser{lexer: lexer{query: query}}
	for range 2 {
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// advance makes the next token the current one.
func (p *parser) advance() error {
	t, err := p.lexer.next()
	if err != nil {
		return err
	}
	p.now, p.then = p.then, t
	return nil
}

// accept skips the current token if it is the given operator or bracket.
func (p *parser) accept(punct string) (bool, error) {
	if !p.now.is(punct) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(punct string) error {
	if !p.now.is(punct) {
		return p.unexpected(strconv.Quote(punct))
	}
	return p.advance()
}

// expectIdent takes a name; what says which, for the error.
func (p *parser) expectIdent(what string) (string, error) {
	if p.now.kind != tokenIdent {
		return "", p.unexpected(what)
	}
	name := p.now.text
	return name, p.advance()
}

func (p *parser) expectString(what string) (string, error) {
	if p.now.kind != tokenString {
		return "", p.unexpected(what)
	}
	value := p.now.value
	return value, p.advance()
}

func (p *parser) unexpected(want string) error {
	return p.errorf(p.now, "expected %s, found %s", want, p.now.describe())
}

func (p *parser) errorf(at token, format string, args ...any) error {
	return syntaxError(p.lexer.query, at.offset, format, args...)
}

// enter counts a level of nesting; the caller defers leave.
func (p *parser) enter() error {
	p.depth++
	if p.depth > maxDepth {
		return p.errorf(p.now, "the query nests deeper than the limit of %d levels; split it", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// join counts an operator.
func (p *parser) join() error {
	p.joins++
	if p.joins > maxJoins {
		return p.errorf(p.now, "the query joins more than the limit of %d operands; split it or use regular expressions", maxJoins)
	}
	return nil
}

// checkRegexp refuses an expression that RE2 does not take.
func (p *parser) checkRegexp(at token, expr string) error {
	if len(expr) > maxRegexpBytes {
		return p.errorf(at, "the regular expression has %d bytes, more than the limit of %d", len(expr), maxRegexpBytes)
	}
	if _, err := syntax.Parse(expr, syntax.Perl); err != nil {
		return p.errorf(at, "the regular expression is not RE2: %s", err)
	}
	return nil
}

// parseNames takes "(a, b)", which may be empty.
func (p *parser) parseNames() ([]string, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var names []string
	for !p.now.is(")") {
		name, err := p.expectIdent("a label name")
		if err != nil {
			return nil, err
		}
		names = append(names, name)
		if more, err := p.accept(","); err != nil {
			return nil, err
		} else if !more {
			break
		}
	}
	return names, p.expect(")")
}

// parseMatchers takes {a="x", b=~"y"}.
func (p *parser) parseMatchers() ([]Matcher, error) {
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	var matchers []Matcher
	for !p.now.is("}") {
		name, err := p.expectIdent(`a label name or "}"`)
		if err != nil {
			return nil, err
		}
		m, err := p.parseMatch(name)
		if err != nil {
			return nil, err
		}
		matchers = append(matchers, m)
		if more, err := p.accept(","); err != nil {
			return nil, err
		} else if !more {
			break
		}
	}
	if !p.now.is("}") {
		return nil, p.unexpected(`"," or "}"`)
	}
	return matchers, p.advance()
}

// parseMatch takes the operator and string of a condition on the label name.
func (p *parser) parseMatch(name string) (Matcher, error) {
	op, ok := matchOpOf(p.now)
	if !ok {
		return Matcher{}, p.unexpected("one of = != =~ !~")
	}
	if err := p.advance(); err != nil {
		return Matcher{}, err
	}
	at := p.now
	value, err := p.expectString("a string in quotes or backticks")
	if err != nil {
		return Matcher{}, err
	}
	if op.Regexp() {
		if err := p.checkRegexp(at, value); err != nil {
			return Matcher{}, err
		}
	}
	return Matcher{Name: name, Op: op, Value: value}, nil
}

func matchOpOf(t token) (MatchOp, bool) {
	if t.kind == tokenPunct {
		for op, text := range matchOps {
			if t.text == text {
				return MatchOp(op), true
			}
		}
	}
	return 0, false
}
