package logql

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// parseExpr takes a whole expression.
func (p *parser) parseExpr() (Expr, error) { return p.parseBinary(1) }

// parseBinary climbs precedences: it takes operators that bind at least as strongly as lowest.
func (p *parser) parseBinary(lowest int) (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.now
	left, err := p.parseOperand()
	if err != nil {
		return nil, err
	}
	for {
		precedence, ok := precedences[BinaryOp(p.now.text)]
		if !ok || precedence < lowest {
			return left, nil
		}
		if err := p.join(); err != nil {
			return nil, err
		}
		at := p.now
		b := &Binary{Op: BinaryOp(p.now.text), Left: left}
		if err := p.parseModifiers(b); err != nil {
			return nil, err
		}
		next := precedence + 1
		if b.Op == OpPow { // the one operator that binds from the right
			next = precedence
		}
		if b.Right, err = p.parseBinary(next); err != nil {
			return nil, err
		}
		if err := p.checkBinary(start, at, b); err != nil {
			return nil, err
		}
		left = b
	}
}

// parseModifiers takes the operator with bool, on, ignoring and group_left or group_right.
func (p *parser) parseModifiers(b *Binary) error {
	if err := p.advance(); err != nil {
		return err
	}
	if p.now.isWord("bool") {
		if !b.Op.Compares() {
			return p.errorf(p.now, "bool follows comparisons only")
		}
		b.Bool = true
		if err := p.advance(); err != nil {
			return err
		}
	}
	if !p.now.isWord("on") && !p.now.isWord("ignoring") {
		return nil
	}
	m := &Matching{On: p.now.isWord("on")}
	if err := p.advance(); err != nil {
		return err
	}
	var err error
	if m.Labels, err = p.parseNames(); err != nil {
		return err
	}
	b.Matching = m
	switch {
	case p.now.isWord("group_left"):
		m.Group = GroupLeft
	case p.now.isWord("group_right"):
		m.Group = GroupRight
	default:
		return nil
	}
	if b.Op.Sets() {
		return p.errorf(p.now, "%s does not take %s", b.Op, p.now.text)
	}
	if err := p.advance(); err != nil {
		return err
	}
	if p.now.is("(") && p.groupListFollows() {
		m.Include, err = p.parseNames()
	}
	return err
}

// groupListFollows tells group_left (a, b) from group_left (rate(...)): the operand never is a bare name or empty.
func (p *parser) groupListFollows() bool {
	if p.then.is(")") {
		return true
	}
	if p.then.kind != tokenIdent {
		return false
	}
	ahead := p.lexer // a copy: looking does not advance
	t, err := ahead.next()
	return err == nil && (t.is(",") || t.is(")"))
}

// checkBinary refuses operands that the operator does not take.
func (p *parser) checkBinary(start, at token, b *Binary) error {
	for _, side := range []Expr{b.Left, b.Right} {
		if _, logs := side.(*LogQuery); logs {
			return p.errorf(start, "%s joins metric queries; wrap the log query, as in count_over_time({...}[5m])", b.Op)
		}
	}
	scalar := IsScalar(b.Left) || IsScalar(b.Right)
	switch {
	case b.Op.Sets() && scalar:
		return p.errorf(at, "%s joins vectors, not numbers; use vector(...)", b.Op)
	case b.Matching != nil && scalar:
		return p.errorf(at, "on and ignoring need a vector on both sides")
	}
	return nil
}

// IsScalar reports whether e is a number at every step, without labels.
func IsScalar(e Expr) bool {
	switch e := e.(type) {
	case *Number:
		return true
	case *Binary:
		return IsScalar(e.Left) && IsScalar(e.Right)
	}
	return false
}

// parseOperand takes a literal, a call, a log query or an expression in parentheses.
func (p *parser) parseOperand() (Expr, error) {
	switch {
	case p.now.is("{"):
		return p.parseLogQuery(nil)
	case p.now.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.parseExpr()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case p.now.kind == tokenQuantity, p.now.is("-"), p.now.is("+"):
		v, err := p.parseNumber()
		if err != nil {
			return nil, err
		}
		return &Number{Value: v}, nil
	case p.now.isWord("vector"):
		return p.parseVector()
	case p.now.isWord("label_replace"):
		return p.parseLabelReplace()
	case p.now.kind == tokenIdent && slices.Contains(vectorOps, VectorOp(p.now.text)):
		return p.parseVectorAggregation()
	case p.now.kind == tokenIdent && rangeRules[RangeOp(p.now.text)] != 0:
		return p.parseRangeAggregation()
	}
	return nil, p.unexpected("a stream selector, a function, an aggregation or a number")
}

// parseNumber takes a number with an optional sign.
func (p *parser) parseNumber() (float64, error) {
	sign := ""
	if p.now.is("-") || p.now.is("+") {
		sign = p.now.text
		if err := p.advance(); err != nil {
			return 0, err
		}
	}
	if p.now.kind != tokenQuantity {
		return 0, p.unexpected("a number")
	}
	v, err := strconv.ParseFloat(sign+p.now.text, 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, p.unexpected("a number")
	}
	return v, p.advance()
}

func (p *parser) parseVector() (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	v, err := p.parseNumber()
	if err != nil {
		return nil, err
	}
	return &Vector{Value: v}, p.expect(")")
}

var vectorOps = []VectorOp{
	VectorSum, VectorAvg, VectorMin, VectorMax, VectorCount, VectorStddev, VectorStdvar, VectorTopK, VectorBottomK,
	VectorApprox, VectorSort, VectorSortDesc,
}

// parseVectorAggregation takes sum by (a) (expr) and sum (expr) by (a).
func (p *parser) parseVectorAggregation() (Expr, error) {
	a := &VectorAggregation{Op: VectorOp(p.now.text)}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var err error
	if a.Grouping, err = p.parseGrouping(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	if a.Op.takesCount() {
		if a.Param, err = p.parseCount(a.Op); err != nil {
			return nil, err
		}
	}
	at := p.now
	if a.Inner, err = p.parseVectorArgument(string(a.Op)); err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if a.Grouping == nil {
		if a.Grouping, err = p.parseGrouping(); err != nil {
			return nil, err
		}
	}
	if a.Grouping != nil && a.Op.sorts() || a.Grouping != nil && a.Op == VectorApprox {
		return nil, p.errorf(at, "%s takes no by or without", a.Op)
	}
	return a, nil
}

// parseVectorArgument takes the argument of a function that needs a vector.
func (p *parser) parseVectorArgument(function string) (Expr, error) {
	at := p.now
	inner, err := p.parseExpr()
	if err != nil {
		return nil, err
	}
	if _, logs := inner.(*LogQuery); logs {
		return nil, p.errorf(at, "%s takes a metric query; wrap the log query, as in count_over_time({...}[5m])", function)
	}
	if IsScalar(inner) {
		return nil, p.errorf(at, "%s takes a vector, not a number", function)
	}
	return inner, nil
}

// parseLabelReplace takes label_replace(vector, "target", "replacement", "source", "regular expression").
func (p *parser) parseLabelReplace() (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	r := &LabelReplace{}
	var err error
	if r.Inner, err = p.parseVectorArgument("label_replace"); err != nil {
		return nil, err
	}
	for i, arg := range []struct {
		into *string
		what string
	}{
		{&r.Target, "the target label in quotes"}, {&r.Replacement, "the replacement in quotes"},
		{&r.Source, "the source label in quotes"}, {&r.Pattern, "a regular expression in quotes"},
	} {
		if err := p.expect(","); err != nil {
			return nil, err
		}
		at := p.now
		if *arg.into, err = p.expectString(arg.what); err != nil {
			return nil, err
		}
		switch {
		case i == 0 && !isIdent(r.Target):
			return nil, p.errorf(at, "the target %q is not a label name", r.Target)
		case i == 3:
			if err := p.checkRegexp(at, r.Pattern); err != nil {
				return nil, err
			}
		}
	}
	return r, p.expect(")")
}

// parseCount takes the whole number that topk and bottomk begin with.
func (p *parser) parseCount(op VectorOp) (int, error) {
	n, err := strconv.Atoi(p.now.text)
	if p.now.kind != tokenQuantity || err != nil || n < 1 {
		return 0, p.unexpected("how many series " + string(op) + " keeps, a whole number from 1")
	}
	if err := p.advance(); err != nil {
		return 0, err
	}
	return n, p.expect(",")
}

// parseGrouping takes by (...) or without (...), or nothing.
func (p *parser) parseGrouping() (*Grouping, error) {
	if !p.now.isWord("by") && !p.now.isWord("without") {
		return nil, nil
	}
	g := &Grouping{Without: p.now.isWord("without")}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var err error
	g.Labels, err = p.parseNames()
	return g, err
}

// rangeRule says what a range function runs over.
type rangeRule uint8

const (
	overLines  rangeRule = 1 << iota // lines
	overValues                       // unwrapped values
	grouped                          // takes by and without over unwrapped values
)

var rangeRules = map[RangeOp]rangeRule{
	RangeRate: overLines | overValues, RangeCounter: overValues, RangeCount: overLines, RangeBytes: overLines, RangeBytesRate: overLines,
	RangeAbsent: overLines | overValues, RangeSum: overValues, RangeAvg: overValues | grouped,
	RangeMin: overValues | grouped, RangeMax: overValues | grouped, RangeFirst: overValues | grouped,
	RangeLast: overValues | grouped, RangeStdvar: overValues | grouped, RangeStddev: overValues | grouped,
	RangeQuantile: overValues | grouped,
}

// parseRangeAggregation takes rate({...} | ... [5m] offset 1h) by (a).
func (p *parser) parseRangeAggregation() (Expr, error) {
	at := p.now
	a := &RangeAggregation{Op: RangeOp(p.now.text)}
	rule := rangeRules[a.Op]
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var err error
	if a.Op == RangeQuantile {
		if a.Param, err = p.parseNumber(); err != nil {
			return nil, err
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
	if err := p.parseLogRange(a); err != nil {
		return nil, err
	}
	if a.Range == 0 {
		return nil, p.unexpected(`"["`)
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	clause := p.now
	if a.Grouping, err = p.parseGrouping(); err != nil {
		return nil, err
	}
	switch {
	case a.Unwrap == nil && rule&overLines == 0:
		return nil, p.errorf(at, "%s needs values: end its pipeline with unwrap", a.Op)
	case a.Unwrap != nil && rule&overValues == 0:
		return nil, p.errorf(at, "%s counts lines and takes no unwrap", a.Op)
	case a.Grouping != nil && rule&grouped == 0:
		return nil, p.errorf(clause, "%s takes no by or without; put it into sum by (...)", a.Op)
	}
	return a, nil
}

// parseLogRange takes a log query with its range, which may stand behind brackets around the query: ({...} |= "x")[5m].
func (p *parser) parseLogRange(a *RangeAggregation) error {
	if !p.now.is("(") {
		var err error
		if a.Query, err = p.parseLogQuery(a); err != nil {
			return err
		}
	} else {
		if err := p.enter(); err != nil {
			return err
		}
		defer p.leave()
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.parseLogRange(a); err != nil {
			return err
		}
		if err := p.expect(")"); err != nil {
			return err
		}
	}
	if a.Range == 0 && p.now.is("[") {
		return p.parseRange(a)
	}
	return nil
}

// parseRange takes [5m] and an offset that may follow it.
func (p *parser) parseRange(a *RangeAggregation) error {
	if err := p.expect("["); err != nil {
		return err
	}
	d, err := p.parseDuration("a duration such as 5m")
	if err != nil {
		return err
	}
	if d <= 0 {
		return p.errorf(p.now, "the range must be longer than zero")
	}
	a.Range = d
	if err := p.expect("]"); err != nil {
		return err
	}
	if !p.now.isWord("offset") {
		return nil
	}
	if err := p.advance(); err != nil {
		return err
	}
	a.Offset, err = p.parseDuration("a duration such as 1h")
	return err
}

// maxSpan bounds ranges and offsets, so that sums of times never overflow.
const maxSpan = 100 * 365 * 24 * time.Hour

func (p *parser) parseDuration(what string) (time.Duration, error) {
	sign := time.Duration(1)
	if p.now.is("-") {
		sign = -1
		if err := p.advance(); err != nil {
			return 0, err
		}
	}
	if p.now.kind != tokenQuantity {
		return 0, p.unexpected(what)
	}
	d, err := quantity.ParseDuration(p.now.text)
	if err != nil {
		return 0, p.unexpected(what)
	}
	if d > maxSpan {
		return 0, p.errorf(p.now, "the duration is longer than the limit of %s", quantity.FormatDuration(maxSpan))
	}
	return sign * d, p.advance()
}
