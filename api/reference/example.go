package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// fields is an object in the order of its schema.
type fields ordered[any]

// MarshalJSON implements json.Marshaler.
func (f fields) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(e.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(e.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// example makes a value that a schema takes; name is the field that it is for.
func (s *spec) example(c *schema, name string, depth int) any {
	c = s.resolve(c)
	switch {
	case c == nil || depth > maxDepth:
		return nil
	case c.Example != nil:
		return c.Example
	case len(c.Examples) > 0:
		return c.Examples[0]
	case c.Const != nil:
		return c.Const
	case len(c.Enum) > 0:
		return c.Enum[0]
	case c.Default != nil:
		return c.Default
	case len(c.OneOf)+len(c.AnyOf) > 0:
		return s.example(slices.Concat(c.OneOf, c.AnyOf)[0], name, depth+1)
	case c.Items != nil:
		return []any{s.example(c.Items, name, depth+1)}
	case len(c.AllOf) > 0 || len(c.Properties) > 0:
		return s.exampleObject(c, depth)
	case c.AdditionalProperties != nil && c.AdditionalProperties.schema != nil:
		return fields{{"name", s.example(c.AdditionalProperties.schema, "", depth+1)}}
	}
	return scalarExample(c, name)
}

func (s *spec) exampleObject(c *schema, depth int) any {
	object := fields{}
	for _, part := range c.AllOf {
		if inner, ok := s.example(part, "", depth+1).(fields); ok {
			for _, e := range inner {
				object.set(e.Name, e.Value)
			}
		}
	}
	for _, e := range c.Properties {
		if value := s.example(e.Value, e.Name, depth+1); value != nil {
			object.set(e.Name, value)
		}
	}
	return object
}

func (f *fields) set(name string, value any) {
	for i := range *f {
		if (*f)[i].Name == name {
			(*f)[i].Value = value
			return
		}
	}
	*f = append(*f, entry[any]{name, value})
}

func scalarExample(c *schema, name string) any {
	kind := ""
	if len(c.Type) > 0 {
		kind = c.Type[0]
	}
	switch {
	case kind == "integer" || kind == "number":
		if c.Minimum != nil && *c.Minimum > 1 {
			return *c.Minimum
		}
		return 1
	case kind == "boolean":
		return true
	case kind == "null":
		return nil
	case kind == "object":
		return fields{}
	case kind == "array":
		return []any{}
	case c.Format == "date-time":
		return "2026-11-21T12:00:00Z"
	case c.Format == "date":
		return "2026-11-21"
	case name == "id" || strings.HasSuffix(name, "_id"):
		return "01JD7Q3M8Z5T4V6W9X2Y1A0BCD"
	case kind == "":
		return nil
	}
	return "text"
}

// maxCurlBody bounds a body that stands in the curl line; a longer one comes from a file.
const maxCurlBody = 160

// curl returns a command that makes the call.
func (s *spec) curl(v *operationView, params []*parameter) string {
	var b strings.Builder
	b.WriteString("curl")
	if v.Method != "GET" {
		fmt.Fprintf(&b, " -X %s", v.Method)
	}
	if !v.Anonymous {
		b.WriteString(` -H "Authorization: Bearer $SEAMARK_TOKEN"`)
	}
	if len(v.Bodies) > 0 {
		m := v.Bodies[0]
		for _, other := range v.Bodies {
			if other.Example != "" {
				m = other
				break
			}
		}
		fmt.Fprintf(&b, " \\\n  -H 'Content-Type: %s'", m.Type)
		var compact bytes.Buffer
		if m.Example != "" && json.Compact(&compact, []byte(m.Example)) == nil && compact.Len() <= maxCurlBody && !strings.Contains(compact.String(), "'") {
			fmt.Fprintf(&b, " -d '%s'", compact.String())
		} else {
			b.WriteString(" --data-binary @body")
		}
	}
	path := shellPath(v.Path)
	var query []string
	for _, p := range params {
		if p.In == "query" && p.Required {
			query = append(query, p.Name+"=$"+strings.ToUpper(strings.Trim(p.Name, "[]")))
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	fmt.Fprintf(&b, " \\\n  \"$SEAMARK_URL%s\"", path)
	return b.String()
}

// shellPath writes a path's parameters as the shell's variables: /things/{id} is /things/$ID.
func shellPath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			parts[i] = "$" + strings.ToUpper(strings.TrimSuffix(name, "}"))
		}
	}
	return strings.Join(parts, "/")
}
