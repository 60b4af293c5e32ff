package ctl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a JSON object in the order in which it was written. Values are *object, []any, string, json.Number, bool and nil.
type object struct {
	names  []string
	values map[string]any
}

func newObject() *object { return &object{values: map[string]any{}} }

func (o *object) set(name string, value any) {
	if _, has := o.values[name]; !has {
		o.names = append(o.names, name)
	}
	o.values[name] = value
}

func (o *object) remove(name string) {
	delete(o.values, name)
	for i, have := range o.names {
		if have == name {
			o.names = append(o.names[:i:i], o.names[i+1:]...)
			return
		}
	}
}

// at returns the value behind a path of names with dots; nil where there is none.
func at(value any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		o, ok := value.(*object)
		if !ok {
			return nil
		}
		value = o.values[name]
	}
	return value
}

// MarshalJSON implements json.Marshaler.
func (o *object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range o.names {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(o.values[name])
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// parseJSON reads one JSON document.
func parseJSON(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	value, err := decodeValue(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the JSON document")
	}
	return value, nil
}

func decodeValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := newObject()
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			o.set(fmt.Sprint(name), value)
		}
		_, err := dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			value, err := decodeValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := dec.Token()
		return list, err
	}
	return token, nil
}

// parseYAML reads one YAML document, of which JSON is a form.
func parseYAML(text []byte) (any, error) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var node yaml.Node
	if err := dec.Decode(&node); errors.Is(err, io.EOF) {
		return nil, errors.New("the document is empty")
	} else if err != nil {
		return nil, err
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document")
	}
	return fromNode(&node)
}

func fromNode(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return fromNode(n.Content[0])
	case yaml.AliasNode:
		return fromNode(n.Alias)
	case yaml.MappingNode:
		o := newObject()
		for i := 0; i+1 < len(n.Content); i += 2 {
			value, err := fromNode(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			o.set(n.Content[i].Value, value)
		}
		return o, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			value, err := fromNode(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	}
	return fromScalar(n)
}

func fromScalar(n *yaml.Node) (any, error) {
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var b bool
		err := n.Decode(&b)
		return b, err
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		var f float64
		if err := n.Decode(&f); err != nil {
			return nil, err
		}
		text, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("line %d: %s is no number that JSON has", n.Line, n.Value)
		}
		return json.Number(text), nil
	}
	return n.Value, nil
}

// toNode turns a value into YAML's, in the same order.
func toNode(value any) (*yaml.Node, error) {
	n := new(yaml.Node)
	switch v := value.(type) {
	case *object:
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		for _, name := range v.names {
			key := new(yaml.Node)
			key.SetString(name)
			inner, err := toNode(v.values[name])
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, key, inner)
		}
		return n, nil
	case []any:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		for _, item := range v {
			inner, err := toNode(item)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, inner)
		}
		return n, nil
	case json.Number:
		n.Kind, n.Value = yaml.ScalarNode, v.String()
		n.Tag = "!!int"
		if strings.ContainsAny(v.String(), ".eE") {
			n.Tag = "!!float"
		}
		return n, nil
	}
	err := n.Encode(value)
	return n, err
}
