package engine

import (
	"context"
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/store"
	"github.com/seamarkhq/seamark/querier/logql"
)

// hint is what a filter on a parsed label says about lines: those that pass have one of some texts, for the label's value
// stands in them. It holds only where the label can come from nowhere else, so of rows without metadata of its name.
type hint struct {
	name   string
	filter store.LogFilter
}

// minHint is the shortest text worth looking for: shorter ones stand in almost every line.
const minHint = 3

// escapedRune begins an escape that may stand for any character, in JSON and in logfmt's quotes.
const escapedRune = `\u`

// valueSource says where the values of parsed labels come from.
type valueSource struct {
	stored    bool // lines as they are stored
	escapes   bool // in which they may be escaped
	parsers   int
	json      bool // all fields of JSON objects, and nothing else
	faultless bool // lines that no parser could read are dropped
}

// follow takes a stage into account that works on stored lines, or with line unset on others.
func (v *valueSource) follow(s logql.Stage, line bool) {
	switch s := s.(type) {
	case *logql.LabelFilter:
		v.faultless = v.faultless || v.parsers > 0 && wantsNoFault(s.Predicate)
		return
	case *logql.JSON, *logql.Logfmt, *logql.Regexp, *logql.Pattern, *logql.Unpack:
		v.parsers++
		j, ok := s.(*logql.JSON)
		v.json, v.faultless = ok && len(j.Extractions) == 0 && v.parsers == 1, false
	case *logql.LabelFormat:
		v.json = false
	}
	switch s.(type) {
	case *logql.Regexp, *logql.Pattern:
		v.stored = v.stored && line
	case *logql.JSON, *logql.Logfmt, *logql.Unpack:
		v.stored, v.escapes = v.stored && line, true
	}
}

// hintsOf returns the hints of a predicate, all of which hold. With escapes set values may be escaped in the line.
func (p *plan) hintsOf(predicate logql.Predicate, escapes bool) []hint {
	if l, ok := predicate.(*logql.Logical); ok && !l.Or {
		return append(p.hintsOf(l.Left, escapes), p.hintsOf(l.Right, escapes)...)
	}
	name, texts := requiredValues(predicate)
	if name == "" || len(texts) == 0 {
		return nil
	}
	field, _, ok := metadataField(name)
	if _, inNone := p.occurrence(names{name: {}}); !inNone || !ok || field != store.LogAttr {
		return nil
	}
	f := store.LogFilter{Field: store.LogBody, Op: store.LogContains}
	for _, text := range texts {
		if escapes {
			text = longestPlain(text)
		}
		if len(text) < minHint {
			return nil
		}
		f.Texts = append(f.Texts, text)
	}
	if escapes {
		f.Texts = append(f.Texts, escapedRune)
	}
	return []hint{{name, f}}
}

// wantsNoFault reports whether a predicate holds for lines without an error alone.
func wantsNoFault(p logql.Predicate) bool {
	switch p := p.(type) {
	case *logql.StringPredicate:
		return p.Matcher == logql.Matcher{Name: errorLabel, Op: logql.MatchEqual}
	case *logql.Logical:
		return !p.Or && (wantsNoFault(p.Left) || wantsNoFault(p.Right))
	}
	return false
}

// dropsFaults reports whether the first stages, all filters on labels, drop lines that no parser could read.
func dropsFaults(stages []logql.Stage) bool {
	for _, s := range stages {
		f, ok := s.(*logql.LabelFilter)
		if !ok {
			return false
		}
		if wantsNoFault(f.Predicate) {
			return true
		}
	}
	return false
}

// numberHintsOf returns the hints of a predicate on fields of JSON objects that are numbers, where lines that are none are
// dropped. A name with an underscore may be that of a field inside another, whose key is a part of it.
func (p *plan) numberHintsOf(predicate logql.Predicate) []hint {
	switch q := predicate.(type) {
	case *logql.Logical:
		if !q.Or {
			return append(p.numberHintsOf(q.Left), p.numberHintsOf(q.Right)...)
		}
	case *logql.QuantityPredicate:
		field, _, ok := metadataField(q.Name)
		_, inNone := p.occurrence(names{q.Name: {}})
		if q.Kind != logql.NumberQuantity || !inNone || !ok || field != store.LogAttr || strings.Contains(q.Name, "_") || math.IsNaN(q.Number) || math.IsInf(q.Number, 0) {
			return nil
		}
		return []hint{{q.Name, store.LogFilter{
			Field: store.LogBody, Attr: q.Name, Op: store.LogJSONField, Compare: string(q.Op), Texts: []string{strconv.FormatFloat(q.Number, 'g', -1, 64)},
		}}}
	}
	return nil
}

// requiredValues returns the one label that a predicate looks at, and texts of which every value has one that satisfies
// it. There are none if an absent label satisfies it.
func requiredValues(p logql.Predicate) (name string, texts []string) {
	switch p := p.(type) {
	case *logql.StringPredicate:
		switch m := p.Matcher; m.Op {
		case logql.MatchEqual:
			return m.Name, []string{m.Value}
		case logql.MatchRegexp:
			tree, err := syntax.Parse(m.Value, syntax.Perl)
			if err != nil {
				return "", nil
			}
			return m.Name, requiredLiterals(tree)
		case logql.MatchNotEqual, logql.MatchNotRegexp:
		}
	case *logql.Logical: // or
		left, some := requiredValues(p.Left)
		right, others := requiredValues(p.Right)
		if left == right && len(some) > 0 && len(others) > 0 {
			return left, slices.Concat(some, others)
		}
	}
	return "", nil
}

// requiredLiterals returns texts of which every match has one; none if it cannot tell.
func requiredLiterals(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []string{string(re.Rune)}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return requiredLiterals(re.Sub[0])
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if found := requiredLiterals(sub); len(found) > 0 && (best == nil || shortest(found) > shortest(best)) {
				best = found
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			found := requiredLiterals(sub)
			if len(found) == 0 {
				return nil
			}
			all = append(all, found...)
		}
		return all
	}
	return nil
}

func shortest(texts []string) int {
	return len(slices.MinFunc(texts, func(a, b string) int { return len(a) - len(b) }))
}

// longestPlain returns the longest part of text that lines hold as it is, or escaped with escapedRune.
func longestPlain(text string) string {
	longest := ""
	parts := strings.FieldsFunc(text, func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' || r == '/' || r == '\uFFFD' })
	for _, part := range parts {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// narrow adds the hints of p that hold in scope to its filters, and the ranges that its rows can lie in. Whether the hints do is
// asked of the metadata alone, which is small beside the lines.
func (q *query) narrow(ctx context.Context, p *plan, scope *store.LogScope) error {
	asked := scope.Narrowed
	for _, h := range p.hints {
		absent := true
		probe := store.LogRowsQuery{Limit: 1, LogScope: store.LogScope{Streams: scope.Streams, Start: scope.Start, End: scope.End}}
		probe.Filters = []store.LogFilter{{Field: store.LogAttr, Attr: h.name, Op: store.LogEquals, Not: true, Texts: []string{""}}}
		stats, err := q.engine.opts.Storage.LogRows(ctx, q.tenant, probe, func(*store.LogBlock) error {
			absent = false
			return nil
		})
		q.count(stats)
		if err != nil {
			return err
		}
		if absent {
			scope.Filters = append(slices.Clip(scope.Filters), h.filter)
			asked = false
		}
	}
	if asked {
		return nil
	}
	narrowed, stats, err := q.engine.opts.Storage.NarrowLogs(ctx, q.tenant, *scope)
	q.count(stats)
	if err == nil {
		*scope = narrowed
	}
	return err
}
