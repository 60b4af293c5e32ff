package guard

import (
	"strconv"
	"strings"
)

// parser reads tokens and writes the statement for the engine as it goes. The grammar is that of what is allowed; of the engine's it
// leaves out what decides about types and precedence, which the engine checks itself.
type parser struct {
	guard     *Guard
	lexer     *lexer
	tokens    []token
	at        int
	depth     int
	views     int
	out       strings.Builder
	statement *Statement
	defined   []string // names of WITH that hold here
	queries   []string // those of them that are queries, which FROM may name
}

func (p *parser) peek() *token { return &p.tokens[p.at] }

// after returns the token n places ahead.
func (p *parser) after(n int) *token { return &p.tokens[min(p.at+n, len(p.tokens)-1)] }

// emit writes text for the engine.
func (p *parser) emit(text string) {
	p.out.WriteByte(' ')
	p.out.WriteString(text)
}

// is reports whether the next token is one of the words, which are in capitals.
func (p *parser) is(words ...string) bool { return p.isAt(0, words...) }

func (p *parser) isAt(n int, words ...string) bool {
	t := p.after(n)
	if t.kind != word {
		return false
	}
	for _, w := range words {
		if t.upper == w {
			return true
		}
	}
	return false
}

func (p *parser) isOp(op string) bool { return p.isOpAt(0, op) }

func (p *parser) isOpAt(n int, op string) bool {
	t := p.after(n)
	return t.kind == operator && t.text == op
}

// take writes the next token, a word, when it is one of words.
func (p *parser) take(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.emit(p.peek().upper)
	p.at++
	return true
}

func (p *parser) takeOp(op string) bool {
	if !p.isOp(op) {
		return false
	}
	p.emit(op)
	p.at++
	return true
}

func (p *parser) need(w string) error {
	if !p.take(w) {
		return p.unexpected(w)
	}
	return nil
}

func (p *parser) needOp(op string) error {
	if !p.takeOp(op) {
		return p.unexpected(strconv.Quote(op))
	}
	return nil
}

// fault is an error at the next token.
func (p *parser) fault(id, format string, args ...any) error {
	return p.lexer.fault(p.peek().offset, id, format, args...)
}

// unexpected says what stands where something else is needed.
func (p *parser) unexpected(want string) error {
	t := p.peek()
	if err := p.forbidden(); err != nil {
		return err
	}
	switch t.kind {
	case end:
		return p.fault(idSyntax, "The statement ends where %s is expected.", want)
	case text:
		return p.fault(idSyntax, "A string stands where %s is expected.", want)
	case parameter:
		return p.fault(idSyntax, "The parameter {%s} stands where %s is expected. A parameter is a value, not a name or a part of the statement.", clip(t.text), want)
	}
	return p.fault(idSyntax, "%q stands where %s is expected.", clip(t.text), want)
}

// forbidden names parts of SQL that are known and not allowed.
func (p *parser) forbidden() error {
	switch {
	case p.isOp(";"):
		return p.fault(idRefused, "One statement is allowed, without another behind it.")
	case p.is("SETTINGS"):
		return p.fault(idRefused, "SETTINGS is not allowed: limits and formats are those of the request.")
	case p.is("FORMAT"):
		return p.fault(idRefused, "FORMAT is not allowed: the format is a field of the request (json, ndjson, csv, arrow, parquet).")
	case p.is("INTO"):
		return p.fault(idRefused, "INTO OUTFILE is not allowed: the answer goes to who asked.")
	case p.is("PREWHERE"):
		return p.fault(idRefused, "PREWHERE is not allowed on views; write WHERE, it is moved where that helps.")
	case p.is("SAMPLE", "FINAL"):
		return p.fault(idRefused, "%s is not allowed on views, which show each row once as it is now.", p.peek().upper)
	case p.is("GLOBAL"):
		return p.fault(idRefused, "GLOBAL is not allowed: there is one place where data is.")
	case p.is("FETCH", "PASTE", "COLLATE"):
		return p.fault(idRefused, "%s is not allowed here.", p.peek().upper)
	}
	return nil
}

// deeper counts a bracket or a query inside another.
func (p *parser) deeper() error {
	p.depth++
	if p.depth > p.guard.limits.MaxDepth {
		return p.fault(idTooLarge, "Brackets and queries stand more than %d deep.", p.guard.limits.MaxDepth)
	}
	return nil
}

// whole reads the statement and its end.
func (p *parser) whole() error {
	if !p.isQuery() {
		return p.notAQuery()
	}
	if err := p.query(); err != nil {
		return err
	}
	for p.isOp(";") && p.after(1).kind == end {
		p.at++
	}
	if p.peek().kind == end {
		return nil
	}
	return p.unexpected("the end of the statement")
}

// notAQuery says what a statement is that reads nothing.
func (p *parser) notAQuery() error {
	t := p.peek()
	switch {
	case t.kind == end:
		return p.fault(idSyntax, "The statement is empty.")
	case p.is("EXPLAIN"):
		return p.fault(idRefused, "EXPLAIN is not a statement here: POST the query to /api/v1/sql/explain.")
	case p.is("SHOW", "DESCRIBE", "DESC", "EXISTS"):
		return p.fault(idRefused, "%s is not allowed: GET /api/v1/sql/schema lists the views and their columns.", t.upper)
	case t.kind == word:
		return p.fault(idRefused, "%s is not allowed: a statement is one SELECT, or WITH and a SELECT.", clip(t.upper))
	}
	return p.fault(idSyntax, "A statement is one SELECT, or WITH and a SELECT.")
}

// isQuery reports whether a query begins here, behind any number of brackets.
func (p *parser) isQuery() bool {
	n := 0
	for p.isOpAt(n, "(") {
		n++
	}
	return p.isAt(n, "SELECT", "WITH")
}

// query reads queries joined by UNION, INTERSECT and EXCEPT.
func (p *parser) query() error {
	if err := p.deeper(); err != nil {
		return err
	}
	defer func(n, m int) { p.defined, p.queries = p.defined[:n], p.queries[:m] }(len(p.defined), len(p.queries))
	for {
		if err := p.operand(); err != nil {
			return err
		}
		if !p.take("UNION", "INTERSECT", "EXCEPT") {
			p.depth--
			return nil
		}
		if !p.take("ALL", "DISTINCT") && p.tokens[p.at-1].upper == "UNION" {
			p.emit("DISTINCT") // as standard SQL has it; the engine wants it said
		}
	}
}

// operand reads one of the queries that UNION joins.
func (p *parser) operand() error {
	if !p.isOp("(") {
		return p.selection()
	}
	p.takeOp("(")
	if err := p.query(); err != nil {
		return err
	}
	return p.needOp(")")
}

// subquery reads a query in brackets.
func (p *parser) subquery() error {
	if err := p.needOp("("); err != nil {
		return err
	}
	if !p.isQuery() {
		return p.unexpected("a query")
	}
	if err := p.query(); err != nil {
		return err
	}
	return p.needOp(")")
}

// name reads a name that the customer gives to something.
func (p *parser) name() (string, error) {
	t := p.peek()
	if t.kind != quoted && (t.kind != word || isReserved(t.upper)) {
		return "", p.unexpected("a name")
	}
	p.at++
	p.noteName(t)
	p.emitName(t.text)
	return t.text, nil
}

// noteName keeps where a name stands first.
func (p *parser) noteName(t *token) {
	if _, known := p.statement.names[t.text]; !known {
		p.statement.names[t.text] = t.offset
	}
}

// emitName writes a name in quotes, so that the engine can take it for nothing else. The lexer lets no quote into a name.
func (p *parser) emitName(name string) { p.emit("`" + name + "`") }

// emitString writes a string. Each of its bytes stands for itself or as an escape, so that it ends nowhere else.
func (p *parser) emitString(value string) { p.emit(quote(value)) }

func quote(value string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(value) {
		switch c := value[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			b.WriteString(`\x`)
			b.WriteByte("0123456789ABCDEF"[c>>4])
			b.WriteByte("0123456789ABCDEF"[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// alias reads an optional name behind an expression or a table.
func (p *parser) alias() (string, error) {
	if p.is("AS") {
		p.at++
		p.emit("AS")
		return p.name()
	}
	t := p.peek()
	if t.kind == quoted || t.kind == word && !isReserved(t.upper) {
		p.emit("AS")
		return p.name()
	}
	return "", nil
}

// list reads what one reads, with commas between.
func (p *parser) list(one func() error) error {
	for {
		if err := one(); err != nil {
			return err
		}
		if !p.takeOp(",") {
			return nil
		}
	}
}
