package httpx

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/seamarkhq/seamark/internal/seamark"
)

// maxFaults bounds what one answer tells. Without it a hostile body is answered with one many times its size.
const maxFaults = 20

// faultFinder compares a JSON document that could not be decoded with the type it was meant for. encoding/json stops at the
// first fault and tells no pointer.
type faultFinder struct{ faults []seamark.FieldFault }

// findFaults returns what is wrong with body for v's type. It finds nothing where body is no JSON at all.
func findFaults(body []byte, v any) []seamark.FieldFault {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var document any
	if dec.Decode(&document) != nil {
		return nil
	}
	var f faultFinder
	f.value("", document, reflect.TypeOf(v))
	return f.faults
}

func (f *faultFinder) add(pointer, format string, args ...any) {
	if len(f.faults) < maxFaults {
		f.faults = append(f.faults, seamark.FieldFault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
	}
}

// value compares one value with the type that it is decoded into.
func (f *faultFinder) value(pointer string, value any, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if value == nil || len(f.faults) == maxFaults {
		return // encoding/json leaves the zero value
	}
	if p := reflect.PointerTo(t); p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		f.opaque(pointer, value, t)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		f.object(pointer, value, t)
	case reflect.Map:
		object, ok := value.(map[string]any)
		if !ok {
			f.add(pointer, "It is %s, and must be an object.", kindOf(value))
		}
		for _, name := range slices.Sorted(maps.Keys(object)) {
			f.value(pointer+"/"+escapePointer(name), object[name], t.Elem())
		}
	case reflect.Slice, reflect.Array:
		list, ok := value.([]any)
		if !ok {
			f.add(pointer, "It is %s, and must be a list.", kindOf(value))
		}
		for i, item := range list {
			f.value(pointer+"/"+strconv.Itoa(i), item, t.Elem())
		}
	case reflect.Interface:
	default:
		f.scalar(pointer, value, t)
	}
}

// opaque asks a type that decodes itself.
func (f *faultFinder) opaque(pointer string, value any, t reflect.Type) {
	text, err := json.Marshal(value)
	if err != nil {
		return
	}
	if err := json.Unmarshal(text, reflect.New(t).Interface()); err != nil {
		f.add(pointer, "It is not in the form that is taken here: %s.", err)
	}
}

func (f *faultFinder) object(pointer string, value any, t reflect.Type) {
	object, ok := value.(map[string]any)
	if !ok {
		f.add(pointer, "It is %s, and must be an object.", kindOf(value))
		return
	}
	fields := fieldsOf(t)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		at := slices.IndexFunc(fields, func(have field) bool { return strings.EqualFold(have.name, name) })
		if at < 0 {
			f.add(pointer+"/"+escapePointer(name), "There is no such field here. The fields are %s.", namesOf(fields))
			continue
		}
		f.value(pointer+"/"+escapePointer(name), object[name], fields[at].t)
	}
}

func (f *faultFinder) scalar(pointer string, value any, t reflect.Type) {
	text, err := json.Marshal(value)
	if err != nil || json.Unmarshal(text, reflect.New(t).Interface()) == nil {
		return
	}
	switch t.Kind() {
	case reflect.String:
		f.add(pointer, "It is %s, and must be text.", kindOf(value))
	case reflect.Bool:
		f.add(pointer, "It is %s, and must be true or false.", kindOf(value))
	case reflect.Float32, reflect.Float64:
		f.add(pointer, "It is %s, and must be a number.", kindOf(value))
	default:
		f.add(pointer, "It is %s, and must be a whole number from %s.", kindOf(value), rangeOf(t))
	}
}

// rangeOf returns the numbers that an integer type holds.
func rangeOf(t reflect.Type) string {
	bits := t.Bits()
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		return "0 to " + strconv.FormatUint(1<<bits-1, 10)
	}
	most := uint64(1)<<(bits-1) - 1
	return "-" + strconv.FormatUint(most+1, 10) + " to " + strconv.FormatUint(most, 10)
}

func kindOf(value any) string {
	switch v := value.(type) {
	case string:
		return "text"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		if len(v) > 32 {
			return "a number"
		}
		return v.String()
	case []any:
		return "a list"
	}
	return "an object"
}

type field struct {
	name string
	t    reflect.Type
}

// fieldsOf lists the fields that encoding/json fills, those of embedded structs among them.
func fieldsOf(t reflect.Type) []field {
	var list []field
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case tag == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			list = append(list, fieldsOf(f.Type)...)
		case name == "":
			list = append(list, field{f.Name, f.Type})
		default:
			list = append(list, field{name, f.Type})
		}
	}
	return list
}

func namesOf(fields []field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// escapePointer escapes one token of a JSON pointer (RFC 6901, 3). Long names are cut: they are the sender's.
func escapePointer(name string) string {
	const most = 128
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "..."
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
