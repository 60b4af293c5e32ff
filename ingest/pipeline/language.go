package pipeline

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/ottl/contexts/ottllog"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// The parts of a record that a text may touch beside body, level, time and ids, which cost nothing to convert.
type parts uint8

const (
	attributePart parts = 1 << iota
	resourcePart
)

// partsOf returns the parts that a text can name. A path cannot be written without its word, so a text without the word
// does not touch the part.
func partsOf(text string) parts {
	var p parts
	if strings.Contains(text, "attributes") {
		p |= attributePart
	}
	if strings.Contains(text, "resource") {
		p |= resourcePart
	}
	return p
}

// language compiles one tenant's OTTL for log records. Paths carry their context, log or resource, as the collector's documents have
// it; others, such as otelcol, reach what is not the record's and are unknown here.
type language struct {
	parser ottl.Parser[tctx]
	budget *patternBudget
}

func newLanguage() (*language, error) {
	budget := &patternBudget{}
	p, err := ottllog.NewParser(functions(budget), component.TelemetrySettings{Logger: zap.NewNop()},
		ottl.WithPathContextNames[tctx]([]string{"log", "resource"}))
	if err != nil {
		return nil, fmt.Errorf("make OTTL parser: %w", err)
	}
	return &language{parser: p, budget: budget}, nil
}

// statement, condition and expression compile one text; the column is where the fault is.
func (l *language) statement(text string) (*ottl.Statement[tctx], int, error) {
	return compileText(text, l.parser.ParseStatement)
}

func (l *language) condition(text string) (*ottl.Condition[tctx], int, error) {
	return compileText(text, l.parser.ParseCondition)
}

func (l *language) expression(text string) (*ottl.ValueExpression[tctx], int, error) {
	return compileText(text, l.parser.ParseValueExpression)
}

func compileText[T any](text string, parse func(string) (*T, error)) (compiled *T, column int, err error) {
	if column, err := checkText(text); err != nil {
		return nil, column, err
	}
	defer func() { // a parser that fails on one tenant's text must not take the node
		if r := recover(); r != nil {
			compiled, err = nil, fmt.Errorf("the text cannot be compiled: %v", r)
		}
	}()
	compiled, err = parse(text)
	if err == nil {
		return compiled, 0, nil
	}
	column, message := locate(err)
	return nil, column, fmt.Errorf("%s", message)
}

// checkText bounds a text before it is parsed.
func checkText(text string) (column int, err error) {
	if len(text) > maxOTTLBytes {
		return 0, fmt.Errorf("the text has %d bytes; the limit is %d. Split it into several", len(text), maxOTTLBytes)
	}
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '(' || c == '[' || c == '{':
			if depth++; depth > maxNesting {
				return i + 1, fmt.Errorf("brackets are nested more than %d deep", maxNesting)
			}
		case c == ')' || c == ']' || c == '}':
			depth--
		}
	}
	return 0, nil
}

// locate returns the innermost position in an OTTL error and its message. OTTL's position type is internal to its module,
// hence the reflection.
func locate(err error) (column int, message string) {
	message = err.Error()
	if m, ok := err.(interface{ Message() string }); ok {
		message = m.Message()
	}
	for _, e := range flatten(err) {
		if c := columnOf(e); c > 0 {
			column = c
		}
	}
	return column, message
}

// flatten lists the errors of a chain, outermost first.
func flatten(err error) []error {
	var list []error
	for queue := []error{err}; len(queue) > 0; queue = queue[1:] {
		list = append(list, queue[0])
		switch e := queue[0].(type) { //nolint:errorlint // this walks the chain itself
		case interface{ Unwrap() error }:
			if inner := e.Unwrap(); inner != nil {
				queue = append(queue, inner)
			}
		case interface{ Unwrap() []error }:
			queue = append(queue, e.Unwrap()...)
		}
	}
	return list
}

func columnOf(err error) int {
	method := reflect.ValueOf(err).MethodByName("Position")
	if !method.IsValid() || method.Type().NumIn() != 0 || method.Type().NumOut() != 1 {
		return 0
	}
	position := method.Call(nil)[0]
	if p, ok := position.Interface().(interface{ Column() int }); ok {
		return p.Column()
	}
	if position.Kind() == reflect.Struct { // participle's lexer.Position
		if f := position.FieldByName("Column"); f.IsValid() && f.CanInt() {
			return int(f.Int())
		}
	}
	return 0
}
