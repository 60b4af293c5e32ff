package modules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// module is the blocks and references of one folder of Terraform files.
type module struct {
	folder string
	blocks []*hclsyntax.Block   // of the top level
	locals map[string]hcl.Range // by name
	files  map[string][]byte
}

// load parses every Terraform file of a folder.
func load(folder string) (*module, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s has no Terraform files", folder)
	}
	m := &module{folder: folder, locals: map[string]hcl.Range{}, files: map[string][]byte{}}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, faults := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
		if faults.HasErrors() {
			return nil, faults
		}
		m.files[name] = text
		body, ok := file.Body.(*hclsyntax.Body)
		if !ok {
			return nil, fmt.Errorf("%s is no native syntax", name)
		}
		for _, b := range body.Blocks {
			m.blocks = append(m.blocks, b)
			if b.Type == "locals" {
				for name, a := range b.Body.Attributes {
					m.locals[name] = a.SrcRange
				}
			}
		}
	}
	return m, nil
}

// of returns the blocks of a type.
func (m *module) of(kind string) []*hclsyntax.Block {
	return slices.DeleteFunc(slices.Clone(m.blocks), func(b *hclsyntax.Block) bool { return b.Type != kind })
}

// declared returns the addresses that references may name.
func (m *module) declared() map[string]bool {
	names := map[string]bool{}
	for name := range m.locals {
		names["local."+name] = true
	}
	for _, b := range m.blocks {
		switch {
		case b.Type == "variable":
			names["var."+b.Labels[0]] = true
		case b.Type == "module":
			names["module."+b.Labels[0]] = true
		case b.Type == "resource":
			names[strings.Join(b.Labels, ".")] = true
		case b.Type == "data" || b.Type == "ephemeral":
			names[b.Type+"."+strings.Join(b.Labels, ".")] = true
		}
	}
	return names
}

// reference is an address that an expression names.
type reference struct {
	address string
	path    []string // what of it is asked for
	at      hcl.Range
}

// references lists all addresses in a module. What an iteration or a block of its own names (each, count, self, path, terraform) and
// variables of for expressions, which the parser leaves out, are none.
func (m *module) references() (list []reference) {
	for _, b := range m.blocks {
		list = append(list, bodyReferences(b.Body)...)
	}
	return list
}

func bodyReferences(body *hclsyntax.Body) (list []reference) {
	for name, a := range body.Attributes {
		if name == "providers" || name == "ignore_changes" {
			continue // names of providers, and of the block's own arguments
		}
		for _, t := range a.Expr.Variables() {
			if r, ok := referenceOf(t); ok {
				list = append(list, r)
			}
		}
	}
	for _, b := range body.Blocks {
		list = append(list, bodyReferences(b.Body)...)
	}
	return list
}

func referenceOf(t hcl.Traversal) (reference, bool) {
	var parts []string
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			parts = append(parts, s.Name)
		case hcl.TraverseAttr:
			parts = append(parts, s.Name)
		}
	}
	length := 2
	switch parts[0] {
	case "each", "count", "self", "path", "terraform":
		return reference{}, false
	case "data", "ephemeral":
		length = 3
	}
	if len(parts) < length { // a keyword, such as that of ignore_changes
		return reference{}, false
	}
	return reference{strings.Join(parts[:length], "."), parts[length:], t.SourceRange()}, true
}

// attribute returns an attribute's expression, nil where there is none.
func attribute(b *hclsyntax.Block, name string) hclsyntax.Expression {
	if a := b.Body.Attributes[name]; a != nil {
		return a.Expr
	}
	return nil
}
