package guard

import (
	"slices"
	"strings"
)

// expression reads operands with operators between. It does not build a tree: what is allowed does not depend on precedence, and the
// engine reads what is written in the same order.
func (p *parser) expression() error {
	if err := p.deeper(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	for {
		for signed := true; signed; {
			signed = p.take("NOT") || p.takeOp("-") || p.takeOp("+")
		}
		if err := p.operandValue(); err != nil {
			return err
		}
		more, err := p.infix()
		if err != nil || !more {
			return err
		}
	}
}

// infix reads an operator, and reports whether an operand follows.
func (p *parser) infix() (more bool, err error) {
	for {
		t := p.peek()
		switch {
		case t.kind == operator && slices.Contains([]string{"+", "-", "*", "/", "%", "=", "==", "!=", "<>", "<", "<=", ">", ">=", "<=>", "||", "->", "?", ":"}, t.text):
			p.at++
			p.emit(t.text)
			return true, nil
		case p.is("AND", "OR", "DIV", "MOD", "LIKE", "ILIKE", "BETWEEN", "REGEXP"):
			p.take(t.upper)
			return true, nil
		case p.is("NOT") && p.isAt(1, "LIKE", "ILIKE", "BETWEEN", "REGEXP"):
			p.take("NOT")
		case p.is("IN") || p.is("NOT") && p.isAt(1, "IN"):
			p.take("NOT")
			p.take("IN")
			if err := p.set(); err != nil {
				return false, err
			}
		case p.is("IS"):
			distinct, err := p.isNull()
			if err != nil || distinct {
				return distinct, err
			}
		case p.is("GLOBAL"):
			return false, p.forbidden()
		default:
			return false, nil
		}
	}
}

// isNull reads IS [NOT] NULL, or IS [NOT] DISTINCT FROM, behind which an operand stands.
func (p *parser) isNull() (distinct bool, err error) {
	p.take("IS")
	p.take("NOT")
	if p.take("NULL") {
		return false, nil
	}
	if !p.take("DISTINCT") {
		return false, p.unexpected("NULL or DISTINCT FROM")
	}
	return true, p.need("FROM")
}

// set reads what stands behind IN. The engine takes a lone name there for a table, so one has to be a query of WITH.
func (p *parser) set() error {
	n := 0
	for p.isOpAt(n, "(") {
		n++
	}
	t, follows := p.after(n), p.after(n+1)
	lone := t.kind == quoted || t.kind == word && !isReserved(t.upper) && !isLiteral(t.upper)
	if lone && follows.kind == operator && (follows.text == "." || n > 0 && follows.text == ")") || lone && n == 0 && !p.isOpAt(1, "(") {
		if follows.kind == operator && follows.text == "." || !slices.Contains(p.defined, t.text) {
			return p.lexer.fault(t.offset, idRefused, "IN is followed by values or a query, not by the name %q: write IN (SELECT column FROM view), or has(array, value).", clip(t.text))
		}
	}
	return p.operandValue()
}

// operandValue reads a value and what selects from it.
func (p *parser) operandValue() error {
	if err := p.value(); err != nil {
		return err
	}
	for {
		switch {
		case p.isOp("["):
			if err := p.brackets("[", "]", p.expression); err != nil {
				return err
			}
		case p.isOp("."):
			if err := p.member(); err != nil {
				return err
			}
		case p.takeOp("::"):
			if err := p.typeName(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// member reads what a dot selects: an element of a tuple.
func (p *parser) member() error {
	p.takeOp(".")
	t := p.peek()
	if t.kind == number {
		p.at++
		p.out.WriteString(t.text) // no blank may stand before it
		return nil
	}
	if t.kind == operator && t.text == "*" {
		return p.star()
	}
	_, err := p.name()
	return err
}

// star reads * and what changes its columns.
func (p *parser) star() error {
	p.takeOp("*")
	p.statement.all = true
	return p.transformers()
}

// transformers reads EXCEPT, REPLACE and APPLY behind columns.
func (p *parser) transformers() error {
	for {
		switch {
		case p.is("EXCEPT") && !p.isAt(1, "SELECT", "ALL", "DISTINCT") && !p.startsQueryAt(1):
			p.take("EXCEPT")
			column := func() error { _, err := p.name(); return err }
			if !p.isOp("(") {
				return column()
			}
			if err := p.brackets("(", ")", column); err != nil {
				return err
			}
		case p.is("REPLACE") && p.isOpAt(1, "("):
			p.take("REPLACE")
			if err := p.brackets("(", ")", p.replacement); err != nil {
				return err
			}
		case p.is("APPLY"):
			if err := p.apply(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (p *parser) startsQueryAt(n int) bool {
	for p.isOpAt(n, "(") {
		n++
	}
	return p.isAt(n, "SELECT", "WITH")
}

func (p *parser) replacement() error {
	if err := p.expression(); err != nil {
		return err
	}
	if !p.is("AS") {
		return p.unexpected("AS and a column")
	}
	_, err := p.alias()
	return err
}

// apply reads APPLY(function) and APPLY(x -> ...).
func (p *parser) apply() error {
	p.take("APPLY")
	if err := p.needOp("("); err != nil {
		return err
	}
	if t := p.peek(); t.kind == word && p.isOpAt(1, ")") {
		name, err := p.functionName(t)
		if err != nil {
			return err
		}
		p.at++
		p.emit(name)
		return p.needOp(")")
	}
	if p.peek().kind != word && p.peek().kind != quoted && !p.isOp("(") {
		return p.unexpected("a function or x -> expression")
	}
	if err := p.expression(); err != nil {
		return err
	}
	return p.needOp(")")
}

// brackets reads a list in brackets, which may be empty.
func (p *parser) brackets(open, shut string, one func() error) error {
	if err := p.needOp(open); err != nil {
		return err
	}
	if p.takeOp(shut) {
		return nil
	}
	if err := p.list(one); err != nil {
		return err
	}
	return p.needOp(shut)
}

// value reads one operand.
func (p *parser) value() error {
	t := p.peek()
	switch t.kind {
	case number:
		p.at++
		p.emit(t.text)
		return nil
	case text:
		p.at++
		p.emitString(t.text)
		return nil
	case parameter:
		return p.parameter()
	case operator:
		return p.bracketed()
	case quoted:
		return p.column()
	case word:
		return p.wordValue()
	}
	return p.unexpected("a value")
}

func (p *parser) bracketed() error {
	switch {
	case p.isOp("*"):
		return p.star()
	case p.isOp("["):
		return p.brackets("[", "]", p.expression)
	case p.isOp("("):
		if p.isQuery() {
			return p.subquery()
		}
		return p.brackets("(", ")", p.aliased)
	}
	return p.unexpected("a value")
}

// aliased reads an expression that may be given a name.
func (p *parser) aliased() error {
	if err := p.expression(); err != nil {
		return err
	}
	if !p.is("AS") {
		return nil
	}
	_, err := p.alias()
	return err
}

func (p *parser) wordValue() error {
	t := p.peek()
	switch {
	case isLiteral(t.upper) && !p.isOpAt(1, "("):
		p.take(t.upper)
		return nil
	case p.is("CASE"):
		return p.cases()
	case p.is("INTERVAL") && !p.isOpAt(1, "."):
		return p.interval()
	case p.is("EXISTS") && p.isOpAt(1, "("):
		p.take("EXISTS")
		return p.subquery()
	case p.is("DATE", "TIMESTAMP") && p.after(1).kind == text:
		p.take(t.upper)
		p.at++
		p.emitString(p.tokens[p.at-1].text)
		return nil
	case p.isOpAt(1, "("):
		return p.call()
	case isReserved(t.upper):
		return p.unexpected("a value")
	}
	return p.column()
}

// column reads a name, with the table's before it or not.
func (p *parser) column() error {
	t := p.peek()
	if t.kind == quoted && p.isOpAt(1, "(") {
		return p.fault(idRefused, "The name of a function stands without quotes.")
	}
	p.at++
	p.noteName(t)
	if !p.isOp(".") {
		// The engine takes the name of a function for the function where one is wanted: arrayMap(file, [...]).
		if p.guard.functions.refuses(t.text) && !p.guard.columns[strings.ToLower(t.text)] && !slices.Contains(p.defined, t.text) {
			p.at--
			return p.fault(idRefused, "%q is the name of a function that is not allowed, and cannot name a column here; write it behind the table's name and a dot, or take another.", clip(t.text))
		}
	}
	p.emitName(t.text)
	for p.isOp(".") && p.after(1).kind != number && !p.isOpAt(1, "*") {
		p.takeOp(".")
		if _, err := p.anyName(); err != nil {
			return err
		}
	}
	return nil
}

// anyName reads a name behind a dot, where no word is reserved.
func (p *parser) anyName() (string, error) {
	t := p.peek()
	if t.kind != word && t.kind != quoted {
		return "", p.unexpected("a name")
	}
	p.at++
	p.noteName(t)
	p.emitName(t.text)
	return t.text, nil
}

func (p *parser) cases() error {
	p.take("CASE")
	if !p.is("WHEN") {
		if err := p.expression(); err != nil {
			return err
		}
	}
	for p.take("WHEN") {
		if err := p.expression(); err != nil {
			return err
		}
		if err := p.need("THEN"); err != nil {
			return err
		}
		if err := p.expression(); err != nil {
			return err
		}
	}
	if p.take("ELSE") {
		if err := p.expression(); err != nil {
			return err
		}
	}
	return p.need("END")
}

// interval reads INTERVAL 5 MINUTE and INTERVAL '5 minutes'.
func (p *parser) interval() error {
	p.take("INTERVAL")
	if t := p.peek(); t.kind == text && !p.isUnitAt(1) {
		p.at++
		p.emitString(t.text)
		return nil
	}
	if err := p.operandValue(); err != nil {
		return err
	}
	if !p.isUnitAt(0) {
		return p.unexpected("a unit such as MINUTE, HOUR or DAY")
	}
	p.take(p.peek().upper)
	return nil
}

func (p *parser) isUnitAt(n int) bool {
	t := p.after(n)
	return t.kind == word && slices.Contains([]string{"NANOSECOND", "MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}, strings.TrimSuffix(t.upper, "S"))
}

// parameter reads {name:Type}.
func (p *parser) parameter() error {
	t := p.peek()
	of, err := p.checkType(t.extra, t.offset)
	if err != nil {
		return err
	}
	for _, known := range p.statement.Parameters {
		if known.Name == t.text && known.Type != of {
			return p.fault(idSyntax, "The parameter %s is a %s here and a %s before.", t.text, of, known.Type)
		}
	}
	if !slices.ContainsFunc(p.statement.Parameters, func(known Parameter) bool { return known.Name == t.text }) {
		p.statement.Parameters = append(p.statement.Parameters, Parameter{t.text, of})
	}
	p.at++
	p.emit("{" + t.text + ":" + of + "}")
	return nil
}
