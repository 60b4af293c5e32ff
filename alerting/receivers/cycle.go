package receivers

import (
	"fmt"
	texttemplate "text/template"
	"text/template/parse"
)

// refuseCycles refuses templates that call themselves, directly or through others: each call takes stack, and nothing bounds
// their depth but 100,000. Without cycles the depth is bounded by the number of templates.
func refuseCycles(all []*texttemplate.Template) error {
	calls := map[string][]string{}
	for _, t := range all {
		if t.Tree != nil {
			calls[t.Name()] = called(t.Tree.Root, nil)
		}
	}
	const open, closed = 1, 2
	state := make(map[string]int, len(calls))
	var walk func(name string) error
	walk = func(name string) error {
		switch state[name] {
		case open:
			return fmt.Errorf("the template %q calls itself", name)
		case closed:
			return nil
		}
		state[name] = open
		for _, next := range calls[name] {
			if err := walk(next); err != nil {
				return err
			}
		}
		state[name] = closed
		return nil
	}
	for name := range calls {
		if err := walk(name); err != nil {
			return err
		}
	}
	return nil
}

// called adds the names of the templates that a list calls.
func called(list *parse.ListNode, names []string) []string {
	if list == nil {
		return names
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TemplateNode:
			names = append(names, n.Name)
		case *parse.IfNode:
			names = called(n.ElseList, called(n.List, names))
		case *parse.WithNode:
			names = called(n.ElseList, called(n.List, names))
		case *parse.RangeNode:
			names = called(n.ElseList, called(n.List, names))
		}
	}
	return names
}
