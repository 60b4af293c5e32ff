package lineformat

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// lineFunction returns the line, and timeFunction its time.
const (
	lineFunction = "__line__"
	timeFunction = "__timestamp__"
)

// functions returns the functions that a template can call beside those of text/template, as Loki's documentation lists
// them, with the older names that it still takes.
func (e *Executor) functions() template.FuncMap {
	all := template.FuncMap{
		lineFunction:             func() string { return e.line },
		roundFunction:            e.round,
		"regexReplaceAll":        e.regexReplaceAll,
		"regexReplaceAllLiteral": e.regexReplaceAllLiteral,
		"count":                  e.count,
	}
	for _, some := range []template.FuncMap{textFunctions(), numberFunctions(), e.timeFunctions()} {
		maps.Copy(all, some)
	}
	return all
}

// functionNames lists the functions that a query can call.
func functionNames() []string {
	all := (&Executor{}).functions()
	delete(all, roundFunction)
	return slices.Collect(maps.Keys(all))
}

func textFunctions() template.FuncMap {
	return template.FuncMap{
		"lower": strings.ToLower, "upper": strings.ToUpper, "title": title,
		"ToLower": strings.ToLower, "ToUpper": strings.ToUpper,
		"replace": func(from, to, s string) (string, error) { return replaceAll(s, from, to, -1) },
		"Replace": replaceAll,
		"trim":    strings.TrimSpace, "TrimSpace": strings.TrimSpace,
		"trimAll":    func(chars, s string) string { return strings.Trim(s, chars) },
		"trimPrefix": func(prefix, s string) string { return strings.TrimPrefix(s, prefix) },
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"Trim":       strings.Trim, "TrimLeft": strings.TrimLeft, "TrimRight": strings.TrimRight,
		"TrimPrefix": strings.TrimPrefix, "TrimSuffix": strings.TrimSuffix,
		"contains":  func(part, s string) bool { return strings.Contains(s, part) },
		"hasPrefix": func(prefix, s string) bool { return strings.HasPrefix(s, prefix) },
		"hasSuffix": func(suffix, s string) bool { return strings.HasSuffix(s, suffix) },
		"trunc":     truncate, "substr": substring, "repeat": repeat, "indent": indent,
		"nindent": func(n int, s string) (string, error) {
			text, err := indent(n, s)
			return "\n" + text, err
		},
		"alignLeft": alignLeft, "alignRight": alignRight,
		"default":   fallback,
		"urlencode": url.QueryEscape, "urldecode": url.QueryUnescape,
		"b64enc": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"b64dec": func(s string) (string, error) {
			text, err := base64.StdEncoding.DecodeString(s)
			return string(text), err
		},
		"fromJson": fromJSON,
	}
}

// title makes the first letter of every word large.
func title(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		inside := unicode.IsLetter(before) || unicode.IsDigit(before) || before == '_' || before == '\''
		before = r
		if inside {
			return r
		}
		return unicode.ToTitle(r)
	}, s)
}

// fits returns an error for a text that would be longer than the limit: count times n bytes.
func fits(count, n int) error {
	if count > 0 && n > maxResultBytes/count {
		return errResult
	}
	return nil
}

func replaceAll(s, from, to string, most int) (string, error) {
	if err := fits(strings.Count(s, from), len(to)); err != nil {
		return "", err
	}
	return strings.Replace(s, from, to, most), nil
}

func repeat(n int, s string) (string, error) {
	if n < 0 {
		return "", fmt.Errorf("repeat takes no negative count %d", n)
	}
	if err := fits(n, len(s)); err != nil {
		return "", err
	}
	return strings.Repeat(s, n), nil
}

func indent(n int, s string) (string, error) {
	blank, err := repeat(n, " ")
	if err != nil {
		return "", err
	}
	text, err := replaceAll(s, "\n", "\n"+blank, -1)
	return blank + text, err
}

// runesEnd returns the byte offset behind the first n characters of s.
func runesEnd(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// truncate keeps the first n characters of s, or with a negative n the last.
func truncate(n int, s string) string {
	if n >= 0 {
		return s[:runesEnd(s, n)]
	}
	return s[runesEnd(s, max(utf8.RuneCountInString(s)+n, 0)):]
}

// substring returns the characters of s from start to end. A negative start is the text's start, and a negative end its end.
func substring(start, end int, s string) string {
	first := runesEnd(s, max(start, 0))
	last := len(s)
	if end >= 0 {
		last = runesEnd(s, end)
	}
	return s[min(first, last):last]
}

// alignLeft makes s as wide as n characters: it cuts it at its end, or puts blanks there.
func alignLeft(n int, s string) (string, error) {
	if n < 0 {
		return s, nil
	}
	blank, err := repeat(max(n-utf8.RuneCountInString(s), 0), " ")
	return truncate(n, s) + blank, err
}

// alignRight does what alignLeft does, at the text's start.
func alignRight(n int, s string) (string, error) {
	if n < 0 {
		return s, nil
	}
	blank, err := repeat(max(n-utf8.RuneCountInString(s), 0), " ")
	if n == 0 {
		return "", err
	}
	return blank + truncate(-n, s), err
}

// fallback returns value, or if it is empty other.
func fallback(other any, value ...any) any {
	if len(value) == 0 || value[0] == nil {
		return other
	}
	v := reflect.ValueOf(value[0])
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		if v.Len() == 0 {
			return other
		}
	default:
		if v.IsZero() {
			return other
		}
	}
	return value[0]
}

// fromJSON decodes a document; what is none is the empty text.
func fromJSON(s string) any {
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return ""
	}
	return v
}

func (e *Executor) regexReplaceAll(expr, s, replacement string) (string, error) {
	re, err := e.regexp(expr)
	if err != nil {
		return "", err
	}
	// A group is at most as long as its match.
	groups := strings.Count(replacement, "$")
	var out []byte
	last := 0
	for _, at := range re.FindAllStringSubmatchIndex(s, -1) {
		if len(out)+len(replacement) > maxResultBytes || fits(groups, at[1]-at[0]) != nil {
			return "", errResult
		}
		out = append(out, s[last:at[0]]...)
		out = re.ExpandString(out, replacement, s, at)
		last = at[1]
	}
	return string(append(out, s[last:]...)), nil
}

func (e *Executor) regexReplaceAllLiteral(expr, s, replacement string) (string, error) {
	re, err := e.regexp(expr)
	if err != nil {
		return "", err
	}
	if err := fits(len(re.FindAllStringIndex(s, -1)), len(replacement)); err != nil {
		return "", err
	}
	return re.ReplaceAllLiteralString(s, replacement), nil
}

// count returns how often an expression matches.
func (e *Executor) count(expr, s string) (int, error) {
	re, err := e.regexp(expr)
	if err != nil {
		return 0, err
	}
	return len(re.FindAllStringIndex(s, -1)), nil
}
