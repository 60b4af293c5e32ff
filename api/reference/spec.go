package reference

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// spec is what the reference shows of an OpenAPI 3.1 document.
type spec struct {
	Info struct {
		Title, Version, Summary, Description string
	}
	Tags []struct {
		Name, Description string
	}
	Paths      ordered[pathItem]
	Components struct {
		Schemas    ordered[*schema]
		Responses  map[string]*response
		Parameters map[string]*parameter
		Headers    map[string]*header
	}
}

// ordered is a mapping in the order of its document.
type ordered[T any] []entry[T]

type entry[T any] struct {
	Name  string
	Value T
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (o *ordered[T]) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want a mapping", node.Line)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		e := entry[T]{Name: node.Content[i].Value}
		if err := node.Content[i+1].Decode(&e.Value); err != nil {
			return err
		}
		*o = append(*o, e)
	}
	return nil
}

func (o ordered[T]) find(name string) (found T) {
	for _, e := range o {
		if e.Name == name {
			return e.Value
		}
	}
	return found
}

type pathItem struct {
	Parameters                          []*parameter // of all its operations
	Get, Put, Post, Patch, Delete, Head *operation
}

// operations lists a path's operations with their methods.
func (p *pathItem) operations() []entry[*operation] {
	all := []entry[*operation]{{"GET", p.Get}, {"HEAD", p.Head}, {"POST", p.Post}, {"PUT", p.Put}, {"PATCH", p.Patch}, {"DELETE", p.Delete}}
	return slices.DeleteFunc(all, func(e entry[*operation]) bool { return e.Value == nil })
}

type operation struct {
	ID          string `yaml:"operationId"`
	Tags        []string
	Summary     string
	Description string
	Parameters  []*parameter
	RequestBody *body `yaml:"requestBody"`
	Responses   ordered[*response]
	Security    *[]map[string][]string // empty: anybody may call it
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Description string
	Required    bool
	Schema      *schema
}

type body struct {
	Required bool
	Content  ordered[media]
}

type media struct {
	Schema  *schema
	Example any
}

type header struct {
	Ref         string `yaml:"$ref"`
	Description string
	Schema      *schema
}

type response struct {
	Ref         string `yaml:"$ref"`
	Description string
	Headers     ordered[*header]
	Content     ordered[media]
}

type schema struct {
	Ref                  string `yaml:"$ref"`
	Type                 types
	Format               string
	Description          string
	Enum                 []any
	Const                any
	Default              any
	Example              any
	Examples             []any
	Items                *schema
	Properties           ordered[*schema]
	Required             []string
	AdditionalProperties *additional `yaml:"additionalProperties"`
	OneOf                []*schema   `yaml:"oneOf"`
	AnyOf                []*schema   `yaml:"anyOf"`
	AllOf                []*schema   `yaml:"allOf"`
	Minimum, Maximum     *float64
	MinLength            *int `yaml:"minLength"`
	MaxLength            *int `yaml:"maxLength"`
	MinItems             *int `yaml:"minItems"`
	MaxItems             *int `yaml:"maxItems"`
	Pattern              string
}

// types is a schema's type: one or several names.
type types []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (t *types) UnmarshalYAML(node *yaml.Node) error {
	var name string
	if node.Decode(&name) == nil {
		*t = types{name}
		return nil
	}
	return node.Decode((*[]string)(t))
}

// additional is what a map's values are; a bare true or false says nothing that is shown.
type additional struct{ schema *schema }

// UnmarshalYAML implements yaml.Unmarshaler.
func (a *additional) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return nil
	}
	return node.Decode(&a.schema)
}

func parse(text []byte) (*spec, error) {
	s := new(spec)
	if err := yaml.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	return s, nil
}

// refName returns the last part of a reference within the document.
func refName(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

func (s *spec) response(r *response) *response {
	if r.Ref != "" {
		return s.Components.Responses[refName(r.Ref)]
	}
	return r
}

func (s *spec) parameter(p *parameter) *parameter {
	if p.Ref != "" {
		return s.Components.Parameters[refName(p.Ref)]
	}
	return p
}

func (s *spec) header(h *header) *header {
	if h.Ref != "" {
		return s.Components.Headers[refName(h.Ref)]
	}
	return h
}

// resolve follows a schema's reference.
func (s *spec) resolve(c *schema) *schema {
	for c != nil && c.Ref != "" {
		c = s.Components.Schemas.find(refName(c.Ref))
	}
	return c
}
