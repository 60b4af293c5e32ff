package logexplore

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// extractedSuffix tells a parsed field from a label of the stream that has its name.
const extractedSuffix = "_extracted"

// findPaths remembers where in a JSON line its fields stand, for those of which that is not known yet.
func (d *detector) findPaths(line string) {
	missing := false
	for _, f := range d.fields {
		if _, ok := f.parsers[parserJSON]; ok && f.path == nil {
			missing = true
			break
		}
	}
	if !missing {
		return
	}
	var object map[string]any
	if json.Unmarshal([]byte(line), &object) == nil {
		d.walk(object, "", nil)
	}
}

// walk sets the paths of an object's fields; name and path lead to the object.
func (d *detector) walk(object map[string]any, name string, path []string) {
	for key, value := range object {
		inner := fieldName(name, key)
		to := slices.Concat(path, []string{key})
		if nested, ok := value.(map[string]any); ok {
			d.walk(nested, inner, to)
			continue
		}
		for _, spelling := range []string{inner, inner + extractedSuffix} {
			f := d.fields[spelling]
			if f == nil || f.path != nil {
				continue
			}
			if _, ok := f.parsers[parserJSON]; ok {
				f.path = to
				break
			}
		}
	}
}

// fieldName returns the name that LogQL's json parser gives to a key below a name: what cannot stand in a label's name is an
// underscore, as is what joins keys.
func fieldName(name, key string) string {
	var b strings.Builder
	b.WriteString(name)
	if name != "" {
		b.WriteByte('_')
	}
	for i, r := range key {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == ':':
			b.WriteRune(r)
		case r >= '0' && r <= '9':
			if i == 0 && b.Len() == 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

func nanos(t int64) time.Time { return time.Unix(0, t) }
