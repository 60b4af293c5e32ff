package sql

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
	"github.com/seamarkhq/seamark/querier/sql/guard"
)

// The limits of parameters. They travel in the address of a request to the engine.
const (
	maxParameters     = 50
	maxParameterBytes = 64 << 10 // of all together, written for the engine
)

const idParameter = "seamark-sql-parameter"

// bind writes the values of a statement's parameters as the engine reads them. It takes each for a value of its type, whatever is in it.
func bind(wanted []guard.Parameter, given map[string]json.RawMessage) (map[string]string, error) {
	if len(wanted) > maxParameters {
		return nil, seamark.Errorf(seamark.Invalid, idParameter, "The statement has %d parameters; at most %d are allowed.", len(wanted), maxParameters)
	}
	values, total := map[string]string{}, 0
	for _, p := range wanted {
		raw, ok := given[p.Name]
		if !ok {
			return nil, seamark.Errorf(seamark.Invalid, idParameter, "The parameter {%s:%s} has no value; add %q to the field parameters.", p.Name, p.Type, p.Name)
		}
		value, err := parameterText(raw)
		if err != nil {
			return nil, seamark.Wrap(err, seamark.Invalid, idParameter, "The value of the parameter %s cannot be used: %s.", p.Name, err)
		}
		values[p.Name] = value
		total += len(value)
	}
	if total > maxParameterBytes {
		return nil, seamark.Errorf(seamark.Invalid, idParameter, "The values of the parameters have %d bytes; at most %d are allowed.", total, maxParameterBytes)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := values[name]; !ok {
			return nil, seamark.Errorf(seamark.Invalid, idParameter, "The statement has no parameter %s; write it as {%s:String}, for example, or leave it out of the field parameters.", name, name)
		}
	}
	return values, nil
}

// parameterText writes a value as a field of a TSV file.
func parameterText(raw json.RawMessage) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber() // a number of 64 bits keeps its last digits
	var value any
	if err := decoder.Decode(&value); err != nil {
		return "", err
	}
	if s, ok := value.(string); ok {
		return escaped.Replace(s), nil
	}
	var b strings.Builder
	err := writeValue(&b, value)
	return b.String(), err
}

// escaped replaces what has a meaning in a TSV file.
var escaped = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "\b", `\b`, "\f", `\f`)

// quotedText is a text inside an array or a map.
func quotedText(s string) string {
	return "'" + strings.ReplaceAll(escaped.Replace(s), "'", `\'`) + "'"
}

func writeValue(b *strings.Builder, value any) error {
	switch v := value.(type) {
	case nil:
		if b.Len() == 0 {
			b.WriteString(`\N`)
			return nil
		}
		b.WriteString("NULL")
	case bool:
		fmt.Fprint(b, v)
	case json.Number:
		b.WriteString(v.String())
	case string:
		b.WriteString(quotedText(v))
	case []any:
		return writeList(b, v)
	case map[string]any:
		return writeMap(b, v)
	default:
		return fmt.Errorf("it is a %T", v)
	}
	return nil
}

func writeList(b *strings.Builder, list []any) error {
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := writeValue(b, v); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func writeMap(b *strings.Builder, m map[string]any) error {
	b.WriteByte('{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quotedText(key) + ":")
		if err := writeValue(b, m[key]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}
