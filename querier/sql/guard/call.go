package guard

import (
	"slices"
	"strings"
)

// call reads a function with its arguments. Some are written in ways of their own.
func (p *parser) call() error {
	t := p.peek()
	switch t.upper {
	case "CAST":
		return p.cast()
	case "EXTRACT":
		if p.isUnitAt(2) && p.isAt(3, "FROM") {
			return p.extract()
		}
	case "TRIM":
		if p.isAt(2, "LEADING", "TRAILING", "BOTH") {
			return p.trim()
		}
	case "SUBSTRING":
		return p.substring()
	case "COLUMNS":
		return p.columns()
	}
	name, err := p.functionName(t)
	if err != nil {
		return err
	}
	p.at++
	p.emit(name)
	if err := p.arguments(); err != nil {
		return err
	}
	if p.isOp("(") { // an aggregate function's parameters were read, its arguments follow
		if err := p.arguments(); err != nil {
			return err
		}
	}
	return p.behindCall()
}

func (p *parser) arguments() error {
	if p.isOp("(") && p.isAt(1, "DISTINCT") {
		p.takeOp("(")
		p.take("DISTINCT")
		if err := p.list(p.aliased); err != nil {
			return err
		}
		return p.needOp(")")
	}
	if p.startsQueryAt(1) && !p.isOpAt(1, "(") {
		p.takeOp("(")
		return p.fault(idRefused, "A query that is an argument stands in brackets of its own.")
	}
	return p.brackets("(", ")", p.aliased)
}

// behindCall reads what may stand behind an aggregate or window function.
func (p *parser) behindCall() error {
	if p.is("IGNORE", "RESPECT") && p.isAt(1, "NULLS") {
		p.take("IGNORE", "RESPECT")
		p.take("NULLS")
	}
	if p.is("FILTER") && p.isOpAt(1, "(") {
		p.take("FILTER")
		p.takeOp("(")
		if err := p.need("WHERE"); err != nil {
			return err
		}
		if err := p.expression(); err != nil {
			return err
		}
		if err := p.needOp(")"); err != nil {
			return err
		}
	}
	if !p.take("OVER") {
		return nil
	}
	if p.isOp("(") {
		return p.window()
	}
	_, err := p.name()
	return err
}

// window reads what a window is in brackets.
func (p *parser) window() error {
	if err := p.needOp("("); err != nil {
		return err
	}
	if t := p.peek(); t.kind == quoted || t.kind == word && !isReserved(t.upper) && !p.is("PARTITION", "ROWS", "RANGE", "GROUPS") {
		if _, err := p.name(); err != nil {
			return err
		}
	}
	if p.take("PARTITION") {
		if err := p.need("BY"); err != nil {
			return err
		}
		if err := p.list(p.expression); err != nil {
			return err
		}
	}
	if p.take("ORDER") {
		if err := p.need("BY"); err != nil {
			return err
		}
		if err := p.list(p.orderElement); err != nil {
			return err
		}
	}
	if p.take("ROWS", "RANGE") {
		if err := p.frame(); err != nil {
			return err
		}
	}
	return p.needOp(")")
}

func (p *parser) frame() error {
	if !p.take("BETWEEN") {
		return p.bound()
	}
	if err := p.bound(); err != nil {
		return err
	}
	if err := p.need("AND"); err != nil {
		return err
	}
	return p.bound()
}

// bound reads one end of a window's frame.
func (p *parser) bound() error {
	if p.take("CURRENT") {
		return p.need("ROW")
	}
	if !p.take("UNBOUNDED") {
		if err := p.operandValue(); err != nil {
			return err
		}
	}
	if !p.take("PRECEDING", "FOLLOWING") {
		return p.unexpected("PRECEDING or FOLLOWING")
	}
	return nil
}

// cast reads CAST(x AS Type) and CAST(x, 'Type').
func (p *parser) cast() error {
	p.at++
	p.emit("CAST")
	if err := p.needOp("("); err != nil {
		return err
	}
	if err := p.expression(); err != nil {
		return err
	}
	if p.take("AS") {
		if err := p.typeName(); err != nil {
			return err
		}
		return p.needOp(")")
	}
	if !p.isOp(",") {
		return p.unexpected("AS and a type")
	}
	p.at++
	t := p.peek()
	if t.kind != text {
		return p.unexpected("a type in a string")
	}
	of, err := p.checkType(t.text, t.offset)
	if err != nil {
		return err
	}
	p.at++
	p.emit("AS " + of)
	return p.needOp(")")
}

// extract reads EXTRACT(unit FROM time).
func (p *parser) extract() error {
	p.at++
	p.emit("EXTRACT")
	p.takeOp("(")
	p.take(p.peek().upper)
	p.take("FROM")
	if err := p.expression(); err != nil {
		return err
	}
	return p.needOp(")")
}

// trim reads TRIM(BOTH 'x' FROM s).
func (p *parser) trim() error {
	p.at++
	p.emit("TRIM")
	p.takeOp("(")
	p.take(p.peek().upper)
	if err := p.expression(); err != nil {
		return err
	}
	if err := p.need("FROM"); err != nil {
		return err
	}
	if err := p.expression(); err != nil {
		return err
	}
	return p.needOp(")")
}

// substring reads SUBSTRING(s FROM n FOR m) and SUBSTRING(s, n, m).
func (p *parser) substring() error {
	p.at++
	p.emit("substring")
	if err := p.needOp("("); err != nil {
		return err
	}
	if err := p.expression(); err != nil {
		return err
	}
	for p.take("FROM", "FOR") || p.takeOp(",") {
		if err := p.expression(); err != nil {
			return err
		}
	}
	return p.needOp(")")
}

// columns reads COLUMNS('pattern').
func (p *parser) columns() error {
	p.at++
	p.emit("COLUMNS")
	p.statement.all = true
	if err := p.needOp("("); err != nil {
		return err
	}
	t := p.peek()
	if t.kind != text {
		return p.unexpected("a regular expression in a string")
	}
	p.at++
	p.emitString(t.text)
	if err := p.needOp(")"); err != nil {
		return err
	}
	return p.transformers()
}

// functionName returns the engine's name of a function, if it is allowed.
func (p *parser) functionName(t *token) (string, error) {
	if name, ok := p.guard.functions.find(t.text); ok {
		return name, nil
	}
	return "", p.refusedFunction(t)
}

func (p *parser) refusedFunction(t *token) error {
	f := &p.guard.functions
	if f.refuses(t.text) {
		return p.lexer.fault(t.offset, idRefused, "The function %s is not allowed: it reaches beyond the rows of a query. docs/sql.md lists those that are.", clip(t.text))
	}
	if near := f.near(t.text); near != "" {
		return p.lexer.fault(t.offset, idRefused, "There is no function %s that is allowed; did you mean %s?", clip(t.text), near)
	}
	return p.lexer.fault(t.offset, idRefused, "There is no function %s that is allowed. docs/sql.md lists those that are.", clip(t.text))
}

// combinators change what an aggregate function takes. Those that make or read states are left out: a state is bytes that the engine
// believes.
func combinators() []string {
	return []string{"If", "Array", "Map", "Distinct", "OrNull", "OrDefault", "ForEach", "Resample", "ArgMin", "ArgMax"}
}

// maxCombinators is how many may stand behind each other. More make the engine build long chains for nothing.
const maxCombinators = 3

// aggregate returns the name of an aggregate function with combinators behind it.
func (f *functions) aggregate(name string) (string, bool) {
	suffix := ""
	for range maxCombinators {
		at := slices.IndexFunc(combinators(), func(c string) bool { return strings.HasSuffix(name, c) && len(name) > len(c) })
		if at < 0 {
			return "", false
		}
		c := combinators()[at]
		name, suffix = strings.TrimSuffix(name, c), c+suffix
		if base, ok := f.plain(name); ok && f.allowed[base].aggregate {
			return base + suffix, true
		}
	}
	return "", false
}
