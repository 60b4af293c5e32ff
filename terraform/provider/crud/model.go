package crud

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/prometheus/common/model"
)

// Send makes a request's body of a model, makes the call with it and fills the model with the answer.
func Send[M, B, T any](m *M, call func(body B) (*T, error)) error {
	var body B
	if err := Body(m, &body); err != nil {
		return err
	}
	return Into(m)(call(body))
}

// Body fills a request's body with the fields of a model that have the same JSON names.
func Body(m, body any) error {
	text, err := json.Marshal(m)
	if err == nil {
		err = json.Unmarshal(text, body)
	}
	if err != nil {
		return fmt.Errorf("the configuration does not become a request: %w", err)
	}
	return nil
}

// Into fills a model with the answer of a call, by JSON names. What means the same as what the model has stays as it is written
// there: nothing said and the empty value, instants in two time zones, and what the tag `same` tells of a field.
func Into(m any) func(answer any, err error) error {
	return func(answer any, err error) error {
		if err != nil {
			return err
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		target := reflect.ValueOf(m).Elem()
		fresh := reflect.New(target.Type())
		if err := json.Unmarshal(text, fresh.Interface()); err != nil {
			return fmt.Errorf("the answer is not what this provider knows: %w", err)
		}
		settleFields(target, fresh.Elem())
		return take(target, text)
	}
}

// take fills the fields that only the server says, whose tag `answer` names the answer's field.
func take(target reflect.Value, text []byte) error {
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("the answer is not what this provider knows: %w", err)
	}
	for _, f := range reflect.VisibleFields(target.Type()) {
		name := f.Tag.Get("answer")
		if name == "" {
			continue
		}
		switch field := target.FieldByIndex(f.Index).Addr().Interface().(type) {
		case *types.String:
			*field = types.StringNull()
			if value, ok := answer[name].(string); ok {
				*field = types.StringValue(value)
			}
		case *types.Int64:
			*field = types.Int64Null()
			if value, ok := answer[name].(float64); ok {
				*field = types.Int64Value(int64(value))
			}
		}
	}
	return nil
}

// settleFields puts the fields of fresh into target.
func settleFields(target, fresh reflect.Value) {
	for _, f := range reflect.VisibleFields(target.Type()) {
		if f.Anonymous || f.Tag.Get("json") == "-" || f.Tag.Get("json") == "" {
			continue
		}
		prior := target.FieldByIndex(f.Index)
		prior.Set(settle(prior, fresh.FieldByIndex(f.Index), f.Tag.Get("same")))
	}
}

// unsaid is the tag `same` of fields that stay without a value where the user leaves them to the server.
const unsaid = "unsaid"

// settle returns which of two values a field has from now on.
func settle(prior, fresh reflect.Value, same string) reflect.Value {
	if isNothing(prior) && (isNothing(fresh) || same == unsaid) {
		return prior
	}
	switch prior.Kind() {
	case reflect.Pointer:
		if fresh.IsNil() {
			return fresh
		}
		if prior.IsNil() {
			prior = reflect.New(prior.Type().Elem())
		}
		merged := reflect.New(prior.Type().Elem())
		merged.Elem().Set(settle(prior.Elem(), fresh.Elem(), same))
		return merged
	case reflect.Struct:
		merged := reflect.New(prior.Type()).Elem()
		merged.Set(prior)
		settleFields(merged, fresh)
		return merged
	case reflect.Slice:
		if fresh.Len() == 0 {
			return fresh
		}
		merged := reflect.MakeSlice(fresh.Type(), fresh.Len(), fresh.Len())
		for i := range fresh.Len() {
			was := reflect.New(fresh.Type().Elem()).Elem()
			if i < prior.Len() {
				was = prior.Index(i)
			}
			merged.Index(i).Set(settle(was, fresh.Index(i), same))
		}
		return merged
	case reflect.String:
		if prior.Len() > 0 && equal(same, prior.String(), fresh.String()) {
			return prior
		}
		if at, err := time.Parse(time.RFC3339, fresh.String()); err == nil && same == "time" {
			return reflect.ValueOf(at.UTC().Format(time.RFC3339Nano)) // without a server's fraction of zeros
		}
	}
	return fresh
}

// isNothing reports whether a value is what a field without a value has.
func isNothing(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || isNothing(v.Elem())
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" && !isNothing(v.Field(i)) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// equal reports by the tag `same` whether two texts mean the same.
func equal(same, a, b string) bool {
	switch same {
	case "time":
		return SameTime(a, b)
	case "duration":
		return SameDuration(a, b)
	}
	return false
}

// SameTime compares times as RFC 3339 writes them, in whatever zone.
func SameTime(a, b string) bool {
	x, errX := time.Parse(time.RFC3339, a)
	y, errY := time.Parse(time.RFC3339, b)
	return errX == nil && errY == nil && x.Equal(y)
}

// SameDuration compares durations as Prometheus writes them; nothing is none.
func SameDuration(a, b string) bool {
	x, errX := duration(a)
	y, errY := duration(b)
	return errX == nil && errY == nil && x == y
}

func duration(text string) (model.Duration, error) {
	if text == "" {
		return 0, nil
	}
	return model.ParseDuration(text)
}

// SameJSON reports whether two documents say the same, where a field without a value and one that is left out are the same.
func SameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return reflect.DeepEqual(pruned(x), pruned(y))
}

// pruned takes what has no value out of a document's objects.
func pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, value := range v {
			if value = pruned(value); value != nil {
				kept[name] = value
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		if len(v) == 0 {
			return nil
		}
		kept := make([]any, len(v)) // places count, so that nothing is taken out of a list
		for i := range v {
			kept[i] = pruned(v[i])
		}
		return kept
	case string, bool, float64:
		if reflect.ValueOf(v).IsZero() {
			return nil
		}
	}
	return v
}

// Text is the text that an attribute has, "" for none.
func Text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
