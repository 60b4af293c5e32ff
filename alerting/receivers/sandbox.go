package receivers

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io"
	"net/url"
	"regexp"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
	"time"

	"github.com/prometheus/alertmanager/template"
)

// Bounds of the templates of one notification. Without them a tenant's template is a loop or a bomb in the process that
// evaluates everybody's rules: {{ range 1000000000 }}, a template that calls itself twice, a string doubled forty times.
const (
	maxTemplateSteps  = 200_000         // texts written, turns of loops, calls of templates and functions
	maxTemplateOutput = 1 << 20         // bytes of all fields together
	maxTemplateValue  = 1 << 20         // bytes of one value between functions
	maxTemplateTime   = 2 * time.Second // of all fields together
)

// The ways in which a template goes too far.
var (
	errTemplateSteps   = fmt.Errorf("the templates take more than %d steps", maxTemplateSteps)
	errTemplateOutput  = fmt.Errorf("the templates write more than %d bytes", maxTemplateOutput)
	errTemplateValue   = fmt.Errorf("a value in a template has more than %d bytes", maxTemplateValue)
	errTemplateDefined = errors.New("a field defines a template; define it in template_files")
	errTemplateTime    = fmt.Errorf("the templates take more than %s", maxTemplateTime)
)

// Template is a tenant's notification templates with Alertmanager's functions and no others. Nothing in it reads files.
type Template struct {
	// Upstream makes the data that templates are given.
	Upstream *template.Template

	text *texttemplate.Template
	html *htmltemplate.Template
}

// ParseTemplate returns templates over the default ones, which are left out when defaults is false: they cost 7 ms and
// 400 KiB per tenant, and a plain webhook needs none. An error names the text that does not parse.
func ParseTemplate(externalURL *url.URL, defaults bool, names []string, texts map[string]string) (*Template, error) {
	t := &Template{}
	capture := func(text *texttemplate.Template, html *htmltemplate.Template) { t.text, t.html = text, html }
	var err error
	if defaults {
		t.Upstream, err = template.FromGlobs(nil, capture)
	} else {
		t.Upstream, err = template.New(capture)
	}
	if err != nil {
		return nil, fmt.Errorf("make templates: %w", err)
	}
	t.Upstream.ExternalURL = externalURL
	if defaults {
		if err := t.Upstream.Parse(strings.NewReader(defaultTemplates)); err != nil {
			return nil, fmt.Errorf("parse the default templates: %w", err)
		}
	}
	for _, name := range names {
		if err := t.Upstream.Parse(strings.NewReader(texts[name])); err != nil {
			return nil, fmt.Errorf("template %q: %w", name, err)
		}
	}
	if err := refuseCycles(t.text.Templates()); err != nil {
		return nil, err
	}
	for _, named := range t.text.Templates() {
		countSteps(named.Tree)
	}
	for _, named := range t.html.Templates() {
		countSteps(named.Tree)
	}
	return t, nil
}

// countSteps puts an empty text at the beginning of a template and of the body of each of its loops. Executing it calls
// the writer, so the writer counts what writes nothing itself and can end it.
func countSteps(tree *parse.Tree) {
	if tree == nil || tree.Root == nil || counted(tree.Root) {
		return
	}
	countLoops(tree.Root)
	prepend(tree.Root)
}

// counted reports whether a list begins with an empty text, which no parser makes.
func counted(list *parse.ListNode) bool {
	if len(list.Nodes) == 0 {
		return false
	}
	text, ok := list.Nodes[0].(*parse.TextNode)
	return ok && len(text.Text) == 0
}

func prepend(list *parse.ListNode) {
	list.Nodes = append([]parse.Node{&parse.TextNode{NodeType: parse.NodeText, Pos: list.Pos}}, list.Nodes...)
}

func countLoops(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.IfNode:
			countLoops(n.List)
			countLoops(n.ElseList)
		case *parse.WithNode:
			countLoops(n.List)
			countLoops(n.ElseList)
		case *parse.RangeNode:
			countLoops(n.List)
			countLoops(n.ElseList)
			prepend(n.List)
		}
	}
}

// execution expands the fields of one notification under one budget.
type execution struct {
	from *Template
	data *template.Data
	text *texttemplate.Template // a copy; made at the first use

	steps, written int
	ends           time.Time
	err            error // of the first field that failed
}

func (t *Template) execute(data *template.Data) *execution {
	return &execution{from: t, data: data, ends: time.Now().Add(maxTemplateTime)}
}

// expandText returns the text that a field's template makes. After a failure it returns "" and keeps the first error.
func (e *execution) expandText(field string) string {
	if e.err != nil || !strings.Contains(field, "{{") {
		return field
	}
	if e.text == nil {
		if e.text, e.err = e.from.text.Clone(); e.err != nil {
			return ""
		}
		e.text.Funcs(texttemplate.FuncMap(e.functions()))
	}
	tmpl, err := e.text.New("").Parse(field)
	if err != nil {
		e.err = err
		return ""
	}
	if e.err = refuseDefined(field); e.err != nil {
		return ""
	}
	countSteps(tmpl.Tree)
	return e.run(tmpl.Execute)
}

// expandHTML is expandText for a field that is HTML: what the data holds is escaped.
func (e *execution) expandHTML(field string) string {
	if e.err != nil || !strings.Contains(field, "{{") {
		return field
	}
	// An HTML template cannot be changed once it was executed, so each field has its own copy.
	copied, err := e.from.html.Clone()
	if err == nil {
		copied.Funcs(htmltemplate.FuncMap(e.functions()))
		copied, err = copied.New("").Parse(field)
	}
	if err == nil {
		err = refuseDefined(field)
	}
	if err != nil {
		e.err = err
		return ""
	}
	countSteps(copied.Tree)
	return e.run(copied.Execute)
}

// refuseDefined refuses a field that defines a template: defined in a field it could close a cycle that nobody looked for.
func refuseDefined(field string) error {
	if !strings.Contains(field, "define") && !strings.Contains(field, "block") {
		return nil
	}
	tree, all := parse.New("field"), map[string]*parse.Tree{}
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse(field, "", "", all); err != nil {
		return err
	}
	if delete(all, "field"); len(all) > 0 {
		return errTemplateDefined
	}
	return nil
}

func (e *execution) run(execute func(w io.Writer, data any) error) string {
	out := &meter{e: e}
	if err := execute(out, e.data); err != nil {
		e.err = err
		return ""
	}
	return out.text.String()
}

// step takes one step of the budget.
func (e *execution) step() error {
	e.steps++
	if e.steps > maxTemplateSteps {
		return errTemplateSteps
	}
	if e.steps%256 == 0 && time.Now().After(e.ends) {
		return errTemplateTime
	}
	return nil
}

// fault returns what went wrong in words for the tenant.
func (e *execution) fault() *Failure {
	if e.err == nil {
		return nil
	}
	for _, known := range []error{errTemplateSteps, errTemplateOutput, errTemplateValue, errTemplateTime, errTemplateDefined} {
		if errors.Is(e.err, known) {
			return final("the notification's templates were stopped: %s", known)
		}
	}
	return final("the notification's templates fail: %s", printable(e.err.Error()))
}

// meter writes what a template writes until the budget is spent. It implements io.Writer.
type meter struct {
	e    *execution
	text strings.Builder
}

// Write implements io.Writer.
func (m *meter) Write(p []byte) (int, error) {
	if err := m.e.step(); err != nil {
		return 0, err
	}
	if m.e.written += len(p); m.e.written > maxTemplateOutput {
		return 0, errTemplateOutput
	}
	return m.text.Write(p)
}

// wideVerb finds the formats by which a few bytes print a million.
func wideVerb() *regexp.Regexp { return regexp.MustCompile(`%[^a-zA-Z%]*(\*|\d{4,})`) }
