package pipeline

import (
	"regexp"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// predicate answers a condition from the batch's columns.
type predicate func(w *run, i int) bool

// quickPredicate returns the predicate of a condition of simple form, or nil. It knows comparisons of body, severity and
// one attribute or stream label with constants, IsMatch on texts, HasPrefix and HasSuffix on the body, and their
// combinations with and, or, not and brackets. The text has been accepted by OTTL already; FuzzPredicate holds both to
// the same answers.
func quickPredicate(text string) predicate {
	p := conditionParser{tokens: tokenise(text)}
	result := p.or()
	if p.bad || p.next < len(p.tokens) {
		return nil
	}
	return result
}

// token is one word of a condition: text in quotes is kept apart from words.
type token struct {
	text   string
	quoted bool
}

// tokenise returns the words of a condition, nil when it holds anything but names, texts, numbers and comparisons.
func tokenise(s string) []token {
	var list []token
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '"':
			end := i + 1
			for end < len(s) && s[end] != '"' {
				if s[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(s) {
				return nil
			}
			text, err := strconv.Unquote(s[i : end+1])
			if err != nil {
				return nil
			}
			list = append(list, token{text, true})
			i = end + 1
		case isWord(c):
			end := i
			for end < len(s) && isWord(s[end]) {
				end++
			}
			list = append(list, token{s[i:end], false})
			i = end
		case strings.IndexByte("()[],", c) >= 0:
			list = append(list, token{s[i : i+1], false})
			i++
		case strings.IndexByte("=!<>", c) >= 0:
			end := i + 1
			if end < len(s) && s[end] == '=' {
				end++
			}
			list = append(list, token{s[i:end], false})
			i = end
		default:
			return nil
		}
	}
	return list
}

func isWord(c byte) bool {
	return c == '_' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// conditionParser reads a condition by descent. bad is set on the first thing that it does not know.
type conditionParser struct {
	tokens []token
	next   int
	bad    bool
}

func (p *conditionParser) peek() token {
	if p.next < len(p.tokens) {
		return p.tokens[p.next]
	}
	return token{}
}

// word takes the next token if it is the given word.
func (p *conditionParser) word(text string) bool {
	if t := p.peek(); !t.quoted && t.text == text && text != "" {
		p.next++
		return true
	}
	return false
}

func (p *conditionParser) expect(text string) {
	if !p.word(text) {
		p.bad = true
	}
}

func (p *conditionParser) quoted() string {
	t := p.peek()
	if !t.quoted {
		p.bad = true
		return ""
	}
	p.next++
	return t.text
}

func (p *conditionParser) or() predicate {
	left := p.and()
	for !p.bad && p.word("or") {
		a, b := left, p.and()
		left = func(w *run, i int) bool { return a(w, i) || b(w, i) }
	}
	return left
}

func (p *conditionParser) and() predicate {
	left := p.not()
	for !p.bad && p.word("and") {
		a, b := left, p.not()
		left = func(w *run, i int) bool { return a(w, i) && b(w, i) }
	}
	return left
}

func (p *conditionParser) not() predicate {
	if !p.word("not") {
		return p.atom()
	}
	inner := p.atom()
	return func(w *run, i int) bool { return !inner(w, i) }
}

func (p *conditionParser) atom() predicate {
	switch {
	case p.bad:
		return nil
	case p.word("("):
		inner := p.or()
		p.expect(")")
		return inner
	case p.word("IsMatch"):
		return p.isMatch()
	case p.word("HasPrefix"):
		return p.bodyTest(strings.HasPrefix)
	case p.word("HasSuffix"):
		return p.bodyTest(strings.HasSuffix)
	case p.word("true"):
		return func(*run, int) bool { return true }
	case p.word("log.severity_number"):
		return p.severity()
	}
	return p.comparison()
}

func (p *conditionParser) isMatch() predicate {
	p.expect("(")
	field := p.field()
	p.expect(",")
	pattern := p.quoted()
	p.expect(")")
	if p.bad {
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		p.bad = true
		return nil
	}
	return func(w *run, i int) bool {
		text, ok := field(w, i)
		return ok && re.MatchString(text)
	}
}

// bodyTest is a function of the body and a constant. On attributes these functions fail where the attribute is absent, so
// they are left to OTTL.
func (p *conditionParser) bodyTest(test func(s, part string) bool) predicate {
	p.expect("(")
	p.expect("log.body")
	p.expect(",")
	part := p.quoted()
	p.expect(")")
	return func(w *run, i int) bool { return test(w.batch.Logs.Body[i], part) }
}

// getter returns a text of row i; false when the row has none.
type getter func(w *run, i int) (string, bool)

func (p *conditionParser) field() getter {
	switch {
	case p.word("log.body"):
		return func(w *run, i int) (string, bool) { return w.batch.Logs.Body[i], true }
	case p.word("log.severity_text"):
		return func(w *run, i int) (string, bool) { return severityText(w.batch.Logs.Level[i]), true }
	case p.word("log.attributes"):
		name := p.key()
		return func(w *run, i int) (string, bool) { return find(w.attrs(i), name) }
	case p.word("resource.attributes"):
		name := p.key()
		return func(w *run, i int) (string, bool) {
			l := &w.batch.Logs
			return find(l.Streams[l.Stream[i]].Labels, name)
		}
	}
	p.bad = true
	return nil
}

func (p *conditionParser) key() string {
	p.expect("[")
	name := p.quoted()
	p.expect("]")
	return name
}

// find returns the last value of a name, as a conversion to a map would leave it.
func find(labels []seamark.Label, name string) (string, bool) {
	for k := len(labels) - 1; k >= 0; k-- {
		if labels[k].Name == name {
			return labels[k].Value, true
		}
	}
	return "", false
}

func (p *conditionParser) comparison() predicate {
	field := p.field()
	equal := p.word("==")
	if !equal {
		p.expect("!=")
	}
	if p.bad {
		return nil
	}
	if p.word("nil") {
		return func(w *run, i int) bool {
			_, ok := field(w, i)
			return ok != equal
		}
	}
	value := p.quoted()
	return func(w *run, i int) bool {
		text, ok := field(w, i)
		return (ok && text == value) == equal
	}
}

// severity compares the severity number with a number or one of OTTL's names.
func (p *conditionParser) severity() predicate {
	operator := p.peek().text
	p.next++
	number, ok := severityNumber(p.peek())
	p.next++
	if !ok {
		p.bad = true
		return nil
	}
	compare := comparer(operator)
	if compare == nil {
		p.bad = true
		return nil
	}
	return func(w *run, i int) bool { return compare(int64(severityOf(w.batch.Logs.Level[i])), number) }
}

func comparer(operator string) func(a, b int64) bool {
	switch operator {
	case "==":
		return func(a, b int64) bool { return a == b }
	case "!=":
		return func(a, b int64) bool { return a != b }
	case "<":
		return func(a, b int64) bool { return a < b }
	case "<=":
		return func(a, b int64) bool { return a <= b }
	case ">":
		return func(a, b int64) bool { return a > b }
	case ">=":
		return func(a, b int64) bool { return a >= b }
	}
	return nil
}

// severityNumber reads a number or a name such as SEVERITY_NUMBER_WARN2.
func severityNumber(t token) (int64, bool) {
	if t.quoted {
		return 0, false
	}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return n, true
	}
	name, ok := strings.CutPrefix(t.text, "SEVERITY_NUMBER_")
	if !ok {
		return 0, false
	}
	for n := plog.SeverityNumberTrace; n <= plog.SeverityNumberFatal4; n++ {
		if strings.ToUpper(n.String()) == name {
			return int64(n), true
		}
	}
	return 0, false
}
