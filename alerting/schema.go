package alerting

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// schema is the allow-list of one mapping in an Alertmanager configuration: the keys that are taken and what they hold.
// Everything that is not named is refused, because upstream's fields read local files, dial through proxies and grow with
// every release.
type schema struct {
	keys   map[string]*schema // nil value: the key's content is left to upstream's own strict parser
	any    *schema            // schema of every key that keys does not name, for mappings with free names
	rest   bool               // keys that keys does not name are left to upstream's own strict parser, too
	list   bool               // the node is a list of such mappings
	secret bool               // the node is a secret: masked when it is read
	target bool               // the node says where something is sent: stored secrets follow it
	off    bool               // the node is a switch that may only be off
	plain  bool               // the node must not be a template
	hints  map[string]string  // what to say about well-known keys that are refused
}

// check refuses every key that the schema does not name. path is where node stands, for the message.
func (s *schema) check(node *yaml.Node, path string) error {
	if s != nil && s.plain {
		return refuseTemplates(node, path)
	}
	if s == nil || s.secret || s.target {
		return refuseAliases(node, path)
	}
	if s.list {
		if node.Kind != yaml.SequenceNode {
			if isNull(node) {
				return nil
			}
			return invalidConfig("line %d: %s must be a list", node.Line, path)
		}
		element := *s
		element.list = false
		for i, item := range node.Content {
			if err := element.check(item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return nil
	}
	if isNull(node) {
		return nil
	}
	if s.off {
		return checkOff(node, path)
	}
	if node.Kind != yaml.MappingNode {
		return invalidConfig("line %d: %s must be a mapping", node.Line, orDocument(path))
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		below, known := s.keys[name.Value]
		if !known {
			below, known = s.any, s.any != nil || s.rest
		}
		if !known || name.Kind != yaml.ScalarNode {
			return s.refuse(name, path)
		}
		if err := below.check(value, strings.TrimPrefix(path+"."+name.Value, ".")); err != nil {
			return err
		}
	}
	return nil
}

// checkOff takes a switch that may only be written down as off: redirects would lead around what the URL says.
func checkOff(node *yaml.Node, path string) error {
	if node.Kind == yaml.ScalarNode && node.Value == "false" {
		return nil
	}
	return invalidConfig("line %d: %s may only be false; receivers' redirects are not followed", node.Line, path)
}

func (s *schema) refuse(name *yaml.Node, path string) error {
	full := strings.TrimPrefix(path+"."+name.Value, ".")
	hint := s.hints[name.Value]
	switch {
	case hint != "":
	case strings.HasSuffix(name.Value, "_file") || strings.HasSuffix(name.Value, "_files"):
		hint = "files of the server are not read; write the value itself"
	case strings.HasSuffix(name.Value, "_configs"):
		hint = "this kind of receiver is not offered"
	}
	if hint != "" {
		hint = " (" + hint + ")"
	}
	return invalidConfig("line %d: %s is not accepted%s; %s takes: %s", name.Line, full, hint, orDocument(path),
		strings.Join(slices.Sorted(maps.Keys(s.keys)), ", "))
}

func orDocument(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// refuseTemplates keeps templates out of what upstream expands by itself, without bounds.
func refuseTemplates(node *yaml.Node, path string) error {
	if err := refuseAliases(node, path); err != nil {
		return err
	}
	if node.Kind == yaml.ScalarNode && strings.Contains(node.Value, "{{") {
		return invalidConfig("line %d: %s must not be a template", node.Line, path)
	}
	for _, c := range node.Content {
		if err := refuseTemplates(c, path); err != nil {
			return err
		}
	}
	return nil
}

// refuseAliases keeps the allow-list whole: an alias would bring in a part that was checked under another path, and a few
// nested ones are a bomb.
func refuseAliases(node *yaml.Node, path string) error {
	if node.Kind == yaml.AliasNode || node.Tag == "!!merge" {
		return invalidConfig("line %d: %s uses a YAML alias; write the value itself", node.Line, orDocument(path))
	}
	for _, c := range node.Content {
		if err := refuseAliases(c, path); err != nil {
			return err
		}
	}
	return nil
}

// child returns the value of a mapping's key, nil when it has none.
func child(node *yaml.Node, name string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			return node.Content[i+1]
		}
	}
	return nil
}

// takeChild removes a mapping's key and returns its value, nil when it has none.
func takeChild(node *yaml.Node, name string) *yaml.Node {
	value := child(node, name)
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			node.Content = append(node.Content[:i:i], node.Content[i+2:]...)
			break
		}
	}
	return value
}
