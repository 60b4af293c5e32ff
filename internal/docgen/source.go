package docgen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fault is one way in which an error id is used.
type Fault struct {
	ID      string
	Kind    string // the constant's name in package seamark; "" for rows refused out of a request that is otherwise taken
	Message string // as customers see it, with … for what differs; "" when the message is another library's
	Package string // folder
}

var idPattern = regexp.MustCompile(`^seamark(-[a-z0-9]+){2,}$`)

// skipped are folders without errors for customers: tests' helpers, and what only runs beside the product.
var skipped = []string{"node_modules", "testdata", "testkit", "docgen", "e2e", "bench", "catalogtest", "tools", "bin", "data", "dist"}

// Faults reads every error id out of the source text below root, sorted by id, kind, package and message.
func Faults(root string) ([]Fault, error) {
	byFolder := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && (slices.Contains(skipped, d.Name()) || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		folder := path.Dir(filepath.ToSlash(rel))
		byFolder[folder] = append(byFolder[folder], file)
		return err
	})
	if err != nil {
		return nil, err
	}
	var list []Fault
	packages, shared := map[string]*pkg{}, map[string]helper{}
	for folder, files := range byFolder {
		p := &pkg{folder: folder, constants: map[string]string{}, helpers: map[string]helper{}, shared: shared}
		p.collect(files)
		packages[folder] = p
		for name, h := range p.helpers {
			if ast.IsExported(name) {
				shared[path.Base(folder)+"."+name] = h
			}
		}
	}
	for folder, files := range byFolder {
		list = append(list, packages[folder].faults(files)...)
	}
	slices.SortFunc(list, func(a, b Fault) int {
		return slices.Compare([]string{a.ID, a.Kind, a.Package, a.Message}, []string{b.ID, b.Kind, b.Package, b.Message})
	})
	return slices.Compact(list), nil
}

// pkg is what one package's calls refer to.
type pkg struct {
	folder    string
	constants map[string]string // string constants by name
	helpers   map[string]helper // functions that make an error out of an id they are given
	shared    map[string]helper // those of all packages, by package and name
}

// helper is a function that hands its parameter to seamark.Errorf or Wrap, as the id or as the message.
type helper struct {
	kind, id, message string
	idAt, messageAt   int // among its parameters; -1 when the helper says it itself
}

func (p *pkg) collect(files []*ast.File) {
	for _, f := range files {
		for _, decl := range f.Decls {
			if d, ok := decl.(*ast.GenDecl); ok {
				p.collectConstants(d)
			}
		}
	}
	for _, f := range files { // after the constants, which helpers use
		for _, decl := range f.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok {
				p.collectHelper(d)
			}
		}
	}
}

func (p *pkg) collectConstants(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || d.Tok != token.CONST {
			continue
		}
		for i, name := range v.Names {
			if i < len(v.Values) {
				if text, ok := literal(v.Values[i]); ok {
					p.constants[name.Name] = text
				}
			}
		}
	}
}

func (p *pkg) collectHelper(d *ast.FuncDecl) {
	if d.Body == nil {
		return
	}
	var params []string
	for _, field := range d.Type.Params.List {
		for _, name := range field.Names {
			params = append(params, name.Name)
		}
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		kind, id, format, ok := constructor(call)
		if !ok {
			return true
		}
		h := helper{kind: kind, idAt: parameter(params, id), messageAt: parameter(params, format)}
		if h.idAt >= 0 || h.messageAt >= 0 {
			h.id, _ = p.value(id)
			h.message, _ = literal(format)
			p.helpers[d.Name.Name] = h
		}
		return true
	})
}

// parameter returns which of the parameters an expression is, or -1.
func parameter(params []string, e ast.Expr) int {
	name, ok := e.(*ast.Ident)
	if !ok {
		return -1
	}
	return slices.Index(params, name.Name)
}

func (p *pkg) faults(files []*ast.File) []Fault {
	var list []Fault
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if fault, ok := p.fault(call); ok {
				fault.Package = p.folder
				list = append(list, fault)
			}
			return true
		})
	}
	// An id that reaches its error through variables is at least listed.
	for _, text := range p.constants {
		if idPattern.MatchString(text) && !slices.ContainsFunc(list, func(f Fault) bool { return f.ID == text }) {
			list = append(list, Fault{ID: text, Package: p.folder})
		}
	}
	return list
}

// fault reads one call: seamark.Errorf or Wrap, a helper of the package that ends in one of them, or a refusal of rows.
func (p *pkg) fault(call *ast.CallExpr) (Fault, bool) {
	if kind, id, format, ok := constructor(call); ok {
		text, known := p.value(id)
		message, constant := literal(format)
		// A message that is a variable is the helper's parameter, and its callers are read instead.
		return Fault{ID: text, Kind: kind, Message: readable(message)}, known && constant && idPattern.MatchString(text)
	}
	h, ok := p.helperOf(call)
	if ok && h.idAt < 0 && h.messageAt < len(call.Args) {
		message, constant := literal(call.Args[h.messageAt])
		return Fault{ID: h.id, Kind: h.kind, Message: readable(message)}, constant
	}
	for i, arg := range call.Args {
		id, known := p.value(arg)
		if !known || !idPattern.MatchString(id) {
			continue
		}
		message := h.message
		if !ok || strings.Trim(message, "%s") == "" {
			message = p.sentence(call.Args[i+1:])
		}
		return Fault{ID: id, Kind: h.kind, Message: readable(message)}, true
	}
	return Fault{}, false
}

// helperOf returns the helper that is called, of this package or another.
func (p *pkg) helperOf(call *ast.CallExpr) (helper, bool) {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		if x, ok := f.X.(*ast.Ident); ok {
			if h, ok := p.shared[x.Name+"."+f.Sel.Name]; ok {
				return h, true
			}
		}
	}
	h, ok := p.helpers[calledName(call)]
	return h, ok
}

// constructor takes apart a call of seamark.Errorf(kind, id, format, ...) or seamark.Wrap(err, kind, id, format, ...).
func constructor(call *ast.CallExpr) (kind string, id, format ast.Expr, ok bool) {
	args := call.Args
	switch calledName(call) {
	case "Wrap":
		if len(args) < 1 {
			return "", nil, nil, false
		}
		args = args[1:]
	case "Errorf":
	default:
		return "", nil, nil, false
	}
	if len(args) < 3 {
		return "", nil, nil, false
	}
	switch k := args[0].(type) {
	case *ast.SelectorExpr:
		if x, isName := k.X.(*ast.Ident); !isName || x.Name != "seamark" {
			return "", nil, nil, false
		}
		kind = k.Sel.Name
	case *ast.Ident: // in package seamark itself, or a variable
		if !k.IsExported() {
			return "", nil, nil, false
		}
		kind = k.Name
	default:
		return "", nil, nil, false
	}
	return kind, args[1], args[2], true
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		return f.Sel.Name
	case *ast.Ident:
		return f.Name
	}
	return ""
}

// value returns an expression's text when it is a literal or a constant of the package.
func (p *pkg) value(e ast.Expr) (string, bool) {
	if name, ok := e.(*ast.Ident); ok {
		text, known := p.constants[name.Name]
		return text, known
	}
	return literal(e)
}

// sentence finds the first text with a space in it, inside calls such as fmt.Sprintf too.
func (p *pkg) sentence(args []ast.Expr) string {
	for _, arg := range args {
		if call, ok := arg.(*ast.CallExpr); ok {
			if text := p.sentence(call.Args); text != "" {
				return text
			}
		}
		if text, ok := p.value(arg); ok && strings.Contains(text, " ") {
			return text
		}
	}
	return ""
}

// literal returns the text of a string literal, or of several joined with +.
func literal(e ast.Expr) (string, bool) {
	switch v := e.(type) {
	case *ast.BasicLit:
		if v.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(v.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, okLeft := literal(v.X)
		right, okRight := literal(v.Y)
		switch {
		case okLeft && okRight:
			return left + right, true
		case okLeft:
			return left + "%s", true
		case okRight:
			return "%s" + right, true
		}
	case *ast.ParenExpr:
		return literal(v.X)
	}
	return "", false
}

var verb = regexp.MustCompile(`%[-+# 0]*\d*(\.\d+)?[a-zA-Z]`)

// readable replaces formatting verbs by an ellipsis; a message that is nothing but a verb is another library's.
func readable(format string) string {
	text := strings.TrimSpace(strings.ReplaceAll(verb.ReplaceAllString(format, "…"), "%%", "%"))
	if strings.Trim(text, "… ") == "" {
		return ""
	}
	return text
}
