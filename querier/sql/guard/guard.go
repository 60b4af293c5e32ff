package guard

import (
	"slices"
	"strings"
)

// Limits bound a statement before it is understood.
type Limits struct {
	// MaxBytes is the length of its text. Without it one request makes the engine parse for seconds.
	MaxBytes int
	// MaxDepth is how deep brackets and queries stand inside each other. The parser calls itself at each.
	MaxDepth int
	// MaxViews is how often views are named. Each naming makes the statement longer by its definition.
	MaxViews int
}

// DefaultLimits are limits that no statement of a person comes near.
func DefaultLimits() Limits { return Limits{MaxBytes: 64 << 10, MaxDepth: 60, MaxViews: 32} }

// Guard checks statements. It is safe for concurrent use.
type Guard struct {
	limits    Limits
	views     []string
	columns   map[string]bool // of views, in small letters
	functions functions
}

// New returns a guard that lets statements read the views with those names and columns.
func New(limits Limits, views map[string][]string) (*Guard, error) {
	g := &Guard{limits: limits, columns: map[string]bool{}}
	for view, columns := range views {
		g.views = append(g.views, view)
		for _, c := range columns {
			g.columns[strings.ToLower(c)] = true
		}
	}
	slices.Sort(g.views)
	var err error
	g.functions, err = readFunctions()
	return g, err
}

// Parameter is a value that a statement takes, named in it as {name:Type}.
type Parameter struct{ Name, Type string }

// Statement is a statement that may run. It reads the views that it names, and nothing else.
type Statement struct {
	Views      []string // that it names, each once, sorted
	Parameters []Parameter

	pieces []piece
	names  map[string]int // each name in it, with the offset where it stands first
	all    bool           // it has a * or a pattern of columns
	text   string
}

// piece is text that goes to the engine, or the name of a view that goes there as its definition.
type piece struct{ text, view string }

// Check reads a statement. Its errors are of kind Invalid, and say where and what is wrong, and what is allowed.
func (g *Guard) Check(sql string) (*Statement, error) {
	tokens, l, err := cut(sql, g.limits.MaxBytes)
	if err != nil {
		return nil, err
	}
	p := &parser{guard: g, lexer: l, tokens: tokens, statement: &Statement{names: map[string]int{}, text: sql}}
	if err := p.whole(); err != nil {
		return nil, err
	}
	s := p.statement
	s.pieces = append(s.pieces, piece{text: p.out.String()})
	slices.Sort(s.Views)
	s.Views = slices.Compact(s.Views)
	return s, nil
}

// Render returns the statement for the engine. define returns what stands for a view: a query without its brackets.
func (s *Statement) Render(define func(view string) (string, error)) (string, error) {
	var b strings.Builder
	for _, p := range s.pieces {
		if p.view == "" {
			b.WriteString(p.text)
			continue
		}
		definition, err := define(p.view)
		if err != nil {
			return "", err
		}
		b.WriteString("(" + definition + ")")
	}
	return b.String(), nil
}

// Mentions reports whether a column of that name may be read: it is named somewhere, or all columns are.
func (s *Statement) Mentions(name string) bool {
	_, named := s.names[name]
	return named || s.all
}

// Find returns line and column of the first place where a name stands, 0 where it does not.
func (s *Statement) Find(name string) (line, column int) {
	offset, ok := s.names[name]
	if !ok {
		return 0, 0
	}
	at := positionOf(s.text, offset)
	return at.line, at.column
}
