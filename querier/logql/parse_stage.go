package logql

import (
	"regexp/syntax"
	"slices"
	"strconv"
)

// parseLogQuery takes a selector with its pipeline. With a non-nil a it stands inside a range aggregation: the range may
// follow the selector or end the pipeline, and an unwrap may stand at the end.
func (p *parser) parseLogQuery(a *RangeAggregation) (*LogQuery, error) {
	matchers, err := p.parseMatchers()
	if err != nil {
		return nil, err
	}
	q := &LogQuery{Matchers: matchers}
	if a != nil && p.now.is("[") {
		if err := p.parseRange(a); err != nil {
			return nil, err
		}
	}
	for {
		switch {
		case p.isLineFilter():
			if err := p.checkNotUnwrapped(a); err != nil {
				return nil, err
			}
			stage, err := p.parseLineFilter()
			if err != nil {
				return nil, err
			}
			q.Stages = append(q.Stages, stage)
		case p.now.is("|"):
			if err := p.advance(); err != nil {
				return nil, err
			}
			if err := p.parseStage(q, a); err != nil {
				return nil, err
			}
		default:
			return q, nil
		}
	}
}

func (p *parser) checkNotUnwrapped(a *RangeAggregation) error {
	if a != nil && a.Unwrap != nil {
		return p.errorf(p.now, "only label filters may follow unwrap")
	}
	return nil
}

func (p *parser) isLineFilter() bool {
	return p.now.kind == tokenPunct && slices.Contains(lineOps[:], p.now.text)
}

// parseLineFilter takes |= "a" or "b".
func (p *parser) parseLineFilter() (*LineFilter, error) {
	f := &LineFilter{Op: LineOp(slices.Index(lineOps[:], p.now.text))}
	for {
		if err := p.advance(); err != nil {
			return nil, err
		}
		at := p.now
		text, err := p.expectString("a string in quotes or backticks")
		if err != nil {
			return nil, err
		}
		if f.Op.Regexp() {
			if err := p.checkRegexp(at, text); err != nil {
				return nil, err
			}
		}
		f.Texts = append(f.Texts, text)
		if !p.now.isWord("or") {
			return f, nil
		}
	}
}

// parseStage takes what follows a pipe.
func (p *parser) parseStage(q *LogQuery, a *RangeAggregation) error {
	if p.now.isWord("unwrap") {
		return p.parseUnwrap(a)
	}
	var stage Stage
	var err error
	switch {
	case p.now.isWord("json"):
		stage, err = p.parseJSON()
	case p.now.isWord("logfmt"):
		stage, err = p.parseLogfmt()
	case p.now.isWord("regexp"):
		stage, err = p.parseRegexp()
	case p.now.isWord("drop"):
		var labels []LabelChoice
		labels, err = p.parseChoices()
		stage = &Drop{Labels: labels}
	case p.now.isWord("keep"):
		var labels []LabelChoice
		labels, err = p.parseChoices()
		stage = &Keep{Labels: labels}
	case p.now.kind == tokenIdent || p.now.is("("):
		filter, err := p.parseLabelFilter()
		if err != nil {
			return err
		}
		if a != nil && a.Unwrap != nil {
			a.Unwrap.Filters = append(a.Unwrap.Filters, filter)
		} else {
			q.Stages = append(q.Stages, filter)
		}
		return nil
	default:
		return p.unexpected("json, logfmt, regexp, drop, keep, unwrap or a label filter")
	}
	if err != nil {
		return err
	}
	if err := p.checkNotUnwrapped(a); err != nil {
		return err
	}
	q.Stages = append(q.Stages, stage)
	return nil
}

// parseJSON takes json and its extractions.
func (p *parser) parseJSON() (*JSON, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	j := &JSON{}
	for p.now.kind == tokenIdent {
		label, from, at, err := p.parseExtraction()
		if err != nil {
			return nil, err
		}
		path, fault := parseJSONPath(from)
		if fault != "" {
			return nil, p.errorf(at, "the JSON path %s is malformed: %s", strconv.Quote(clip(from)), fault)
		}
		j.Extractions = append(j.Extractions, JSONExtraction{Label: label, Path: path})
		if more, err := p.accept(","); err != nil {
			return nil, err
		} else if !more {
			break
		} else if p.now.kind != tokenIdent {
			return nil, p.unexpected("a label name")
		}
	}
	return j, nil
}

// parseExtraction takes label or label="from"; at is where from stands.
func (p *parser) parseExtraction() (label, from string, at token, err error) {
	at = p.now
	if label, err = p.expectIdent("a label name"); err != nil {
		return "", "", at, err
	}
	assigned, err := p.accept("=")
	if err != nil || !assigned {
		return label, label, at, err
	}
	at = p.now
	from, err = p.expectString("a string in quotes or backticks")
	return label, from, at, err
}

// parseLogfmt takes logfmt, its flags and its extractions.
func (p *parser) parseLogfmt() (*Logfmt, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	l := &Logfmt{}
	for p.now.kind == tokenFlag {
		switch p.now.text {
		case "--strict":
			l.Strict = true
		case "--keep-empty":
			l.KeepEmpty = true
		default:
			return nil, p.unexpected("--strict or --keep-empty")
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	for p.now.kind == tokenIdent {
		label, key, at, err := p.parseExtraction()
		if err != nil {
			return nil, err
		}
		if key == "" {
			return nil, p.errorf(at, "the logfmt key must not be empty")
		}
		l.Extractions = append(l.Extractions, LogfmtExtraction{Label: label, Key: key})
		if more, err := p.accept(","); err != nil {
			return nil, err
		} else if !more {
			break
		} else if p.now.kind != tokenIdent {
			return nil, p.unexpected("a label name")
		}
	}
	return l, nil
}

// parseRegexp takes regexp "(?P<name>...)".
func (p *parser) parseRegexp() (*Regexp, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	at := p.now
	pattern, err := p.expectString("a regular expression in quotes or backticks")
	if err != nil {
		return nil, err
	}
	if err := p.checkRegexp(at, pattern); err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, p.errorf(at, "the regular expression is not RE2: %s", err)
	}
	named := 0
	for _, name := range tree.CapNames() {
		if name == "" {
			continue
		}
		if named++; !isIdent(name) {
			return nil, p.errorf(at, "the group name %q is not a label name", name)
		}
	}
	if named == 0 {
		return nil, p.errorf(at, "the regular expression needs a named group such as (?P<status>...)")
	}
	return &Regexp{Pattern: pattern}, nil
}

func isIdent(s string) bool {
	return s != "" && isIdentStart(s[0]) && scanIdent(s) == len(s)
}

// parseChoices takes drop's or keep's list: name, name="value".
func (p *parser) parseChoices() ([]LabelChoice, error) {
	var choices []LabelChoice
	for {
		if err := p.advance(); err != nil {
			return nil, err
		}
		name, err := p.expectIdent("a label name")
		if err != nil {
			return nil, err
		}
		choice := LabelChoice{Name: name}
		// "| drop a != "x"" is a condition on a, as the documentation's grammar has it, and not a line filter.
		if _, ok := matchOpOf(p.now); ok {
			m, err := p.parseMatch(name)
			if err != nil {
				return nil, err
			}
			choice.Match = &m
		}
		choices = append(choices, choice)
		if !p.now.is(",") {
			return choices, nil
		}
	}
}

// parseUnwrap takes unwrap label or unwrap conversion(label).
func (p *parser) parseUnwrap(a *RangeAggregation) error {
	if a == nil {
		return p.errorf(p.now, "unwrap stands only inside a range aggregation such as sum_over_time")
	}
	if err := p.checkNotUnwrapped(a); err != nil {
		return err
	}
	if err := p.advance(); err != nil {
		return err
	}
	at := p.now
	name, err := p.expectIdent("a label name or a conversion")
	if err != nil {
		return err
	}
	u := &Unwrap{Label: name}
	if p.now.is("(") {
		switch name {
		case "duration", "duration_seconds":
			u.Conversion = ConvertDuration
		case "bytes":
			u.Conversion = ConvertBytes
		default:
			return p.errorf(at, "expected the conversion duration, duration_seconds or bytes, found %q", name)
		}
		if err := p.advance(); err != nil {
			return err
		}
		if u.Label, err = p.expectIdent("a label name"); err != nil {
			return err
		}
		if err := p.expect(")"); err != nil {
			return err
		}
	}
	a.Unwrap = u
	return nil
}
