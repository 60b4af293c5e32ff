package main

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// loadYAML reads a configuration file: the flags' names, nested at their dots.
func loadYAML(r io.Reader) (kong.Resolver, error) {
	doc := map[string]any{}
	if err := yaml.NewDecoder(r).Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration file: %s", yaml.FormatError(err, false, true))
	}
	values := map[string]any{}
	flatten("", doc, values)
	return yamlResolver{values}, nil
}

// flatten turns {http: {listen: x}} into {"http.listen": x}.
func flatten(prefix string, doc map[string]any, out map[string]any) {
	for key, value := range doc {
		switch v := value.(type) {
		case map[string]any:
			flatten(prefix+key+".", v, out)
		case []any:
			parts := make([]string, len(v))
			for i, part := range v {
				parts[i] = fmt.Sprint(part)
			}
			out[prefix+key] = parts
		case nil: // a name without a value sets nothing; that there is such a setting is checked all the same
			out[prefix+key] = nil
		default:
			out[prefix+key] = fmt.Sprint(value)
		}
	}
}

type yamlResolver struct{ values map[string]any }

// Validate refuses names that no flag has, so that a misspelt setting is not silently lost.
func (y yamlResolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known[flag.Name] = true
		}
		return next(nil)
	})
	var unknown []string
	for name := range y.values {
		if !known[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	sort.Strings(unknown)
	return fmt.Errorf("configuration file: no setting is called %s; `seamark serve --help` lists them", strings.Join(unknown, ", "))
}

// Resolve implements kong.Resolver.
func (y yamlResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	v, ok := y.values[flag.Name]
	if list, several := v.([]string); several {
		separator := ","
		if flag.Tag.Sep > 0 {
			separator = string(flag.Tag.Sep)
		}
		return strings.Join(list, separator), nil
	}
	if ok {
		return v, nil
	}
	return nil, nil
}
