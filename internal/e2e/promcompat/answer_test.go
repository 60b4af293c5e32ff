package promcompat_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/value"
)

// answer is what a server says to a question.
type answer struct {
	status int // of HTTP
	Envelope
}

// Envelope is the JSON form of every answer of the Prometheus HTTP API.
type Envelope struct {
	Status    string `json:"status"`
	ErrorType string `json:"errorType"`
	Error     string `json:"error"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
	Warnings []string `json:"warnings"`
	Infos    []string `json:"infos"`
}

// agreement says how two answers are the same.
type agreement int

const (
	different agreement = iota
	reordered           // the same, but for an order that Prometheus leaves open
	identical
)

// compare tells whether two answers are the same, and if not, where they differ first. Errors are the same when their
// status and type are: their texts are for people. Numbers are the same when all of their bits are; there is one NaN.
// The order of series counts where ordered says that the language defines it.
func compare(want, got *answer, ordered bool) (how agreement, difference string) {
	if want.status != got.status || want.Status != got.Status || want.ErrorType != got.ErrorType {
		return different, fmt.Sprintf("want %d %s %s, got %d %s %s", want.status, want.ErrorType, want.Error, got.status, got.ErrorType, got.Error)
	}
	if want.Data.ResultType != got.Data.ResultType {
		return different, fmt.Sprintf("want a %s, got a %s", want.Data.ResultType, got.Data.ResultType)
	}
	for _, notes := range [][2][]string{{want.Warnings, got.Warnings}, {want.Infos, got.Infos}} {
		slices.Sort(notes[0])
		slices.Sort(notes[1])
		if !slices.Equal(notes[0], notes[1]) {
			return different, fmt.Sprintf("want the notes %q, got %q", notes[0], notes[1])
		}
	}
	if want.Status != "success" {
		return identical, ""
	}
	a, err := elements(want.Data.Result)
	if err != nil {
		return different, "want: " + err.Error()
	}
	b, err := elements(got.Data.Result)
	if err != nil {
		return different, "got: " + err.Error()
	}
	if slices.Equal(a, b) {
		return identical, ""
	}
	if !ordered {
		slices.Sort(a)
		slices.Sort(b)
		if slices.Equal(a, b) {
			return reordered, ""
		}
	}
	return different, firstDifference(a, b)
}

func firstDifference(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			w, g := strings.Fields(want[i]), strings.Fields(got[i])
			for k := range min(len(w), len(g)) {
				if w[k] != g[k] {
					return fmt.Sprintf("element %d of %d, word %d: want %s, got %s, in %.200s", i, len(want), k, w[k], g[k], want[i])
				}
			}
			return fmt.Sprintf("element %d of %d: want %d words, got %d: %.200s", i, len(want), len(w), len(g), want[i])
		}
	}
	return fmt.Sprintf("want %d elements, got %d", len(want), len(got))
}

// elements returns one text for each element of a result, with every number in one form.
func elements(result json.RawMessage) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(result))
	decoder.UseNumber()
	var list []any
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w in %.200s", err, result)
	}
	texts := make([]string, len(list))
	for i, one := range list {
		var b strings.Builder
		write(&b, one)
		texts[i] = b.String()
	}
	return texts, nil
}

// write appends a JSON value; numbers, which the API writes as strings wherever they are values, become their shortest form.
func write(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(key + ": ")
			if metric, ok := v[key].(map[string]any); ok && key == "metric" {
				for _, name := range slices.Sorted(maps.Keys(metric)) {
					fmt.Fprintf(b, "%q=%q ", name, metric[name])
				}
				continue
			}
			write(b, v[key])
		}
	case []any:
		b.WriteString("[ ")
		for _, one := range v {
			write(b, one)
		}
		b.WriteString("] ")
	case json.Number:
		b.WriteString(number(v.String()) + " ")
	case string:
		b.WriteString(number(v) + " ")
	default:
		fmt.Fprintf(b, "%v ", v)
	}
}

// number brings the text of a number into the form that differs for every bit: equal texts are equal bits.
func number(text string) string {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return strconv.Quote(text)
	case math.IsNaN(f):
		f = math.Float64frombits(value.NormalNaN)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
