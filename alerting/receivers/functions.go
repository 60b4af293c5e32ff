package receivers

import (
	"errors"
	"fmt"
	"reflect"
	texttemplate "text/template"
	"time"

	"github.com/prometheus/alertmanager/template"
)

// functions returns Alertmanager's functions and those of Go's templates that make strings, each under the budget: what
// goes in and what comes out is bounded, so that no chain of calls makes a value that does not fit.
func (e *execution) functions() map[string]any {
	all := make(map[string]any, len(template.DefaultFuncs)+8)
	for name, fn := range template.DefaultFuncs {
		all[name] = e.bounded(fn)
	}
	for name, fn := range map[string]any{
		"print": fmt.Sprint, "println": fmt.Sprintln, "html": texttemplate.HTMLEscaper, "js": texttemplate.JSEscaper, "urlquery": texttemplate.URLQueryEscaper,
	} {
		all[name] = e.bounded(fn)
	}
	wide := wideVerb()
	all["printf"] = e.bounded(func(format string, args ...any) (string, error) {
		if wide.MatchString(format) {
			return "", errors.New("printf takes widths and precisions of at most three digits")
		}
		return fmt.Sprintf(format, args...), nil
	})
	all["join"] = e.bounded(func(sep string, list []string) (string, error) {
		if len(sep)*len(list) > maxTemplateValue {
			return "", errTemplateValue
		}
		return template.DefaultFuncs["join"].(func(string, []string) string)(sep, list), nil //nolint:forcetypeassert // upstream's function
	})
	all["reReplaceAll"] = e.bounded(func(pattern, with, text string) (string, error) {
		// A match may be repeated by each reference of the replacement, of which there is at most one in two bytes.
		if (len(with)+1)*(len(text)+1) > 4*maxTemplateValue {
			return "", errTemplateValue
		}
		return template.DefaultFuncs["reReplaceAll"].(func(string, string, string) string)(pattern, with, text), nil //nolint:forcetypeassert // upstream's function
	})
	labels := e.data.RouteLabels
	all["routeLabels"] = e.bounded(func(name string) string { return labels[name] })
	return all
}

// bounded wraps a function of one result, and maybe an error. It panics on none: text/template checked them all before.
func (e *execution) bounded(fn any) any {
	from := reflect.ValueOf(fn)
	of := from.Type()
	in := make([]reflect.Type, of.NumIn())
	for i := range in {
		in[i] = of.In(i)
	}
	failed := reflect.TypeFor[error]()
	wrapped := reflect.FuncOf(in, []reflect.Type{of.Out(0), failed}, of.IsVariadic())
	return reflect.MakeFunc(wrapped, func(args []reflect.Value) []reflect.Value {
		out := []reflect.Value{reflect.Zero(of.Out(0)), reflect.Zero(failed)}
		if err := e.enter(args); err != nil {
			out[1] = reflect.ValueOf(&err).Elem()
			return out
		}
		var got []reflect.Value
		if of.IsVariadic() {
			got = from.CallSlice(args)
		} else {
			got = from.Call(args)
		}
		copy(out, got)
		if left := maxTemplateValue; !weigh(got[0], &left, 0) {
			err := errTemplateValue
			out[0], out[1] = reflect.Zero(of.Out(0)), reflect.ValueOf(&err).Elem()
		}
		return out
	}).Interface()
}

// enter takes one step and weighs the arguments of a call.
func (e *execution) enter(args []reflect.Value) error {
	if err := e.step(); err != nil {
		return err
	}
	left := maxTemplateValue
	for _, arg := range args {
		if !weigh(arg, &left, 0) {
			return errTemplateValue
		}
	}
	return nil
}

// weigh takes a value's size off left and reports whether it fits: bytes of text, and 8 for everything else, so that lists
// of lists that share their parts weigh what they would print.
func weigh(v reflect.Value, left *int, depth int) bool {
	const maxDepth = 64
	*left -= 8
	if *left < 0 || depth > maxDepth {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		*left -= v.Len()
	case reflect.Pointer, reflect.Interface:
		return v.IsNil() || weigh(v.Elem(), left, depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !weigh(v.Index(i), left, depth+1) {
				return false
			}
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			if !weigh(each.Key(), left, depth+1) || !weigh(each.Value(), left, depth+1) {
				return false
			}
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			break // it holds a table of its zone, which is not printed
		}
		for i := range v.NumField() {
			if !weigh(v.Field(i), left, depth+1) {
				return false
			}
		}
	default:
	}
	return *left >= 0
}
