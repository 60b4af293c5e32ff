package pipeline_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seamarkhq/seamark/ingest/pipeline"
	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestFaultsNameTheirPosition(t *testing.T) {
	quoted := func(s string) string { text, _ := json.Marshal(s); return string(text) }
	for name, c := range map[string]struct {
		step    string
		want    pipeline.Fault // Message is a part of the text
		atLeast int            // of faults; 1 unless told
	}{
		"syntax": {
			`"kind":"transform","statements":["set(log.body, \"a\")","set(log.body, \"a\") where log.body = 1"]`,
			pipeline.Fault{Field: "statements", Index: 1, Column: 35, Message: "invalid syntax"}, 0,
		},
		"unknown function": {
			`"kind":"transform","statements":["set(log.body, Foo(1))"]`,
			pipeline.Fault{Field: "statements", Column: 15, Message: `undefined function "Foo"`}, 0,
		},
		"lexer": {`"kind":"transform","statements":["set(log.body, \"x)"]`, pipeline.Fault{Field: "statements", Column: 15, Message: "invalid input text"}, 0},
		"path":  {`"kind":"drop","match":["true","body == \"x\""]`, pipeline.Fault{Field: "match", Index: 1, Column: 1, Message: `"log.body"`}, 0},
		"foreign context": {
			`"kind":"transform","statements":["set(log.body, otelcol.client.addr)"]`,
			pipeline.Fault{Field: "statements", Column: 15, Message: `context "otelcol"`}, 0,
		},
		"clock":     {`"kind":"transform","statements":["set(log.time, Now())"]`, pipeline.Fault{Field: "statements", Column: 15, Message: `undefined function "Now"`}, 0},
		"random":    {`"kind":"transform","statements":["set(log.body, UUID())"]`, pipeline.Fault{Field: "statements", Column: 15, Message: `undefined function "UUID"`}, 0},
		"agent":     {`"kind":"transform","statements":["set(log.cache, UserAgent(log.body))"]`, pipeline.Fault{Field: "statements", Column: 16, Message: "UserAgent"}, 0},
		"bad regex": {`"kind":"drop","match":["IsMatch(log.body, \"(\")"]`, pipeline.Fault{Field: "match", Column: 1, Message: "missing closing )"}, 0},
		"moving regex": {
			`"kind":"drop","match":["IsMatch(log.body, log.attributes[\"p\"])"]`,
			pipeline.Fault{Field: "match", Column: 1, Message: "must be a text in quotes"}, 0,
		},
		"long regex": {
			`"kind":"drop","match":["IsMatch(log.body, \"` + strings.Repeat("a", 600) + `\")"]`,
			pipeline.Fault{Field: "match", Column: 1, Message: "has 600 bytes; the limit is 512"}, 0,
		},
		"large regex": {
			`"kind":"drop","match":["IsMatch(log.body, \"((a{9}){9}){12}[a-z]{90}\")"]`,
			pipeline.Fault{Field: "match", Column: 1, Message: "the limit is 1000"}, 0,
		},
		"moving replacement": {
			`"kind":"transform","statements":["replace_pattern(log.body, \"\", log.body)"]`,
			pipeline.Fault{Field: "statements", Column: 1, Message: "must be a text in quotes"}, 0,
		},
		"wide format": {
			`"kind":"transform","statements":["set(log.body, Format(\"%100000d\", [1]))"]`,
			pipeline.Fault{Field: "statements", Column: 15, Message: "more than 3 digits"}, 0,
		},
		"width from an argument": {
			`"kind":"transform","statements":["set(log.body, Format(\"%*d\", [100000, 1]))"]`,
			pipeline.Fault{Field: "statements", Column: 15, Message: "width from an argument"}, 0,
		},
		"counted grok": {
			`"kind":"transform","statements":["set(log.cache, ExtractGrokPatterns(log.body, \"(%{IPV6}){1000}\"))"]`,
			pipeline.Fault{Field: "statements", Column: 16, Message: "counted repetition"}, 0,
		},
		"grok that multiplies": {
			`"kind":"transform","statements":["set(log.cache, ExtractGrokPatterns(log.body, \"%{A:a}\", true, [\"A=%{B}%{B}\"]))"]`,
			pipeline.Fault{Field: "statements", Column: 16, Message: "may not refer"}, 0,
		},
		"nesting": {
			`"kind":"drop","match":[` + quoted(strings.Repeat("(", 40)+"true"+strings.Repeat(")", 40)) + `]`,
			pipeline.Fault{Field: "match", Column: 33, Message: "nested more than 32"}, 0,
		},
		"long text":         {`"kind":"drop","match":[` + quoted(`log.body == "`+strings.Repeat("x", 3000)+`"`) + `]`, pipeline.Fault{Field: "match", Message: "the limit is 2048"}, 0},
		"unknown kind":      {`"kind":"teleport"`, pipeline.Fault{Field: "kind", Index: -1, Message: `"teleport" is unknown`}, 0},
		"foreign field":     {`"kind":"drop","match":["true"],"ratio":0.5`, pipeline.Fault{Field: "ratio", Index: -1, Message: "belongs to steps of kind sample"}, 0},
		"drop of all":       {`"kind":"drop"`, pipeline.Fault{Field: "match", Index: -1, Message: "would remove everything"}, 0},
		"ratio":             {`"kind":"sample","ratio":1.5`, pipeline.Fault{Field: "ratio", Index: -1, Message: "from 0 to 1"}, 0},
		"no ratio":          {`"kind":"sample"`, pipeline.Fault{Field: "ratio", Index: -1, Message: "from 0 to 1"}, 0},
		"by":                {`"kind":"sample","ratio":1,"by":"mood"`, pipeline.Fault{Field: "by", Index: -1, Message: "record or trace"}, 0},
		"pattern":           {`"kind":"redact","patterns":["email","mood"]`, pipeline.Fault{Field: "patterns", Index: 1, Message: `"mood" is unknown`}, 0},
		"nothing to redact": {`"kind":"redact"`, pipeline.Fault{Field: "patterns", Index: -1, Message: "needs patterns"}, 0},
		"expression": {
			`"kind":"redact","expressions":[{"name":"ok","regex":"a+"},{"name":"x","regex":"a*"}]`,
			pipeline.Fault{Field: "expressions", Index: 1, Message: "matches the empty text"}, 0,
		},
		"expression's name": {`"kind":"redact","expressions":[{"name":"a b","regex":"a"}]`, pipeline.Fault{Field: "expressions", Message: "must match"}, 0},
		"no labels":         {`"kind":"route"`, pipeline.Fault{Field: "stream", Index: -1, Message: "1 to 16"}, 0},
		"label's name":      {`"kind":"route","stream":{"a-b":"c"}`, pipeline.Fault{Field: "stream", Index: -1, Message: `"a-b" must match`}, 0},
		"no metric":         {`"kind":"metric"`, pipeline.Fault{Field: "metric", Index: -1, Message: "needs a metric"}, 0},
		"metric's name":     {`"kind":"metric","metric":{"name":"a-b","type":"counter"}`, pipeline.Fault{Field: "metric.name", Index: -1, Message: "must match"}, 0},
		"metric's type":     {`"kind":"metric","metric":{"name":"a","type":"sum"}`, pipeline.Fault{Field: "metric.type", Index: -1, Message: `"sum" is unknown`}, 0},
		"gauge of nothing":  {`"kind":"metric","metric":{"name":"a","type":"gauge"}`, pipeline.Fault{Field: "metric.value", Index: -1, Message: "needs a value"}, 0},
		"metric's value":    {`"kind":"metric","metric":{"name":"a","type":"gauge","value":"1 +"}`, pipeline.Fault{Field: "metric.value", Index: -1, Message: "invalid syntax"}, 0},
		"reserved label":    {`"kind":"metric","metric":{"name":"a","type":"counter","labels":{"__x":"log.body"}}`, pipeline.Fault{Field: "metric.labels.__x", Index: -1, Message: "without __"}, 0},
		"buckets":           {`"kind":"metric","metric":{"name":"a","type":"histogram","value":"1","buckets":[2,1]}`, pipeline.Fault{Field: "metric.buckets", Index: 1, Message: "rise"}, 0},
		"no statement":      {`"kind":"transform"`, pipeline.Fault{Field: "statements", Index: -1, Message: "needs a statement"}, 0},
		"many statements":   {`"kind":"transform","statements":[` + strings.Repeat(`"set(log.body, \"x\")",`, 64) + `"set(log.body, \"x\")"]`, pipeline.Fault{Field: "statements", Index: -1, Message: "65 statements; the limit is 64"}, 0},
		"two faults":        {`"kind":"drop","match":["log.nope == 1","other"]`, pipeline.Fault{Field: "match", Column: 5, Message: `"nope"`}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			faults := faultsOf(t, one(c.step))
			got := faults[0]
			if got.Pipeline != "p" || got.Step != 0 || got.StepName != "s" || got.Field != c.want.Field || got.Index != c.want.Index ||
				!strings.Contains(got.Message, c.want.Message) || len(faults) < c.atLeast {
				t.Errorf("got %+v, want %+v", faults, c.want)
			}
			if c.want.Column != got.Column && c.want.Field != "metric.value" {
				t.Errorf("got column %d, want %d: %s", got.Column, c.want.Column, got)
			}
		})
	}
}

func TestNamesOfPipelinesAndSteps(t *testing.T) {
	step := `{"name":"s","kind":"drop","match":["true"]}`
	for definitions, want := range map[string]string{
		`[{"name":"","steps":[]}]`:                                                   "there is no name",
		`[{"name":"a","steps":[` + step + `,` + step + `]}]`:                         "another step",
		`[{"name":"a","steps":[]},{"name":"a","steps":[]}]`:                          "another pipeline",
		`[{"name":"` + strings.Repeat("x", 70) + `","steps":[]}]`:                    "70 bytes; the limit is 64",
		`[{"name":"a","steps":[{"name":"x\u0007","kind":"drop","match":["true"]}]}]`: "control characters",
	} {
		if got := faultsOf(t, definitions)[0]; !strings.Contains(got.Message, want) {
			t.Errorf("%s: got %s, want %s", definitions, got, want)
		}
	}
}

func TestStepsOfAllPipelinesAreLimited(t *testing.T) {
	var list []string
	for p := range 3 {
		var steps []string
		for s := range 30 {
			steps = append(steps, fmt.Sprintf(`{"name":"s%d","kind":"drop","match":["false"]}`, s))
		}
		list = append(list, fmt.Sprintf(`{"name":"p%d","enabled":true,"steps":[%s]}`, p, strings.Join(steps, ",")))
	}
	if got := faultsOf(t, "["+strings.Join(list, ",")+"]")[0]; !strings.Contains(got.Message, "90 steps together; the limit is 64") {
		t.Errorf("got %s", got)
	}
}

func TestWorkOfCompilingIsLimited(t *testing.T) {
	repeat := func(n int, statement string) string {
		var steps []string
		for i := range (n + 31) / 32 {
			steps = append(steps, fmt.Sprintf(`{"name":"s%d","kind":"transform","statements":[%s]}`, i, strings.Repeat(statement+",", min(32, n-32*i)-1)+statement))
		}
		return `[{"name":"p","steps":[` + strings.Join(steps, ",") + `]}]`
	}
	const grok, regex = `"set(log.cache, ExtractGrokPatterns(log.body, \"%{IP:a}\", true))"`, `"set(log.body, \"x\") where IsMatch(log.body, \"a\")"`
	for definitions, want := range map[string]string{
		repeat(17, grok):                      "more than 16 grok patterns",
		repeat(129, regex):                    "more than 128 patterns",
		repeat(513, `"set(log.body, \"x\")"`): "more than 512 statements",
		`[` + strings.Repeat(`{"name":"p","steps":[]},`, 32) + `{"name":"p","steps":[]}]`: "33 pipelines; the limit is 32",
	} {
		if got := faultsOf(t, definitions)[0]; !strings.Contains(got.Message, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, definitions := range []string{repeat(16, grok), repeat(128, regex), repeat(512, `"set(log.body, \"x\")"`)} {
		compile(t, definitions)
	}
}

func TestErrorReadsAsSentences(t *testing.T) {
	list, err := pipeline.Parse([]byte(one(`"kind":"transform","statements":["set(log.body, Foo(1))"]`)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = pipeline.Compile(options(), list...)
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || e.ID != "seamark-pipeline-invalid" || !strings.HasPrefix(e.Message, `Pipeline "p", step 0 (s), statements[0], column 15: `) || !strings.HasSuffix(e.Message, ".") {
		t.Errorf("got %v", err)
	}
}

// TestFaultsPointIntoTheDocument has a fault of every kind of place, in a list and in a dry run.
func TestFaultsPointIntoTheDocument(t *testing.T) {
	const broken = `{"name":"q","steps":[{"name":"a","kind":"transform","statements":["set(log.body, \"x\")","set(log.body, Foo(1))"]},` +
		`{"name":"a","kind":"what"},{"name":"m","kind":"metric","metric":{"name":"1","type":"counter"}}]}`
	list, err := pipeline.Parse([]byte(`[` + strings.TrimSuffix(strings.TrimPrefix(one(`"kind":"drop","match":["true"]`), "["), "]") + `,` + broken + `]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/steps/0/statements/1: Column 15", "/steps/1/name: Another step", "/steps/1/kind: The kind", "/steps/2/metric/name: "}
	_, compiled := pipeline.Compile(options(), list...)
	checkPointers(t, compiled, "/pipelines/1", want)

	var dry pipeline.DryRun
	if err := dry.Unmarshal([]byte(`{"pipeline":` + broken + `,"records":[{"labels":{"a":"b"},"body":"x"}]}`)); err != nil {
		t.Fatal(err)
	}
	_, tried := pipeline.Try(t.Context(), options(), &dry, nil)
	checkPointers(t, tried, "/pipeline", want)

	many, err := pipeline.Parse([]byte(`[` + strings.Repeat(`{"name":"x","steps":[]},`, 40) + `{"name":"y","steps":[]}]`))
	if err != nil {
		t.Fatal(err)
	}
	_, crowded := pipeline.Compile(options(), many...)
	checkPointers(t, crowded, "/pipelines", []string{": There are 41 pipelines"})
}

// checkPointers wants faults at places below root, each with the beginning of what it says.
func checkPointers(t *testing.T, err error, root string, want []string) {
	t.Helper()
	e, ok := errors.AsType[*seamark.Error](err)
	if !ok || len(e.Fields) != len(want) {
		t.Fatalf("got %+v, want %d faults", err, len(want))
	}
	for i, field := range e.Fields {
		if got := field.Pointer + ": " + field.Detail; !strings.HasPrefix(got, root+want[i]) || !strings.HasSuffix(got, ".") {
			t.Errorf("fault %d is %q, want %q", i, got, root+want[i])
		}
	}
}

func TestParseRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, body := range []string{`{}`, `[{"nam":"x"}]`, `[] []`, `[`, `[{"name":"p","steps":[{"raito":1}]}]`} {
		if _, err := pipeline.Parse([]byte(body)); seamark.KindOf(err) != seamark.Invalid {
			t.Errorf("%s: got %v, want Invalid", body, err)
		}
	}
}
