package promcompat_test

import (
	"encoding/json"
	"net/http"
	"testing"
)

// vector makes an answer with the given elements.
func vector(result string) *answer {
	a := &answer{status: http.StatusOK, Envelope: Envelope{Status: "success"}}
	a.Data.ResultType, a.Data.Result = "vector", json.RawMessage(result)
	return a
}

// TestCompare holds the comparison itself to what it promises: a comparison that sees nothing would pass everything.
func TestCompare(t *testing.T) {
	const (
		one   = `{"metric":{"a":"1","b":"2"},"value":[10.5,"0.3"]}`
		two   = `{"metric":{"a":"2"},"value":[10.5,"NaN"]}`
		bound = `{"metric":{},"histogram":[1,{"count":"1","sum":"2","buckets":[[0,"0","1","1"]]}]}`
	)
	warned := vector("[" + one + "]")
	warned.Warnings = []string{"careful"}
	refused := &answer{status: http.StatusBadRequest, Envelope: Envelope{Status: "error", ErrorType: "bad_data", Error: "no"}}
	reworded := &answer{status: http.StatusBadRequest, Envelope: Envelope{Status: "error", ErrorType: "bad_data", Error: "never"}}
	failed := &answer{status: http.StatusUnprocessableEntity, Envelope: Envelope{Status: "error", ErrorType: "execution", Error: "no"}}
	for _, c := range []struct {
		name    string
		a, b    *answer
		ordered bool
		want    agreement
	}{
		{"equal", vector("[" + one + "," + two + "]"), vector("[" + one + "," + two + "]"), true, identical},
		{"labels in another order", vector("[" + one + "]"), vector(`[{"metric":{"b":"2","a":"1"},"value":[10.5,"0.3"]}]`), true, identical},
		{"another text of the same number", vector("[" + one + "]"), vector(`[{"metric":{"a":"1","b":"2"},"value":[10.500,"3e-1"]}]`), true, identical},
		{"a label that is another text of the same number", vector(`[{"metric":{"a":"1"},"value":[1,"1"]}]`), vector(`[{"metric":{"a":"1.0"},"value":[1,"1"]}]`), false, different},
		{"another order", vector("[" + one + "," + two + "]"), vector("[" + two + "," + one + "]"), false, reordered},
		{"another order where it counts", vector("[" + one + "," + two + "]"), vector("[" + two + "," + one + "]"), true, different},
		{"the last bit", vector("[" + one + "]"), vector(`[{"metric":{"a":"1","b":"2"},"value":[10.5,"0.30000000000000004"]}]`), false, different},
		{"the sign of zero", vector(`[{"metric":{},"value":[1,"0"]}]`), vector(`[{"metric":{},"value":[1,"-0"]}]`), false, different},
		{"another millisecond", vector("[" + one + "]"), vector(`[{"metric":{"a":"1","b":"2"},"value":[10.501,"0.3"]}]`), false, different},
		{"one element more", vector("[" + one + "]"), vector("[" + one + "," + two + "]"), false, different},
		{"another bucket", vector("[" + bound + "]"), vector(`[{"metric":{},"histogram":[1,{"count":"1","sum":"2","buckets":[[1,"0","1","1"]]}]}]`), false, different},
		{"a warning", vector("[" + one + "]"), warned, false, different},
		{"the same refusal in other words", refused, reworded, false, identical},
		{"another refusal", refused, failed, false, different},
		{"a refusal for an answer", vector("[]"), refused, false, different},
	} {
		got, difference := compare(c.a, c.b, c.ordered)
		if got != c.want || (got == different) != (difference != "") {
			t.Errorf("%s: got %d, %q, want %d", c.name, got, difference, c.want)
		}
	}
}
