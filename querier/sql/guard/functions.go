package guard

import (
	_ "embed"
	"fmt"
	"strings"
)

// functionFile is the list of the engine's functions: one in a line, allowed or not, `a` for aggregate functions and `i` for those whose
// name is written in any case.
//
//go:embed functions.txt
var functionFile string

// functions says which of the engine's functions may be called. A test compares the list with the engine's own, so that a new version
// brings none that nobody has decided about.
type functions struct {
	allowed map[string]function // by name
	folded  map[string]string   // names that are written in any case, by the name in small letters
	refused map[string]bool     // in small letters
}

type function struct{ aggregate bool }

func readFunctions() (functions, error) {
	f := functions{allowed: map[string]function{}, folded: map[string]string{}, refused: map[string]bool{}}
	for line := range strings.Lines(functionFile) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if len(fields) < 2 || fields[0] != "yes" && fields[0] != "no" {
			return f, fmt.Errorf("functions.txt has the line %q", line)
		}
		name := fields[1]
		if fields[0] == "no" {
			f.refused[strings.ToLower(name)] = true
			continue
		}
		marks := strings.Join(fields[2:], "")
		f.allowed[name] = function{aggregate: strings.Contains(marks, "a")}
		if strings.Contains(marks, "i") {
			f.folded[strings.ToLower(name)] = name
		}
	}
	return f, nil
}

// find returns how the engine writes an allowed function.
func (f *functions) find(name string) (string, bool) {
	if found, ok := f.plain(name); ok {
		return found, true
	}
	return f.aggregate(name)
}

func (f *functions) plain(name string) (string, bool) {
	if _, ok := f.allowed[name]; ok {
		return name, true
	}
	found, ok := f.folded[strings.ToLower(name)]
	return found, ok
}

// refuses reports whether the engine has a function of that name, in any case, which is not allowed. A name that is a refused
// function's in one case and an allowed one's in another is judged as it is written.
func (f *functions) refuses(name string) bool {
	if _, ok := f.plain(name); ok {
		return false
	}
	return f.refused[strings.ToLower(name)]
}

// near returns an allowed function whose name differs by its case alone.
func (f *functions) near(name string) string {
	for known := range f.allowed {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return ""
}
