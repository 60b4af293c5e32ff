package guard

import (
	"slices"
	"strings"
)

// selection reads WITH and one SELECT with its clauses, in the order in which they have to stand.
func (p *parser) selection() error {
	if p.is("FROM") {
		return p.fault(idRefused, "A query begins with SELECT, not with FROM.")
	}
	if err := p.with(); err != nil {
		return err
	}
	if err := p.need("SELECT"); err != nil {
		return err
	}
	if err := p.distinct(); err != nil {
		return err
	}
	if err := p.list(p.element); err != nil {
		return err
	}
	if p.take("FROM") {
		if err := p.tables(); err != nil {
			return err
		}
	}
	for _, clause := range []func() error{p.where, p.groupBy, p.having, p.windows, p.qualify, p.orderBy, p.limits} {
		if err := clause(); err != nil {
			return err
		}
	}
	return p.forbiddenClause()
}

// forbiddenClause refuses a clause that there is and that is not allowed, before anything says that a bracket is missing.
func (p *parser) forbiddenClause() error {
	if p.isOp(";") {
		return nil // whole decides
	}
	return p.forbidden()
}

// with reads the names that hold in a query: `name AS (query)` and `expression AS name`.
func (p *parser) with() error {
	if !p.take("WITH") {
		return nil
	}
	if p.is("RECURSIVE") {
		return p.fault(idRefused, "WITH RECURSIVE is not allowed.")
	}
	return p.list(func() error {
		if t := p.peek(); (t.kind == word || t.kind == quoted) && p.isAt(1, "AS") && p.isOpAt(2, "(") {
			if err := p.shadows(t); err != nil {
				return err
			}
			if _, err := p.name(); err != nil {
				return err
			}
			p.take("AS")
			if err := p.subquery(); err != nil {
				return err
			}
			p.defined, p.queries = append(p.defined, t.text), append(p.queries, t.text)
			return nil
		}
		if err := p.expression(); err != nil {
			return err
		}
		if !p.is("AS") {
			return p.unexpected("AS and a name")
		}
		if err := p.shadows(p.after(1)); err != nil {
			return err
		}
		name, err := p.alias()
		p.defined = append(p.defined, name)
		return err
	})
}

// shadows refuses names of WITH that are views': which of the two is meant would depend on where one looks.
func (p *parser) shadows(t *token) error {
	if slices.ContainsFunc(p.guard.views, func(view string) bool { return strings.EqualFold(view, t.text) }) {
		return p.lexer.fault(t.offset, idRefused, "%q is a view and cannot be given another meaning by WITH; take another name.", t.text)
	}
	return nil
}

func (p *parser) distinct() error {
	if !p.take("DISTINCT") || !p.take("ON") {
		return nil
	}
	return p.brackets("(", ")", p.expression)
}

// element reads one column of SELECT.
func (p *parser) element() error {
	if err := p.expression(); err != nil {
		return err
	}
	_, err := p.alias()
	return err
}

// tables reads what FROM and the joins name.
func (p *parser) tables() error {
	if err := p.table(); err != nil {
		return err
	}
	for {
		joined, err := p.join()
		if err != nil || !joined {
			return err
		}
	}
}

// table reads a query in brackets, the name of a query of WITH, or a view.
func (p *parser) table() error {
	if p.isOp("(") {
		if !p.isQuery() {
			p.at++
			return p.unexpected("a query; joins stand without brackets")
		}
		if err := p.subquery(); err != nil {
			return err
		}
		return p.tableAlias("")
	}
	t := p.peek()
	if t.kind != quoted && (t.kind != word || isReserved(t.upper)) {
		return p.unexpected("a view or a query in brackets")
	}
	switch {
	case p.isOpAt(1, "("):
		return p.fault(idRefused, "Table functions such as %s() are not allowed; read one of the views: %s.", clip(t.text), strings.Join(p.guard.views, ", "))
	case p.isOpAt(1, "."):
		return p.fault(idRefused, "Views are named without a database; %s. and what follows is not allowed. There are: %s.", clip(t.text), strings.Join(p.guard.views, ", "))
	case slices.Contains(p.queries, t.text):
		p.at++
		p.emitName(t.text)
		return p.tableAlias("")
	case slices.Contains(p.guard.views, t.text):
		p.at++
		return p.view(t)
	}
	return p.fault(idRefused, "%q is not a view. There are: %s. GET /api/v1/sql/schema lists their columns.", clip(t.text), strings.Join(p.guard.views, ", "))
}

// view leaves a place for a view's definition. It has the view's name unless it is given another.
func (p *parser) view(t *token) error {
	p.views++
	if p.views > p.guard.limits.MaxViews {
		return p.lexer.fault(t.offset, idTooLarge, "The statement names views more than %d times; read a view once in WITH and use that.", p.guard.limits.MaxViews)
	}
	s := p.statement
	s.Views = append(s.Views, t.text)
	p.out.WriteByte(' ')
	s.pieces = append(s.pieces, piece{text: p.out.String()}, piece{view: t.text})
	p.out.Reset()
	return p.tableAlias(t.text)
}

// tableAlias reads the name of a table, for which another may stand.
func (p *parser) tableAlias(fallback string) error {
	if err := p.forbidden(); err != nil && p.is("FINAL", "SAMPLE") {
		return err
	}
	name, err := p.alias()
	if err == nil && name == "" && fallback != "" {
		p.emit("AS")
		p.emitName(fallback)
	}
	return err
}

// join reads one join.
func (p *parser) join() (joined bool, err error) {
	if p.takeOp(",") {
		return true, p.table()
	}
	if p.is("ARRAY") || p.is("LEFT") && p.isAt(1, "ARRAY") {
		p.take("LEFT")
		p.take("ARRAY")
		if err := p.need("JOIN"); err != nil {
			return false, err
		}
		return true, p.list(p.element)
	}
	cross, words := false, 0
	for p.is("ANY", "ALL", "ASOF", "SEMI", "ANTI", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER") {
		cross = cross || p.is("CROSS")
		p.take(p.peek().upper)
		words++
	}
	if words == 0 && !p.is("JOIN") {
		return false, p.forbiddenClauseOfJoin()
	}
	if err := p.need("JOIN"); err != nil {
		return false, err
	}
	if err := p.table(); err != nil {
		return false, err
	}
	if cross {
		return true, nil
	}
	return true, p.joinCondition()
}

func (p *parser) forbiddenClauseOfJoin() error {
	if p.is("GLOBAL", "PASTE", "PREWHERE") {
		return p.forbidden()
	}
	return nil
}

func (p *parser) joinCondition() error {
	if p.take("ON") {
		return p.expression()
	}
	if !p.take("USING") {
		return p.unexpected("ON or USING")
	}
	column := func() error { _, err := p.name(); return err }
	if p.isOp("(") {
		return p.brackets("(", ")", column)
	}
	return p.list(column)
}

func (p *parser) where() error {
	if !p.take("WHERE") {
		return nil
	}
	return p.expression()
}

func (p *parser) groupBy() error {
	if !p.take("GROUP") {
		return nil
	}
	if err := p.need("BY"); err != nil {
		return err
	}
	switch {
	case p.take("ALL"):
	case p.is("GROUPING") && p.isAt(1, "SETS"):
		p.take("GROUPING")
		p.take("SETS")
		if err := p.brackets("(", ")", func() error { return p.brackets("(", ")", p.expression) }); err != nil {
			return err
		}
	case p.is("ROLLUP", "CUBE") && p.isOpAt(1, "("):
		p.take("ROLLUP", "CUBE")
		if err := p.brackets("(", ")", p.expression); err != nil {
			return err
		}
	default:
		if err := p.list(p.expression); err != nil {
			return err
		}
	}
	for p.is("WITH") {
		p.take("WITH")
		if !p.take("ROLLUP", "CUBE", "TOTALS") {
			return p.unexpected("ROLLUP, CUBE or TOTALS")
		}
	}
	return nil
}

func (p *parser) having() error {
	if !p.take("HAVING") {
		return nil
	}
	return p.expression()
}

func (p *parser) qualify() error {
	if !p.take("QUALIFY") {
		return nil
	}
	return p.expression()
}

// windows reads the named windows.
func (p *parser) windows() error {
	if !p.take("WINDOW") {
		return nil
	}
	return p.list(func() error {
		if _, err := p.name(); err != nil {
			return err
		}
		if err := p.need("AS"); err != nil {
			return err
		}
		return p.window()
	})
}

func (p *parser) orderBy() error {
	if !p.take("ORDER") {
		return nil
	}
	if err := p.need("BY"); err != nil {
		return err
	}
	if p.take("ALL") {
		p.direction()
		return nil
	}
	if err := p.list(p.orderElement); err != nil {
		return err
	}
	if !p.take("INTERPOLATE") || !p.isOp("(") {
		return nil
	}
	return p.brackets("(", ")", func() error {
		if _, err := p.name(); err != nil {
			return err
		}
		if p.take("AS") {
			return p.expression()
		}
		return nil
	})
}

func (p *parser) direction() {
	p.take("ASC", "DESC", "ASCENDING", "DESCENDING")
	if p.take("NULLS") {
		p.take("FIRST", "LAST")
	}
}

func (p *parser) orderElement() error {
	if err := p.expression(); err != nil {
		return err
	}
	p.direction()
	if !p.is("WITH") || !p.isAt(1, "FILL") {
		return nil
	}
	p.take("WITH")
	p.take("FILL")
	for p.take("FROM", "TO", "STEP", "STALENESS") {
		if err := p.expression(); err != nil {
			return err
		}
	}
	return nil
}

// limits reads LIMIT BY, LIMIT and OFFSET.
func (p *parser) limits() error {
	for range 2 { // LIMIT n BY x, then LIMIT n
		if !p.take("LIMIT") {
			break
		}
		if err := p.list(p.expression); err != nil {
			return err
		}
		if p.take("OFFSET") {
			if err := p.expression(); err != nil {
				return err
			}
		}
		if p.take("BY") {
			if err := p.list(p.expression); err != nil {
				return err
			}
			continue
		}
		if p.is("WITH") && p.isAt(1, "TIES") {
			p.take("WITH")
			p.take("TIES")
		}
		return nil
	}
	if !p.take("OFFSET") {
		return nil
	}
	if err := p.expression(); err != nil {
		return err
	}
	p.take("ROW", "ROWS")
	return nil
}
