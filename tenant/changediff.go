package tenant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxDifferencesBytes bounds what a record tells of its document. Without it a dashboard that is replaced is a record of its size,
	// twice.
	maxDifferencesBytes = 16 << 10
	// maxDifferences keeps a record readable: of a document that is all new nobody reads each field.
	maxDifferences = 200
	// maxDifferenceBytes bounds one value; a longer one is told by its size. Without it one text leaves no room for the others.
	maxDifferenceBytes = 2 << 10
)

// Difference is one place of a document that a change has changed. Before and After are JSON, nil where the place was not there.
type Difference struct {
	Path   string          `json:"path"` // such as .title or .steps[name=hide].patterns
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Differences are what a change tells of its document.
type Differences struct {
	List      []Difference
	Truncated bool // there are more than fit
}

// Compare tells in what two documents differ, bounded, and without what is called like a secret. A nil document is one that is
// not there: of a new one its members are told. The documents must be such as may be digested, without secrets; what is
// masked here is a second line.
func Compare(before, after any) (Differences, error) {
	d := differ{}
	was, err := plainJSON(before)
	if err != nil {
		return Differences{}, fmt.Errorf("compare documents: %w", err)
	}
	is, err := plainJSON(after)
	if err != nil {
		return Differences{}, fmt.Errorf("compare documents: %w", err)
	}
	d.compare("", orObject(was), orObject(is))
	return Differences{List: d.list, Truncated: d.truncated}, nil
}

// orObject makes the members of a document that is not there places that are not there.
func orObject(document any) any {
	if document == nil {
		return map[string]any{}
	}
	return document
}

// plainJSON returns a document as its JSON decodes; numbers keep their digits.
func plainJSON(document any) (any, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out any
	err = d.Decode(&out)
	return out, err
}

// differ collects differences.
type differ struct {
	list      []Difference
	bytes     int
	truncated bool
}

// place is a member of an object, or an element of a list: what it was and is, and whether it was and is there.
type place struct {
	before, after any
	had, has      bool
}

// selfEvident are members of whole documents that differ after every change and tell nothing that the record does not.
var selfEvident = []string{".created_at", ".updated_at", ".revision"}

func (d *differ) visit(path, name string, p place) {
	switch {
	case slices.Contains(selfEvident, path):
	case isSecretName(name):
		if !p.had || !p.has || string(encoded(p.before)) != string(encoded(p.after)) {
			d.add(path, hidden(p.had), hidden(p.has))
		}
	case p.had && p.has:
		d.compare(path, p.before, p.after)
	default:
		d.add(path, shown(p.before, p.had), shown(p.after, p.has))
	}
}

func (d *differ) compare(path string, before, after any) {
	if was, is, ok := both[map[string]any](before, after); ok {
		for _, name := range slices.Sorted(maps.Keys(union(was, is))) {
			d.visit(path+stepTo(name), name, placeOf(was, is, name))
		}
		return
	}
	if was, is, ok := both[[]any](before, after); ok {
		for _, key := range []string{"name", "id", "alert", "record"} {
			old, known := indexed(was, key)
			fresh, distinct := indexed(is, key)
			if !known || !distinct {
				continue
			}
			for _, name := range slices.Sorted(maps.Keys(union(old, fresh))) {
				d.visit(path+"["+key+"="+name+"]", "", placeOf(old, fresh, name))
			}
			if order(was, key, fresh) != order(is, key, old) {
				d.add(path+"[order]", encoded(order(was, key, nil)), encoded(order(is, key, nil)))
			}
			return
		}
	}
	if string(encoded(before)) != string(encoded(after)) {
		d.add(path, shown(before, true), shown(after, true))
	}
}

// add tells a difference, unless there is no room for it.
func (d *differ) add(path string, before, after json.RawMessage) {
	path = MaskTokens(path)
	size := len(path) + len(before) + len(after)
	if len(d.list) == maxDifferences || d.bytes+size > maxDifferencesBytes {
		d.truncated = true
		return
	}
	d.bytes += size
	d.list = append(d.list, Difference{Path: path, Before: before, After: after})
}

func both[T any](before, after any) (was, is T, ok bool) {
	was, ok1 := before.(T)
	is, ok2 := after.(T)
	return was, is, ok1 && ok2
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func placeOf(was, is map[string]any, name string) place {
	p := place{}
	p.before, p.had = was[name]
	p.after, p.has = is[name]
	return p
}

func stepTo(name string) string {
	if name == "" || strings.ContainsAny(name, `.[]"/ `) {
		return "[" + strconv.Quote(name) + "]"
	}
	return "." + name
}

// indexed returns a list's objects by a member that all have and no two share.
func indexed(list []any, key string) (map[string]any, bool) {
	out := make(map[string]any, len(list))
	for _, element := range list {
		name, ok := nameIn(element, key)
		if _, twice := out[name]; !ok || twice {
			return nil, false
		}
		out[name] = element
	}
	return out, true
}

func nameIn(element any, key string) (string, bool) {
	object, _ := element.(map[string]any)
	switch name := object[key].(type) {
	case string:
		return name, true
	case json.Number:
		return name.String(), true
	}
	return "", false
}

// order lists the names of a list's elements; with others, of those alone that others have, too.
func order(list []any, key string, others map[string]any) string {
	var names []string
	for _, element := range list {
		name, _ := nameIn(element, key)
		if _, known := others[name]; known || others == nil {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

var (
	secretName = regexp.MustCompile(`(?i)secret|passw|passphrase|token|credential|authorization|api_?key|private_?key|cookie`)
	// userInfo is what stands before the host of a URL.
	userInfo = regexp.MustCompile(`://[^/\s"@]+@`)
)

func isSecretName(name string) bool { return secretName.MatchString(name) }

// hidden stands for a value that is there and not told.
func hidden(there bool) json.RawMessage {
	if !there {
		return nil
	}
	return json.RawMessage(`"(not shown)"`)
}

// shown returns a value as the log keeps it.
func shown(value any, there bool) json.RawMessage {
	if !there {
		return nil
	}
	text := encoded(masked(value))
	if len(text) > maxDifferenceBytes {
		return encoded("(" + strconv.Itoa(len(text)) + " bytes)")
	}
	return text
}

// masked returns a value without what looks like a secret in it.
func masked(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			if isSecretName(name) {
				member = "(not shown)"
			}
			out[MaskTokens(name)] = masked(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = masked(element)
		}
		return out
	case string:
		return userInfo.ReplaceAllString(MaskTokens(v), "://(not shown)@")
	}
	return value
}

func encoded(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil { // what was decoded from JSON can be encoded
		return nil
	}
	return text
}
