package logql

import (
	"github.com/seamarkhq/seamark/querier/logql/lineformat"
)

// parseLineFormat takes line_format "template".
func (p *parser) parseLineFormat() (*LineFormat, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	text, err := p.parseTemplate()
	return &LineFormat{Template: text}, err
}

// parseTemplate takes a template.
func (p *parser) parseTemplate() (string, error) {
	at := p.now
	text, err := p.expectString("a template in quotes or backticks")
	if err != nil {
		return "", err
	}
	if _, err := lineformat.Parse(text); err != nil {
		return "", p.errorf(at, "the template is malformed: %s", err)
	}
	return text, nil
}

// parseLabelFormat takes label_format a=b, c="template".
func (p *parser) parseLabelFormat() (*LabelFormat, error) {
	f := &LabelFormat{}
	for {
		if err := p.advance(); err != nil {
			return nil, err
		}
		at := p.now
		label, err := p.expectIdent("a label name")
		if err != nil {
			return nil, err
		}
		if label == ErrorLabel || label == ErrorDetailsLabel {
			return nil, p.errorf(at, "%s cannot be formatted; drop it or filter by it", label)
		}
		for _, other := range f.Formats {
			if other.Label == label {
				return nil, p.errorf(at, "the label %s is formatted twice; use a label_format for each", label)
			}
		}
		if err := p.expect("="); err != nil {
			return nil, err
		}
		format := LabelFormatting{Label: label}
		if p.now.kind == tokenIdent {
			if format.Source = p.now.text; format.Source == ErrorLabel || format.Source == ErrorDetailsLabel {
				return nil, p.errorf(p.now, "%s cannot be renamed; drop it or filter by it", format.Source)
			}
			err = p.advance()
		} else {
			format.Template, err = p.parseTemplate()
		}
		if err != nil {
			return nil, err
		}
		f.Formats = append(f.Formats, format)
		if !p.now.is(",") {
			return f, nil
		}
	}
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
