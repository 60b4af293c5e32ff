package alerting

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// RuleFault is one fault of a rule group, with where it is.
type RuleFault struct {
	Group string
	Rule  int    // counted from 1; 0 where the fault is the group's own
	Name  string // of the rule
	// Pointer is a JSON pointer into the group, such as /rules/0/expr.
	Pointer string
	// Line and Column are counted from 1, in the document; 0 where they are not known.
	Line, Column int
	// ExprLine and ExprColumn are counted from 1, in the expression; 0 where the fault is none of an expression.
	ExprLine, ExprColumn int
	Message              string
}

// String returns position, place and fault in the order of Prometheus' own messages.
func (f *RuleFault) String() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", f.Line, f.Column)
	}
	if f.Group != "" {
		fmt.Fprintf(&b, "group %q, ", f.Group)
	}
	if f.Rule > 0 {
		fmt.Fprintf(&b, "rule %d, %q", f.Rule, f.Name)
	}
	return strings.TrimSuffix(b.String(), ", ") + separator(b.Len() > 0, f) + f.Message
}

func separator(placed bool, f *RuleFault) string {
	if placed && (f.Group != "" || f.Rule > 0) {
		return ": "
	}
	return ""
}

// maxRuleFaults bounds what one answer tells of a document.
const maxRuleFaults = 100

// checker collects the faults of one document.
type checker struct {
	group  string
	faults []RuleFault
	// expr checks an expression; the position is counted from 1, 0 where it is not known.
	expr func(text string) (line, column int, err error)
}

func (c *checker) add(f RuleFault) {
	if len(c.faults) < maxRuleFaults {
		f.Group = c.group
		c.faults = append(c.faults, f)
	}
}

// place is where in the document a check is.
type place struct {
	node    *yaml.Node
	pointer string
	rule    int
	name    string
}

func (p place) in(node *yaml.Node, part string) place {
	part = strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	return place{node: node, pointer: p.pointer + "/" + part, rule: p.rule, name: p.name}
}

func (c *checker) fault(p place, format string, args ...any) {
	f := RuleFault{Pointer: p.pointer, Rule: p.rule, Name: p.name, Message: fmt.Sprintf(format, args...)}
	if p.node != nil {
		f.Line, f.Column = p.node.Line, p.node.Column
	}
	c.add(f)
}

// CheckRuleGroup reads one rule group, YAML or JSON, and returns it with all its faults. Fields, types and names are checked as
// Prometheus does; expr checks expressions and may be nil for PromQL.
func CheckRuleGroup(body []byte, expr func(text string) (line, column int, err error)) (rulefmt.RuleGroup, []RuleFault) {
	c := &checker{expr: expr}
	if expr == nil {
		c.expr = checkPromQL
	}
	var group rulefmt.RuleGroup
	root := c.parse(body)
	if root == nil {
		return group, c.faults
	}
	c.walkGroup(place{node: root})
	if len(c.faults) == 0 {
		// What the walk let pass decodes, but for what a later form of the group may have.
		if err := root.Decode(&group); err != nil {
			c.fault(place{node: root}, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
	}
	slices.SortStableFunc(c.faults, func(a, b RuleFault) int {
		return (a.Line-b.Line)*100_000 + a.Column - b.Column
	})
	return group, c.faults
}

// ParseRuleGroup is CheckRuleGroup whose faults are one error of kind Invalid, which names every one with line and column in body.
func ParseRuleGroup(body []byte, expr func(text string) (line, column int, err error)) (rulefmt.RuleGroup, error) {
	group, faults := CheckRuleGroup(body, expr)
	if len(faults) == 0 {
		return group, checkName("rule group", group.Name)
	}
	texts := make([]string, len(faults))
	fields := make([]seamark.FieldFault, len(faults))
	for i := range faults {
		texts[i] = faults[i].String()
		fields[i] = seamark.FieldFault{Pointer: faults[i].Pointer, Detail: texts[i] + "."}
	}
	e := seamark.Errorf(seamark.Invalid, "seamark-rule-invalid", "The rule group is not valid: %s.", strings.Join(texts, "; "))
	e.Fields = fields
	return group, e
}

// parse returns the one document of body.
func (c *checker) parse(body []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(body))
	var document yaml.Node
	if err := dec.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the document is empty")
		}
		f := RuleFault{Message: strings.TrimPrefix(err.Error(), "yaml: ")}
		c.add(f)
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		c.add(RuleFault{Message: "there is a second YAML document; send one group per request"})
		return nil
	}
	// Aliases are written out before anything is walked: the library bounds what they may grow to.
	var plain rulefmt.RuleGroup
	if err := document.Decode(&plain); err != nil {
		if _, ok := errors.AsType[*yaml.TypeError](err); !ok && hasAlias(&document) {
			c.add(RuleFault{Message: strings.TrimPrefix(err.Error(), "yaml: ")})
			return nil
		}
	}
	if len(document.Content) == 0 {
		c.add(RuleFault{Message: "the document is empty"})
		return nil
	}
	return resolve(document.Content[0])
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// resolve returns the node that an alias stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n
}

// checkPromQL checks an expression of a PromQL rule.
func checkPromQL(text string) (line, column int, err error) {
	parsed, err := newParser().ParseExpr(text)
	if err == nil {
		switch t := parsed.Type(); t {
		case parser.ValueTypeVector, parser.ValueTypeScalar:
			return 0, 0, nil
		default:
			return 1, 1, fmt.Errorf("the expression gives a %s; it must give an instant vector or a scalar", t)
		}
	}
	if all, ok := errors.AsType[parser.ParseErrors](err); ok && len(all) > 0 {
		line, column = position(text, int(all[0].PositionRange.Start))
		return line, column, fmt.Errorf("could not parse expression: %w", all[0].Err)
	}
	return 0, 0, fmt.Errorf("could not parse expression: %w", err)
}

// position returns line and column of a byte of a text, counted from 1; columns are characters.
func position(text string, offset int) (line, column int) {
	before := text[:min(max(offset, 0), len(text))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, len([]rune(before[start:])) + 1
}

// checkTemplate tries a label's or an annotation's template as Prometheus does.
func checkTemplate(rule *rulefmt.Rule) error {
	faults := rule.Validate(rulefmt.RuleNode{}, model.UTF8Validation, newParser())
	if len(faults) == 0 {
		return nil
	}
	return errors.Unwrap(&faults[0])
}
