package guard

import (
	"slices"
	"strings"
)

// plainTypes are the types of values that a statement may name. States of aggregate functions are none of them: the engine reads them
// from bytes, which nobody has checked.
func plainTypes() []string {
	return []string{
		"Bool", "Date", "Date32", "DateTime", "DateTime64", "Decimal", "Decimal128", "Decimal256", "Decimal32", "Decimal64", "Enum", "Enum16", "Enum8",
		"FixedString", "Float32", "Float64", "IPv4", "IPv6", "Int128", "Int16", "Int256", "Int32", "Int64", "Int8", "String", "UInt128", "UInt16",
		"UInt256", "UInt32", "UInt64", "UInt8", "UUID",
	}
}

// nestingTypes are made of other types.
func nestingTypes() []string {
	return []string{"Array", "LowCardinality", "Map", "Nullable", "Tuple"}
}

// typeName reads a type of a cast.
func (p *parser) typeName() error {
	if err := p.deeper(); err != nil {
		return err
	}
	defer func() { p.depth-- }()
	t := p.peek()
	if t.kind != word {
		return p.unexpected("a type such as String or DateTime64(3)")
	}
	name, nests, err := p.knownType(t)
	if err != nil {
		return err
	}
	p.at++
	p.emit(name)
	if !p.isOp("(") {
		return nil
	}
	if !nests {
		return p.brackets("(", ")", p.typeArgument)
	}
	return p.brackets("(", ")", func() error {
		// An element of a tuple may have a name.
		if next := p.after(1); name == "Tuple" && (next.kind == word || p.peek().kind == quoted) {
			if _, err := p.name(); err != nil {
				return err
			}
		}
		return p.typeName()
	})
}

func (p *parser) knownType(t *token) (name string, nests bool, err error) {
	for _, known := range plainTypes() {
		if strings.EqualFold(known, t.text) {
			return known, false, nil
		}
	}
	for _, known := range nestingTypes() {
		if strings.EqualFold(known, t.text) {
			return known, true, nil
		}
	}
	all := slices.Sorted(slices.Values(slices.Concat(plainTypes(), nestingTypes())))
	return "", false, p.lexer.fault(t.offset, idRefused, "The type %q is not allowed. There are: %s.", clip(t.text), strings.Join(all, ", "))
}

// typeArgument reads a number, a string such as a time zone's name, or a value of an enumeration.
func (p *parser) typeArgument() error {
	t := p.peek()
	switch t.kind {
	case number:
		p.at++
		p.emit(t.text)
		return nil
	case text:
		p.at++
		p.emitString(t.text)
		if !p.takeOp("=") {
			return nil
		}
		p.takeOp("-")
		if p.peek().kind != number {
			return p.unexpected("a number")
		}
		p.at++
		p.emit(p.tokens[p.at-1].text)
		return nil
	}
	return p.unexpected("a number or a string")
}

// checkType reads a type that stands in a string or a parameter, and returns it written anew.
func (p *parser) checkType(of string, offset int) (string, error) {
	tokens, l, err := cut(of, p.guard.limits.MaxBytes)
	if err != nil {
		return "", p.lexer.fault(offset, idSyntax, "%q is not a type.", clip(of))
	}
	inner := &parser{guard: p.guard, lexer: l, tokens: tokens, depth: p.depth, statement: &Statement{names: map[string]int{}}}
	if err := inner.typeName(); err != nil || inner.peek().kind != end {
		all := slices.Sorted(slices.Values(slices.Concat(plainTypes(), nestingTypes())))
		return "", p.lexer.fault(offset, idRefused, "%q is not a type that is allowed. There are: %s.", clip(of), strings.Join(all, ", "))
	}
	return strings.TrimSpace(inner.out.String()), nil
}
