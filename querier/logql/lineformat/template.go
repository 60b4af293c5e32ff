// Package lineformat runs the templates of LogQL's line_format and label_format: Go's text/template over a line's labels,
// with the functions that Loki's documentation lists. It bounds what a template can cost, for its text comes from a query:
// the size of its result and the rounds of its loops. It knows labels and lines alone; LogQL's parser and engine use it.
package lineformat

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// The limits of one execution.
const (
	// maxResultBytes bounds the result and every text on the way to it: twice the longest line that is stored. Without it
	// `repeat` takes all memory.
	maxResultBytes = 512 << 10
	// maxRounds bounds the rounds of all loops; without it a loop in a loop over one long line takes minutes.
	maxRounds = 100_000
)

// Template is a template that was parsed. It is read only, so it may be shared; executions need an Executor.
type Template struct {
	text   string
	tree   *parse.Tree
	labels []string
	all    bool
	row    bool
	simple []segment // all of the template, when it is texts and labels alone
}

// segment is a text, or if that is empty a label, or if that is empty too the line.
type segment struct{ text, label string }

// templateName stands in the messages of package text/template, from which it is cut again.
const templateName = "template"

// roundFunction is called once per round of a loop. A query cannot spell it.
const roundFunction = "__seamark_round__"

// Parse reads a template. The error says in words what is wrong.
func Parse(text string) (*Template, error) {
	known := map[string]any{roundFunction: 0}
	for _, f := range functionNames() {
		known[f] = 0 // the parser only looks at the names
	}
	for _, f := range builtins {
		known[f] = 0
	}
	trees, err := parse.Parse(templateName, text, "", "", known)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: "+templateName+":"))
	}
	if len(trees) > 1 {
		return nil, errors.New("define and block are not taken: a template has one part")
	}
	t := &Template{text: text, tree: trees[templateName]}
	if t.tree == nil { // the empty text has no tree
		t.tree = &parse.Tree{Name: templateName, Root: &parse.ListNode{}}
	}
	w := walker{found: map[string]bool{}, template: t}
	w.list(t.tree.Root)
	if w.err != nil {
		return nil, w.err
	}
	t.labels = slices.Sorted(maps.Keys(w.found))
	t.simple = simplify(t.tree.Root)
	return t, nil
}

// builtins are the functions of text/template itself.
var builtins = []string{
	"and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println",
	"slice", "urlquery",
}

// Labels returns the names of the labels that the template looks at; all says that it may look at any.
func (t *Template) Labels() (list []string, all bool) { return t.labels, t.all }

// ReadsRow reports whether the template looks at more than labels: at the line, or its time.
func (t *Template) ReadsRow() bool { return t.row }

// NeverFails reports whether the template is nothing but texts, labels and the line.
func (t *Template) NeverFails() bool { return t.simple != nil }

// walker collects what a template looks at, and puts a call of roundFunction into its loops.
type walker struct {
	template *Template
	found    map[string]bool
	err      error
}

func (w *walker) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		w.node(n)
	}
}

func (w *walker) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ActionNode:
		w.pipe(n.Pipe)
	case *parse.IfNode:
		w.branch(&n.BranchNode)
	case *parse.WithNode:
		w.branch(&n.BranchNode)
	case *parse.RangeNode:
		w.branch(&n.BranchNode)
		n.List.Nodes = append([]parse.Node{roundAction(w.template.tree, n.Pos)}, n.List.Nodes...)
	case *parse.TemplateNode:
		w.err = errors.New("template is not taken: a template has one part")
	}
}

func (w *walker) branch(b *parse.BranchNode) {
	w.pipe(b.Pipe)
	w.list(b.List)
	w.list(b.ElseList)
}

// roundAction makes the node of {{ roundFunction }}.
func roundAction(tree *parse.Tree, at parse.Pos) parse.Node {
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: at, Args: []parse.Node{parse.NewIdentifier(roundFunction).SetTree(tree).SetPos(at)}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: at, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Pos: at, Cmds: []*parse.CommandNode{call}}}
}

func (w *walker) pipe(p *parse.PipeNode) {
	for _, c := range p.Cmds {
		for _, arg := range c.Args {
			w.argument(arg)
		}
	}
}

func (w *walker) argument(n parse.Node) {
	switch n := n.(type) {
	case *parse.PipeNode:
		w.pipe(n)
	case *parse.ChainNode:
		w.argument(n.Node)
	case *parse.FieldNode:
		// Below with and range the dot may be something else; then this is a label too many, which does no harm.
		w.found[n.Ident[0]] = true
	case *parse.VariableNode:
		if n.Ident[0] != "$" {
			return
		}
		if len(n.Ident) == 1 {
			w.template.all = true
		} else {
			w.found[n.Ident[1]] = true
		}
	case *parse.DotNode:
		w.template.all = true
	case *parse.IdentifierNode:
		if n.Ident == roundFunction {
			w.err = fmt.Errorf("function %q not defined", n.Ident)
		}
		w.template.row = w.template.row || n.Ident == lineFunction || n.Ident == timeFunction
	}
}

// simplify returns the segments of a template that has nothing but texts, {{.label}} and {{__line__}}; else nil.
func simplify(root *parse.ListNode) []segment {
	segments := make([]segment, 0, len(root.Nodes))
	for _, n := range root.Nodes {
		switch n := n.(type) {
		case *parse.TextNode:
			segments = append(segments, segment{text: string(n.Text)})
			continue
		case *parse.ActionNode:
			if len(n.Pipe.Decl) > 0 || len(n.Pipe.Cmds) != 1 || len(n.Pipe.Cmds[0].Args) != 1 {
				return nil
			}
			switch arg := n.Pipe.Cmds[0].Args[0].(type) {
			case *parse.FieldNode:
				if len(arg.Ident) == 1 {
					segments = append(segments, segment{label: arg.Ident[0]})
					continue
				}
			case *parse.IdentifierNode:
				if arg.Ident == lineFunction {
					segments = append(segments, segment{})
					continue
				}
			}
		}
		return nil
	}
	return segments
}

// errResult says that a template's result is too long.
var errResult = fmt.Errorf("the result is longer than the limit of %d bytes", maxResultBytes)

// result is a buffer with a limit.
type result struct{ buffer []byte }

// Write implements io.Writer.
func (r *result) Write(p []byte) (int, error) {
	if len(r.buffer)+len(p) > maxResultBytes {
		return 0, errResult
	}
	r.buffer = append(r.buffer, p...)
	return len(p), nil
}

// compile makes the template that runs with the functions of e.
func (t *Template) compile(e *Executor) (*template.Template, error) {
	return template.New(templateName).Option("missingkey=zero").Funcs(e.functions()).AddParseTree(templateName, t.tree)
}
