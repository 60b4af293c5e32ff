package logql

import (
	"regexp/syntax"
	"slices"
	"strconv"

	"github.com/seamarkhq/seamark/querier/logql/linematch"
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

// parseLineFilter takes |= "a" or ip("b").
func (p *parser) parseLineFilter() (*LineFilter, error) {
	f := &LineFilter{Op: LineOp(slices.Index(lineOps[:], p.now.text))}
	for {
		if err := p.advance(); err != nil {
			return nil, err
		}
		term, err := p.parseLineTerm(f.Op)
		if err != nil {
			return nil, err
		}
		f.Terms = append(f.Terms, term)
		if !p.now.isWord("or") {
			return f, nil
		}
		if err := p.join(); err != nil {
			return nil, err
		}
	}
}

// parseLineTerm takes one alternative of a line filter.
func (p *parser) parseLineTerm(op LineOp) (LineTerm, error) {
	at := p.now
	if p.ipFollows() {
		if op != LineContains && op != LineNotContains {
			return LineTerm{}, p.errorf(at, "ip(...) follows |= or !=, not %s", op)
		}
		text, err := p.parseIP()
		return LineTerm{Text: text, IP: true}, err
	}
	text, err := p.expectString("a string in quotes or backticks")
	if err != nil {
		return LineTerm{}, err
	}
	switch {
	case op.Regexp():
		err = p.checkRegexp(at, text)
	case op.Pattern():
		if _, fault := linematch.ParseFilter(text); fault != nil {
			err = p.errorf(at, "the pattern is malformed: %s", fault)
		}
	}
	return LineTerm{Text: text}, err
}

// parseStage takes what follows a pipe.
func (p *parser) parseStage(q *LogQuery, a *RangeAggregation) error {
	switch {
	case p.now.isWord("unwrap"):
		return p.parseUnwrap(a)
	case p.now.kind != tokenIdent && !p.now.is("("):
		return p.unexpected("a parser, line_format, label_format, decolorize, drop, keep, unwrap or a label filter")
	}
	at := p.now
	stage, err := p.parseNamedStage()
	if err != nil {
		return err
	}
	filter, filters := stage.(*LabelFilter)
	if a != nil && a.Unwrap != nil {
		if !filters {
			return p.errorf(at, "only label filters may follow unwrap")
		}
		a.Unwrap.Filters = append(a.Unwrap.Filters, filter)
		return nil
	}
	q.Stages = append(q.Stages, stage)
	return nil
}

// parseNamedStage takes a stage that begins with its name; what begins with another word is a label filter. So is
// a comparison of a label that has the name of a stage.
func (p *parser) parseNamedStage() (Stage, error) {
	if p.now.kind != tokenIdent || p.comparisonFollows() {
		return p.parseLabelFilter()
	}
	switch p.now.text {
	case "json":
		return p.parseJSON()
	case "logfmt":
		return p.parseLogfmt()
	case "regexp":
		return p.parseRegexp()
	case "pattern":
		return p.parsePattern()
	case "unpack":
		return &Unpack{}, p.advance()
	case "line_format":
		return p.parseLineFormat()
	case "label_format":
		return p.parseLabelFormat()
	case "decolorize":
		return &Decolorize{}, p.advance()
	case "drop":
		labels, err := p.parseChoices()
		return &Drop{Labels: labels}, err
	case "keep":
		labels, err := p.parseChoices()
		return &Keep{Labels: labels}, err
	}
	return p.parseLabelFilter()
}

// comparisonFollows reports whether the token after the current one can only be the comparison of a label. != and !~ may
// be line filters behind a stage without arguments, which is what they are then taken for.
func (p *parser) comparisonFollows() bool {
	switch p.then.text {
	case "=", "=~", "==", ">", ">=", "<", "<=":
		return p.then.kind == tokenPunct
	}
	return false
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

// parsePattern takes pattern "<name> ...".
func (p *parser) parsePattern() (*Pattern, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	at := p.now
	text, err := p.expectString("a pattern in quotes or backticks")
	if err != nil {
		return nil, err
	}
	if _, err := linematch.ParseExtractor(text); err != nil {
		return nil, p.errorf(at, "the pattern is malformed: %s", err)
	}
	return &Pattern{Pattern: text}, nil
}
