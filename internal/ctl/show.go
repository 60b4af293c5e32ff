package ctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/seamarkhq/seamark/api/client"
)

// show writes an answer: JSON in the chosen form, all else as it comes.
func (r *run) show(c *command, stream *client.Stream) error {
	media, _, _ := mime.ParseMediaType(stream.ContentType)
	if media != "application/json" {
		_, err := io.Copy(r.Out, stream)
		return errors.Join(err, stream.Close())
	}
	text, err := readAll(stream)
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(text))) == 0 {
		return nil
	}
	value, err := parseJSON(text)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return r.showValue(c, value)
}

func readAll(stream *client.Stream) ([]byte, error) {
	text, err := io.ReadAll(stream)
	return text, errors.Join(err, stream.Close())
}

func (r *run) showValue(c *command, value any) error {
	switch r.global.output {
	case "json":
		enc := json.NewEncoder(r.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(value)
	case "yaml":
		node, err := toNode(value)
		if err != nil {
			return err
		}
		enc := yaml.NewEncoder(r.Out)
		enc.SetIndent(2)
		return errors.Join(enc.Encode(node), enc.Close())
	}
	list, isList := entriesOf(c, value)
	if !isList {
		return r.showObject(value)
	}
	return r.showTable(c.columns, list)
}

// entriesOf returns the list that an answer is about.
func entriesOf(c *command, value any) ([]any, bool) {
	if list, ok := value.([]any); ok {
		return list, true
	}
	for _, path := range []string{c.entries, "items"} {
		if path == "" {
			continue
		}
		if list, ok := at(value, path).([]any); ok {
			return list, true
		}
	}
	return nil, false
}

// showTable writes one line for each entry.
func (r *run) showTable(columns []string, list []any) error {
	if len(columns) == 0 {
		columns = columnsOf(list)
	}
	w := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	if !r.global.noHeaders {
		heads := make([]string, len(columns))
		for i, column := range columns {
			heads[i] = headOf(column)
		}
		_, _ = fmt.Fprintln(w, strings.Join(heads, "\t"))
	}
	for _, entry := range list {
		cells := make([]string, len(columns))
		for i, column := range columns {
			if column == "" {
				cells[i] = cell(entry)
				continue
			}
			cells[i] = cell(at(entry, column))
		}
		_, _ = fmt.Fprintln(w, strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	return w.Flush()
}

// headOf writes a field's name as the head of its column: status.endsAt is STATUS ENDS AT.
func headOf(column string) string {
	column = regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(column, "$1 $2")
	return strings.ToUpper(strings.NewReplacer("_", " ", ".", " ").Replace(column))
}

// columnsOf returns the fields that any entry has and that fit in a cell; one column without a name for what is no object.
func columnsOf(list []any) []string {
	var columns []string
	seen := map[string]bool{}
	for _, entry := range list {
		o, ok := entry.(*object)
		if !ok {
			return []string{""}
		}
		for _, name := range o.names {
			if _, nested := o.values[name].(*object); !nested && !seen[name] {
				seen[name] = true
				columns = append(columns, name)
			}
		}
	}
	return columns
}

// showObject writes one line for each field.
func (r *run) showObject(value any) error {
	o, ok := value.(*object)
	if !ok {
		_, err := fmt.Fprintln(r.Out, cell(value))
		return err
	}
	w := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	writeFields(w, "", o)
	return w.Flush()
}

func writeFields(w io.Writer, prefix string, o *object) {
	for _, name := range o.names {
		if inner, ok := o.values[name].(*object); ok {
			writeFields(w, prefix+name+".", inner)
			continue
		}
		_, _ = fmt.Fprintf(w, "%s%s\t%s\n", prefix, name, cell(o.values[name]))
	}
}

// maxCell bounds a cell in characters. What is cut is whole with -o json.
const maxCell = 100

// cell writes a value in one line. Control characters, which could move a terminal's cursor, are left out: what stands in
// logs and events was written by strangers.
func cell(value any) string {
	text := ""
	switch v := value.(type) {
	case nil:
		return "-"
	case string:
		text = v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return "?"
		}
		text = string(encoded)
		if list, ok := v.([]any); ok && allScalars(list) {
			text = joined(list)
		}
	}
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return ' '
		case unicode.IsControl(c):
			return -1
		}
		return c
	}, text)
	if utf8.RuneCountInString(text) > maxCell {
		text = string([]rune(text)[:maxCell-1]) + "…"
	}
	if text == "" {
		return "-"
	}
	return text
}

func allScalars(list []any) bool {
	for _, item := range list {
		switch item.(type) {
		case *object, []any:
			return false
		}
	}
	return true
}

func joined(list []any) string {
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i] = fmt.Sprint(item)
	}
	return strings.Join(parts, ",")
}
