package logql

import (
	"strconv"
	"strings"
	"time"

	"github.com/seamarkhq/seamark/querier/logql/quantity"
)

// Expr is a whole query: a *LogQuery, or an expression that yields numbers. Its String is LogQL that parses to an equal
// tree. Trees are read only after Parse, so they may be shared.
type Expr interface {
	String() string
	expr()
}

// LogQuery selects streams and runs their lines through a pipeline.
type LogQuery struct {
	Matchers []Matcher
	Stages   []Stage
}

// MatchOp compares a string.
type MatchOp uint8

// The string comparisons. Regular expressions are RE2 and match the whole label value.
const (
	MatchEqual MatchOp = iota
	MatchNotEqual
	MatchRegexp
	MatchNotRegexp
)

var matchOps = [...]string{"=", "!=", "=~", "!~"}

// String returns the operator.
func (o MatchOp) String() string { return matchOps[o] }

// Regexp reports whether the operator's right side is a regular expression.
func (o MatchOp) Regexp() bool { return o == MatchRegexp || o == MatchNotRegexp }

// Negative reports whether labels that compare are refused.
func (o MatchOp) Negative() bool { return o == MatchNotEqual || o == MatchNotRegexp }

// Matcher is one condition on a label; an absent label has the empty value.
type Matcher struct {
	Name  string
	Op    MatchOp
	Value string
}

// String returns the matcher as LogQL.
func (m Matcher) String() string { return m.Name + m.Op.String() + strconv.Quote(m.Value) }

func (*LogQuery) expr() {}

// String returns the query as LogQL.
func (q *LogQuery) String() string {
	var b strings.Builder
	q.write(&b)
	return b.String()
}

func (q *LogQuery) write(b *strings.Builder) {
	b.WriteByte('{')
	for i, m := range q.Matchers {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.String())
	}
	b.WriteByte('}')
	for _, s := range q.Stages {
		b.WriteByte(' ')
		b.WriteString(s.String())
	}
}

// RangeOp is a function over the lines or values of a time window.
type RangeOp string

// The range functions.
const (
	RangeRate      RangeOp = "rate"
	RangeCounter   RangeOp = "rate_counter"
	RangeCount     RangeOp = "count_over_time"
	RangeBytes     RangeOp = "bytes_over_time"
	RangeBytesRate RangeOp = "bytes_rate"
	RangeAbsent    RangeOp = "absent_over_time"
	RangeSum       RangeOp = "sum_over_time"
	RangeAvg       RangeOp = "avg_over_time"
	RangeMin       RangeOp = "min_over_time"
	RangeMax       RangeOp = "max_over_time"
	RangeFirst     RangeOp = "first_over_time"
	RangeLast      RangeOp = "last_over_time"
	RangeStdvar    RangeOp = "stdvar_over_time"
	RangeStddev    RangeOp = "stddev_over_time"
	RangeQuantile  RangeOp = "quantile_over_time"
)

// RangeAggregation evaluates Op over the window (t-Range-Offset, t-Offset] at every step t.
type RangeAggregation struct {
	Op       RangeOp
	Param    float64 // quantile_over_time: the quantile
	Query    *LogQuery
	Unwrap   *Unwrap // nil: lines are counted
	Range    time.Duration
	Offset   time.Duration
	Grouping *Grouping // nil: by all labels
}

func (*RangeAggregation) expr() {}

// String returns the aggregation as LogQL, with the range at the end of the pipeline.
func (a *RangeAggregation) String() string {
	var b strings.Builder
	b.WriteString(string(a.Op))
	b.WriteByte('(')
	if a.Op == RangeQuantile {
		b.WriteString(formatNumber(a.Param))
		b.WriteString(", ")
	}
	a.Query.write(&b)
	if a.Unwrap != nil {
		b.WriteByte(' ')
		b.WriteString(a.Unwrap.String())
	}
	b.WriteString(" [")
	b.WriteString(quantity.FormatDuration(a.Range))
	b.WriteByte(']')
	if a.Offset != 0 {
		b.WriteString(" offset ")
		b.WriteString(quantity.FormatDuration(a.Offset))
	}
	b.WriteByte(')')
	if a.Grouping != nil {
		b.WriteByte(' ')
		b.WriteString(a.Grouping.String())
	}
	return b.String()
}

// Grouping names the labels that an aggregation keeps, or with Without those that it drops.
type Grouping struct {
	Without bool
	Labels  []string
}

// String returns the clause as LogQL.
func (g *Grouping) String() string {
	word := "by"
	if g.Without {
		word = "without"
	}
	return word + " (" + strings.Join(g.Labels, ", ") + ")"
}

// VectorOp aggregates the series of one step.
type VectorOp string

// The vector aggregations.
const (
	VectorSum      VectorOp = "sum"
	VectorAvg      VectorOp = "avg"
	VectorMin      VectorOp = "min"
	VectorMax      VectorOp = "max"
	VectorCount    VectorOp = "count"
	VectorStddev   VectorOp = "stddev"
	VectorStdvar   VectorOp = "stdvar"
	VectorTopK     VectorOp = "topk"
	VectorApprox   VectorOp = "approx_topk"
	VectorBottomK  VectorOp = "bottomk"
	VectorSort     VectorOp = "sort"
	VectorSortDesc VectorOp = "sort_desc"
)

// VectorAggregation aggregates the series of Inner at every step.
type VectorAggregation struct {
	Op       VectorOp
	Param    int // topk, bottomk and approx_topk: how many
	Inner    Expr
	Grouping *Grouping // nil: all series are one group
}

func (*VectorAggregation) expr() {}

// String returns the aggregation as LogQL.
func (a *VectorAggregation) String() string {
	var b strings.Builder
	b.WriteString(string(a.Op))
	if a.Grouping != nil {
		b.WriteByte(' ')
		b.WriteString(a.Grouping.String())
		b.WriteByte(' ')
	}
	b.WriteByte('(')
	if a.Op.takesCount() {
		b.WriteString(strconv.Itoa(a.Param))
		b.WriteString(", ")
	}
	b.WriteString(a.Inner.String())
	b.WriteByte(')')
	return b.String()
}

func (o VectorOp) takesCount() bool {
	return o == VectorTopK || o == VectorBottomK || o == VectorApprox
}

func (o VectorOp) sorts() bool { return o == VectorSort || o == VectorSortDesc }

// BinaryOp combines two operands.
type BinaryOp string

// The binary operators, by falling precedence: ^, then * / %, + -, comparisons, and unless, or.
const (
	OpPow     BinaryOp = "^"
	OpMul     BinaryOp = "*"
	OpDiv     BinaryOp = "/"
	OpMod     BinaryOp = "%"
	OpAdd     BinaryOp = "+"
	OpSub     BinaryOp = "-"
	OpEqual   BinaryOp = "=="
	OpNot     BinaryOp = "!="
	OpGreater BinaryOp = ">"
	OpAtLeast BinaryOp = ">="
	OpLess    BinaryOp = "<"
	OpAtMost  BinaryOp = "<="
	OpAnd     BinaryOp = "and"
	OpUnless  BinaryOp = "unless"
	OpOr      BinaryOp = "or"
)

// Compares reports whether o is a comparison.
func (o BinaryOp) Compares() bool { return precedences[o] == precedences[OpEqual] }

// Sets reports whether o is and, or, or unless.
func (o BinaryOp) Sets() bool { return precedences[o] < precedences[OpEqual] }

var precedences = map[BinaryOp]int{
	OpOr: 1, OpAnd: 2, OpUnless: 2,
	OpEqual: 3, OpNot: 3, OpGreater: 3, OpAtLeast: 3, OpLess: 3, OpAtMost: 3,
	OpAdd: 4, OpSub: 4, OpMul: 5, OpDiv: 5, OpMod: 5, OpPow: 6,
}

// Binary is an operator between two operands, of which each is a scalar or a vector.
type Binary struct {
	Op          BinaryOp
	Left, Right Expr
	Bool        bool      // comparisons: yield 0 or 1 and do not filter
	Matching    *Matching // nil: series match on all their labels, one to one
}

func (*Binary) expr() {}

// String returns the operation as LogQL, with the parentheses that its tree needs.
func (o *Binary) String() string {
	var b strings.Builder
	writeOperand(&b, o.Left, o.needsBrackets(o.Left, o.Op == OpPow))
	b.WriteByte(' ')
	b.WriteString(string(o.Op))
	if o.Bool {
		b.WriteString(" bool")
	}
	if o.Matching != nil {
		b.WriteByte(' ')
		b.WriteString(o.Matching.String())
	}
	b.WriteByte(' ')
	writeOperand(&b, o.Right, o.needsBrackets(o.Right, o.Op != OpPow))
	return b.String()
}

// needsBrackets reports whether an operand must be bracketed to stay one; far says that it stands on the side from which
// the operator does not bind.
func (o *Binary) needsBrackets(operand Expr, far bool) bool {
	inner, nested := operand.(*Binary)
	if !nested {
		return false
	}
	return precedences[inner.Op] < precedences[o.Op] || far && precedences[inner.Op] == precedences[o.Op]
}

func writeOperand(b *strings.Builder, e Expr, brackets bool) {
	if brackets {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	b.WriteString(e.String())
}

// Group says which side of a binary operation may have several series per match.
type Group uint8

// The ways of matching.
const (
	OneToOne   Group = iota
	GroupLeft        // many on the left
	GroupRight       // many on the right
)

// Matching says which labels make two series a pair.
type Matching struct {
	On      bool // the labels are those that count; else those that do not
	Labels  []string
	Group   Group
	Include []string // labels that the result takes from the "one" side
}

// String returns the clause as LogQL.
func (m *Matching) String() string {
	s := "ignoring ("
	if m.On {
		s = "on ("
	}
	s += strings.Join(m.Labels, ", ") + ")"
	switch m.Group {
	case GroupLeft:
		s += " group_left (" + strings.Join(m.Include, ", ") + ")"
	case GroupRight:
		s += " group_right (" + strings.Join(m.Include, ", ") + ")"
	case OneToOne:
	}
	return s
}

// Number is a scalar literal.
type Number struct{ Value float64 }

func (*Number) expr() {}

// String returns the number as LogQL.
func (n *Number) String() string { return formatNumber(n.Value) }

// Vector is vector(scalar): one series without labels.
type Vector struct{ Value float64 }

func (*Vector) expr() {}

// String returns the call as LogQL.
func (v *Vector) String() string { return "vector(" + formatNumber(v.Value) + ")" }

// LabelReplace is label_replace: series of Inner whose label Source matches Pattern as a whole get the label Target with
// the value Replacement, in which $1 and ${name} are groups of the match. An empty value removes the label.
type LabelReplace struct {
	Inner                                Expr
	Target, Replacement, Source, Pattern string
}

func (*LabelReplace) expr() {}

// String returns the call as LogQL.
func (r *LabelReplace) String() string {
	s := "label_replace(" + r.Inner.String()
	for _, text := range []string{r.Target, r.Replacement, r.Source, r.Pattern} {
		s += ", " + strconv.Quote(text)
	}
	return s + ")"
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
