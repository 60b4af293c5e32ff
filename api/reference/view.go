package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
)

// view is what the template shows.
type view struct {
	Title, Version string
	Description    template.HTML
	Groups         []group
	Schemas        []schemaView
}

type group struct {
	Name        string
	Description template.HTML
	Operations  []operationView
}

type operationView struct {
	ID, Method, Path string
	Summary          template.HTML
	Description      template.HTML
	Anonymous        bool
	Params           []row
	Bodies           []mediaView
	Responses        []responseView
	Curl             string
}

// row is one line of a table of parameters, headers or fields.
type row struct {
	Name     string
	In       string
	Required bool
	Type     template.HTML
	Text     template.HTML
}

type mediaView struct {
	Type    string
	Schema  template.HTML
	Example string
}

type responseView struct {
	Status  string
	Text    template.HTML
	Headers []row
	Content []mediaView
}

type schemaView struct {
	Name string
	Type template.HTML
	Text template.HTML
	Rows []row
}

// viewOf turns the document into what is shown, grouped by tag.
func viewOf(s *spec) *view {
	v := &view{Title: s.Info.Title, Version: s.Info.Version, Description: prose(s.Info.Description)}
	for _, tag := range s.Tags {
		g := group{Name: tag.Name, Description: prose(tag.Description)}
		for _, path := range s.Paths {
			for _, e := range path.Value.operations() {
				if slices.Contains(e.Value.Tags, tag.Name) {
					g.Operations = append(g.Operations, s.operationView(e.Name, path, e.Value))
				}
			}
		}
		if len(g.Operations) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	for _, e := range s.Components.Schemas {
		v.Schemas = append(v.Schemas, s.schemaView(e.Name, e.Value))
	}
	return v
}

func (s *spec) operationView(method string, path entry[pathItem], op *operation) operationView {
	v := operationView{
		ID: op.ID, Method: method, Path: path.Name, Summary: inline(op.Summary), Description: prose(op.Description),
		Anonymous: op.Security != nil && len(*op.Security) == 0,
	}
	var params []*parameter
	for _, p := range slices.Concat(path.Value.Parameters, op.Parameters) {
		p = s.parameter(p)
		params = append(params, p)
		v.Params = append(v.Params, row{Name: p.Name, In: p.In, Required: p.Required || p.In == "path", Type: s.typeOf(p.Schema), Text: s.textOf(p.Description, p.Schema)})
	}
	if op.RequestBody != nil {
		v.Bodies = s.mediaViews(op.RequestBody.Content)
	}
	for _, e := range op.Responses {
		r := s.response(e.Value)
		shown := responseView{Status: e.Name, Text: inline(r.Description), Content: s.mediaViews(r.Content)}
		for _, h := range r.Headers {
			described := s.header(h.Value)
			shown.Headers = append(shown.Headers, row{Name: h.Name, Type: s.typeOf(described.Schema), Text: inline(described.Description)})
		}
		if e.Name[0] != '2' {
			dropExamples(shown.Content) // every error looks the same
		}
		v.Responses = append(v.Responses, shown)
	}
	v.Curl = s.curl(&v, params)
	return v
}

func dropExamples(list []mediaView) {
	for i := range list {
		list[i].Example = ""
	}
}

func (s *spec) mediaViews(content ordered[media]) []mediaView {
	var list []mediaView
	for _, e := range content {
		m := mediaView{Type: e.Name, Schema: s.typeOf(e.Value.Schema)}
		if strings.HasSuffix(e.Name, "json") && e.Value.Schema != nil {
			m.Example = s.exampleText(&e.Value)
		}
		list = append(list, m)
	}
	return list
}

func (s *spec) schemaView(name string, c *schema) schemaView {
	return schemaView{Name: name, Type: s.typeOf(c), Text: s.textOf(c.Description, &schema{
		Pattern: c.Pattern, Minimum: c.Minimum, Maximum: c.Maximum, MinLength: c.MinLength, MaxLength: c.MaxLength,
	}), Rows: s.rows("", c, 0)}
}

// maxDepth bounds how deep a schema's table goes into objects that have no name.
const maxDepth = 6

// rows lists an object's fields, those of objects without a name under dotted names.
func (s *spec) rows(prefix string, c *schema, depth int) []row {
	if c == nil || depth > maxDepth {
		return nil
	}
	var list []row
	for _, part := range c.AllOf {
		list = append(list, s.rows(prefix, s.resolve(part), depth+1)...)
	}
	for _, e := range c.Properties {
		name := prefix + e.Name
		list = append(list, row{Name: name, Required: slices.Contains(c.Required, e.Name), Type: s.typeOf(e.Value), Text: s.textOf(e.Value.Description, e.Value)})
		list = append(list, s.inner(name, e.Value, depth)...)
	}
	return list
}

// inner lists the fields below a field whose object has no name.
func (s *spec) inner(name string, c *schema, depth int) []row {
	switch {
	case c.Ref != "":
		return nil
	case c.Items != nil && c.Items.Ref == "":
		return s.inner(name+"[]", c.Items, depth+1)
	case c.AdditionalProperties != nil && c.AdditionalProperties.schema != nil:
		return s.inner(name+".*", c.AdditionalProperties.schema, depth+1)
	}
	return s.rows(name+".", c, depth+1)
}

// typeOf describes a schema's type in a few words, with links to those that have a name.
func (s *spec) typeOf(c *schema) template.HTML {
	switch {
	case c == nil:
		return ""
	case c.Ref != "":
		name := template.HTMLEscapeString(refName(c.Ref))
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`) //nolint:gosec // the name is escaped
	case c.Const != nil:
		return code(fmt.Sprint(c.Const))
	case len(c.Enum) > 0:
		return s.enumOf(c)
	case len(c.OneOf)+len(c.AnyOf) > 0:
		var parts []string
		for _, alternative := range slices.Concat(c.OneOf, c.AnyOf) {
			parts = append(parts, string(s.typeOf(alternative)))
		}
		return template.HTML(strings.Join(parts, " or ")) //nolint:gosec // each part is escaped
	case c.Items != nil:
		return "list of " + s.typeOf(c.Items)
	case c.AdditionalProperties != nil && c.AdditionalProperties.schema != nil && len(c.Properties) == 0:
		return "map to " + s.typeOf(c.AdditionalProperties.schema)
	case len(c.AllOf) > 0 || len(c.Type) == 0 && len(c.Properties) > 0:
		return "object"
	case len(c.Type) == 0:
		return "any"
	}
	name := strings.Join(c.Type, " or ")
	if c.Format != "" {
		name = strings.Replace(name, "string", c.Format, 1)
	}
	return template.HTML(template.HTMLEscapeString(name)) //nolint:gosec // it is escaped
}

func (s *spec) enumOf(c *schema) template.HTML {
	var b strings.Builder
	for i, value := range c.Enum {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(code(fmt.Sprint(value))))
	}
	return template.HTML(b.String()) //nolint:gosec // each value is escaped
}

// textOf is a description with the bounds that the schema sets.
func (s *spec) textOf(description string, c *schema) template.HTML {
	text := strings.TrimSpace(description)
	var bounds []string
	if c = s.resolve(c); c != nil {
		bounds = boundsOf(c)
		if text == "" {
			text = strings.TrimSpace(c.Description)
		}
	}
	if len(bounds) == 0 {
		return inline(text)
	}
	return inline(strings.TrimSpace(text + " (" + strings.Join(bounds, ", ") + ")"))
}

func boundsOf(c *schema) []string {
	var bounds []string
	number := func(name string, value *float64) {
		if value != nil {
			bounds = append(bounds, name+" "+strconv.FormatFloat(*value, 'f', -1, 64))
		}
	}
	count := func(name string, value *int, unit string) {
		if value != nil {
			bounds = append(bounds, name+" "+strconv.Itoa(*value)+" "+unit)
		}
	}
	number("from", c.Minimum)
	number("to", c.Maximum)
	count("at least", c.MinLength, "characters")
	count("at most", c.MaxLength, "characters")
	count("at least", c.MinItems, "entries")
	count("at most", c.MaxItems, "entries")
	if c.Pattern != "" {
		bounds = append(bounds, "matches `"+c.Pattern+"`")
	}
	if c.Default != nil {
		bounds = append(bounds, fmt.Sprintf("`%v` unless told", c.Default))
	}
	return bounds
}

func (s *spec) exampleText(m *media) string {
	value := m.Example
	if value == nil {
		value = s.example(m.Schema, "", 0)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if enc.Encode(value) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}
