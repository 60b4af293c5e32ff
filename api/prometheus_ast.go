package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/seamarkhq/seamark/internal/httpx"
)

// The nodes of a parsed query as /parse_query shows them: Prometheus' names, in the order of the alphabet, which is how
// Prometheus writes them.
type (
	astAggregation struct {
		Expr     any      `json:"expr"`
		Grouping []string `json:"grouping"`
		Op       string   `json:"op"`
		Param    any      `json:"param"`
		Type     string   `json:"type"`
		Without  bool     `json:"without"`
	}
	astBinary struct {
		Bool     bool         `json:"bool"`
		LHS      any          `json:"lhs"`
		Matching *astMatching `json:"matching"`
		Op       string       `json:"op"`
		RHS      any          `json:"rhs"`
		Type     string       `json:"type"`
	}
	astMatching struct {
		Card       string   `json:"card"`
		FillValues astFill  `json:"fillValues"`
		Include    []string `json:"include"`
		Labels     []string `json:"labels"`
		On         bool     `json:"on"`
	}
	astFill struct {
		LHS *float64 `json:"lhs"`
		RHS *float64 `json:"rhs"`
	}
	astCall struct {
		Args []any       `json:"args"`
		Func astFunction `json:"func"`
		Type string      `json:"type"`
	}
	astFunction struct {
		ArgTypes   []parser.ValueType `json:"argTypes"`
		Name       string             `json:"name"`
		ReturnType parser.ValueType   `json:"returnType"`
		Variadic   int                `json:"variadic"`
	}
	astSelector struct {
		Anchored   bool         `json:"anchored"`
		Matchers   []astMatcher `json:"matchers"`
		Name       string       `json:"name"`
		Offset     int64        `json:"offset"` // milliseconds, as all lengths here
		OffsetExpr any          `json:"offsetExpr"`
		*astRange
		Smoothed   bool   `json:"smoothed"`
		StartOrEnd any    `json:"startOrEnd"`
		Timestamp  *int64 `json:"timestamp"`
		Type       string `json:"type"`
	}
	// astRange is what a matrix selector has and a vector selector has not.
	astRange struct {
		Range     int64 `json:"range"`
		RangeExpr any   `json:"rangeExpr"`
	}
	astMatcher struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Value string `json:"value"`
	}
	astSubquery struct {
		Expr       any    `json:"expr"`
		Offset     int64  `json:"offset"`
		OffsetExpr any    `json:"offsetExpr"`
		Range      int64  `json:"range"`
		RangeExpr  any    `json:"rangeExpr"`
		StartOrEnd any    `json:"startOrEnd"`
		Step       int64  `json:"step"`
		StepExpr   any    `json:"stepExpr"`
		Timestamp  *int64 `json:"timestamp"`
		Type       string `json:"type"`
	}
	astLiteral struct {
		Duration *bool  `json:"duration,omitempty"` // of numbers inside durations only
		Type     string `json:"type"`
		Val      string `json:"val"`
	}
	astParen struct {
		Expr any    `json:"expr"`
		Type string `json:"type"`
	}
	astUnary struct {
		Expr any    `json:"expr"`
		Op   string `json:"op"`
		Type string `json:"type"`
	}
	astDuration struct {
		LHS     any    `json:"lhs"`
		Op      string `json:"op"`
		RHS     any    `json:"rhs"`
		Type    string `json:"type"`
		Wrapped bool   `json:"wrapped"`
	}
)

func (a *prometheusAPI) parseAST(w http.ResponseWriter, r *httpx.Request) error {
	form, err := parseForm(w, r)
	if err != nil {
		return err
	}
	expr, err := a.Parser.ParseExpr(form.Get("query"))
	if err != nil {
		return invalidParameter("query", err)
	}
	tree, err := astOf(expr)
	if err != nil {
		return err
	}
	return writePrometheus(w, tree, nil)
}

// astOf translates an expression. The error is of a node that the parser of a later Prometheus may bring.
func astOf(expr parser.Expr) (any, error) {
	t := translator{}
	tree := t.node(expr)
	return tree, t.err
}

// translator keeps the first fault, so that translations read as what they make.
type translator struct{ err error }

func (t *translator) node(expr parser.Expr) any {
	switch n := expr.(type) {
	case nil:
		return nil
	case *parser.AggregateExpr:
		return astAggregation{t.node(n.Expr), filled(n.Grouping), n.Op.String(), t.node(n.Param), "aggregation", n.Without}
	case *parser.BinaryExpr:
		return astBinary{n.ReturnBool, t.node(n.LHS), matchingOf(n.VectorMatching), n.Op.String(), t.node(n.RHS), "binaryExpr"}
	case *parser.Call:
		call := astCall{[]any{}, astFunction{n.Func.ArgTypes, n.Func.Name, n.Func.ReturnType, n.Func.Variadic}, "call"}
		for _, arg := range n.Args {
			call.Args = append(call.Args, t.node(arg))
		}
		return call
	case *parser.VectorSelector:
		return t.selector(n, "vectorSelector")
	case *parser.MatrixSelector:
		vector, ok := n.VectorSelector.(*parser.VectorSelector)
		if !ok {
			break
		}
		matrix := t.selector(vector, "matrixSelector")
		matrix.astRange = &astRange{n.Range.Milliseconds(), t.duration(n.RangeExpr)}
		return matrix
	case *parser.SubqueryExpr:
		return astSubquery{
			t.node(n.Expr), n.OriginalOffset.Milliseconds(), t.duration(n.OriginalOffsetExpr), n.Range.Milliseconds(), t.duration(n.RangeExpr),
			startOrEnd(n.StartOrEnd), n.Step.Milliseconds(), t.duration(n.StepExpr), n.Timestamp, "subquery",
		}
	case *parser.DurationExpr:
		return t.duration(n)
	case *parser.NumberLiteral:
		return astLiteral{Type: "numberLiteral", Val: numberText(n)}
	case *parser.StringLiteral:
		return astLiteral{Type: "stringLiteral", Val: n.Val}
	case *parser.ParenExpr:
		return astParen{t.node(n.Expr), "parenExpr"}
	case *parser.UnaryExpr:
		return astUnary{t.node(n.Expr), n.Op.String(), "unaryExpr"}
	}
	t.err = fmt.Errorf("parse_query: a node of type %T has no form in JSON", expr)
	return nil
}

func (t *translator) selector(n *parser.VectorSelector, kind string) astSelector {
	return astSelector{
		Anchored: n.Anchored, Matchers: matchersOf(n.LabelMatchers), Name: n.Name, Offset: n.OriginalOffset.Milliseconds(),
		OffsetExpr: t.duration(n.OriginalOffsetExpr), Smoothed: n.Smoothed, StartOrEnd: startOrEnd(n.StartOrEnd), Timestamp: n.Timestamp, Type: kind,
	}
}

// duration translates an expression that stands for a length. The parser leaves typed nil pointers where there is none.
func (t *translator) duration(expr parser.Expr) any {
	switch n := expr.(type) {
	case nil:
		return nil
	case *parser.DurationExpr:
		if n == nil {
			return nil
		}
		return astDuration{t.duration(n.LHS), n.Op.String(), t.duration(n.RHS), "durationExpr", n.Wrapped}
	case *parser.NumberLiteral:
		if n == nil {
			return nil
		}
		return astLiteral{Duration: &n.Duration, Type: "numberLiteral", Val: numberText(n)}
	}
	return t.node(expr)
}

func numberText(n *parser.NumberLiteral) string { return strconv.FormatFloat(n.Val, 'f', -1, 64) }

func matchingOf(m *parser.VectorMatching) *astMatching {
	if m == nil {
		return nil
	}
	return &astMatching{m.Card.String(), astFill{m.FillValues.LHS, m.FillValues.RHS}, filled(m.Include), filled(m.MatchingLabels), m.On}
}

func matchersOf(matchers []*labels.Matcher) []astMatcher {
	list := make([]astMatcher, len(matchers))
	for i, m := range matchers {
		list[i] = astMatcher{m.Name, m.Type.String(), m.Value}
	}
	return list
}

// filled returns an empty list for none, which JSON tells apart.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func startOrEnd(item parser.ItemType) any {
	if item == 0 {
		return nil
	}
	return item.String()
}
