package logql

import (
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// The labels that tell of a fault in a pipeline. They can be filtered by, dropped and grouped by, but not made.
const (
	ErrorLabel        = "__error__"
	ErrorDetailsLabel = "__error_details__"
)

// Stage is one step of a pipeline. Its String is LogQL.
type Stage interface {
	String() string
	stage()
}

// LineOp compares a line.
type LineOp uint8

// The line filters.
const (
	LineContains LineOp = iota
	LineNotContains
	LineMatches
	LineNotMatches
	LinePattern
	LineNotPattern
)

var lineOps = [...]string{"|=", "!=", "|~", "!~", "|>", "!>"}

// String returns the operator.
func (o LineOp) String() string { return lineOps[o] }

// Negative reports whether lines with the text are dropped.
func (o LineOp) Negative() bool {
	return o == LineNotContains || o == LineNotMatches || o == LineNotPattern
}

// Regexp reports whether the texts are regular expressions. They are RE2, match anywhere in the line, and their dot
// matches line breaks too.
func (o LineOp) Regexp() bool { return o == LineMatches || o == LineNotMatches }

// Pattern reports whether the texts are patterns such as "<_> level=debug <_>", which match whole lines.
func (o LineOp) Pattern() bool { return o == LinePattern || o == LineNotPattern }

// LineFilter keeps lines for which one of Terms holds, or with a negative operator those for which none does.
type LineFilter struct {
	Op    LineOp
	Terms []LineTerm
}

// LineTerm is one alternative of a line filter: a text, or with IP a range of IP addresses of which the line has one.
type LineTerm struct {
	Text string
	IP   bool
}

func (*LineFilter) stage() {}

// String returns the stage as LogQL.
func (f *LineFilter) String() string {
	terms := make([]string, len(f.Terms))
	for i, term := range f.Terms {
		terms[i] = strconv.Quote(term.Text)
		if term.IP {
			terms[i] = "ip(" + terms[i] + ")"
		}
	}
	return f.Op.String() + " " + strings.Join(terms, " or ")
}

// JSON makes labels of the fields of a JSON line: of all of them, or of the extractions only.
type JSON struct{ Extractions []JSONExtraction }

// JSONExtraction makes the label Label of the value at Path.
type JSONExtraction struct {
	Label string
	Path  JSONPath
}

func (*JSON) stage() {}

// String returns the stage as LogQL.
func (j *JSON) String() string {
	var b strings.Builder
	b.WriteString("| json")
	for i, x := range j.Extractions {
		writeExtraction(&b, i, x.Label, x.Path.String())
	}
	return b.String()
}

// Logfmt makes labels of the pairs of a logfmt line: of all of them, or of the extractions only.
type Logfmt struct {
	Strict      bool // the first malformed pair ends the line with an error
	KeepEmpty   bool // keys without a value become labels too
	Extractions []LogfmtExtraction
}

// LogfmtExtraction makes the label Label of the value of Key.
type LogfmtExtraction struct{ Label, Key string }

func (*Logfmt) stage() {}

// String returns the stage as LogQL.
func (l *Logfmt) String() string {
	var b strings.Builder
	b.WriteString("| logfmt")
	if l.Strict {
		b.WriteString(" --strict")
	}
	if l.KeepEmpty {
		b.WriteString(" --keep-empty")
	}
	for i, x := range l.Extractions {
		writeExtraction(&b, i, x.Label, x.Key)
	}
	return b.String()
}

func writeExtraction(b *strings.Builder, i int, label, from string) {
	if i > 0 {
		b.WriteByte(',')
	}
	b.WriteByte(' ')
	b.WriteString(label)
	b.WriteByte('=')
	b.WriteString(strconv.Quote(from))
}

// Regexp makes labels of the named groups of a regular expression.
type Regexp struct{ Pattern string }

func (*Regexp) stage() {}

// String returns the stage as LogQL.
func (r *Regexp) String() string { return "| regexp " + strconv.Quote(r.Pattern) }

// Pattern makes labels of the captures of a pattern such as "<ip> - <user> [<_>]".
type Pattern struct{ Pattern string }

func (*Pattern) stage() {}

// String returns the stage as LogQL.
func (p *Pattern) String() string { return "| pattern " + strconv.Quote(p.Pattern) }

// Unpack undoes Promtail's pack stage: the texts of a JSON object become labels, and its _entry the line.
type Unpack struct{}

func (*Unpack) stage() {}

// String returns the stage as LogQL.
func (*Unpack) String() string { return "| unpack" }

// LineFormat makes the line anew from a template.
type LineFormat struct{ Template string }

func (*LineFormat) stage() {}

// String returns the stage as LogQL.
func (f *LineFormat) String() string { return "| line_format " + strconv.Quote(f.Template) }

// LabelFormat renames labels and makes new ones. No label is the target of two formats.
type LabelFormat struct{ Formats []LabelFormatting }

// LabelFormatting gives the label Label the value of the label Source, which goes away, or the text of Template.
type LabelFormatting struct {
	Label    string
	Source   string // "" if there is a template
	Template string
}

func (*LabelFormat) stage() {}

// String returns the stage as LogQL.
func (f *LabelFormat) String() string {
	formats := make([]string, len(f.Formats))
	for i, x := range f.Formats {
		formats[i] = x.Label + "=" + x.Source
		if x.Source == "" {
			formats[i] = x.Label + "=" + strconv.Quote(x.Template)
		}
	}
	return "| label_format " + strings.Join(formats, ", ")
}

// Decolorize takes the escape sequences of terminals out of the line.
type Decolorize struct{}

func (*Decolorize) stage() {}

// String returns the stage as LogQL.
func (*Decolorize) String() string { return "| decolorize" }

// Drop removes labels, all of a name or those with a value that matches.
type Drop struct{ Labels []LabelChoice }

func (*Drop) stage() {}

// String returns the stage as LogQL.
func (d *Drop) String() string { return "| drop " + joinChoices(d.Labels) }

// Keep removes all labels but these.
type Keep struct{ Labels []LabelChoice }

func (*Keep) stage() {}

// String returns the stage as LogQL.
func (k *Keep) String() string { return "| keep " + joinChoices(k.Labels) }

// LabelChoice names a label, and with Match only where its value matches.
type LabelChoice struct {
	Name  string
	Match *Matcher // nil: any value
}

func joinChoices(choices []LabelChoice) string {
	names := make([]string, len(choices))
	for i, c := range choices {
		names[i] = c.Name
		if c.Match != nil {
			names[i] = c.Match.String()
		}
	}
	return strings.Join(names, ", ")
}

// LabelFilter keeps lines whose labels satisfy Predicate.
type LabelFilter struct{ Predicate Predicate }

func (*LabelFilter) stage() {}

// String returns the stage as LogQL.
func (f *LabelFilter) String() string { return "| " + f.Predicate.String() }

// Predicate is a condition on labels: a *StringPredicate, *QuantityPredicate, *IPPredicate or *Logical.
type Predicate interface {
	String() string
	predicate()
}

// StringPredicate compares a label's text.
type StringPredicate struct{ Matcher Matcher }

func (*StringPredicate) predicate() {}

// String returns the predicate as LogQL.
func (p *StringPredicate) String() string { return p.Matcher.String() }

// QuantityKind says what a label's text is read as before it is compared.
type QuantityKind uint8

// The quantities.
const (
	NumberQuantity QuantityKind = iota
	DurationQuantity
	BytesQuantity
)

// QuantityPredicate compares a label's text as a number, a duration or an amount of bytes.
type QuantityPredicate struct {
	Name   string
	Op     BinaryOp // a comparison
	Kind   QuantityKind
	Number float64 // NumberQuantity; for the others the value below, so that it stays exact
	Time   time.Duration
	Bytes  uint64
}

func (*QuantityPredicate) predicate() {}

// String returns the predicate as LogQL.
func (p *QuantityPredicate) String() string {
	s := p.Name + " " + string(p.Op) + " "
	switch p.Kind {
	case DurationQuantity:
		return s + quantity.FormatDuration(p.Time)
	case BytesQuantity:
		return s + strconv.FormatUint(p.Bytes, 10) + "B"
	case NumberQuantity:
	}
	return s + formatNumber(p.Number)
}

// IPPredicate tells whether a label's text has an address of a range of IP addresses.
type IPPredicate struct {
	Name  string
	Not   bool
	Range string
}

func (*IPPredicate) predicate() {}

// String returns the predicate as LogQL.
func (p *IPPredicate) String() string {
	op := " = ip("
	if p.Not {
		op = " != ip("
	}
	return p.Name + op + strconv.Quote(p.Range) + ")"
}

// Logical joins two predicates. Both operators bind equally and from the left, as LogQL has it.
type Logical struct {
	Or          bool
	Left, Right Predicate
}

func (*Logical) predicate() {}

// String returns the predicate as LogQL.
func (l *Logical) String() string {
	op := " and "
	if l.Or {
		op = " or "
	}
	right := l.Right.String()
	if _, nested := l.Right.(*Logical); nested {
		right = "(" + right + ")"
	}
	return l.Left.String() + op + right
}

// Conversion says how unwrap reads a label's text.
type Conversion string

// The conversions.
const (
	ConvertNumber   Conversion = ""
	ConvertDuration Conversion = "duration_seconds" // to seconds
	ConvertBytes    Conversion = "bytes"
)

// Unwrap makes a label's value the sample of a range aggregation. Filters follow it, to drop what did not convert.
type Unwrap struct {
	Conversion Conversion
	Label      string
	Filters    []*LabelFilter
}

// String returns the stage and its filters as LogQL.
func (u *Unwrap) String() string {
	s := "| unwrap " + u.Label
	if u.Conversion != ConvertNumber {
		s = "| unwrap " + string(u.Conversion) + "(" + u.Label + ")"
	}
	for _, f := range u.Filters {
		s += " " + f.String()
	}
	return s
}
