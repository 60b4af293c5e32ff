package alerting

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"
)

// field checks the value of one field of a mapping.
type field func(c *checker, p place)

// mapping visits the fields of a mapping and refuses unknown and repeated ones. It returns the values by name.
func (c *checker) mapping(p place, what string, fields map[string]field) map[string]*yaml.Node {
	found := map[string]*yaml.Node{}
	if p.node.Kind != yaml.MappingNode {
		c.fault(p, "%s is %s, and must be a mapping", what, kindName(p.node))
		return found
	}
	for name, value := range pairs(p.node) {
		at := p.in(name, name.Value)
		check, known := fields[name.Value]
		switch {
		case name.Value == "<<" && name.Tag == "!!merge":
			continue // its fields come by the anchor's own lines
		case !known:
			c.fault(at, "field %s not found in %s", name.Value, what)
		case found[name.Value] != nil:
			c.fault(at, "field %s is there twice", name.Value)
		default:
			found[name.Value] = value
			if at.node = value; check != nil && value.Tag != "!!null" {
				check(c, at)
			}
		}
	}
	return found
}

// pairs yields the names and resolved values of a mapping.
func pairs(n *yaml.Node) func(func(name, value *yaml.Node) bool) {
	return func(yield func(name, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], resolve(n.Content[i+1])) {
				return
			}
		}
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "empty"
	}
	return "a " + strings.TrimPrefix(n.Tag, "!!")
}

func (c *checker) walkGroup(p place) {
	if p.node.Kind == yaml.MappingNode {
		for name, value := range pairs(p.node) {
			if name.Value == "name" {
				c.group = value.Value
			}
		}
	}
	found := c.mapping(p, "the rule group", map[string]field{
		"name": text, "interval": duration, "query_offset": duration, "limit": integer, "labels": groupLabels,
		"rules": func(c *checker, p place) {
			if p.node.Kind != yaml.SequenceNode {
				c.fault(p, "rules are %s, and must be a list", kindName(p.node))
				return
			}
			for i, rule := range p.node.Content {
				at := p.in(resolve(rule), strconv.Itoa(i))
				at.rule = i + 1
				c.walkRule(at)
			}
		},
	})
	if name := found["name"]; len(c.faults) == 0 && (name == nil || name.Value == "") {
		c.fault(p, "the rule group needs a name")
	}
}

func (c *checker) walkRule(p place) {
	if p.node.Kind == yaml.MappingNode {
		for name, value := range pairs(p.node) {
			if name.Value == "alert" || name.Value == "record" {
				p.name += value.Value
			}
		}
	}
	before := len(c.faults)
	found := c.mapping(p, "the rule", map[string]field{
		"record": text, "alert": text, "expr": text, "for": duration, "keep_firing_for": duration, "labels": texts, "annotations": texts,
	})
	if len(c.faults) == before {
		c.checkRule(p, found)
	}
}

// checkRule checks a rule whose fields have the right types.
func (c *checker) checkRule(p place, found map[string]*yaml.Node) {
	at := func(name string) place {
		if n := found[name]; n != nil {
			return p.in(n, name)
		}
		return p
	}
	var rule rulefmt.Rule
	if err := p.node.Decode(&rule); err != nil {
		c.fault(p, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	switch {
	case rule.Record != "" && rule.Alert != "":
		c.fault(at("alert"), "only one of 'record' and 'alert' must be set")
	case rule.Record == "" && rule.Alert == "":
		c.fault(p, "one of 'record' or 'alert' must be set")
	case rule.Record != "":
		c.checkRecord(&rule, at)
	}
	if rule.Expr == "" {
		c.fault(at("expr"), "field 'expr' must be set in rule")
	} else if line, column, err := c.expr(rule.Expr); err != nil {
		c.exprFault(at("expr"), line, column, err)
	}
	if rule.Alert != "" && !utf8.ValidString(rule.Alert) {
		c.fault(at("alert"), "the alert's name is not UTF-8")
	}
	for name, value := range entries(found["labels"]) {
		c.checkLabel(at("labels").in(name, name.Value), name.Value, value.Value, rule.Alert)
	}
	for name, value := range entries(found["annotations"]) {
		c.checkAnnotation(at("annotations").in(name, name.Value), name.Value, value.Value, rule.Alert)
	}
}

// entries yields the pairs of a mapping that may be absent.
func entries(n *yaml.Node) func(func(name, value *yaml.Node) bool) {
	if n == nil || n.Kind != yaml.MappingNode {
		return func(func(name, value *yaml.Node) bool) {}
	}
	return pairs(n)
}

func (c *checker) checkRecord(rule *rulefmt.Rule, at func(string) place) {
	if len(rule.Annotations) > 0 {
		c.fault(at("annotations"), "invalid field 'annotations' in recording rule")
	}
	if rule.For != 0 {
		c.fault(at("for"), "invalid field 'for' in recording rule")
	}
	if rule.KeepFiringFor != 0 {
		c.fault(at("keep_firing_for"), "invalid field 'keep_firing_for' in recording rule")
	}
	if !model.UTF8Validation.IsValidMetricName(rule.Record) || strings.ContainsAny(rule.Record, "{}") {
		c.fault(at("record"), "%q is no name of a metric; an expression belongs into expr", rule.Record)
	}
}

func (c *checker) checkLabel(p place, name, value, alert string) {
	switch {
	case !model.UTF8Validation.IsValidLabelName(name) || name == model.MetricNameLabel:
		c.fault(p, "invalid label name: %s", name)
	case !utf8.ValidString(value):
		c.fault(p, "the value of label %s is not UTF-8", name)
	case alert != "":
		if err := checkTemplate(&rulefmt.Rule{Alert: alert, Expr: "1", Labels: map[string]string{name: value}}); err != nil {
			c.fault(p, "%s", err)
		}
	}
}

func (c *checker) checkAnnotation(p place, name, value, alert string) {
	if !model.UTF8Validation.IsValidLabelName(name) {
		c.fault(p, "invalid annotation name: %s", name)
		return
	}
	if alert == "" {
		return
	}
	if err := checkTemplate(&rulefmt.Rule{Alert: alert, Expr: "1", Annotations: map[string]string{name: value}}); err != nil {
		c.fault(p, "%s", err)
	}
}

// exprFault tells a fault of an expression with its place in the expression, and in the document where that can be told: in a
// scalar of one line that is written as it is read.
func (c *checker) exprFault(p place, line, column int, err error) {
	f := RuleFault{Pointer: p.pointer, Rule: p.rule, Name: p.name, Line: p.node.Line, Column: p.node.Column, ExprLine: line, ExprColumn: column, Message: err.Error()}
	if line > 0 {
		f.Message += " (line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column) + " of the expression)"
	}
	c.add(f)
}

func text(c *checker, p place) {
	if p.node.Kind != yaml.ScalarNode {
		c.fault(p, "it is %s, and must be a text", kindName(p.node))
	}
}

func texts(c *checker, p place) {
	if p.node.Kind != yaml.MappingNode {
		c.fault(p, "it is %s, and must be a mapping of texts", kindName(p.node))
		return
	}
	seen := map[string]bool{}
	for name, value := range pairs(p.node) {
		at := p.in(name, name.Value)
		if seen[name.Value] {
			c.fault(at, "%s is there twice", name.Value)
		}
		seen[name.Value] = true
		if value.Kind != yaml.ScalarNode {
			at.node = value
			c.fault(at, "it is %s, and must be a text", kindName(value))
		}
	}
}

func groupLabels(c *checker, p place) {
	before := len(c.faults)
	texts(c, p)
	if len(c.faults) > before {
		return
	}
	for name, value := range pairs(p.node) {
		if !model.UTF8Validation.IsValidLabelName(name.Value) || name.Value == model.MetricNameLabel || !utf8.ValidString(value.Value) {
			c.fault(p.in(name, name.Value), "group label %q is not a label", name.Value)
		}
	}
}

func duration(c *checker, p place) {
	if p.node.Kind != yaml.ScalarNode {
		c.fault(p, "it is %s, and must be a duration such as 5m", kindName(p.node))
		return
	}
	if _, err := model.ParseDuration(p.node.Value); err != nil {
		c.fault(p, "%s", err)
	}
}

func integer(c *checker, p place) {
	n, err := strconv.Atoi(p.node.Value)
	if p.node.Kind != yaml.ScalarNode || err != nil || n < 0 {
		c.fault(p, "it must be a whole number from 0")
	}
}
