package logql

import (
	"math"
	"strconv"

	"github.com/seamarkhq/seamark/querier/logql/linematch"
	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// parseLabelFilter takes the predicates after a pipe: joined by and, or, a comma or nothing, from the left.
func (p *parser) parseLabelFilter() (*LabelFilter, error) {
	predicate, err := p.parsePredicates()
	if err != nil {
		return nil, err
	}
	return &LabelFilter{Predicate: predicate}, nil
}

func (p *parser) parsePredicates() (Predicate, error) {
	left, err := p.parsePredicate()
	if err != nil {
		return nil, err
	}
	for {
		or := p.now.isWord("or")
		switch {
		case or, p.now.isWord("and"), p.now.is(","):
			if err := p.advance(); err != nil {
				return nil, err
			}
		case p.now.kind == tokenIdent, p.now.is("("):
		default:
			return left, nil
		}
		if err := p.join(); err != nil {
			return nil, err
		}
		right, err := p.parsePredicate()
		if err != nil {
			return nil, err
		}
		left = &Logical{Or: or, Left: left, Right: right}
	}
}

func (p *parser) parsePredicate() (Predicate, error) {
	if p.now.is("(") {
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.parsePredicates()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	}
	name, err := p.expectIdent("a label name")
	if err != nil {
		return nil, err
	}
	if p.then.kind == tokenString {
		m, err := p.parseMatch(name)
		if err != nil {
			return nil, err
		}
		return &StringPredicate{Matcher: m}, nil
	}
	return p.parseQuantityPredicate(name)
}

// parseQuantityPredicate takes the comparison and quantity after the label name.
func (p *parser) parseQuantityPredicate(name string) (Predicate, error) {
	q := &QuantityPredicate{Name: name, Op: OpEqual}
	if !p.now.is("=") {
		q.Op = BinaryOp(p.now.text)
		if p.now.kind != tokenPunct || !q.Op.Compares() {
			return nil, p.unexpected("a comparison of the label " + strconv.Quote(name))
		}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.ipFollows() {
		if q.Op != OpEqual && q.Op != OpNot {
			return nil, p.errorf(p.now, "ip(...) follows = or !=, not %s", q.Op)
		}
		addresses, err := p.parseIP()
		return &IPPredicate{Name: name, Not: q.Op == OpNot, Range: addresses}, err
	}
	sign := ""
	if p.now.is("-") && p.then.kind == tokenQuantity {
		sign = "-"
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if p.now.kind != tokenQuantity {
		return nil, p.unexpected("a string, a number, a duration, an amount of bytes or ip(...)")
	}
	if err := p.readQuantity(q, sign+p.now.text); err != nil {
		return nil, err
	}
	return q, p.advance()
}

// readQuantity tells numbers, durations and bytes apart by their unit. 5m is a duration, as everywhere in the language.
func (p *parser) readQuantity(q *QuantityPredicate, text string) error {
	var err error
	if q.Number, err = strconv.ParseFloat(text, 64); err == nil && !math.IsInf(q.Number, 0) {
		q.Kind = NumberQuantity
		return nil
	}
	q.Number = 0
	if q.Time, err = quantity.ParseDuration(text); err == nil {
		q.Kind = DurationQuantity
		return nil
	}
	if q.Bytes, err = quantity.ParseBytes(text); err == nil {
		q.Kind = BytesQuantity
		return nil
	}
	return p.unexpected("a number, a duration such as 1m30s or an amount of bytes such as 20KB")
}

// ipFollows reports whether the current tokens are ip(.
func (p *parser) ipFollows() bool { return p.now.isWord("ip") && p.then.is("(") }

// parseIP takes ip("range of addresses").
func (p *parser) parseIP() (string, error) {
	for range 2 {
		if err := p.advance(); err != nil {
			return "", err
		}
	}
	at := p.now
	text, err := p.expectString(`an address, a range or a network such as "10.0.0.0/8"`)
	if err != nil {
		return "", err
	}
	if _, err := linematch.ParseIP(text); err != nil {
		return "", p.errorf(at, "the IP addresses are malformed: %s", err)
	}
	return text, p.expect(")")
}
