package events

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/internal/store"
)

const (
	// maxTextBytes bounds a search text and a value. Without it one request makes the store compare megabytes with every row.
	maxTextBytes = 1024
	// maxTerms bounds the words of a search text, maxValues the values that all conditions name. Without them one request
	// makes the store run thousands of comparisons with every row.
	maxTerms  = 16
	maxValues = 100
)

// Filter selects events by what they say. Is and Not are keyed by field: cluster, namespace, kind, object, reason, type,
// source, node, uid. Of a field in Is one of the values must be the event's, of a field in Not none. Text is words and
// "quoted phrases" that must all stand in the message, the object or the reason, in any case of letters; one with a dash
// before it must not. Empty fields select everything.
type Filter struct {
	Range   seamark.TimeRange
	Is, Not map[string][]string
	Text    string
	// After is the last event of the page before, for List alone.
	After *seamark.Event
}

// compile checks f and brings it into the store's form. Errors are of kind Invalid.
func (f *Filter) compile() (store.EventFilter, error) {
	out := store.EventFilter{Range: f.Range}
	if err := f.Range.Validate(); err != nil {
		return out, err
	}
	values := 0
	for _, side := range []struct {
		not    bool
		fields map[string][]string
	}{{false, f.Is}, {true, f.Not}} {
		for field := store.EventCluster; field <= store.EventUID; field++ {
			list := side.fields[field.String()]
			if len(list) == 0 {
				continue
			}
			for i, text := range list {
				if len(text) > maxTextBytes {
					return out, tooLong(field.String(), text)
				}
				if field == store.EventUID {
					list = slices.Clone(list)
					list[i] = strings.ToLower(text) // as the store prints them
				}
			}
			values += len(list)
			out.Conditions = append(out.Conditions, store.EventCondition{Field: field, Not: side.not, Values: list})
		}
		for name := range side.fields {
			if _, err := parseField(name, true); err != nil {
				return out, err
			}
		}
	}
	if values > maxValues {
		return out, seamark.Errorf(seamark.Invalid, "seamark-events-values", "The filter names %d values; the limit is %d. Name fewer, or search for a text.", values, maxValues)
	}
	var err error
	out.Terms, err = parseText(f.Text)
	return out, err
}

func tooLong(name, text string) error {
	return seamark.Errorf(seamark.Invalid, "seamark-events-text", "The %s has %d bytes; the limit is %d.", name, len(text), maxTextBytes)
}

// parseField reads the name of a field; uid says whether the uid is one.
func parseField(name string, uid bool) (store.EventField, error) {
	last := store.EventUID
	if uid {
		last++
	}
	names := make([]string, 0, last)
	for f := range last {
		if f.String() == name {
			return f, nil
		}
		names = append(names, f.String())
	}
	return 0, seamark.Errorf(seamark.Invalid, "seamark-events-field", "Events have no field %.40q here; use one of %s.", name, strings.Join(names, ", "))
}

// parseText reads words and quoted phrases, each with or without a dash before it. In a phrase \" is a quote and \\ a
// backslash.
func parseText(text string) ([]store.EventTerm, error) {
	if len(text) > maxTextBytes {
		return nil, tooLong("text", text)
	}
	var terms []store.EventTerm
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		var term store.EventTerm
		at := len(text) - len(rest)
		if len(rest) > 1 && rest[0] == '-' && !startsWithSpace(rest[1:]) {
			term.Not, rest = true, rest[1:]
		}
		if rest[0] == '"' {
			var closed bool
			if term.Text, rest, closed = phrase(rest[1:]); !closed {
				return nil, seamark.Errorf(seamark.Invalid, "seamark-events-quote", "The phrase that begins at byte %d of the text has no closing quote.", at+1)
			}
		} else {
			end := strings.IndexFunc(rest, unicode.IsSpace)
			if end < 0 {
				end = len(rest)
			}
			term.Text, rest = rest[:end], rest[end:]
		}
		if term.Text != "" {
			terms = append(terms, term)
		}
	}
	if len(terms) > maxTerms {
		return nil, seamark.Errorf(seamark.Invalid, "seamark-events-terms", "The text has %d words and phrases; the limit is %d. Put words that stand together into one phrase.", len(terms), maxTerms)
	}
	return terms, nil
}

func startsWithSpace(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsSpace(r)
}

// phrase reads up to the closing quote.
func phrase(text string) (found, rest string, closed bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:], true
		case c == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", false
}
